"""The lock of a folder that one run makes. It holds it until it ends, so a free lock shows that the run has ended.

Between hosts that do not share locks, the heartbeat in the folder shows it.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock

from stedi_common.engines.storage.heartbeat import is_alive_on_another_host
from stedi_common.errors import LakeError

#: What the name of a lock has after that of its folder.
SUFFIX = ".lock"
#: What a file system without locks answers.
_NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK)
#: How long a new lock may be held by another run, which tests whether it is free.
_MAX_WAIT_SECONDS = 60


def acquire(folder: str, place: str, hint: str) -> FileLock:
    """The lock of a new folder, held by this run.

    Args:
        folder: the folder, which is made after its lock.
        place: what the folder above it is, for the error.
        hint: what to do if there are no locks.

    Raises:
        LakeError: the file system has no locks.
    """
    lock = lock_of(folder)
    try:
        lock.acquire(timeout=_MAX_WAIT_SECONDS)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise LakeError(
            f"{place} {Path(folder).parent}: expected a file system with locks (flock), got none", hint=hint
        ) from None
    return lock


def lock_of(folder: str) -> FileLock:
    """The lock of a folder. Never the soft one, which asks for process numbers where there is no flock."""
    return FileLock(f"{folder}{SUFFIX}", mode=0o600, thread_local=False, fallback_to_soft=False)


def remove(lock: FileLock) -> None:
    """Remove a lock that is held. Whoever waits for it sees that it is gone, and makes a new one."""
    with suppress(OSError):  # gone, or never made: on a read-only file system even that is an error
        Path(lock.lock_file).unlink()
    lock.release()


def remove_dead(files: Iterable[Path], folder: re.Pattern[str]) -> None:
    """Remove the folders of runs that are dead: their locks are free, and they have no heartbeat on another host.

    Args:
        files: the files that may be locks.
        folder: the name of a folder that may be removed.
    """
    for file in files:
        path = Path(str(file).removesuffix(SUFFIX))
        if not folder.fullmatch(path.name):
            continue
        lock = lock_of(str(path))
        with suppress(OSError):  # held, gone by now, or of another user
            lock.acquire(blocking=False)
            if not is_alive_on_another_host(path, _now_at(file)):
                shutil.rmtree(path, ignore_errors=True)
            if path.exists():  # of a run that is alive, of another user, or not a folder
                lock.release()
            else:
                remove(lock)


def _now_at(file: Path) -> float:
    """The time of the file system that has the file, in seconds since 1970."""
    os.utime(file)
    return file.stat().st_mtime
