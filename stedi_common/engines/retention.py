"""Which snapshots of a table have expired (rule 14). Decided once, for both engines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from stedi_common.contracts import Contract
from stedi_common.engines.history import TableSnapshot

MAIN = "main"


@dataclass(frozen=True)
class Ref:
    """A branch or a tag. It keeps its snapshot, for no longer than its `max_age` if it has one."""

    name: str
    snapshot: int
    max_age: timedelta | None


@dataclass(frozen=True)
class Expired:
    """What of a table has expired.

    Attributes:
        snapshots: the ids of the snapshots.
        refs: the branches and tags that are older than their `max_age`, such as those of a killed run.
        pinned: the branches and tags that have not expired and keep a snapshot that is too old.
    """

    snapshots: tuple[int, ...]
    refs: tuple[str, ...]
    pinned: tuple[str, ...]


def expired(contract: Contract, snapshots: Sequence[TableSnapshot], refs: Sequence[Ref], now: datetime) -> Expired:
    """What of a table has expired.

    Args:
        contract: the table's, which says for how many days snapshots are kept.
        snapshots: all that the table has.
        refs: its branches and tags.
        now: UTC.
    """
    by_id, limit = {snapshot.id: snapshot for snapshot in snapshots}, now - timedelta(days=contract.snapshot_days)
    committed_at = _latest_commits(snapshots)

    def is_past(ref: Ref) -> bool:
        return ref.name != MAIN and ref.max_age is not None and now - committed_at[ref.snapshot] > ref.max_age

    old = {snapshot.id for snapshot in snapshots if committed_at[snapshot.id] < limit}
    old -= {id_ for ref in refs if ref.name == MAIN for id_ in _with_its_rows(by_id, ref.snapshot)}
    left = [ref for ref in refs if not is_past(ref)]
    return Expired(
        snapshots=tuple(sorted(old - {ref.snapshot for ref in left})),
        refs=tuple(sorted(ref.name for ref in refs if is_past(ref))),
        pinned=tuple(sorted(ref.name for ref in left if ref.snapshot in old)),
    )


def _latest_commits(snapshots: Sequence[TableSnapshot]) -> Mapping[int, datetime]:
    """When each was committed at the latest, by its id: before what was committed onto it.

    A clock that was in the future and was set right would else keep it, and who has withdrawn, until that time.
    """
    by_id = {snapshot.id: snapshot for snapshot in snapshots}
    at = {snapshot.id: snapshot.committed_at for snapshot in snapshots}
    for each in snapshots:
        child = each
        while (parent := by_id.get(child.parent_id or 0)) and at[parent.id] > at[child.id]:
            at[parent.id] = at[child.id]
            child = parent
    return at


def _with_its_rows(snapshots: Mapping[int, TableSnapshot], head: int) -> Iterator[int]:
    """The head, and the snapshots that it has its rows from: they say what the rows were computed from."""
    snapshot = snapshots.get(head)
    while snapshot:
        yield snapshot.id
        snapshot = snapshots.get(snapshot.parent_id or 0) if snapshot.is_replace else None
