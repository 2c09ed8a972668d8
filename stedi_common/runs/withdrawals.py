"""The deletion of withdrawn rows, before a run computes its tables: downstream first, which is what is curated.

A run computes its tables upstream first. Meanwhile, and for longer if it dies, the tables further down would have
readings of people who have withdrawn. So first the tables' own rows are classified again, by the functions that made
them, with the customer records as they are now; what is dropped is deleted. Nothing is added. The run after it need not
recompute those days (`LastRun.past_removal`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import date

import narwhals as nw

from stedi_common.contracts import Contract, contract
from stedi_common.engines.protocol import Engine, Head, Materialized
from stedi_common.engines.retry import retry_on_conflict
from stedi_common.incremental.diff import CUSTOMER_LANDING, LastRun, days_of, read, rows_of
from stedi_common.incremental.summary import Build, RemovalSummary
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.frames import Frame, differing, distinct
from stedi_common.rules.lineage import JOBS, MAKERS, Job
from stedi_common.rules.policy import Policy
from stedi_common.rules.tables import LOOKUPS, Lookup
from stedi_common.runs.executor import classify
from stedi_common.runs.shrink import shrink

CUSTOMERS = MAKERS["customer_trusted"]
ACCELERATIONS = MAKERS["accelerometer_trusted"]
CURATED = MAKERS["customers_curated"]
STEPS = MAKERS["step_trainer_trusted"]
PAIRS = MAKERS["machine_learning_curated"]
TABLES = (CUSTOMER_LANDING, *(job.target for job in JOBS.values()))

#: The column that says whose a reading is.
WHOSE = {ACCELERATIONS: "user", STEPS: "serialnumber", PAIRS: "pseudonym"}


@dataclass(frozen=True)
class Removed:
    """How many rows were deleted, by table, in the order in which they were."""

    removed: Mapping[str, int]


def remove(engine: Engine, policy: Policy, key: PseudonymKey) -> Removed | None:
    """Delete what the customer records no longer admit from the five tables, a commit each; None if there is nothing.

    A table of another build is shrunk by the policy that it was built with. Pairs of another key cannot be told by
    person, so theirs go with all others of the same days, until the table is rebuilt.

    Raises:
        CommitConflictError: other runs kept committing in between.
    """
    if not engine.exists(CUSTOMER_LANDING):
        return None
    removed: dict[str, int] = {}

    def start() -> None:
        lake = _Lake.now(engine, policy, key) if all(map(engine.exists, TABLES)) else None
        if lake is None:
            shrink(engine, policy, key, removed)
        elif lake.has_changed() and not lake.has_new_people_only():
            _remove(lake, removed)

    retry_on_conflict(start)
    return Removed(removed) if removed else None


@dataclass(frozen=True)
class _Lake:
    """What a removal sees.

    heads: where the tables are.
    builds: the build of each job's last run.
    policies: its policy.
    consumed: the snapshots that it consumed.
    key: the pseudonym key; None if it is not the one that the pairs were made with.
    removal: the id of the removal.
    """

    engine: Engine
    heads: Mapping[str, Head]
    builds: Mapping[Job, Build]
    policies: Mapping[Job, Policy]
    consumed: Mapping[Job, Mapping[str, Head]]
    key: PseudonymKey | None
    removal: str

    @classmethod
    def now(cls, engine: Engine, policy: Policy, key: PseudonymKey) -> _Lake | None:
        """None if a table has no last run, or what that consumed is not kept."""
        for job in JOBS.values():
            engine.prepare(job.target)
        heads, runs = {table.name: engine.head(table) for table in TABLES}, {}
        for job in JOBS.values():
            known = [source.name for source in job.sources if source.name in heads]
            run = LastRun.find(engine, job.target, heads[job.target.name], known)
            if run is None or None in run.sources.values():
                return None
            runs[job] = run
        return cls(
            engine,
            heads,
            {job: run.summary.build for job, run in runs.items()},
            {job: policy.of(run.summary.build.policy) for job, run in runs.items()},
            {job: {name: head for name, head in run.sources.items() if head} for job, run in runs.items()},
            key if runs[PAIRS].summary.build.key == key.id else None,
            uuid.uuid4().hex,
        )

    def has_changed(self) -> set[str]:
        """The tables of which one of the jobs has consumed another snapshot."""
        consumed = ((name, head) for of in self.consumed.values() for name, head in of.items())
        return {name for name, head in consumed if head.data_snapshot_id != self.heads[name].data_snapshot_id}

    def has_new_people_only(self) -> bool:
        """Whether nothing has changed but that there are records of people and devices of whom there was none.

        Who is admitted depends on a person's records, and on those of everybody who ever had the same device (rules 4
        to 7), so about all others the same is decided as before.
        """
        if self.has_changed() != {CUSTOMER_LANDING.name}:
            return False
        consumed = [of[CUSTOMER_LANDING.name] for of in self.consumed.values() if CUSTOMER_LANDING.name in of]
        return not any(map(self._concerned_since, {head.data_snapshot_id: head for head in consumed}.values()))

    def _concerned_since(self, consumed: Head) -> bool:
        """Whether records that came or went since then concern a person or a device of whom there was one."""
        columns = "record_hash", "email", "serialnumber"
        then, now = (
            self.engine.read(CUSTOMER_LANDING, head).select(*columns)
            for head in (consumed, self.heads[CUSTOMER_LANDING.name])
        )
        concerned = _people_and_devices(then).join(_people_and_devices(differing(then, now)), on="of", how="semi")
        return bool(self.engine.collect(concerned.head(1)))

    def table(self, job: Job, days: set[date] | None = None, consumed_by: Job | None = None) -> Frame:
        """The job's table, as it is or as another job's last run has consumed it."""
        heads = self.consumed[consumed_by] if consumed_by else self.heads
        return self.engine.read(job.target, heads[job.target.name], days)

    def days(self, table: Contract, head: Head, changed: Materialized) -> set[date]:
        """The days on which that table has readings that the changed lookups concern."""
        return days_of(self.engine, table, head, changed.frame) if changed.rows else set()

    def recompute(self, job: Job, *sources: Frame) -> Frame:
        """What the job makes of these."""
        given = dict(zip((source.name for source in job.sources), sources, strict=True))
        policy = self.policies[job]
        return classify(self.engine, job, given, policy, self.key, of_some_days=True).kept(job.target.names)


@dataclass(frozen=True)
class _TargetState:
    """The rows that the tables keep: the customers as they are going to be, and the readings of some days."""

    lake: _Lake
    records: Frame
    consenting: Frame
    curated: Frame

    def people(self) -> dict[str, Frame]:
        """The tables that lookups are made from, by name."""
        return {
            CUSTOMER_LANDING.name: self.records,
            CUSTOMERS.target.name: self.consenting,
            CURATED.target.name: self.curated,
        }

    def accelerations(self, days: set[date], consumed_by: Job | None = None) -> Frame:
        return self.lake.recompute(ACCELERATIONS, self.lake.table(ACCELERATIONS, days, consumed_by), self.consenting)

    def steps(self, days: set[date], consumed_by: Job | None = None) -> Frame:
        return self.lake.recompute(STEPS, self.lake.table(STEPS, days, consumed_by), self.curated, self.records)

    def pairs(self, days: set[date]) -> Frame:
        if self.lake.key is None:
            return self.lake.table(PAIRS, set())
        # Of the readings that they were made of: others are the run's to pair.
        readings = self.steps(days, PAIRS), self.accelerations(days, PAIRS)
        return self.lake.recompute(PAIRS, *readings, self.curated, self.records)


def _people_and_devices(records: Frame) -> Frame:
    """Of whom and of which devices the records are, in the column `of`."""
    devices = records.filter(~nw.col("serialnumber").is_null())
    return nw.concat([records.select(nw.col("email").alias("of")), devices.select(nw.col("serialnumber").alias("of"))])


def _remove(lake: _Lake, removed: dict[str, int]) -> None:
    """Delete what must go, and add to `removed` how many rows that were, by table."""
    with ExitStack() as stack:

        def materialized(rows: Frame) -> Materialized:
            return stack.enter_context(lake.engine.materialized(rows))

        records = lake.engine.read(CUSTOMER_LANDING, lake.heads[CUSTOMER_LANDING.name])
        consenting = materialized(lake.recompute(CUSTOMERS, records)).frame
        curated = consenting.join(lake.table(CURATED).select("email"), on="email", how="semi")
        target = _TargetState(lake, records, consenting, curated)
        people = materialized(_no_longer(lake, ACCELERATIONS, _only_lookup(ACCELERATIONS), target))
        if people.rows:
            left = materialized(
                curated.join(_left_with_nothing(lake, people.frame, consenting), on="email", how="anti")
            )
            target = replace(target, curated=left.frame)
        devices = materialized(_no_longer(lake, STEPS, _only_lookup(STEPS), target))
        if people.rows or devices.rows or lake.has_changed() != {CUSTOMER_LANDING.name}:
            _remove_from_all(lake, target, people, devices, removed)


def _remove_from_all(
    lake: _Lake, target: _TargetState, people: Materialized, devices: Materialized, removed: dict[str, int]
) -> None:
    """Delete the rows of those people and devices, and whatever else the tables no longer keep."""
    of_people = lake.days(ACCELERATIONS.target, lake.heads[ACCELERATIONS.target.name], people)
    of_devices = lake.days(STEPS.target, lake.heads[STEPS.target.name], devices)
    of_pairs = of_people | of_devices | _days_of_pairs(lake, target)
    gone: Mapping[Job, Callable[[], int]] = {
        PAIRS: lambda: _without(lake, PAIRS, of_pairs, target.pairs),
        STEPS: lambda: _without(lake, STEPS, of_devices, target.steps),
        CURATED: lambda: _without_people(lake, CURATED, target.curated),
        ACCELERATIONS: lambda: _without(lake, ACCELERATIONS, of_people, target.accelerations),
        CUSTOMERS: lambda: _without_people(lake, CUSTOMERS, target.consenting),
    }
    for job, remove_rows in gone.items():
        if rows := remove_rows():
            removed[job.target.name] = removed.get(job.target.name, 0) + rows


def _left_with_nothing(lake: _Lake, people: Frame, consenting: Frame) -> Frame:
    """Of these people the emails of those who have no trusted reading any more."""
    theirs = lake.table(ACCELERATIONS).join(people, on="user", how="semi")
    left = distinct(lake.recompute(ACCELERATIONS, theirs, consenting).select("user"))
    return people.join(left, on="user", how="anti").select(nw.col("user").alias("email"))


def _only_lookup(job: Job) -> Lookup:
    (lookup,) = LOOKUPS[job.target.name]
    return lookup


def _no_longer(lake: _Lake, job: Job, lookup: Lookup, target: _TargetState) -> Frame:
    """The lookup's rows when the job ran that are no longer there, or only for later readings."""
    policy = lake.policies[job]
    then = rows_of(lookup, read(lake.engine, lookup, lake.consumed[job]), policy)
    now = rows_of(lookup, target.people(), policy)
    columns = then.collect_schema().names()
    if "since" not in columns:
        return then.join(now, on=columns, how="anti")
    who = [name for name in columns if name != "since"]
    both = then.join(now.rename({"since": "since_now"}), on=who, how="left")
    return both.filter(nw.col("since_now").is_null() | (nw.col("since_now") > nw.col("since"))).select(columns)


