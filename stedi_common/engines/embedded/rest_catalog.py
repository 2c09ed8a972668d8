"""An Iceberg REST catalog of a lake in S3, by its name in PyIceberg's configuration.

The server checks that the snapshot is the one that a commit was computed from (`assert-ref-snapshot-id`), and answers
409 if it is not. After an answer of 5xx, or none, the commit may have been made.
"""

from __future__ import annotations

from typing import Any, cast

from pyiceberg.catalog.rest import RestCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    CommitStateUnknownException,
    NoSuchNamespaceError,
    NoSuchTableError,
    RESTError,
    ServerError,
    ServiceUnavailableError,
)
from pyiceberg.io import FileIO
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.update import AddSnapshotUpdate, TableRequirement, TableUpdate
from requests.exceptions import RequestException

from stedi_common.engines.embedded.lake_catalog import LookupCache
from stedi_common.engines.storage import s3


class RestLakeCatalog(RestCatalog):
    """A `LakeCatalog`."""

    unknown_state: tuple[type[Exception], ...] = (CommitStateUnknownException, RESTError, RequestException)
    may_commit_late = True
    checks_here = False

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._lookups = LookupCache()
        self.cached_lookups, self.invalidate = self._lookups.cached, self._lookups.invalidate

    def metadata_location(self, identifier: str) -> str | None:
        """See `LakeCatalog.metadata_location`. It costs one request, whose answer has all metadata."""
        found = self.find_table(identifier, None)
        return found.metadata_location if found else None

    def find_table(self, identifier: str, known: Table | None) -> Table | None:
        """See `LakeCatalog.find_table`."""
        try:
            found = self.load_table(identifier)
        except (NoSuchTableError, NoSuchNamespaceError):
            return None
        return known if known and known.metadata_location == found.metadata_location else found

    def load_table(self, identifier: Any) -> Table:
        """Load a table. The catalog may give credentials for its files."""
        look_up = super().load_table
        table: Table = self._lookups.ask(str(identifier), lambda: look_up(identifier))
        s3.set_access(table.location(), table.io.properties)
        return table

    def create_table(self, identifier: Any, *args: Any, **named: Any) -> Table:
        """Create a table, and before it its namespace if there is none."""
        try:
            table: Table = super().create_table(identifier, *args, **named)
        except NoSuchNamespaceError:
            self.create_namespace_if_not_exists(identifier.split(".")[0])
            table = super().create_table(identifier, *args, **named)
        return table

    def commit_table(
        self, table: Table, requirements: tuple[TableRequirement, ...], updates: tuple[TableUpdate, ...]
    ) -> CommitTableResponse:
        """Commit updates to a table.

        Raises:
            CommitFailedException: another commit was made in between, and this one was not.
            CommitStateUnknownException: it is not known whether the commit was made.
        """
        try:
            response: CommitTableResponse | None = super().commit_table(table, requirements, updates)
        except CommitFailedException:
            # A proxy may have repeated the request: then the second one was refused, and the commit was made.
            response = self._committed(table, updates)
            if response is None:
                raise
        except (ServerError, ServiceUnavailableError, RequestException) as error:
            raise CommitStateUnknownException(type(error).__name__) from error
        return cast("CommitTableResponse", response)

    @staticmethod
    def _delete_old_metadata(io: FileIO, base: TableMetadata, metadata: TableMetadata) -> None:
        """Nothing: the server deletes old metadata."""

    def _committed(self, table: Table, updates: tuple[TableUpdate, ...]) -> CommitTableResponse | None:
        """The table as it is now, if it has all snapshots that the updates add; else None."""
        added = [update.snapshot.snapshot_id for update in updates if isinstance(update, AddSnapshotUpdate)]
        if not added:
            return None
        try:
            now = self.load_table(table.name())
        except (RESTError, RequestException) as error:
            raise CommitStateUnknownException("a commit was refused, and the table could not be looked up") from error
        if any(now.snapshot_by_id(each) is None for each in added):
            return None
        return CommitTableResponse.model_validate(
            {"metadata": now.metadata, "metadata-location": now.metadata_location}
        )
