"""Maintenance changes no row, expires snapshots after the days of the contract, and disturbs no run."""

import json
import os
import random
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table.snapshots import Operation
from support import canaries
from support.cli import DROPS
from support.comparison import assert_equal_to_oracle
from support.drops import at, customer, landing, reading, step
from support.lakes import COMMITS, SLOW_ON_SPARK, KilledError, rows, run, table_of, write
from support.nights import NIGHTS, Cast, land_and_run
from support.readings import FIRST, READINGS, SECOND, add, of, seen

import stedi_common
from stedi_common import maintenance
from stedi_common.contracts import Column, Contract, contract, names
from stedi_common.engines.history import TableSnapshot
from stedi_common.engines.properties import MIN_MANIFESTS, MIN_SMALL_FILES
from stedi_common.engines.protocol import Engine, Head
from stedi_common.engines.retention import Expired, Ref, expired
from stedi_common.engines.storage.table_files import needed_files
from stedi_common.errors import CommitConflictError, DamagedFileError, EngineError, LakeError
from stedi_common.lake import local_path
from stedi_common.maintenance import ORPHAN_AGE, Maintained
from stedi_common.rules.policy import Policy

PEOPLE = contract("customer_trusted")
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
def fragmented(engine) -> Engine:
    """Many small files on one day, few on the other; many in a table without days."""
    for table in (READINGS, PEOPLE):
        engine.prepare(table)
    for n in range(MIN_SMALL_FILES):
        add(engine, f"ann{n}", [FIRST, SECOND] if n < MIN_SMALL_FILES - 1 else [FIRST])
        add_person(engine, f"ann{n}")
    return engine


def test_many_small_files_of_a_day_become_one(fragmented, tmp_path):
    lake = tmp_path / "lake"
    before, people = rows(fragmented, READINGS.name), rows(fragmented, PEOPLE.name)
    few = files_of(lake, READINGS)[SECOND]
    by_table = {done.table: done for done in maintain(fragmented)}
    assert by_table[READINGS.name].files == (2 * MIN_SMALL_FILES - 1, MIN_SMALL_FILES)
    assert by_table[PEOPLE.name].files == (MIN_SMALL_FILES, 1)
    assert by_table[PEOPLE.name].bytes[1] < by_table[PEOPLE.name].bytes[0]
    now_ = files_of(lake, READINGS)
    assert (len(now_[FIRST]), now_[SECOND]) == (1, few)
    assert (rows(fragmented, READINGS.name), rows(fragmented, PEOPLE.name)) == (before, people)
    (compacted,) = now_[FIRST]
    at = pq.ParquetFile(compacted).read()["timestamp"].to_pylist()
    assert at == sorted(at)


def test_maintenance_changes_no_row_and_no_summary(fragmented, tmp_path):
    start, head = first_of(fragmented, READINGS), fragmented.head(READINGS)
    days, then = fragmented.changed_days(READINGS, start, head), seen(fragmented, READINGS, head)
    maintain(fragmented)
    after = fragmented.head(READINGS)
    assert after.snapshot_id != head.snapshot_id
    assert (after.data_snapshot_id, after.summary, after.rows) == (head.data_snapshot_id, head.summary, head.rows)
    assert fragmented.changed_days(READINGS, start, after) == days
    assert fragmented.changed_days(READINGS, head, after) == set()
    assert seen(fragmented, READINGS, head) == then
    table = table_of(tmp_path / "lake", READINGS)
    assert table.current_snapshot().summary.operation == Operation.REPLACE
    assert int(table.current_snapshot().summary["total-records"]) == head.rows


def test_an_append_scan_sees_appended_rows_only(fragmented, tmp_path):
    """For those who read what is new by Iceberg's own append scans."""
    start = fragmented.head(READINGS).snapshot_id
    maintain(fragmented)
    add(fragmented, "bob", [FIRST])
    scan = table_of(tmp_path / "lake", READINGS).incremental_append_scan(from_snapshot_id_exclusive=start)
    assert scan.to_arrow()["user"].to_pylist() == ["bob"]


