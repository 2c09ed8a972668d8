"""Before a run makes its tables, what is no longer admitted leaves them: what is curated first, what is trusted last.

A run makes its tables in the order of their dependencies. Meanwhile, and for longer if it dies, the tables further down
would have readings of people who have withdrawn. So first the tables' own rows are judged anew, by the functions that
made them, under the customers' records as they are now. Nothing is added. The run after it need not make those days
once more (`Since.and_removal`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date

import narwhals as nw

from stedi_common import __version__
from stedi_common.changes import RECORDS, REMOVAL, REMOVED_BY, Since, days_in, days_of, decided, read
from stedi_common.contracts import Contract, contract
from stedi_common.engines import Engine, Head, Held, until_kept
from stedi_common.frames import Frame, differing, distinct
from stedi_common.pipeline import JOBS, Job, judge, recipe
from stedi_common.policy import Policy
from stedi_common.pseudonym import PseudonymKey
from stedi_common.tables import DECISIONS, Decision

CUSTOMERS, ACCELERATIONS, CURATED, STEPS, PAIRS = JOBS.values()
TABLES = (RECORDS, *(job.target for job in JOBS.values()))

((_OF_PEOPLE,), (_OF_DEVICES,)) = DECISIONS[ACCELERATIONS.target.name], DECISIONS[STEPS.target.name]

#: Whose a reading is, as far as its table says.
WHOSE = {ACCELERATIONS: "user", STEPS: "serialnumber", PAIRS: "pseudonym"}


@dataclass(frozen=True)
class Removed:
    """How many rows were removed, by table, in the order in which they went."""

    removed: Mapping[str, int]


def remove(engine: Engine, policy: Policy, key: PseudonymKey) -> Removed | None:
    """Remove what the customers' records no longer admit from the five tables, a commit each; None if there is nothing.

    If one of them is going to be made from nothing, none is changed.

    Raises:
        CommitConflictError: other runs kept committing in between.
    """
    if not all(engine.exists(table) for table in TABLES):
        return None
    for job in JOBS.values():
        engine.prepare(job.target)
    removed: dict[str, int] = {}

    def start() -> None:
        if lake := _Lake.now(engine, policy, key):
            _remove(lake, removed)

    until_kept(start)
    return Removed(removed) if removed else None


@dataclass(frozen=True)
class _Lake:
    """What a removal sees.

    heads: where the tables are; seen: where they were when a job's last run read them; removal: its id.
    """

    engine: Engine
    policy: Policy
    key: PseudonymKey
    heads: Mapping[str, Head]
    seen: Mapping[Job, Mapping[str, Head]]
    removal: str

    @classmethod
    def now(cls, engine: Engine, policy: Policy, key: PseudonymKey) -> _Lake | None:
        """None if no job can have anything to remove, or one of the tables is going to be made from nothing."""
        heads, seen = {table.name: engine.head(table) for table in TABLES}, {}
        for job in JOBS.values():
            known = [source.name for source in job.sources if source.name in heads]
            run = Since.last_run(engine, job.target, heads[job.target.name], known)
            if not run or not run.carries(recipe(job, policy, key)):
                return None
            seen[job] = {name: source for name, source in run.sources.items() if source}
            if len(seen[job]) < len(known):
                return None
        lake = cls(engine, policy, key, heads, seen, uuid.uuid4().hex)
        return None if lake.has_changed() == set() or lake.has_new_people_only() else lake

    def has_changed(self) -> set[str]:
        """The tables that one of the jobs has not seen as they are."""
        seen = ((name, head) for of in self.seen.values() for name, head in of.items())
        return {name for name, head in seen if head.written_id != self.heads[name].written_id}

    def has_new_people_only(self) -> bool:
        """Whether nothing has changed but that there are records of people and devices of whom there was none.

        Who is admitted depends on a person's records, and on those of everybody who ever had the same device (rules 4
        to 7), so about all others the same is decided as before.
        """
        if self.has_changed() != {RECORDS.name}:
            return False
        seen = {of[RECORDS.name].written_id: of[RECORDS.name] for of in self.seen.values() if RECORDS.name in of}
        return not any(self._concerned_since(head) for head in seen.values())

    def _concerned_since(self, seen: Head) -> bool:
        """Whether records that came or went since then concern a person or a device of whom there was one."""
        columns = "record_hash", "email", "serialnumber"
        then, now = (self.engine.read(RECORDS, head).select(*columns) for head in (seen, self.heads[RECORDS.name]))
        concerned = _people_and_devices(then).join(_people_and_devices(differing(then, now)), on="of", how="semi")
        return bool(self.engine.collect(concerned.head(1)))

    def table(self, job: Job, days: set[date] | None = None, seen_by: Job | None = None) -> Frame:
        """What the job has made, as it is or as another job's last run has seen it."""
        heads = self.seen[seen_by] if seen_by else self.heads
        return self.engine.read(job.target, heads[job.target.name], days)

    def days(self, table: Contract, head: Head, changed: Held) -> set[date]:
        """The days on which that table has readings that the changed decisions concern."""
        return days_of(self.engine, table, head, changed.frame) if changed.rows else set()

    def made(self, job: Job, *sources: Frame) -> Frame:
        """What the job makes of these."""
        given = dict(zip((source.name for source in job.sources), sources, strict=True))
        return judge(self.engine, job, given, self.policy, self.key, of_some_days=True).kept(job.target.names)


