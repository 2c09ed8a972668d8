"""What keeps the embedded engine's tables small, and their past short. See `Maintenance`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException, NoSuchTableError
from pyiceberg.io.pyarrow import parquet_files_to_data_files
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.refs import SnapshotRef
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.update import RemoveSnapshotRefUpdate, RemoveSnapshotsUpdate, TableUpdate

from stedi_common.contracts import Contract
from stedi_common.engines.embedded.orphans import known_files, old_files, remove_empty_folders
from stedi_common.engines.embedded.rewrite import replace_files, rewrite_manifests, small_files
from stedi_common.engines.errors import conflict, missing_table
from stedi_common.engines.protocol import Extent
from stedi_common.engines.retention import Expired, Ref, Snapshot, expired
from stedi_common.engines.storage.staging import remove_abandoned
from stedi_common.errors import MultipliedRowsError
from stedi_common.lake import Lake, local_path

#: Writes the rows of data files anew. The new files are gone if the block fails.
Rewrite = Callable[[Contract, Table, Sequence[str]], AbstractContextManager[list[str]]]


class EmbeddedMaintenance:
    """See `Maintenance`."""

    def __init__(self, lake: Lake, catalog: Catalog, rewrite: Rewrite) -> None:
        self._lake, self._catalog, self._rewrite = lake, catalog, rewrite

    def extent(self, contract: Contract) -> Extent | None:
        """The data files that the table has now."""
        there = self._catalog.table_exists(self._lake.identifier(contract))
        snapshot = self._table(contract).current_snapshot() if there else None
        return Extent.of(snapshot.summary or {}) if snapshot else None

    def compact(self, contract: Contract) -> None:
        """Make many small files of a day, or of a table without days, one."""
        table = self._table(contract)
        old = small_files(table)
        if not old:
            return
        with _conflicting(contract), self._rewrite(contract, table, [e.data_file.file_path for e in old]) as files:
            new = list(parquet_files_to_data_files(table.io, table.metadata, iter(files)))
            before, after = (sum(f.record_count for f in some) for some in ([e.data_file for e in old], new))
            if before != after:
                raise MultipliedRowsError(f"{contract.name}: expected {before} rows in compacted files, got {after}")
            for file in new:
                file.spec_id = table.spec().spec_id  # as PyIceberg has it of files that it reads
            replace_files(self._catalog, table, old, new)

    def rewrite_manifests(self, contract: Contract) -> None:
        """Make many manifests few."""
        with _conflicting(contract):
            rewrite_manifests(self._catalog, self._table(contract))

    def expire(self, contract: Contract, now: datetime) -> Expired:
        """Let go of snapshots, branches and tags that have had their time. Their files are orphans then."""
        table = self._table(contract)
        refs = [_ref(name, ref) for name, ref in table.refs().items()]
        found = expired(contract, [_snapshot(each) for each in table.snapshots()], refs, now)
        updates: list[TableUpdate] = [RemoveSnapshotRefUpdate.model_validate({"ref-name": name}) for name in found.refs]
        if found.snapshots:
            updates.append(RemoveSnapshotsUpdate.model_validate({"snapshot-ids": found.snapshots}))
        same_refs: Any = _SameRefs(table.refs())
        if updates:
            with _conflicting(contract):
                self._catalog.commit_table(table, (same_refs,), tuple(updates))
        return found

    def remove_orphans(self, contract: Contract, older_than: datetime) -> int:
        """Remove files below the table's folder that no snapshot knows. Returns how many."""
        folder = local_path(self._lake.table_location(contract))
        old = old_files(folder, older_than)
        # Looked up after the folder: what was committed in between is known.
        table = self._table(contract)
        self._lake.expect_table(contract, table.location())
        with _conflicting(contract):
            known = known_files(table)
        orphans = [file for file in old if file not in known]
        for file in orphans:
            file.unlink(missing_ok=True)
        remove_empty_folders(folder, older_than)
        return len(orphans)

    def remove_staged(self, older_than: datetime) -> int:
        """Remove what killed runs had staged."""
        return remove_abandoned(self._lake, older_than)

    def _table(self, contract: Contract) -> Table:
        try:
            return self._catalog.load_table(self._lake.identifier(contract))
        except NoSuchTableError:
            raise missing_table(contract) from None


@dataclass(frozen=True)
class _SameRefs:
    """The requirement that no branch or tag has come, gone or moved: it may need what is to be expired."""

    refs: Mapping[str, SnapshotRef]

    def validate(self, base: TableMetadata | None) -> None:
        if base is None or base.refs != self.refs:
            raise CommitFailedException("Requirement failed: branches or tags have changed")


def _ref(name: str, ref: SnapshotRef) -> Ref:
    age = ref.max_ref_age_ms
    return Ref(name, ref.snapshot_id, None if age is None else timedelta(milliseconds=age))


def _snapshot(snapshot: Any) -> Snapshot:
    at = datetime.fromtimestamp(snapshot.timestamp_ms / 1000, UTC).replace(tzinfo=None)
    same = snapshot.summary is not None and snapshot.summary.operation is Operation.REPLACE
    return Snapshot(snapshot.snapshot_id, snapshot.parent_snapshot_id, at, same)


@contextmanager
def _conflicting(contract: Contract) -> Iterator[None]:
    """Raise CommitConflictError where somebody else has moved the table, or removed what it had let go of."""
    try:
        yield
    except (CommitFailedException, FileNotFoundError):
        raise conflict(contract) from None
