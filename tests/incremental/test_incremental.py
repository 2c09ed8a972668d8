"""Incremental runs give the tables of a full rebuild, and read and write changed partitions only."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
from support import crowds
from support.comparison import actual_tables, assert_equal_to_oracle, expected_tables
from support.crowds import in_pieces
from support.drops import reading, step
from support.histories import History
from support.lakes import SLOW_ON_SPARK, Dying, KilledError, land, opening, rows, run, table_of, write
from support.nights import CASES, NIGHTS, Case, Cast, land_and_run
from support.reference import TABLES

from stedi_common.contracts import Contract, contract
from stedi_common.engines import ENGINES
from stedi_common.engines.protocol import Engine
from stedi_common.errors import RebuildRequiredError
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules import lineage
from stedi_common.rules.policy import Policy
from stedi_common.runs import executor
from stedi_common.runs.executor import Outcome

#: Histories whose drops come one by one, and how many that are.
FAST = {"embedded": (1, 4), "spark": ()}
SLOW = {"embedded": range(100), "spark": range(6)}
EXAMPLES = [
    *((name, n) for name in ENGINES for n in FAST[name]),
    *(pytest.param(name, n, marks=pytest.mark.long) for name in ENGINES for n in SLOW[name]),
]
#: The commits before which a run is killed, and the history that it lands.
KILLED = 8
KILLS = [
    pytest.param("embedded", (3, 6, 8, 10, 11)),
    pytest.param("spark", (9, 2), marks=pytest.mark.long),
    *(pytest.param(name, range(start, 15, 2), marks=pytest.mark.long) for name in ENGINES for start in (1, 2)),
]
OTHERS = (Policy("ever"), Policy(pairing="timestamp"), Policy(defective_serials=frozenset({"sn-1", "sn-2"})))

READINGS = ("accelerometer_trusted", "step_trainer_trusted", "machine_learning_curated")
CAST = Cast(0)
ANN = CAST.ann


@pytest.fixture
def history(request) -> History:
    return one_by_one(crowds.history(request.param))


@pytest.mark.parametrize(("engine_name", "history"), EXAMPLES, indirect=True)
@pytest.mark.rule(13)
def test_after_every_landing_the_tables_are_the_oracles(engine, tmp_path, key, history):
    for policy, seen in zip(changing(), landed(engine, tmp_path, key, history), strict=False):
        run(engine, policy, key, rebuild=True)
        assert actual_tables(engine) == expected_tables(seen, policy, key)


def changing() -> Iterator[Policy]:
    """The default, and now and then another."""
    others = cycle(OTHERS)
    while True:
        yield from [Policy()] * 4
        yield from [next(others)] * 2


def landed(engine: Engine, folder: Path, key: PseudonymKey, history: History) -> Iterator[History]:
    """Lands run after run; what has landed by then."""
    for n, (drops, arrival) in enumerate(zip(history.runs, history.arrived_at, strict=True), start=1):
        write(folder / "drops", drops)
        land(engine, folder / "drops", key, arrival)
        yield History(history.runs[:n], history.arrived_at[:n])


def one_by_one(history: History) -> History:
    return in_pieces(history, len([name for drops in history.runs for name in drops]))


# The hard cases


@dataclass(frozen=True)
class TablesAfterRun:
    """The tables after a run, and as the oracle computes them."""

    actual: dict[str, Counter]
    expected: dict[str, Counter]


@pytest.fixture(scope="module")
def tables_after_each_run(engine_name, tmp_path_factory, key) -> list[TablesAfterRun]:
    folder = tmp_path_factory.mktemp(engine_name)
    history = History(tuple({f: raw for c in CASES for f, raw in c.nights[n].items()} for n in range(3)), NIGHTS)
    found = []
    with opening() as connect_to:
        engine = connect_to(engine_name, folder / "lake")
        for seen in landed(engine, folder, key, history):
            run(engine, Policy(), key)
            found.append(TablesAfterRun(actual_tables(engine), expected_tables(seen, Policy(), key)))
    return found


@SLOW_ON_SPARK
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
@pytest.mark.rule(13)
def test_the_tables_after_each_run_are_right(tables_after_each_run, key, case):
    for tables, pairs in zip(tables_after_each_run, case.pairs, strict=True):
        for table in TABLES:
            assert of_case(tables.actual, table, case, key) == of_case(tables.expected, table, case, key)
        assert of_case(tables.actual, "machine_learning_curated", case, key).total() == pairs


def of_case(tables: dict[str, Counter], table: str, case: Case, key: PseudonymKey) -> Counter:
    """The case's own rows of a table: those with a value of its people or devices."""
    own = {*case.cast.people, *map(key.pseudonym, case.cast.people), case.cast.device(1), case.cast.device(2)}
    return Counter({row: n for row, n in tables[table].items() if own & set(row)})


