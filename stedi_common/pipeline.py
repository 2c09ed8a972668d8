"""The five jobs: what to read, what to commit, and when there is nothing to do."""

from __future__ import annotations

import inspect
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from stedi_common import __version__, tables
from stedi_common.contracts import Contract, contract
from stedi_common.engines import Engine, Head, missing_table
from stedi_common.errors import MultipliedRowsError, PolicyError, StediError
from stedi_common.frames import DROPPED, Frame, kept
from stedi_common.policy import Policy
from stedi_common.pseudonym import PseudonymKey


@dataclass(frozen=True)
class Job:
    """A job: the function of the table it makes."""

    function: Callable[..., Frame]

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


#: So many judged rows cost less to keep on disk, between counting and writing, than to compute twice.
FEW = 1_000_000

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
    """What a job did: rows of its first source, rows of its table, and rows dropped by reason."""

    job: str
    table: str
    changed: bool
    rows_in: int
    rows_kept: int
    dropped: Mapping[str, int]


def jobs(names: Sequence[str]) -> list[Job]:
    """The jobs of these names, all for none, in the order of their dependencies."""
    if unknown := [name for name in names if name not in JOBS]:
        raise StediError(f"run: expected jobs among {', '.join(JOBS)}, got {', '.join(unknown)}")
    return [job for job in JOBS.values() if not names or job.name in names]


def run(engine: Engine, job: Job, policy: Policy, key: PseudonymKey) -> Outcome:
    """Make the job's table from its sources, in one commit; none if it had been made from just these.

    Raises:
        PolicyError: a source was built under another policy (rule 11).
        CommitConflictError: another run committed to the table in between.
    """
    for source in job.sources:
        if not engine.exists(source):
            raise missing_table(source)
    engine.prepare(job.target)
    # The target's head before any source: a run that raced this one makes the commit fail, not the rows double.
    target = engine.head(job.target)
    sources = {source.name: engine.head(source) for source in job.sources}
    _expect_policy(job, sources, policy)
    made_from = _made_from(sources, policy, key)
    if all(target.summary.get(name) == value for name, value in made_from.items()):
        return _outcome(job, target.summary, changed=False)
    judged = _judge(engine, job, sources, policy, key).select(*job.target.names, DROPPED)
    with _computed(engine, judged, _rows_in(job, sources)) as rows:
        counts = _counts(engine, job, rows, _rows_in(job, sources))
        summary = {**made_from, **counts, "stedi.run": uuid.uuid4().hex}
        engine.replace(job.target, kept(rows, job.target.names), target, summary)
    return _outcome(job, summary, changed=True)


def _rows_in(job: Job, sources: Mapping[str, Head]) -> int:
    return sources[job.sources[0].name].rows


@contextmanager
def _computed(engine: Engine, rows: Frame, how_many: int) -> Iterator[Frame]:
    """The rows, which are counted and then written: few are kept in between, many are faster computed twice."""
    if how_many > FEW:
        yield rows
        return
    with engine.held(rows) as held:
        yield held.frame


def _judge(engine: Engine, job: Job, sources: Mapping[str, Head], policy: Policy, key: PseudonymKey) -> Frame:
    arguments: dict[str, Any] = {source.name: engine.read(source, sources[source.name]) for source in job.sources}
    parameters = inspect.signature(job.function).parameters
    if "pseudonyms" in parameters:
        emails = arguments["customers_curated"].select("email")
        arguments["pseudonyms"] = engine.derive(emails, "email", "pseudonym", key.pseudonym)
    if "policy" in parameters:
        arguments["policy"] = policy
    return job.function(**arguments)


def _counts(engine: Engine, job: Job, rows: Frame, rows_in: int) -> dict[str, str]:
    """Rows in, kept and dropped by reason, as the snapshot carries them."""
    by_reason = engine.collect(rows.group_by(DROPPED).agg(nw.len().alias("n")))
    dropped = {row[DROPPED]: int(row["n"]) for row in by_reason}
    rows_kept = dropped.pop(None, 0)
    # Pairs are many to many by rule 9; everything else judges each row of its source once.
    rows_judged = rows_kept + sum(dropped.values())
    if job.function is not tables.machine_learning_curated and rows_judged != rows_in:
        raise MultipliedRowsError(f"{job.name}: expected {rows_in} judged rows, got {rows_judged}; nothing committed")
    return {
        "stedi.rows-in": str(rows_in),
        "stedi.rows-kept": str(rows_kept),
        **{f"stedi.rows-dropped.{reason}": str(n) for reason, n in sorted(dropped.items())},
    }


def _made_from(sources: Mapping[str, Head], policy: Policy, key: PseudonymKey) -> dict[str, str]:
    """What a table is a function of. Two runs with the same make the same table."""
    return {
        "stedi.version": __version__,
        "stedi.policy": str(policy),
        "stedi.key": key.id,
        **{f"stedi.source.{name}": str(head.written_id) for name, head in sources.items()},
    }


def _expect_policy(job: Job, sources: Mapping[str, Head], policy: Policy) -> None:
    for source in job.sources:
        if source.zone == "landing":
            continue
        built = sources[source.name].summary.get("stedi.policy", "none")
        if built != str(policy):
            raise PolicyError(
                f"{job.name}: expected {source.name} built under {policy}, got {built}",
                hint="run all five jobs under one policy",
            )


def _outcome(job: Job, summary: Mapping[str, str], *, changed: bool) -> Outcome:
    prefix = "stedi.rows-dropped."
    dropped = {name.removeprefix(prefix): int(n) for name, n in summary.items() if name.startswith(prefix)}
    return Outcome(
        job.name, job.target.name, changed, int(summary["stedi.rows-in"]), int(summary["stedi.rows-kept"]), dropped
    )
