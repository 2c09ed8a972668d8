"""Orphan files of a local table, left by snapshot expiry or by killed runs: no snapshot refers to them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pyiceberg.manifest import ManifestFile
from pyiceberg.table import Table

from stedi_common.instants import from_seconds
from stedi_common.lake import local_path


def old_files(folder: Path, older_than: datetime) -> list[Path]:
    """The files below the folder that were last written before then (UTC)."""
    return [path for path in folder.rglob("*") if path.is_file() and _is_older(path, older_than)]


def known_files(table: Table) -> set[Path]:
    """All files that the table needs: those of every snapshot, whichever branch or tag keeps it."""
    return {local_path(file) for file in _known(table)}


def _known(table: Table) -> Iterator[str]:
    metadata = table.metadata
    yield table.metadata_location
    yield from (entry.metadata_file for entry in metadata.metadata_log)
    yield from (statistics.statistics_path for statistics in (*metadata.statistics, *metadata.partition_statistics))
    # A manifest is of many snapshots.
    manifests: dict[str, ManifestFile] = {}
    for snapshot in metadata.snapshots:
        yield snapshot.manifest_list
        manifests |= {manifest.manifest_path: manifest for manifest in snapshot.manifests(table.io)}
    for path, manifest in manifests.items():
        yield path
        yield from (entry.data_file.file_path for entry in manifest.fetch_manifest_entry(table.io))


def remove_empty_folders(folder: Path, older_than: datetime) -> None:
    """Remove folders that have been empty since before then: a younger one may be about to be written to."""
    for path, *_ in os.walk(folder, topdown=False):
        if Path(path) != folder and _is_older(Path(path), older_than):
            with suppress(OSError):  # it is not empty
                Path(path).rmdir()


def _is_older(path: Path, than: datetime) -> bool:
    try:
        return from_seconds(path.stat().st_mtime) < than
    except FileNotFoundError:  # who wrote it has removed it
        return False
