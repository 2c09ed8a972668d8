"""What an engine has read and not yet committed: Parquet files in a folder of the lake that goes with the run.

The records lie there as the landing table wants its data files, so that a commit need only take them over. They are
personal data, so what a killed run left behind is removed by the next one that writes.

Beside each local folder lies its lock, which its run holds for as long as it lives: a lock that is free says that the
run is dead, in whatever container or PID namespace it was. The lock is made before the folder and removed after it.
"""

from __future__ import annotations

import errno
import re
import shutil
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from threading import Lock

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from filelock import FileLock
from numpy.typing import NDArray
from pyarrow import fs

from stedi_common.contracts import contract
from stedi_common.engines.storage import fingerprints
from stedi_common.engines.storage.parquet import DataFile, Layout, PartitionedWriter, filesystem, make_folder
from stedi_common.errors import CommitConflictError, LakeError
from stedi_common.instants import from_seconds
from stedi_common.lake import Lake
from stedi_common.records import Block, Drop, Reader
from stedi_common.records.tally import Tally

REJECTED_RECORDS = contract("rejected_records")

#: The subfolders of what is staged together.
RECORDS, REJECTED, FINGERPRINTS = "records", "rejected", "fingerprints"

#: So many fingerprints are compared at once; of more, one part after the other, so that they fit in memory.
MAX_FINGERPRINTS = 2**25

#: What the names of staging folders start with. Terraform's lifecycle rule for S3 knows it too.
_STAGING = ".staging-"
#: The whole names. Nothing else is ours, however it is called. Before 0.3 a process number came last, and no lock.
_FOLDER = re.compile(rf"{re.escape(_STAGING)}[0-9a-f]{{32}}(-\d+)?")
_LOCK = ".lock"
#: What a file system without locks answers.
_NO_LOCKS = (errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK)
#: So many seconds a new lock may be held by another run, which looks whether its owner is dead.
_MAX_WAIT = 60


class Staging:
    """The staging folder of one run: where the landing zone lies, made when it is first asked for.

    Args:
        lake: the lake.
        writes: whether what dead runs had staged is removed first.
    """

    def __init__(self, lake: Lake, *, writes: bool = True) -> None:
        self._lake = lake
        self._lock: FileLock | None = None
        if writes and lake.is_local:
            _remove_dead(lake.folder)

    @cached_property
    def folder(self) -> str:
        """The folder or S3 URI. Raises LakeError if the file system has no locks."""
        folder = f"{self._lake.above('landing')}/{_STAGING}{uuid.uuid4().hex}"
        if self._lake.is_local:
            self._lock = _acquired(folder)
            Path(folder).mkdir(mode=0o700)
        else:
            make_folder(folder)
        return folder

    @contextmanager
    def subfolder(self) -> Iterator[str]:
        """A folder for one piece of work, with subfolders. It is removed after the block."""
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
        parts = 1 + count // MAX_FINGERPRINTS
        for part in range(parts):
            some = [_of_part(pq.read_table(path, filesystem=system), part, parts) for system, path in files]
            if not fingerprints.are_distinct(np.concatenate([np.empty(0, np.int64), *some])):
                return False
        return True

    @contextmanager
    def handed_over(self, files: Sequence[DataFile], folder: str) -> Iterator[list[DataFile]]:
        """Move staged files below a table's folder. They are removed if the commit in the block has a conflict.

        Args:
            files: the staged files.
            folder: the folder or URI of the table's data.

        Returns:
            The files where they lie now.
        """
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
        if self._lock:
            _drop(self._lock)


