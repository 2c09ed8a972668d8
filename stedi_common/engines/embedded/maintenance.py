"""Maintenance of the embedded engine's tables: compaction, snapshot expiry, orphan file removal. See `Maintenance`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta

from pyiceberg.io.pyarrow import parquet_files_to_data_files
from pyiceberg.table import Table
from pyiceberg.table.refs import SnapshotRef

from stedi_common.contracts import Contract
from stedi_common.engines.embedded.catalog import CatalogTables
from stedi_common.engines.embedded.damage import named, unreadable_manifest
from stedi_common.engines.embedded.expiry import commit_expiry
from stedi_common.engines.embedded.lake_catalog import LakeCatalog
from stedi_common.engines.embedded.rewrite import replace_files, rewrite_manifests, small_files
from stedi_common.engines.embedded.snapshots import current_head, table_snapshot
from stedi_common.engines.errors import conflict
from stedi_common.engines.protocol import OrphanRemoval, TableSize
from stedi_common.engines.retention import Expired, Ref, expired
from stedi_common.engines.storage.orphans import TableState, remove_orphans
from stedi_common.engines.storage.staging import remove_abandoned
from stedi_common.errors import MultipliedRowsError
from stedi_common.lake import Lake

#: Writes the rows of data files to new ones, which are removed if the block fails.
Rewrite = Callable[[Contract, Table, Sequence[str]], AbstractContextManager[list[str]]]


class EmbeddedMaintenance:
    """The maintenance of a lake. `Maintenance` documents the methods."""

    def __init__(self, lake: Lake, catalog: LakeCatalog, tables: CatalogTables, rewrite: Rewrite) -> None:
        self._lake, self._catalog, self._tables, self._rewrite = lake, catalog, tables, rewrite

    def size(self, contract: Contract) -> TableSize | None:
        """See `Maintenance.size`."""
        table = self._tables.find(contract)
        snapshot = table.current_snapshot() if table else None
        return TableSize.of(snapshot.summary or {}) if snapshot else None

    def compact(self, contract: Contract) -> None:
        """See `Maintenance.compact`."""
        table = self._table(contract)
        with self._errors(contract, table):
            old = small_files(table)
        if not old:
            return
        paths = [entry.data_file.file_path for entry in old]
        with self._errors(contract, table), self._rewrite(contract, table, paths) as files:
            new = list(parquet_files_to_data_files(table.io, table.metadata, iter(files)))
            before, after = (sum(f.record_count for f in some) for some in ([e.data_file for e in old], new))
            if before != after:
                raise MultipliedRowsError(f"{contract.name}: expected {before} rows in compacted files, got {after}")
            for file in new:
                file.spec_id = table.spec().spec_id  # as PyIceberg has it of files that it reads
            replace_files(contract, self._catalog, table, old, new)

    def rewrite_manifests(self, contract: Contract) -> None:
        """See `Maintenance.rewrite_manifests`."""
        table = self._table(contract)
        with self._errors(contract, table):
            rewrite_manifests(contract, self._catalog, table)

    def expire(self, contract: Contract, now: datetime) -> Expired:
        """See `Maintenance.expire`."""
        table = self._table(contract)
        refs = [_ref(name, ref) for name, ref in table.refs().items()]
        found = expired(contract, [table_snapshot(each) for each in table.snapshots()], refs, now)
        commit_expiry(self._catalog, contract, table, found.snapshots, found.refs)
        return found

    def remove_orphans(self, contract: Contract, older_than: datetime, *, unknown: bool = False) -> OrphanRemoval:
        """See `Maintenance.remove_orphans`."""

        def look_up() -> TableState:
            table = self._table(contract)
            # Who may ask a REST server for metadata need not be able to read their file.
            metadata = None if self._lake.is_local else json.loads(table.metadata.model_dump_json())
            return TableState(table.metadata_location, current_head(contract, table).committed_at, metadata)

        return remove_orphans(self._lake, contract, older_than, look_up, unknown=unknown)

    def remove_staged(self, older_than: datetime) -> int:
        """See `Maintenance.remove_staged`."""
        return remove_abandoned(self._lake, older_than)

    def _table(self, contract: Contract) -> Table:
        return self._tables.get(contract)

    def _location(self, contract: Contract) -> str | None:
        return self._catalog.metadata_location(self._lake.identifier(contract))

    @contextmanager
    def _errors(self, contract: Contract, table: Table) -> Iterator[None]:
        """Raise CommitConflictError where another commit was made in between, or expired files have been removed.

        If no commit was made in between, raise DamagedFileError with the file that cannot be read, if there is one.
        """

        def unreadable() -> str | None:
            now, head = self._location(contract), table.metadata.current_snapshot_id
            return unreadable_manifest(table, head) if now == table.metadata_location and head is not None else None

        try:
            with named(contract.identifier, unreadable):
                yield
        except FileNotFoundError:
            raise conflict(contract) from None


def _ref(name: str, ref: SnapshotRef) -> Ref:
    age = ref.max_ref_age_ms
    return Ref(name, ref.snapshot_id, None if age is None else timedelta(milliseconds=age))
