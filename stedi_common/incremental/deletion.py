"""The plan of the deletion of withdrawn rows: which rows of which table. The last table in the lineage is the first.

A run computes its tables upstream first. In between, and for longer if it is killed, the tables downstream would have
readings of people who have withdrawn. So a run first classifies the rows of the tables again, by the same functions,
with the customer records as they are now, and deletes the rows that are dropped. It adds no row. The run that follows
need not recompute those days (`LastRun.past_deletion`).
"""

from __future__ import annotations

import uuid
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date

import narwhals as nw

from stedi_common.contracts import Contract, contract
from stedi_common.engines.errors import missing_table
from stedi_common.engines.protocol import Engine, Head, Materialized
from stedi_common.incremental.deletion_by_consent import CONSENT_START, SINCE, Consents, starts_consent
from stedi_common.incremental.diff import CUSTOMER_LANDING, LastRun, count, days_of, read, rows_of
from stedi_common.incremental.plan import Deletion, person_column
from stedi_common.incremental.summary import Build, DeletionSummary
from stedi_common.incremental.transform import transform, with_defective_rows
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.frames import Frame, differing, distinct
from stedi_common.rules.lineage import JOBS, JOBS_BY_TABLE, Job, parameters
from stedi_common.rules.policy import Policy
from stedi_common.rules.tables import Lookup


@contextmanager
def plan_deletion(
    engine: Engine, policy: Policy, key: PseudonymKey, *, without: Container[str] = ()
) -> Iterator[Sequence[Deletion]]:
    """Plan the deletion of withdrawn rows. Reads, and commits nothing.

    A table of another build is classified by the policy that it was built with. If the pairs have another key, nobody
    knows whose they are, so all pairs of the days concerned are deleted.

    Args:
        engine: an open lake.
        policy: the policy of the run.
        key: the pseudonym key of the run.
        without: names of tables that cannot be written to.

    Yields:
        A deletion for each table with withdrawn rows, downstream first. Its rows can be read until the block ends.

    Raises:
        LakeError: a table that exists has no snapshot, or there are tables, but no customer records.
    """
    with ExitStack() as stack:
        if not engine.exists(CUSTOMER_LANDING):
            if computed_tables(engine, without):
                raise missing_table(CUSTOMER_LANDING)
            yield ()
            return
        lake = _LakeState.now(engine, with_defective_rows(engine, policy), key, without)
        if lake is None:
            consents = Consents.now(engine, policy, key, stack)
            yield tuple(filter(None, map(consents.deletion, computed_tables(engine, without))))
        elif not lake.changed or lake.has_new_people_only():
            yield ()
        else:
            yield _planned(lake, stack)


def computed_tables(engine: Engine, without: Container[str]) -> list[Contract]:
    """The trusted and curated tables that exist, downstream first, without those of these names."""
    tables = [job.target for job in reversed(JOBS.values()) if job.target.name not in without]
    return [table for table in tables if engine.exists(table)]


