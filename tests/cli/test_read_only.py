"""A lake on a volume that is mounted read-only: who writes is told so in one line, and who reads is served."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from support.drops import at, customer, landing, reading, step
from support.lakes import write
from support.processes import PATIENCE

ANN = "ann@example.org"
DROPS = landing(
    [customer(ANN, at("08:00"), at("08:00"), "sn-1")], [reading(ANN, at("09:00"))], [step("sn-1", at("09:00"))]
)
WRITE = (("land",), ("run",), ("maintain",))
READ = (("status",), ("query", "SELECT count(*) FROM landing.customer_landing"), ("run", "--plan"))
#: Runs a command for which a folder is read-only, as on a volume that is mounted so. Nobody else sees the mount.
MOUNTED = ("unshare", "-rm", "sh", "-c", 'mount --bind "$0" "$0" && mount -o remount,ro,bind "$0" && exec "$@"')


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder of drops. Skips the test where nobody may mount."""
    try:
        done = subprocess.run([*MOUNTED, str(tmp_path), "true"], capture_output=True, check=False, timeout=PATIENCE)
    except OSError:
        done = None
    if done is None or done.returncode:
        pytest.skip("this machine lets no test mount a folder (unshare -rm)")
    write(tmp_path / "drops", DROPS)
    return tmp_path


def stedi(folder: Path, *words: str, read_only: Path | None = None) -> subprocess.CompletedProcess[str]:
    mounted = (*MOUNTED, str(read_only)) if read_only else ()
    temporary = folder / "temporary"
    temporary.mkdir(exist_ok=True)
    return subprocess.run(
        [*mounted, sys.executable, "-m", "stedi_common.cli", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(temporary)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def error_of(said: subprocess.CompletedProcess[str]) -> str:
    """The error of a command that said nothing else."""
    assert (said.returncode, said.stdout) == (1, ""), said.stderr
    error, *hints = said.stderr.splitlines()
    assert error.startswith("error: ")
    assert [hint[:7] for hint in hints] in ([], ["hint:  "])
    return error


def left(folder: Path) -> list[Path]:
    """What a command leaves in the lake that is no part of it, and in the system's temporary folder."""
    return [*folder.glob("lake/.*"), *(folder / "temporary").iterdir()]


def test_a_lake_that_is_mounted_read_only(folder):
    assert [stedi(folder, command).returncode for command in ("land", "run")] == [0, 0]
    write(folder / "drops", landing([customer("bea@example.org", at("09:00"))], name="2"))
    before = {path: path.lstat().st_mtime_ns for path in (folder / "lake").rglob("*")}
    for command in WRITE:
        error = error_of(stedi(folder, *command, read_only=folder / "lake"))
        assert f"{folder / 'lake'}" in error
        assert "Read-only file system" in error
    for command in READ:
        said = stedi(folder, *command, read_only=folder / "lake")
        assert (said.returncode, said.stderr) == (0, "")
    assert {path: path.lstat().st_mtime_ns for path in (folder / "lake").rglob("*")} == before
    assert left(folder) == []


def test_a_volume_that_is_mounted_read_only_gets_no_lake(folder):
    (folder / "volume").mkdir()
    said = stedi(folder, "land", "--lake", "volume/lake", read_only=folder / "volume")
    assert error_of(said).endswith("expected a folder that can be written to, got: Read-only file system")
    assert [*(folder / "volume").iterdir(), *left(folder)] == []
