"""Maintenance changes no row, cuts the past where the contract says, and is in nobody's way."""

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyiceberg.table.snapshots import Operation
from support import canaries
from support.comparison import assert_equal_to_oracle
from support.drops import reading, step
from support.lakes import COMMITS, ON_SPARK_UNHURRIED, KilledError, rows, run, table_of
from support.nights import NIGHTS, Cast, land_and_run

from stedi_common import maintenance
from stedi_common.contracts import Column, Contract, contract, names
from stedi_common.engines.properties import MANY_FILES, MANY_MANIFESTS
from stedi_common.engines.protocol import Engine, Head
from stedi_common.engines.retention import Ref, Snapshot, expired
from stedi_common.errors import CommitConflictError, EngineError, LakeError
from stedi_common.maintenance import ORPHAN_AGE, Maintained
from stedi_common.rules.policy import Policy

READINGS, PEOPLE = contract("accelerometer_trusted"), contract("customer_trusted")
FIRST, SECOND = date(2024, 5, 1), date(2024, 5, 2)
DAY = timedelta(days=1)
#: When all that was done in a test is long past, but for a head.
LATER = timedelta(days=60)

CAST = Cast(0)
STEPS = ("compact", "rewrite_manifests", "expire", "remove_orphans")


def now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def maintain(engine: Engine, later: timedelta = timedelta()) -> list[Maintained]:
    """Maintain all tables of the lake, as if it were later."""
    return [done for name in names() if (done := maintenance.maintain(engine, contract(name), now() + later))]


# Compaction


@pytest.fixture
def worn(engine) -> Engine:
    """Many small files on one day, few on the other; many in a table without days."""
    for table in (READINGS, PEOPLE):
        engine.prepare(table)
    for n in range(MANY_FILES):
        add(engine, f"ann{n}", [FIRST, SECOND] if n < MANY_FILES - 1 else [FIRST])
        add_person(engine, f"ann{n}")
    return engine


def test_many_small_files_of_a_day_become_one(worn, tmp_path):
    lake = tmp_path / "lake"
    before, people = rows(worn, READINGS.name), rows(worn, PEOPLE.name)
    few = files_of(lake, READINGS)[SECOND]
    told = {done.table: done for done in maintain(worn)}
    assert told[READINGS.name].files == (2 * MANY_FILES - 1, MANY_FILES)
    assert told[PEOPLE.name].files == (MANY_FILES, 1)
    assert told[PEOPLE.name].bytes[1] < told[PEOPLE.name].bytes[0]
    now_ = files_of(lake, READINGS)
    assert (len(now_[FIRST]), now_[SECOND]) == (1, few)
    assert (rows(worn, READINGS.name), rows(worn, PEOPLE.name)) == (before, people)
    (compacted,) = now_[FIRST]
    at = pq.ParquetFile(compacted).read()["timestamp"].to_pylist()
    assert at == sorted(at)


def test_nobody_sees_a_change(worn, tmp_path):
    start, head = first_of(worn, READINGS), worn.head(READINGS)
    days, then = worn.changed_days(READINGS, start, head), seen(worn, READINGS, head)
    maintain(worn)
    after = worn.head(READINGS)
    assert after.snapshot_id != head.snapshot_id
    assert (after.data_snapshot_id, after.summary, after.rows) == (head.data_snapshot_id, head.summary, head.rows)
    assert worn.changed_days(READINGS, start, after) == days
    assert worn.changed_days(READINGS, head, after) == set()
    assert seen(worn, READINGS, head) == then
    table = table_of(tmp_path / "lake", READINGS)
    assert table.current_snapshot().summary.operation == Operation.REPLACE
    assert int(table.current_snapshot().summary["total-records"]) == head.rows


def test_appended_since_are_the_rows_that_were_appended(worn, tmp_path):
    """For those who read what is new by Iceberg's own append scans."""
    start = worn.head(READINGS).snapshot_id
    maintain(worn)
    add(worn, "bob", [FIRST])
    scan = table_of(tmp_path / "lake", READINGS).incremental_append_scan(from_snapshot_id_exclusive=start)
    assert scan.to_arrow()["user"].to_pylist() == ["bob"]


