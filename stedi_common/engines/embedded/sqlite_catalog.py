"""The SQLite catalog of a lake in a folder."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any
from urllib.parse import quote

from pyiceberg.catalog.sql import IcebergTables, SqlCatalog, SqlCatalogBaseTable
from pyiceberg.exceptions import CommitStateUnknownException, NoSuchTableError
from pyiceberg.table import CommitTableResponse, Table
from sqlalchemy import event, select
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError, SQLAlchemyError
from tenacity import retry_if_exception_type

from stedi_common.engines.embedded.files import ChecksummedFileIO
from stedi_common.engines.retry import retrying
from stedi_common.engines.storage.metadata_files import hint
from stedi_common.errors import sqlite_error
from stedi_common.lake import CATALOG, Lake
from stedi_common.lake.catalog_file import unreadable


class SQLiteCatalog(SqlCatalog):
    """A `LakeCatalog`. It records beside each table which metadata it names: see `engines/storage/catalog_guard.py`."""

    unknown_state: tuple[type[Exception], ...] = (CommitStateUnknownException, SQLAlchemyError)
    may_commit_late = False
    checks_here = True

    def metadata_location(self, identifier: str) -> str | None:
        """See `LakeCatalog.metadata_location`. It costs one query."""
        namespace, name = identifier.split(".")
        found = select(IcebergTables.metadata_location).where(
            IcebergTables.catalog_name == CATALOG,
            IcebergTables.table_namespace == namespace,
            IcebergTables.table_name == name,
        )
        with self.engine.connect() as connection:
            return connection.scalar(found)

    def find_table(self, identifier: str, known: Table | None) -> Table | None:
        """See `LakeCatalog.find_table`."""
        if known and known.metadata_location == self.metadata_location(identifier):
            return known
        try:
            return self.load_table(identifier)
        except NoSuchTableError:
            return None

    def cached_lookups(self) -> AbstractContextManager[None]:
        """See `LakeCatalog.cached_lookups`. A query of a local file is quick, so nothing is kept."""
        return nullcontext()

    def invalidate(self, identifier: str) -> None:
        """See `LakeCatalog.invalidate`."""

    def create_table(self, *args: Any, **named: Any) -> Table:
        """Create a table."""
        table = super().create_table(*args, **named)
        hint(table.metadata_location)
        return table

    def commit_table(self, *args: Any, **named: Any) -> CommitTableResponse:
        """Commit updates to a table."""
        committed = super().commit_table(*args, **named)
        hint(committed.metadata_location)
        return committed


def open_catalog(lake: Lake) -> SQLiteCatalog:
    """The catalog of the lake, which is created if it does not exist.

    PyIceberg looks for each part of it and then creates it. If another process does so in between, the next attempt
    finds it.

    Raises:
        LakeError: the catalog is no SQLite database, or cannot be opened.
        StorageError: the disk is full or write-protected, or another process holds the catalog.
    """
    parts = len(lake.namespaces) + len(SqlCatalogBaseTable.metadata.tables)
    try:
        return retrying(retry_if_exception_type((IntegrityError, OperationalError)), parts + 1)(_open_catalog, lake)
    except DatabaseError as error:
        raise sqlite_error(str(error.orig)) or unreadable(lake, error.orig) from error


def _open_catalog(lake: Lake) -> SQLiteCatalog:
    uri = f"sqlite:///{quote(lake.catalog_uri)}"  # SQLAlchemy decodes it
    files = {"py-io-impl": f"{ChecksummedFileIO.__module__}.{ChecksummedFileIO.__name__}"}
    catalog = SQLiteCatalog(CATALOG, uri=uri, warehouse=f"file://{lake.location}", **files)
    # Else a loss of power may undo the last commit: its journal is there again.
    event.listen(catalog.engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = EXTRA"))
    catalog.engine.dispose()  # a connection that is open already does not have it
    for namespace in lake.namespaces:
        catalog.create_namespace_if_not_exists(namespace)
    return catalog