def test_maintenance_twice_changes_nothing(fragmented):
    maintain(fragmented)
    heads = [fragmented.head(table) for table in (READINGS, PEOPLE)]
    again = maintain(fragmented)
    assert {done.table for done in again} == {READINGS.name, PEOPLE.name}
    assert [fragmented.head(table) for table in (READINGS, PEOPLE)] == heads
    assert all(done.files[0] == done.files[1] and done.removed == done.snapshots == 0 for done in again)


def test_many_manifests_become_few(engine, tmp_path):
    engine.prepare(READINGS)
    start = engine.head(READINGS)
    days = [FIRST + n * DAY for n in range(MIN_MANIFESTS)]
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


def test_compaction_adds_a_new_column_to_old_files(engine):
    engine.prepare(READINGS)
    for n in range(MIN_SMALL_FILES):
        add(engine, f"ann{n}", [FIRST])
    gained = replace(READINGS, columns=(*READINGS.columns, Column("w", "double", False, "internal", "Said later.")))
    engine.prepare(gained)
    maintenance.maintain(engine, gained)
    assert [row["w"] for row in engine.collect(engine.read(gained, engine.head(gained)))] == [None] * MIN_SMALL_FILES


@pytest.mark.parametrize(("one", "other"), [("embedded", "spark"), ("spark", "embedded")])
def test_one_engine_maintains_what_the_other_wrote(connect_to, tmp_path, one, other):
    writer, keeper = (connect_to(name, tmp_path / "lake") for name in (one, other))
    writer.prepare(PEOPLE)
    for n in range(MIN_MANIFESTS):
        add_person(writer, f"ann{n}")
    before = rows(writer, PEOPLE.name)
    first = maintenance.maintain(keeper, PEOPLE, now())
    assert first.files == (MIN_MANIFESTS, 1)
    add_person(writer, "bob")
    later = maintenance.maintain(keeper, PEOPLE, now() + LATER)
    assert later.snapshots
    assert later.removed >= MIN_MANIFESTS
    assert rows(writer, PEOPLE.name) == rows(keeper, PEOPLE.name)
    assert rows(writer, PEOPLE.name) - before == Counter({person("bob"): 1})


@pytest.mark.parametrize("engine_name", ["embedded", pytest.param("spark", marks=pytest.mark.long)], indirect=True)
@pytest.mark.parametrize("seed", [1, 2, *(pytest.param(n, marks=pytest.mark.long) for n in range(3, 30))])
def test_maintenance_in_any_order_between_commits_changes_no_row(engine, seed):
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


# Snapshot expiry


@pytest.mark.rule(14)
def test_snapshots_expire_after_the_days_of_the_contract(fragmented, tmp_path):
    head, days = fragmented.head(READINGS), READINGS.snapshot_days * DAY
    history = len(list(fragmented.history(READINGS, head)))
    (young,) = [done for done in maintain(fragmented, days - DAY) if done.table == READINGS.name]
    assert (young.snapshots, young.removed) == (0, 0)
    assert len(list(fragmented.history(READINGS, fragmented.head(READINGS)))) == history + 1
    (old,) = [done for done in maintain(fragmented, days + DAY) if done.table == READINGS.name]
    assert old.snapshots == history - 1
    # The head, and the one that has its rows and says what they are made from.
    kept = list(fragmented.history(READINGS, fragmented.head(READINGS)))
    assert [each.data_snapshot_id for each in kept] == [head.data_snapshot_id] * 2
    assert fragmented.snapshot(READINGS, head.snapshot_id) == head
    assert seen(fragmented, READINGS, head) == seen(fragmented, READINGS, fragmented.head(READINGS))
    add(fragmented, "bob", [FIRST])
    maintain(fragmented, LATER)
    assert fragmented.snapshot(READINGS, head.snapshot_id) is None
    assert len(parquet_files(tmp_path / "lake" / "trusted" / READINGS.name)) == MIN_SMALL_FILES + 1


@pytest.mark.rule(14)
@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_snapshots_expire_though_a_file_is_damaged(fragmented, tmp_path):
    """They hold withdrawn rows. The compaction before them needs the file."""
    table = table_of(tmp_path / "lake", READINGS)
    local_path(table.current_snapshot().manifest_list).unlink()
    with pytest.raises(DamagedFileError, match=READINGS.name):
        maintenance.maintain(fragmented, READINGS, now() + LATER)
    assert 0 < len(table_of(tmp_path / "lake", READINGS).snapshots()) < len(table.snapshots())


