"""The snapshots of a table as PyIceberg has them, for `engines/history.py`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cached_property

from pyiceberg.manifest import DataFile, ManifestEntryStatus
from pyiceberg.table import Table
from pyiceberg.table.snapshots import Operation
from pyiceberg.table.snapshots import Snapshot as IcebergSnapshot

from stedi_common import instants
from stedi_common.contracts import Contract
from stedi_common.engines.errors import no_snapshot
from stedi_common.engines.history import TableSnapshot, ancestors, head_at
from stedi_common.engines.protocol import Head
from stedi_common.errors import QueryError


class PyIcebergSnapshots:
    """The snapshots that a table keeps. `Snapshots` documents the methods."""

    def __init__(self, contract: Contract, table: Table) -> None:
        self._contract, self._table = contract, table

    def find(self, snapshot_id: int) -> TableSnapshot | None:
        """The snapshot of this id; None if it is no longer kept."""
        found = self._by_id.get(snapshot_id)
        return table_snapshot(found) if found else None

    def summary(self, snapshot: TableSnapshot) -> Mapping[str, str]:
        """What the snapshot says about itself."""
        summary = self._by_id[snapshot.id].summary
        return dict(summary.additional_properties) if summary else {}

    def days(self, snapshot: TableSnapshot) -> set[date] | None:
        """The days of the data files that the snapshot added or removed; None if they are not known."""
        try:
            files = list(_changed_files(self._table, self._by_id[snapshot.id]))
        except Exception:  # the snapshot has expired in the meantime, or a file of it is lost or damaged
            return None
        if any(self._contract.partition is None or file.spec_id != self._table.spec().spec_id for file in files):
            return None
        return {day_of(file) for file in files}

    @cached_property
    def _by_id(self) -> dict[int, IcebergSnapshot]:
        return {snapshot.snapshot_id: snapshot for snapshot in self._table.snapshots()}


def current_head(contract: Contract, table: Table) -> Head:
    """The head that the table is at. Raises LakeError if it has no snapshot."""
    current = table.current_snapshot()
    if current is None:
        raise no_snapshot(contract)
    return head_at(contract, PyIcebergSnapshots(contract, table), table_snapshot(current))


def head_as_of(contract: Contract, table: Table, at: datetime) -> Head:
    """The head that the table had at that instant, UTC without zone.

    Raises:
        LakeError: the table has no snapshot.
        QueryError: none is kept from that instant or before.
    """
    snapshots = PyIcebergSnapshots(contract, table)
    oldest = current_head(contract, table).committed_at
    for snapshot in ancestors(snapshots, table.metadata.current_snapshot_id or 0):
        if snapshot.committed_at <= at:
            return head_at(contract, snapshots, snapshot)
        oldest = snapshot.committed_at
    raise QueryError(
        f"{contract.identifier}: expected a snapshot of {at} UTC or before, got {oldest} UTC as the oldest",
        hint=f"snapshots expire after {contract.snapshot_days} days",
    )


def has_snapshot(table: Table, head: Head) -> bool:
    """Whether the table, as it was loaded, has the snapshot."""
    return table.snapshot_by_id(head.snapshot_id) is not None


def table_snapshot(snapshot: IcebergSnapshot) -> TableSnapshot:
    """The snapshot in the form that both engines share."""
    is_replace = snapshot.summary is not None and snapshot.summary.operation is Operation.REPLACE
    at = instants.from_milliseconds(snapshot.timestamp_ms)
    return TableSnapshot(snapshot.snapshot_id, snapshot.parent_snapshot_id, at, is_replace)


def day_of(file: DataFile) -> date:
    """The day of all rows of a file."""
    found = file.partition[0]
    return found if isinstance(found, date) else instants.day(found)


def _changed_files(table: Table, snapshot: IcebergSnapshot) -> Iterator[DataFile]:
    """The data files that the snapshot added or removed."""
    for manifest in snapshot.manifests(table.io):
        if manifest.added_snapshot_id == snapshot.snapshot_id:
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False):
                if entry.status != ManifestEntryStatus.EXISTING:
                    yield entry.data_file
