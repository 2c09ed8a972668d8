"""Maintenance of Spark's tables by Iceberg's own actions. See `Maintenance`."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from stedi_common.contracts import Contract
from stedi_common.engines.properties import MIN_MANIFESTS, MIN_SMALL_FILES, TARGET_FILE_BYTES
from stedi_common.engines.protocol import OrphanRemoval, TableSize
from stedi_common.engines.retention import Expired, Ref, expired
from stedi_common.engines.spark.errors import conflicting, redacted
from stedi_common.engines.spark.snapshots import current_head, table_snapshot
from stedi_common.engines.spark.tables import JavaTables
from stedi_common.engines.storage.orphans import TableState, remove_orphans
from stedi_common.engines.storage.staging import remove_abandoned
from stedi_common.instants import to_milliseconds
from stedi_common.lake import Lake


class JavaMaintenance:
    """The maintenance of a session's tables. `Maintenance` documents the methods."""

    def __init__(self, lake: Lake, tables: JavaTables, session: Any, jvm: Any) -> None:
        self._lake, self._tables, self._session = lake, tables, session
        self._jvm, self._actions = jvm, jvm.org.apache.iceberg.spark.actions.SparkActions

    def size(self, contract: Contract) -> TableSize | None:
        """See `Maintenance.size`."""
        table = self._tables.find(contract)
        snapshot = table and table.currentSnapshot()
        return TableSize.of(snapshot.summary()) if snapshot else None

    def compact(self, contract: Contract) -> None:
        """See `Maintenance.compact`."""
        with conflicting(contract):
            rewrite = self._action("rewriteDataFiles", contract)
            rewrite = rewrite.sort() if contract.sort else rewrite.binPack()
            rewrite.option("min-input-files", str(MIN_SMALL_FILES)).option(
                "target-file-size-bytes", str(TARGET_FILE_BYTES)
            ).execute()

    def rewrite_manifests(self, contract: Contract) -> None:
        """See `Maintenance.rewrite_manifests`."""
        with conflicting(contract):
            table = self._tables.get(contract)
            if table.currentSnapshot().allManifests(table.io()).size() >= MIN_MANIFESTS:
                self._action("rewriteManifests", contract).execute()

    def expire(self, contract: Contract, now: datetime) -> Expired:
        """See `Maintenance.expire`."""
        table = self._tables.get(contract)
        refs = [_ref(entry.getKey(), entry.getValue()) for entry in table.refs().entrySet()]
        found = expired(contract, [table_snapshot(each) for each in table.snapshots()], refs, now)
        with conflicting(contract):
            if found.refs:
                change = table.manageSnapshots()
                for name in found.refs:
                    change = change.removeBranch(name) if table.refs().get(name).isBranch() else change.removeTag(name)
                change.commit()
            if found.snapshots:
                # These and none besides: Iceberg would also take what is older than its own default.
                change = table.expireSnapshots().expireOlderThan(0).cleanExpiredFiles(False)
                for snapshot in found.snapshots:
                    change = change.expireSnapshotId(snapshot)
                change.commit()
        return found

    def remove_orphans(self, contract: Contract, older_than: datetime, *, unknown: bool = False) -> OrphanRemoval:
        """See `Maintenance.remove_orphans`."""
        self._lake.expect_table(contract, self._tables.get(contract).location())
        if self._lake.is_local:
            state = partial(self._state, contract)
            return remove_orphans(self._lake, contract, older_than, state, unknown=unknown)
        with redacted():
            action = self._action("deleteOrphanFiles", contract).usePrefixListing(True)
            done = action.olderThan(to_milliseconds(older_than)).execute()
            return OrphanRemoval(len(list(done.orphanFileLocations())))

    def remove_staged(self, older_than: datetime) -> int:
        """See `Maintenance.remove_staged`."""
        return remove_abandoned(self._lake, older_than)

    def _state(self, contract: Contract) -> TableState:
        table = self._tables.get(contract)
        location = str(table.operations().current().metadataFileLocation())
        return TableState(location, current_head(contract, table, self._jvm).committed_at)

    def _action(self, name: str, contract: Contract) -> Any:
        return getattr(self._actions.get(self._session), name)(self._tables.get(contract))


def _ref(name: str, ref: Any) -> Ref:
    age = ref.maxRefAgeMs()
    return Ref(name, ref.snapshotId(), None if age is None else timedelta(milliseconds=age))
