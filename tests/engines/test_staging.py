"""Staging folders: a lock says whose run is alive, and only who writes removes what a dead run has left."""

import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from filelock import FileLock
from support.commands import stedi
from support.drops import at, customer, landing
from support.lakes import opening, write
from support.processes import PATIENCE, killed_after
from support.queries import queried

from stedi_common import status
from stedi_common.engines import connect
from stedi_common.engines.storage import heartbeat
from stedi_common.engines.storage.staging import Staging, held_locks, remove_abandoned
from stedi_common.errors import LakeError
from stedi_common.lake import Lake
from stedi_common.maintenance import ORPHAN_AGE, remove_staged

DROPS = landing([customer("ann@example.org", at("08:00"), at("08:00"), "sn-1")])
NAME = f".staging-{'0' * 32}"

#: A run that stages a record and waits.
RUN = """
import sys
from pathlib import Path
from stedi_common.engines.storage.staging import Staging
from stedi_common.lake import Lake
staging = Staging(Lake.at(sys.argv[1]))
folder = Path(staging.folder)
(folder / "1.parquet").write_bytes(b"ann@example.org")
print(folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lake(tmp_path):
    """A lake without tables."""
    connect("embedded", Lake.at(str(tmp_path / "lake"))).close()
    return Lake.at(str(tmp_path / "lake"))


@contextmanager
def another_run(lake: Lake) -> Iterator[Path]:
    """The staging folder of a run in another process, which is killed in the end."""
    command = [sys.executable, "-c", RUN, lake.location]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            with killed_after(process):
                folder = process.stdout.readline().rstrip()
            assert folder, "the run ended before it had staged a record"
            yield Path(folder)
        finally:
            process.send_signal(signal.SIGKILL)


def staged(lake: Lake) -> list[str]:
    return sorted(path.relative_to(lake.folder).as_posix() for path in lake.folder.glob(".staging-*/**/*"))


def locks(lake: Lake) -> list[str]:
    return [path.name for path in lake.folder.glob(".staging-*.lock")]


def reads(lake: Lake) -> None:
    engine = connect("embedded", lake, writes=False)
    status.tables(engine)
    engine.close()
    queried(lake, "SELECT 1")
    for words in (["status"], ["query", "SELECT 1"]):
        assert stedi(*words, "--lake", lake.location).code == 0


def writes(lake: Lake) -> None:
    with opening() as connect_to:
        remove_staged(connect_to("embedded", lake.folder))


def test_a_run_that_holds_its_lock_keeps_its_folder(lake, monkeypatch):
    """As seen from another container: no process has the number of the run."""

    def nobody(*_):
        raise ProcessLookupError

    monkeypatch.setattr(os, "kill", nobody)
    with another_run(lake) as folder:
        os.utime(folder, (0, 0))
        os.utime(folder / "1.parquet", (0, 0))
        reads(lake)
        writes(lake)
        assert (folder / "1.parquet").exists()


def test_a_dead_run_loses_its_folder_to_the_next_writer_and_to_no_reader(lake):
    with another_run(lake) as folder:
        pass
    reads(lake)
    left = [f"{folder.name}/{name}" for name in ("1.parquet", heartbeat.NAME)]
    assert (staged(lake), locks(lake)) == (left, [f"{folder.name}.lock"])
    writes(lake)
    assert (staged(lake), locks(lake)) == ([], [])


def test_a_run_that_ends_leaves_neither_folder_nor_lock(lake):
    staging = Staging(lake)
    assert (Path(staging.folder).stat().st_mode & 0o777, len(locks(lake))) == (0o700, 1)
    staging.remove()
    assert (staged(lake), locks(lake)) == ([], [])


def test_a_lock_without_a_folder_is_removed(lake):
    """Its run was killed before it had made the folder, or after it had removed it."""
    (lake.folder / f"{NAME}.lock").touch()
    writes(lake)
    assert locks(lake) == []


def test_a_lock_that_is_held_in_this_process_counts(lake):
    first = Staging(lake)
    assert Path(first.folder).exists()
    writes(lake)
    assert Path(first.folder).exists()
    first.remove()


# Hosts that do not share locks


@pytest.fixture
def elsewhere(lake, monkeypatch) -> Iterator[Staging]:
    """A run on another host, whose lock is free for this one."""
    monkeypatch.setattr(heartbeat, "SECONDS", 0.01)
    with monkeypatch.context() as there:
        there.setattr(heartbeat, "host", lambda: "another host")
        staging = Staging(lake)
        assert staging.folder
    assert staging._lock
    staging._lock.release()
    yield staging
    staging.remove()


def test_a_run_on_another_host_keeps_its_folder_while_its_heart_beats(lake, elsewhere):
    beats = Path(elsewhere.folder, heartbeat.NAME)
    os.utime(beats, (0, 0))
    until(lambda: beats.stat().st_mtime > 0)
    writes(lake)
    assert Path(elsewhere.folder).exists()
    assert [path.name for path in held_locks(lake)] == [f"{Path(elsewhere.folder).name}.lock"]


def test_a_run_on_another_host_whose_heart_has_stopped_loses_its_folder(lake, elsewhere):
    assert elsewhere._heartbeat
    elsewhere._heartbeat.stop()
    elsewhere._heartbeat.thread.join(PATIENCE)
    beats = Path(elsewhere.folder, heartbeat.NAME)
    writes(lake)
    assert beats.exists(), "it may be about to beat"
    os.utime(beats, (0, time.time() - heartbeat.MAX_SILENCE_SECONDS - 1))
    writes(lake)
    assert (staged(lake), locks(lake)) == ([], [])


def test_a_heartbeat_that_cannot_be_read_for_a_moment_counts(lake, elsewhere, monkeypatch):
    def stale(*_):
        raise OSError(errno.ESTALE, "stale")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", stale)
        writes(lake)
    assert Path(elsewhere.folder).exists()


def test_the_clock_of_this_host_does_not_matter(lake, elsewhere, monkeypatch):
    monkeypatch.setattr(time, "time", lambda: 0.0)
    writes(lake)
    monkeypatch.setattr(time, "time", lambda: 9e9)
    writes(lake)
    assert Path(elsewhere.folder).exists()


def test_a_heart_stops_when_its_run_ends(lake):
    staging = Staging(lake)
    assert staging.folder
    assert staging._heartbeat
    thread = staging._heartbeat.thread
    assert thread.is_alive()
    staging.remove()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def until(condition) -> None:
    limit = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.01)


STRAY = {
    "a folder": lambda path: path.mkdir(),
    "a file": lambda path: path.write_bytes(b"mine"),
    "a link": lambda path: path.symlink_to("drops"),
    "a broken link": lambda path: path.symlink_to("nowhere"),
}


@pytest.mark.parametrize("made", STRAY.values(), ids=list(STRAY))
@pytest.mark.parametrize(
    "name", [".staging-", ".staging-backup", ".staging-backup-", ".staging-7-x", ".staging-b.lock"]
)
def test_what_only_looks_like_staging_stays_and_fails_nothing(lake, name, made):
    made(lake.folder / name)
    before = sorted(lake.folder.iterdir())
    writes(lake)
    queried(lake, "SELECT 1")
    assert remove_abandoned(lake, at("10:00") + 9999 * ORPHAN_AGE) == 0
    assert sorted(lake.folder.iterdir()) == before


@pytest.mark.parametrize("made", STRAY.values(), ids=list(STRAY))
@pytest.mark.parametrize("name", [NAME, f"{NAME}-7", f"{NAME}.lock"])
def test_what_has_our_name_and_is_something_else_fails_nothing(lake, name, made):
    made(lake.folder / name)
    writes(lake)
    queried(lake, "SELECT 1")


def test_every_command_runs_beside_a_stray_folder(lake, tmp_path):
    (lake.folder / ".staging-backup").mkdir()
    write(tmp_path / "drops", DROPS)
    for words in (["land", "--landing", tmp_path / "drops"], ["status"], ["maintain"], ["query", "SELECT 1"]):
        assert stedi(*words, "--lake", lake.location).code == 0
    assert (lake.folder / ".staging-backup").exists()


def test_a_file_system_without_locks_is_a_clear_error(lake, monkeypatch):
    def none(*_, **__):
        raise OSError(errno.ENOSYS, "none")

    monkeypatch.setattr(FileLock, "acquire", none)
    with pytest.raises(LakeError, match="expected a file system with locks"):
        assert Staging(lake).folder
