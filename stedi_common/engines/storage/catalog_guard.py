"""A lake is refused if its catalog does not know the metadata beside the tables: it is lost, new, or an old copy.

A run on such a catalog would take the tables for empty or old, and maintenance would delete their newer files as
orphans. See docs/decisions/lost-catalog.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stedi_common.engines.storage.catalog_entries import CatalogEntry, Place, entries, is_within, place_of
from stedi_common.engines.storage.metadata_files import MetadataFile, hint, hinted, newest_version
from stedi_common.errors import LakeError
from stedi_common.lake import RECOVER, Lake


def expect_known_metadata(lake: Lake, *, writes: bool) -> None:
    """Raise LakeError if a table has metadata that were committed, and the catalog does not know them.

    The same if its databases have another prefix: the tables of two prefixes would have the same folders.

    Args:
        lake: the lake. One in S3 has another catalog, and is not looked at.
        writes: whether it may be recorded which metadata the catalog names.
    """
    if not lake.is_local:
        return
    # The folders first: what is committed in between, the catalog knows.
    tables = [_Table.of(folder) for folder in lake.metadata_folders]
    known = entries(lake)
    _expect_prefix(lake, tables, known)
    unknown = [(table, file) for table in tables if (file := table.unknown(known.get(table.place)))]
    if unknown:
        raise _error(lake, unknown, known)
    if writes:
        _record(lake, known)


def _expect_prefix(lake: Lake, tables: Iterable[_Table], known: Mapping[Place, CatalogEntry]) -> None:
    """Raise LakeError if a table of the lake is in another database than its prefix says."""
    for place in (table.place for table in tables):
        entry = known.get(place)
        if entry and entry.namespace != lake.namespace(place[0]) and is_within(lake, place, entry):
            raise LakeError(
                f"{'.'.join(place)}: expected it in the database {lake.namespace(place[0])}, got {entry.namespace}",
                hint="give the prefix that the lake has: --database-prefix, STEDI_DATABASE_PREFIX; by default none",
            )


def record_metadata(lake: Lake) -> None:
    """Record beside each table of a local lake which metadata the catalog names."""
    if lake.is_local:
        _record(lake, entries(lake))


@dataclass(frozen=True)
class _Table:
    """What is in the metadata folder of a table: the newest file, and the last one that is known to be committed."""

    place: Place
    newest: MetadataFile | None
    hinted: MetadataFile | None

    @classmethod
    def of(cls, folder: Path) -> _Table:
        last = hinted(folder)  # first: then no file is older
        return cls(place_of(folder / "*"), newest_version(folder), last)

    def unknown(self, entry: CatalogEntry | None) -> MetadataFile | None:
        """A file that was committed, and that the catalog with this entry does not know; None if there is none."""
        known = MetadataFile.at(entry.location) if entry else None
        if entry and known is None:
            return None  # somebody else has registered the table, and numbers its files in another way
        version = known.version if known else -1
        if self.hinted and self.hinted.version >= version and (known is None or self.hinted.name != known.name):
            return self.hinted
        # One version ahead is what a killed commit leaves. Two are a commit on a commit.
        return self.newest if self.newest and self.newest.version > version + 1 else None


def _record(lake: Lake, known: Mapping[Place, CatalogEntry]) -> None:
    for place, entry in known.items():
        # In this lake: the catalog of a copy may still name the files of the first.
        hint(lake.folder.joinpath(*place, "metadata") / entry.location.rpartition("/")[2])


def _error(lake: Lake, unknown: list[tuple[_Table, MetadataFile]], known: Mapping[Place, CatalogEntry]) -> LakeError:
    (table, file), *others = unknown
    entry = known.get(table.place)
    got = "no catalog.db" if not lake.exists else entry.location.rpartition("/")[2] if entry else "no such table"
    more = f"; the same holds for {len(others)} more" if others else ""
    return LakeError(
        f"{'.'.join(table.place)}: expected catalog.db to know the metadata {file.name}, got {got}{more}", hint=RECOVER
    )
