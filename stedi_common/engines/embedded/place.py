"""The place of a lake, as the engine knows it: how DuckDB reads its data files, and how new ones get there."""

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
from stedi_common.lake import Lake

if TYPE_CHECKING:
    from stedi_common.engines.embedded.bucket_files import BucketFiles

#: So many files are uploaded side by side.
MAX_UPLOADS = 8
#: So many bytes of a file are in memory while it is uploaded.
_PIECE_BYTES = 8 * 2**20


class Place(Protocol):
    """Where the data files of a lake are. DuckDB writes new ones into a draft, a folder on the local disk."""

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Let the connection read the data files."""

    def prefetch(self, files: Sequence[str]) -> None:
        """DuckDB is about to read these data files."""

    def close(self) -> None:
        """Release what reading needs."""

    def draft(self, contract: Contract) -> Path:
        """A new folder for data files of a table."""

    def publish(self, contract: Contract, draft: Path, files: Iterable[Path]) -> list[str]:
        """Put the files of a draft below the table's folder. Returns their URIs."""

    def discard(self, contract: Contract, draft: Path) -> None:
        """Remove a draft, and its files where they were published."""


class FolderPlace:
    """The folder of a lake. A draft is a folder of its table already, so its files only get their final names."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """See `Place.attach`. DuckDB reads the local disk."""

    def prefetch(self, files: Sequence[str]) -> None:
        """See `Place.prefetch`. The system does it."""

    def close(self) -> None:
        """See `Place.close`."""

    def draft(self, contract: Contract) -> Path:
        """See `Place.draft`."""
        # Not as the table says: Spark writes `file:/` where we write `file:///`.
        folder = Path(self._lake.table_location(contract).removeprefix("file://")) / "data" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        return folder

    def publish(self, contract: Contract, draft: Path, files: Iterable[Path]) -> list[str]:
        """See `Place.publish`. Each name gets the checksum of its file."""
        return [f"file://{file.rename(file.with_name(name_with_checksum(file)))}" for file in files]

    def discard(self, contract: Contract, draft: Path) -> None:
        """See `Place.discard`."""
        shutil.rmtree(draft, ignore_errors=True)


class BucketPlace:
    """The buckets of a lake in S3. A draft is on the local disk until its files are uploaded.

    Args:
        lake: the lake.
        scratch: the folder for drafts. It is on the local disk, and is removed when the engine is closed.
    """

    def __init__(self, lake: Lake, scratch: str) -> None:
        self._lake, self._scratch = lake, Path(scratch)
        self._files: BucketFiles | None = None

    def attach(self, connection: duckdb.DuckDBPyConnection) -> None:
        """See `Place.attach`."""
        from stedi_common.engines.embedded.bucket_files import BucketFiles  # noqa: PLC0415 - only S3 needs it

        self._files = BucketFiles()
        connection.register_filesystem(self._files)

    def prefetch(self, files: Sequence[str]) -> None:
        """See `Place.prefetch`."""
        if self._files:
            self._files.prefetch(files)

    def close(self) -> None:
        """See `Place.close`."""
        if self._files:
            self._files.close()

    def draft(self, contract: Contract) -> Path:
        """See `Place.draft`."""
        folder = self._scratch / "drafts" / uuid.uuid4().hex
        folder.mkdir(parents=True)
        return folder

    def publish(self, contract: Contract, draft: Path, files: Iterable[Path]) -> list[str]:
        """See `Place.publish`. Local files are removed as soon as they are uploaded."""
        to = self._published(contract, draft)
        with ThreadPoolExecutor(MAX_UPLOADS) as pool:
            uploaded = list(pool.map(lambda file: _upload(file, f"{to}/{file.relative_to(draft).as_posix()}"), files))
        shutil.rmtree(draft, ignore_errors=True)
        return uploaded

    def discard(self, contract: Contract, draft: Path) -> None:
        """See `Place.discard`."""
        shutil.rmtree(draft, ignore_errors=True)
        system, path = s3.location(self._published(contract, draft))
        with suppress(OSError):  # nothing was uploaded; or the next maintenance removes it
            system.delete_dir(path)

    def _published(self, contract: Contract, draft: Path) -> str:
        return f"{self._lake.table_location(contract)}/data/{draft.name}"


def place_of(lake: Lake, scratch: str) -> Place:
    """The place of the lake. `scratch` is a folder on the local disk."""
    return FolderPlace(lake) if lake.is_local else BucketPlace(lake, scratch)


def _upload(file: Path, uri: str) -> str:
    system, path = s3.location(uri)
    with file.open("rb") as local, system.open_output_stream(path) as remote:
        while piece := local.read(_PIECE_BYTES):
            remote.write(piece)
    file.unlink()
    return uri
