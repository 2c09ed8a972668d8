"""What has changed since a table was made, told in the days of its readings: only those must be made anew.

Every rule joins within a day, so a day of a table is a function of its sources' same day and of the decisions about
people and devices (`tables.DECISIONS`). Where that cannot be told, all days have changed.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import takewhile

import narwhals as nw

from stedi_common.contracts import Contract, contract
from stedi_common.engines import Engine, Head
from stedi_common.frames import Frame, differing, distinct
from stedi_common.policy import Policy
from stedi_common.tables import DECISIONS, Decision

#: What the snapshot of a finished run carries.
RUN = "stedi.run"

#: What the snapshots of a removal carry: the customers' records that it was made by; and its id, if it found the tables
#: as their runs had seen them.
RECORDS = contract("customer_landing")
REMOVED_BY = f"stedi.removed-by.{RECORDS.name}"
REMOVAL = "stedi.removal"

Heads = Mapping[str, Head]


@dataclass(frozen=True)
class Since:
    """A table and the run that made it.

    head: where the table is now; `built`, the run's snapshot, unless somebody else has written to it since.
    sources: what the run had read of each source, None where that is no longer kept.
    """

    table: Contract
    head: Head
    built: Head
    sources: Mapping[str, Head | None]

    @classmethod
    def last_run(cls, engine: Engine, table: Contract, head: Head, sources: Iterable[str]) -> Since | None:
        """What became of the table since the last run that committed to it; None if none is kept."""
        built = last_run(engine, table, head)
        return cls(table, head, built, {name: _source(engine, built, name) for name in sources}) if built else None

    def carries(self, summary: Mapping[str, str]) -> bool:
        """Whether the run's snapshot carries all of this."""
        return all(self.built.summary.get(name) == value for name, value in summary.items())

    def and_removal(self, engine: Engine, now: Heads) -> Since:
        """The same, with a removal counted as the run's own, if nothing else has changed the table since.

        What has left the table and its sources need not be looked at again, as long as the records say what they said:
        of a day that has nothing new the removal has left what a run would make. If others removed, or the records have
        moved on, somebody may be back, and what was removed is a change like any other.
        """
        later = takewhile(lambda head: head.written_id != self.built.written_id, engine.history(self.table, self.head))
        written = {head.written_id: head for head in later}
        if len(written) != 1:
            return self
        (removal,) = written.values()
        if REMOVAL not in removal.summary or removal.summary[REMOVED_BY] != _records(now):
            return self
        sources = {name: _removed_from(engine, removal, name, then, now) for name, then in self.sources.items()}
        return replace(self, built=removal, sources=sources)

    def changed_days(self, engine: Engine) -> set[date] | None:
        """The days that somebody else has changed in the table; see `Engine.changed_days`."""
        return engine.changed_days(self.table, self.built, self.head)


def last_run(engine: Engine, table: Contract, head: Head) -> Head | None:
    """The last snapshot that a run committed to the table; None if none is kept."""
    return next((snapshot for snapshot in engine.history(table, head) if RUN in snapshot.summary), None)


def affected_days(engine: Engine, since: Since, now: Heads, policy: Policy) -> set[date] | None:
    """The days that must be made anew from the sources as they are now; None for all."""
    before = {name: head for name, head in since.sources.items() if head}
    if len(before) < len(now):
        return None
    # What somebody else has done to the table itself is undone.
    days = since.changed_days(engine)
    for name in now:
        source = contract(name)
        if source.partition and days is not None:
            changed = engine.changed_days(source, before[name], now[name])
            days = None if changed is None else days | changed
    if days is None:
        return None
    decisions = [each for each in DECISIONS[since.table.name] if not _follows(each, before, now, policy)]
    return days.union(*(_days_decided(engine, each, before, now, policy) for each in decisions))


def people_with_readings(engine: Engine, since: Since, now: Heads) -> Frame | None:
    """Whoever of customer_trusted has a trusted reading, once or more, in the column user; None if all must be read.

    `customers_curated` says who had one when it was made. That can have changed for those only who have or had readings
    on the days that changed since. It was not told for those who are new to customer_trusted, who had none unless the
    readings were of another making.
    """
    readings, people = contract("accelerometer_trusted"), contract("customer_trusted")
    then, people_then = since.sources[readings.name], since.sources[people.name]
    if then is None or people_then is None or since.changed_days(engine) != set():
        return None
    days = engine.changed_days(readings, then, now[readings.name])
    if days is None:
        return None

    def users(at: Head, days: set[date] | None = None) -> Frame:
        return distinct(engine.read(readings, at, days).select("user"))

    def emails(of: Contract, at: Head) -> Frame:
        return engine.read(of, at).select(nw.col("email").alias("user"))

    present, gone = users(now[readings.name], days), users(then, days)
    told = emails(since.table, since.head).join(gone, on="user", how="anti")
    untold = gone
    if not _one_making({readings.name: then, people.name: people_then}):
        new = emails(people, now[people.name]).join(emails(people, people_then), on="user", how="anti")
        untold = distinct(nw.concat([gone, new]))
    untold = untold.join(present, on="user", how="anti")
    found = [present, told]
    if engine.collect(untold.head(1)):
        found.append(users(now[readings.name]).join(untold, on="user", how="semi"))
    return nw.concat(found)


