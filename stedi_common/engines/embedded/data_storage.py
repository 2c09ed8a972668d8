"""The storage of the data files of a lake, for the embedded engine: how DuckDB reads them, how new ones are written."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import duckdb

from stedi_common.contracts import Contract
from stedi_common.engines.storage import s3
from stedi_common.engines.storage.checksums import name_with_checksum
from stedi_common.engines.storage.table_folder import Prefix
from stedi_common.lake import Lake

if TYPE_CHECKING:
    from stedi_common.engines.embedded.bucket_files import BucketFiles

#: So many files are uploaded in parallel.
MAX_UPLOADS = 8


class DataStorage(Protocol):
    """The storage of the data files of a lake. DuckDB writes new files to a draft: a folder on the local disk."""

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let the connection read the data files."""

    def prefetch(self, files: Sequence[str]) -> None:
        """Prepare for DuckDB reading these data files soon."""

    def close(self) -> None:
        """Close what `attach` opened."""

    def draft(self, contract: Contract) -> Path:
        """A new folder for data files of a table."""

    def publish(self, contract: Contract, draft: Path, files: Iterable[Path]) -> list[str]:
        """Move the files of a draft to the folder of the table. Returns their URIs."""

    def discard(self, contract: Contract, draft: Path) -> None:
        """Remove a draft, and those of its files that were published."""


class FolderStorage:
    """The folder of a lake. A draft lies in the folder of its table, so its files only get their final names."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """See `DataStorage.attach`. DuckDB reads the local disk."""

    def prefetch(self, files: Sequence[str]) -> None:
        """See `DataStorage.prefetch`. The operating system does it."""

    def close(self) -> None:
        """See `DataStorage.close`."""

    def draft(self, contract: Contract) -> Path:
        """See `DataStorage.draft`."""
        # Not as the table says: Spark writes `file:/` where we write `file:///`.
        folder = Path(self._lake.table_location(contract).removeprefix("file://")) / "data" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        return folder

    def publish(self, contract: Contract, draft: Path, files: Iterable[Path]) -> list[str]:
        """See `DataStorage.publish`. Each name gets the checksum of its file."""
        return [f"file://{file.rename(file.with_name(name_with_checksum(file)))}" for file in files]

    def discard(self, contract: Contract, draft: Path) -> None:
        """See `DataStorage.discard`."""
        shutil.rmtree(draft, ignore_errors=True)


class BucketStorage:
    """The buckets of a lake in S3. A draft is on the local disk until its files are uploaded.

    Args:
        lake: the lake.
        scratch: the folder for drafts. It is on the local disk, and is removed when the engine is closed.
    """

    def __init__(self, lake: Lake, scratch: str) -> None:
        self._lake, self._scratch = lake, Path(scratch)
        self._files: BucketFiles | None = None

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """See `DataStorage.attach`."""
        from stedi_common.engines.embedded.bucket_files import BucketFiles  # noqa: PLC0415 - only S3 needs it

        self._files = BucketFiles()
        connection.register_filesystem(self._files)

    def prefetch(self, files: Sequence[str]) -> None:
        """See `DataStorage.prefetch`."""
        if self._files:
            self._files.prefetch(files)

    def close(self) -> None:
        """See `DataStorage.close`."""
        if self._files:
            self._files.close()

    def draft(self, contract: Contract) -> Path:
        """See `DataStorage.draft`."""
        folder = self._scratch / "drafts" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        return folder

    def publish(self, contract: Contract, draft: Path, files: Iterable[Path]) -> list[str]:
        """See `DataStorage.publish`. Local files are removed as soon as they are uploaded."""
        target = self._published(contract, draft)
        uris = {file: f"{target}/{file.relative_to(draft).as_posix()}" for file in files}
        with ThreadPoolExecutor(MAX_UPLOADS) as pool:
            list(pool.map(s3.upload, uris, uris.values()))
        shutil.rmtree(draft, ignore_errors=True)
        return list(uris.values())

    def discard(self, contract: Contract, draft: Path) -> None:
        """See `DataStorage.discard`."""
        shutil.rmtree(draft, ignore_errors=True)
        published = Prefix(self._published(contract, draft))
        with suppress(Exception):  # the error that it is discarded for is raised; the next maintenance removes the rest
            published.remove(list(published.files()))

    def _published(self, contract: Contract, draft: Path) -> str:
        return f"{self._lake.table_location(contract)}/data/{draft.name}"


def storage_of(lake: Lake, scratch: str) -> DataStorage:
    """The storage of a lake. `scratch` is a folder on the local disk."""
    return FolderStorage(lake) if lake.is_local else BucketStorage(lake, scratch)
