"""The snapshots of a table in Iceberg's Java API, for the walks of `engines/history.py`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from stedi_common import instants
from stedi_common.contracts import Contract
from stedi_common.engines.errors import no_snapshot
from stedi_common.engines.history import Snapshot, head_at
from stedi_common.engines.protocol import Head


class JavaSnapshots:
    """See `Snapshots`.

    Args:
        contract: the table's.
        table: as it was loaded.
        jvm: what Py4J looks Java's classes up in.
    """

    def __init__(self, contract: Contract, table: Any, jvm: Any) -> None:
        self._contract, self._table, self._jvm = contract, table, jvm

    def find(self, snapshot_id: int) -> Snapshot | None:
        """The snapshot of this id; None if it is no longer kept."""
        found = self._table.snapshot(snapshot_id)
        return shown(found) if found else None

    def summary(self, snapshot: Snapshot) -> Mapping[str, str]:
        """What the snapshot says about itself."""
        return dict(self._table.snapshot(snapshot.id).summary())

    def days(self, snapshot: Snapshot) -> set[date] | None:
        """The days of the data files that the snapshot added or removed; None if a file is of no day."""
        found, io = self._table.snapshot(snapshot.id), self._table.io()
        a_day = self._jvm.java.lang.Class.forName("java.lang.Integer")
        days = set()
        for file in (*found.addedDataFiles(io), *found.removedDataFiles(io)):
            if self._contract.partition is None or file.specId() != self._table.spec().specId():
                return None
            days.add(instants.day(file.partition().get(0, a_day)))
        return days


def current_head(contract: Contract, table: Any, jvm: Any) -> Head:
    """The head that the table is at. Raises LakeError if it has no snapshot."""
    current = table.currentSnapshot()
    if current is None:
        raise no_snapshot(contract)
    return head_at(contract, JavaSnapshots(contract, table, jvm), shown(current))


def shown(snapshot: Any) -> Snapshot:
    """Iceberg's snapshot as both engines show it."""
    at = instants.from_milliseconds(snapshot.timestampMillis())
    return Snapshot(snapshot.snapshotId(), snapshot.parentId(), at, snapshot.operation() == "replace")