def _records(now: Heads) -> str | None:
    """The customers' records that the sources are of; not every job may read them."""
    if RECORDS.name in now:
        return str(now[RECORDS.name].written_id)
    made = now["customer_trusted"].summary
    return made.get(f"stedi.source.{RECORDS.name}", made.get(REMOVED_BY))


def _removed_from(engine: Engine, removal: Head, name: str, then: Head | None, now: Heads) -> Head | None:
    """Where the removal left the source; where it was then, if the removal has not changed it."""
    if then is None:
        return None
    later = takewhile(lambda head: head.written_id != then.written_id, engine.history(contract(name), now[name]))
    return next((head for head in later if head.summary.get(REMOVAL) == removal.summary[REMOVAL]), then)


def _source(engine: Engine, built: Head, name: str) -> Head | None:
    snapshot_id = built.summary.get(f"stedi.source.{name}")
    return None if snapshot_id is None else engine.snapshot(contract(name), int(snapshot_id))


def _follows(decision: Decision, before: Heads, now: Heads, policy: Policy) -> bool:
    """Whether what the decision changes is in the days that the readings it is about have changed."""
    together = (decision.about, *_tables(decision))
    made = all(_one_making({name: heads[name] for name in together}) for heads in (before, now))
    return made and policy.consent in decision.follows


def _one_making(heads: Heads) -> bool:
    """Whether these were made from one another and else from the same, and nobody has written to them since."""
    seen = {name: {str(head.written_id)} for name, head in heads.items()}
    for name, head in heads.items():
        for source in contract(name).made_from:
            seen.setdefault(source, set()).add(head.summary.get(f"stedi.source.{source}", ""))
    return all(len(ids) == 1 for ids in seen.values())


def _days_decided(engine: Engine, decision: Decision, before: Heads, now: Heads, policy: Policy) -> set[date]:
    """The days that have a reading of somebody about whom something else is decided now."""
    if all(before[name].written_id == now[name].written_id for name in _tables(decision)):
        return set()
    then, today = (decided(decision, read(engine, decision, heads), policy) for heads in (before, now))
    with engine.held(differing(then, today)) as held:
        return days_of(engine, contract(decision.about), now[decision.about], held.frame) if held.rows else set()


def days_of(engine: Engine, table: Contract, head: Head, changed: Frame) -> set[date]:
    """The days that have a reading in the table which the changed decisions concern."""
    (at,) = (column.name for column in table.columns if column.transform)
    columns = changed.collect_schema().names()
    if "since" in columns:
        earliest = engine.collect(changed.select(nw.col("since").min()))[0]["since"]
        # From the same day on for everybody, which skips files; then for each from their own instant on.
        readings = engine.read(table, head, since=earliest and earliest.date()).select(columns[0], at)
        changed = changed.group_by(columns[0]).agg(nw.col("since").min())
        concerned = readings.join(changed, on=columns[0], how="inner").filter(nw.col(at) >= nw.col("since"))
    else:
        readings = engine.read(table, head).select(columns[0], at)
        concerned = readings.join(changed, on=columns[0], how="semi")
    return days_in(engine, concerned, at)


def days_in(engine: Engine, rows: Frame, at: str) -> set[date]:
    """The days of the rows' instants in that column."""
    days = distinct(rows.select(nw.col(at).dt.truncate("1d").alias("day")))
    return {row["day"].date() for row in engine.collect(days)}


def decided(decision: Decision, tables: Mapping[str, Frame], policy: Policy) -> Frame:
    """What is decided, if these are the tables."""
    given = {name: tables[name] for name in _tables(decision)}
    if "policy" in inspect.signature(decision.function).parameters:
        return decision.function(**given, policy=policy)
    return decision.function(**given)


def read(engine: Engine, decision: Decision, heads: Heads) -> dict[str, Frame]:
    """The tables that the decision is made from."""
    return {name: engine.read(contract(name), heads[name]) for name in _tables(decision)}


def _tables(decision: Decision) -> list[str]:
    return [name for name in inspect.signature(decision.function).parameters if name != "policy"]
