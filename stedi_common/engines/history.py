"""A table's snapshots, walked from one to its parent. Both engines show them alike, so the walks are written once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from stedi_common.contracts import Contract
from stedi_common.engines.protocol import Head


@dataclass(frozen=True)
class Snapshot:
    """A snapshot of a table.

    Attributes:
        id: its id.
        parent: the id of the snapshot it was committed onto; None for the first one.
        at: when it was committed.
        same: whether it has the rows of its parent in other files, as compaction makes it.
    """

    id: int
    parent: int | None
    at: datetime
    same: bool


class Snapshots(Protocol):
    """The snapshots that a table keeps, as an engine knows them."""

    def find(self, snapshot_id: int) -> Snapshot | None:
        """The snapshot of this id; None if it is no longer kept."""

    def summary(self, snapshot: Snapshot) -> Mapping[str, str]:
        """What the snapshot says about itself."""

    def days(self, snapshot: Snapshot) -> Collection[date] | None:
        """The days of the data files that the snapshot added or removed.

        None if a file is of no day: the table has none, or had none when the file was written.
        """


def ancestors(snapshots: Snapshots, snapshot_id: int) -> Iterator[Snapshot]:
    """The snapshot and those it came from, newest first, as far as they are kept."""
    snapshot = snapshots.find(snapshot_id)
    while snapshot:
        yield snapshot
        snapshot = None if snapshot.parent is None else snapshots.find(snapshot.parent)


def head_at(contract: Contract, snapshots: Snapshots, snapshot: Snapshot) -> Head:
    """The head that the table had at this snapshot."""
    data = _data_snapshot(snapshots, snapshot)
    return Head(contract.name, snapshot.id, data.id, data.at, snapshots.summary(data))


def history(contract: Contract, snapshots: Snapshots, head: Head) -> Iterator[Head]:
    """The head and those it came from, newest first, as far as they are kept."""
    return (head_at(contract, snapshots, snapshot) for snapshot in ancestors(snapshots, head.snapshot_id))


def changed_days(snapshots: Snapshots, since: Head, head: Head) -> set[date] | None:
    """The days whose rows may differ between a snapshot and the later `head`: see `Engine.changed_days`."""
    changed: set[date] = set()
    for snapshot in ancestors(snapshots, head.snapshot_id):
        if snapshot.id == since.snapshot_id:
            return changed
        days = () if snapshot.same else snapshots.days(snapshot)
        if days is None:
            return None
        changed.update(days)
    return None


def _data_snapshot(snapshots: Snapshots, snapshot: Snapshot) -> Snapshot:
    """The last snapshot up to this one that changed rows, as far as there still is one."""
    while snapshot.same and snapshot.parent is not None:
        parent = snapshots.find(snapshot.parent)
        if parent is None:
            break
        snapshot = parent
    return snapshot
