"""`maintain_tables`: compaction, snapshot expiry and orphan file removal. No row changes.

Old snapshots hold people who have withdrawn since. So they expire after the `snapshotDays` of the contract (rule 14),
even if a run downstream has not consumed them. The next run of such a table is a full rebuild.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from stedi_common.contracts import Contract
from stedi_common.engines.protocol import Engine, OrphanRemoval
from stedi_common.engines.retention import Expired
from stedi_common.errors import CommitConflictError, LakeError, StediError, as_stedi_error
from stedi_common.instants import utc_now

#: The age at which orphan files are removed. A run may still commit a younger file. Glue's optimizers have the same.
ORPHAN_AGE = timedelta(days=3)


@dataclass(frozen=True)
class Maintained:
    """What was done to a table.

    Attributes:
        table: its name.
        files: how many data files it had before and has after.
        bytes: their bytes before and after.
        snapshots: how many snapshots have expired.
        refs: how many branches and tags have expired, by their own maximum age.
        removed: how many orphan files were removed.
        pinned: branches and tags that keep a snapshot which is older than the contract allows.
        skipped: the steps that were skipped because of a commit conflict. The next maintenance does them.
        recent_unknown_files: how many files were left that no snapshot ever named and that are newer than the table's
            last commit.
        unknown_bytes: the bytes of such files, if they are most of the table or another history. Then none was removed.
        table_bytes: the bytes of all files of the table then.
    """

    table: str
    files: tuple[int, int]
    bytes: tuple[int, int]
    snapshots: int
    refs: int
    removed: int
    pinned: tuple[str, ...]
    skipped: tuple[str, ...]
    recent_unknown_files: int = 0
    unknown_bytes: int = 0
    table_bytes: int = 0

    @property
    def errors(self) -> list[StediError]:
        """The errors that somebody must look at. Everything else is done."""
        if not self.unknown_bytes:
            return []
        return [
            LakeError(
                f"{self.table}: expected orphan files of killed runs and expired snapshots, got {self.unknown_bytes:,} "
                f"of the table's {self.table_bytes:,} bytes in unknown files; no orphan file was removed",
                hint="the catalog may have lost them: stedi recover; "
                "if nobody needs them: stedi maintain --remove-unknown",
            )
        ]


def maintain(
    engine: Engine, table: Contract, now: datetime | None = None, *, remove_unknown: bool = False
) -> Maintained | None:
    """Maintain a table. A step that has a commit conflict is skipped, and no step stops those after it.

    Args:
        engine: an open lake.
        table: the contract of the table.
        now: UTC without zone; by default this instant.
        remove_unknown: whether orphan files are also removed that are newer than the last commit, or most of the table.

    Returns:
        What was done; None if the table does not exist or has no snapshot.

    Raises:
        StediError: the error of the first step that has failed, after all steps: old snapshots hold withdrawn rows, so
            they expire though a file that a compaction needs is damaged.
    """
    now, do = now or utc_now(), engine.maintenance
    before = do.size(table)
    if before is None:
        return None
    expired, orphans = Expired((), (), ()), OrphanRemoval(0)
    skipped, failed = list[str](), list[StediError]()
    with _step("compaction", skipped, failed):
        do.compact(table)
    with _step("manifests", skipped, failed):
        do.rewrite_manifests(table)
    with _step("expiry", skipped, failed):
        expired = do.expire(table, now)
    with _step("orphans", skipped, failed):
        orphans = do.remove_orphans(table, now - ORPHAN_AGE, unknown=remove_unknown)
    if failed:
        raise failed[0]
    after = do.size(table) or before
    return Maintained(
        table=table.name,
        files=(before.files, after.files),
        bytes=(before.bytes, after.bytes),
        snapshots=len(expired.snapshots),
        refs=len(expired.refs),
        removed=orphans.removed,
        pinned=expired.pinned,
        skipped=tuple(skipped),
        recent_unknown_files=orphans.recent_unknown_files,
        unknown_bytes=orphans.unknown_bytes,
        table_bytes=orphans.table_bytes,
    )


def remove_staged(engine: Engine, now: datetime | None = None) -> int:
    """Remove the staged files of killed runs.

    Args:
        engine: an open lake.
        now: UTC without zone; by default this instant.

    Returns:
        How many files were removed.
    """
    return engine.maintenance.remove_staged((now or utc_now()) - ORPHAN_AGE)


@contextmanager
def _step(name: str, skipped: list[str], failed: list[StediError]) -> Iterator[None]:
    """A step of the maintenance of a table: a commit conflict is added to the skipped steps, another error to these."""
    try:
        yield
    except CommitConflictError:
        skipped.append(name)
    except Exception as error:
        failed.append(as_stedi_error(error))