def test_who_is_maintained_twice_stays_as_it_is(worn):
    maintain(worn)
    heads = [worn.head(table) for table in (READINGS, PEOPLE)]
    again = maintain(worn)
    assert {done.table for done in again} == {READINGS.name, PEOPLE.name}
    assert [worn.head(table) for table in (READINGS, PEOPLE)] == heads
    assert all(done.files[0] == done.files[1] and done.removed == done.snapshots == 0 for done in again)


def test_many_manifests_become_few(engine, tmp_path):
    engine.prepare(READINGS)
    start = engine.head(READINGS)
    days = [FIRST + n * DAY for n in range(MANY_MANIFESTS)]
    for day in days:
        add(engine, "ann", [day])
    engine.replace_days(READINGS, days[:2], of(engine, "bob", days[:1]), engine.head(READINGS), {})
    head, before = engine.head(READINGS), rows(engine, READINGS.name)
    changed = engine.changed_days(READINGS, start, head)
    maintain(engine)
    table = table_of(tmp_path / "lake", READINGS)
    assert len(table.current_snapshot().manifests(table.io)) == 1
    assert rows(engine, READINGS.name) == before
    assert engine.changed_days(READINGS, start, engine.head(READINGS)) == changed == set(days)
    one = engine.collect(engine.read(READINGS, engine.head(READINGS), [days[0]]))
    assert [row["user"] for row in one] == ["bob"]
    engine.replace_days(READINGS, days[:1], of(engine, "cleo", days[:1]), engine.head(READINGS), {})
    assert rows(engine, READINGS.name, ["user"])[("cleo",)] == 1
    assert rows(engine, READINGS.name).total() == before.total()


def test_files_without_a_column_of_today_have_it_after(engine):
    engine.prepare(READINGS)
    for n in range(MANY_FILES):
        add(engine, f"ann{n}", [FIRST])
    gained = replace(READINGS, columns=(*READINGS.columns, Column("w", "double", False, "internal", "Said later.")))
    engine.prepare(gained)
    maintenance.maintain(engine, gained)
    assert [row["w"] for row in engine.collect(engine.read(gained, engine.head(gained)))] == [None] * MANY_FILES


@pytest.mark.parametrize(("one", "other"), [("embedded", "spark"), ("spark", "embedded")])
def test_one_engine_maintains_what_the_other_wrote(connect_to, tmp_path, one, other):
    writer, keeper = (connect_to(name, tmp_path / "lake") for name in (one, other))
    writer.prepare(PEOPLE)
    for n in range(MANY_MANIFESTS):
        add_person(writer, f"ann{n}")
    before = rows(writer, PEOPLE.name)
    first = maintenance.maintain(keeper, PEOPLE, now())
    assert first.files == (MANY_MANIFESTS, 1)
    add_person(writer, "bob")
    later = maintenance.maintain(keeper, PEOPLE, now() + LATER)
    assert later.snapshots
    assert later.removed >= MANY_MANIFESTS
    assert rows(writer, PEOPLE.name) == rows(keeper, PEOPLE.name)
    assert rows(writer, PEOPLE.name) - before == Counter({person("bob"): 1})


