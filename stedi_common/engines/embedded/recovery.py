"""Rebuild the catalog of a lake from the metadata beside its tables, after it was lost, damaged or replaced.

The metadata of a table say all about it; the catalog only says which of them are the newest. So nothing is lost with
it. See docs/decisions/lost-catalog.md.
"""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from pyiceberg.catalog.sql import SqlCatalog

from stedi_common.engines.storage.catalog_entries import CatalogEntry, Place, entries, is_within, place_of
from stedi_common.engines.storage.catalog_guard import record_metadata
from stedi_common.engines.storage.metadata_files import (
    Metadata,
    MetadataFile,
    current_snapshot,
    hinted,
    metadata_files,
    previous,
)
from stedi_common.engines.storage.staging import Staging, expect_no_run
from stedi_common.engines.storage.table_files import is_complete
from stedi_common.errors import LakeError
from stedi_common.lake import CATALOG, Lake, local_path
from stedi_common.lake.mark import Mark, mark_of
from stedi_common.lake.properties import LakeProperties


@dataclass(frozen=True)
class RecoveredTable:
    """A table in the rebuilt catalog.

    Attributes:
        table: zone and name.
        metadata: the name of its metadata file.
        snapshot: the id of its snapshot; None if it has none.
        rows: how many rows it has.
        previous_metadata: the name of the metadata file that the catalog had before; None if it did not know the table.
    """

    table: str
    metadata: str
    snapshot: int | None
    rows: int
    previous_metadata: str | None


@dataclass(frozen=True)
class Recovered:
    """What `recover` has done.

    Attributes:
        tables: all tables of the lake.
        previous_catalog: the name that the replaced catalog has now; None if there was none, or it was not replaced.
        changed: whether the catalog was rebuilt. If it names the newest metadata of every table, it stays.
    """

    tables: Sequence[RecoveredTable]
    previous_catalog: str | None
    changed: bool


def recover(lake: Lake) -> Recovered:
    """Rebuild the catalog of a lake from the newest metadata of each table.

    Args:
        lake: the lake, in a folder.

    Raises:
        LakeError: there is no lake in a folder, it is a copy or was moved, a run is writing to it, or the metadata of a
            table are damaged.
    """
    if not lake.is_local:
        raise LakeError(
            f"lake {lake.location}: expected a lake in a folder, got one in S3",
            hint="the catalog of a lake in S3 is a service; restore it as its provider says",
        )
    properties = LakeProperties.unverified(lake)
    folders = lake.metadata_folders
    if not folders:
        lake.expect_exists()
    expect_no_run(lake)
    known = _readable_entries(lake)
    before = {place: entry for place, entry in (known or {}).items() if not _is_of_another_lake(lake, place, entry)}
    chosen = {place: _newest(folder, before.get(place)) for folder in folders if (place := place_of(folder / "*"))}
    after = {place: file for place, file in chosen.items() if file}
    tables = [_recovered(place, file, before.get(place)) for place, file in after.items()]
    changed = known is None or any(table.metadata != table.previous_metadata for table in tables)
    previous = _rebuild(lake, after, before, _mark(lake, properties)) if changed else None
    record_metadata(lake)
    return Recovered(tables, previous, changed)


def _readable_entries(lake: Lake) -> Mapping[Place, CatalogEntry] | None:
    """What the current catalog names; None if there is none that can be read."""
    try:
        return entries(lake) if lake.exists else None
    except LakeError:
        return None


def _is_of_another_lake(lake: Lake, place: Place, entry: CatalogEntry) -> bool:
    """Whether the entry has the name of a table of this lake, but its metadata are in the folder of another lake."""
    return entry.namespace in lake.namespaces and not is_within(lake, place, entry)


def _mark(lake: Lake, properties: LakeProperties | None) -> Mark:
    """The mark of the rebuilt catalog. Without a mark, a lake that has lost `lake.json` would take any policy."""
    known = None
    with suppress(LakeError):
        known = mark_of(lake)
    if properties is None:
        return known or Mark()
    # The catalog of another lake knows nothing of this one.
    if known is None or properties.is_accepted_by(known) or properties.disowns(known):
        return properties.mark()
    return known


