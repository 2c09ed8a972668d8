"""The commit that expires snapshots, branches and tags: of maintenance, and of a repair."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.refs import SnapshotRef
from pyiceberg.table.update import AssertRefSnapshotId, RemoveSnapshotRefUpdate, RemoveSnapshotsUpdate, TableUpdate

from stedi_common.contracts import Contract
from stedi_common.engines.embedded.commit import commit_updates
from stedi_common.engines.embedded.lake_catalog import LakeCatalog
from stedi_common.engines.errors import conflict


def commit_expiry(
    catalog: LakeCatalog, contract: Contract, table: Table, snapshots: Collection[int], refs: Collection[str] = ()
) -> None:
    """Commit that snapshots, branches and tags have expired, if there are any.

    Args:
        catalog: the table's.
        contract: the table's.
        table: as it was when these snapshots were chosen.
        snapshots: their ids.
        refs: names of branches and tags.

    Raises:
        CommitConflictError: another commit was made in between, or a branch or tag has come, gone or moved.
        StediError: see `commit_updates`.
    """
    updates: list[TableUpdate] = [RemoveSnapshotRefUpdate.model_validate({"ref-name": name}) for name in refs]
    if snapshots:
        updates.append(RemoveSnapshotsUpdate.model_validate({"snapshot-ids": sorted(snapshots)}))
    if not updates:
        return
    try:
        commit_updates(contract, table, catalog, _same_refs(catalog, table), updates)
    except FileNotFoundError:
        raise conflict(contract) from None


def _same_refs(catalog: LakeCatalog, table: Table) -> tuple[Any, ...]:
    """The requirements that no branch or tag has come, gone or moved: it may need what is to be expired.

    The REST protocol has none for a branch or tag that has come.
    """
    if catalog.checks_here:
        return (_SameRefs(table.refs()),)
    at = {name: ref.snapshot_id for name, ref in table.refs().items()}
    return tuple(AssertRefSnapshotId.model_validate({"ref": name, "snapshot-id": id_}) for name, id_ in at.items())


@dataclass(frozen=True)
class _SameRefs:
    """See `_same_refs`."""

    refs: Mapping[str, SnapshotRef]

    def validate(self, base: TableMetadata | None) -> None:
        if base is None or base.refs != self.refs:
            raise CommitFailedException("Requirement failed: branches or tags have changed")
