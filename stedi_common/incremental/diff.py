"""What changed since a table's last run, as days of its readings: only those days are recomputed.

Every rule joins within a day, so a day of a table is a function of the same day of its sources and of the lookups of
people and devices (`tables.LOOKUPS`). If the changed days cannot be found, all days count as changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import takewhile

import narwhals as nw

from stedi_common.contracts import Contract, contract
from stedi_common.engines.protocol import Engine, Head
from stedi_common.incremental.summary import Build, DeletionSummary, RunSummary, consumed
from stedi_common.rules.frames import Frame, differing, distinct
from stedi_common.rules.lineage import JOBS_BY_TABLE, parameters
from stedi_common.rules.policy import Policy
from stedi_common.rules.tables import Lookup

#: The customer records, by which withdrawn rows are deleted.
CUSTOMER_LANDING = contract("customer_landing")

Heads = Mapping[str, Head]


@dataclass(frozen=True)
class LastRun:
    """A table and the last run that committed to it.

    Attributes:
        table: the contract of the table.
        head: the head of the table now.
        committed: the snapshot that the run committed, or that of the deletion that it was advanced past.
        summary: what the run says about itself.
        sources: the snapshot of each source that the run consumed; None where it has expired.
    """

    table: Contract
    head: Head
    committed: Head
    summary: RunSummary
    sources: Mapping[str, Head | None]

    @classmethod
    def find(cls, engine: Engine, table: Contract, head: Head, sources: Iterable[str]) -> LastRun | None:
        """The last run that committed to the table; None if its snapshot has expired, or there was none."""
        for committed in engine.history(table, head):
            if summary := RunSummary.parse(committed.summary):
                found = {name: _consumed(engine, name, summary) for name in sources}
                return cls(table, head, committed, summary, found)
        return None

    def is_up_to_date(self, build: Build, heads: Heads) -> bool:
        """Whether the run had the same build and consumed these snapshots, so that another run would change nothing."""
        return self.summary.build == build and dict(self.summary.consumed) == snapshot_ids(heads)

    def past_deletion(self, engine: Engine, now: Heads) -> LastRun:
        """The last run with its watermark advanced past a deletion of withdrawn rows, if that is the only later commit.

        The deletion has left what a run would commit, as long as the customer records have not changed since. So the
        next run need not recompute the days from which rows were deleted. After any other commit, or if the records
        have changed, a deleted person may consent again, so these days are changed days like all others.

        Args:
            engine: an open lake.
            now: the heads of the sources.

        Returns:
            The advanced last run, or this one.
        """
        later = takewhile(
            lambda head: head.data_snapshot_id != self.committed.data_snapshot_id,
            engine.history(self.table, self.head),
        )
        commits = {head.data_snapshot_id: head for head in later}
        if len(commits) != 1:
            return self
        (committed,) = commits.values()
        summary = DeletionSummary.parse(committed.summary)
        if summary is None or summary.deletion is None or summary.customers != _customers(now):
            return self
        sources = {
            name: _after_deletion(engine, summary.deletion, name, consumed, now)
            for name, consumed in self.sources.items()
        }
        return replace(self, committed=committed, sources=sources)

    def changed_days(self, engine: Engine) -> set[date] | None:
        """The days on which another commit has changed the table since; see `Engine.changed_days`."""
        return engine.changed_days(self.table, self.committed, self.head)


def last_build(engine: Engine, table: Contract, head: Head) -> Build | None:
    """The build of the table, by the summary of its last run or of a deletion after it. None if neither is kept."""
    builds = (Build.parse(snapshot.summary) for snapshot in engine.history(table, head))
    return next((build for build in builds if build.is_known), None)


@dataclass(frozen=True)
class Changes:
    """The days to recompute, and why.

    Attributes:
        days: the changed partitions; None for all.
        reasons: in words, without personal data.
    """

    days: set[date] | None
    reasons: tuple[str, ...]

    @classmethod
    def all(cls, reason: str) -> Changes:
        """Every day, for this reason."""
        return cls(None, (reason,))


def changes(engine: Engine, last: LastRun, now: Heads, policy: Policy) -> Changes:
    """Find the days to recompute.

    Args:
        engine: an open lake.
        last: the last run of the table.
        now: the heads of its sources.
        policy: the policy of the run.
    """
    if expired := [name for name in now if last.sources.get(name) is None]:
        return Changes.all(f"{expired[0]}: the snapshot that the last run consumed has expired")
    before = {name: head for name, head in last.sources.items() if head}
    days: set[date] = set()
    reasons: list[str] = []
    for reason, changed in _changed(engine, last, before, now, policy):
        if changed is None:
            return Changes.all(f"{reason}, on days that are not known")
        if changed:
            reasons.append(f"{reason} on {pluralized(len(changed), 'day')}")
        days |= changed
    return Changes(days, tuple(reasons))


def _changed(
    engine: Engine, last: LastRun, before: Heads, now: Heads, policy: Policy
) -> Iterator[tuple[str, set[date] | None]]:
    """What may have changed, in words, and the days on which it did."""
    yield f"{last.table.name}: somebody else changed rows", last.changed_days(engine)
    for name in now:
        if (source := contract(name)).partition:
            yield f"{name}: rows changed", engine.changed_days(source, before[name], now[name])
    lookups = JOBS_BY_TABLE[last.table.name].lookups
    looked_up = {name for lookup in lookups for name in parameters(lookup.function).tables}
    for name in now:
        # Without a lookup nothing says which days the table's rows are of.
        if contract(name).partition is None and name not in looked_up:
            moved = before[name].data_snapshot_id != now[name].data_snapshot_id
            yield f"{name}: rows changed", None if moved else set()
    for lookup in lookups:
        if not is_implied(lookup, before, now, policy):
            yield f"{lookup.fact_table}: {lookup.about} changed", _days_of_lookup(engine, lookup, before, now, policy)


def pluralized(number: int, noun: str) -> str:
    """`1 day`, `2 days`, `2 people`."""
    plural = "people" if noun == "person" else f"{noun}s"
    return f"{number:,} {noun if number == 1 else plural}"


def snapshot_ids(heads: Heads) -> dict[str, int]:
    """The watermark of a run: the id of the consumed snapshot of each source."""
    return {name: head.data_snapshot_id for name, head in heads.items()}


def people_with_readings(
    engine: Engine, last: LastRun, now: Heads, people: Contract, readings: Contract
) -> Frame | None:
    """Find the people who have a reading, without reading all readings.

    The table itself says who had one when it was committed. That can have changed only for people who have or had
    readings on the days that changed since. It says nothing about people who are new, who had none unless the readings
    were of other inputs.

    Args:
        engine: an open lake.
        last: the last run of a table of the people who have a reading.
        now: the heads of its sources.
        people: the source with the people, in the column email.
        readings: the source with the readings, whose people are in the column user.

    Returns:
        Whoever has a reading, once or more, in the column user; None if all readings must be read.
    """
    readings_then, people_then = last.sources[readings.name], last.sources[people.name]
    if readings_then is None or people_then is None or last.changed_days(engine) != set():
        return None
    days = engine.changed_days(readings, readings_then, now[readings.name])
    if days is None:
        return None

    def users(at: Head, days: set[date] | None = None) -> Frame:
        return distinct(engine.read(readings, at, days).select("user"))

    def emails(of: Contract, at: Head) -> Frame:
        return engine.read(of, at).select(nw.col("email").alias("user"))

    present, gone = users(now[readings.name], days), users(readings_then, days)
    known = emails(last.table, last.head).join(gone, on="user", how="anti")
    unknown = gone
    if not have_same_inputs({readings.name: readings_then, people.name: people_then}):
        new = emails(people, now[people.name]).join(emails(people, people_then), on="user", how="anti")
        unknown = distinct(nw.concat([gone, new]))
    unknown = unknown.join(present, on="user", how="anti")
    found = [present, known]
    if engine.collect(unknown.head(1)):
        found.append(users(now[readings.name]).join(unknown, on="user", how="semi"))
    return nw.concat(found)


def is_implied(lookup: Lookup, before: Heads, now: Heads, policy: Policy) -> bool:
    """Whether every change of the lookup is on a day on which its fact table has changed, too."""
    together = (lookup.fact_table, *parameters(lookup.function).tables)
    consistent = all(have_same_inputs({name: heads[name] for name in together}) for heads in (before, now))
    return consistent and policy.consent in lookup.implied_under


def have_same_inputs(heads: Heads) -> bool:
    """Whether these tables were computed from each other's heads, and from the same snapshots of all other sources."""
    inputs = {name: {head.data_snapshot_id} for name, head in heads.items()}
    for name, head in heads.items():
        watermark = consumed(head.summary)
        for source in contract(name).made_from:
            inputs.setdefault(source, set()).add(watermark.get(source, -1))
    return all(len(ids) == 1 for ids in inputs.values())


