"""The plan of a run: what it is going to do with a table, and why. It is data; `runs.executor` carries it out."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from stedi_common.contracts import Contract, contract
from stedi_common.engines.protocol import Engine, Head
from stedi_common.errors import DamagedFileError, PolicyError, RebuildRequiredError
from stedi_common.incremental.diff import (
    Changes,
    LastRun,
    changes,
    count,
    last_build,
    people_with_readings,
    snapshot_ids,
)
from stedi_common.incremental.fingerprint import code_fingerprint
from stedi_common.incremental.summary import Build, DeletionSummary, RunSummary
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.frames import Frame
from stedi_common.rules.lineage import Job, module_of
from stedi_common.rules.policy import Policy


class Action(StrEnum):
    """What a run does with a table."""

    FULL = "full rebuild"
    PARTITIONS = "partitions"
    NOTHING = "nothing"
    DELETE = "delete withdrawn rows"


@dataclass(frozen=True)
class Deletion:
    """Withdrawn rows that are going to be deleted from a table.

    Attributes:
        table: the contract of the table.
        days: the partitions that have such rows; None for the whole table.
        rows: the rows that stay in them.
        deleted: how many rows are deleted.
        head: the snapshot of the table that the commit goes onto.
        summary: what the deletion writes about itself.
    """

    table: Contract
    days: set[date] | None
    rows: Frame
    deleted: int
    head: Head
    summary: DeletionSummary


@dataclass(frozen=True)
class TablePlan:
    """What a run is going to do with a table.

    Attributes:
        job: the job that builds the table.
        action: what is done with the table.
        reasons: why, in words, without personal data.
        days: the partitions that are recomputed; None for the whole table.
        rows_in: how many rows of the first source are read.
        head: the snapshot of the table that the commit goes onto.
        last: the last run; None for a full rebuild because of the build, or if its snapshot has expired.
        sources: the rows to read.
        summary: what the run writes about itself, but for the counts of kept and dropped rows.
    """

    job: Job
    action: Action
    reasons: tuple[str, ...]
    days: set[date] | None
    rows_in: int
    head: Head
    last: LastRun | None
    sources: Mapping[str, Frame]
    summary: RunSummary

    @property
    def table(self) -> Contract:
        """The table."""
        return self.job.target


def person_column(table: Contract) -> str | None:
    """The column that identifies the person of a row: by email, pseudonym or device. None without such a column."""
    return next((name for name in ("email", "user", "pseudonym", "serialnumber") if name in table.names), None)


def build_of(job: Job, policy: Policy, key: PseudonymKey) -> Build:
    """The build that a run with this policy and key has.

    Args:
        job: the job.
        policy: the policy of the run.
        key: the pseudonym key of the run.
    """
    columns = " ".join(f"{column.name}:{column.type}" for column in job.target.columns)
    return Build(policy=str(policy), key=key.id, columns=columns, code=code_fingerprint(module_of(job)))


def plan(engine: Engine, job: Job, policy: Policy, key: PseudonymKey, *, rebuild: bool = False) -> TablePlan:
    """Plan a run of the job, with the current heads of its sources. Reads, and commits nothing.

    Args:
        engine: an open lake that has the job's table and its sources.
        job: the job.
        policy: the policy of the run.
        key: the pseudonym key of the run.
        rebuild: whether the table may be rebuilt if its build has changed.

    Returns:
        What to do and why, the rows to read, and the summary to commit.

    Raises:
        LakeError: a table has no snapshot.
        PolicyError: a source was built with another policy (rule 11).
        RebuildRequiredError: the table has another build, and `rebuild` is false.
    """
    # The head of the target is read before its sources: then a concurrent run makes the commit conflict.
    head = engine.head(job.target)
    heads = {source.name: engine.head(source) for source in job.sources}
    _expect_policy(engine, job, heads, policy)
    build, last = build_of(job, policy, key), LastRun.find(engine, job.target, head, heads)
    if last and last.is_up_to_date(build, heads) and last.changed_days(engine) == set():
        return TablePlan(job, Action.NOTHING, (), set(), 0, head, last, {}, last.summary)
    if differences := differences_of(engine, job.target, head, last, build):
        if not rebuild:
            raise RebuildRequiredError(job.target.name, differences)
        return _planned(engine, job, head, heads, build, None, Changes(None, tuple(differences)))
    if last is None:
        return _planned(engine, job, head, heads, build, None, Changes.all(why_no_last_run(job.target, head)))
    try:
        last = last.past_deletion(engine, heads)
        return _planned(engine, job, head, heads, build, last, _changes(engine, job, last, heads, policy))
    except DamagedFileError:  # a full rebuild reads the current snapshots only
        return _planned(engine, job, head, heads, build, None, Changes.all("a file of an earlier snapshot is damaged"))


def differences_of(engine: Engine, table: Contract, head: Head, last: LastRun | None, build: Build) -> list[str]:
    """The differences between the build of the table and this one, in words.

    Args:
        engine: an open lake.
        table: the contract of the table.
        head: its head.
        last: its last run; None if that has expired. Then a deletion after it may have kept the build.
        build: the build of the run.

    Returns:
        A text for each part that differs; none if the table has no rows and no build.
    """
    built = last.summary.build if last else last_build(engine, table, head)
    if built is None:
        return [f"rows of an unknown build -> {build.policy}"] if head.rows else []
    return built.differences(build)


def _changes(engine: Engine, job: Job, last: LastRun, heads: Mapping[str, Head], policy: Policy) -> Changes:
    if job.target.partition:
        return changes(engine, last, heads, policy)
    moved = [
        name
        for name, head in heads.items()
        if (then := last.sources[name]) is None or then.data_snapshot_id != head.data_snapshot_id
    ]
    changed = [f"{name}: rows changed" for name in moved] or [f"{job.target.name}: somebody else changed rows"]
    return Changes(None, tuple(changed))


def _planned(  # noqa: PLR0913, PLR0917 - what a plan is made of
    engine: Engine,
    job: Job,
    head: Head,
    heads: Mapping[str, Head],
    build: Build,
    last: LastRun | None,
    changed: Changes,
) -> TablePlan:
    days, first = changed.days, job.sources[0].name
    sources: dict[str, Frame] = {}
    if last and job.needs_reading:
        users = people_with_readings(engine, last, heads, job.sources[0], contract(job.needs_reading))
        sources |= {} if users is None else {job.needs_reading: users}
    for source in job.sources:
        if source.name not in sources:
            sources[source.name] = engine.read(source, heads[source.name], days)
    if days is None:
        action, rows_in = Action.FULL, heads[first].rows
    elif days:
        action, rows_in = Action.PARTITIONS, count(engine, sources[first])
    else:
        action, rows_in = Action.PARTITIONS, 0
    summary = RunSummary(
        run=uuid.uuid4().hex,
        build=build,
        consumed=snapshot_ids(heads),
        days=None if days is None else len(days),
        rows_in=rows_in,
        engine=str(engine.choice),
    )
    return TablePlan(job, action, changed.reasons, days, rows_in, head, last, sources, summary)


def why_no_last_run(table: Contract, head: Head | None) -> str:
    """Why the table has no last run, in words.

    Args:
        table: the contract of the table.
        head: its head; None if the table does not exist.
    """
    has_rows = head is not None and head.rows
    return (
        f"{table.name}: the last run's snapshot has expired"
        if has_rows
        else f"{table.name}: no run has committed to it"
    )


def _expect_policy(engine: Engine, job: Job, heads: Mapping[str, Head], policy: Policy) -> None:
    for source in job.sources:
        if source.zone == "landing":
            continue
        known = last_build(engine, source, heads[source.name])
        built = known.policy if known else "none"
        if built != str(policy):
            raise PolicyError(
                f"{job.name}: expected {source.name} built with {policy}, got {built}",
                hint="run all jobs with the same policy",
            )