class BlockReader:
    """Reads the blocks of some drops in several threads: each takes the next one when it is done with one."""

    def __init__(self, reader: Reader, drops: Sequence[Drop]) -> None:
        self._blocks = (block for drop in drops for block in reader.blocks(drop))
        self._reader = reader
        self._turn = Lock()

    def stage(self, folder: str, records_in: Layout, rejected_in: Layout) -> dict[str, Tally]:
        """Parse blocks until there are none.

        Args:
            folder: into whose subfolders the records, their fingerprints and the rejected lines are written.
            records_in: the layout of the records.
            rejected_in: the layout of the rejected lines.

        Returns:
            The tallies of the files that the blocks are of.
        """
        tallies: dict[str, Tally] = {}
        keys = contract(f"{self._reader.source}_landing").keys
        with (
            PartitionedWriter(f"{folder}/{RECORDS}", records_in) as records,
            PartitionedWriter(f"{folder}/{FINGERPRINTS}", Layout(fingerprints.SCHEMA)) as prints,
            PartitionedWriter(f"{folder}/{REJECTED}", rejected_in) as rejected,
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
    """One tally for each file, of those of its blocks."""
    total: dict[str, Tally] = {}
    for by_file in tallies:
        for file, tally in by_file.items():
            total.setdefault(file, Tally()).add(tally)
    return total


def _of_part(prints: pa.Table, part: int, parts: int) -> NDArray[np.int64]:
    """The fingerprints of one of so many parts; equal ones are in the same part."""
    values: NDArray[np.int64] = prints.column(0).to_numpy()
    return values[values % parts == part] if parts > 1 else values


def _remove(folder: str) -> None:
    _remove_dir(*filesystem(folder))


def _remove_dir(system: fs.FileSystem, path: str) -> None:
    with suppress(FileNotFoundError):  # a folder of S3 is there only if something is in it
        system.delete_dir(path)


def remove_abandoned(lake: Lake, older_than: datetime) -> int:
    """Remove staging folders without a lock: in S3 there are none, and folders made before 0.3 have none.

    Args:
        lake: the lake.
        older_than: only folders in which nothing was written since then, UTC without zone.

    Returns:
        How many files they had.
    """
    system, above = filesystem(lake.above("landing"))
    removed = 0
    for folder in system.get_file_info(fs.FileSelector(above, allow_not_found=True)):
        if not _FOLDER.fullmatch(folder.base_name) or folder.type is not fs.FileType.Directory:
            continue
        if lake.is_local and Path(f"{folder.path}{_LOCK}").exists():
            continue
        found = system.get_file_info(fs.FileSelector(folder.path, allow_not_found=True, recursive=True))
        if all(_is_older(each, older_than) for each in (folder, *found)):
            _remove_dir(system, folder.path)
            removed += sum(each.is_file for each in found)
    return removed


def _is_older(info: fs.FileInfo, than: datetime) -> bool:
    """Whether it was written before then. Folders of S3 never were."""
    at = info.mtime_ns
    return at is None or from_seconds(at / 1e9) < than


def _remove_dead(lake: Path) -> None:
    """Remove the staging folders of runs that are dead: their locks are free. Those of others stay."""
    for file in lake.glob(f"{_STAGING}*{_LOCK}"):
        folder = str(file).removesuffix(_LOCK)
        if not _FOLDER.fullmatch(Path(folder).name):
            continue
        lock = _lock_of(folder)
        with suppress(OSError):  # held, gone by now, or of another user
            lock.acquire(blocking=False)
            shutil.rmtree(folder, ignore_errors=True)
            if Path(folder).exists():  # of another user, or not a folder
                lock.release()
            else:
                _drop(lock)


def _acquired(folder: str) -> FileLock:
    """The lock of a new staging folder, held by this run."""
    lock = _lock_of(folder)
    try:
        lock.acquire(timeout=_MAX_WAIT)
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
        raise LakeError(
            f"lake {Path(folder).parent}: expected a file system with locks (flock), got none",
            hint="move the lake to a local disk, or mount the volume with locks",
        ) from None
    return lock


def _lock_of(folder: str) -> FileLock:
    """The lock of a staging folder. Never the soft one, which asks for process numbers where there is no flock."""
    return FileLock(f"{folder}{_LOCK}", mode=0o600, thread_local=False, fallback_to_soft=False)


def _drop(lock: FileLock) -> None:
    """Remove a lock that is held. Whoever waits for it sees that it is gone, and makes a new one."""
    Path(lock.lock_file).unlink(missing_ok=True)
    lock.release()
