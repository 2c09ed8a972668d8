"""Write another folder into the files of a lake that was moved or copied: Iceberg's metadata have absolute paths.

Only metadata and the catalog are rewritten, never a data file. Each file is replaced atomically. What was done before
the process was killed is recognised, so it can be run again.
"""

from __future__ import annotations

import gzip
import json
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fastavro

from stedi_common.engines.storage.catalog_entries import Place, place_of
from stedi_common.errors import LakeError, sqlite_error
from stedi_common.files import overwritten
from stedi_common.lake import Lake
from stedi_common.lake.mark import Mark, mark_in
from stedi_common.lake.properties import LakeProperties, unknown_properties, update_mark

#: The columns of the catalog that have paths.
_PATHS = {
    "iceberg_tables": ("metadata_location", "previous_metadata_location"),
    "iceberg_namespace_properties": ("property_value",),
}


@dataclass(frozen=True)
class Relocated:
    """What was rewritten.

    Attributes:
        id: the id of the lake; a copy has a new one.
        files: how many metadata files were rewritten.
    """

    id: str
    files: int


def relocate(lake: Lake) -> Relocated:
    """Replace the folder where the lake was made by its current one, in all its metadata.

    If the lake is still in that folder, this one is a copy, and gets an id of its own.

    Args:
        lake: the lake, in a folder. Nothing else may be using it.

    Raises:
        LakeError: there is no lake, it does not say where it was made, or a file cannot be read.
    """
    properties = LakeProperties.at(lake)
    if properties is None:
        raise LakeError(
            f"lake {lake.location}: expected a folder with lake.json, got none",
            hint="only a lake in a folder, which says where it was made, can be relocated",
        )
    tables = frozenset(place_of(folder / "*") for folder in lake.metadata_folders)
    moved = _Move(properties.location, lake.location, tables)
    if moved.before == moved.after:
        return Relocated(properties.id, 0)
    _expect_known(lake, properties)
    original = LakeProperties.at(Lake.at(moved.before))
    after = properties.relocated(lake, as_copy=original is not None and original.id == properties.id)
    files = sum(_relocated(folder, moved) for folder in lake.metadata_folders)
    # `lake.json` is written last. Until then it has the old id and folder, and every other command refuses the lake.
    _relocate_catalog(lake, moved, properties.mark(after.id))
    after.write(lake)
    update_mark(lake)
    return Relocated(after.id, files)


@dataclass(frozen=True)
class _Move:
    """From one folder to another; both are real paths.

    One folder may lie in the other, so that a path may be in both. The zone and the table that follow show whether it
    was rewritten already: then it stays as it is.
    """

    before: str
    after: str
    tables: frozenset[Place] = frozenset()

    def __call__(self, value: Any) -> Any:
        """The value with paths in the new folder."""
        if isinstance(value, str):
            return self._path(value)
        if isinstance(value, dict):
            return {key: self(each) for key, each in value.items()}
        return [self(each) for each in value] if isinstance(value, list) else value

    def _path(self, text: str) -> str:
        # PyIceberg writes `file:///`, Spark `file:/`.
        scheme = next((scheme for scheme in ("file://", "file:") if text.startswith(f"{scheme}/")), "")
        path = text.removeprefix(scheme)
        if _below(self.before, path) is None and path.startswith("/"):
            path = os.path.realpath(path)  # earlier versions wrote links and `..`
        below = _below(self.before, path)
        return text if below is None or self._is_rewritten(path) else f"{scheme}{self.after}{below}"

    def _is_rewritten(self, path: str) -> bool:
        """Whether a path in the old folder is also in the new one, and was rewritten already."""
        below = _below(self.after, path)
        if below is None:
            return False
        if self._names_table(below):
            return True
        is_inner = _below(self.before, self.after) is not None
        return is_inner and not self._names_table(path.removeprefix(self.before))

    def _names_table(self, below: str) -> bool:
        return tuple(below.split("/")[1:3]) in self.tables


def _below(folder: str, path: str) -> str | None:
    """The path without the folder: empty, or from its slash on. None if the path is not in the folder."""
    is_within = path == folder or path.startswith(f"{folder.rstrip('/')}/")
    return path.removeprefix(folder.rstrip("/")) if is_within else None