@pytest.mark.parametrize("engine_name", ["embedded", pytest.param("spark", marks=pytest.mark.long)], indirect=True)
@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(n, marks=pytest.mark.long) for n in range(3, 30))])
def test_whatever_is_done_in_whatever_order_the_rows_are_those_that_were_written(engine, seed):
    chosen, model = random.Random(seed), Counter()
    engine.prepare(READINGS)
    some_days = [FIRST + n * DAY for n in range(3)]
    for n in range(15):
        days, do = chosen.sample(some_days, chosen.randint(1, 3)), engine.maintenance
        later = chosen.choice([timedelta(), 2 * DAY, LATER])
        what = chosen.choice(["add"] * 4 + ["replace"] * 2 + [*STEPS])
        if what == "add":
            add(engine, f"u{n}", days)
            model += Counter({(f"u{n}", day): 1 for day in days})
        elif what == "replace":
            engine.replace_days(READINGS, days, of(engine, f"u{n}", days[:1]), engine.head(READINGS), {})
            model = Counter({row: times for row, times in model.items() if row[1] not in days})
            model[f"u{n}", days[0]] += 1
        elif what == "expire":
            do.expire(READINGS, now() + later)
        elif what == "remove_orphans":
            do.remove_orphans(READINGS, now() + later)
        else:
            getattr(do, what)(READINGS)
        assert seen(engine, READINGS, engine.head(READINGS)) == model, (n, what)
    for head in engine.history(READINGS, engine.head(READINGS)):
        assert seen(engine, READINGS, head).total() == head.rows


# The past


@pytest.mark.rule(14)
def test_the_past_is_cut_where_the_contract_says(worn, tmp_path):
    head, days = worn.head(READINGS), READINGS.snapshot_days * DAY
    history = len(list(worn.history(READINGS, head)))
    (young,) = [done for done in maintain(worn, days - DAY) if done.table == READINGS.name]
    assert (young.snapshots, young.removed) == (0, 0)
    assert len(list(worn.history(READINGS, worn.head(READINGS)))) == history + 1
    (old,) = [done for done in maintain(worn, days + DAY) if done.table == READINGS.name]
    assert old.snapshots == history - 1
    # The head, and the one that has its rows and says what they are made from.
    kept = list(worn.history(READINGS, worn.head(READINGS)))
    assert [each.data_snapshot_id for each in kept] == [head.data_snapshot_id] * 2
    assert worn.snapshot(READINGS, head.snapshot_id) == head
    assert seen(worn, READINGS, head) == seen(worn, READINGS, worn.head(READINGS))
    add(worn, "bob", [FIRST])
    maintain(worn, LATER)
    assert worn.snapshot(READINGS, head.snapshot_id) is None
    assert len(parquet_files(tmp_path / "lake" / "trusted" / READINGS.name)) == MANY_FILES + 1


def test_what_a_branch_or_a_tag_keeps_stays(worn, tmp_path):
    tagged = worn.head(READINGS)
    then = seen(worn, READINGS, tagged)
    with table_of(tmp_path / "lake", READINGS).manage_snapshots() as change:
        change.create_tag(tagged.snapshot_id, "paper")
    worn.replace(READINGS, of(worn, "bob", [SECOND]), worn.head(READINGS), {})
    (done,) = [done for done in maintain(worn, LATER) if done.table == READINGS.name]
    assert (done.held, done.refs) == (("paper",), 0)
    assert done.snapshots
    assert seen(worn, READINGS, tagged) == then
    assert seen(worn, READINGS, worn.head(READINGS)) == Counter({("bob", SECOND): 1})


def test_the_branch_of_a_killed_run_goes(worn, tmp_path):
    head = worn.head(READINGS).snapshot_id
    with table_of(tmp_path / "lake", READINGS).manage_snapshots() as change:
        change.create_branch(head, "stedi_1", max_ref_age_ms=2 * 24 * 3600 * 1000)
    assert [done.refs for done in maintain(worn, DAY) if done.table == READINGS.name] == [0]
    assert "stedi_1" in table_of(tmp_path / "lake", READINGS).refs()
    assert [done.refs for done in maintain(worn, 3 * DAY) if done.table == READINGS.name] == [1]
    assert set(table_of(tmp_path / "lake", READINGS).refs()) == {"main"}


@pytest.mark.rule(14)
def test_days_are_what_rule_14_allows():
    """With a day in which maintenance has not run, and one in which it did not come to the table."""
    for name in names():
        most = 30 if contract(name).zone == "landing" else 7
        assert ORPHAN_AGE <= contract(name).snapshot_days * DAY <= (most - 2) * DAY


