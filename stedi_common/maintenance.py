"""`maintain_tables`: few files, a short past, and nothing left lying about. No row changes.

Old snapshots hold who has withdrawn since, so they go when the table's contract says (rule 14), whoever has not seen
them yet: what is made from such a table is made from nothing by its next run.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from stedi_common.contracts import Contract
from stedi_common.engines.protocol import Engine
from stedi_common.engines.retention import Expired
from stedi_common.errors import CommitConflictError
from stedi_common.instants import utc_now

#: So old a file that no snapshot knows must be that no run can be about to commit it. Glue's optimizers say the same.
ORPHAN_AGE = timedelta(days=3)


@dataclass(frozen=True)
class Maintained:
    """What was done to a table.

    files, bytes: of its data, before and after.
    snapshots, refs: how many snapshots it let go of, and how many branches and tags that were past their own age.
    removed: how many files were removed that no snapshot knows.
    held: branches and tags of somebody's that keep a snapshot which is older than the contract allows.
    overtaken: the steps that another run's commit came in between of. The next time does them.
    """

    table: str
    files: tuple[int, int]
    bytes: tuple[int, int]
    snapshots: int
    refs: int
    removed: int
    held: tuple[str, ...]
    overtaken: tuple[str, ...]


def maintain(engine: Engine, table: Contract, now: datetime | None = None) -> Maintained | None:
    """Maintain a table; None if it is not there or was never written to. `now` is UTC without zone.

    A run that commits in between is not held up: what it was in the way of is left for the next time.
    """
    now, do = now or utc_now(), engine.maintenance
    before = do.size(table)
    if before is None:
        return None
    expired, removed = Expired((), (), ()), 0
    overtaken: list[str] = []
    with _left_if_overtaken("compaction", overtaken):
        do.compact(table)
    with _left_if_overtaken("manifests", overtaken):
        do.rewrite_manifests(table)
    with _left_if_overtaken("expiry", overtaken):
        expired = do.expire(table, now)
    with _left_if_overtaken("orphans", overtaken):
        removed = do.remove_orphans(table, now - ORPHAN_AGE)
    after = do.size(table) or before
    return Maintained(
        table=table.name,
        files=(before.files, after.files),
        bytes=(before.bytes, after.bytes),
        snapshots=len(expired.snapshots),
        refs=len(expired.refs),
        removed=removed,
        held=expired.pinned,
        overtaken=tuple(overtaken),
    )


def remove_staged(engine: Engine, now: datetime | None = None) -> int:
    """Remove what killed runs had staged and not committed. Returns how many files."""
    return engine.maintenance.remove_staged((now or utc_now()) - ORPHAN_AGE)


@contextmanager
def _left_if_overtaken(step: str, overtaken: list[str]) -> Iterator[None]:
    try:
        yield
    except CommitConflictError:
        overtaken.append(step)
