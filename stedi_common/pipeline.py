"""The five jobs: what to read, what to commit, and when there is nothing to do."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Any

import narwhals as nw

from stedi_common import __version__, tables
from stedi_common.changes import RUN, Since, affected_days, last_run, people_with_readings
from stedi_common.contracts import Contract, contract
from stedi_common.engines import Counts, Engine, Head, missing_table, until_kept
from stedi_common.errors import MultipliedRowsError, PolicyError, StediError
from stedi_common.frames import DROPPED, Frame, Judged, distinct
from stedi_common.policy import Policy
from stedi_common.pseudonym import PseudonymKey


@dataclass(frozen=True)
class Job:
    """A job: the function of the table it makes."""

    function: Callable[..., Judged]

    @property
    def name(self) -> str:
        """What users know it by; its table's contract says it."""
        return self.target.made_by

    @property
    def target(self) -> Contract:
        """The table it makes."""
        return contract(self.function.__name__)

    @property
    def sources(self) -> tuple[Contract, ...]:
        """The tables it reads, the one whose rows it judges first."""
        given = ("policy", "pseudonyms")
        return tuple(contract(name) for name in inspect.signature(self.function).parameters if name not in given)


#: In a summary, the days of a table that was made from nothing.
ALL = "all"

#: In the order of their dependencies.
JOBS = {
    job.name: job
    for job in (
        Job(tables.customer_trusted),
        Job(tables.accelerometer_trusted),
        Job(tables.customers_curated),
        Job(tables.step_trainer_trusted),
        Job(tables.machine_learning_curated),
    )
}


@dataclass(frozen=True)
class Outcome:
    """What a job did.

    days: how many days it made anew; None for all of the table.
    rows_in, rows_kept, dropped: of those days, the rows of its first source, those of its table, and those dropped by
        reason.
    rows: what the table has now, in all.
    """

    job: str
    table: str
    changed: bool
    days: int | None
    rows_in: int
    rows_kept: int
    dropped: Mapping[str, int]
    rows: int


def jobs(names: Sequence[str]) -> list[Job]:
    """The jobs of these names, all for none, in the order of their dependencies."""
    if unknown := [name for name in names if name not in JOBS]:
        raise StediError(f"run: expected jobs among {', '.join(JOBS)}, got {', '.join(unknown)}")
    return [job for job in JOBS.values() if not names or job.name in names]


def run(engine: Engine, job: Job, policy: Policy, key: PseudonymKey) -> Outcome:
    """Make the days of the job's table anew that its sources changed, in one commit; none if nothing has changed.

    Raises:
        PolicyError: a source was built under another policy (rule 11).
        CommitConflictError: other runs kept committing to the table in between.
    """
    for source in job.sources:
        if not engine.exists(source):
            raise missing_table(source)
    engine.prepare(job.target)
    return until_kept(lambda: _run(engine, job, policy, key))


def _run(engine: Engine, job: Job, policy: Policy, key: PseudonymKey) -> Outcome:
    # The target's head before any source: a run that raced this one makes the commit fail, not the rows double.
    target = engine.head(job.target)
    sources = {source.name: engine.head(source) for source in job.sources}
    _expect_policy(engine, job, sources, policy)
    wanted, seen = recipe(job, policy, key), _seen(sources)
    since = Since.last_run(engine, job.target, target, sources)
    if since and since.carries(wanted | seen) and since.changed_days(engine) == set():
        return _outcome(job, since.built.summary, target, changed=False)
    since = since.and_removal(engine, sources) if since and since.carries(wanted) else None
    work = _work(engine, job, sources, since, policy)
    if work.days == set():
        # What it has seen goes into the table all the same: the next run need not look there again.
        nothing = engine.read(job.target, target, set())
        head = engine.replace_days(job.target, (), nothing, target, wanted | seen | _told(work, {}))
    else:
        judged = judge(engine, job, work.sources, policy, key, of_some_days=work.days is not None)
        tell = partial(_tell, job, work)
        head = engine.replace_judged(job.target, work.days, judged, work.rows_in, target, wanted | seen, tell)
    return _outcome(job, head.summary, head, changed=True)


@dataclass(frozen=True)
class _Work:
    """What there is to do: the days to make anew, None for all; the sources' rows of them; how many to judge."""

    days: set[date] | None
    sources: Mapping[str, Frame]
    rows_in: int


