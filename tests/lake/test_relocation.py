"""A lake that was copied or moved is recognised by every command, and works where it is once it is relocated."""

import gzip
import hashlib
import shutil
import sqlite3
from pathlib import Path

import pytest
from support.cli import EVERY_COMMAND
from support.drops import at, customer, landing, reading, step
from support.lakes import SLOW_ON_SPARK, KilledError, table_of, write

import stedi_common
from stedi_common.checks import check
from stedi_common.checks import opened as opened_for_check
from stedi_common.checks.check import Remedy
from stedi_common.contracts import contract
from stedi_common.engines.storage import relocation
from stedi_common.engines.storage.relocation import relocate
from stedi_common.errors import LakeError, StorageError
from stedi_common.lake import Lake, local_path
from stedi_common.lake.mark import Mark
from stedi_common.lake.properties import LakeProperties

ANN, BOB = "ann@example.org", "bob@example.org"
DROPS = landing(
    [customer(who, at("08:00"), at("08:00"), f"sn-{who}") for who in (ANN, BOB)],
    [reading(who, at("09:00")) for who in (ANN, BOB)],
    [step(f"sn-{who}", at("09:00")) for who in (ANN, BOB)],
)
EMBEDDED = pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)


@pytest.fixture(scope="module")
def made(engine_name, tmp_path_factory):
    """A folder with a lake that has a history, made by the engine."""
    folder = tmp_path_factory.mktemp(engine_name)
    write(folder / "drops", DROPS)
    (folder / "key").write_text("00" * 32)
    (folder / "key").chmod(0o600)
    with opened(folder, "lake", engine_name) as lake:
        lake.land(folder / "drops")
        lake.run()
    write(folder / "drops", landing([], [reading(ANN, at("09:30"))], [step(f"sn-{ANN}", at("09:30"))], "second"))
    with opened(folder, "lake", engine_name) as lake:
        lake.land(folder / "drops")
        lake.run()
    return folder


@pytest.fixture(scope="module")
def small(made, tmp_path_factory):
    """A folder with a lake of landing tables only, which has few files."""
    folder = tmp_path_factory.mktemp("small")
    shutil.copy(made / "key", folder / "key")
    with opened(folder, "lake", "embedded") as lake:
        lake.land(made / "drops")
    return folder


@pytest.fixture
def folder(made, tmp_path):
    """A folder of this test alone, with a copy of the lake."""
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    return tmp_path


def opened(folder: Path, name: str, engine: str):
    return stedi_common.open(folder / name, engine=engine, pseudonym_key_file=folder / "key")


def contents(folder: Path, name: str, engine: str):
    """The rows of every table at every snapshot, in order."""
    with opened(folder, name, engine) as lake:
        return {
            (table, each.id): sorted(lake.read(table, snapshot=each.id).arrow().to_pylist(), key=str)
            for table in (each.table.partition(".")[2] for each in lake.status())
            for each in lake.snapshots(table)
        }


def digests(folder: Path) -> dict[str, str]:
    files = (file for file in sorted(folder.rglob("*")) if file.is_file())
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


@SLOW_ON_SPARK
def test_a_copy_works_where_it_is_and_leaves_the_original_alone(made, folder, engine_name):
    original, before = contents(made, "lake", engine_name), digests(made)
    assert relocate(Lake.at(str(folder / "lake"))).files > 0
    assert contents(folder, "lake", engine_name) == original
    write(folder / "drops", landing([customer(BOB, at("10:00"))], [reading(ANN, at("09:45"))], [], "third"))
    with opened(folder, "lake", engine_name) as lake:
        lake.land(folder / "drops")
        lake.run()
        lake.maintain()
        assert set(lake.read("accelerometer_trusted").arrow()["user"].to_pylist()) == {ANN}
    assert digests(made) == before
    assert str(made).encode() not in b"".join(file.read_bytes() for file in (folder / "lake").rglob("*.json"))
    kept, copied = (LakeProperties.of(Lake.at(str(each / "lake"))) for each in (made, folder))
    assert kept.id != copied.id
    assert (kept.policy, kept.environment, kept.key) == (copied.policy, copied.environment, copied.key)