def test_a_damaged_table_stops_the_maintenance_of_no_other(stedi, tmp_path):
    write(tmp_path / "drops", landing([customer("ann@example.org", at("08:00"), at("08:00"))]))
    assert stedi("land", "--landing", "drops").code == 0
    table = table_of(tmp_path / "lake", contract("customer_landing"))
    local_path(table.current_snapshot().manifest_list).unlink()
    said = stedi("maintain", "--json")
    assert (said.code, "customer_landing" in said.err) == (1, True)
    maintained = {each["table"] for each in json.loads(said.out)["tables"]}
    assert maintained >= {"landed_files", "rejected_records", "step_trainer_landing"}


def test_a_snapshot_with_a_tag_does_not_expire(fragmented, tmp_path):
    tagged = fragmented.head(READINGS)
    then = seen(fragmented, READINGS, tagged)
    with table_of(tmp_path / "lake", READINGS).manage_snapshots() as change:
        change.create_tag(tagged.snapshot_id, "paper")
    fragmented.replace(READINGS, of(fragmented, "bob", [SECOND]), fragmented.head(READINGS), {})
    (done,) = [done for done in maintain(fragmented, LATER) if done.table == READINGS.name]
    assert (done.pinned, done.refs) == (("paper",), 0)
    assert done.snapshots
    assert seen(fragmented, READINGS, tagged) == then
    assert seen(fragmented, READINGS, fragmented.head(READINGS)) == Counter({("bob", SECOND): 1})


def test_the_branch_of_a_killed_run_expires(fragmented, tmp_path):
    head = fragmented.head(READINGS).snapshot_id
    with table_of(tmp_path / "lake", READINGS).manage_snapshots() as change:
        change.create_branch(head, "stedi_1", max_ref_age_ms=2 * 24 * 3600 * 1000)
    assert [done.refs for done in maintain(fragmented, DAY) if done.table == READINGS.name] == [0]
    assert "stedi_1" in table_of(tmp_path / "lake", READINGS).refs()
    assert [done.refs for done in maintain(fragmented, 3 * DAY) if done.table == READINGS.name] == [1]
    assert set(table_of(tmp_path / "lake", READINGS).refs()) == {"main"}


@pytest.mark.rule(14)
def test_days_are_what_rule_14_allows():
    """With a day in which maintenance has not run, and one in which it did not come to the table."""
    for name in names():
        most = 30 if contract(name).zone == "landing" else 7
        assert ORPHAN_AGE <= contract(name).snapshot_days * DAY <= (most - 2) * DAY


AT = datetime(2024, 5, 10)


def test_the_snapshot_that_wrote_the_rows_of_the_head_does_not_expire():
    """Else a table that is quiet for long would not know what it was made from."""
    written, same, again = (TableSnapshot(n, n - 1, AT - (30 - n) * DAY, is_replace=n > 1) for n in (1, 2, 3))
    older = TableSnapshot(0, None, AT - 40 * DAY, is_replace=False)
    refs = [Ref("main", 3, None)]
    assert expired(READINGS, [older, written, same, again], refs, AT).snapshots == (0,)
    changed = TableSnapshot(4, 3, AT - 20 * DAY, is_replace=False)
    of_all = [older, written, same, again, changed]
    assert expired(READINGS, of_all, [Ref("main", 4, None)], AT).snapshots == (0, 1, 2, 3)


def test_a_snapshot_of_a_clock_in_the_future_expires_after_the_commit_that_follows():
    """It may hold somebody who has withdrawn: the deletion was committed onto it once the clock was right."""
    future = AT + 3650 * DAY
    before, held, deleted = (
        TableSnapshot(n, n - 1, at, is_replace=False)
        for n, at in ((1, AT - 30 * DAY), (2, future), (3, AT - (READINGS.snapshot_days + 1) * DAY))
    )
    refs = [Ref("main", 3, None), Ref("killed", 2, DAY)]
    assert expired(READINGS, [before, held, deleted], refs, AT) == Expired((1, 2), ("killed",), ())
    recent = TableSnapshot(3, 2, AT - DAY, is_replace=False)
    assert expired(READINGS, [before, held, recent], refs[:1], AT).snapshots == (1,)


# Orphan files


