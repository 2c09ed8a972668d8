"""The files in the folder of a table, or below its prefix in S3: which there are, and how they are removed."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from stedi_common.contracts import Contract
from stedi_common.engines.storage import s3
from stedi_common.engines.storage.checksums import sidecar
from stedi_common.errors import ServiceError
from stedi_common.instants import from_seconds
from stedi_common.lake import Lake, local_path

#: So many objects one request deletes.
MAX_DELETED = 1000
#: S3 says in which second an object was written. It counts as written at the end of it: younger is safer.
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class ListedFile:
    """A file: its bytes, and when it was written, UTC without zone."""

    bytes: int
    written_at: datetime


#: Files by their real path or S3 URI, as in `table_files`.
Listing = Mapping[str, ListedFile]


class TableFolder(Protocol):
    """The files of a table, and no others.

    Attributes:
        location: the real path or the S3 URI of the folder.
    """

    location: str

    def files(self) -> Listing:
        """All files, at any depth."""

    def remove(self, files: Sequence[str]) -> None:
        """Remove these files, in this order."""

    def remove_empty_folders(self, older_than: datetime) -> None:
        """Remove folders that have been empty since then (UTC): a younger one may be about to be written to."""


class LocalFolder:
    """The folder of a table of a local lake. The checksums that a writer keeps beside a file go with it."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.location = folder, str(folder)

    def files(self) -> Listing:
        """See `TableFolder.files`."""
        found: dict[Path, ListedFile] = {}
        for path in self._folder.rglob("*"):
            with suppress(FileNotFoundError):  # who wrote it has removed it
                if path.is_file():
                    stat = path.stat()
                    found[path] = ListedFile(stat.st_size, from_seconds(stat.st_mtime))
        checksums = set(map(sidecar, found))
        return {str(path): file for path, file in found.items() if path not in checksums}

    def remove(self, files: Sequence[str]) -> None:
        """See `TableFolder.remove`."""
        for file in map(Path, files):
            file.unlink(missing_ok=True)
            sidecar(file).unlink(missing_ok=True)

    def remove_empty_folders(self, older_than: datetime) -> None:
        """See `TableFolder.remove_empty_folders`."""
        for path, *_ in os.walk(self._folder, topdown=False):
            with suppress(OSError):  # it is not empty, or gone
                if Path(path) != self._folder and from_seconds(Path(path).stat().st_mtime) < older_than:
                    Path(path).rmdir()


class Prefix:
    """The objects below the prefix of a table in S3. Versions that its bucket keeps are left to lifecycle rules."""

    def __init__(self, uri: str) -> None:
        self.location = uri

    def files(self) -> Listing:
        """See `TableFolder.files`. An object whose name ends with a slash stands for a folder, and is none."""
        client, bucket, key = s3.object_client(self.location)
        # The slash at the end: the table `a` is not the table `ab`.
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{key}/")
        return {
            f"{s3.SCHEME}{bucket}/{each['Key']}": ListedFile(
                each["Size"], each["LastModified"].astimezone(UTC).replace(tzinfo=None) + _SECOND
            )
            for page in pages
            for each in page.get("Contents", ())
            if not each["Key"].endswith("/")
        }

    def remove(self, files: Sequence[str]) -> None:
        """See `TableFolder.remove`.

        Raises:
            ServiceError: S3 has not deleted an object. Others may be deleted.
        """
        client, bucket, _ = s3.object_client(self.location)
        keys = [{"Key": file.removeprefix(f"{s3.SCHEME}{bucket}/")} for file in files]
        for start in range(0, len(keys), MAX_DELETED):
            some = {"Objects": keys[start : start + MAX_DELETED], "Quiet": True}
            if failed := client.delete_objects(Bucket=bucket, Delete=some).get("Errors"):
                raise ServiceError("S3 DeleteObjects", failed[0].get("Code", "an error"))

    def remove_empty_folders(self, older_than: datetime) -> None:
        """See `TableFolder.remove_empty_folders`. S3 has no folders."""


def table_folder(lake: Lake, contract: Contract) -> TableFolder:
    """The folder of a table of the lake."""
    location = lake.table_location(contract)
    return LocalFolder(local_path(location)) if lake.is_local else Prefix(location)
