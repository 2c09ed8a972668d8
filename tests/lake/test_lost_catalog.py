"""A catalog that is lost, emptied, new or an old copy: every command refuses the lake, and `stedi recover` mends it."""

import gzip
import json
import os
import shutil
import signal
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from support.cli import error_lines
from support.drops import at, customer, landing, reading, step
from support.lakes import SLOW_ON_SPARK, opening, write
from support.processes import FORKED, PATIENCE, kill, wait_for

import stedi_common
from stedi_common import jobs
from stedi_common.contracts import contract, names
from stedi_common.engines.embedded.recovery import recover
from stedi_common.engines.storage.catalog_guard import expect_known_metadata
from stedi_common.engines.storage.metadata_files import HINT, metadata_files
from stedi_common.engines.storage.relocation import relocate
from stedi_common.errors import LakeError, MissingLinesError
from stedi_common.lake import Lake

ANN = "ann@example.org"
DROPS = landing(
    [customer(ANN, at("08:00"), at("08:00"), "sn-1")], [reading(ANN, at("09:00"))], [step("sn-1", at("09:00"))]
)
LATER = landing([], [reading(ANN, at("09:30"))], [step("sn-1", at("09:30"))], "second")
READINGS = contract("accelerometer_trusted")
#: Each opens the lake for work.
COMMANDS = (
    *(("land",), ("run",), ("run", "--plan"), ("maintain",), ("status",), ("query", "SELECT 1")),
    ("demo", "--landing", "drops"),
)
EMBEDDED = pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)


@pytest.fixture(scope="module")
def made(engine_name, tmp_path_factory):
    """A folder with a lake of two nights, made by the engine, and copies of its catalog from before."""
    folder = tmp_path_factory.mktemp(engine_name)
    (folder / "key").write_text("00" * 32)
    (folder / "key").chmod(0o600)
    for n, drops in enumerate((DROPS, LATER)):
        write(folder / "drops", drops)
        with opened(folder, engine_name) as lake:
            lake.land(folder / "drops")
            lake.run()
        shutil.copy(folder / "lake" / "catalog.db", folder / f"night-{n}.db")
    return folder


@pytest.fixture
def folder(made):
    """The same folder: a lake knows its place. The test may do with it what it wants."""
    shutil.copytree(made / "lake", made / "kept")
    yield made
    shutil.rmtree(made / "lake")
    (made / "kept").rename(made / "lake")


def opened(folder: Path, engine: str):
    return opened_at(folder, folder / "lake", engine)


def opened_at(folder: Path, lake: Path, engine: str = "embedded"):
    return stedi_common.open(lake, engine=engine, landing=str(folder / "drops"), pseudonym_key_file=folder / "key")


def contents(folder: Path, engine: str):
    """The rows of every table at every snapshot, in order."""
    with opened(folder, engine) as lake:
        return {
            (table, each.id): sorted(lake.read(table, snapshot=each.id).arrow().to_pylist(), key=str)
            for table in names()
            for each in lake.snapshots(table)
        }


