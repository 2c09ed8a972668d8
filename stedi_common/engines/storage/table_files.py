"""The files that the metadata of a table name, read from JSON and Avro without an engine. For lakes in a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from stedi_common.engines.storage.metadata_files import Metadata, previous
from stedi_common.errors import CHECK_NAMES_FILES, DamagedFileError, LakeError
from stedi_common.lake import local_path

#: The status of a file that a manifest lists and that its snapshot has removed.
_DELETED = 2

SnapshotMetadata = Mapping[str, Any]


def needed_files(metadata: Metadata) -> set[Path]:
    """The files that a table needs: those of every snapshot, whichever branch or tag keeps it, and older metadata.

    Raises:
        FileNotFoundError: a manifest list or a manifest is not there.
        LakeError: one of them is damaged.
    """
    statistics = (*metadata.get("statistics", ()), *metadata.get("partition-statistics", ()))
    needed = {local_path(each["statistics-path"]) for each in statistics}
    needed |= {file.path for file in previous(metadata)}
    manifests: set[Path] = set()
    for snapshot in metadata.get("snapshots", ()):
        manifests |= _manifests(snapshot)
        needed.add(_list(snapshot))
    for manifest in manifests:  # one is of many snapshots
        needed.add(manifest)
        needed |= {file for file, status in _entries(manifest) if status != _DELETED}
    return needed


def named_files(metadata: Iterable[Metadata]) -> set[Path]:
    """All files that any of these metadata name, also those that a snapshot has removed.

    What is missing or damaged is left out: expired snapshots lose their files.
    """
    snapshots = {str(each["manifest-list"]): each for one in metadata for each in one.get("snapshots", ())}
    named, manifests = set[Path](), set[Path]()
    for snapshot in snapshots.values():
        named.add(_list(snapshot))
        with suppress(OSError, LakeError):
            manifests |= _manifests(snapshot)
    for manifest in manifests:
        named.add(manifest)
        with suppress(OSError, LakeError):
            named |= {file for file, _ in _entries(manifest)}
    return named


def is_complete(snapshot: SnapshotMetadata) -> bool:
    """Whether all files of the snapshot are there."""
    try:
        manifests = _manifests(snapshot)
        return all(file.exists() for manifest in manifests for file, status in _entries(manifest) if status != _DELETED)
    except (OSError, LakeError):
        return False


def _list(snapshot: SnapshotMetadata) -> Path:
    return local_path(snapshot["manifest-list"])


def _manifests(snapshot: SnapshotMetadata) -> set[Path]:
    return {local_path(record["manifest_path"]) for record in _records(_list(snapshot))}


def _entries(manifest: Path) -> Iterator[tuple[Path, int]]:
    """The files that a manifest lists, each with its status."""
    return ((local_path(record["data_file"]["file_path"]), record["status"]) for record in _records(manifest))


def _records(file: Path) -> list[Any]:
    import fastavro  # noqa: PLC0415 - Glue has none, and no lake in a folder

    with file.open("rb") as content:
        try:
            return list(fastavro.reader(content))
        except OSError:
            raise
        except Exception as error:  # damaged bytes may be anything to the library
            raise DamagedFileError(
                f"{file}: expected a manifest of Iceberg, got one that is damaged ({type(error).__name__})",
                hint=CHECK_NAMES_FILES,
            ) from None