AT = datetime(2024, 5, 10)


def test_a_head_keeps_where_its_rows_come_from():
    """Else a table that is quiet for long would not know what it was made from."""
    written, same, again = (Snapshot(n, n - 1, AT - (30 - n) * DAY, same=n > 1) for n in (1, 2, 3))
    older = Snapshot(0, None, AT - 40 * DAY, same=False)
    refs = [Ref("main", 3, None)]
    assert expired(READINGS, [older, written, same, again], refs, AT).snapshots == (0,)
    changed = Snapshot(4, 3, AT - 20 * DAY, same=False)
    of_all = [older, written, same, again, changed]
    assert expired(READINGS, of_all, [Ref("main", 4, None)], AT).snapshots == (0, 1, 2, 3)


# What lies about


def test_orphans_go_when_no_run_can_want_them(worn, tmp_path):
    lake = tmp_path / "lake"
    folder = lake / "trusted" / READINGS.name
    old, young = folder / "data" / "killed" / "old.parquet", folder / "data" / "young.parquet"
    meta = folder / "metadata" / "old.avro"
    for path in (old, young, meta):
        write_aged(path, ORPHAN_AGE + DAY if path != young else ORPHAN_AGE - DAY)
    known = parquet_files(folder) - {old}
    assert [done.removed for done in maintain(worn) if done.table == READINGS.name] == [2]
    assert parquet_files(folder) >= known
    assert [path.exists() for path in (old, meta, young)] == [False, False, True]
    assert rows(worn, READINGS.name).total() == 2 * MANY_FILES - 1


def test_an_empty_folder_goes_when_it_is_old(worn, tmp_path):
    if worn.name == "spark":
        pytest.skip("Iceberg's action removes files; where Spark runs there are no folders")
    folder = tmp_path / "lake" / "trusted" / READINGS.name / "data"
    for name, age in (("old", ORPHAN_AGE + DAY), ("young", ORPHAN_AGE - DAY)):
        (folder / name).mkdir()
        at = (now() - age).replace(tzinfo=UTC).timestamp()
        os.utime(folder / name, (at, at))
    maintain(worn)
    assert [(folder / name).exists() for name in ("old", "young")] == [False, True]


def test_what_a_killed_run_had_staged_goes(engine, tmp_path):
    """Where no lock tells whether the run is dead, its age does."""
    old, young, theirs = (tmp_path / "lake" / f".staging-{name}" for name in ("0" * 32, "1" * 32 + "-7", "backup"))
    for folder in (old, theirs):
        write_aged(folder / "records" / "1.parquet", ORPHAN_AGE + DAY)
        for aged in (folder / "records", folder):
            os.utime(aged, (0, 0))
    write_aged(young / "1.parquet", ORPHAN_AGE + DAY)
    write_aged(young / "2.parquet", ORPHAN_AGE - DAY)
    assert maintenance.remove_staged(engine) == 1
    assert (old.exists(), young.exists(), theirs.exists()) == (False, True, True)


def test_a_lake_that_was_copied_removes_nothing_of_the_first(worn, connect, tmp_path):
    """Its catalog still names the files of the first, and knows nothing of what that has written since."""
    shutil.copytree(tmp_path / "lake", tmp_path / "copy")
    copy = connect(tmp_path / "copy")
    add(worn, "bob", [FIRST])
    with pytest.raises(LakeError, match="expected the table at"):
        copy.maintenance.remove_orphans(READINGS, now() + LATER)
    assert rows(worn, READINGS.name).total() == 2 * MANY_FILES


# Killed


class Dying:
    """An engine whose maintenance is killed before its n-th step."""

    def __init__(self, engine: Engine, n: int) -> None:
        self._engine, self._left, self.maintenance = engine, n, self

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine.maintenance, name)
        return partial(self._step, found) if name in STEPS else found

    def _step(self, found: Callable[..., Any], *args: Any) -> Any:
        self._left -= 1
        if not self._left:
            raise KilledError
        return found(*args)


