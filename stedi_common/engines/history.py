"""The history of a table: its snapshots, from one to its parent. Written once, for the snapshots of both engines."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from stedi_common.contracts import Contract
from stedi_common.engines.protocol import Head


@dataclass(frozen=True)
class TableSnapshot:
    """A snapshot of a table.

    Attributes:
        id: its id.
        parent_id: the id of the snapshot that it was committed onto; None for the first one.
        committed_at: when it was committed, UTC without zone.
        is_replace: whether its operation is `replace`, as that of compaction: the rows of its parent in other files.
    """

    id: int
    parent_id: int | None
    committed_at: datetime
    is_replace: bool


class Snapshots(Protocol):
    """The snapshots that a table keeps, as an engine knows them."""

    def find(self, snapshot_id: int) -> TableSnapshot | None:
        """The snapshot of this id; None if it is no longer kept."""

    def summary(self, snapshot: TableSnapshot) -> Mapping[str, str]:
        """What the snapshot says about itself."""

    def days(self, snapshot: TableSnapshot) -> Collection[date] | None:
        """The days of the data files that the snapshot added or removed.

        Returns:
            The days; None if a file has no day, because the table was not partitioned when the file was written, or if
            the snapshot cannot be read.
        """


def ancestors(snapshots: Snapshots, snapshot_id: int) -> Iterator[TableSnapshot]:
    """The snapshot and its ancestors, newest first, as far as they are kept."""
    snapshot = snapshots.find(snapshot_id)
    while snapshot:
        yield snapshot
        snapshot = None if snapshot.parent_id is None else snapshots.find(snapshot.parent_id)


def head_at(contract: Contract, snapshots: Snapshots, snapshot: TableSnapshot) -> Head:
    """The head that the table had at this snapshot."""
    data = _data_snapshot(snapshots, snapshot)
    return Head(contract.name, snapshot.id, data.id, data.committed_at, snapshots.summary(data))


def history(contract: Contract, snapshots: Snapshots, head: Head) -> Iterator[Head]:
    """The head and its ancestors, newest first, as far as they are kept."""
    return (head_at(contract, snapshots, snapshot) for snapshot in ancestors(snapshots, head.snapshot_id))


def changed_days(snapshots: Snapshots, since: Head, head: Head) -> set[date] | None:
    """The days whose rows may differ between a snapshot and the later `head`: see `Engine.changed_days`."""
    changed: set[date] = set()
    for snapshot in ancestors(snapshots, head.snapshot_id):
        if snapshot.id == since.snapshot_id:
            return changed
        days = () if snapshot.is_replace else snapshots.days(snapshot)
        if days is None:
            return None
        changed.update(days)
    return None


def _data_snapshot(snapshots: Snapshots, snapshot: TableSnapshot) -> TableSnapshot:
    """The last snapshot up to this one that changed rows; if it has expired, the oldest after it that is kept."""
    while snapshot.is_replace and snapshot.parent_id is not None:
        parent = snapshots.find(snapshot.parent_id)
        if parent is None:
            break
        snapshot = parent
    return snapshot
