"""Staging: Parquet files that are written and not yet committed, in a folder of the lake, until the run ends.

The records are written as data files of the landing table, so a commit only moves and adds them. They are personal
data, so the next run that writes removes the staged files of a killed run.

Each local folder has a lock file, which its run holds until it ends. A free lock shows that the run has ended, in
whichever container or PID namespace it ran; the heartbeat in the folder shows it to other hosts. The lock file is
created before the folder and removed after it.
"""

from __future__ import annotations

import atexit
import re
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock
from numpy.typing import NDArray
from pyarrow import fs

from stedi_common.engines.storage import locks, s3, scratch
from stedi_common.engines.storage.checksums import name_with_checksum
from stedi_common.engines.storage.heartbeat import Heartbeat
from stedi_common.engines.storage.parquet import DataFile, filesystem, make_folder
from stedi_common.engines.storage.scratch import Scratch
from stedi_common.errors import CommitConflictError, EngineError, LakeError
from stedi_common.instants import from_seconds
from stedi_common.lake import Lake

if TYPE_CHECKING:
    from stedi_common.records.tally import Tally

#: The subfolders of what is staged together.
RECORDS, REJECTED, FINGERPRINTS = "records", "rejected", "fingerprints"

Returned = TypeVar("Returned")

#: How many fingerprints are compared at once. More are compared in parts, so that they fit in memory.
MAX_FINGERPRINTS = 2**25

#: What the names of staging folders start with. Terraform's lifecycle rule for S3 knows it too.
_STAGING = ".staging-"
#: The whole names. Nothing else is ours, however it is called. Before 0.3 a process number came last, and no lock.
_FOLDER = re.compile(rf"{re.escape(_STAGING)}[0-9a-f]{{32}}(-\d+)?")