def test_orphan_files_are_removed_when_no_run_can_need_them(fragmented, tmp_path):
    lake = tmp_path / "lake"
    folder = lake / "trusted" / READINGS.name
    old, young = folder / "data" / "killed" / "old.parquet", folder / "data" / "young.parquet"
    meta = folder / "metadata" / "old.avro"
    for path in (old, young, meta):
        write_aged(path, ORPHAN_AGE + DAY if path != young else ORPHAN_AGE - DAY)
    known = parquet_files(folder) - {old}
    assert [done.removed for done in maintain(fragmented) if done.table == READINGS.name] == [2]
    assert parquet_files(folder) >= known
    assert [path.exists() for path in (old, meta, young)] == [False, False, True]
    assert rows(fragmented, READINGS.name).total() == 2 * MIN_SMALL_FILES - 1


def test_an_old_empty_folder_is_removed(fragmented, tmp_path):
    folder = tmp_path / "lake" / "trusted" / READINGS.name / "data"
    for name, age in (("old", ORPHAN_AGE + DAY), ("young", ORPHAN_AGE - DAY)):
        (folder / name).mkdir()
        at = (now() - age).replace(tzinfo=UTC).timestamp()
        os.utime(folder / name, (at, at))
    maintain(fragmented)
    assert [(folder / name).exists() for name in ("old", "young")] == [False, True]


def test_staged_files_of_a_killed_run_are_removed(engine, tmp_path):
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


def test_a_lake_that_was_copied_removes_nothing_of_the_first(fragmented, connect, tmp_path):
    """Its catalog still names the files of the first, and knows nothing of what that has written since."""
    shutil.copytree(tmp_path / "lake", tmp_path / "copy")
    copy = connect(tmp_path / "copy")
    add(fragmented, "bob", [FIRST])
    with pytest.raises(LakeError, match="expected the table at"):
        copy.maintenance.remove_orphans(READINGS, now() + LATER)
    assert rows(fragmented, READINGS.name).total() == 2 * MIN_SMALL_FILES


# A lost history: the catalog names older metadata than it did


def restored(lake: Path) -> Callable[[], None]:
    """Returns what restores the catalog as it is now, beneath an engine that is open."""
    with closing(sqlite3.connect(lake / "catalog.db")) as catalog:
        known = catalog.execute("SELECT metadata_location, table_name FROM iceberg_tables").fetchall()

    def restore() -> None:
        with closing(sqlite3.connect(lake / "catalog.db")) as catalog, catalog:
            catalog.executemany("UPDATE iceberg_tables SET metadata_location = ? WHERE table_name = ?", known)

    return restore


def test_files_that_are_newer_than_the_catalog_knows_are_left(engine, tmp_path):
    engine.prepare(READINGS)
    add(engine, "ann", [FIRST])
    restore, known = restored(tmp_path / "lake"), files(tmp_path / "lake" / "trusted")
    add(engine, "bob", [FIRST, SECOND])
    lost = files(tmp_path / "lake" / "trusted") - known
    restore()
    done = maintenance.maintain(engine, READINGS, now() + LATER)
    assert done.recent_unknown_files > 0
    assert bool(done.errors) == (engine.name == "spark")  # whose commit of rows is several, on each other
    assert lost <= files(tmp_path / "lake" / "trusted")
    assert (
        maintenance.maintain(engine, READINGS, now() + LATER, remove_unknown=True).removed >= done.recent_unknown_files
    )
    assert not lost & parquet_files(tmp_path / "lake" / "trusted")


@pytest.mark.parametrize("how", ["old", "new"])
def test_files_of_a_lost_history_are_left(engine, tmp_path, how):
    """However few they are. Most of the table is from before."""
    engine.prepare(READINGS)
    for n in range(10):
        add(engine, f"old{n}", [FIRST + n * DAY])
    restore, known = restored(tmp_path / "lake"), parquet_files(tmp_path / "lake" / "trusted")
    for n in range(2):
        add(engine, f"ann{n}", [FIRST, SECOND])
    lost = parquet_files(tmp_path / "lake" / "trusted") - known
    if how == "old":
        restore()
    else:
        SqlCatalog("stedi", uri=f"sqlite:///{tmp_path}/lake/catalog.db").drop_table(READINGS.identifier)
        engine.prepare(READINGS)
    add(engine, "bob", [FIRST])
    for _ in range(2):
        done = maintenance.maintain(engine, READINGS, now() + LATER)
        (error,) = done.errors
        assert re.match(r"accelerometer_trusted: expected orphan files of killed .*, got [\d,]+ of the", str(error))
        assert "stedi recover" in str(error)
        assert done.table_bytes > done.unknown_bytes > 0
        assert lost < parquet_files(tmp_path / "lake" / "trusted")
    done = maintenance.maintain(engine, READINGS, now() + LATER, remove_unknown=True)
    assert (done.errors, done.removed >= len(lost)) == ([], True)
    assert rows(engine, READINGS.name, ["user"])["bob",] == 1
    assert not lost & parquet_files(tmp_path / "lake" / "trusted")


