"""The tables in the SQLite catalog of a lake in a folder, read without an engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from stedi_common.lake import CATALOG, Lake, local_path
from stedi_common.lake.catalog_file import has_table, opened_catalog

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

    Of several in one folder it is the one in the namespace of the lake.

    Raises:
        LakeError: it is no SQLite database, or cannot be read.
    """
    if not lake.exists:
        return {}
    columns = "table_namespace, table_name, metadata_location"
    with opened_catalog(lake) as catalog:
        if not has_table(catalog, "iceberg_tables"):
            return {}
        rows = catalog.execute(
            f"SELECT {columns} FROM iceberg_tables WHERE catalog_name = ? AND metadata_location IS NOT NULL",
            (CATALOG,),
        ).fetchall()
    found = [CatalogEntry(*map(str, row)) for row in rows]
    found.sort(key=lambda entry: (entry.namespace == lake.namespace(place_of(entry.location)[0]), entry.location))
    return {place_of(entry.location): entry for entry in found}


def is_within(lake: Lake, place: Place, entry: CatalogEntry) -> bool:
    """Whether the metadata of the entry lie in the folder of this lake, and not in that of another one."""
    return local_path(entry.location).parent == local_path(str(lake.folder.joinpath(*place, "metadata")))
