"""Files that are written atomically: a reader finds the whole old content or the whole new one.

Also after a loss of power: what is written is on the disk before it is found.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import glob
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: What a file system without hard links answers: FAT, exFAT, many network volumes and shared folders.
_NO_HARD_LINKS = (errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EOPNOTSUPP, errno.EMLINK)

#: How long nobody has written to the draft of a process that is taken for dead.
_DEAD_AFTER_SECONDS = 24 * 60 * 60
#: Random bytes in the name of a draft.
_DRAFT_BYTES = 8


@contextmanager
def overwritten(path: Path, mode: int = 0o600, *, is_durable: bool = True) -> Iterator[Path]:
    """A new file, which overwrites the path when the block ends without an error. Else it is removed.

    Args:
        path: the file to overwrite. It need not be there, but its folder must be.
        mode: the mode of the new file.
        is_durable: whether its content is written to the disk before. If not, a loss of power may empty it.

    Yields:
        The path of the new file, which is empty.
    """
    with _draft(path) as draft:
        yield draft
        draft.chmod(mode)
        if is_durable:
            _fsync(draft)
        draft.replace(path)
    if is_durable:
        _fsync_folder(path.parent)


def write_new(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file, unless it is there. If two processes do so at once, the file of the first one stays.

    Args:
        path: the file. Its folder must be there.
        text: its content.
        mode: its mode.
    """
    with _draft(path) as draft:
        draft.write_text(text, encoding="utf-8")
        draft.chmod(mode)
        _fsync(draft)
        with suppress(FileExistsError):
            try:
                path.hardlink_to(draft)
            except OSError as error:
                if error.errno not in _NO_HARD_LINKS:
                    raise
                _rename_new(draft, path)
    _fsync_folder(path.parent)


def sync_file_system(path: Path) -> None:
    """Write to the disk what its file system still has in memory, whichever process has written it.

    A catalog that names a file is on the disk at once, and the file is not: after a loss of power it would be empty.

    Args:
        path: a file or folder of the file system.

    Raises:
        OSError: the disk does not take it: it is full, or fails.
    """
    with _opened(path) as opened:
        if _SYNCFS is None:
            os.sync()
        elif _SYNCFS(opened):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(path))


#: Linux has it, and Python does not.
_SYNCFS = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)


def _fsync(path: Path) -> None:
    with _opened(path) as opened:
        os.fsync(opened)


def _fsync_folder(folder: Path) -> None:
    with suppress(OSError):  # not every file system can, and this user need not be able to list the folder
        _fsync(folder)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    opened = os.open(path, os.O_RDONLY)
    try:
        yield opened
    finally:
        os.close(opened)


def _rename_new(draft: Path, path: Path) -> None:
    """Rename the draft, unless the path is there. The lock of the folder keeps others from doing so in between."""
    with _opened(path.parent) as folder:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not path.exists():
            draft.replace(path)


def current_umask() -> int:
    """The umask of this process. It can be read only by setting it, so it is set back at once."""
    before = os.umask(0o077)
    os.umask(before)
    return before


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """The umask of this process until the block ends."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """An empty file beside the path, for its owner alone, until the block ends."""
    _remove_dead_drafts(path)
    draft = path.with_name(f".{path.name}-{secrets.token_hex(_DRAFT_BYTES)}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _remove_dead_drafts(path: Path) -> None:
    """Remove the drafts of this path that killed processes have left: nobody has written to them for a day."""
    drafts = f".{glob.escape(path.name)}-{'[0-9a-f]' * (2 * _DRAFT_BYTES)}"
    with suppress(OSError):  # another process was faster, or this user may not list the folder
        for draft in path.parent.glob(drafts):
            if time.time() - draft.lstat().st_mtime > _DEAD_AFTER_SECONDS:
                draft.unlink(missing_ok=True)