def test_expired_files_are_removed_however_many_they_are(engine, tmp_path):
    engine.prepare(READINGS)
    for n in range(20):
        head = engine.head(READINGS)
        engine.replace(READINGS, of(engine, f"ann{n}", [FIRST, SECOND]), head, {})
    before = parquet_files(tmp_path / "lake" / "trusted")
    done = maintenance.maintain(engine, READINGS, now() + LATER)
    assert (done.errors, done.recent_unknown_files, done.snapshots) == ([], 0, 20)
    assert len(parquet_files(tmp_path / "lake" / "trusted")) == 2 < len(before)


def test_expired_files_of_a_clock_in_the_future_are_removed(engine, tmp_path):
    engine.prepare(READINGS)
    for who in ("ann", "bob"):
        engine.replace(READINGS, of(engine, who, [FIRST]), engine.head(READINGS), {})
    (some, other) = parquet_files(tmp_path / "lake" / "trusted")
    for file in (some, other):
        os.utime(file, (2**32, 2**32))
    maintenance.maintain(engine, READINGS, now() + LATER)
    assert len(parquet_files(tmp_path / "lake" / "trusted")) == 1
    assert rows(engine, READINGS.name, ["user"]) == {("bob",): 1}


def test_what_killed_runs_left_is_removed_though_it_is_much(engine, tmp_path):
    """Less than what the table has since."""
    engine.prepare(READINGS)
    add(engine, "ann", [FIRST])
    add(engine, "bob", [FIRST])
    (some, _) = parquet_files(tmp_path / "lake" / "trusted")
    left = some.with_name("left.parquet")
    write_aged(left, ORPHAN_AGE + DAY)
    assert maintenance.maintain(engine, READINGS).removed == 1
    assert not left.exists()


@pytest.mark.parametrize("spelled", ["s3://lake/a%20b=c", "s3a://lake/a%20b=c", "s3n://lake/a%20b=c"])
def test_an_object_has_one_spelling(spelled):
    """Else a file that a table needs would be an orphan file."""
    metadata = {"statistics": [{"statistics-path": spelled}]}
    assert needed_files(metadata) == {"s3://lake/a%20b=c"}


def test_what_a_table_needs_is_what_pyiceberg_finds(fragmented, tmp_path):
    maintain(fragmented)
    fragmented.replace_days(READINGS, [FIRST], of(fragmented, "bob", [FIRST]), fragmented.head(READINGS), {})
    table = table_of(tmp_path / "lake", READINGS)
    expected = {each["file_path"] for each in table.inspect.all_files().to_pylist()}
    expected |= {each["path"] for each in table.inspect.all_manifests().to_pylist()}
    expected |= {snapshot.manifest_list for snapshot in table.snapshots()}
    expected |= {entry.metadata_file for entry in table.metadata.metadata_log}
    needed = needed_files(json.loads(Path(local(table.metadata_location)).read_text()))
    assert needed == {local(path) for path in expected}


def test_the_command_reports_what_was_left(stedi, tmp_path):
    write(tmp_path / "drops", DROPS)
    assert (stedi("land").code, stedi("run").code) == (0, 0)
    folder = tmp_path / "lake" / "trusted" / READINGS.name / "data"
    (folder / "strange.parquet").write_bytes(bytes(10**6))
    os.utime(folder / "strange.parquet", (0, 0))
    said = stedi("maintain", "--json")
    assert (said.code, "--remove-unknown" in said.err) == (1, True)
    tables = {each["table"]: each for each in json.loads(said.out)["tables"]}
    assert tables[READINGS.name]["unknown_bytes"] == 10**6
    assert len(tables) == len(names())
    with stedi_common.open("lake") as lake, pytest.raises(LakeError, match="bytes in unknown files"):
        lake.maintain()
    assert (folder / "strange.parquet").exists()
    assert stedi("maintain", "--remove-unknown").code == 0
    assert not (folder / "strange.parquet").exists()