# What a run reads and writes


@SLOW_ON_SPARK
def test_a_run_reads_and_writes_changed_partitions_only(engine, tmp_path, key):
    cast, lake = CAST, tmp_path / "lake"
    days = range(1, 8)
    consenting = [cast.record(cast.ann, 1, 1)]
    land_and_run(engine, tmp_path, key, cast.night(consenting, cast.moves(cast.ann, *days), cast.steps(*days)))
    before = {table: files_of(lake, table) for table in READINGS}
    spy = Spy(engine)
    again = [reading(cast.ann, cast.on(3, "13:00"))], [step(cast.device(), cast.on(3, "13:00"))]
    outcomes = land_and_run(spy, tmp_path, key, cast.night([], *again, name="b"))
    day = cast.on(3).date()
    assert [outcome.days for outcome in outcomes if outcome.table in READINGS] == [1, 1, 1]
    assert [outcome.rows for outcome in outcomes if outcome.table in READINGS] == [8, 8, 8]
    assert spy.days == {day}
    for table, files in before.items():
        assert {d for d, of_day in files_of(lake, table).items() if of_day != files[d]} == {day}


@SLOW_ON_SPARK
def test_the_readings_of_a_new_consent_are_looked_up_from_its_day_on(engine, tmp_path, key):
    cast, days = CAST, range(1, 8)
    moves = cast.moves(cast.ann, *days) + cast.moves(cast.bob, *days)
    land_and_run(engine, tmp_path, key, cast.night([cast.record(cast.ann, 1, 1)], moves, cast.steps(*days)))
    spy = Spy(engine)
    outcomes = land_and_run(spy, tmp_path, key, cast.night([cast.record(cast.bob, 5, 5, device=2)], name="b"))
    assert [outcome.days for outcome in outcomes if outcome.table == "accelerometer_trusted"] == [3]
    assert spy.since == {cast.on(5).date()}


@SLOW_ON_SPARK
def test_a_withdrawal_overwrites_its_partitions_only(engine, tmp_path, key):
    cast, lake = CAST, tmp_path / "lake"
    people = [cast.record(cast.ann, 1, 1), cast.record(cast.bob, 1, 1, device=2)]
    moves, steps = (
        cast.moves(cast.ann, 1, 3) + cast.moves(cast.bob, 2, 3),
        cast.steps(1, 3) + cast.steps(2, 3, device=2),
    )
    land_and_run(engine, tmp_path, key, cast.night(people, moves, steps))
    before = {table: files_of(lake, table) for table in READINGS}
    land_and_run(engine, tmp_path, key, cast.night([cast.record(cast.bob, 5, device=2)], name="b"))
    for table, files in before.items():
        now = files_of(lake, table)
        assert (now[cast.on(1).date()], len(now)) == (files[cast.on(1).date()], 2)


class Spy:
    """An engine that remembers which days of readings were read, and written; and from which on, if not named."""

    def __init__(self, engine):
        self._engine, self.days, self.since = engine, set(), set()

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def read(self, of, head, days=None, since=None):
        if of.partition:
            self.days |= {None} if days is None else set(days)
            self.since |= {since} if days is None else set()
        return self._engine.read(of, head, days, since)

    def replace_classified(self, of, days, *args):
        if of.partition:
            self.days |= {None} if days is None else set(days)
        return self._engine.replace_classified(of, days, *args)


# After changes by others


@pytest.fixture
def walked(engine, tmp_path, key) -> Callable[..., list[Outcome]]:
    """Ann has walked on two days; a call lets her walk on more, and runs the jobs."""

    def more(name: str, *days: int, people: Sequence[Any] = (), but: Sequence[str] = ()) -> list[Outcome]:
        return land_and_run(
            engine, tmp_path, key, CAST.night(people, CAST.moves(ANN, *days), CAST.steps(*days), name), but
        )

    more("0", 1, 2, people=[CAST.record(ANN, 1, 1)])
    return more