@pytest.mark.parametrize("n", range(1, 5))
def test_maintenance_that_is_killed_is_made_good_by_the_next(worn, tmp_path, n):
    before = rows(worn, READINGS.name)
    with pytest.raises(KilledError):
        maintenance.maintain(Dying(worn, n), READINGS, now() + LATER)
    assert rows(worn, READINGS.name) == before
    maintenance.maintain(worn, READINGS, now() + LATER)
    assert_clean(worn, tmp_path / "lake", before)


def test_maintenance_that_is_killed_while_removing_is_made_good_by_the_next(worn, tmp_path, monkeypatch):
    if worn.name == "spark":
        pytest.skip("Iceberg's action removes in Java")
    before = rows(worn, READINGS.name)
    unlink = Path.unlink
    for left in (0, 3):
        monkeypatch.setattr(Path, "unlink", dying_after(left, unlink))
        with pytest.raises(KilledError):
            maintenance.maintain(worn, READINGS, now() + LATER)
        assert rows(worn, READINGS.name) == before
    monkeypatch.undo()
    maintenance.maintain(worn, READINGS, now() + LATER)
    assert_clean(worn, tmp_path / "lake", before)


def dying_after(left: int, unlink: Callable[..., None]) -> Callable[..., None]:
    counted = iter(range(left))

    def dying(*args: Any, **options: Any) -> None:
        if next(counted, None) is None:
            raise KilledError
        unlink(*args, **options)

    return dying


def assert_clean(engine: Engine, lake: Path, before: Counter) -> None:
    """The rows are there, compacted, and no data file but theirs."""
    assert rows(engine, READINGS.name) == before
    current = {path for paths in files_of(lake, READINGS).values() for path in paths}
    kept = {Path(local(file)) for file in table_of(lake, READINGS).inspect.all_files()["file_path"].to_pylist()}
    assert len(current) == MANY_FILES
    assert parquet_files(lake / "trusted" / READINGS.name) == kept


# Beside runs


@ON_SPARK_UNHURRIED
def test_a_run_after_maintenance_has_nothing_to_do(engine, tmp_path, key):
    a_week(engine, tmp_path, key)
    for later in (timedelta(), LATER):
        told = maintain(engine, later)
        assert sum(done.files[0] - done.files[1] for done in told) > 0 or later
        assert not any(outcome.changed for outcome in run(engine, Policy(), key))
        assert_equal_to_oracle(engine, tmp_path / "drops", NIGHTS[0], key)
    night(engine, tmp_path, key, MANY_FILES + 1)
    assert_equal_to_oracle(engine, tmp_path / "drops", NIGHTS[0], key)


class Interrupted:
    """An engine, and what happens between the reading and the commit of a run."""

    def __init__(self, engine: Engine, meanwhile: Callable[[], Any]) -> None:
        self._engine, self._meanwhile = engine, meanwhile

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        return partial(self._commit, found) if name in COMMITS else found

    def _commit(self, found: Callable[..., Any], *args: Any) -> Any:
        self._meanwhile()
        return found(*args)


@ON_SPARK_UNHURRIED
@pytest.mark.parametrize(
    "later", [pytest.param(timedelta(), id="tonight"), pytest.param(LATER, id="later", marks=pytest.mark.long)]
)
def test_a_run_that_races_maintenance_loses_nothing(engine, connect, tmp_path, key, later):
    a_week(engine, tmp_path, key)
    keeper = connect(tmp_path / "lake")
    hurried = Interrupted(engine, lambda: maintain(keeper, later))
    for n in range(MANY_FILES, MANY_FILES + 2):
        try:
            night(hurried, tmp_path, key, n)
        except (CommitConflictError, EngineError):  # its head has moved, or what it compares with has expired
            run(engine, Policy(), key)
        assert_equal_to_oracle(engine, tmp_path / "drops", NIGHTS[0], key)


