"""What is spilled to the local disk is for its user alone. If the process is killed, the next writer removes it."""

import errno
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from support.lakes import opening
from support.processes import kill, killed_after

from stedi_common.engines import connect
from stedi_common.engines.spark.local_disk import settings_obeyed
from stedi_common.engines.storage import scratch
from stedi_common.engines.storage.scratch import Scratch
from stedi_common.errors import LakeError
from stedi_common.lake import Lake

#: A run that has shuffled and cached addresses, and says where its Python workers would put their temporary files.
SPARK = """
import sys
import tempfile
import narwhals as nw
from stedi_common.engines import connect
from stedi_common.lake import Lake

def place(_):
    return tempfile.gettempdir()

engine = connect(sys.argv[2], Lake.at(sys.argv[1]))
people = engine._spark.range(20_000).selectExpr("concat('ann', id % 5000, '@example.org') AS email")
with (
    engine.materialized(nw.from_native(people.groupBy("email").count())) as rows,
    engine.materialized(engine.derive(rows.frame, "email", "place", place)) as placed,
):
    places = {row["place"] for row in engine.collect(placed.frame)}
    print(placed.rows, *places, flush=True)
    sys.stdin.read()
"""
#: A command that reads: it has spilled an address, and waits.
READER = """
import sys
from pathlib import Path
from stedi_common.engines import connect
from stedi_common.lake import Lake

engine = connect(sys.argv[2], Lake.at(sys.argv[1]), writes=False)
(Path(engine._staging.scratch) / "spill").write_bytes(b"ann@example.org")
print("spilled", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lake(tmp_path) -> Lake:
    """A lake without tables."""
    lake = Lake.at(str(tmp_path / "lake"))
    connect("embedded", lake).close()
    return lake


@pytest.fixture
def temporary(tmp_path, monkeypatch) -> Path:
    """The system's temporary folder, as this process and those that it starts see it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.delenv(scratch.SPARK_DISKS, raising=False)
    return folder


@contextmanager
def running(program: str, lake: Lake, engine_name: str = "embedded") -> Iterator[str]:
    """What a process says when it has spilled. In the end it is killed, with the Java that it has started."""
    command = [sys.executable, "-c", program, lake.location, engine_name]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, umask=0o022, start_new_session=True
    ) as process:
        assert process.stdout
        try:
            with killed_after(process):
                said = process.stdout.readline().rstrip()
            assert said, "the process ended before it had spilled"
            yield said
        finally:
            kill(process)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def modes(folder: Path) -> list[int]:
    """The modes of what lies in the folder itself."""
    return sorted(stat.S_IMODE(path.lstat().st_mode) for path in folder.iterdir())


def writes(lake: Lake) -> None:
    with opening() as connect_to:
        connect_to("embedded", lake.folder)


def reads(lake: Lake) -> None:
    connect("embedded", lake, writes=False).close()


@pytest.fixture
def place(request, temporary, tmp_path, monkeypatch) -> Path:
    """Where Spark spills: into the system's temporary folder, or on the disk that the environment names."""
    if request.param == "temporary":
        return temporary
    (tmp_path / "disk").mkdir()
    monkeypatch.setenv(scratch.SPARK_DISKS, str(tmp_path / "disk"))
    return tmp_path / "disk"


@pytest.mark.parametrize("place", ["temporary", pytest.param("disk", marks=pytest.mark.long)], indirect=True)
@pytest.mark.parametrize("engine_name", ["spark"])
def test_what_is_spilled_is_encrypted_and_removed_by_the_next_writer(lake, temporary, place, engine_name):
    with running(SPARK, lake, engine_name) as said:
        (folder,) = (path for path in place.iterdir() if path.is_dir())
        assert said == f"5000 {folder}"
        spilled = files(folder)
        # Of Spark, and of Java, which unpacks libraries.
        assert {path.relative_to(folder).parts[0].partition("-")[0] for path in spilled} >= {"blockmgr", "sqlite"}
        assert [path for path in spilled if b"example.org" in path.read_bytes().lower()] == []
        assert modes(place) == [0o600, 0o700]
        assert place == temporary or not list(temporary.iterdir())
    assert files(place)
    writes(lake)
    assert list(place.iterdir()) == []


def test_a_reader_that_was_killed_loses_its_scratch_folder_to_the_next_writer(lake, temporary):
    with running(READER, lake):
        writes(lake)
        assert modes(temporary) == [0o600, 0o700]
    reads(lake)
    assert [path.read_bytes() for path in files(temporary) if path.name == "spill"] == [b"ann@example.org"]
    writes(lake)
    assert list(temporary.iterdir()) == []


def test_a_reader_that_ends_leaves_nothing(lake, temporary):
    reads(lake)
    assert list(temporary.iterdir()) == []


def test_what_another_user_has_made_stays(temporary, monkeypatch):
    lock = temporary / f"{Path(Scratch().folder).name}.lock"
    abandoned = temporary / f"{scratch._PREFIX}{'0' * 32}"
    abandoned.mkdir()
    (temporary / f"{abandoned.name}.lock").touch()
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    scratch.remove_dead()
    assert abandoned.exists()
    monkeypatch.setattr(os, "geteuid", lambda: user)
    scratch.remove_dead()
    assert not abandoned.exists()
    assert lock.exists()


def test_a_link_with_the_name_of_a_lock_is_not_followed(temporary, tmp_path):
    (tmp_path / "mine").write_bytes(b"mine")
    link = temporary / f"{scratch._PREFIX}{'0' * 32}.lock"
    link.symlink_to(tmp_path / "mine")
    scratch.remove_dead()
    assert (link.is_symlink(), (tmp_path / "mine").read_bytes()) == (True, b"mine")


def test_a_temporary_folder_without_locks_is_a_clear_error(temporary, monkeypatch):
    def none(*_, **__):
        raise OSError(errno.ENOSYS, "none")

    monkeypatch.setattr(FileLock, "acquire", none)
    with pytest.raises(LakeError, match=f"temporary folder {temporary}: expected a file system with locks"):
        Scratch()


def test_no_variable_overrides_the_folder_of_a_local_driver(monkeypatch):
    for name in ("SPARK_LOCAL_DIRS", "SPARK_EXECUTOR_DIRS"):
        monkeypatch.setenv(name, "disk")
    with settings_obeyed():
        assert not {"SPARK_LOCAL_DIRS", "SPARK_EXECUTOR_DIRS"} & os.environ.keys()
    assert os.environ["SPARK_LOCAL_DIRS"] == os.environ["SPARK_EXECUTOR_DIRS"] == "disk"


@pytest.fixture
def nowhere(temporary, monkeypatch) -> Path:
    """The system's temporary folder, which is full: `tempfile` finds no other one either."""

    def fails() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(scratch, "gettempdir", fails)
    return temporary


def test_a_writer_needs_no_temporary_folder(lake, nowhere):
    """It deletes withdrawn rows, and spills into the lake."""
    writes(lake)


def test_without_a_temporary_folder_a_reader_says_so(lake, nowhere):
    with pytest.raises(
        LakeError, match=r"^temporary folder: expected one that can be written to, got none\nhint: .*TMPDIR"
    ):
        reads(lake)


def test_what_has_filled_the_temporary_folder_is_removed_too(lake, temporary, monkeypatch, tmp_path):
    """A process that was killed has filled it, so `tempfile` takes another one from then on."""
    with running(READER, lake):
        assert files(temporary)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    writes(lake)
    assert files(temporary) == []