def days_made(outcomes: list[Outcome]) -> dict[str, int | None]:
    return {outcome.table: outcome.days for outcome in outcomes if outcome.table in READINGS}


@SLOW_ON_SPARK
def test_a_source_that_was_compacted_has_not_changed(connect_to, engine, walked, tmp_path, key):
    walked("1", 2)  # two files of a day, which compaction makes one
    spark = connect_to("spark", tmp_path / "lake")
    for table in ("accelerometer_landing", "accelerometer_trusted"):
        compact(spark, contract(table))
    assert days_made(walked("2", 3)) == dict.fromkeys(READINGS, 1)
    assert_equal_to_oracle(engine, tmp_path / "drops", NIGHTS[0], key)


@SLOW_ON_SPARK
@pytest.mark.parametrize("source", ["accelerometer_landing", "customer_trusted", "customer_landing"])
def test_a_table_whose_source_has_expired_is_rebuilt_in_full(engine, walked, tmp_path, key, source):
    walked("1", 3, people=[CAST.record(CAST.bob, 1, 1, device=2)], but=READINGS)
    table_of(tmp_path / "lake", contract(source)).maintenance.expire_snapshots().older_than(datetime.now()).commit()
    made = days_made(run(engine, Policy(), key))
    assert None in made.values()
    assert_equal_to_oracle(engine, tmp_path / "drops", NIGHTS[0], key)


@SLOW_ON_SPARK
def test_a_table_whose_source_was_rolled_back_is_rebuilt_in_full(engine, walked, tmp_path, key):
    source = contract("accelerometer_landing")
    start = engine.head(source).snapshot_id
    walked("1", 3)
    with table_of(tmp_path / "lake", source).manage_snapshots() as change:
        change.set_current_snapshot(start)
    run(engine, Policy(), key)
    assert rows(engine, "accelerometer_trusted", ("timestamp",)) == rows(engine, source.name, ("timestamp",))
    assert rows(engine, "machine_learning_curated").total() == 2


@SLOW_ON_SPARK
def test_a_table_that_was_rolled_back_catches_up(engine, walked, tmp_path, key):
    target = contract("accelerometer_trusted")
    start = engine.head(target).snapshot_id
    walked("1", 3)
    with table_of(tmp_path / "lake", target).manage_snapshots() as change:
        change.set_current_snapshot(start)
    run(engine, Policy(), key)
    assert_equal_to_oracle(engine, tmp_path / "drops", NIGHTS[0], key)


@SLOW_ON_SPARK
def test_a_row_that_somebody_else_appends_is_deleted(engine, walked, tmp_path, key):
    target = contract("accelerometer_trusted")
    foreign = {"user": "nobody@example.org", "timestamp": CAST.on(2), "x": 0.0, "y": 0.0, "z": 0.0}
    engine.append(target, engine.frame(target, [foreign]), engine.head(target), {})
    assert days_made(run(engine, Policy(), key))["accelerometer_trusted"] == 1
    assert_equal_to_oracle(engine, tmp_path / "drops", NIGHTS[0], key)


@SLOW_ON_SPARK
def test_rows_that_were_there_before_the_first_run_are_not_overwritten_unasked(engine, tmp_path, key):
    target = contract("accelerometer_trusted")
    engine.prepare(target)
    theirs = {"user": ANN, "timestamp": CAST.on(9), "x": 0.0, "y": 0.0, "z": 0.0}
    engine.append(target, engine.frame(target, [theirs]), engine.head(target), {})
    write(tmp_path / "drops", CAST.night([CAST.record(ANN, 1, 1)], CAST.moves(ANN, 1), CAST.steps(1), "0"))
    land(engine, tmp_path / "drops", key, NIGHTS[0])
    with pytest.raises(RebuildRequiredError, match="rows of an unknown build"):
        run(engine, Policy(), key)
    assert rows(engine, target.name)[ANN, CAST.on(9), 0.0, 0.0, 0.0] == 1
    run(engine, Policy(), key, rebuild=True)
    assert_equal_to_oracle(engine, tmp_path / "drops", NIGHTS[0], key)


