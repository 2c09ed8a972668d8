"""Tables of a lake that no contract describes: those of a project that is not here now, or is broken, or has changed.

They are known by their metadata only: nobody can tell whose rows they have.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from stedi_common.contracts import contract, names
from stedi_common.engines.properties import OWNER
from stedi_common.engines.storage.catalog_entries import CatalogEntry, Place, entries, is_within
from stedi_common.engines.storage.metadata_files import Metadata, MetadataFile, current_snapshot, data_snapshot
from stedi_common.lake import Lake


@dataclass(frozen=True)
class UnknownTable:
    """A table that this package has made, and that has no contract.

    Attributes:
        zone: its zone.
        namespace: its namespace in the catalog.
        name: its name.
        metadata: the location of its metadata file.
        rows: how many rows it has; None if its metadata cannot be read.
        has_old_rows: whether a snapshot that is kept may have rows.
        data_snapshot_id: the id of the last snapshot that has changed its rows; None if that is not known.
        summary: what that snapshot says about itself.
    """

    zone: str
    namespace: str
    name: str
    metadata: str
    rows: int | None = None
    has_old_rows: bool = True
    data_snapshot_id: int | None = None
    summary: Mapping[str, str] = field(default_factory=dict)

    @property
    def identifier(self) -> str:
        """Zone and name."""
        return f"{self.zone}.{self.name}"


def unknown_tables(lake: Lake, besides: Collection[str] = ()) -> Sequence[UnknownTable]:
    """The tables that have no contract.

    Args:
        lake: the lake. In S3 the catalog may have tables of others, and is not looked at.
        besides: names of tables that have a contract, and are returned all the same.
    """
    if not lake.is_local:
        return []
    known = {(table.zone, table.name) for table in map(contract, names()) if table.name not in besides}
    found = (_found(lake, place, entry) for place, entry in entries(lake).items() if place not in known)
    return [table for table in found if table]


def _found(lake: Lake, place: Place, entry: CatalogEntry) -> UnknownTable | None:
    """The table; None if this package has not made it, or if its folder is gone."""
    file = MetadataFile.at(entry.location)
    if file is None or not is_within(lake, place, entry) or not lake.folder.joinpath(*place).exists():
        return None
    table = UnknownTable(place[0], entry.namespace, entry.name, entry.location)
    try:
        metadata = file.read()
        return _described(table, metadata) if OWNER in metadata.get("properties", {}) else None
    except (OSError, ValueError, TypeError, KeyError, AttributeError):  # lost, or damaged
        return table


def _described(table: UnknownTable, metadata: Metadata) -> UnknownTable:
    snapshot, data = current_snapshot(metadata), data_snapshot(metadata)
    return replace(
        table,
        rows=_rows(snapshot) if snapshot else 0,
        has_old_rows=any(_rows(each) != 0 for each in metadata.get("snapshots", ())),
        data_snapshot_id=data["snapshot-id"] if data else None,
        summary=data.get("summary", {}) if data else {},
    )


def _rows(snapshot: Mapping[str, Any]) -> int | None:
    """How many rows the snapshot has; None if it does not say so."""
    rows = snapshot.get("summary", {}).get("total-records")
    return None if rows is None else int(rows)
