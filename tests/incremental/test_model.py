"""Drops, consents, policies, crashes and other tools in any order: after every run the tables are the oracle's.

A state machine that draws what happens to a lake. It is shown to find an injected bug of each kind.
"""

import shutil
from collections.abc import Callable
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from pyiceberg.exceptions import CommitStateUnknownException
from pyiceberg.io.pyarrow import parquet_files_to_data_files
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update import AddSnapshotUpdate
from support.comparison import actual_tables, expected_tables
from support.drops import Record, customer, reading, step
from support.drops import landing as drops_of
from support.histories import DEVICES, HOUR, INSTANTS, MOMENTS, PEOPLE, History, often
from support.lakes import Asks, KilledError, instead, opening, run, table_of, write

from stedi_common import landing
from stedi_common.contracts import SOURCES, Contract, contract, names
from stedi_common.engines.embedded.engine import EmbeddedEngine
from stedi_common.errors import LakeError, PolicyError
from stedi_common.incremental import diff
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules import consent, lineage
from stedi_common.rules import tables as functions
from stedi_common.rules.policy import Policy
from stedi_common.runs import executor, withdrawals

ARRIVAL = datetime(2024, 4, 1)
OTHERS = (Policy("ever"), Policy(pairing="timestamp"), Policy(defective_serials=frozenset(DEVICES[:1])))
GOVERNED = tuple(job.target for job in lineage.JOBS.values())

people = st.sampled_from(PEOPLE)
moments = st.sampled_from(MOMENTS)
#: Mostly given, sometimes not.
consents = often(moments, st.none(), of=4)
tables_ = st.sampled_from([contract(name) for name in names()])
#: What happens to the n-th commit of a run.
a_fault = st.tuples(st.integers(1, 12), st.sampled_from(["dies before", "dies after", "loses the answer"]))

#: Customers, moves and steps that land together; the customers without the hour of their record, if that is now.
Event = tuple[list[Record], list[Record], list[Record]]


def decision(who: str, consent: datetime | None) -> Event:
    """To share with research, from then on, or no longer."""
    return [customer(who, None, consent, own(who))], [], []


def another_record(who: str, made: datetime, consent: datetime | None, device: str) -> Event:
    """An older one perhaps, or with somebody else's device."""
    return [customer(who, made, consent, device)], [], []


def walk(who: str, at: list[datetime], sent: str) -> Event:
    """What the phone and the device send, or one of them; the other comes later, or never."""
    moves = [reading(who, instant, x=float(n)) for n, instant in enumerate(at)]
    return [], moves if "moves" in sent else [], [step(own(who), instant) for instant in at] if "steps" in sent else []


decisions = st.builds(decision, people, consents)
walks = st.builds(
    walk,
    people,
    st.lists(st.sampled_from(INSTANTS), min_size=1, max_size=4),
    st.sampled_from(["moves and steps"] * 3 + ["moves", "steps"]),
)
events = often(decisions | walks, st.builds(another_record, people, moments, consents, st.sampled_from(DEVICES)), of=8)
brought = st.lists(events, min_size=1, max_size=4)


def own(who: str) -> str:
    return DEVICES[PEOPLE.index(who)]


def compact(table: Table) -> None:
    """Replace a table's files by copies, as compaction does, which PyIceberg has not."""
    change, old = table.transaction(), [task.file for task in table.scan().plan_files()]
    copies = {file.file_path: file.file_path.replace(".parquet", "-c.parquet") for file in old}
    for file, copy in copies.items():
        shutil.copy(file.removeprefix("file:"), copy.removeprefix("file:"))
    with change.update_snapshot().overwrite() as snapshot:
        for file in old:
            snapshot.delete_data_file(file)
        for file in parquet_files_to_data_files(table.io, table.metadata, iter(copies.values())):
            snapshot.append_data_file(file)
    for update in change._updates:
        if isinstance(update, AddSnapshotUpdate):
            vars(update.snapshot.summary)["operation"] = Operation.REPLACE
    change.commit_transaction()


def expire(table: Table) -> None:
    table.maintenance.expire_snapshots().older_than(datetime.now()).commit()


def roll_back(table: Table) -> None:
    snapshot = table.current_snapshot()
    parent = snapshot and snapshot.parent_snapshot_id
    if parent and table.snapshot_by_id(parent):
        with table.manage_snapshots() as change:
            change.set_current_snapshot(parent)