def lose(folder: Path, how: str) -> None:
    """What becomes of a catalog."""
    catalog = folder / "lake" / "catalog.db"
    content = catalog.read_bytes()
    catalog.unlink()
    if how == "new":
        with opening() as connect:
            connect("embedded", folder / "other")
        shutil.copy(folder / "other" / "catalog.db", catalog)
    elif how == "foreign":
        with opened_at(folder, folder / "foreign") as lake:
            lake.land(folder / "drops")
            lake.run()
        shutil.copy(folder / "foreign" / "catalog.db", catalog)
        shutil.rmtree(folder / "foreign")
    elif how == "old":
        shutil.copy(folder / "night-0.db", catalog)
    elif how != "gone":
        catalog.write_bytes({"empty": b"", "junk": b"hello\n" * 500, "cut": content[: len(content) // 2]}[how])


HOW = ("gone", "empty", "new", "foreign", "old", "junk", "cut")


def everything(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@EMBEDDED
@pytest.mark.parametrize("how", HOW)
def test_every_command_refuses_it_and_writes_nothing(folder, stedi, monkeypatch, how):
    monkeypatch.chdir(folder)
    lose(folder, how)
    before = everything(folder / "lake")
    for command in COMMANDS:
        key = ("--key-file", "key") if command[0] in {"land", "run", "demo"} else ()
        _, hint = error_lines(stedi(*command, *key))
        assert "stedi recover" in hint, command
    with pytest.raises(LakeError, match="stedi recover"), opened(folder, "embedded") as lake:
        lake.status()
    assert "stedi recover" in str(jobs.maintain(["--lake", "lake", "--engine", "embedded"]))
    assert everything(folder / "lake") == before


@EMBEDDED
def test_the_error_names_the_table_and_the_files(folder, stedi, monkeypatch):
    monkeypatch.chdir(folder)
    tables = [each.parent for each in Lake.at("lake").metadata_folders]
    (old,) = {path.name for path in newest(tables[0])}
    lose(folder, "old")
    (error, _) = error_lines(stedi("status"))
    known = error.partition(", got ")[2].partition(";")[0]
    assert error.startswith(f"error: landing.{tables[0].name}: expected catalog.db to know the metadata {old}, got 0")
    assert (tables[0] / "metadata" / known).exists()


@pytest.mark.parametrize("how", HOW)
@SLOW_ON_SPARK
def test_it_is_recovered(folder, engine_name, how):
    before = contents(folder, engine_name)
    lose(folder, how)
    done = recover(Lake.at(str(folder / "lake")))
    assert {each.table.partition(".")[2] for each in done.tables} == {*names()}
    if how == "gone":
        assert done.previous_catalog is None
    else:
        assert (folder / "lake" / done.previous_catalog).stat().st_mode & 0o777 == 0o600
    assert not list((folder / "lake").glob(".staging-*"))
    assert contents(folder, engine_name) == before
    with opened(folder, engine_name) as lake:
        assert [landed.files for landed in lake.land()] == [0, 0, 0]
        assert not any(outcome.changed for outcome in lake.run())
    assert not recover(Lake.at(str(folder / "lake"))).changed


@EMBEDDED
@pytest.mark.parametrize(("of_lake", "expected"), [(0o700, 0o600), (0o750, 0o640)])
@pytest.mark.parametrize("how", ["gone", "empty", "folder"])
def test_who_may_read_the_lake_may_read_the_recovered_catalog(folder, how, of_lake, expected):
    """And nobody else, whatever has been in its place."""
    catalog = folder / "lake" / "catalog.db"
    lose(folder, "gone" if how == "folder" else how)
    if how == "folder":
        catalog.mkdir(mode=0o755)
    (folder / "lake").chmod(of_lake)
    recover(Lake.at(str(folder / "lake")))
    assert stat.S_IMODE(catalog.stat().st_mode) == expected
    (folder / "lake").chmod(0o700)


@pytest.mark.long
@pytest.mark.parametrize("engine_name", ["embedded", "spark"], indirect=True)
def test_the_other_engine_reads_and_writes_it(folder, engine_name, connect_to):
    before = contents(folder, engine_name)
    lose(folder, "gone")
    recover(Lake.at(str(folder / "lake")))
    other = {"embedded": "spark", "spark": "embedded"}[engine_name]
    assert contents(folder, other) == before
    write(folder / "drops", landing([], [reading(ANN, at("09:45"))], [], "third"))
    with opened(folder, other) as lake:
        assert sum(landed.landed for landed in lake.land()) == 1
        lake.run()
    (folder / "drops" / "accelerometer" / "third.json").unlink(missing_ok=True)


@EMBEDDED
def test_another_prefix_is_refused_before_anything_is_written(folder, stedi, monkeypatch):
    """The tables of two prefixes would have the same folders, and each the metadata of the other."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("STEDI_DATABASE_PREFIX", "other")
    before = everything(folder / "lake")
    for command in (*COMMANDS, ("check",)):
        key = ("--key-file", "key") if command[0] in {"land", "run", "demo"} else ()
        error, hint = error_lines(stedi(*command, *key))
        assert "expected it in the database other_landing, got landing" in error, command
        assert "--database-prefix" in hint
    assert everything(folder / "lake") == before


@EMBEDDED
def test_the_command_says_what_it_registered(folder, stedi, monkeypatch):
    monkeypatch.chdir(folder)
    with opened(folder, "embedded") as lake:
        expected = {each.table: each.rows for each in lake.status()}
    lose(folder, "old")
    said = json.loads(stedi("recover", "--json").out)
    assert {each["table"]: each["rows"] for each in said["tables"]} == expected
    (readings,) = [each for each in said["tables"] if each["table"] == f"trusted.{READINGS.name}"]
    assert readings["metadata"] > readings["previous_metadata"]
    assert (said["changed"], (folder / "lake" / said["previous_catalog"]).exists()) == (True, True)
    again = stedi("recover")
    assert "Nothing was changed" in again.out
    assert again.code == 0


@EMBEDDED
def test_a_table_of_somebody_else_stays_in_the_catalog(folder):
    with closing(sqlite3.connect(folder / "lake" / "catalog.db")) as catalog, catalog:
        catalog.execute(
            "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location) "
            "VALUES ('stedi', 'mine', 'notes', '/elsewhere/mine/notes/metadata/v1.metadata.json')"
        )
    newest_of(folder / "lake", "trusted", READINGS.name)[0].with_name(HINT).unlink()
    leave(folder / "lake", READINGS, 2)
    with pytest.raises(LakeError):
        expect_known_metadata(Lake.at(str(folder / "lake")), writes=True)
    recover(Lake.at(str(folder / "lake")))
    with closing(sqlite3.connect(folder / "lake" / "catalog.db")) as catalog:
        assert catalog.execute("SELECT count(*) FROM iceberg_tables WHERE table_namespace = 'mine'").fetchone() == (1,)


@EMBEDDED
def test_a_lake_that_a_run_writes_to_is_not_recovered(folder, connect):
    connect(folder / "lake")
    with pytest.raises(LakeError, match="expected no other run"):
        recover(Lake.at(str(folder / "lake")))


@EMBEDDED
def test_a_moved_lake_is_relocated_first(folder, tmp_path):
    shutil.copytree(folder / "lake", tmp_path / "lake")
    (tmp_path / "lake" / "catalog.db").unlink()
    shutil.copy(folder / "key", tmp_path / "key")
    before = contents(folder, "embedded")
    lake = Lake.at(str(tmp_path / "lake"))
    with pytest.raises(LakeError, match="stedi relocate"):
        recover(lake)
    relocate(lake)
    recover(lake)
    assert contents(tmp_path, "embedded") == before


def test_a_folder_without_a_lake_is_not_recovered(stedi):
    error, hint = error_lines(stedi("recover"))
    assert error.endswith("expected a folder with catalog.db, got none")
    assert hint == "hint:  land drops first: stedi land"


# What tells a lost catalog from a killed commit


def newest(table: Path) -> list[Path]:
    """The metadata files of the newest version."""
    files = metadata_files(table / "metadata")
    return [file.path for file in files if file.version == files[0].version]


def newest_of(lake: Path, zone: str, table: str) -> list[Path]:
    return newest(lake / zone / table)


def leave(lake: Path, of, ahead: int, content: str | None = None) -> Path:
    """Leave a metadata file so many versions ahead, by default with what the newest says."""
    (file,) = newest(lake / of.zone / of.name)
    left = file.with_name(f"{int(file.name[:5]) + ahead:05}-{uuid4()}.metadata.json")
    left.write_text(file.read_text() if content is None else content)
    return left


@pytest.fixture
def lake(connect, tmp_path) -> Lake:
    """A lake with one table, and no run on it."""
    engine = connect(tmp_path / "lake")
    engine.prepare(READINGS)
    engine.append(READINGS, engine.frame(READINGS, []), engine.head(READINGS), {})
    engine.close()
    return Lake.at(str(tmp_path / "lake"))


def refuses(lake: Lake) -> bool:
    try:
        expect_known_metadata(lake, writes=False)
    except LakeError:
        return True
    return False


@EMBEDDED
def test_metadata_two_versions_ahead_were_committed(lake):
    assert not refuses(lake)
    leave(lake.folder, READINGS, 0)
    left = leave(lake.folder, READINGS, 1) if len(newest_of(lake.folder, "trusted", READINGS.name)) == 1 else None
    assert left is None
    assert not refuses(lake)
    for path in newest_of(lake.folder, "trusted", READINGS.name)[1:]:
        path.unlink()
    leave(lake.folder, READINGS, 1)
    assert not refuses(lake)
    leave(lake.folder, READINGS, 1)
    assert refuses(lake)


@EMBEDDED
def test_metadata_one_version_ahead_were_committed_if_it_is_recorded(lake):
    left = leave(lake.folder, READINGS, 1)
    assert not refuses(lake)
    left.with_name(HINT).write_text(left.name.removesuffix(".metadata.json"))
    assert refuses(lake)


@EMBEDDED
def test_other_metadata_of_the_same_version_are_another_history(lake):
    left = leave(lake.folder, READINGS, 0)
    assert not refuses(lake)
    left.with_name(HINT).write_text(left.name.removesuffix(".metadata.json"))
    assert refuses(lake)


@EMBEDDED
def test_gzipped_metadata_count_too(lake):
    left = leave(lake.folder, READINGS, 2)
    left.with_name(left.name.replace(".metadata.json", ".gz.metadata.json")).write_bytes(
        gzip.compress(left.read_bytes())
    )
    left.unlink()
    assert refuses(lake)
    (table,) = recover(lake).tables
    assert table.metadata.endswith(".gz.metadata.json")
    assert not refuses(lake)
    with opening() as connect:
        assert connect("embedded", lake.folder).head(READINGS).rows == 0


@EMBEDDED
def test_a_reader_records_nothing(lake):
    hint = next(lake.folder.rglob(HINT))
    hint.unlink()
    expect_known_metadata(lake, writes=False)
    assert not hint.exists()
    expect_known_metadata(lake, writes=True)
    assert hint.read_text() == newest_of(lake.folder, "trusted", READINGS.name)[0].name.removesuffix(".metadata.json")


@SLOW_ON_SPARK
def test_the_last_commit_is_recorded(lake):
    """Also Spark's, whose commits are made in Java."""
    (file,) = newest_of(lake.folder, "trusted", READINGS.name)
    assert (file.parent / HINT).read_text() == file.name.removesuffix(".metadata.json")


def test_a_lake_in_s3_has_another_catalog():
    expect_known_metadata(Lake.at("s3://bucket/lake"), writes=True)


# What is taken for the newest


@EMBEDDED
@pytest.mark.parametrize("content", ["", '{"loca', "[]"])
def test_half_written_metadata_are_not_taken(lake, content):
    (file,) = newest_of(lake.folder, "trusted", READINGS.name)
    file.with_name(HINT).unlink()
    leave(lake.folder, READINGS, 1, content)
    Path(lake.catalog_uri).unlink()
    (table,) = recover(lake).tables
    assert table.metadata == file.name
    assert not refuses(lake)


@EMBEDDED
def test_metadata_of_files_that_are_gone_are_not_taken(lake):
    """A commit that came second has removed its files, and left its metadata."""
    (file,) = newest_of(lake.folder, "trusted", READINGS.name)
    file.with_name(HINT).unlink()
    lost = json.loads(file.read_text())
    for snapshot in lost["snapshots"]:
        snapshot["manifest-list"] += ".gone"
    leave(lake.folder, READINGS, 1, json.dumps(lost))
    Path(lake.catalog_uri).unlink()
    assert recover(lake).tables[0].metadata == file.name


@EMBEDDED
def test_a_commit_that_is_not_recorded_counts_as_killed(lake):
    (file,) = newest_of(lake.folder, "trusted", READINGS.name)
    left = leave(lake.folder, READINGS, 1)
    assert not recover(lake).changed
    Path(lake.catalog_uri).unlink()
    assert recover(lake).tables[0].metadata == file.name
    file.with_name(HINT).unlink()
    Path(lake.catalog_uri).unlink()
    assert recover(lake).tables[0].metadata == left.name


@EMBEDDED
def test_of_one_version_the_recorded_metadata_are_taken(lake):
    (file,) = newest_of(lake.folder, "trusted", READINGS.name)
    second = json.loads(file.read_text())
    leave(lake.folder, READINGS, 0, json.dumps({**second, "last-updated-ms": second["last-updated-ms"] + 1}))
    Path(lake.catalog_uri).unlink()
    assert recover(lake).tables[0].metadata == file.name


@EMBEDDED
def test_damaged_metadata_that_were_committed_are_named(lake):
    (file,) = newest_of(lake.folder, "trusted", READINGS.name)
    file.write_text("{")
    Path(lake.catalog_uri).unlink()
    with pytest.raises(LakeError, match="expected the metadata of a table, got a damaged file") as refused:
        recover(lake)
    assert str(file) in str(refused.value)
    assert not Path(lake.catalog_uri).exists()


# Metadata that are lost, too


CUSTOMERS = contract("customer_landing")
LEAVES = landing([customer(ANN, at("10:00"))], name="third")


def lose_newest(lake: Path, of, *, hint: bool) -> str:
    """Remove the newest metadata of a table, and perhaps what says that they were there. Returns their version."""
    version = newest(lake / of.zone / of.name)[0].name[:5]
    for path in newest(lake / of.zone / of.name):
        path.unlink()
    if hint:
        (lake / of.zone / of.name / "metadata" / HINT).unlink()
    return version


@EMBEDDED
@pytest.mark.parametrize("table", ["customer_landing", "landed_files", "customer_trusted"])
def test_later_metadata_that_are_gone_are_named(folder, table):
    of = contract(table)
    version = lose_newest(folder / "lake", of, hint=False)
    (folder / "lake" / "catalog.db").unlink()
    with pytest.raises(LakeError, match=f"{table}: expected the metadata {version}-.*, got .* as the newest"):
        recover(Lake.at(str(folder / "lake")))
    assert not (folder / "lake" / "catalog.db").exists()


@EMBEDDED
def test_a_table_whose_metadata_are_all_gone_is_named(folder):
    while newest(folder / "lake" / "landing" / "customer_landing"):
        lose_newest(folder / "lake", CUSTOMERS, hint=False)
    with pytest.raises(LakeError, match=r"customer_landing: expected the metadata .*, got none"):
        recover(Lake.at(str(folder / "lake")))


@EMBEDDED
def test_a_lost_withdrawal_brings_nobody_back(folder, stedi, monkeypatch):
    """Nothing but the table of landed files tells of it."""
    monkeypatch.chdir(folder)
    write(folder / "drops", LEAVES)
    with opened(folder, "embedded") as lake:
        lake.land()
        lake.run()
        assert lake.read("customer_trusted").arrow().num_rows == 0
    lose_newest(folder / "lake", CUSTOMERS, hint=True)
    (folder / "lake" / "catalog.db").unlink()
    said = stedi("recover", "--json")
    assert said.code == 5
    assert [each["remedy"] for each in json.loads(said.out)["findings"]] == ["land_again"]
    with opened(folder, "embedded") as lake:
        for refused in (lake.run, lake.plan):
            with pytest.raises(MissingLinesError, match="expected a row for each of 2 lines"):
                refused()
        assert lake.read("customer_trusted").arrow().num_rows == 0
    assert stedi("run", "--key-file", "key").code == 5
    assert "customers_curated is stale: its task did not run" in str(jobs.lakehouse(arguments(folder, "empty")))
    assert stedi("repair", "--landing", "drops", "--key-file", "key").code == 0
    with opened(folder, "embedded") as lake:
        lake.run()
        assert lake.read("customer_trusted").arrow().num_rows == 0
    (folder / "drops" / "customer" / "third.json").unlink()


def arguments(folder: Path, drops: str) -> list[str]:
    (folder / drops / "customer").mkdir(parents=True, exist_ok=True)
    values = {"lake": folder / "lake", "landing": folder / drops, "pseudonym-key-file": folder / "key"}
    return [*(word for name, value in values.items() for word in (f"--{name}", str(value))), "--engine", "embedded"]


# Commits that are killed between their metadata and the catalog


def commit(engine_name: str, folder: Path, *, creates: bool) -> None:
    os.setsid()
    with opening() as connect_to:
        engine = connect_to(engine_name, folder)
        (folder / "opened").touch()
        while not (folder / "locked").exists():
            time.sleep(0.01)
        if creates:
            engine.prepare(READINGS)
        else:
            engine.append(READINGS, engine.frame(READINGS, []), engine.head(READINGS), {})


@pytest.mark.parametrize("engine_name", ["embedded", pytest.param("spark", marks=pytest.mark.long)])
@pytest.mark.parametrize("creates", [True, False], ids=["creation", "commit"])
def test_a_killed_commit_never_blocks_the_lake(tmp_path, engine_name, creates):
    """The catalog is locked, so the commit waits there with its metadata written. It is killed, three times over."""
    folder = tmp_path / "lake"
    with opening() as connect_to:
        engine = connect_to("embedded", folder)
        if not creates:
            engine.prepare(READINGS)
        else:
            engine.prepare(contract("customer_trusted"))
    for n in range(1, 4):
        killed_before_the_catalog(engine_name, folder, creates=creates)
        files = newest(folder / "trusted" / READINGS.name)
        assert len(files) == n
        expect_known_metadata(Lake.at(str(folder)), writes=False)
    with opening() as connect_to:
        engine = connect_to("embedded", folder)
        engine.prepare(READINGS)
        engine.append(READINGS, engine.frame(READINGS, []), engine.head(READINGS), {})
    assert not refuses(Lake.at(str(folder)))


def killed_before_the_catalog(engine_name: str, folder: Path, *, creates: bool) -> None:
    for flag in ("opened", "locked"):
        (folder / flag).unlink(missing_ok=True)
    before = set(metadata_files(folder / "trusted" / READINGS.name / "metadata"))
    process = FORKED.Process(target=commit, args=(engine_name, folder), kwargs={"creates": creates})
    process.start()
    limit = time.monotonic() + PATIENCE
    while not (folder / "opened").exists():
        assert process.is_alive()
        assert time.monotonic() < limit
        time.sleep(0.01)
    with closing(sqlite3.connect(folder / "catalog.db", isolation_level=None)) as catalog:
        catalog.execute("BEGIN IMMEDIATE")  # others may read, and wait to write
        (folder / "locked").touch()
        while not set(metadata_files(folder / "trusted" / READINGS.name / "metadata")) - before:
            assert process.is_alive()
            assert time.monotonic() < limit
            time.sleep(0.01)
        kill(process)
        assert wait_for(process) == -signal.SIGKILL
        catalog.execute("ROLLBACK")