def days_of(engine: Engine, table: Contract, head: Head, rows: Frame, on: str) -> set[date]:
    """The days that have a reading which some rows of a lookup concern.

    Args:
        engine: an open lake.
        table: a table of readings.
        head: the snapshot of it to look at.
        rows: rows of a lookup.
        on: the column that both have.
    """
    (at,) = (column.name for column in table.columns if column.transform)
    if "since" in rows.collect_schema().names():
        earliest = engine.collect(rows.select(nw.col("since").min()))[0]["since"]
        # From the same day on for everybody, which skips files; then for each from their own instant on.
        readings = engine.read(table, head, since=earliest and earliest.date()).select(on, at)
        rows = rows.group_by(on).agg(nw.col("since").min())
        concerned = readings.join(rows, on=on, how="inner").filter(nw.col(at) >= nw.col("since"))
    else:
        readings = engine.read(table, head).select(on, at)
        concerned = readings.join(rows, on=on, how="semi")
    return days_in(engine, concerned, at)


def days_in(engine: Engine, rows: Frame, at: str) -> set[date]:
    """The days of the rows' instants in that column."""
    days = distinct(rows.select(nw.col(at).dt.truncate("1d").alias("day")))
    return {row["day"].date() for row in engine.collect(days)}


def count(engine: Engine, rows: Frame) -> int:
    """How many rows there are."""
    return int(engine.collect(rows.select(nw.len().alias("n")))[0]["n"])