class Lakehouse(RuleBasedStateMachine):
    """A lake, what has been dropped there, and the policy of its next run."""

    def __init__(self, engine_name: str, key: PseudonymKey, folder: Path) -> None:
        super().__init__()
        self._key, self._folder = key, folder / uuid4().hex
        self._opened = opening()
        self._engine: Any = self._opened.__enter__()(engine_name, self._lake)
        (self._folder / "drops").mkdir(parents=True)
        self._dropped: dict[str, bytes] = {}
        self._policy, self._fault, self._now = Policy(), (0, ""), MOMENTS[0]
        self._patch = pytest.MonkeyPatch()
        instead(self._engine, self._faulty, self._patch.setattr)

    @property
    def _lake(self) -> Path:
        return self._folder / "lake"

    def _faulty(self, ask: Asks) -> Asks:
        """What asks the catalog, with the fault at its turn."""

        def asked(*args: Any, **named: Any) -> Any:
            left, fault = self._fault
            self._fault = left - 1, fault
            if (left, fault) == (1, "dies before"):
                raise KilledError
            answer = ask(*args, **named)
            if (left, fault) == (1, "dies after"):
                raise KilledError
            if (left, fault) == (1, "loses the answer"):
                raise self._unknown()
            return answer

        return asked

    def _unknown(self) -> Exception:
        if self._engine.name == "embedded":
            return CommitStateUnknownException("gateway timeout")
        from py4j.protocol import Py4JError  # noqa: PLC0415 - not everybody has it

        return Py4JError("gateway timeout")

    # What lands

    @initialize()
    def begin(self) -> None:
        self._drop([decision(who, MOMENTS[0]) for who in PEOPLE[:3]])
        self._drop([walk(who, list(INSTANTS[::3]), "moves and steps") for who in PEOPLE[:3]])

    def _drop(self, happened: list[Event]) -> None:
        for customers, moves, steps in happened:
            self._now += HOUR
            records = [{"lastUpdateDate": self._now} | record for record in customers]
            drops = drops_of(records, moves, steps, name=f"{len(self._dropped):04}")
            self._dropped |= drops
            write(self._folder / "drops", drops)

    @rule(back=st.integers(0, 20))
    def redeliver(self, back: int) -> None:
        name = list(self._dropped)[-1 - back % len(self._dropped)]
        again = {f"{name.split('/')[0]}/{len(self._dropped):04}-again.json": self._dropped[name]}
        self._dropped |= again
        write(self._folder / "drops", again)

    # What is run

    @rule(policy=st.just(Policy()) | st.sampled_from(OTHERS))
    def change_policy(self, policy: Policy) -> None:
        self._policy = policy

    @rule(happened=brought, fault=often(st.just((0, "")), a_fault, of=2))
    def night(self, happened: list[Event], fault: tuple[int, str]) -> None:
        self._drop(happened)
        self._fault = fault
        with suppress(KilledError):
            for source in SOURCES:
                landing.land(self._engine, source, str(self._folder / "drops"), self._key, ARRIVAL)
            run(self._engine, self._policy, self._key, rebuild=True)
            history = History((self._dropped,), (ARRIVAL,))
            assert actual_tables(self._engine) == expected_tables(history, self._policy, self._key)
        self._fault = 0, ""

    @rule(happened=brought, step=st.sampled_from((*SOURCES, *lineage.jobs([]))))
    def run_alone(self, happened: list[Event], step: str | lineage.Job) -> None:
        self._drop(happened)
        if isinstance(step, str):
            landing.land(self._engine, step, str(self._folder / "drops"), self._key, ARRIVAL)
            return
        with suppress(LakeError, PolicyError):
            executor.run(self._engine, step, self._policy, self._key, rebuild=True)

    @rule(does=st.sampled_from((expire, compact, roll_back)), to=tables_)
    def maintain_with_another_tool(self, does: Callable[[Table], None], to: Contract) -> None:
        if self._engine.exists(to) and (to in GOVERNED or does is not roll_back):
            does(table_of(self._lake, to))

    @rule(into=st.sampled_from(GOVERNED), at=moments)
    def make_a_foreign_append(self, into: Contract, at: datetime) -> None:
        if self._engine.exists(into):
            row = {column.name: at if column.type == "timestamp" else None for column in into.columns}
            self._engine.append(into, self._engine.frame(into, [row]), self._engine.head(into), {})

    def teardown(self) -> None:
        self._patch.undo()
        self._opened.__exit__(None, None, None)
        shutil.rmtree(self._folder, ignore_errors=True)


