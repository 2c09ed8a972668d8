"""The snapshots of a table as Iceberg's Java API has them, for `engines/history.py`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from py4j.protocol import Py4JError

from stedi_common import instants
from stedi_common.contracts import Contract
from stedi_common.engines.errors import no_snapshot
from stedi_common.engines.history import TableSnapshot, head_at
from stedi_common.engines.protocol import Head


class JavaSnapshots:
    """The snapshots that a table keeps. `Snapshots` documents the methods.

    Args:
        contract: the table's.
        table: as it was loaded.
        jvm: the JVM view of Py4J, by which it finds Java's classes.
    """

    def __init__(self, contract: Contract, table: Any, jvm: Any) -> None:
        self._contract, self._table, self._jvm = contract, table, jvm

    def find(self, snapshot_id: int) -> TableSnapshot | None:
        """The snapshot of this id; None if it is no longer kept."""
        found = self._table.snapshot(snapshot_id)
        return table_snapshot(found) if found else None

    def summary(self, snapshot: TableSnapshot) -> Mapping[str, str]:
        """What the snapshot says about itself."""
        return dict(self._table.snapshot(snapshot.id).summary())

    def days(self, snapshot: TableSnapshot) -> set[date] | None:
        """The days of the data files that the snapshot added or removed; None if they are not known."""
        found, io = self._table.snapshot(snapshot.id), self._table.io()
        a_day = self._jvm.java.lang.Class.forName("java.lang.Integer")
        days = set()
        try:
            files = [*found.addedDataFiles(io), *found.removedDataFiles(io)]
        except Py4JError:  # the snapshot has expired in the meantime, or a file of it is lost or damaged
            return None
        for file in files:
            if self._contract.partition is None or file.specId() != self._table.spec().specId():
                return None
            days.add(instants.day(file.partition().get(0, a_day)))
        return days


def current_head(contract: Contract, table: Any, jvm: Any) -> Head:
    """The head that the table is at. Raises LakeError if it has no snapshot."""
    current = table.currentSnapshot()
    if current is None:
        raise no_snapshot(contract)
    return head_at(contract, JavaSnapshots(contract, table, jvm), table_snapshot(current))


def table_snapshot(snapshot: Any) -> TableSnapshot:
    """The snapshot in the form that both engines share."""
    at = instants.from_milliseconds(snapshot.timestampMillis())
    return TableSnapshot(snapshot.snapshotId(), snapshot.parentId(), at, snapshot.operation() == "replace")
