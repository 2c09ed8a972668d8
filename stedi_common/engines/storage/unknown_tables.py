"""Computed tables of a lake that no contract describes: those of a project that is not here now, or that has changed.

No run knows whose rows they have, so none deletes withdrawn rows from them.
"""

from __future__ import annotations

from stedi_common.contracts import contract, names
from stedi_common.engines.properties import OWNER
from stedi_common.engines.storage.catalog_entries import CatalogEntry, Place, entries, is_within
from stedi_common.engines.storage.metadata_files import MetadataFile, current_snapshot
from stedi_common.lake import Lake


def unknown_tables(lake: Lake) -> list[str]:
    """Zone and name of the trusted and curated tables that have rows, and no contract.

    Args:
        lake: the lake. In S3 the catalog may have tables of others, and is not looked at.
    """
    if not lake.is_local:
        return []
    known = {(table.zone, table.name) for table in map(contract, names())}
    unknown = {place: entry for place, entry in entries(lake).items() if place not in known and place[0] != "landing"}
    return [".".join(place) for place, entry in unknown.items() if _is_ours(lake, place, entry)]


def _is_ours(lake: Lake, place: Place, entry: CatalogEntry) -> bool:
    """Whether this package has made the table and it has rows. If its metadata cannot be read, it may have."""
    file = MetadataFile.at(entry.location)
    if file is None or not is_within(lake, place, entry):
        return False
    try:
        metadata = file.read()
    except FileNotFoundError:
        return False  # somebody has removed the table's folder
    except (OSError, ValueError):
        return True
    snapshot = current_snapshot(metadata)
    has_rows = snapshot is not None and snapshot["summary"].get("total-records") != "0"
    return has_rows and OWNER in metadata.get("properties", {})
