"""The files that the metadata of a table name, read from JSON and Avro without an engine.

A file is its real path or its S3 URI, in the spelling of `lake.canonical`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from stedi_common.engines.errors import hint_of
from stedi_common.engines.storage import avro, s3
from stedi_common.engines.storage.metadata_files import Metadata
from stedi_common.engines.storage.parquet import read_file
from stedi_common.errors import DamagedFileError, LakeError
from stedi_common.lake import canonical

#: The status of a file that a manifest lists and that its snapshot has removed.
_DELETED = 2

SnapshotMetadata = Mapping[str, Any]
Returned = TypeVar("Returned")


def needed_files(metadata: Metadata) -> set[str]:
    """The files that a table needs: those of every snapshot, whichever branch or tag keeps it, and older metadata.

    Raises:
        FileNotFoundError: a manifest list or a manifest is not there.
        LakeError: one of them is damaged.
    """
    statistics = (*metadata.get("statistics", ()), *metadata.get("partition-statistics", ()))
    needed = {canonical(each["statistics-path"]) for each in statistics}
    needed |= {canonical(each["metadata-file"]) for each in metadata.get("metadata-log", ())}
    lists = {_list(snapshot) for snapshot in metadata.get("snapshots", ())}
    manifests = set(chain.from_iterable(_each(_manifests, lists)))  # one is of many snapshots
    files = chain.from_iterable(_each(_entries, manifests))
    return needed | lists | manifests | {file for file, status in files if status != _DELETED}


def named_files(metadata: Iterable[Metadata]) -> set[str]:
    """All files that any of these metadata name, also those that a snapshot has removed.

    What is missing or damaged is left out: expired snapshots lose their files.
    """
    lists = {_list(each) for one in metadata for each in one.get("snapshots", ())}
    manifests = set(chain.from_iterable(_each(_if_readable(_manifests), lists)))
    files = chain.from_iterable(_each(_if_readable(_entries), manifests))
    return lists | manifests | {file for file, _ in files}


def is_complete(snapshot: SnapshotMetadata) -> bool:
    """Whether all files of the snapshot of a table in a folder are there."""
    try:
        entries = chain.from_iterable(map(_entries, _manifests(_list(snapshot))))
        return all(Path(file).exists() for file, status in entries if status != _DELETED)
    except (OSError, LakeError):
        return False


def _list(snapshot: SnapshotMetadata) -> str:
    return canonical(snapshot["manifest-list"])


def _manifests(manifest_list: str) -> set[str]:
    return {canonical(record["manifest_path"]) for record in _records(manifest_list)}


def _entries(manifest: str) -> list[tuple[str, int]]:
    """The files that a manifest lists, each with its status."""
    return [(canonical(record["data_file"]["file_path"]), record["status"]) for record in _records(manifest)]


def _records(file: str) -> list[Any]:
    try:
        return list(avro.records(read_file(file)))
    except avro.DamagedAvroError as error:
        raise DamagedFileError(
            f"{file}: expected a manifest of Iceberg, got one that is damaged ({error})", hint_of(file)
        ) from None


def _if_readable(read: Callable[[str], Collection[Returned]]) -> Callable[[str], Collection[Returned]]:
    """The same, but nothing of a file that is missing or damaged."""

    def tried(file: str) -> Collection[Returned]:
        try:
            return read(file)
        except (OSError, LakeError):
            return ()

    return tried


def _each(read: Callable[[str], Returned], files: Collection[str]) -> Iterable[Returned]:
    """What is read of each file. Objects of S3 are read in parallel."""
    is_remote = any(file.startswith(s3.SCHEME) for file in files)
    return s3.in_parallel(read, files) if is_remote else map(read, files)