def _work(engine: Engine, job: Job, sources: Mapping[str, Head], since: Since | None, policy: Policy) -> _Work:
    """The work since that run, or all of it."""
    days = affected_days(engine, since, sources, policy) if since and job.target.partition else None
    frames: dict[str, Frame] = {}
    if since and job.function is tables.customers_curated:
        users = people_with_readings(engine, since, sources)
        frames |= {} if users is None else {"accelerometer_trusted": users}
    for source in job.sources:
        if source.name not in frames:
            frames[source.name] = engine.read(source, sources[source.name], days)
    first = job.sources[0].name
    if days is None:
        return _Work(days, frames, sources[first].rows)
    return _Work(days, frames, int(engine.collect(frames[first].select(nw.len().alias("n")))[0]["n"]) if days else 0)


def judge(  # noqa: PLR0913 - what a function needs, and of how many days
    engine: Engine, job: Job, sources: Mapping[str, Frame], policy: Policy, key: PseudonymKey, *, of_some_days: bool
) -> Judged:
    """The sources' rows as the job's function judges them."""
    arguments: dict[str, Any] = dict(sources)
    parameters = inspect.signature(job.function).parameters
    if "pseudonyms" in parameters:
        # Others may have written there too. Who has no email has no readings.
        emails = arguments["customers_curated"].select("email").drop_nulls()
        if of_some_days:
            # Only those who have readings then: a pseudonym takes longer to make than to look up.
            users = distinct(arguments["accelerometer_trusted"].select(nw.col("user").alias("email")))
            emails = emails.join(users, on="email", how="semi")
        arguments["pseudonyms"] = engine.derive(emails, "email", "pseudonym", key.pseudonym)
    if "policy" in parameters:
        arguments["policy"] = policy
    judged = job.function(**arguments)
    return replace(judged, rows=judged.rows.select(*job.target.names, DROPPED))


def _tell(job: Job, work: _Work, counts: Counts) -> dict[str, str]:
    """What a run tells of itself. Raises MultipliedRowsError if it has judged other rows than its source's."""
    judged = sum(counts.values())
    # Pairs are many to many by rule 9; everything else judges each row of its source once.
    if job.function is not tables.machine_learning_curated and judged != work.rows_in:
        raise MultipliedRowsError(f"{job.name}: expected {work.rows_in} judged rows, got {judged}; nothing committed")
    return _told(work, counts)


def _told(work: _Work, counts: Counts) -> dict[str, str]:
    """The days a run has made, their rows in, kept and dropped by reason, as a summary has them."""
    dropped = {reason: n for reason, n in counts.items() if reason}
    return {
        RUN: uuid.uuid4().hex,
        "stedi.days": ALL if work.days is None else str(len(work.days)),
        "stedi.rows-in": str(work.rows_in),
        "stedi.rows-kept": str(counts.get(None, 0)),
        **{f"stedi.rows-dropped.{reason}": str(n) for reason, n in sorted(dropped.items())},
    }


def recipe(job: Job, policy: Policy, key: PseudonymKey) -> dict[str, str]:
    """How a table is made. A table that was made otherwise is made anew from nothing."""
    return {
        "stedi.version": __version__,
        "stedi.policy": str(policy),
        "stedi.key": key.id,
        "stedi.columns": " ".join(f"{column.name}:{column.type}" for column in job.target.columns),
    }


def _seen(sources: Mapping[str, Head]) -> dict[str, str]:
    """What a table is made from. Two runs with the same recipe and the same sources make the same table."""
    return {f"stedi.source.{name}": str(head.written_id) for name, head in sources.items()}


def _expect_policy(engine: Engine, job: Job, sources: Mapping[str, Head], policy: Policy) -> None:
    for source in job.sources:
        if source.zone == "landing":
            continue
        run = last_run(engine, source, sources[source.name])
        built = run.summary.get("stedi.policy", "none") if run else "none"
        if built != str(policy):
            raise PolicyError(
                f"{job.name}: expected {source.name} built under {policy}, got {built}",
                hint="run all five jobs under one policy",
            )


def _outcome(job: Job, summary: Mapping[str, str], head: Head, *, changed: bool) -> Outcome:
    prefix = "stedi.rows-dropped."
    days = summary["stedi.days"]
    return Outcome(
        job=job.name,
        table=job.target.name,
        changed=changed,
        days=None if days == ALL else int(days),
        rows_in=int(summary["stedi.rows-in"]),
        rows_kept=int(summary["stedi.rows-kept"]),
        dropped={name.removeprefix(prefix): int(n) for name, n in summary.items() if name.startswith(prefix)},
        rows=head.rows,
    )
