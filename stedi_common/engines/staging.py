"""What an engine has read and not yet committed: Parquet files in a folder of the lake that goes with the run.

It holds personal data, so what a killed run left behind is removed by the next one.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyarrow import fs

from stedi_common.engines import Tally
from stedi_common.lake import Lake
from stedi_common.records import Block, Drop, Reader

#: Rows that are read at once: small drops make small blocks, which would be slow to read one by one.
ROW_GROUP = 128 * 1024


class Staging:
    """The staging folder of one run, below the lake."""

    def __init__(self, lake: Lake) -> None:
        if lake.is_local:
            _remove_abandoned(lake.folder)
        self.folder = f"{lake.location}/.staging-{uuid.uuid4().hex}-{os.getpid()}"
        self._fs, self._path = filesystem(self.folder)
        self._fs.create_dir(self._path)
        if lake.is_local:
            Path(self.folder).chmod(0o700)

    @contextmanager
    def subfolder(self) -> Iterator[str]:
        """A folder for one piece of work."""
        name = uuid.uuid4().hex
        self._fs.create_dir(f"{self._path}/{name}")
        try:
            yield f"{self.folder}/{name}"
        finally:
            self._fs.delete_dir(f"{self._path}/{name}")

    def remove(self) -> None:
        """Remove the folder and all in it."""
        self._fs.delete_dir(self._path)


class Blocks:
    """The blocks of some drops, for several threads: each takes the next one when it is done with one."""

    def __init__(self, reader: Reader, drops: Sequence[Drop]) -> None:
        self._blocks = (block for drop in drops for block in reader.blocks(drop))
        self._reader = reader
        self._turn = Lock()

    def write(self, file: str) -> dict[str, Tally]:
        """Parse blocks into a Parquet file until there are none. Returns the tallies of these blocks' files."""
        filesystem_, path = filesystem(file)
        tallies: dict[str, Tally] = {}
        texts = [field.name for field in self._reader.schema if pa.types.is_string(field.type)]
        quick = {"compression": "lz4", "use_dictionary": texts, "write_statistics": False}
        with pq.ParquetWriter(path, self._reader.schema, filesystem=filesystem_, **quick) as writer:
            batches: list[pa.RecordBatch] = []
            for block in iter(self._next, None):
                batches.append(self._reader.parse(block))
                tallies.setdefault(block.name, Tally()).add(_tally(block, batches[-1]))
                if sum(map(len, batches)) >= ROW_GROUP:
                    writer.write_table(pa.Table.from_batches(batches))
                    batches = []
            writer.write_table(pa.Table.from_batches(batches, self._reader.schema))
        return tallies

    def _next(self) -> Block | None:
        with self._turn:
            return next(self._blocks, None)


def merged(tallies: Iterable[Mapping[str, Tally]]) -> dict[str, Tally]:
    """One tally for each file, whoever read which of its blocks."""
    merged_: dict[str, Tally] = {}
    for by_file in tallies:
        for file, tally in by_file.items():
            merged_.setdefault(file, Tally()).add(tally)
    return merged_


def _tally(block: Block, lines: pa.RecordBatch) -> Tally:
    if block.sha256 is not None:
        return Tally(lines=block.line, sha256=block.sha256)
    marks = lines.column("mark")
    return Tally(
        rejected=pc.sum(pc.equal(marks, "rejected")).as_py() or 0,
        blank=pc.sum(pc.equal(marks, "blank")).as_py() or 0,
        nulled_values=pc.sum(lines.column("nulled_values")).as_py() or 0,
    )


def filesystem(location: str) -> tuple[fs.FileSystem, str]:
    """PyArrow's file system for a path or an S3 URI, and the path in it."""
    if location.startswith("s3://"):
        found: tuple[fs.FileSystem, str] = fs.FileSystem.from_uri(location)
        return found
    return fs.LocalFileSystem(), location


def _remove_abandoned(lake: Path) -> None:
    for folder in lake.glob(".staging-*"):
        if not _is_running(int(folder.name.rpartition("-")[2])):
            shutil.rmtree(folder, ignore_errors=True)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
