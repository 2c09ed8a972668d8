"""The days that a run recomputes at most, by the summaries and files of snapshots. No row is read.

`plan` finds the days of changed lookups by reading. Here a change of the customer records is a change of all days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from stedi_common.contracts import Contract
from stedi_common.engines.protocol import Engine, Head
from stedi_common.errors import LakeError
from stedi_common.incremental.diff import LastRun
from stedi_common.incremental.plan import build_of
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.lineage import JOBS_BY_TABLE, Job
from stedi_common.rules.policy import Policy

#: Days of a table that are recomputed; None for all.
Days = set[date] | None


def days_at_most(engine: Engine, job: Job, policy: Policy, key: PseudonymKey, changing: Mapping[str, Days]) -> Days:
    """The days of its sources that a run of the job reads at most; none if it has nothing to do.

    Args:
        engine: an open lake.
        job: the job.
        policy: the policy of the run.
        key: the pseudonym key of the run.
        changing: the tables that the same run changes before, and the days of each.

    Returns:
        The days; None for all.
    """
    found = {table.name: head for table in (job.target, *job.sources) if (head := head_of(engine, table))}
    heads = {source.name: found[source.name] for source in job.sources if source.name in found}
    if job.target.name not in found or len(heads) < len(job.sources):
        return None
    head, build = found[job.target.name], build_of(job, policy, key)
    last = LastRun.find(engine, job.target, head, heads)
    if last is None or last.summary.build != build:
        return None
    is_changing = any(source in changing for source in heads)
    if not is_changing and last.is_up_to_date(build, heads) and last.changed_days(engine) == set():
        return set()
    return _united(_changed(engine, job, last.past_deletion(engine, heads), heads, changing))


def head_of(engine: Engine, table: Contract) -> Head | None:
    """The head of a table; None if it does not exist, or Terraform has created it and no job has committed to it."""
    try:
        return engine.head(table)
    except LakeError:
        return None


def _changed(
    engine: Engine, job: Job, last: LastRun, heads: Mapping[str, Head], changing: Mapping[str, Days]
) -> Iterator[Days]:
    yield last.changed_days(engine)
    for source in job.sources:
        then, now = last.sources[source.name], heads[source.name]
        if then is None:
            yield None
        elif source.partition:
            yield engine.changed_days(source, then, now)
            yield changing.get(source.name, set())
        elif not _needs_reading(source):
            is_same = then.data_snapshot_id == now.data_snapshot_id and source.name not in changing
            yield set() if is_same else None


def _needs_reading(people: Contract) -> bool:
    """Whether the table is of people who have a reading. It changes with the readings, mostly of people in it already,
    and with tables that are sources of its readers as well.
    """
    return (job := JOBS_BY_TABLE.get(people.name)) is not None and job.needs_reading is not None


def _united(changed: Iterator[Days]) -> Days:
    days: set[date] = set()
    for each in changed:
        if each is None:
            return None
        days |= each
    return days
