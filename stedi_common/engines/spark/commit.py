"""Commits of the Spark engine: to a branch, then a fast-forward of the table.

Spark's own appends never look whether another commit was made in between; a fast-forward does.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from tenacity import retry_if_exception

from stedi_common.contracts import Contract
from stedi_common.engines.errors import conflict
from stedi_common.engines.history import head_at
from stedi_common.engines.protocol import Head
from stedi_common.engines.retention import MAIN
from stedi_common.engines.retry import retrying
from stedi_common.engines.spark.errors import COMMIT_FAILED, conflicting, kind_of
from stedi_common.engines.spark.snapshots import JavaSnapshots, table_snapshot
from stedi_common.engines.spark.tables import JavaTables
from stedi_common.engines.storage.parquet import DataFile
from stedi_common.errors import CommitConflictError, EngineError, StediError

#: How long the branch of a killed run is kept, in milliseconds. Then snapshot expiry removes it (rule 14).
MAX_BRANCH_AGE_MS = 2 * 24 * 60 * 60 * 1000
#: How many attempts a change of our own branch has while other runs change theirs.
MAX_BRANCH_ATTEMPTS = 10

#: Makes a snapshot on the branch of this name.
Write = Callable[[str], None]


class BranchCommits:
    """Commits to the tables of a session's catalog."""

    def __init__(self, tables: JavaTables, jvm: Any) -> None:
        self._tables, self._jvm = tables, jvm

    def commit(self, contract: Contract, onto: Head, *writes: Write) -> Head:
        """Write to a branch made at the head, then move the table there, which works only if it is still at the head.

        Args:
            contract: the table's.
            onto: the head that the rows were computed from.
            writes: each of them makes one snapshot.

        Returns:
            The head that the last of the writes made.

        Raises:
            CommitConflictError: another commit was made in between.
            EngineError: Spark or the catalog failed, and nothing is committed.
        """
        try:
            with conflicting(contract):
                committed = self._commit(contract, onto, writes)
        except CommitConflictError:
            raise conflict(contract, onto.snapshot_id, self._current_id(contract)) from None
        table = self._tables.get(contract)
        return head_at(contract, JavaSnapshots(contract, table, self._jvm), table_snapshot(table.snapshot(committed)))

    def append_files(
        self, contract: Contract, files: Sequence[DataFile], branch: str, summary: Mapping[str, str]
    ) -> None:
        """Make a snapshot on the branch that has the files, of which there may be none, and the summary."""
        table = self._tables.get(contract)
        commit = table.newFastAppend().toBranch(branch)
        for name, value in summary.items():
            commit.set(name, value)
        for file in files:
            commit.appendFile(self._data_file(table, file))
        commit.commit()

    def _commit(self, contract: Contract, onto: Head, writes: Sequence[Write]) -> int:
        """Commit the writes. Returns the id of the last snapshot."""
        branch = f"stedi_{uuid.uuid4().hex}"

        def table() -> Any:
            return self._tables.get(contract)

        def branch_snapshot() -> Any:
            """The id of the branch's snapshot; None without a branch."""
            ref = table().refs().get(branch)
            return ref and ref.snapshotId()

        def create() -> None:
            refs = table().manageSnapshots()
            refs.createBranch(branch, onto.snapshot_id).setMaxRefAgeMs(branch, MAX_BRANCH_AGE_MS).commit()

        def is_forward() -> bool:
            return bool(self._jvm.org.apache.iceberg.util.SnapshotUtil.isAncestorOf(table(), branch_snapshot()))

        ensure(create, lambda: branch_snapshot() is not None)
        try:
            at = onto.snapshot_id
            for write in writes:
                at = self._extend(contract, branch, at, write)
            ensure(lambda: table().manageSnapshots().fastForwardBranch(MAIN, branch).commit(), is_forward)
        finally:
            # Whatever becomes of the branch, the commit is known. A branch that stays expires, as a killed run's does.
            with suppress(Py4JError, PySparkException, EngineError):
                ensure(lambda: table().manageSnapshots().removeBranch(branch).commit(), lambda: not branch_snapshot())
        return at

    def _extend(self, contract: Contract, branch: str, at: int, write: Write) -> int:
        """Let `write` make a snapshot on that one, the branch's. Returns its id.

        Expiry may have taken the branch before it was written to: Iceberg then creates it again, where the table is.
        """

        def branch_snapshot() -> Any:
            return self._tables.get(contract).snapshot(branch)

        def is_extended() -> bool:
            snapshot = branch_snapshot()
            return snapshot is None or snapshot.snapshotId() != at

        ensure(lambda: write(branch), is_extended)
        snapshot = branch_snapshot()
        if snapshot is None or snapshot.parentId() != at:
            raise conflict(contract)
        return int(snapshot.snapshotId())

    def _data_file(self, table: Any, file: DataFile) -> Any:
        """The file with its metrics, in Iceberg's Java API."""
        iceberg = self._jvm.org.apache.iceberg
        written = table.io().newInputFile(file.location)
        metrics = iceberg.parquet.ParquetUtil.fileMetrics(written, iceberg.MetricsConfig.forTable(table))
        entry = (
            iceberg.DataFiles.builder(table.spec()).withInputFile(written).withFormat("parquet").withMetrics(metrics)
        )
        return (entry.withPartitionPath(file.partition) if file.partition else entry).build()

    def _current_id(self, contract: Contract) -> int | None:
        """The id of the snapshot that the table is at, if it can be read."""
        with suppress(Py4JError, PySparkException, StediError):
            return int(self._tables.get(contract).currentSnapshot().snapshotId())
        return None


def ensure(change: Callable[[], object], is_done: Callable[[], bool]) -> None:
    """Make a change of the table's branches, and again while other commits to the table come in between.

    The table says not to retry (see `table_properties`), but branches that come and go are no reason to give up.
    Where the table itself has moved, the fast-forward fails with another error.

    Args:
        change: commits the change.
        is_done: whether the table has it. After any error the catalog may have made the change all the same.
    """
    for attempt in retrying(retry_if_exception(_is_commit_failed), MAX_BRANCH_ATTEMPTS):
        with attempt:
            try:
                change()
            except (Py4JError, PySparkException):
                if not is_done():
                    raise


def _is_commit_failed(error: BaseException) -> bool:
    return isinstance(error, Py4JError | PySparkException) and kind_of(error) == COMMIT_FAILED
