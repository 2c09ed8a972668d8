"""The place of a lake, as the engine knows it: how DuckDB reads its data files, and how new ones get there."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from stedi_common.contracts import Contract
from stedi_common.engines.storage.checksums import name_with_checksum
from stedi_common.lake import Lake


class Place(Protocol):
    """Where the data files of a lake are. DuckDB writes new ones into a draft, a folder on the local disk."""

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


def place_of(lake: Lake) -> Place:
    """The place of the lake."""
    return FolderPlace(lake)
