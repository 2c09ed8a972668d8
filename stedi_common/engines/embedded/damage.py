"""Which file of a table cannot be read. It is looked for after something has failed on the table."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.parquet as pq
from pyiceberg.table import Table

from stedi_common.engines.errors import unreadable
from stedi_common.engines.storage import s3
from stedi_common.engines.storage.parquet import filesystem, read_file
from stedi_common.errors import DamagedFileError, ServiceError, StediError, as_stedi_error, raise_if_out_of_resources


@contextmanager
def named(table: str, find: Callable[[], str | None]) -> Iterator[None]:
    """Raise DamagedFileError with the file that `find` finds, if the block fails. Else the block's error is raised.

    If a service refuses or does not answer, or the machine is out of memory or file descriptors, no file is damaged:
    that error is raised.
    """
    try:
        yield
    except StediError:
        raise
    except Exception as error:
        known = as_stedi_error(error)
        if isinstance(known, ServiceError) or known.is_out_of_resources:
            raise known from error
        if file := find():
            raise unreadable(table, file) from None
        raise


def unreadable_metadata(location: str | None) -> str | None:
    """The metadata file itself, if it is missing or no JSON object of a table."""
    try:
        found = json.loads(read_file(location)) if location else {"location": None}
    except OSError as error:
        raise_if_out_of_resources(error)
        return location if _shows_damage(str(location), error) else None
    except ValueError:
        return location
    return None if "location" in found else location


def unreadable_manifest(table: Table, snapshot_id: int) -> str | None:
    """The manifest list of a snapshot, or the first of its manifests, that cannot be read."""
    snapshot = table.snapshot_by_id(snapshot_id)
    if snapshot is None:
        return None
    try:
        manifests = snapshot.manifests(table.io)
    except Exception as error:
        raise_if_out_of_resources(error)
        return snapshot.manifest_list
    for manifest in manifests:
        try:
            manifest.fetch_manifest_entry(table.io)
        except Exception as error:
            raise_if_out_of_resources(error)
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
        system, key = filesystem(path)
        pq.read_metadata(key, filesystem=system)
    except pa.ArrowException as error:
        raise_if_out_of_resources(error)
        return False
    except OSError as error:
        raise_if_out_of_resources(error)
        return not _shows_damage(path, error)
    return True


def _shows_damage(path: str, error: OSError) -> bool:
    """Whether a file that cannot be read is damaged. In S3 the cause may also be a missing right or the network."""
    return isinstance(error, FileNotFoundError) or not path.startswith(s3.SCHEME)
