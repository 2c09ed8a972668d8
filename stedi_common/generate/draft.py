"""A draft folder: drops are written there, and moved into place when all are there.

So whoever finds generated drops finds all of them, also after a full disk or a killed process.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from stedi_common.errors import StediError

#: The name of the folder. Landing reads no hidden folder.
_NAME = ".generating"


@contextmanager
def draft(into: Path, names: Sequence[str]) -> Iterator[Path]:
    """A folder to write to, which is removed when the block ends. What a killed process has left is removed first.

    Args:
        into: the folder that the draft lies in. It must be there.
        names: the subfolders of the draft whose files are moved into `into`, if the block ends without an error. If the
            process is killed meanwhile, the first ones are there.

    Raises:
        StediError: another process is writing to the draft.
    """
    folder = into / _NAME
    folder.mkdir(exist_ok=True)
    with _locked(folder, into):
        for left in folder.iterdir():
            shutil.rmtree(left)
        try:
            yield folder
            for name in names:
                _move(folder / name, into / name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: Path, into: Path) -> Iterator[None]:
    """The folder, which no other process writes to until the block ends. It must be no link: its content is removed."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        with suppress(OSError):  # a file system without locks
            _lock(opened, into)
        yield
    finally:
        os.close(opened)  # frees the lock


def _lock(opened: int, into: Path) -> None:
    try:
        fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StediError(
            f"generate: expected no other command that generates drops in {into}, got one",
            hint="wait until it has ended",
        ) from None


def _move(folder: Path, into: Path) -> None:
    """Move what is in the folder. The other one may be a link to another disk."""
    into.mkdir(exist_ok=True)
    for each in sorted(folder.iterdir()) if folder.exists() else ():
        shutil.move(each, into / each.name)
