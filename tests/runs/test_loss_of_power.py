"""A machine that loses power: what a command has committed is on the disk, with all its files."""

import os
import shutil
from pathlib import Path

import pytest
from pyiceberg.exceptions import NoSuchTableError
from support.commands import finished
from support.commands import stedi as typed
from support.drops import at, customer, landing, reading, step
from support.lakes import table_of, write

from stedi_common.contracts import contract, names
from stedi_common.engines.embedded import files
from stedi_common.lake import local_path

DROPS = landing(
    [customer("ann@example.org", at("08:00"), at("08:00"), "sn-1")],
    [reading("ann@example.org", at("09:00"))],
    [step("sn-1", at("09:00"))],
)


def current_metadata(lake: Path, table: str) -> Path | None:
    """The metadata file that the catalog names; None if it does not know the table."""
    try:
        return local_path(table_of(lake, contract(table)).metadata_location)
    except NoSuchTableError:
        return None


def test_files_are_on_the_disk_before_the_catalog_names_them(stedi, tmp_path, monkeypatch):
    synced: set[Path] = set()

    def sync(metadata: Path) -> None:
        assert current_metadata(tmp_path / "lake", metadata.parents[1].name) != metadata
        synced.update(file.resolve() for file in (tmp_path / "lake").rglob("*") if file.is_file())

    monkeypatch.setattr(files, "sync_file_system", sync)
    write(tmp_path / "drops", DROPS)
    assert (stedi("land").code, stedi("run").code, stedi("maintain").code) == (0, 0, 0)
    for table in names():
        loaded = table_of(tmp_path / "lake", contract(table))
        named = [loaded.metadata_location, *(snapshot.manifest_list for snapshot in loaded.snapshots())]
        named += [task.file.file_path for task in loaded.scan().plan_files()]
        assert {*map(local_path, named)} <= synced


@pytest.fixture
def disk(tmp_path):
    """A disk in a file, and the folder where it is mounted."""
    image, folder = tmp_path / "image", tmp_path / "disk"
    if os.geteuid() != 0 or not shutil.which("mkfs.ext4"):
        pytest.skip("needs root and ext4")
    folder.mkdir()
    with image.open("wb") as file:
        file.truncate(2**26)
    assert finished("mkfs.ext4", "-q", "-F", image).code == 0
    if finished("mount", "-o", "loop", image, folder).code:
        pytest.skip("needs loop devices")
    yield image, folder
    finished("umount", folder)


def test_a_machine_that_loses_power_after_a_command_loses_nothing(disk, tmp_path, monkeypatch):
    image, folder = disk
    write(tmp_path / "drops", DROPS)
    monkeypatch.chdir(tmp_path)
    for command in (("land", "--landing", "drops"), ("run",)):
        said = typed(*command, "--lake", "disk/lake")
        assert (said.code, said.err) == (0, "")
    shutil.copyfile(image, tmp_path / "copy")  # without what the system has in memory
    assert finished("umount", folder).code == 0
    assert finished("mount", "-o", "loop", tmp_path / "copy", folder).code == 0
    assert typed("check", "--lake", "disk/lake").code == 0
    assert "No new files." in typed("land", "--landing", "drops", "--lake", "disk/lake").out
    counted = typed("query", "SELECT count(*) FROM curated.machine_learning_curated", "--lake", "disk/lake")
    assert counted.out.split() == ["count_star()", "1"]