# Killed maintenance


class Dying:
    """An engine whose maintenance is killed before its n-th step."""

    def __init__(self, engine: Engine, n: int) -> None:
        self._engine, self._left, self.maintenance = engine, n, self

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine.maintenance, name)
        return partial(self._step, found) if name in STEPS else found

    def _step(self, found: Callable[..., Any], *args: Any, **named: Any) -> Any:
        self._left -= 1
        if not self._left:
            raise KilledError
        return found(*args, **named)


@pytest.mark.parametrize("n", range(1, 5))
def test_the_next_maintenance_completes_a_killed_one(fragmented, tmp_path, n):
    before = rows(fragmented, READINGS.name)
    with pytest.raises(KilledError):
        maintenance.maintain(Dying(fragmented, n), READINGS, now() + LATER)
    assert rows(fragmented, READINGS.name) == before
    maintenance.maintain(fragmented, READINGS, now() + LATER)
    assert_clean(fragmented, tmp_path / "lake", before)


def test_the_next_maintenance_completes_one_killed_while_removing(fragmented, tmp_path, monkeypatch):
    before = rows(fragmented, READINGS.name)
    unlink = Path.unlink
    for left in (0, 3):
        monkeypatch.setattr(Path, "unlink", dying_after(left, unlink))
        with pytest.raises(KilledError):
            maintenance.maintain(fragmented, READINGS, now() + LATER)
        assert rows(fragmented, READINGS.name) == before
    monkeypatch.undo()
    maintenance.maintain(fragmented, READINGS, now() + LATER)
    assert_clean(fragmented, tmp_path / "lake", before)


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
    assert len(current) == MIN_SMALL_FILES
    assert parquet_files(lake / "trusted" / READINGS.name) == kept


# Concurrent runs


@SLOW_ON_SPARK
def test_a_run_after_maintenance_has_nothing_to_do(engine, tmp_path, key):
    a_week(engine, tmp_path, key)
    for later in (timedelta(), LATER):
        maintained = maintain(engine, later)
        assert sum(done.files[0] - done.files[1] for done in maintained) > 0 or later
        assert not any(outcome.changed for outcome in run(engine, Policy(), key))
        assert_equal_to_oracle(engine, tmp_path / "drops", NIGHTS[0], key)
    night(engine, tmp_path, key, MIN_SMALL_FILES + 1)
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


@SLOW_ON_SPARK
@pytest.mark.parametrize(
    "later", [pytest.param(timedelta(), id="tonight"), pytest.param(LATER, id="later", marks=pytest.mark.long)]
)
def test_a_run_that_races_maintenance_loses_nothing(engine, connect, tmp_path, key, later):
    a_week(engine, tmp_path, key)
    keeper = connect(tmp_path / "lake")
    interrupted = Interrupted(engine, lambda: maintain(keeper, later))
    for n in range(MIN_SMALL_FILES, MIN_SMALL_FILES + 2):
        try:
            night(interrupted, tmp_path, key, n)
        except (CommitConflictError, EngineError):  # its head has moved, or what it compares with has expired
            run(engine, Policy(), key)
        assert_equal_to_oracle(engine, tmp_path / "drops", NIGHTS[0], key)


def test_a_snapshot_that_has_expired_meanwhile_is_a_conflict_and_its_days_are_not_known(fragmented, connect, tmp_path):
    if fragmented.name == "spark":
        pytest.skip("Spark looks the table up each time")
    keeper, start = connect(tmp_path / "lake"), first_of(fragmented, READINGS)
    old = fragmented.head(READINGS)
    keeper.replace(READINGS, of(keeper, "bob", [SECOND]), keeper.head(READINGS), {})
    maintain(keeper, LATER)
    with pytest.raises(CommitConflictError):
        fragmented.read(READINGS, old)
    assert fragmented.changed_days(READINGS, start, old) is None