@dataclass(frozen=True)
class _LakeState:
    """The lake, and the last run of each job.

    Attributes:
        engine: the open lake.
        heads: the heads of the tables, by name.
        jobs: the jobs whose tables have been computed, upstream first.
        builds: the build of each job's last run.
        policies: the policy of each job's last run.
        consumed: the snapshots that each job's last run consumed, by table.
        landed: the id of the snapshot of its first source that each job's last run consumed.
        key: the pseudonym key; None if the pairs were built with another one.
        deletion: the id of the deletion.
    """

    engine: Engine
    heads: Mapping[str, Head]
    jobs: Sequence[Job]
    builds: Mapping[Job, Build]
    policies: Mapping[Job, Policy]
    consumed: Mapping[Job, Mapping[str, Head]]
    landed: Mapping[Job, int | None]
    key: PseudonymKey | None
    deletion: str

    @classmethod
    def now(cls, engine: Engine, policy: Policy, key: PseudonymKey, without: Container[str]) -> _LakeState | None:
        """Read the state. None if a table with rows has no last run, or a snapshot that it consumed has expired.

        A table that has no rows and was never computed has nothing to delete: a project may just have been added.
        """
        heads = {table.name: engine.head(table) for table in _landed_people() if engine.exists(table)}
        runs: dict[Job, LastRun] = {}
        for job in JOBS.values():
            if job.target.name in without or not engine.exists(job.target):
                continue
            head = engine.head(job.target)
            known = [source.name for source in job.sources if not _is_landed_reading(source)]
            run = LastRun.find(engine, job.target, head, known) if set(known) <= set(heads) else None
            if run is None and not head.rows:
                continue
            if run is None or None in run.sources.values():
                return None
            heads[job.target.name], runs[job] = head, run
        same_key = all(run.summary.build.key == key.id for job, run in runs.items() if job.parameters.pseudonyms)
        return cls(
            engine,
            heads,
            tuple(runs),
            {job: run.summary.build for job, run in runs.items()},
            {job: policy.built_with(run.summary.build.policy) for job, run in runs.items()},
            {job: {name: head for name, head in run.sources.items() if head} for job, run in runs.items()},
            {job: run.summary.consumed.get(job.sources[0].name) for job, run in runs.items()},
            key if same_key else None,
            uuid.uuid4().hex,
        )

    @property
    def changed(self) -> set[str]:
        """The tables that have changed since the last run of a job that reads them."""
        consumed = ((name, head) for of in self.consumed.values() for name, head in of.items())
        return {name for name, head in consumed if head.data_snapshot_id != self.heads[name].data_snapshot_id}

    def has_new_people_only(self) -> bool:
        """Whether the only change is records of people and devices that had no record before.

        Whose readings count depends on the records of that person, and of everybody with the same device (rules 4 to
        7). So nothing has changed for all other people.
        """
        if self.changed != {CUSTOMER_LANDING.name}:
            return False
        consumed = [of[CUSTOMER_LANDING.name] for of in self.consumed.values() if CUSTOMER_LANDING.name in of]
        return not any(map(self._concerned_since, {head.data_snapshot_id: head for head in consumed}.values()))

    def _concerned_since(self, consumed: Head) -> bool:
        """Whether a record that was added or removed since then is of a person or a device that had one."""
        columns = "record_hash", "email", "serialnumber"
        now = self.heads[CUSTOMER_LANDING.name]
        sides = (rows.select(*columns) for rows in self.engine.read_changed(CUSTOMER_LANDING, consumed, now))
        then = self.engine.read(CUSTOMER_LANDING, consumed)
        concerned = _people_and_devices(then).join(_people_and_devices(differing(*sides)), on="of", how="semi")
        return bool(self.engine.collect(concerned.head(1)))

    def table(self, job: Job, days: set[date] | None = None, consumed_by: Job | None = None) -> Frame:
        """The job's table, as it is or as another job's last run has consumed it."""
        heads = self.consumed[consumed_by] if consumed_by else self.heads
        return self.engine.read(job.target, heads[job.target.name], days)

    def readings_of(self, job: Job) -> tuple[Contract, Head] | None:
        """The readings that the rows of the job's table can be classified again by: its own rows, if they have all that
        the function may ask for, else the landed ones that its last run consumed. None if those have expired.
        """
        landed = job.sources[0]
        if {column.name for column in landed.source_columns} <= set(job.target.names):
            return job.target, self.heads[job.target.name]
        consumed = self.landed[job]
        head = None if consumed is None else self.engine.snapshot(landed, consumed)
        return None if head is None else (landed, head)

    def recompute(self, job: Job, sources: Mapping[str, Frame]) -> Frame:
        """The rows of the job's table, computed from these sources."""
        return transform(self.engine, job, sources, self.policies[job], self.key, of_some_days=True).kept(
            job.target.names
        )

    def summary(self, job: Job) -> DeletionSummary:
        # Under another key more pairs are deleted than a run would drop: the next run must not advance past that.
        is_as_of_a_run = self.changed == {CUSTOMER_LANDING.name} and (
            not job.parameters.pseudonyms or self.key is not None
        )
        customers = self.heads[CUSTOMER_LANDING.name].data_snapshot_id
        deletion = self.deletion if is_as_of_a_run else None
        return DeletionSummary(self.builds[job], customers, deletion, str(self.engine.choice))


def _planned(lake: _LakeState, stack: ExitStack) -> list[Deletion]:
    """What to delete, downstream first."""
    target = _TargetState(lake, stack)
    for job in lake.jobs:
        if job.target.partition is None:
            target.add_people(job)
        else:
            target.add_lost(job)
    # Lookups say nothing of the people in a table from which no table of readings was computed yet.
    has_people_only = not target.has_lost and lake.changed == {CUSTOMER_LANDING.name}
    deletions = []
    for job in reversed(lake.jobs):
        if has_people_only and job.target.partition:
            continue
        found = _of_readings(target, job) if job.target.partition else _of_people(target, job)
        deletions += [found] if found else []
    return deletions