@dataclass(frozen=True)
class _Staying:
    """What of the lake's tables may stay: of the customers as they are going to be, of the readings on some days."""

    lake: _Lake
    records: Frame
    consenting: Frame
    curated: Frame

    def people(self) -> dict[str, Frame]:
        """The tables that decisions are made from, by name."""
        return {
            RECORDS.name: self.records,
            CUSTOMERS.target.name: self.consenting,
            CURATED.target.name: self.curated,
        }

    def accelerations(self, days: set[date], seen_by: Job | None = None) -> Frame:
        return self.lake.made(ACCELERATIONS, self.lake.table(ACCELERATIONS, days, seen_by), self.consenting)

    def steps(self, days: set[date], seen_by: Job | None = None) -> Frame:
        return self.lake.made(STEPS, self.lake.table(STEPS, days, seen_by), self.curated, self.records)

    def pairs(self, days: set[date]) -> Frame:
        # Of the readings that they were made of: others are the run's to pair.
        readings = self.steps(days, PAIRS), self.accelerations(days, PAIRS)
        return self.lake.made(PAIRS, *readings, self.curated, self.records)


def _people_and_devices(records: Frame) -> Frame:
    """Of whom and of which devices the records are, in the column `of`."""
    devices = records.filter(~nw.col("serialnumber").is_null())
    return nw.concat([records.select(nw.col("email").alias("of")), devices.select(nw.col("serialnumber").alias("of"))])


def _remove(lake: _Lake, removed: dict[str, int]) -> None:
    """Remove what must go, and add to `removed` how many rows went from which table."""
    with ExitStack() as stack:

        def held(rows: Frame) -> Held:
            return stack.enter_context(lake.engine.held(rows))

        records = lake.engine.read(RECORDS, lake.heads[RECORDS.name])
        consenting = held(lake.made(CUSTOMERS, records)).frame
        curated = consenting.join(lake.table(CURATED).select("email"), on="email", how="semi")
        staying = _Staying(lake, records, consenting, curated)
        people = held(_no_longer(lake, ACCELERATIONS, _OF_PEOPLE, staying))
        if people.rows:
            left = held(curated.join(_left_with_nothing(lake, people.frame, consenting), on="email", how="anti"))
            staying = replace(staying, curated=left.frame)
        devices = held(_no_longer(lake, STEPS, _OF_DEVICES, staying))
        if people.rows or devices.rows or lake.has_changed() != {RECORDS.name}:
            _remove_from_all(lake, staying, people, devices, removed)