def _days_of_pairs(lake: _Lake, target: _TargetState) -> set[date]:
    """The days whose pairs may be of people or devices, or of readings, that are no longer in the other tables.

    A pair does not say whose device it is of; the readings that it was made of do.
    """
    days: set[date] = set()
    for lookup in LOOKUPS[PAIRS.target.name]:
        fact_table, consumed = contract(lookup.fact_table), lake.consumed[PAIRS][lookup.fact_table]
        with lake.engine.materialized(_no_longer(lake, PAIRS, lookup, target)) as changed:
            days |= lake.days(fact_table, consumed, changed)
        days |= lake.engine.changed_days(fact_table, consumed, lake.heads[fact_table.name]) or set()
    return days


def _without(lake: _Lake, job: Job, days: set[date], target: Callable[[set[date]], Frame]) -> int:
    """Overwrite those of these days on which the target has fewer rows of somebody; how many rows were deleted."""
    if not days:
        return 0
    (at,) = (column.name for column in job.target.columns if column.transform)
    day, whose = nw.col(at).dt.truncate("1d").alias("day"), WHOSE[job]

    def counted(rows: Frame) -> Frame:
        return rows.select(day, whose).group_by("day", whose).agg(nw.len().alias("n"))

    keys = ["day", whose]
    left = counted(target(days)).rename({"n": "left"})
    both = counted(lake.table(job, days)).join(left, on=keys, how="left")
    fewer = both.with_columns((nw.col("n") - nw.col("left").fill_null(0)).alias("fewer")).filter(nw.col("fewer") > 0)
    by_day = lake.engine.collect(fewer.group_by("day").agg(nw.col("fewer").sum()))
    if not by_day:
        return 0
    changed = {row["day"].date() for row in by_day}
    onto = lake.heads[job.target.name]
    lake.engine.replace_days(job.target, changed, target(changed), onto, _summary(lake, job))
    return sum(int(row["fewer"]) for row in by_day)


def _without_people(lake: _Lake, job: Job, target: Frame) -> int:
    """Delete the other customers; how many they were."""
    there, onto = lake.table(job), lake.heads[job.target.name]
    gone = lake.engine.collect(there.join(target.select("email"), on="email", how="anti").select(nw.len().alias("n")))
    if not gone[0]["n"]:
        return 0
    rows = there.join(target.select("email"), on="email", how="semi")
    return onto.rows - lake.engine.replace(job.target, rows, onto, _summary(lake, job)).rows


def _summary(lake: _Lake, job: Job) -> dict[str, str]:
    # Of pairs of another key more is deleted than a run would leave out: the next one must not advance past that.
    leaves_what_a_run_would = lake.has_changed() == {CUSTOMER_LANDING.name} and (
        job is not PAIRS or lake.key is not None
    )
    removal = lake.removal if leaves_what_a_run_would else None
    return RemovalSummary(lake.builds[job], lake.heads[CUSTOMER_LANDING.name].data_snapshot_id, removal).properties()