def test_compaction_is_skipped_because_of_a_commit_conflict(fragmented, connect, tmp_path):
    if fragmented.name == "spark":
        pytest.skip("Iceberg's own actions cannot be stopped in between")
    other = connect(tmp_path / "lake")
    rewrite = fragmented.maintenance._rewrite

    def slow(*args: Any) -> Any:
        add(other, "bob", [FIRST])
        return rewrite(*args)

    fragmented.maintenance._rewrite = slow
    done = maintenance.maintain(fragmented, READINGS, now())
    assert (done.skipped, done.files[1]) == (("compaction",), done.files[0] + 1)
    assert rows(fragmented, READINGS.name, ["user"])[("bob",)] == 1
    assert len(parquet_files(tmp_path / "lake" / "trusted" / READINGS.name)) == 2 * MIN_SMALL_FILES
    fragmented.maintenance._rewrite = rewrite
    assert maintenance.maintain(fragmented, READINGS, now()).skipped == ()


def test_expiry_keeps_a_snapshot_that_was_tagged_meanwhile(fragmented, tmp_path):
    if fragmented.name == "spark":
        pytest.skip("Iceberg's own expiry cannot be stopped in between")
    old = fragmented.head(READINGS)
    add(fragmented, "bob", [FIRST])
    catalog = fragmented.maintenance._catalog

    class Slow:
        def __getattr__(self, name: str) -> Any:
            return getattr(catalog, name)

        def commit_table(self, *args: Any) -> Any:
            with table_of(tmp_path / "lake", READINGS).manage_snapshots() as change:
                change.create_tag(old.snapshot_id, "paper")
            return catalog.commit_table(*args)

    fragmented.maintenance._catalog = Slow()
    with pytest.raises(CommitConflictError):
        fragmented.maintenance.expire(READINGS, now() + LATER)
    assert fragmented.snapshot(READINGS, old.snapshot_id) == old


def test_a_commit_whose_branch_has_expired_is_rejected(connect_to, tmp_path):
    """Iceberg would create the branch again where the table is by then: on top of what the run has not seen."""
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


# Deletion of withdrawn rows


@SLOW_ON_SPARK
@pytest.mark.rule(14)
def test_no_byte_of_a_withdrawn_person_is_left_in_trusted_and_curated(engine, tmp_path, key):
    lake, c = tmp_path / "lake", CAST
    gone = identifiers_of(c.bob, key)
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
    assert holding(lake, identifiers_of(c.ann, key)) == identifiers_of(c.ann, key)
    assert not any(outcome.changed for outcome in run(engine, Policy(), key))


def identifiers_of(email: str, key: Any) -> set[bytes]:
    """What identifies a person: the email, and as much of the pseudonym as a bound in a manifest has."""
    return {email.encode(), key.pseudonym(email)[:16].encode()}


def holding(lake: Path, words: set[bytes]) -> set[bytes]:
    """Those of the words that a file of trusted or curated holds, packed or not."""
    below = [path for zone in ("trusted", "curated") for path in files(lake / zone)]
    return {word for path in below for content in canaries.unpacked(path) for word in words if word in content}


# The lakes of these tests


def a_week(engine: Engine, folder: Path, key: Any) -> None:
    """As many nights as make compaction worth it; readings of one day land in all of them."""
    for n in range(MIN_SMALL_FILES):
        night(engine, folder, key, n)


def night(engine: Engine, folder: Path, key: Any, n: int) -> None:
    c = CAST
    people = [c.record(c.ann, 1, 1)] if not n else [c.record(c.bob, n, n % 2 or None, device=2)]
    clock = f"10:{n:02}"
    moves = [reading(who, c.on(day, clock)) for who in (c.ann, c.bob) for day in (1, n % 7 + 2)]
    steps = [step(c.device(device), c.on(1, clock)) for device in (1, 2)]
    land_and_run(engine, folder, key, c.night(people, moves, steps, name=str(n)))


def add_person(engine: Engine, email: str) -> Head:
    someone = [dict(zip(PEOPLE.names, person(email), strict=True))]
    return engine.append(PEOPLE, engine.frame(PEOPLE, someone), engine.head(PEOPLE), {})


def person(email: str) -> tuple[Any, ...]:
    return tuple(email if name == "email" else None for name in PEOPLE.names)


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
