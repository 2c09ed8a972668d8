"""The SQLite file that is the catalog of a lake in a folder, opened without an engine."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from urllib.parse import quote

from stedi_common.errors import LakeError, sqlite_error
from stedi_common.lake.location import RECOVER, Lake

#: How long a commit of another process may hold the catalog.
_TIMEOUT_SECONDS = 30


@contextmanager
def opened_catalog(lake: Lake, *, creates: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection to the catalog. Its changes are committed if the block ends without an error.

    Args:
        lake: the lake, in a folder.
        creates: whether the file is created if it is missing.

    Raises:
        LakeError: the file is no SQLite database, or cannot be read or written.
        StorageError: the disk is full or write-protected, or another process holds the catalog.
    """
    # Not `mode=ro`: what a killed commit has left is rolled back first. A file that is write-protected is only read.
    uri = f"file:{quote(lake.catalog_uri)}?mode={'rwc' if creates else 'rw'}"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=_TIMEOUT_SECONDS)) as catalog, catalog:
            yield catalog
    except sqlite3.Error as error:
        raise sqlite_error(str(error)) or unreadable(lake, error) from error


def has_table(catalog: sqlite3.Connection, name: str) -> bool:
    """Whether the SQLite file has a table of this name."""
    return catalog.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (name,)).fetchone() is not None


def unreadable(lake: Lake, error: object) -> LakeError:
    """The error of a catalog that SQLite cannot read."""
    return LakeError(
        f"lake {lake.location}: expected an SQLite catalog in catalog.db, got: {error}",
        hint=f"this user must be able to read and write it; {RECOVER}",
    )
