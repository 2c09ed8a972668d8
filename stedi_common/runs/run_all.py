"""The tasks of a run, in order: drops land, customers first; withdrawn rows are deleted; the tables are computed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any, Literal, TypeAlias

from stedi_common.contracts import CUSTOMER, SOURCES, contract
from stedi_common.engines.protocol import Engine
from stedi_common.errors import MissingLinesError, StediError, as_stedi_error
from stedi_common.landing import Landed, discover_sources, land
from stedi_common.landing.landed_files import Row
from stedi_common.landing.missing import expect_no_missing_lines
from stedi_common.landing.unread import UnreadFiles, landed_rows, unread_in
from stedi_common.landing.unread import dismiss_unread as dismiss_unread_files
from stedi_common.maintenance import Maintained
from stedi_common.rules.lineage import JOBS, Job
from stedi_common.runs import executor, withdrawals
from stedi_common.runs.input_size import InputSize
from stedi_common.runs.settings import RunSettings

CUSTOMERS = contract(f"{CUSTOMER}_landing")

#: A run lands, then it computes. What it computes is known only after it has landed.
Phase = Literal["land", "compute", "maintain"]

Result: TypeAlias = Landed | UnreadFiles | withdrawals.Deleted | executor.Outcome | Maintained


@dataclass(frozen=True)
class Task:
    """One step of a run.

    Attributes:
        job: the name of its job.
        table: the table that it writes to; `withdrawals` for the deletion, which writes to all.
        run: carries it out, with an engine and the settings. Returns None if there was nothing to do.
        is_required: whether the tasks after it need it, so that its failure ends the run.
        reads: how many bytes it reads, computed before the tasks of its phase run.
        phase: what the tasks that are sized together, and run by one engine, have in common.
    """

    job: str
    table: str
    run: Callable[[Engine, Any], Result | None]
    is_required: bool = True
    reads: Callable[[InputSize], int] = lambda _: 0
    phase: Phase = "compute"


@dataclass(frozen=True)
class CompletedTask:
    """A task that has run: with its result, if it did anything, or with its error."""

    task: Task
    result: Result | None = None
    error: StediError | None = None

    @property
    def line(self) -> dict[str, Any]:
        """What the task did, as a line of JSON has it. Errors are printed on standard error."""
        done = replace(self.result, failures=()) if isinstance(self.result, withdrawals.Deleted) else self.result
        fields = asdict(done) if done else {}
        fields.pop("failures", None)
        return {"job": self.task.job, "table": self.task.table, **fields}


def landing_tasks(
    folder: str, sources: Iterable[str] = SOURCES, to_land_again: Collection[tuple[str, str]] = ()
) -> list[Task]:
    """The tasks that land the drops of these sources, customers first. The failure of one does not end the run.

    Args:
        folder: the landing folder or its S3 URI. It is listed once, when the first task runs.
        sources: the sources; by default all.
        to_land_again: names and digests of file versions that land again, as of their first arrival.
    """
    wanted = set(sources)
    chosen = [source for source in SOURCES if source in wanted]
    found = cache(lambda: discover_sources(folder, chosen))

    def task(source: str) -> Task:
        def run(engine: Engine, settings: RunSettings) -> Landed:
            settings.expect_landing_allowed()
            return land(
                engine,
                source,
                folder,
                settings.key,
                settings=settings.reader,
                found=found(),
                to_land_again=to_land_again,
            )

        def reads(size: InputSize) -> int:
            return size.of_landing(source, found())

        made_by = contract(f"{source}_landing").made_by
        return Task(made_by, f"{source}_landing", run, is_required=False, reads=reads, phase="land")

    return [task(source) for source in chosen]


def deletion_task(rows: Callable[..., Sequence[Row]] = landed_rows) -> Task:
    """The task that deletes withdrawn rows, downstream first. If it fails, the jobs after it still delete them.

    Args:
        rows: reads `landed_files`, to find out whether customer lines are missing.
    """

    def run(engine: Engine, settings: RunSettings) -> withdrawals.Deleted | None:
        lacks_lines = _lacks_lines(engine, rows)
        return withdrawals.delete_withdrawn(engine, settings.policy, settings.key, lacks_lines=lacks_lines)

    return Task("remove_withdrawn", "withdrawals", run, is_required=False, reads=InputSize.of_deletion)


def _lacks_lines(engine: Engine, rows: Callable[..., Sequence[Row]]) -> bool:
    """Whether customer lines are missing. If that cannot be found out, the existing records decide."""
    try:
        expect_no_missing_lines(engine, rows(engine))
    except Exception as error:  # any other error is raised by the tasks that follow; it must not keep withdrawn rows
        return isinstance(error, MissingLinesError)
    return False


def unread_task(rows: Callable[..., Sequence[Row]] = landed_rows, *, dismiss: bool = False) -> Task:
    """The task that finds the unread files of all landing folders. The tables are computed all the same.

    Args:
        rows: reads `landed_files`.
        dismiss: whether to dismiss them.
    """

    def run(engine: Engine, settings: RunSettings) -> UnreadFiles | None:
        if not dismiss:
            return unread_in(rows(engine))
        settings.expect_jobs_allowed()
        return dismiss_unread_files(engine)

    return Task("find_unread", "landed_files", run, is_required=False)


def missing_task(rows: Callable[..., Sequence[Row]] = landed_rows) -> Task:
    """The task that finds missing customer lines. If there are any, or if they cannot be counted, no table is computed.

    Args:
        rows: reads `landed_files`.
    """

    def run(engine: Engine, _: RunSettings) -> None:
        expect_no_missing_lines(engine, rows(engine))

    return Task("find_missing", CUSTOMERS.name, run)


def job_task(job: Job) -> Task:
    """The task that runs a job."""

    def run(engine: Engine, settings: RunSettings) -> executor.Outcome:
        settings.expect_jobs_allowed()
        return executor.run(engine, job, settings.policy, settings.key, rebuild=settings.rebuild)

    return Task(job.name, job.target.name, run, reads=lambda size: size.of_job(job))


def single_job_task(job: Job) -> Task:
    """The task that runs a job on its own. One that reads customer records expects all that have landed."""
    reads_customers = CUSTOMERS in job.sources
    of_job = job_task(job)

    def run(engine: Engine, settings: RunSettings) -> Result | None:
        if reads_customers:
            expect_no_missing_lines(engine)
        return of_job.run(engine, settings)

    return replace(of_job, run=run)


def tasks(
    landing: str | None = None,
    jobs: Sequence[Job] = tuple(JOBS.values()),
    to_land_again: Collection[tuple[str, str]] = (),
    *,
    dismiss_unread: bool = False,
) -> list[Task]:
    """The tasks of a run, in order. Withdrawn rows are deleted first, whichever jobs follow.

    A run that lands nothing says which files are unread; a landing says so itself. No table is computed while customer
    lines are missing.

    Args:
        landing: the landing folder or its S3 URI, whose drops land first; None to land nothing.
        jobs: the jobs, upstream first; by default all.
        to_land_again: names and digests of file versions that land again, as of their first arrival.
        dismiss_unread: whether a run that lands nothing dismisses the unread files.
    """
    rows = cache(landed_rows)  # read once, by the first task that needs them
    deletion, computing = deletion_task(rows), [missing_task(rows), *map(job_task, jobs)]
    if landing is None:
        return [deletion, unread_task(rows, dismiss=dismiss_unread), *computing]
    return [*landing_tasks(landing, to_land_again=to_land_again), deletion, *computing]


def run_all(
    engine: Engine,
    settings: Any,
    tasks: Iterable[Task],
    around: Callable[[Task], AbstractContextManager[object]] = lambda _: nullcontext(),
) -> Iterator[CompletedTask]:
    """Run the tasks in order. A task that is required and fails is the last one.

    Args:
        engine: an open lake.
        settings: the settings that each task gets: RunSettings; None for maintenance.
        tasks: the tasks, in order; see `tasks`.
        around: makes the context in which a task runs, for progress.

    Yields:
        Each task when it has run, with its result or error.
    """
    for task in tasks:
        with around(task):
            completed = _complete(task, engine, settings)
        yield completed
        if completed.error and task.is_required:
            return


def _complete(task: Task, engine: Engine, settings: Any) -> CompletedTask:
    try:
        return CompletedTask(task, task.run(engine, settings))
    except Exception as error:
        return CompletedTask(task, error=as_stedi_error(error))
