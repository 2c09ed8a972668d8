"""What an engine has read and not yet committed: Parquet files in a folder of the lake that goes with the run.

The records lie there as the landing table wants its data files, so that a commit need only take them over. They are
personal data, so what a killed run left behind is removed by the next one.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pyarrow import fs

from stedi_common.contracts import contract
from stedi_common.engines import fingerprints
from stedi_common.engines.parts import DataFile, Layout, Parts, filesystem, make_folder
from stedi_common.errors import CommitConflictError
from stedi_common.lake import Lake
from stedi_common.records import Block, Drop, Reader
from stedi_common.records.tally import Tally

#: The subfolders of what is staged together.
RECORDS, REJECTED, FINGERPRINTS = "records", "rejected", "fingerprints"

#: So many fingerprints are compared at once; of more, one part after the other, so that they fit in memory.
MANY = 2**25

#: What the names of staging folders start with. Terraform's lifecycle rule for S3 knows it too.
_STAGING = ".staging-"


class Staging:
    """The staging folder of one run: where the landing zone lies, made when it is first asked for."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        if lake.is_local:
            _remove_abandoned(lake.folder)

    @cached_property
    def folder(self) -> str:
        """The folder or S3 URI."""
        folder = f"{self._lake.above('landing')}/{_STAGING}{uuid.uuid4().hex}-{os.getpid()}"
        make_folder(folder)
        if self._lake.is_local:
            Path(folder).chmod(0o700)
        return folder

    @contextmanager
    def subfolder(self) -> Iterator[str]:
        """A folder for one piece of work."""
        folder = f"{self.folder}/{uuid.uuid4().hex}"
        for each in (RECORDS, REJECTED, FINGERPRINTS):
            make_folder(f"{folder}/{each}")
        try:
            yield folder
        finally:
            _remove(folder)

    def data_files(self, folder: str) -> list[DataFile]:
        """The Parquet files below a folder."""
        system, path = filesystem(folder)
        found = system.get_file_info(fs.FileSelector(path, allow_not_found=True, recursive=True))
        relative = sorted(info.path.removeprefix(f"{path}/") for info in found if info.is_file)
        parts = (name.rpartition("/") for name in relative)
        return [DataFile(folder, partition, name) for partition, _, name in parts]

    def are_distinct(self, folder: str) -> bool:
        """Whether no two of the fingerprints that were staged below the folder are equal."""
        files = [filesystem(file.location) for file in self.data_files(f"{folder}/{FINGERPRINTS}")]
        count = sum(pq.read_metadata(path, filesystem=system).num_rows for system, path in files)
        parts = 1 + count // MANY
        for part in range(parts):
            some = [_of_part(pq.read_table(path, filesystem=system), part, parts) for system, path in files]
            if not fingerprints.are_distinct(np.concatenate([np.empty(0, np.int64), *some])):
                return False
        return True

    @contextmanager
    def handed_over(self, files: Sequence[DataFile], folder: str) -> Iterator[list[DataFile]]:
        """The files, moved below a table's folder; gone if the commit in the block comes too late."""
        there = [DataFile(folder, file.partition, file.name) for file in files]
        for partition in {file.partition for file in files}:
            make_folder(DataFile(folder, partition, "").location)
        system, _ = filesystem(folder)
        for old, new in zip(files, there, strict=True):
            system.move(filesystem(old.location)[1], filesystem(new.location)[1])
        try:
            yield there
        except CommitConflictError:
            for file in there:
                system.delete_file(filesystem(file.location)[1])
            raise

    def remove(self) -> None:
        """Remove the folder and all in it, if it was made."""
        if "folder" in vars(self):
            _remove(self.folder)


class Blocks:
    """The blocks of some drops, for several threads: each takes the next one when it is done with one."""

    def __init__(self, reader: Reader, drops: Sequence[Drop]) -> None:
        self._blocks = (block for drop in drops for block in reader.blocks(drop))
        self._reader = reader
        self._turn = Lock()

    def write(self, folder: str, records_in: Layout, rejected_in: Layout) -> dict[str, Tally]:
        """Parse blocks until there are none, into the subfolders of `folder`. Returns the tallies of their files."""
        tallies: dict[str, Tally] = {}
        keys = contract(f"{self._reader.source}_landing").keys
        with (
            Parts(f"{folder}/{RECORDS}", records_in) as records,
            Parts(f"{folder}/{FINGERPRINTS}", Layout(fingerprints.SCHEMA)) as prints,
            Parts(f"{folder}/{REJECTED}", rejected_in) as rejected,
        ):
            for block in iter(self._next, None):
                for lines, tally in self._reader.parse(block):
                    tallies.setdefault(block.name, Tally()).add(tally)
                    marks = lines.column("mark")
                    good = lines if marks.null_count == len(lines) else lines.filter(pc.is_null(marks))
                    records.add(self._rows(good, records_in.schema))
                    prints.add(fingerprints.of(good, keys))
                    rejected.add(self._rows(lines.filter(pc.is_valid(marks)), rejected_in.schema))
        return tallies

    def _rows(self, lines: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
        """The lines as rows of a table."""
        count = len(lines)
        columns = dict(zip(lines.schema.names, lines.columns, strict=True)) | {
            "source": pa.repeat(self._reader.source, count),
            "arrived_at": pa.repeat(pa.scalar(self._reader.arrived_at, pa.timestamp("us")), count),
        }
        return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)

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


def _of_part(prints: pa.Table, part: int, parts: int) -> NDArray[np.int64]:
    """Those of one of so many parts; equal ones are in the same."""
    values: NDArray[np.int64] = prints.column(0).to_numpy()
    return values[values % parts == part] if parts > 1 else values


def _remove(folder: str) -> None:
    _remove_dir(*filesystem(folder))


def _remove_dir(system: fs.FileSystem, path: str) -> None:
    with suppress(FileNotFoundError):  # a folder of S3 is there only if something is in it
        system.delete_dir(path)


def remove_abandoned(lake: Lake, older_than: datetime) -> int:
    """Remove staging folders in which nothing was written since then (UTC). Returns how many files they had.

    A folder of this machine's tells whose it is (see `Staging`); any other, or one whose process has its number from a
    dead one, tells only its age.
    """
    system, above = filesystem(lake.above("landing"))
    removed = 0
    for folder in system.get_file_info(fs.FileSelector(above, allow_not_found=True)):
        if folder.base_name.startswith(_STAGING):
            found = system.get_file_info(fs.FileSelector(folder.path, allow_not_found=True, recursive=True))
            if all(_is_older(each, older_than) for each in (folder, *found)):
                _remove_dir(system, folder.path)
                removed += sum(each.is_file for each in found)
    return removed


def _is_older(info: fs.FileInfo, than: datetime) -> bool:
    """Whether it was written before then. Folders of S3 never were."""
    at = info.mtime_ns
    return at is None or datetime.fromtimestamp(at / 1e9, UTC).replace(tzinfo=None) < than


def _remove_abandoned(lake: Path) -> None:
    for folder in lake.glob(f"{_STAGING}*"):
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