class _TargetState:
    """The target state: the rows that the tables have after the deletion. Of readings, those of any days."""

    def __init__(self, lake: _LakeState, stack: ExitStack) -> None:
        self.lake, self._stack = lake, stack
        self.people = {
            table.name: lake.engine.read(table, lake.heads[table.name])
            for table in _landed_people()
            if table.name in lake.heads
        }
        self._lost: dict[tuple[str, str, str], Materialized] = {}
        self._days: dict[Job, set[date] | None] = {}

    @property
    def has_lost(self) -> bool:
        """Whether a lookup lost rows, or the lookups of a table cannot tell."""
        untold = any(job.target.partition and not _is_told_by_lookups(job) for job in self.lake.jobs)
        return untold or any(lost.rows for lost in self._lost.values())

    def add_people(self, job: Job) -> None:
        """Compute a table of people."""
        if self._is_of_another_key(job):
            self.people[job.target.name] = self.lake.engine.frame(job.target, ())
        elif job.needs_reading:
            self.people[job.target.name] = self._still_with_reading(job)
        else:
            rows = self.lake.recompute(job, {source.name: self._all_rows(job, source) for source in job.sources})
            self.people[job.target.name] = self._materialized(rows).frame

    def add_lost(self, job: Job) -> None:
        """Find the rows that the job's lookups have lost, if those of others do not say as much."""
        for lookup in job.lookups:
            if self.lake.policies[job].consent not in lookup.implied_under:
                self.lost(job, lookup)

    def lost(self, job: Job, lookup: Lookup) -> Materialized:
        """The rows that the lookup had in the last run of the job, and has no longer, or only for later readings."""
        name = job.target.name, lookup.about, lookup.fact_table
        if name not in self._lost:
            self._lost[name] = self._materialized(_lost_rows(self, job, lookup))
        return self._lost[name]

    def readings(self, job: Job, days: set[date] | None, consumed_by: Job | None = None) -> Frame:
        """The rows that the job's table of readings keeps of these days; of all for None."""
        if self._is_of_another_key(job):
            return self.lake.table(job, set())
        first, *others = job.sources
        sources = {source.name: self._rows_for(job, source, days) for source in others}
        if not _classifies_landed(job):
            return self.lake.recompute(job, {first.name: self._rows_for(job, first, days), **sources})
        if (found := self.lake.readings_of(job)) is None:
            return self.lake.table(job, set())
        table, head = found
        own = (
            self.lake.table(job, days, consumed_by) if table == job.target else self.lake.engine.read(table, head, days)
        )
        return self.lake.recompute(job, {first.name: own, **sources})

    def days(self, job: Job) -> set[date] | None:
        """The days on which the job's table of readings may have rows to delete; None for all."""
        if job not in self._days:
            self._days[job] = self._found_days(job)
        return self._days[job]

    def _rows_for(self, job: Job, source: Contract, days: set[date] | None) -> Frame:
        """The rows of a source that the job's table is recomputed from."""
        if source.partition is None:
            return self.people[source.name]
        if source.name in JOBS_BY_TABLE:
            # Only of the readings that its rows were built from: the run adds those of others.
            return self.readings(JOBS_BY_TABLE[source.name], days, consumed_by=job)
        return self.lake.engine.read(source, self.lake.engine.head(source), days)

    def _all_rows(self, job: Job, source: Contract) -> Frame:
        return self._rows_for(job, source, None)

    def _still_with_reading(self, job: Job) -> Frame:
        """The target state of a table of people who need a reading: those in it who still have one."""
        lake, readings = self.lake, JOBS_BY_TABLE[job.needs_reading or ""]
        stay = self.people[job.sources[0].name].join(lake.table(job).select("email"), on="email", how="semi")
        lost = [found for lookup in readings.lookups if (found := self.lost(readings, lookup)).rows]
        if not lost:
            return stay
        people = distinct(nw.concat([found.frame.select("user") for found in lost]))
        theirs = lake.table(readings).join(people, on="user", how="semi")
        sources = {readings.sources[0].name: theirs} | {
            source.name: self.people[source.name] for source in readings.sources[1:]
        }
        have_one = distinct(lake.recompute(readings, sources).select("user"))
        have_none = people.join(have_one, on="user", how="anti").rename({"user": "email"})
        return self._materialized(stay.join(have_none, on="email", how="anti")).frame

    def _found_days(self, job: Job) -> set[date] | None:
        if not _is_told_by_lookups(job) or self._is_of_expired(job):
            return None
        days: set[date] = set()
        for lookup in job.lookups:
            if (lost := self.lost(job, lookup)).rows:
                table, head = self._fact_table(job, lookup)
                days |= days_of(self.lake.engine, table, head, lost.frame, lookup.on)
        for source in job.sources:
            if source.partition and source.name in JOBS_BY_TABLE:
                upstream = self.days(JOBS_BY_TABLE[source.name])
                then, now = self.lake.consumed[job][source.name], self.lake.heads[source.name]
                changed = self.lake.engine.changed_days(source, then, now)
                if upstream is None or changed is None:
                    return None
                days |= upstream | changed
        return days

    def _fact_table(self, job: Job, lookup: Lookup) -> tuple[Contract, Head]:
        """The table whose readings say which days the lookup concerns: the job's own, or what its rows are made of."""
        if _classifies_landed(job) and lookup.fact_table == job.sources[0].name:
            found = self.lake.readings_of(job)
            assert found  # noqa: S101 - else all days are concerned
            return found
        fact_table = contract(lookup.fact_table)
        return fact_table, self.lake.consumed[job].get(fact_table.name) or self.lake.engine.head(fact_table)

    def _is_of_another_key(self, job: Job) -> bool:
        return job.parameters.pseudonyms and self.lake.key is None

    def _is_of_expired(self, job: Job) -> bool:
        return _classifies_landed(job) and self.lake.readings_of(job) is None

    def _materialized(self, rows: Frame) -> Materialized:
        return self._stack.enter_context(self.lake.engine.materialized(rows))