def rows_of(lookup: Lookup, tables: Mapping[str, Frame], policy: Policy) -> Frame:
    """The rows of the lookup, computed from these tables.

    Args:
        lookup: the lookup.
        tables: by name, at least the tables that its function takes.
        policy: the policy of the run.
    """
    takes = parameters(lookup.function)
    given = {name: tables[name] for name in takes.tables}
    return lookup.function(**given, policy=policy) if takes.policy else lookup.function(**given)


def read(engine: Engine, lookup: Lookup, heads: Heads) -> dict[str, Frame]:
    """The tables that the lookup is computed from, by name, at these heads."""
    return {name: engine.read(contract(name), heads[name]) for name in parameters(lookup.function).tables}


def _days_of_lookup(engine: Engine, lookup: Lookup, before: Heads, now: Heads, policy: Policy) -> set[date]:
    """The days with readings of the people or devices whose rows in the lookup have changed."""
    tables = parameters(lookup.function).tables
    if all(before[name].data_snapshot_id == now[name].data_snapshot_id for name in tables):
        return set()
    then, today = (rows_of(lookup, read(engine, lookup, heads), policy) for heads in (before, now))
    with engine.materialized(differing(then, today)) as changed:
        fact_table = contract(lookup.fact_table)
        if not changed.rows:
            return set()
        return days_of(engine, fact_table, now[fact_table.name], changed.frame, lookup.on)


def _customers(now: Heads) -> int | None:
    """The snapshot of the customer records that these heads are computed from; not every job may read the records."""
    if CUSTOMER_LANDING.name in now:
        return now[CUSTOMER_LANDING.name].data_snapshot_id
    summary = now["customer_trusted"].summary
    if deletion := DeletionSummary.parse(summary):
        return deletion.customers
    return consumed(summary).get(CUSTOMER_LANDING.name)


def _after_deletion(engine: Engine, deletion: str, name: str, then: Head | None, now: Heads) -> Head | None:
    """The snapshot of the source that the deletion committed; the consumed one if it has not changed the source."""
    if then is None:
        return None
    later = takewhile(
        lambda head: head.data_snapshot_id != then.data_snapshot_id, engine.history(contract(name), now[name])
    )
    return next((head for head in later if _is_of(deletion, head)), then)


def _is_of(deletion: str, head: Head) -> bool:
    summary = DeletionSummary.parse(head.summary)
    return summary is not None and summary.deletion == deletion


def _consumed(engine: Engine, name: str, summary: RunSummary) -> Head | None:
    snapshot_id = summary.consumed.get(name)
    return None if snapshot_id is None else engine.snapshot(contract(name), snapshot_id)