def test_who_reads_what_has_expired_meanwhile_is_told_to_start_over(worn, connect, tmp_path):
    if worn.name == "spark":
        pytest.skip("Spark looks the table up each time")
    keeper, start = connect(tmp_path / "lake"), first_of(worn, READINGS)
    old = worn.head(READINGS)
    keeper.replace(READINGS, of(keeper, "bob", [SECOND]), keeper.head(READINGS), {})
    maintain(keeper, LATER)
    with pytest.raises(CommitConflictError):
        worn.read(READINGS, old)
    with pytest.raises(CommitConflictError):
        worn.changed_days(READINGS, start, old)


def test_compaction_that_is_overtaken_is_given_up(worn, connect, tmp_path):
    if worn.name == "spark":
        pytest.skip("Iceberg's own actions cannot be stopped in between")
    other = connect(tmp_path / "lake")
    rewrite = worn.maintenance._rewrite

    def slow(*args: Any) -> Any:
        add(other, "bob", [FIRST])
        return rewrite(*args)

    worn.maintenance._rewrite = slow
    done = maintenance.maintain(worn, READINGS, now())
    assert (done.overtaken, done.files[1]) == (("compaction",), done.files[0] + 1)
    assert rows(worn, READINGS.name, ["user"])[("bob",)] == 1
    assert len(parquet_files(tmp_path / "lake" / "trusted" / READINGS.name)) == 2 * MANY_FILES
    worn.maintenance._rewrite = rewrite
    assert maintenance.maintain(worn, READINGS, now()).overtaken == ()


def test_expiry_does_not_take_what_somebody_has_just_named(worn, tmp_path):
    if worn.name == "spark":
        pytest.skip("Iceberg's own expiry cannot be stopped in between")
    old = worn.head(READINGS)
    add(worn, "bob", [FIRST])
    catalog = worn.maintenance._catalog

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(catalog, name)

        def commit_table(self, *args: Any) -> Any:
            with table_of(tmp_path / "lake", READINGS).manage_snapshots() as change:
                change.create_tag(old.snapshot_id, "paper")
            return catalog.commit_table(*args)

    worn.maintenance._catalog = Slow()
    with pytest.raises(CommitConflictError):
        worn.maintenance.expire(READINGS, now() + LATER)
    assert worn.snapshot(READINGS, old.snapshot_id) == old


def test_a_run_whose_branch_has_expired_is_refused(connect_to, tmp_path):
    """Iceberg would make the branch anew where the table is by then: on top of what the run has not seen."""
    spark, other = connect_to("spark", tmp_path / "lake"), connect_to("embedded", tmp_path / "lake")
    spark.prepare(READINGS)
    add(other, "ann", [FIRST])
    onto = spark.head(READINGS)

    class Slow(dict[str, str]):
        """A summary that is asked for when the branch is there and nothing is committed to it."""

        def items(self) -> Any:
            other.maintenance.expire(READINGS, now() + 3 * DAY)
            add(other, "bob", [FIRST])
            return super().items()

    with pytest.raises(CommitConflictError):
        spark.replace_days(READINGS, (), of(spark, "cleo", []), onto, Slow({"stedi.run": "late"}))
    head = spark.head(READINGS)
    assert (seen(spark, READINGS, head), head.summary.get("stedi.run")) == (
        Counter({("ann", FIRST): 1, ("bob", FIRST): 1}),
        None,
    )
    assert list(table_of(tmp_path / "lake", READINGS).refs()) == ["main"]


# Forgetting


