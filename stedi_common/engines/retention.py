"""Which snapshots of a table have had their time. One answer for both engines: rule 14's days are the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from stedi_common.contracts import Contract

MAIN = "main"


@dataclass(frozen=True)
class Snapshot:
    """A snapshot of a table. One that is `same` has the rows of its parent in other files, as compaction makes it."""

    id: int
    parent: int | None
    at: datetime
    same: bool


@dataclass(frozen=True)
class Ref:
    """A branch or a tag, which keeps its snapshot; for as long as it says, if it says so."""

    name: str
    snapshot: int
    max_age: timedelta | None


@dataclass(frozen=True)
class Expired:
    """What has had its time.

    refs: the branches and tags that are past the age they themselves name, as a killed run leaves them.
    held: those that name none and keep a snapshot which else had expired.
    """

    snapshots: tuple[int, ...]
    refs: tuple[str, ...]
    held: tuple[str, ...]


def expired(contract: Contract, snapshots: Sequence[Snapshot], refs: Sequence[Ref], now: datetime) -> Expired:
    """What of a table has had its time."""
    by_id, limit = {snapshot.id: snapshot for snapshot in snapshots}, now - timedelta(days=contract.snapshot_days)

    def is_past(ref: Ref) -> bool:
        return ref.name != MAIN and ref.max_age is not None and now - by_id[ref.snapshot].at > ref.max_age

    old = {snapshot.id for snapshot in snapshots if snapshot.at < limit}
    old -= {id_ for ref in refs if ref.name == MAIN for id_ in _with_its_rows(by_id, ref.snapshot)}
    left = [ref for ref in refs if not is_past(ref)]
    return Expired(
        snapshots=tuple(sorted(old - {ref.snapshot for ref in left})),
        refs=tuple(sorted(ref.name for ref in refs if is_past(ref))),
        held=tuple(sorted(ref.name for ref in left if ref.snapshot in old)),
    )


def _with_its_rows(snapshots: Mapping[int, Snapshot], head: int) -> Iterator[int]:
    """The head, and from where it has its rows: that says what they were made from, and holds nobody else."""
    snapshot = snapshots.get(head)
    while snapshot:
        yield snapshot.id
        snapshot = snapshots.get(snapshot.parent or 0) if snapshot.same else None
