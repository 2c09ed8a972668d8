"""Scratch folders: what a process spills to the local disk, in the system's temporary folder and for its user alone.

What is spilled is personal data. Each folder has a lock file, as a staging folder has, so the next run that writes
removes the folders of killed processes. It does so for its own user only: everybody may write into that folder.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import stat
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import gettempdir

from stedi_common.engines.storage import locks
from stedi_common.errors import LakeError

#: Where Spark's users say that its local disks are.
SPARK_DISKS = "SPARK_LOCAL_DIRS"

#: The temporary folders of a system, as `tempfile` tries them.
_STANDARD = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108 - they are only searched

_PREFIX = "stedi-scratch-"
_FOLDER = re.compile(rf"{_PREFIX}[0-9a-f]{{32}}")


class Scratch:
    """A new scratch folder.

    Args:
        parent: the folder to make it in; by default the system's temporary folder.

    Attributes:
        folder: its path.

    Raises:
        LakeError: the file system has no locks, or there is no temporary folder that can be written to.
    """

    def __init__(self, parent: str | None = None) -> None:
        self.folder = f"{parent or _temporary_folder()}/{_PREFIX}{uuid.uuid4().hex}"
        self._lock = locks.acquire(self.folder, "temporary folder", "name another one by TMPDIR")
        atexit.register(self.remove)
        Path(self.folder).mkdir(mode=0o700)

    def remove(self) -> None:
        """Remove the folder and all in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        locks.remove(self._lock)
        atexit.unregister(self.remove)


def spark_disks() -> list[str]:
    """The folders that the environment names for Spark's local files; none if it names none."""
    return [folder for folder in os.environ.get(SPARK_DISKS, "").split(",") if folder]


def remove_dead() -> None:
    """Remove this user's scratch folders whose processes are dead."""
    for parent in {*_temporary_folders(), *spark_disks()}:
        locks.remove_dead(_own(Path(parent).glob(f"{_PREFIX}*{locks.SUFFIX}")), _FOLDER)


def _temporary_folder() -> str:
    """The system's temporary folder. Raises LakeError if none can be written to."""
    try:
        return gettempdir()
    except FileNotFoundError:
        raise LakeError(
            "temporary folder: expected one that can be written to, got none",
            hint="free some space in /tmp, or name another folder by TMPDIR",
        ) from None


def _temporary_folders() -> Iterator[str]:
    """The folders that may be the temporary one. A killed process may have filled one, so that another is taken now."""
    with suppress(FileNotFoundError):
        yield gettempdir()
    yield from filter(None, map(os.environ.get, ("TMPDIR", "TEMP", "TMP")))
    yield from _STANDARD


def _own(files: Iterable[Path]) -> Iterator[Path]:
    """Those of the files that are this user's, and no links."""
    for file in files:
        with suppress(FileNotFoundError):
            found = file.lstat()
            if found.st_uid == os.geteuid() and stat.S_ISREG(found.st_mode):
                yield file