@ON_SPARK_UNHURRIED
@pytest.mark.rule(14)
def test_of_who_withdrew_no_byte_is_left_in_trusted_and_curated(engine, tmp_path, key):
    lake, c = tmp_path / "lake", CAST
    gone = told_of(c.bob, key)
    people = [c.record(c.ann, 1, 1), c.record(c.bob, 1, 1, device=2)]
    land_and_run(
        engine,
        tmp_path,
        key,
        c.night(
            people,
            c.moves(c.ann, 1) + c.moves(c.bob, 1, 2),
            c.steps(1) + c.steps(1, 2, device=2),
        ),
    )
    assert holding(lake, gone) == gone
    land_and_run(engine, tmp_path, key, c.night([c.record(c.bob, 5, device=2)], name="b"))
    assert_equal_to_oracle(engine, tmp_path / "drops", NIGHTS[0], key)
    days = max(contract(name).snapshot_days for name in names() if contract(name).zone != "landing")
    maintain(engine, (days + 1) * DAY)
    assert holding(lake, gone) == set()
    assert holding(lake, told_of(c.ann, key)) == told_of(c.ann, key)
    assert not any(outcome.changed for outcome in run(engine, Policy(), key))


def told_of(email: str, key: Any) -> set[bytes]:
    """What tells of a person: the email, and as much of the pseudonym as a bound in a manifest has."""
    return {email.encode(), key.pseudonym(email)[:16].encode()}


def holding(lake: Path, words: set[bytes]) -> set[bytes]:
    """Those of the words that a file of trusted or curated holds, packed or not."""
    below = [path for zone in ("trusted", "curated") for path in files(lake / zone)]
    return {word for path in below for content in canaries.unpacked(path) for word in words if word in content}


# The lakes of these tests


def a_week(engine: Engine, folder: Path, key: Any) -> None:
    """As many nights as make compaction worth it; readings of one day land in all of them."""
    for n in range(MANY_FILES):
        night(engine, folder, key, n)


def night(engine: Engine, folder: Path, key: Any, n: int) -> None:
    c = CAST
    people = [c.record(c.ann, 1, 1)] if not n else [c.record(c.bob, n, n % 2 or None, device=2)]
    clock = f"10:{n:02}"
    moves = [reading(who, c.on(day, clock)) for who in (c.ann, c.bob) for day in (1, n % 7 + 2)]
    steps = [step(c.device(device), c.on(1, clock)) for device in (1, 2)]
    land_and_run(engine, folder, key, c.night(people, moves, steps, name=str(n)))


def add(engine: Engine, user: str, days: Iterable[date]) -> Head:
    return engine.append(READINGS, of(engine, user, days), engine.head(READINGS), {})


def of(engine: Engine, user: str, days: Iterable[date]) -> Any:
    at = [datetime.combine(day, time(23 - len(user) % 20)) for day in days]
    return engine.frame(READINGS, [{"user": user, "timestamp": t, "x": 0.0, "y": 0.0, "z": 0.0} for t in at])


def add_person(engine: Engine, email: str) -> Head:
    someone = [dict(zip(PEOPLE.names, person(email), strict=True))]
    return engine.append(PEOPLE, engine.frame(PEOPLE, someone), engine.head(PEOPLE), {})


def person(email: str) -> tuple[Any, ...]:
    return tuple(email if name == "email" else None for name in PEOPLE.names)


def seen(engine: Engine, table: Contract, head: Head) -> Counter[tuple[str, date]]:
    found = engine.collect(engine.read(table, head).select("user", "timestamp"))
    return Counter((row["user"], row["timestamp"].date()) for row in found)


def first_of(engine: Engine, table: Contract) -> Head:
    *_, first = engine.history(table, engine.head(table))
    return first


def files_of(lake: Path, table: Contract) -> dict[date, set[Path]]:
    """A table's data files by day."""
    found: dict[date, set[Path]] = {}
    for task in table_of(lake, table).scan().plan_files():
        day = date.fromisoformat(task.file.file_path.split("_day=")[1][:10])
        found.setdefault(day, set()).add(Path(local(task.file.file_path)))
    return found


def local(location: str) -> str:
    return "/" + location.removeprefix("file:").lstrip("/")


def files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def parquet_files(folder: Path) -> set[Path]:
    return {path for path in files(folder) if path.suffix == ".parquet"}


def write_aged(path: Path, age: timedelta) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"somebody's")
    at = (now() - age).replace(tzinfo=UTC).timestamp()
    os.utime(path, (at, at))
