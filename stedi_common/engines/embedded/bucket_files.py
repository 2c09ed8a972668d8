"""The objects of S3 as DuckDB reads them, and as PyIceberg reads and writes them.

DuckDB's own extension for S3 would have to be downloaded. It asks for the footer of a Parquet file, then for the
columns of the row groups that it needs: each is a range of the object. A large range is fetched in parts, in parallel.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from threading import Lock
from typing import Any

from fsspec import AbstractFileSystem
from pyarrow import NativeFile
from pyiceberg.io import InputFile, OutputFile
from pyiceberg.io.pyarrow import PyArrowFile, PyArrowFileIO

from stedi_common.engines.embedded.manifest_input import ValidatedFile
from stedi_common.engines.storage import s3

#: A larger range is fetched in parts of so many bytes.
PART_BYTES = 4 * 2**20
#: So many bytes at the end of an object are fetched before DuckDB asks for them: the footer, and all of a small file.
TAIL_BYTES = 128 * 2**10
#: So many bytes of such ends are kept in memory.
MAX_TAIL_BYTES = 64 * 2**20

#: The time of change of each file, for DuckDB. Data files never change, and with an old time DuckDB trusts its cache.
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_LITERAL = re.compile(r"\[(.)\]")


class BucketFileIO(PyArrowFileIO):
    """PyIceberg's file system of a lake in S3."""

    def new_input(self, location: str) -> PyArrowFile:
        """See `FileIO.new_input`."""
        return self._file(location)

    def new_output(self, location: str) -> PyArrowFile:
        """See `FileIO.new_output`."""
        return self._file(location)

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """See `FileIO.delete`."""
        system, path = s3.filesystem(location if isinstance(location, str) else location.location)
        system.delete_file(path)

    def _file(self, location: str) -> PyArrowFile:
        system, path = s3.filesystem(location)  # each time: credentials may expire
        return ValidatedFile(location, path, system)


#: The property that makes a catalog use it.
FILE_IO = {"py-io-impl": f"{BucketFileIO.__module__}.{BucketFileIO.__name__}"}


class _Object:
    """An object: its size, and the bytes at its end as soon as they were read."""

    def __init__(self, path: str) -> None:
        system, key = s3.filesystem(path)
        self._file: NativeFile = system.open_input_file(key)
        self.size: int = self._file.size()
        self.tail = b""

    def fetch_tail(self) -> None:
        count = min(TAIL_BYTES, self.size)
        self.tail = self._file.read_at(count, self.size - count)

    def read(self, start: int, count: int) -> bytes:
        """A range of the bytes. Threads may call it at the same time."""
        first = self.size - len(self.tail)
        if self.tail and start >= first:
            return self.tail[start - first : start - first + count]
        found: bytes = self._file.read_at(count, start)
        return found


class BucketFiles(AbstractFileSystem):  # type: ignore[misc]
    """The file system that DuckDB has for `s3://`."""

    protocol = "s3"
    cachable = False

    def __init__(self) -> None:
        super().__init__()
        self._pool = ThreadPoolExecutor(s3.MAX_REQUESTS, thread_name_prefix="s3")
        self._objects: dict[str, _Object] = {}
        self._tail_bytes = 0
        self._turn = Lock()

    def prefetch(self, files: Iterable[str]) -> None:
        """Read the ends of these files in parallel. If one cannot be read, DuckDB gets the error when it reads it."""
        list(self._pool.map(self._prefetch, [file for file in files if file not in self._objects]))

    def close(self) -> None:
        """End all threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def read(self, file: str, start: int, count: int) -> bytes:
        """A range of an object."""
        found = self._object(file)
        count = max(0, min(count, found.size - start))
        if count <= PART_BYTES:
            return found.read(start, count)
        starts = range(start, start + count, PART_BYTES)
        parts = self._pool.map(lambda at: found.read(at, min(PART_BYTES, start + count - at)), starts)
        return b"".join(parts)

    def glob(self, path: str, **_: Any) -> list[str]:
        """The file that a pattern of `session.literal` matches."""
        return [_LITERAL.sub(r"\1", path)]

    def exists(self, path: str, **_: Any) -> bool:
        """Whether the object exists."""
        with suppress(FileNotFoundError):
            return self._object(path) is not None
        return False

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """What DuckDB asks of a file."""
        return {"name": path, "size": self._object(path).size, "type": "file", "mtime": _LONG_AGO}

    def modified(self, path: str) -> datetime:
        """See `_LONG_AGO`."""
        return _LONG_AGO

    def _open(self, path: str, mode: str = "rb", *_: Any, **__: Any) -> _Reader:
        if mode != "rb":
            raise OSError(f"S3: expected the mode rb, got {mode}: DuckDB only reads the lake")
        return _Reader(self, path)

    def _prefetch(self, file: str) -> None:
        with suppress(OSError):
            found = self._object(file)
            with self._turn:
                self._tail_bytes += TAIL_BYTES
                is_full = self._tail_bytes > MAX_TAIL_BYTES
            if not is_full:
                found.fetch_tail()

    def _object(self, path: str) -> _Object:
        path = f"{s3.SCHEME}{path.removeprefix(s3.SCHEME)}"
        if path not in self._objects:
            self._objects[path] = _Object(path)
        return self._objects[path]


class _Reader(io.RawIOBase):
    """A file handle: an object and a position in it."""

    def __init__(self, files: BucketFiles, path: str) -> None:
        self._files, self._path, self._at = files, path, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, to: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._files.info(self._path)["size"]}
        self._at = base[whence] + to
        return self._at

    def read(self, count: int = -1) -> bytes:
        count = self._files.info(self._path)["size"] - self._at if count < 0 else count
        found = self._files.read(self._path, self._at, count)
        self._at += len(found)
        return found
