"""The metadata files of a table, `<version>-<uuid>.metadata.json`: which there are, and what they name.

Both engines number them: each commit writes the version after that which the catalog has, then swaps it in the catalog.
A commit that is killed in between, or meets a conflict, leaves a file that no catalog has ever named. So the files of a
table are at most one version ahead of its catalog.

`version-hint.text` beside them names a file that the catalog has named. Iceberg's readers without a catalog know it.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stedi_common.engines.storage.parquet import read_file
from stedi_common.files import overwritten
from stedi_common.lake import canonical

#: Names a file that was committed, without its ending.
HINT = "version-hint.text"
#: What the metadata of a table end with.
SUFFIX = ".metadata.json"
#: Spark writes `.gz` in the middle if the table says so.
_NAME = re.compile(rf"(\d+)-[\w-]{{36}}(\.gz)?{re.escape(SUFFIX)}")

#: The metadata of a table: Iceberg's JSON.
Metadata = Mapping[str, Any]


@dataclass(frozen=True)
class MetadataFile:
    """A metadata file of a table: its path or S3 URI, and its version."""

    location: str
    version: int

    @classmethod
    def at(cls, location: str | Path) -> MetadataFile | None:
        """The file at this path or URI. None if its name has no version, so that no engine of ours wrote it."""
        named = _NAME.fullmatch(str(location).rpartition("/")[2])
        return cls(canonical(str(location)), int(named[1])) if named else None

    @property
    def name(self) -> str:
        """The name without the folder."""
        return self.location.rpartition("/")[2]

    @property
    def path(self) -> Path:
        """The path of a file in a folder."""
        return Path(self.location)

    def read(self) -> Metadata:
        """What it says.

        Raises:
            OSError: it cannot be read.
            ValueError: it is damaged: a killed commit may have written half of it.
        """
        content = read_file(self.location)
        try:
            document = json.loads(gzip.decompress(content) if self.name.endswith(f".gz{SUFFIX}") else content)
        except (EOFError, gzip.BadGzipFile) as error:
            raise ValueError(str(error)) from None
        if not isinstance(document, dict) or "location" not in document:
            raise ValueError("expected the metadata of a table")
        return document


def metadata_files(folder: Path) -> list[MetadataFile]:
    """The metadata files in the folder, newest version first. No file is opened.

    Args:
        folder: `<zone>/<table>/metadata`. If this user may not list it, or it is gone, it has no files.
    """
    found = sorted(_listed(folder), key=lambda each: (-each[0], each[1]))
    return [MetadataFile(str(folder / name), version) for version, name in found]


def newest_version(folder: Path) -> MetadataFile | None:
    """A metadata file of the newest version in the folder; None if there is none. Costs one listing."""
    version, name = max(_listed(folder), default=(-1, ""))
    return MetadataFile(str(folder / name), version) if name else None


def _listed(folder: Path) -> Iterator[tuple[int, str]]:
    """The versions and names of the metadata files in the folder."""
    with suppress(PermissionError, FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(SUFFIX) and (named := _NAME.fullmatch(entry.name)):
                yield int(named[1]), entry.name


def previous(metadata: Metadata) -> list[MetadataFile]:
    """The files of the versions before, oldest first, as far as the metadata name them. Some may be gone."""
    logged = (MetadataFile.at(entry["metadata-file"]) for entry in metadata.get("metadata-log", ()))
    return [file for file in logged if file]


def current_snapshot(metadata: Metadata) -> Mapping[str, Any] | None:
    """The snapshot that the table is at; None if it has none."""
    current = metadata.get("current-snapshot-id")
    return next((each for each in metadata.get("snapshots", ()) if each["snapshot-id"] == current), None)


def data_snapshot(metadata: Metadata) -> Mapping[str, Any] | None:
    """The last snapshot that changed rows, as `engines/history.py` has it; None if the table has none."""
    by_id, snapshot = {each["snapshot-id"]: each for each in metadata.get("snapshots", ())}, current_snapshot(metadata)
    while snapshot and snapshot.get("summary", {}).get("operation") == "replace":
        parent = by_id.get(snapshot.get("parent-snapshot-id"))
        if parent is None:
            break
        snapshot = parent
    return snapshot


def hinted(folder: Path) -> MetadataFile | None:
    """The last file that the catalog is known to have named; None if that is not known. It may be gone."""
    try:
        return MetadataFile.at(folder / f"{(folder / HINT).read_text(encoding='utf-8').strip()}{SUFFIX}")
    except (OSError, ValueError):
        return None


def hint(location: str | Path) -> None:
    """Record that the catalog names this metadata file. It is a help: if it cannot be written, all else goes on."""
    file = MetadataFile.at(location)
    last = hinted(file.path.parent) if file else None
    if file is None or (last and last.name == file.name):
        return
    with suppress(OSError):
        mode = stat.S_IMODE(file.path.stat().st_mode)
        with overwritten(file.path.parent / HINT, mode, is_durable=False) as draft:
            draft.write_text(file.name.removesuffix(SUFFIX), encoding="utf-8")


def readable(files: Iterable[MetadataFile]) -> Iterator[Metadata]:
    """What those of the files say that are there and can be read."""
    for file in files:
        with suppress(OSError, ValueError):
            yield file.read()