def _relocated(folder: Path, moved: _Move) -> int:
    """Rewrite the metadata of a table. Returns how many files were rewritten."""
    files = sorted(folder.iterdir())
    lists = [file for file in files if file.name.startswith("snap-") and file.suffix == ".avro"]
    manifests = [file for file in files if file.suffix == ".avro" and file not in lists]
    metadata = [file for file in files if file.name.endswith((".metadata.json", ".metadata.json.gz"))]
    # A manifest list has the sizes of its manifests, so it comes after them.
    done = [_rewrite_avro(file, moved) for file in manifests]
    done += [_rewrite_avro(file, lambda record: _with_size(moved(record))) for file in lists]
    done += [_rewrite_json(file, moved) for file in metadata]
    return sum(done)


def _with_size(record: Any) -> Any:
    """An entry of a manifest list, with the size that its manifest has now."""
    path = Path("/" + record["manifest_path"].removeprefix("file:").lstrip("/"))
    return {**record, "manifest_length": path.stat().st_size} if path.exists() else record


def _rewrite_avro(file: Path, change: Callable[[Any], Any]) -> bool:
    try:
        with file.open("rb") as content:
            reader = fastavro.reader(content)
            records, schema, codec = list(reader), reader.writer_schema, reader.codec
            metadata = {key: value for key, value in reader.metadata.items() if not key.startswith("avro.")}
    except (ValueError, EOFError, KeyError) as error:
        raise _damaged(file, error) from None
    changed = [change(record) for record in records]
    if changed == records:
        return False
    with _overwritten(file) as draft, draft.open("wb") as content:
        fastavro.writer(content, schema, changed, codec=codec, metadata=metadata)
    return True


def _rewrite_json(file: Path, moved: _Move) -> bool:
    opened = gzip.open if ".gz" in file.suffixes else open
    try:
        with opened(file, "rt", encoding="utf-8") as content:
            document = json.load(content)
    except (ValueError, EOFError, gzip.BadGzipFile) as error:
        raise _damaged(file, error) from None
    changed = moved(document)
    if changed == document:
        return False
    with _overwritten(file) as draft, opened(draft, "wt", encoding="utf-8") as content:
        json.dump(changed, content)
    return True


def _damaged(file: Path, error: Exception) -> LakeError:
    return LakeError(
        f"{file}: expected a metadata file of Iceberg, got one that is damaged ({type(error).__name__})",
        hint="copy the lake again while nothing writes to it",
    )


@contextmanager
def _overwritten(file: Path) -> Iterator[Path]:
    """As `files.overwritten`, with the mode that the file has."""
    with overwritten(file, stat.S_IMODE(file.stat().st_mode)) as draft:
        yield draft
        # Spark keeps a checksum beside each file, and reads none that does not match.
        file.with_name(f".{file.name}.crc").unlink(missing_ok=True)


def _expect_known(lake: Lake, properties: LakeProperties) -> None:
    """Raise LakePropertiesError if the mark in the catalog does not accept the properties."""
    with _catalog(lake) as catalog:
        mark = mark_in(catalog) if catalog else None
    if mark and not properties.is_accepted_by(mark):
        raise unknown_properties(lake, properties)


def _relocate_catalog(lake: Lake, moved: _Move, mark: Mark) -> None:
    with _catalog(lake) as catalog:
        if catalog is None:
            return
        catalog.create_function("moved", 1, moved, deterministic=True)
        for table, columns in _PATHS.items():
            for column in columns:
                catalog.execute(f"UPDATE {table} SET {column} = moved({column})")
        mark.write(catalog, lake)


@contextmanager
def _catalog(lake: Lake) -> Iterator[sqlite3.Connection | None]:
    """The catalog, whose changes are committed when the block ends; None if it is lost: `stedi recover` comes next."""
    if not lake.exists:
        yield None
        return
    try:
        with closing(sqlite3.connect(lake.catalog_uri)) as catalog, catalog:
            yield catalog
    except sqlite3.Error as error:
        raise sqlite_error(str(error)) or LakeError(
            f"{lake.catalog_uri}: expected the lake's SQLite catalog, got {type(error).__name__}",
            hint="move catalog.db away, relocate again, then rebuild it: stedi recover",
        ) from None
