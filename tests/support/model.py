"""Drops, consents, policies, crashes and other tools in any order: after every run the tables are the oracle's.

A state machine that draws what happens to a lake.
"""

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import seed
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
from support.sampling import generating

from stedi_common import landing, maintenance
from stedi_common.contracts import SOURCES, Contract, contract, names
from stedi_common.engines.embedded.lake_catalog import open_catalog
from stedi_common.errors import LakeError, PolicyError
from stedi_common.instants import utc_now
from stedi_common.lake import Lake
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules import lineage
from stedi_common.rules.policy import Policy
from stedi_common.runs import executor

#: Makes a lake; a folder is given that nobody has.
NewLake = Callable[[Path], Lake]

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
        with table.io.new_input(file).open() as read, table.io.new_output(copy).create() as written:
            written.write(read.read())
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


def in_a_folder(folder: Path) -> Lake:
    return Lake.at(str(folder / "lake"))


class Lakehouse(RuleBasedStateMachine):
    """A lake, what has been dropped there, and the policy of its next run."""

    def __init__(self, engine_name: str, key: PseudonymKey, folder: Path, new_lake: NewLake = in_a_folder) -> None:
        super().__init__()
        self._key, self._folder = key, folder / uuid4().hex
        self._lake = new_lake(self._folder)
        self._opened = opening()
        self._engine: Any = self._opened.__enter__()(engine_name, self._lake)
        (self._folder / "drops").mkdir(parents=True)
        self._dropped: dict[str, bytes] = {}
        self._policy, self._fault, self._now = Policy(), (0, ""), MOMENTS[0]
        self._patch = pytest.MonkeyPatch()
        instead(self._engine, self._faulty, self._patch.setattr)

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
            does(self._as_another_tool(to))

    def _as_another_tool(self, to: Contract) -> Table:
        if self._lake.is_local:
            return table_of(self._lake.folder, to)
        return open_catalog(self._lake).load_table(self._lake.identifier(to))

    @rule(into=st.sampled_from(GOVERNED), at=moments)
    def make_a_foreign_append(self, into: Contract, at: datetime) -> None:
        if self._engine.exists(into):
            row = {column.name: at if column.type == "timestamp" else None for column in into.columns}
            self._engine.append(into, self._engine.frame(into, [row]), self._engine.head(into), {})

    def teardown(self) -> None:
        self._patch.undo()
        self._opened.__exit__(None, None, None)
        shutil.rmtree(self._folder, ignore_errors=True)


class MaintainedLakehouse(Lakehouse):
    """One that is also maintained by its own engine."""

    @rule(to=tables_, later=st.sampled_from([timedelta(), timedelta(days=5), timedelta(days=60)]))
    def maintain(self, to: Contract, later: timedelta) -> None:
        done = maintenance.maintain(self._engine, to, utc_now() + later)
        assert done is None or not done.skipped


def run_lakes(number: int, of: int, lasting: int, *machine: Any, kind: type[Lakehouse] = Lakehouse) -> None:
    """So many lakes, each of so many steps at most; the same ones for the same number."""

    def new_lake() -> Lakehouse:
        return kind(*machine)

    run_state_machine_as_test(
        seed(number)(new_lake),
        settings=generating(of, stateful_step_count=lasting),
    )