def _landed_people() -> list[Contract]:
    """The landing tables of people, such as the customer records: those without a partition."""
    landed = {source.name: source for job in JOBS.values() for source in job.sources if source.zone == "landing"}
    return [source for source in landed.values() if source.partition is None]


def _classifies_landed(job: Job) -> bool:
    """Whether the table has rows of a landing table of readings: then its own rows can be classified again."""
    return _is_landed_reading(job.sources[0])


def _is_landed_reading(table: Contract) -> bool:
    return table.zone == "landing" and table.partition is not None


def _is_told_by_lookups(job: Job) -> bool:
    """Whether lookups say on which days the people and devices of its sources matter; without any it has no such."""
    looked_up = {name for lookup in job.lookups for name in parameters(lookup.function).tables}
    return all(source.partition or source.name in looked_up for source in job.sources)


def _people_and_devices(records: Frame) -> Frame:
    """The people and the devices of the records, in the column `of`."""
    devices = records.filter(~nw.col("serialnumber").is_null())
    return nw.concat([records.select(nw.col("email").alias("of")), devices.select(nw.col("serialnumber").alias("of"))])


def _lost_rows(target: _TargetState, job: Job, lookup: Lookup) -> Frame:
    policy, lake = target.lake.policies[job], target.lake
    then = rows_of(lookup, read(lake.engine, lookup, lake.consumed[job]), policy)
    now = rows_of(lookup, target.people, policy)
    columns = then.collect_schema().names()
    if "since" not in columns:
        return then.join(now, on=columns, how="anti")
    who = [name for name in columns if name != "since"]
    both = then.join(now.rename({"since": "since_now"}), on=who, how="left")
    return both.filter(nw.col("since_now").is_null() | (nw.col("since_now") > nw.col("since"))).select(columns)


def _of_readings(target: _TargetState, job: Job) -> Deletion | None:
    """The deletion from a table of readings: of the days on which a person has fewer rows in the target state."""
    days, partition = target.days(job), job.target.partition
    if partition is None or days == set():
        return None
    day, whose = nw.col(partition.name).dt.truncate("1d").alias("day"), person_column(job.target)
    # Where no column says whose a row is, every column does: the row may be of several people, and be another then.
    of = {f"of_{name}": nw.col(name) for name in (job.target.names if whose is None else (whose,))}
    there, left = target.lake.table(job, days), target.readings(job, days)
    both = nw.concat([rows.select(day, nw.lit(n).alias("n"), **of) for rows, n in ((there, 1), (left, -1))])
    fewer = both.group_by("day", *of).agg(nw.col("n").sum().alias("fewer")).filter(nw.col("fewer") > 0)
    by_day = target.lake.engine.collect(fewer.group_by("day").agg(nw.col("fewer").sum()))
    if not by_day:
        return None
    changed = {row["day"].date() for row in by_day}
    rows, deleted = target.readings(job, changed), sum(int(row["fewer"]) for row in by_day)
    return Deletion(job.target, changed, rows, deleted, target.lake.heads[job.target.name], target.lake.summary(job))


def _of_people(target: _TargetState, job: Job) -> Deletion | None:
    """The deletion from a table of people: of those who are not in the target state, or whose consent starts later.

    A job that runs without those before it would count readings from before the later start.
    """
    lake, person = target.lake, person_column(job.target)
    on = list(job.target.names) if person is None else [person]
    there, people = lake.table(job), target.people[job.target.name]
    if person and starts_consent(job.target) and lake.policies[job].consent == "as-of":
        since = people.group_by(person).agg(nw.col(CONSENT_START).min().alias(SINCE))
        there = there.join(since, on=person, how="left")
        is_gone = nw.col(SINCE).is_null() | (nw.col(CONSENT_START) < nw.col(SINCE))
        lost, rows = there.filter(is_gone), there.filter(~is_gone).select(*job.target.names)
    else:
        stay = people.select(on)
        lost, rows = (there.join(stay, on=on, how=how) for how in ("anti", "semi"))
    if not (gone := count(lake.engine, lost)):
        return None
    return Deletion(job.target, None, rows, gone, lake.heads[job.target.name], lake.summary(job))
