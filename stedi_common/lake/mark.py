"""The mark: what the catalog records about `lake.json`, so that a missing, old or foreign file is noticed.

It is a property of a namespace in the SQLite catalog. A lake that an earlier version of this package made has no mark.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from stedi_common.lake.catalog_file import has_table, opened_catalog
from stedi_common.lake.location import CATALOG, Lake

#: The name of the property.
PROPERTY = "stedi.properties"
#: The tables of Iceberg's SQL catalogs: the mark is written before an engine creates them.
_CREATE = (
    "CREATE TABLE IF NOT EXISTS iceberg_tables (catalog_name VARCHAR(255) NOT NULL, "
    "table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000), "
    "previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5), "
    "PRIMARY KEY (catalog_name, table_namespace, table_name))",
    "CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (catalog_name VARCHAR(255) NOT NULL, "
    "namespace VARCHAR(255) NOT NULL, property_key VARCHAR(255) NOT NULL, property_value VARCHAR(1000) NOT NULL, "
    "PRIMARY KEY (catalog_name, namespace, property_key))",
)


@dataclass(frozen=True)
class Mark:
    """What the catalog records about `lake.json`. None stands for what is not known.

    Attributes:
        ids: the lake ids that the file may have: two while a copy is relocated, else one.
        location: the folder that the file names.
        environment: the environment that the file names.
        history: the digest of the list of changes in the file. The list of a later file begins with these changes.
    """

    ids: tuple[str, ...] = ()
    location: str | None = None
    environment: str | None = None
    history: str | None = None

    @classmethod
    def parsed(cls, text: str) -> Self:
        """The mark in this text. If the text cannot be understood, a mark that accepts no file."""
        try:
            document = json.loads(text)
            return cls(tuple(document.pop("ids")), **document)
        except (ValueError, TypeError, KeyError, AttributeError):
            return cls()

    def accepts(self, lake_id: str, histories: Sequence[str]) -> bool:
        """Whether a `lake.json` with this id and these changes is the recorded one, or a later one.

        Args:
            lake_id: the id in the file.
            histories: the digests of its list of changes: one after each change, see `history_digests`.
        """
        return lake_id in self.ids and self.history in histories

    def write(self, catalog: sqlite3.Connection, lake: Lake) -> None:
        """Write the mark, and remove the one that the catalog has."""
        for statement in _CREATE:
            catalog.execute(statement)
        catalog.execute(
            "DELETE FROM iceberg_namespace_properties WHERE catalog_name = ? AND property_key = ?", (CATALOG, PROPERTY)
        )
        text = json.dumps(self.__dict__)
        catalog.execute(
            "INSERT INTO iceberg_namespace_properties VALUES (?, ?, ?, ?)",
            (CATALOG, lake.namespaces[0], PROPERTY, text),
        )


def mark_in(catalog: sqlite3.Connection) -> Mark | None:
    """The mark in this catalog; None if it has none."""
    if not has_table(catalog, "iceberg_namespace_properties"):
        return None
    found = catalog.execute(
        "SELECT property_value FROM iceberg_namespace_properties WHERE catalog_name = ? AND property_key = ?",
        (CATALOG, PROPERTY),
    ).fetchone()
    return Mark.parsed(found[0]) if found else None


def mark_of(lake: Lake) -> Mark | None:
    """The mark of a lake; None if the lake is in S3, has no catalog, or was made by an earlier version of this package.

    Raises:
        LakeError: the catalog cannot be read.
    """
    if not (lake.is_local and lake.exists):
        return None
    with opened_catalog(lake) as catalog:
        return mark_in(catalog)


def history_digests(changes: Sequence[Sequence[str]]) -> list[str]:
    """The running digests of a list of changes: the first covers one change, the last covers all."""
    running, found = hashlib.sha256(), []
    for change in changes:
        running.update(json.dumps(list(change)).encode() + b"\n")
        found.append(running.hexdigest())
    return found
