"""Whether a table is whole: every file that a kept snapshot names is there, can be read, and has its rows and bytes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.manifest import DataFile, ManifestEntry, ManifestEntryStatus, ManifestFile, read_manifest_list
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Snapshot

from stedi_common.contracts import Contract
from stedi_common.engines.embedded.catalog import load_table
from stedi_common.engines.embedded.lake_catalog import LakeCatalog
from stedi_common.engines.protocol import Damage, Verified
from stedi_common.engines.storage.checksums import is_as_written
from stedi_common.errors import DamagedFileError, StediError, raise_if_out_of_resources
from stedi_common.lake import Lake, local_path

#: A table is verified again if it has changed meanwhile, so that the files of an expired snapshot are not missed.
MAX_ATTEMPTS = 5

#: There is no file. Every other error of the system, such as a missing right, may pass: it shows no damage.
_NO_FILE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
_MISSING = "expected a file, got none"
_OTHER_BYTES = "expected the bytes that were written, got others"


def verify(lake: Lake, catalog: LakeCatalog, contract: Contract, *, quick: bool = False) -> Verified | None:
    """Verify the files of a table.

    Args:
        lake: the lake.
        catalog: its catalog.
        contract: the table's.
        quick: leave out what reads the whole files: only their sizes and their metadata are verified.

    Returns:
        What was verified, and what is damaged; None if the table does not exist.

    Raises:
        LakeError: the table is at another place than the lake.
        StediError: the machine is out of memory or file descriptors, which shows no damage.
    """
    for attempt in range(MAX_ATTEMPTS):
        location = catalog.metadata_location(lake.identifier(contract))
        if location is None:
            return None
        verified = _verify(lake, catalog, contract, location, quick=quick)
        is_last = attempt == MAX_ATTEMPTS - 1
        if is_last or not verified.damages or location == catalog.metadata_location(lake.identifier(contract)):
            break
    return verified


def _verify(lake: Lake, catalog: LakeCatalog, contract: Contract, location: str, *, quick: bool) -> Verified:
    damage = _damage_of_metadata(location)
    table = None
    if damage is None:
        try:
            table = load_table(lake, catalog, contract)
        except Exception as error:
            is_damage = isinstance(error, DamagedFileError)
            if not is_damage and isinstance(error, (StediError, *catalog.unknown_state)):
                raise
            raise_if_out_of_resources(error)
            damage = _damage("metadata", location, "expected the metadata of a table, got something else")
    if table is None:
        return Verified(contract.identifier, damages=(damage,) if damage else ())
    return _Verification(table, quick=quick).verified(contract)


def _damage_of_metadata(location: str) -> Damage | None:
    path = local_path(location)
    try:
        if is_as_written(path) is False:
            return _damage("metadata", location, _OTHER_BYTES)
    except _NO_FILE:
        pass
    return None if path.is_file() else _damage("metadata", location, _MISSING)


@dataclass
class _Needed:
    """A data file, and the snapshots that need it."""

    file: DataFile
    snapshots: set[int] = field(default_factory=set)


class _Verification:
    """The files of one table, as its metadata name them."""

    def __init__(self, table: Table, *, quick: bool) -> None:
        self._table, self._io, self._quick = table, table.io, quick
        self._manifests: dict[str, tuple[ManifestFile, set[int]]] = {}
        self._data: dict[str, _Needed] = {}

    def verified(self, contract: Contract) -> Verified:
        snapshots = self._table.metadata.snapshots
        current = self._table.metadata.current_snapshot_id
        damages = [damage for snapshot in snapshots for damage in self._manifest_list(snapshot)]
        for manifest, of in self._manifests.values():
            damages += self._manifest(manifest, of)
        if current is not None and not any(current in each.snapshots for each in damages):
            damages += self._totals(current)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            damages += filter(None, pool.map(self._data_file, self._data.values()))
        if snapshots and (current is None or self._table.snapshot_by_id(current) is None):
            damages.append(_damage("metadata", self._table.metadata_location, "expected a snapshot, got none"))
        return Verified(
            contract.identifier,
            snapshots=len(snapshots),
            files=len(self._data),
            bytes=sum(each.file.file_size_in_bytes for each in self._data.values()),
            current=current,
            damages=tuple(damages),
        )

    def _manifest_list(self, snapshot: Snapshot) -> Iterator[Damage]:
        needed = {snapshot.snapshot_id}
        if damage := self._damage_of_bytes("manifest list", snapshot.manifest_list, None, needed):
            yield damage
            return
        try:
            manifests = list(read_manifest_list(self._io.new_input(snapshot.manifest_list)))
        except Exception as error:
            raise_if_out_of_resources(error)
            yield _damage("manifest list", snapshot.manifest_list, "expected an Avro file, got something else", needed)
            return
        for manifest in manifests:
            self._manifests.setdefault(manifest.manifest_path, (manifest, set()))[1].update(needed)

    def _manifest(self, manifest: ManifestFile, needed: set[int]) -> Iterator[Damage]:
        path = manifest.manifest_path
        if damage := self._damage_of_bytes("manifest", path, manifest.manifest_length, needed):
            yield damage
            return
        try:
            entries = manifest.fetch_manifest_entry(self._io, discard_deleted=False)
        except Exception as error:
            raise_if_out_of_resources(error)
            yield _damage("manifest", path, "expected an Avro file, got something else", needed)
            return
        if (wrong := _wrong_counts(manifest, entries)) is not None:
            yield _damage("manifest", path, wrong, needed)
        for entry in entries:
            if entry.status != ManifestEntryStatus.DELETED:
                file = entry.data_file
                self._data.setdefault(file.file_path, _Needed(file)).snapshots.update(needed)

    def _totals(self, current: int) -> Iterator[Damage]:
        """The rows and files that the summary of the current snapshot tells, and those of its manifests."""
        snapshot = self._table.snapshot_by_id(current)
        summary = snapshot.summary if snapshot else None
        files = [each.file for each in self._data.values() if current in each.snapshots]
        totals = {"total-records": sum(file.record_count for file in files), "total-data-files": len(files)}
        for name, found in totals.items():
            told = summary.additional_properties.get(name) if summary else None
            if told is not None and told != str(found):
                problem = f"expected {told} as {name}, got {found} in the manifests"
                yield _damage("metadata", self._table.metadata_location, problem, {current})

    def _data_file(self, needed: _Needed) -> Damage | None:
        file, snapshots = needed.file, needed.snapshots
        location = file.file_path
        if damage := self._damage_of_bytes("data file", location, file.file_size_in_bytes, snapshots):
            return damage
        try:
            rows = pq.read_metadata(local_path(location)).num_rows
            if rows != file.record_count:
                return _damage("data file", location, f"expected {file.record_count:,} rows, got {rows:,}", snapshots)
            if not self._quick and is_as_written(local_path(location)) is None:
                read_pages(location)
        except (OSError, pa.ArrowException) as error:
            raise_if_out_of_resources(error)
            if getattr(error, "errno", None):  # of the system, and not of Arrow about the content
                raise
            return _damage("data file", location, "expected a Parquet file, got something else", snapshots)
        return None

    def _damage_of_bytes(self, kind: str, location: str, size: int | None, needed: set[int]) -> Damage | None:
        """Whether the file is missing, or has another size or other bytes than were written."""
        path = local_path(location)
        try:
            found = path.stat().st_size
            if size is not None and found != size:
                return _damage(kind, location, f"expected {size:,} bytes, got {found:,}", needed)
            if not self._quick and is_as_written(path) is False:
                return _damage(kind, location, _OTHER_BYTES, needed)
        except _NO_FILE:
            return _damage(kind, location, _MISSING, needed)
        return None


def _wrong_counts(manifest: ManifestFile, entries: Iterable[ManifestEntry]) -> str | None:
    """How the entries of a manifest differ from what its list tells of them."""
    found: dict[ManifestEntryStatus, list[int]] = {status: [0, 0] for status in ManifestEntryStatus}
    for entry in entries:
        found[entry.status][0] += 1
        found[entry.status][1] += entry.data_file.record_count
    for status, (files, rows) in found.items():
        name = status.name.lower()
        told = getattr(manifest, f"{name}_files_count"), getattr(manifest, f"{name}_rows_count")
        for what, expected, got in zip(("files", "rows"), told, (files, rows), strict=True):
            if expected is not None and expected != got:
                return f"expected {expected:,} {name} {what}, got {got:,}"
    return None


def read_pages(location: str) -> None:
    """Read every value of the file, and compare the checksums of pages that have any."""
    with pq.ParquetFile(local_path(location), page_checksum_verification=True) as file:
        for _ in file.iter_batches():
            pass


def _damage(kind: str, location: str, problem: str, snapshots: Iterable[int] = ()) -> Damage:
    return Damage(kind, str(local_path(location)), problem, frozenset(snapshots))
