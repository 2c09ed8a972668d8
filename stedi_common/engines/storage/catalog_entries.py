"""The tables in the SQLite catalog of a lake in a folder, read without an engine."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from stedi_common.errors import LakeError
from stedi_common.lake import CATALOG, RECOVER, Lake

#: How long a commit of another process may hold the catalog.
_TIMEOUT_SECONDS = 30

#: The zone and the name of a table, as its folders are called. The namespace in the catalog may have a prefix.
Place = tuple[str, str]


@dataclass(frozen=True)
class CatalogEntry:
    """A table in the catalog: its namespace and name there, and the location of its metadata."""

    namespace: str
    name: str
    location: str


def place_of(metadata: str | Path) -> Place:
    """The zone and the name of the table whose metadata lie at this path or URI."""
    zone, table, *_ = ("", "", *str(metadata).split("/"))[-4:]
    return zone, table


def entries(lake: Lake) -> Mapping[Place, CatalogEntry]:
    """The tables in the catalog, by their folders. Empty if the catalog is missing or empty.

    Raises:
        LakeError: it is no SQLite database, or cannot be read.
    """
    if not lake.exists:
        return {}
    # Not `mode=ro`: what a killed commit has left is rolled back first. A file that is write-protected is only read.
    uri = f"file:{quote(lake.catalog_uri)}?mode=rw"
    columns = "table_namespace, table_name, metadata_location"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=_TIMEOUT_SECONDS)) as catalog:
            if not catalog.execute("SELECT 1 FROM sqlite_schema WHERE name = 'iceberg_tables'").fetchone():
                return {}
            rows = catalog.execute(
                f"SELECT {columns} FROM iceberg_tables WHERE catalog_name = ? AND metadata_location IS NOT NULL",
                (CATALOG,),
            ).fetchall()
    except sqlite3.Error as error:
        raise unreadable(lake, error) from error
    return {place_of(row[2]): CatalogEntry(*row) for row in sorted(rows, key=lambda row: str(row[2]))}


def unreadable(lake: Lake, error: object) -> LakeError:
    """The error of a catalog that SQLite cannot read."""
    return LakeError(
        f"lake {lake.location}: expected an SQLite catalog in catalog.db, got: {error}",
        hint=f"this user must be able to read and write it; {RECOVER}",
    )
