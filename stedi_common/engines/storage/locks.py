"""The lock of a staging folder. Its run holds it until it ends, so a free lock shows that the run has ended."""

from __future__ import annotations

import errno
from pathlib import Path

from filelock import FileLock

from stedi_common.errors import LakeError

#: What the name of a lock has after that of its folder.
SUFFIX = ".lock"
#: What a file system without locks answers.
_NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK)
#: How long a new lock may be held by another run, which tests whether it is free.
_MAX_WAIT_SECONDS = 60


def acquire(folder: str) -> FileLock:
    """The lock of a new staging folder, held by this run.

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
            f"lake {Path(folder).parent}: expected a file system with locks (flock), got none",
            hint="move the lake to a local disk, or mount the volume with locks",
        ) from None
    return lock


def lock_of(folder: str) -> FileLock:
    """The lock of a staging folder. Never the soft one, which asks for process numbers where there is no flock."""
    return FileLock(f"{folder}{SUFFIX}", mode=0o600, thread_local=False, fallback_to_soft=False)


def remove(lock: FileLock) -> None:
    """Remove a lock that is held. Whoever waits for it sees that it is gone, and makes a new one."""
    Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()