def _newest(folder: Path, entry: CatalogEntry | None) -> MetadataFile | None:
    """The newest metadata of a table that were committed; None if there are none.

    Only a file of the newest version may be one that was never committed: a killed commit has left it. The file that
    the catalog or the hint names is taken before it. If neither names one of the newest two versions, the newest file
    is taken, unless it is damaged or files of its snapshot are gone. Of several of one version, one was committed: the
    one that a later one follows, else the one that was written last.

    Raises:
        LakeError: the newest file that was committed, or all of the newest two versions, cannot be read; or the catalog
            or the hint names a later one, which is missing.
    """
    files = metadata_files(folder)
    last_known = [file for file in (MetadataFile.at(entry.location) if entry else None, hinted(folder)) if file]
    if not files:
        _expect_not_later(folder, last_known, None)
        return None
    newest_two = [file for file in files if file.version >= files[0].version - 1]
    readable = {file: metadata for file in newest_two for metadata in _read(file)}
    named = {file.name for file in last_known}
    followed = {file.name for metadata in readable.values() for file in previous(metadata)}
    committed = named | followed

    def rank(file: MetadataFile) -> tuple[bool, bool, int, bool, int]:
        snapshot = current_snapshot(readable[file])
        is_whole = file.name in committed or snapshot is None or is_complete(snapshot)
        updated = int(readable[file]["last-updated-ms"])
        return file.name in named, is_whole, file.version, file.name in followed, updated

    newest = max(readable, key=rank, default=None)
    damaged = [file for file in newest_two if file not in readable and (newest is None or file.name in committed)]
    if newest is None or any(file.version >= newest.version for file in damaged):
        raise LakeError(
            f"{damaged[0].path}: expected the metadata of a table, got a damaged file",
            hint="restore the file from a backup; without the folder of the table the others can be recovered",
        )
    _expect_not_later(folder, last_known, newest)
    location = readable[newest]["location"]
    if local_path(location) != folder.parent.resolve():
        raise LakeError(
            f"{'.'.join(place_of(folder / '*'))}: expected the table at {folder.parent}, got {location}",
            hint="after a lake was moved or copied, stedi relocate writes its folder into its files",
        )
    return newest


def _expect_not_later(folder: Path, last_known: Sequence[MetadataFile], newest: MetadataFile | None) -> None:
    """Raise LakeError if metadata later than the newest were committed: a withdrawal may be lost with them."""
    version = newest.version if newest else -1
    lost = [file for file in last_known if file.version >= version and not (folder / file.name).exists()]
    if not lost:
        return
    zone, name = place_of(folder / "*")
    latest, got = max(lost, key=lambda file: file.version).name, newest.name if newest else "none"
    otherwise = "land the drops into a new lake"
    if zone != "landing":
        otherwise = f"remove {folder.parent}, recover the others, and run"
    raise LakeError(
        f"{zone}.{name}: expected the metadata {latest}, which were committed, got {got} as the newest",
        hint=f"restore the metadata folder of the table from a backup, or {otherwise}",
    )


def _read(file: MetadataFile) -> Iterator[Metadata]:
    with suppress(OSError, ValueError):
        yield file.read()


def _recovered(place: Place, file: MetadataFile, before: CatalogEntry | None) -> RecoveredTable:
    snapshot = current_snapshot(file.read())
    summary = snapshot.get("summary", {}) if snapshot else {}
    return RecoveredTable(
        table=".".join(place),
        metadata=file.name,
        snapshot=snapshot["snapshot-id"] if snapshot else None,
        rows=int(summary.get("total-records", 0)),
        previous_metadata=before.location.rpartition("/")[2] if before else None,
    )


def _rebuild(
    lake: Lake, after: Mapping[Place, MetadataFile], before: Mapping[Place, CatalogEntry], mark: Mark
) -> str | None:
    """Write the catalog, rename the one that is there, and give the new one its name.

    Returns:
        The new name of the replaced catalog, if there was one.
    """
    staging = Staging(lake)
    try:
        draft = Path(staging.folder) / "catalog.db"
        _write(lake, draft, after, before)
        with closing(sqlite3.connect(draft)) as written, written:
            mark.write(written, lake)
        catalog = Path(lake.catalog_uri)
        renamed = _renamed(catalog) if lake.exists else None
        # Whoever may read the folder may read the catalog: the umask of this command need not be that of the lake.
        draft.chmod(stat.S_IMODE(lake.folder.stat().st_mode) & 0o666 | 0o600)
        draft.replace(catalog)
        return renamed
    finally:
        staging.remove()


def _write(lake: Lake, file: Path, after: Mapping[Place, MetadataFile], before: Mapping[Place, CatalogEntry]) -> None:
    catalog = SqlCatalog(CATALOG, uri=f"sqlite:///{quote(str(file))}", warehouse=f"file://{lake.location}")
    try:
        for namespace in {*lake.namespaces, *(entry.namespace for entry in before.values())}:
            catalog.create_namespace(namespace)
        for (zone, name), metadata in after.items():
            known = before.get((zone, name))
            identifier = (known.namespace, known.name) if known else (lake.namespace(zone), name)
            catalog.register_table(identifier, f"file://{lake.location}/{zone}/{name}/metadata/{metadata.name}")
        # Tables of somebody else, which lie elsewhere, stay as they are.
        others = [entry for place, entry in before.items() if place not in after]
    finally:
        catalog.close()
    with closing(sqlite3.connect(file)) as written, written:
        written.executemany(
            "INSERT OR IGNORE INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location) "
            "VALUES (?, ?, ?, ?)",
            [(CATALOG, entry.namespace, entry.name, entry.location) for entry in others],
        )


def _renamed(catalog: Path) -> str:
    """Give the catalog another name, for its owner alone. Returns the name."""
    renamed = catalog.with_name(f"{catalog.name}.{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")
    for suffix in ("-journal", "-wal", "-shm", ""):  # SQLite would roll another file back into the new catalog
        with suppress(FileNotFoundError):
            Path(f"{catalog}{suffix}").rename(f"{renamed}{suffix}")
            Path(f"{renamed}{suffix}").chmod(0o700 if renamed.is_dir() else 0o600)
    return renamed.name
