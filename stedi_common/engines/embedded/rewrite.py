"""Snapshots with the same rows in other files or manifests: PyIceberg reads them, but has no call to make one."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from typing import Any

from pyiceberg.avro.codecs import AvroCompressionCodec
from pyiceberg.manifest import (
    DataFile,
    ManifestContent,
    ManifestEntry,
    ManifestEntryStatus,
    ManifestFile,
    ManifestWriter,
    write_manifest,
    write_manifest_list,
)
from pyiceberg.table import Table
from pyiceberg.table.refs import SnapshotRefType
from pyiceberg.table.snapshots import (
    Operation,
    Snapshot,
    SnapshotSummaryCollector,
    Summary,
    update_snapshot_summaries,
)
from pyiceberg.table.update import AddSnapshotUpdate, AssertRefSnapshotId, SetSnapshotRefUpdate

from stedi_common.contracts import Contract
from stedi_common.engines.embedded.commit import commit_updates
from stedi_common.engines.embedded.lake_catalog import LakeCatalog
from stedi_common.engines.properties import MIN_MANIFESTS, MIN_SMALL_FILES, TARGET_FILE_BYTES
from stedi_common.engines.retention import MAIN

#: A file is small below this, as Iceberg's own compaction has it.
SMALL_FILE_BYTES = TARGET_FILE_BYTES * 3 // 4
#: So many files one manifest lists. They are of neighbouring days, so that who looks for a day reads few manifests.
FILES_PER_MANIFEST = 100

_CODEC: AvroCompressionCodec = "deflate"


def small_files(table: Table) -> list[ManifestEntry]:
    """The small files of each day, or of a table without days, that has many of them."""
    by_day = defaultdict(list)
    manifests = _manifests(table)
    if any(manifest.content == ManifestContent.DELETES for manifest in manifests):
        return []  # Somebody else's: rows are deleted that the files still have.
    for manifest in manifests:
        for entry in manifest.fetch_manifest_entry(table.io):
            file = entry.data_file
            if file.spec_id == table.spec().spec_id and file.file_size_in_bytes < SMALL_FILE_BYTES:
                by_day[_partition_values(file)].append(entry)
    return [entry for entries in by_day.values() if len(entries) >= MIN_SMALL_FILES for entry in entries]


def replace_files(
    contract: Contract, catalog: LakeCatalog, table: Table, old: Sequence[ManifestEntry], new: Sequence[DataFile]
) -> None:
    """Commit a snapshot that replaces files by others with the same rows.

    Args:
        contract: the table's.
        catalog: the table's.
        table: at its head.
        old: the entries of the files that the table loses.
        new: the files that it gains.

    Raises:
        StediError: see `commit_updates`. CommitConflictError: the head has changed.
    """
    replaced = {entry.data_file.file_path for entry in old}
    kept, existing = [], []
    for manifest in _manifests(table):
        entries = manifest.fetch_manifest_entry(table.io)
        left = [entry for entry in entries if entry.data_file.file_path not in replaced]
        if len(left) < len(entries):
            existing += left
        elif entries:
            kept.append(manifest)
    _Replacement(contract, table).commit(catalog, kept, existing, old, new)


def rewrite_manifests(contract: Contract, catalog: LakeCatalog, table: Table) -> None:
    """Commit a snapshot that replaces many small manifests by few full ones, if there are many.

    Raises:
        StediError: see `commit_updates`. CommitConflictError: the head has changed.
    """
    manifests = _manifests(table)
    data = [manifest for manifest in manifests if manifest.content == ManifestContent.DATA]
    small = [manifest for manifest in data if _live_files(manifest) < FILES_PER_MANIFEST]
    if len(small) >= MIN_MANIFESTS:
        kept = [manifest for manifest in manifests if manifest not in small]
        entries = [entry for manifest in small for entry in manifest.fetch_manifest_entry(table.io)]
        _Replacement(contract, table).commit(catalog, kept, entries)


class _Replacement:
    """A snapshot with the rows of the head in other files or manifests."""

    def __init__(self, contract: Contract, table: Table) -> None:
        self._contract, self._table = contract, table
        self._id, self._name, self._numbers = table.metadata.new_snapshot_id(), uuid.uuid4(), count()

    def commit(
        self,
        catalog: LakeCatalog,
        kept: Iterable[ManifestFile],
        existing: Iterable[ManifestEntry],
        old: Sequence[ManifestEntry] = (),
        new: Sequence[DataFile] = (),
    ) -> None:
        added = [ManifestEntry.from_args(status=ManifestEntryStatus.ADDED, data_file=file) for file in new]
        manifests = [
            *self._written(added, ManifestWriter.add),
            *self._written(existing, ManifestWriter.existing),
            *self._written(old, ManifestWriter.delete),
            *kept,
        ]
        snapshot = self._snapshot(manifests, self._summary([entry.data_file for entry in old], new))
        same_head = {"ref": MAIN, "snapshot-id": snapshot.parent_snapshot_id}
        moved = {"ref-name": MAIN, "type": SnapshotRefType.BRANCH, "snapshot-id": self._id}
        commit_updates(
            self._contract,
            self._table,
            catalog,
            (AssertRefSnapshotId.model_validate(same_head),),
            (AddSnapshotUpdate(snapshot=snapshot), SetSnapshotRefUpdate.model_validate(moved)),
        )

    def _snapshot(self, manifests: list[ManifestFile], summary: Summary) -> Snapshot:
        metadata, parent = self._table.metadata, _head(self._table).snapshot_id
        number, location = metadata.next_sequence_number(), self._location(f"snap-{self._id}-0-{self._name}.avro")
        output = self._table.io.new_output(location)
        with write_manifest_list(metadata.format_version, output, self._id, parent, number, _CODEC) as writer:
            writer.add_manifests(manifests)
        return Snapshot.model_validate(
            {
                "snapshot-id": self._id,
                "parent-snapshot-id": parent,
                "sequence-number": number,
                "manifest-list": location,
                "summary": summary,
                "schema-id": metadata.current_schema_id,
            }
        )

    def _written(
        self, entries: Iterable[ManifestEntry], write: Callable[[ManifestWriter, ManifestEntry], Any]
    ) -> Iterator[ManifestFile]:
        by_spec = defaultdict(list)
        for entry in entries:
            by_spec[entry.data_file.spec_id].append(entry)
        for spec_id, some in by_spec.items():
            some.sort(key=lambda entry: _partition_values(entry.data_file))
            for start in range(0, len(some), FILES_PER_MANIFEST):
                with self._writer(spec_id) as writer:
                    for entry in some[start : start + FILES_PER_MANIFEST]:
                        write(writer, entry)
                yield writer.to_manifest_file()

    def _writer(self, spec_id: int) -> ManifestWriter:
        return write_manifest(
            self._table.format_version,
            self._table.specs()[spec_id],
            self._table.schema(),
            self._table.io.new_output(self._location(f"{self._name}-m{next(self._numbers)}.avro")),
            self._id,
            _CODEC,
        )

    def _location(self, name: str) -> str:
        return self._table.location_provider().new_metadata_location(name)

    def _summary(self, old: Sequence[DataFile], new: Sequence[DataFile]) -> Summary:
        """The totals of the head, less the old files and with the new ones."""
        files, schema, specs = SnapshotSummaryCollector(), self._table.schema(), self._table.specs()
        for file in new:
            files.add_file(file, schema, specs[file.spec_id])
        for file in old:
            files.remove_file(file, schema, specs[file.spec_id])
        # PyIceberg counts for the operations that it can do.
        counted = update_snapshot_summaries(Summary(Operation.OVERWRITE, **files.build()), _head(self._table).summary)
        return Summary(Operation.REPLACE, **counted.additional_properties)


def _manifests(table: Table) -> list[ManifestFile]:
    return _head(table).manifests(table.io)


def _head(table: Table) -> Snapshot:
    head = table.current_snapshot()
    assert head is not None  # noqa: S101 - whoever maintains a table has seen its head
    return head


def _live_files(manifest: ManifestFile) -> int:
    return (manifest.added_files_count or 0) + (manifest.existing_files_count or 0)


def _partition_values(file: DataFile) -> tuple[tuple[bool, Any], ...]:
    """The partition, in an order that a day that is not known has a place in."""
    values = (file.partition[position] for position in range(len(file.partition)))
    return tuple((value is not None, value) for value in values)
