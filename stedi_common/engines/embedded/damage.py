"""Which file of a table cannot be read. It is looked for after something has failed on the table."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.table import Table

from stedi_common.engines.errors import unreadable
from stedi_common.errors import DamagedFileError, StediError
from stedi_common.lake import local_path


@contextmanager
def named(table: str, find: Callable[[], str | None]) -> Iterator[None]:
    """Raise DamagedFileError with the file that `find` finds, if the block fails. Else the block's error is raised."""
    try:
        yield
    except StediError:
        raise
    except Exception:
        if file := find():
            raise unreadable(table, file) from None
        raise


def unreadable_metadata(location: str | None) -> str | None:
    """The metadata file itself, if it is missing or no JSON object of a table."""
    try:
        found = json.loads(local_path(location).read_bytes()) if location else {"location": None}
    except (OSError, ValueError):
        return location
    return None if "location" in found else location


def unreadable_manifest(table: Table, snapshot_id: int) -> str | None:
    """The manifest list of a snapshot, or the first of its manifests, that cannot be read."""
    snapshot = table.snapshot_by_id(snapshot_id)
    if snapshot is None:
        return None
    try:
        manifests = snapshot.manifests(table.io)
    except Exception:
        return snapshot.manifest_list
    for manifest in manifests:
        try:
            manifest.fetch_manifest_entry(table.io)
        except Exception:
            return manifest.manifest_path
    return None


def unreadable_data_file(files: Mapping[str, Collection[str]], message: str) -> DamagedFileError | None:
    """The error for the first data file that cannot be read; None if all can.

    Args:
        files: paths of Parquet files, by table.
        message: of the error that the engine failed with. It may name one of the files.
    """
    for table, paths in files.items():
        for path in paths:
            if not _is_parquet(path):
                return unreadable(table, path)
    for table, paths in files.items():
        for path in paths:
            if path in message:
                return unreadable(table, path)
    return None


def _is_parquet(path: str) -> bool:
    """Whether the file exists and has a readable footer."""
    try:
        pq.read_metadata(Path(path))
    except (OSError, pa.ArrowException):
        return False
    return True