class Staging:
    """The staging folder of one run, beside the landing zone. It is created at its first use.

    Args:
        lake: the lake.
        writes: whether the staged files of killed runs are removed first. A reader writes nothing into the lake.
        is_shared: whether other machines read what is staged. If not, that of a lake in S3 is staged on the local disk:
            an upload holds 10 MB of each day that is open, and what is staged would be copied once more.
    """

    def __init__(self, lake: Lake, *, writes: bool = True, is_shared: bool = True) -> None:
        self._lake, self._writes, self._is_shared = lake, writes, is_shared
        self._made: str | None = None
        self._lock: FileLock | None = None
        self._heartbeat: Heartbeat | None = None
        self._local: Scratch | None = None
        if writes:
            scratch.remove_dead()
            if lake.is_local:
                locks.remove_dead(_locks(lake), _FOLDER)

    @cached_property
    def folder(self) -> str:
        """The folder or S3 URI. Raises LakeError if the file system has no locks."""
        if not self._lake.is_local and not self._is_shared:
            return self.local_scratch
        folder = self._made = f"{self._lake.above('landing')}/{_STAGING}{uuid.uuid4().hex}"
        atexit.register(self.remove)  # Ctrl-C may come before anybody can close what has the folder
        if self._lake.is_local:
            self._lock = locks.acquire(folder, "lake", "move the lake to a local disk, or mount the volume with locks")
            Path(folder).mkdir(mode=0o700)
            self._heartbeat = Heartbeat(folder)
        else:
            make_folder(folder)
        return folder

    def expect_alone(self) -> None:
        """Raise LakeError while another run holds a lock of the lake."""
        expect_no_run(self._lake, Path(self._made).name if self._made else None)

    def hold(self) -> None:
        """Make the folder now: its lock shows that a run is writing to the lake."""
        _ = self.folder

    @property
    def scratch(self) -> str:
        """A folder for what is only kept while the engine is open, which Spark's executors can read."""
        return self.local_scratch if self._lake.is_local else self.folder

    @cached_property
    def local_scratch(self) -> str:
        """A folder like `scratch` on the local disk: the staging folder, or a temporary one for a reader or S3."""
        if self._writes and self._lake.is_local:
            return self.folder
        self._local = Scratch()
        return self._local.folder

    @contextmanager
    def subfolder(self) -> Iterator[str]:
        """A folder with a subfolder for each kind of staged file, until the block ends."""
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

    def expect_rows(self, folder: str, tallies: Mapping[str, Tally]) -> None:
        """Raise EngineError unless the files that were staged below the folder have the rows of the tallies."""
        records = sum(tally.records for tally in tallies.values())
        rejected = sum(tally.rejected_rows for tally in tallies.values())
        for name, rows in ((RECORDS, records), (REJECTED, rejected)):
            with _changed_meanwhile(name):
                found = sum(self._each(_rows_of, self.data_files(f"{folder}/{name}")))
            if found != rows:
                raise _changed(name, f"{found:,} of {rows:,} rows")

    def are_distinct(self, folder: str) -> bool:
        """Whether no two of the fingerprints that were staged below the folder are equal."""
        from stedi_common.engines.storage import fingerprints  # noqa: PLC0415 - it imports PyArrow's functions

        staged = self.data_files(f"{folder}/{FINGERPRINTS}")
        files = [filesystem(file.location) for file in staged]
        count = sum(self._each(_rows_of, staged))
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

        Yields:
            The files where they lie now.

        Raises:
            EngineError: a staged file is gone or damaged.
        """
        there: list[DataFile] = []
        for partition in {file.partition for file in files}:
            make_folder(DataFile(folder, partition, "").location)
        system, _ = filesystem(folder)
        moved: list[str] = []

        def move(old: DataFile) -> DataFile:
            with _changed_meanwhile(RECORDS):
                new = DataFile(folder, old.partition, self._final_name(old))
                moved.append(filesystem(new.location)[1])
                if self._lake.is_local:
                    shutil.move(old.location, moved[-1])  # copies it if the table's folder is a link to another disk
                elif self._is_shared:
                    system.move(filesystem(old.location)[1], moved[-1])
                else:
                    s3.upload(Path(old.location), new.location)
            return new

        try:
            there += self._each(move, files)
        except BaseException:  # Ctrl-C, too: nothing is committed yet
            _remove_files(system, moved)
            raise
        try:
            yield there
        except CommitConflictError:
            _remove_files(system, moved)
            raise
        except pa.ArrowInvalid:  # the commit reads the footers first
            _remove_files(system, moved)
            raise _changed(RECORDS, "damaged ones") from None

    def _each(self, call: Callable[[DataFile], Returned], files: Sequence[DataFile]) -> list[Returned]:
        """The results of a call for each file. What S3 takes long to answer is asked in parallel."""
        return list(map(call, files)) if self._lake.is_local else s3.in_parallel(call, files)

    def _final_name(self, file: DataFile) -> str:
        return name_with_checksum(Path(file.location)) if self._lake.is_local else file.name

    def remove(self) -> None:
        """Remove the folders and all in them, if they were made."""
        if self._local:
            self._local.remove()
        if self._made is None:
            return
        if self._heartbeat:
            self._heartbeat.stop()
        _remove(self._made)
        if self._lake.is_local:
            locks.remove(self._lock or locks.lock_of(self._made))
        self._made = self._lock = self._heartbeat = None
        atexit.unregister(self.remove)


def _rows_of(file: DataFile) -> int:
    system, path = filesystem(file.location)
    return int(pq.read_metadata(path, filesystem=system).num_rows)


@contextmanager
def _changed_meanwhile(name: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, pa.ArrowInvalid):
        raise _changed(name, "none or damaged ones") from None


def _changed(name: str, found: str) -> EngineError:
    return EngineError(
        f"landing: expected the staged {name} as they were written, got {found}; no file has landed",
        hint="something else has changed the staging folder in the lake; run the command again",
    )


def _of_part(prints: pa.Table, part: int, parts: int) -> NDArray[np.int64]:
    """The fingerprints of one of so many parts; equal ones are in the same part."""
    values: NDArray[np.int64] = prints.column(0).to_numpy()
    return values[values % parts == part] if parts > 1 else values


def _remove_files(system: fs.FileSystem, paths: Iterable[str]) -> None:
    for path in paths:
        with suppress(FileNotFoundError):
            system.delete_file(path)


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
        if lake.is_local and Path(f"{folder.path}{locks.SUFFIX}").exists():
            continue
        found = system.get_file_info(fs.FileSelector(folder.path, allow_not_found=True, recursive=True))
        if all(_is_older(each, older_than) for each in (folder, *found)):
            _remove_dir(system, folder.path)
            removed += sum(each.is_file for each in found)
    return removed


def held_locks(lake: Lake) -> list[Path]:
    """The locks of the runs that write to a local lake now. Those of killed runs are removed first."""
    locks.remove_dead(_locks(lake), _FOLDER)
    return sorted(each for each in _locks(lake) if _FOLDER.fullmatch(each.stem))


def expect_no_run(lake: Lake, own: str | None = None) -> None:
    """Raise LakeError while a run holds a lock of a local lake.

    Args:
        lake: the lake.
        own: the name of the staging folder of this run, if it has one.
    """
    if held := [lock for lock in held_locks(lake) if lock.stem != own]:
        raise LakeError(
            f"lake {lake.location}: expected no other run, got one that holds the lock {held[0].name}",
            hint="wait until it has ended, or end it, then run the command again",
        )


def _locks(lake: Lake) -> Iterator[Path]:
    return lake.folder.glob(f"{_STAGING}*{locks.SUFFIX}")


def _is_older(info: fs.FileInfo, than: datetime) -> bool:
    """Whether it was written before then. Folders of S3 never were."""
    at = info.mtime_ns
    return at is None or from_seconds(at / 1e9) < than