@SLOW_ON_SPARK
def test_the_other_engine_reads_it(folder, engine_name, connect_to):
    relocate(Lake.at(str(folder / "lake")))
    other = {"embedded": "spark", "spark": "embedded"}[engine_name]
    assert contents(folder, "lake", other) == contents(folder, "lake", engine_name)


@EMBEDDED
def test_a_lake_that_was_moved_stays_the_same_lake(folder):
    relocate(Lake.at(str(folder / "lake")))
    before = LakeProperties.of(Lake.at(str(folder / "lake")))
    (folder / "lake").rename(folder / "lake too")
    assert relocate(Lake.at(str(folder / "lake too"))).id == before.id
    assert relocate(Lake.at(str(folder / "lake too"))).files == 0
    assert len(contents(folder, "lake too", "embedded")) > 0


@EMBEDDED
def test_every_command_refuses_a_copy(folder, stedi):
    before = digests(folder / "lake")
    for command in EVERY_COMMAND:
        code, out, err = stedi(*command)
        assert (code, out) == (1, ""), command
        assert "a copy or a lake that was moved" in err
        assert "stedi relocate" in err
    assert digests(folder / "lake") == before
    assert "metadata files rewritten" in stedi("relocate").out
    assert stedi("status").code == 0


@EMBEDDED
def test_a_link_to_the_lake_is_no_other_place(made, tmp_path):
    (tmp_path / "link").symlink_to(made / "lake")
    assert LakeProperties.of(Lake.at(str(tmp_path / "link"))) == LakeProperties.of(Lake.at(str(made / "lake")))


def test_a_name_that_begins_like_that_of_the_lake_is_another_place():
    moved = relocation._Move("/data/lake", "/data/other")
    paths = [
        "file:///data/lake/a",
        "file:/data/lake/a",
        "/data/lake",
        "/data/lake2/a",
        "file:///data/lakes",
        "data/lake",
    ]
    assert moved(paths) == [
        *(
            "file:///data/other/a",
            "file:/data/other/a",
            "/data/other",
            "/data/lake2/a",
            "file:///data/lakes",
            "data/lake",
        )
    ]


def test_a_path_by_a_link_or_through_another_folder_is_in_the_lake(tmp_path):
    """As earlier versions wrote it."""
    for folder in ("real", "work"):
        (tmp_path / folder).mkdir()
    (tmp_path / "link").symlink_to("real")
    moved = relocation._Move(f"{tmp_path}/real/lake", "/data/other")
    for written in (f"{tmp_path}/work/../real/lake/a", f"{tmp_path}/link/lake/a", f"{tmp_path}/real/lake/a"):
        assert moved([f"file://{written}", written]) == ["file:///data/other/a", "/data/other/a"]


@EMBEDDED
def test_metadata_have_the_real_path_of_the_lake(made, tmp_path):
    (tmp_path / "link").symlink_to(made / "lake")
    (tmp_path / "work").mkdir()
    for location in (tmp_path / "link", tmp_path / "work" / ".." / "link"):
        assert Lake.at(str(location)).location == str(made / "lake")


@SLOW_ON_SPARK
@pytest.mark.parametrize("killed_after", [0, 1, 7, 20])
def test_what_was_killed_is_refused_until_it_is_done_again(made, folder, engine_name, monkeypatch, killed_after):
    done = iter(range(killed_after))
    replace = Path.replace

    def killing(self, target):
        if next(done, None) is None:
            raise KeyboardInterrupt
        return replace(self, target)

    lake = Lake.at(str(folder / "lake"))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killing)
        with pytest.raises(KeyboardInterrupt):
            relocate(lake)
    with pytest.raises(LakeError, match="a copy or a lake that was moved"):
        LakeProperties.of(lake)
    relocate(lake)
    assert contents(folder, "lake", engine_name) == contents(made, "lake", engine_name)


#: Where a lake was, and where it is now. In some of them a path in one folder is a path in the other, too.
MOVES = {
    "below": ("lake", "lake/lake"),
    "below, in a folder named as a zone": ("lake", "lake/landing"),
    "below, in a folder named as a table": ("lake", "lake/landing/customer_landing"),
    "above": ("lake/lake", "lake"),
    "above, from a folder named as a zone": ("lake/landing", "lake"),
    "beside, with a longer name": ("lake", "lake2"),
    "beside, with a shorter name": ("lake2", "lake"),
    "special characters": ("la.e+(1)", "la.e+(1)/100%25 [a] {} $& ^*'"),
}


