"""The preview of a run, for `stedi run --plan`: what it is going to do with each table, and why. Commits nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from stedi_common.contracts import Contract, contract
from stedi_common.engines.protocol import Engine
from stedi_common.errors import LakeError, PolicyError
from stedi_common.incremental.deletion import plan_deletion
from stedi_common.incremental.diff import CUSTOMER_LANDING, LastRun, count, days_of, pluralized, read, rows_of
from stedi_common.incremental.plan import Action, Deletion, TablePlan, plan, why_no_last_run
from stedi_common.incremental.transform import transform, with_defective_rows
from stedi_common.landing.missing import expect_no_missing_lines
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.frames import Frame, differing, distinct
from stedi_common.rules.lineage import JOBS, JOBS_BY_TABLE, Job, parameters
from stedi_common.rules.policy import Policy
from stedi_common.rules.tables import Lookup

_TRUSTED = contract("customer_trusted")


@dataclass(frozen=True)
class Preview:
    """What a run is going to do with a table.

    Attributes:
        table: the name of the table; `withdrawals` for the deletion of withdrawn rows.
        action: `full rebuild`, `partitions`, `nothing`, or `delete withdrawn rows`.
        reasons: why, in words, without personal data.
        days: the partitions that may change, as ISO dates: recomputed, or withdrawn rows are deleted from them. None
            for the whole table.
        rows_in: how many rows of the first source are read; None if the run changes a table upstream first.
        engine: the engine that the run chooses, and why; empty if nothing is chosen.
    """

    table: str
    action: str
    reasons: Sequence[str]
    days: Sequence[str] | None
    rows_in: int | None
    engine: str = ""


def preview(
    engine: Engine, jobs: Sequence[Job], policy: Policy, key: PseudonymKey, *, rebuild: bool = False
) -> list[Preview]:
    """What a run of these jobs is going to do, computed from the current tables.

    Args:
        engine: an open lake.
        jobs: the jobs, upstream first.
        policy: which readings count.
        key: the pseudonym key.
        rebuild: whether tables of another build may be rebuilt in full.

    Returns:
        First the deletion of withdrawn rows, as the table `withdrawals`, if there are any; then the tables, upstream
        first.

    Raises:
        LakeError: a landing table does not exist.
        MissingLinesError: customer lines that have landed are missing, so no table is computed.
        RebuildRequiredError: a table has another build, and `rebuild` is false.
    """
    with engine.cached_lookups():
        expect_no_missing_lines(engine)
        run = _PreviewedRun(engine, with_defective_rows(engine, policy), key, rebuild)
        return [*run.deletion(), *map(run.add, jobs)]


class _PreviewedRun:
    """The tables of a run, upstream first."""

    def __init__(self, engine: Engine, policy: Policy, key: PseudonymKey, rebuild: bool) -> None:
        self._engine, self._policy, self._key, self._rebuild = engine, policy, key, rebuild
        self._found: dict[str, Preview] = {}
        self._futures: dict[str, Frame] = {}

    def deletion(self) -> Iterator[Preview]:
        """The deletion of withdrawn rows, if there are any."""
        if not all(self._has_snapshot(job.target) for job in JOBS.values() if self._engine.exists(job.target)):
            return
        with plan_deletion(self._engine, self._policy, self._key) as deletions:
            reasons = [*self._withdrawn(), *map(_deletion_in_words, deletions)]
            if deletions:
                yield Preview("withdrawals", Action.DELETE, reasons, None, None)

    def _withdrawn(self) -> Iterator[str]:
        """In words, how many people no longer consent."""
        if self._engine.exists(_TRUSTED):
            consenting, before = self._future(_TRUSTED.name).select("email"), self._read(_TRUSTED.name).select("email")
            if gone := count(self._engine, before.join(consenting, on="email", how="anti")):
                verb = "consents" if gone == 1 else "consent"
                yield f"{CUSTOMER_LANDING.name}: {pluralized(gone, 'person')} no longer {verb}"

    def add(self, job: Job) -> Preview:
        before = [self._found[source.name] for source in job.sources if source.name in self._found]
        changing = [each for each in before if each.action != Action.NOTHING]
        self._found[job.target.name] = found = self._preview(job, changing)
        return found

    def _preview(self, job: Job, changing: Sequence[Preview]) -> Preview:
        for source in job.sources:
            if source.zone == "landing":
                self._engine.head(source)
        if not self._has_snapshot(job.target):
            return _full(job, [why_no_last_run(job.target, None)])
        reasons = [f"{each.table}: changes in this run" for each in changing]
        try:
            planned = plan(self._engine, job, self._policy, self._key, rebuild=self._rebuild)
        except (LakeError, PolicyError):
            if not changing:
                raise
            return _full(job, reasons)  # a source is missing or has another policy, until the run has rebuilt it
        people = list(self._people(planned)) if job.target == _TRUSTED and planned.action is not Action.NOTHING else []
        reasons = [*planned.reasons, *people, *reasons]
        days = self._days(planned, changing) if job.target.partition else planned.days
        if changing:
            action, rows = (Action.FULL if days is None or not job.target.partition else Action.PARTITIONS), None
        else:
            action, rows = planned.action, planned.rows_in
        return Preview(job.target.name, action, reasons, None if action is Action.FULL else _iso(days or set()), rows)

    def _has_snapshot(self, table: Contract) -> bool:
        try:
            self._engine.head(table)
        except LakeError:
            return False
        return True

    def _days(self, planned: TablePlan, changing: Sequence[Preview]) -> set[date] | None:
        """The days of the plan, those of the tables upstream, and those that the future rows of the lookups affect."""
        if planned.days is None:
            return None
        days = set(planned.days)
        for each in changing:
            if contract(each.table).partition:
                if each.days is None:
                    return None
                days |= set(map(date.fromisoformat, each.days))
        if changing and planned.last:
            for lookup in planned.job.lookups:
                days |= self._days_of_lookup(lookup, planned.last)
        return days

    def _days_of_lookup(self, lookup: Lookup, last: LastRun) -> set[date]:
        fact_table = contract(lookup.fact_table)
        then = {name: head for name, head in last.sources.items() if head}
        if self._policy.consent in lookup.implied_under or not set(parameters(lookup.function).tables) <= set(then):
            return set()
        before = rows_of(lookup, read(self._engine, lookup, then), self._policy)
        tables = {name: self._future(name) for name in parameters(lookup.function).tables}
        after = rows_of(lookup, tables, self._policy)
        with self._engine.materialized(differing(before, after)) as changed:
            if not changed.rows:
                return set()
            return days_of(self._engine, fact_table, self._engine.head(fact_table), changed.frame, lookup.on)

    def _future(self, table: str) -> Frame:
        """The table as the run is going to compute it."""
        if table not in JOBS_BY_TABLE:
            return self._read(table)
        if table not in self._futures:
            job = JOBS_BY_TABLE[table]
            sources = {source.name: self._future(source.name) for source in job.sources}
            classified = transform(self._engine, job, sources, self._policy, self._key, of_some_days=False)
            self._futures[table] = classified.kept(job.target.names)
        return self._futures[table]

    def _read(self, table: str) -> Frame:
        return self._engine.read(contract(table), self._engine.head(contract(table)))

    def _people(self, planned: TablePlan) -> Iterator[str]:
        """In words, how many people's consent the new customer records change."""
        if planned.last is None or (then := planned.last.sources[CUSTOMER_LANDING.name]) is None:
            return
        columns = ["email", "consent_start"]
        before = self._engine.read(_TRUSTED, planned.head).select(columns)
        after = self._future(_TRUSTED.name).select(columns)
        changed = count(self._engine, distinct(differing(before, after).select("email")))
        new = self._engine.head(CUSTOMER_LANDING).rows - then.rows
        change = f"{pluralized(new, 'new record')} {'changes' if new == 1 else 'change'}"
        yield f"{CUSTOMER_LANDING.name}: {change} the consent of {pluralized(changed, 'person')}"


def _deletion_in_words(deletion: Deletion) -> str:
    rows = f"{deletion.table.name}: {pluralized(deletion.deleted, 'row')} to delete"
    return rows if deletion.days is None else f"{rows} on {pluralized(len(deletion.days), 'day')}"


def _full(job: Job, reasons: Sequence[str]) -> Preview:
    return Preview(job.target.name, Action.FULL, reasons, None, None)


def _iso(days: set[date]) -> list[str]:
    return [day.isoformat() for day in sorted(days)]
