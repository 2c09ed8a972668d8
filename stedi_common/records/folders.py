"""The files below a folder on disk. A name on disk is bytes, and any byte but `/` and NUL may be in it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from stedi_common.contracts import SOURCES
from stedi_common.instants import EPOCH
from stedi_common.records.names import LINK_LOOP, LINK_OUTSIDE, NOT_A_FILE, UNREADABLE, is_hidden, text_of

# O_NONBLOCK: if a FIFO has replaced the file, opening it must not wait for a writer. O_NOFOLLOW: nor is a link followed
# that has replaced it since it was listed. The paths of files that links lead to are those of the files.
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC | os.O_NOFOLLOW
_LEADS_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)
_OUT_OF_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)


class ListedFile(NamedTuple):
    """A file, or what else is no folder: its name below the landing folder, where to open it, and why not to."""

    name: bytes
    path: bytes
    reason: str | None = None


class _Folder(NamedTuple):
    """A folder to list. `name` is empty or ends with `/`; `way`: the real folders of the links that led to it."""

    name: bytes
    path: bytes
    real: bytes
    way: tuple[bytes, ...] = ()


class _Target(NamedTuple):
    """What a link leads to: a file or folder, if `reason` is None, and its real path."""

    reason: str | None
    real: bytes = b""
    is_folder: bool = False


class Tree:
    """What lies below the landing folder.

    A link is followed where its files may be read. Of a source each link to a folder is followed once, so
    that links to links do not multiply; what lies below the landing folder is also reached without any.
    """

    def __init__(self, landing: str) -> None:
        path = os.fsencode(Path(landing).absolute())
        self._root = _Folder(b"", path, os.path.realpath(path))

    @property
    def location(self) -> str:
        """The landing folder, without links on the way."""
        return os.fsdecode(self._root.real)

    def folders(self) -> list[str]:
        """The names of the folders right below. Raises OSError if they cannot be listed."""
        entries = ((entry.name, self._known(entry, self._root, set())) for entry in _entries(self._root))
        return [text_of(name)[0] for name, found in entries if isinstance(found, _Folder)]

    def files(self, tops: Collection[str] | None = None) -> Iterator[ListedFile]:
        """Everything that is no folder, in no order; only below these folders, if any are given."""
        followed: set[tuple[str, bytes]] = set()
        waiting = [self._root]
        while waiting:
            folder = waiting.pop()
            try:
                entries = _entries(folder)
            except FileNotFoundError:
                continue
            except OSError as error:
                yield ListedFile(folder.name, folder.path, _unreadable(error))
                continue
            for entry in entries:
                if folder.name or tops is None or os.fsdecode(entry.name) in tops:
                    found = self._known(entry, folder, followed)
                    if isinstance(found, _Folder):
                        waiting.append(found)
                    elif found:
                        yield found

    def _known(
        self, entry: os.DirEntry[bytes], folder: _Folder, followed: set[tuple[str, bytes]]
    ) -> ListedFile | _Folder | None:
        """What an entry of a folder is. None if it is gone."""
        try:
            found = self._found(entry, folder, followed)
        except OSError:  # where a folder does not tell what is in it, rights are needed to know
            found = ListedFile(folder.name + entry.name, entry.path, UNREADABLE)
        return None if isinstance(found, ListedFile) and found.reason and _is_gone(found.path) else found

    def _found(
        self, entry: os.DirEntry[bytes], folder: _Folder, followed: set[tuple[str, bytes]]
    ) -> ListedFile | _Folder:
        name = folder.name + entry.name
        if entry.is_dir(follow_symlinks=False):
            return _below(folder, entry.name)
        if not entry.is_symlink():
            return ListedFile(name, entry.path, None if entry.is_file(follow_symlinks=False) else NOT_A_FILE)
        target = self._target(entry, folder)
        if not target.is_folder:
            return ListedFile(name, entry.path if target.reason else target.real, target.reason)
        text = text_of(name)[0]
        source = text.split("/", 1)[0]
        if is_hidden(text) or source not in SOURCES:
            return ListedFile(name, entry.path)
        link = (source, os.path.join(folder.real, entry.name))  # noqa: PTH118 - bytes
        if link in followed:
            return ListedFile(name, entry.path, LINK_LOOP)
        followed.add(link)
        return _Folder(name + b"/", target.real, target.real, (*folder.way, folder.real))

    def _target(self, link: os.DirEntry[bytes], folder: _Folder) -> _Target:
        real = os.path.realpath(link.path)
        if not _is_in(real, self._root.real):
            return _Target(LINK_OUTSIDE)
        try:
            mode = os.stat(link.path).st_mode  # noqa: PTH116 - bytes
        except OSError as error:
            return _Target(LINK_LOOP if error.errno in _LEADS_NOWHERE else UNREADABLE)
        if not stat.S_ISDIR(mode):
            return _Target(None, real) if stat.S_ISREG(mode) else _Target(NOT_A_FILE)
        if any(_is_in(above, real) for above in (*folder.way, folder.real)):
            return _Target(LINK_LOOP)
        return _Target(None, real, is_folder=True)


def _entries(folder: _Folder) -> list[os.DirEntry[bytes]]:
    with os.scandir(folder.path) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _is_gone(path: bytes) -> bool:
    try:
        os.lstat(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _below(folder: _Folder, name: bytes) -> _Folder:
    return _Folder(
        folder.name + name + b"/",
        os.path.join(folder.path, name),  # noqa: PTH118 - bytes
        os.path.join(folder.real, name),  # noqa: PTH118 - bytes
        folder.way,
    )


def _is_in(path: bytes, folder: bytes) -> bool:
    return path == folder or path.startswith(folder.rstrip(b"/") + b"/")


class Opened(NamedTuple):
    """A file that could be opened, or the reason why not."""

    reason: str | None
    bytes: int = 0
    modified_at: datetime = EPOCH


def opened(path: bytes | str) -> Opened | None:
    """What a file is, once it is open: rights and a broken disk show only then. None if it is gone."""
    try:
        file = os.open(path, _READ)
    except FileNotFoundError:
        return None
    except OSError as error:
        return Opened(_unreadable(error))
    try:
        status = os.fstat(file)
    finally:
        os.close(file)
    if not stat.S_ISREG(status.st_mode):
        return Opened(NOT_A_FILE)
    # A program may set the time of a file's content back, as `touch` and `cp -p` do; not that of its last change.
    return Opened(None, status.st_size, _instant(max(status.st_mtime_ns, status.st_ctime_ns)))


def pieces(path: str, size: int) -> Iterator[bytes]:
    """The file's bytes. Raises OSError."""
    with open(os.open(path, _READ), "rb") as file:  # noqa: PTH123 - a descriptor
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "not a file")
        while piece := file.read(size):
            yield piece


def why_unreadable(path: str, size: int) -> str | None:
    """The reason why a file cannot be read to its end, found by reading it."""
    try:
        for _ in pieces(path, size):
            pass
    except OSError as error:
        return _unreadable(error)
    return None


def _unreadable(error: OSError) -> str:
    """Raises the error if it is this process's fault and not the file's."""
    if error.errno in _OUT_OF_DESCRIPTORS:
        raise error
    return UNREADABLE


def _instant(nanoseconds: int) -> datetime:
    """The instant; the nearest one that Python has, if the clock was wrong by millennia."""
    try:
        return EPOCH + timedelta(microseconds=nanoseconds // 1000)
    except OverflowError:
        return datetime.max if nanoseconds > 0 else datetime.min