def _remove_from_all(lake: _Lake, staying: _Staying, people: Held, devices: Held, removed: dict[str, int]) -> None:
    """Remove what those people and devices have in the tables, and whatever else is not decided any more."""
    of_people = lake.days(ACCELERATIONS.target, lake.heads[ACCELERATIONS.target.name], people)
    of_devices = lake.days(STEPS.target, lake.heads[STEPS.target.name], devices)
    of_pairs = of_people | of_devices | _days_of_pairs(lake, staying)
    gone: Mapping[Job, Callable[[], int]] = {
        PAIRS: lambda: _without(lake, PAIRS, of_pairs, staying.pairs),
        STEPS: lambda: _without(lake, STEPS, of_devices, staying.steps),
        CURATED: lambda: _without_people(lake, CURATED, staying.curated),
        ACCELERATIONS: lambda: _without(lake, ACCELERATIONS, of_people, staying.accelerations),
        CUSTOMERS: lambda: _without_people(lake, CUSTOMERS, staying.consenting),
    }
    for job, remove_rows in gone.items():
        if rows := remove_rows():
            removed[job.target.name] = removed.get(job.target.name, 0) + rows


def _left_with_nothing(lake: _Lake, people: Frame, consenting: Frame) -> Frame:
    """Of these people the emails of those who have no trusted reading any more."""
    theirs = lake.table(ACCELERATIONS).join(people, on="user", how="semi")
    left = distinct(lake.made(ACCELERATIONS, theirs, consenting).select("user"))
    return people.join(left, on="user", how="anti").select(nw.col("user").alias("email"))


def _no_longer(lake: _Lake, job: Job, decision: Decision, staying: _Staying) -> Frame:
    """What was decided when the job ran, and is no longer; or only of later readings."""
    then = decided(decision, read(lake.engine, decision, lake.seen[job]), lake.policy)
    now = decided(decision, staying.people(), lake.policy)
    columns = then.collect_schema().names()
    if "since" not in columns:
        return then.join(now, on=columns, how="anti")
    who = [name for name in columns if name != "since"]
    both = then.join(now.rename({"since": "since_now"}), on=who, how="left")
    return both.filter(nw.col("since_now").is_null() | (nw.col("since_now") > nw.col("since"))).select(columns)


def _days_of_pairs(lake: _Lake, staying: _Staying) -> set[date]:
    """The days whose pairs may be of people or devices, or of readings, that are no longer in the other tables.

    A pair does not say whose device it is of; the readings that it was made of do.
    """
    days: set[date] = set()
    for decision in DECISIONS[PAIRS.target.name]:
        about, seen = contract(decision.about), lake.seen[PAIRS][decision.about]
        with lake.engine.held(_no_longer(lake, PAIRS, decision, staying)) as changed:
            days |= lake.days(about, seen, changed)
        days |= lake.engine.changed_days(about, seen, lake.heads[about.name]) or set()
    return days


def _without(lake: _Lake, job: Job, days: set[date], staying: Callable[[set[date]], Frame]) -> int:
    """Put what stays of these days in the place of what is there, where it differs; how many rows went."""
    if not days:
        return 0
    (at,) = (column.name for column in job.target.columns if column.transform)
    day, whose = nw.col(at).dt.truncate("1d").alias("day"), WHOSE[job]

    def counted(rows: Frame) -> Frame:
        return rows.select(day, whose).group_by("day", whose).agg(nw.len().alias("n"))

    changed = days_in(lake.engine, differing(counted(lake.table(job, days)), counted(staying(days))), "day")
    if not changed:
        return 0
    onto = lake.heads[job.target.name]
    return onto.rows - lake.engine.replace_days(job.target, changed, staying(changed), onto, _summary(lake)).rows


def _without_people(lake: _Lake, job: Job, staying: Frame) -> int:
    """Leave those customers as they are who stay; how many went."""
    there, onto = lake.table(job), lake.heads[job.target.name]
    gone = lake.engine.collect(there.join(staying.select("email"), on="email", how="anti").select(nw.len().alias("n")))
    if not gone[0]["n"]:
        return 0
    rows = there.join(staying.select("email"), on="email", how="semi")
    return onto.rows - lake.engine.replace(job.target, rows, onto, _summary(lake)).rows


def _summary(lake: _Lake) -> dict[str, str]:
    summary = {"stedi.version": __version__, REMOVED_BY: str(lake.heads[RECORDS.name].written_id)}
    return summary | ({REMOVAL: lake.removal} if lake.has_changed() == {RECORDS.name} else {})