def run_lakes(number: int, of: int, lasting: int, *machine: Any) -> None:
    """So many lakes, each of so many steps at most; the same ones for the same number."""

    def new_lake() -> Lakehouse:
        return Lakehouse(*machine)

    run_state_machine_as_test(
        seed(number)(new_lake),
        settings=settings(
            max_examples=of,
            stateful_step_count=lasting,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


#: A seed, how many lakes, and of how many steps each: 12,000 in all in make test-long.
LAKES = [
    pytest.param("embedded", (0, 4, 15), id="embedded-some"),
    *(pytest.param("embedded", (n, 10, 100), id=f"embedded-{n}", marks=pytest.mark.long) for n in range(1, 13)),
    pytest.param("spark", (0, 2, 20), id="spark", marks=pytest.mark.long),
]


@pytest.mark.parametrize(("engine_name", "lakes"), LAKES, indirect=["engine_name"])
@pytest.mark.rule(13)
def test_whatever_happens_the_tables_are_the_oracles(engine_name, tmp_path, key, lakes):
    run_lakes(*lakes, engine_name, key, tmp_path)


# Bugs that it finds


def late_consents_mark_no_days(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(diff, "_days_of_lookup", lambda *_: set())


def equal_records_land_twice(patch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def nothing_excluded(*_: Any) -> Any:
        yield None

    patch.setattr(landing, "excluded", nothing_excluded)


def withdrawals_mark_no_days(patch: pytest.MonkeyPatch) -> None:
    def days_of_who_is_new(engine: Any, lookup: Any, before: Any, now: Any, policy: Policy) -> Any:
        then, today = (diff.rows_of(lookup, diff.read(engine, lookup, at), policy) for at in (before, now))
        new = today.join(then, on=then.collect_schema().names(), how="anti")
        with engine.materialized(new) as cached:
            about = contract(lookup.fact_table)
            return diff.days_of(engine, about, now[about.name], cached.frame, lookup.on) if cached.rows else set()

    patch.setattr(diff, "_days_of_lookup", days_of_who_is_new)
    patch.setattr(withdrawals, "delete_withdrawn", lambda *_: None)


def the_second_claimant_owns_too(patch: pytest.MonkeyPatch) -> None:
    def claims(customers: Any, curated: Any, policy: Policy) -> Any:
        return claims_of(customers, curated, policy if policy.defective_serials else Policy("ever"))

    claims_of = consent.device_claims
    for module in (functions, consent):
        patch.setattr(module, "device_claims", claims)


def what_a_day_had_is_not_deleted(patch: pytest.MonkeyPatch) -> None:
    def added(engine: EmbeddedEngine, of: Any, days: Any, *commit: Any) -> Any:
        return engine.append(of, *commit)

    patch.setattr(EmbeddedEngine, "replace_days", added)


def files_are_done_before_their_records_are_there(patch: pytest.MonkeyPatch) -> None:
    append, append_staged = EmbeddedEngine.append, EmbeddedEngine.append_staged
    waiting: list[Any] = []

    def records(engine: EmbeddedEngine, *commit: Any) -> None:
        waiting.append(commit)

    def append_late(engine: EmbeddedEngine, of: Any, *commit: Any) -> Any:
        late, waiting[:] = waiting[:] if of == landing.LANDED_FILES else [], []
        head = append(engine, of, *commit)
        for records_ in late:
            append_staged(engine, *records_)
        return head

    patch.setattr(EmbeddedEngine, "append_staged", records)
    patch.setattr(EmbeddedEngine, "append", append_late)


@pytest.mark.long
@pytest.mark.parametrize(
    "bug",
    [
        late_consents_mark_no_days,
        equal_records_land_twice,
        withdrawals_mark_no_days,
        the_second_claimant_owns_too,
        what_a_day_had_is_not_deleted,
        files_are_done_before_their_records_are_there,
    ],
)
def test_an_injected_bug_is_found(tmp_path, key, monkeypatch, bug):
    bug(monkeypatch)
    with pytest.raises(AssertionError):
        run_lakes(1, 20, 50, "embedded", key, tmp_path)
