"""What keeps Spark's tables small, and their past short: Iceberg's own actions. See `Maintenance`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from stedi_common.contracts import Contract
from stedi_common.engines.properties import MANY_FILES, MANY_MANIFESTS, TARGET_BYTES
from stedi_common.engines.protocol import Extent
from stedi_common.engines.retention import Expired, Ref, Snapshot, expired
from stedi_common.engines.spark.errors import conflicting, redacted
from stedi_common.engines.spark.tables import JavaTables
from stedi_common.engines.storage.staging import remove_abandoned
from stedi_common.lake import Lake


class JavaMaintenance:
    """See `Maintenance`."""

    def __init__(self, lake: Lake, tables: JavaTables, session: Any, jvm: Any) -> None:
        self._lake, self._tables, self._session = lake, tables, session
        self._actions = jvm.org.apache.iceberg.spark.actions.SparkActions

    def extent(self, contract: Contract) -> Extent | None:
        """The data files that the table has now."""
        table = self._tables.find(contract)
        snapshot = table and table.currentSnapshot()
        return Extent.of(snapshot.summary()) if snapshot else None

    def compact(self, contract: Contract) -> None:
        """Make many small files of a day, or of a table without days, one."""
        with conflicting(contract):
            rewrite = self._action("rewriteDataFiles", contract)
            rewrite = rewrite.sort() if contract.sort else rewrite.binPack()
            rewrite.option("min-input-files", str(MANY_FILES)).option(
                "target-file-size-bytes", str(TARGET_BYTES)
            ).execute()

    def rewrite_manifests(self, contract: Contract) -> None:
        """Make many manifests few."""
        with conflicting(contract):
            table = self._tables.get(contract)
            if table.currentSnapshot().allManifests(table.io()).size() >= MANY_MANIFESTS:
                self._action("rewriteManifests", contract).execute()

    def expire(self, contract: Contract, now: datetime) -> Expired:
        """Let go of snapshots, branches and tags that have had their time. Their files are orphans then."""
        table = self._tables.get(contract)
        refs = [_ref(entry.getKey(), entry.getValue()) for entry in table.refs().entrySet()]
        found = expired(contract, [_snapshot(each) for each in table.snapshots()], refs, now)
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

    def remove_orphans(self, contract: Contract, older_than: datetime) -> int:
        """Remove files below the table's folder that no snapshot knows. Returns how many."""
        self._lake.expect_table(contract, self._tables.get(contract).location())
        with redacted():
            action = self._action("deleteOrphanFiles", contract).usePrefixListing(True)
            return len(list(action.olderThan(_milliseconds(older_than)).execute().orphanFileLocations()))

    def remove_staged(self, older_than: datetime) -> int:
        """Remove what killed runs had staged."""
        return remove_abandoned(self._lake, older_than)

    def _action(self, name: str, contract: Contract) -> Any:
        return getattr(self._actions.get(self._session), name)(self._tables.get(contract))


def _ref(name: str, ref: Any) -> Ref:
    age = ref.maxRefAgeMs()
    return Ref(name, ref.snapshotId(), None if age is None else timedelta(milliseconds=age))


def _snapshot(snapshot: Any) -> Snapshot:
    at = datetime.fromtimestamp(snapshot.timestampMillis() / 1000, UTC).replace(tzinfo=None)
    return Snapshot(snapshot.snapshotId(), snapshot.parentId(), at, snapshot.operation() == "replace")


def _milliseconds(at: datetime) -> int:
    return round(at.replace(tzinfo=UTC).timestamp() * 1000)