def moved_to(folder: Path, old: str, new: str) -> Lake:
    """Move a lake to a place that may be in it, or around it."""
    (folder / old).rename(folder / "between")
    shutil.rmtree(folder / new, ignore_errors=True)
    (folder / new).parent.mkdir(parents=True, exist_ok=True)
    (folder / "between").rename(folder / new)
    return Lake.at(str(folder / new))


def killed_at_each_step(lake: Lake, monkeypatch) -> int:
    """Relocate the lake, killed whenever one more file was replaced. Returns how often it was killed."""
    replace = Path.replace

    def killing(self, target):
        replace(self, target)
        raise KilledError

    for kills in range(1000):
        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", killing)
            try:
                relocate(lake)
            except KilledError:
                continue
        return kills
    raise AssertionError


@EMBEDDED
@pytest.mark.parametrize(("old", "new"), MOVES.values(), ids=[*MOVES])
def test_a_path_is_rewritten_once_however_often_it_is_killed(small, folder, monkeypatch, old, new):
    shutil.rmtree(folder / "lake")
    shutil.copytree(small / "lake", folder / "lake")
    relocate(moved_to(folder, "lake", old))
    lake = moved_to(folder, old, new)
    assert killed_at_each_step(lake, monkeypatch) > 20
    assert contents(folder, new, "embedded") == contents(small, "lake", "embedded")
    after = digests(lake.folder)
    assert relocate(lake).files == 0
    assert digests(lake.folder) == after


@EMBEDDED
def test_gzipped_metadata_are_rewritten_too(folder):
    file = next((folder / "lake" / "trusted").rglob("*.metadata.json"))
    zipped = file.with_name(file.name.replace(".metadata.json", ".gz.metadata.json"))
    zipped.write_bytes(gzip.compress(file.read_bytes()))
    relocate(Lake.at(str(folder / "lake")))
    assert gzip.decompress(zipped.read_bytes()) == file.read_bytes()
    assert str(folder).encode() in file.read_bytes()


@EMBEDDED
@pytest.mark.parametrize("pattern", ["*-m0.avro", "snap-*.avro", "*.metadata.json"])
def test_a_damaged_file_is_named(folder, pattern):
    file = next((folder / "lake" / "trusted").rglob(pattern))
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(LakeError, match="expected a metadata file of Iceberg, got one that is damaged") as refused:
        relocate(Lake.at(str(folder / "lake")))
    assert str(file) in str(refused.value)


@EMBEDDED
@pytest.mark.parametrize("table", ["customer_trusted", "customer_landing"])
def test_damaged_metadata_of_a_relocated_lake_are_found(folder, table):
    """They are no longer the bytes that their checksums are of."""
    lake = Lake.at(str(folder / "lake"))
    relocate(lake)
    of = contract(table)
    local_path(table_of(lake.folder, of).metadata_location).write_bytes(b"{")
    with opened_for_check(lake) as connected:
        found = {finding.table: finding.remedy for finding in check(connected).findings}
    assert found[of.identifier] == (Remedy.REBUILD if of.zone == "trusted" else Remedy.RESTORE_FILE)


@EMBEDDED
def test_a_lake_that_does_not_say_where_it_was_made_cannot_be_relocated(folder):
    (folder / "lake" / "lake.json").unlink()
    with pytest.raises(LakeError, match=r"expected a folder with lake\.json"):
        relocate(Lake.at(str(folder / "lake")))


@EMBEDDED
@pytest.mark.parametrize("problem", ["database or disk is full", "disk I/O error", "database is locked"])
def test_a_catalog_that_cannot_be_written_now_is_not_taken_for_damaged(folder, monkeypatch, problem):
    """Nobody is told to move it away."""

    def fails(*_):
        raise sqlite3.OperationalError(problem)

    with monkeypatch.context() as patch:
        patch.setattr(Mark, "write", fails)
        with pytest.raises(StorageError, match=f"catalog.db: expected .*, got: {problem}") as refused:
            relocate(Lake.at(str(folder / "lake")))
    assert "move" not in str(refused.value)
    relocate(Lake.at(str(folder / "lake")))
    assert len(contents(folder, "lake", "embedded")) > 0