@SLOW_ON_SPARK
def test_a_customer_without_an_email_that_somebody_else_appends_fails_no_job(engine, walked, tmp_path, key):
    customers, pairs = contract("customers_curated"), contract("machine_learning_curated")
    engine.append(customers, engine.frame(customers, [dict.fromkeys(customers.names)]), engine.head(customers), {})
    # Rebuilt in full, from all customers there are.
    engine.replace(pairs, engine.frame(pairs, ()), engine.head(pairs), {"stedi.run": "another"})
    executor.run(engine, lineage.JOBS[pairs.made_by], Policy(), key, rebuild=True)
    run(engine, Policy(), key)
    assert_equal_to_oracle(engine, tmp_path / "drops", NIGHTS[0], key)


@SLOW_ON_SPARK
def test_a_job_that_was_skipped_for_long_catches_up(engine, walked, tmp_path, key):
    for night in range(3, 7):
        walked(str(night), night, but=["step_trainer_trusted", "machine_learning_curated"])
    assert days_made(walked("7", 7)) == {**dict.fromkeys(READINGS, 5), "accelerometer_trusted": 1}
    assert_equal_to_oracle(engine, tmp_path / "drops", NIGHTS[0], key)


@SLOW_ON_SPARK
@pytest.mark.parametrize("part", ["policy", "key", "columns", "code"])
def test_a_table_of_another_build_is_rebuilt_in_full_on_request_only(engine, walked, tmp_path, key, part):
    target = contract("machine_learning_curated")
    head = engine.head(target)
    otherwise = {name: said for name, said in head.summary.items() if name.startswith("stedi.")}
    engine.replace_days(target, (), engine.frame(target, ()), head, otherwise | {f"stedi.{part}": "another"})
    before = engine.head(target)
    with pytest.raises(
        RebuildRequiredError, match=f"^{target.name}: expected a table of the same build, got .*another"
    ):
        run(engine, Policy(), key)
    assert engine.head(target) == before
    outcomes = run(engine, Policy(), key, rebuild=True)
    assert [outcome.table for outcome in outcomes if outcome.changed] == [target.name]
    assert engine.head(target).summary["stedi.days"] == "all"
    assert_equal_to_oracle(engine, tmp_path / "drops", NIGHTS[0], key)


def test_a_release_of_the_package_rebuilds_nothing(connect_to, tmp_path, key, monkeypatch):
    engine = connect_to("embedded", tmp_path / "lake")
    land_and_run(engine, tmp_path, key, CAST.night([CAST.record(ANN, 1, 1)], CAST.moves(ANN, 1), CAST.steps(1)))
    monkeypatch.setattr("stedi_common.incremental.summary.__version__", "99")
    assert not any(outcome.changed for outcome in run(engine, Policy(), key))


# Killed runs


@pytest.mark.parametrize(("engine_name", "moments"), KILLS, indirect=["engine_name"])
@pytest.mark.rule(13)
def test_the_next_run_completes_a_killed_one(engine, tmp_path, key, moments):
    """Killed before the n-th commit of a night, landing included; the next run does all of it."""
    history = one_by_one(crowds.history(KILLED))
    nights = zip(cycle(moments), history.runs, history.arrived_at, strict=False)
    killed = 0
    for n, (moment, drops, arrival) in enumerate(nights, start=1):
        write(tmp_path / "drops", drops)
        for each in (Dying(engine, moment), engine):
            try:
                land(each, tmp_path / "drops", key, arrival)
                run(each, Policy(), key)
            except KilledError:
                killed += 1
        assert actual_tables(engine) == expected_tables(
            History(history.runs[:n], history.arrived_at[:n]), Policy(), key
        )
    assert killed


def files_of(lake: Path, table: str) -> dict[date, set[str]]:
    """A table's data files by day."""
    found = defaultdict(set)
    for task in table_of(lake, contract(table)).scan().plan_files():
        found[date.fromisoformat(task.file.file_path.split("_day=")[1][:10])].add(task.file.file_path)
    return found


def compact(spark: Any, table: Contract) -> None:
    """As maintenance does: the same rows in other files."""
    actions = spark._jvm.org.apache.iceberg.spark.actions.SparkActions.get(spark._spark._jsparkSession)
    done = actions.rewriteDataFiles(spark._tables.get(table)).option("rewrite-all", "true").execute()
    assert done.rewrittenDataFilesCount()
