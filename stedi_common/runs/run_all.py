"""The sequence of a run: drops land, customers first; withdrawn rows are deleted; then the tables are computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeAlias

from stedi_common.contracts import SOURCES, contract
from stedi_common.engines.protocol import Engine
from stedi_common.errors import StediError, as_stedi_error
from stedi_common.landing import Landed, discover_sources, land
from stedi_common.maintenance import Maintained
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.lineage import JOBS, Job
from stedi_common.rules.policy import Policy
from stedi_common.runs import executor, withdrawals
from stedi_common.settings import ReaderSettings

Result: TypeAlias = Landed | withdrawals.Deleted | executor.Outcome | Maintained


@dataclass(frozen=True)
class RunSettings:
    """The settings of a run.

    Attributes:
        rebuild: whether tables of another build may be rebuilt in full.
    """

    policy: Policy
    key: PseudonymKey
    settings: ReaderSettings = field(default_factory=ReaderSettings)
    rebuild: bool = False


@dataclass(frozen=True)
class Task:
    """One step of a run.

    Attributes:
        table: the table that it writes to; `withdrawals` for the deletion, which writes to all.
        run: does it. Returns None if there was nothing to do.
        is_needed: whether the tasks after it need it.
    """

    job: str
    table: str
    run: Callable[[Engine, Any], Result | None]
    is_needed: bool = True


@dataclass(frozen=True)
class Done:
    """A task that ran: its result, if it did anything, or its error."""

    task: Task
    result: Result | None = None
    error: StediError | None = None


def landing_tasks(folder: str, sources: Iterable[str] = SOURCES) -> list[Task]:
    """Land the drops of these sources, customers first. The folder is listed once. One that fails holds up no other."""
    wanted = set(sources)
    chosen = [source for source in SOURCES if source in wanted]
    found = cache(lambda: discover_sources(folder, chosen))

    def task(source: str) -> Task:
        def run(engine: Engine, given: RunSettings) -> Landed:
            return land(engine, source, folder, given.key, settings=given.settings, found=found())

        return Task(contract(f"{source}_landing").made_by, f"{source}_landing", run, is_needed=False)

    return [task(source) for source in chosen]


def deletion_task() -> Task:
    """Delete withdrawn rows from all tables, downstream first. If it fails, the tasks after it delete them later."""

    def run(engine: Engine, given: RunSettings) -> withdrawals.Deleted | None:
        return withdrawals.delete_withdrawn(engine, given.policy, given.key)

    return Task("remove_withdrawn", "withdrawals", run, is_needed=False)


def job_task(job: Job) -> Task:
    """Recompute what changed in the job's table."""

    def run(engine: Engine, given: RunSettings) -> executor.Outcome:
        return executor.run(engine, job, given.policy, given.key, rebuild=given.rebuild)

    return Task(job.name, job.target.name, run)


def tasks(landing: str | None = None, jobs: Sequence[Job] = tuple(JOBS.values())) -> list[Task]:
    """The tasks of a run, in order. Withdrawn rows are deleted first, whichever jobs follow.

    Args:
        landing: the folder or S3 URI whose drops land before; None to land nothing.
        jobs: the jobs, upstream first.
    """
    landings = [] if landing is None else landing_tasks(landing)
    return [*landings, deletion_task(), *map(job_task, jobs)]


def run_all(
    engine: Engine,
    given: Any,
    tasks: Iterable[Task],
    around: Callable[[Task], AbstractContextManager[object]] = lambda _: nullcontext(),
) -> Iterator[Done]:
    """Run the tasks in order, up to one that fails and that others need.

    Args:
        engine: an open lake.
        given: what each task needs: policy, key and settings.
        tasks: what to run; see `tasks`.
        around: a context that each task runs in, for progress.
    """
    for task in tasks:
        with around(task):
            done = _done(task, engine, given)
        yield done
        if done.error and task.is_needed:
            return


def _done(task: Task, engine: Engine, given: Any) -> Done:
    try:
        return Done(task, task.run(engine, given))
    except Exception as error:
        return Done(task, error=as_stedi_error(error))
