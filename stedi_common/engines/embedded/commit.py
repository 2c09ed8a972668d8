"""Commits of the embedded engine: an append or an overwrite lands only on the head it was computed from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import cast

from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update import TableRequirement, TableUpdate
from tenacity import retry_if_exception_type

from stedi_common.contracts import Contract
from stedi_common.engines.embedded.lake_catalog import LakeCatalog
from stedi_common.engines.embedded.snapshots import PyIcebergSnapshots, table_snapshot
from stedi_common.engines.errors import conflict
from stedi_common.engines.history import head_at
from stedi_common.engines.protocol import Head
from stedi_common.engines.retry import retrying
from stedi_common.errors import EngineError, ServiceError, StediError, StorageError, UnknownCommitError, as_stedi_error


def expect_head(contract: Contract, table: Table, onto: Head) -> None:
    """Raise CommitConflictError if the table is no longer at this head."""
    current = table.current_snapshot()
    if current is None or current.snapshot_id != onto.snapshot_id:
        raise conflict(contract, onto.snapshot_id, current.snapshot_id if current else None)


def commit(
    contract: Contract,
    table: Table,
    added: Iterable[str],
    replaced: Collection[DataFile],
    summary: Mapping[str, str],
) -> Head:
    """Commit Parquet files in one snapshot.

    Args:
        contract: the table's.
        table: at the head that the commit was computed from.
        added: URIs of the files that the table gains.
        replaced: data files that the table loses. Without any the commit is an append, else an overwrite.
        summary: what the snapshot says about itself.

    Returns:
        The head that the commit made.

    Raises:
        CommitConflictError: another commit was made in between.
        StorageError: the disk of the catalog is full, or the like; nothing is committed.
        ServiceError: the service of the catalog has refused the commit.
        UnknownCommitError: it is not known whether the catalog made the commit.
        EngineError: the catalog failed in another way, and nothing is committed.
    """
    from pyiceberg.io.pyarrow import parquet_files_to_data_files  # noqa: PLC0415 - only a commit needs it

    change = _CachedTransaction(table)
    update = change.update_snapshot(snapshot_properties=dict(summary))
    with update.overwrite() if replaced else update.fast_append() as snapshot:
        for file in parquet_files_to_data_files(table.io, table.metadata, iter(added)):
            snapshot.append_data_file(file)
        for old in replaced:
            snapshot.delete_data_file(old)
    catalog = cast("LakeCatalog", table.catalog)
    refused: Exception | None = None
    try:
        change.commit_transaction()
    except CommitFailedException:
        raise conflict(contract) from None
    except catalog.unknown_state as error:
        refused = error
        _refresh(contract, table, catalog)
    # Every commit makes a snapshot id of its own, so this one is ours or nobody's.
    committed = table.snapshot_by_id(snapshot.snapshot_id)
    if committed is None:
        if catalog.may_commit_late and isinstance(refused, CommitStateUnknownException):
            raise _unknown(contract)
        raise _refusal(contract, refused)
    return head_at(contract, PyIcebergSnapshots(contract, table), table_snapshot(committed))


def commit_updates(
    contract: Contract,
    table: Table,
    catalog: LakeCatalog,
    requirements: Iterable[TableRequirement],
    updates: Iterable[TableUpdate],
) -> None:
    """Commit updates that change no row.

    Args:
        contract: the table's.
        table: as it was when the updates were made.
        catalog: the table's.
        requirements: what must hold of the table when the commit is made.
        updates: the updates.

    Raises:
        CommitConflictError: a requirement does not hold, or another commit was made in between.
        ServiceError: the service of the catalog has refused the commit.
        UnknownCommitError: it is not known whether the catalog made the commit.
    """
    try:
        catalog.commit_table(table, tuple(requirements), tuple(updates))
    except CommitFailedException:  # its cause may be the answer of a service, which is no failure of it
        raise conflict(contract) from None
    except catalog.unknown_state as error:
        if not catalog.may_commit_late:
            raise
        if isinstance(error, CommitStateUnknownException):
            raise _unknown(contract) from None
        raise _refusal(contract, error) from None


def _refresh(contract: Contract, table: Table, catalog: LakeCatalog) -> None:
    """Load the table again after a commit without an answer. Raises UnknownCommitError if that fails as well."""
    try:
        retrying(retry_if_exception_type(catalog.unknown_state))(table.refresh)
    except Exception:
        if catalog.may_commit_late:
            raise _unknown(contract) from None
        raise


def _unknown(contract: Contract) -> UnknownCommitError:
    return UnknownCommitError(
        f"{contract.name}: expected an answer to a commit, got none; the catalog may have made it",
        hint="run the command again: it continues from what is committed then",
    )


def _refusal(contract: Contract, error: Exception | None) -> StediError:
    """The error of a commit that was not made: a full disk, for instance, is not the catalog's own."""
    known = as_stedi_error(error) if error else None
    if isinstance(known, StorageError | ServiceError):
        return known
    return EngineError(
        f"{contract.name}: expected a commit, got an error of the catalog; nothing is committed",
        hint="run the command again; with --debug it shows where the error was",
    )


class _CachedTransaction(Transaction):
    """A transaction that works out the table's metadata once for each update.

    PyIceberg does whenever it looks at them, a dozen times for each commit, and copies all snapshots every time.
    """

    _cached: tuple[TableMetadata, object, TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        """The table's metadata with the updates so far."""
        base, updates = self._table.metadata, self._updates
        if not self._cached or self._cached[0] is not base or self._cached[1] is not updates:
            self._cached = base, updates, super().table_metadata
        return self._cached[2]
