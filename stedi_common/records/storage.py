"""The drops: files below one folder, on disk or in S3. Every file is read, or named with the reason why not."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from stedi_common.contracts import SOURCES
from stedi_common.errors import LakeError
from stedi_common.records import buckets, folders
from stedi_common.records.names import UNREADABLE, nearest, shown, source_of, text_of, why_not_read

__all__ = ["Drop", "Found", "Skipped", "discover", "sha256", "shown", "stored", "why_unreadable"]

#: How much of a file is asked for at once. In S3 every read is a request.
READ_BYTES = 8 * 2**20

_SOURCES = f"{', '.join(f'{source}/' for source in SOURCES[:-1])} and {SOURCES[-1]}/"
#: How many folders an error names.
_MAX_NAMED = 10


class Drop(NamedTuple):
    """A file of a source: its name in every table, where to open it, its size, and when it was written (UTC)."""

    name: str
    path: str
    bytes: int
    modified_at: datetime


class Skipped(NamedTuple):
    """A file that is not read: its name, the reason, and the source, or nothing outside of the sources' folders.

    A name that ends with `/` is that of a folder that cannot be listed.
    """

    name: str
    reason: str
    source: str


@dataclass(frozen=True)
class Found:
    """What lies below the landing folder.

    Attributes:
        drops: by source, sorted by name; every source asked for is a key.
        skipped: sorted by name.
        missing: the sources without a folder, and the folder that may be theirs under another name, if there is one.
        location: the landing folder without links on the way, or its S3 URI without `/` at the end.
    """

    drops: Mapping[str, Sequence[Drop]]
    skipped: Sequence[Skipped]
    missing: Mapping[str, str | None]
    location: str = field(default="", compare=False)


def discover(landing: str, sources: Sequence[str] = SOURCES) -> Found:
    """Find every file below the landing folder.

    Args:
        landing: the folder or S3 URI above the sources' folders.
        sources: if not all, only their folders are listed. (In S3 a job may have rights to no others.)

    Raises:
        LakeError: there is no such folder; none of the sources' folders is in it; nothing is below the S3 URI.
    """
    if landing.startswith(buckets.S3):
        location = landing.rstrip("/")
        return replace(_in_bucket(location, sources), location=location)
    tree = folders.Tree(landing)
    return replace(_in_folder(landing, tree, sources), location=tree.location)


def _in_folder(landing: str, tree: folders.Tree, sources: Sequence[str]) -> Found:
    try:
        there = tree.folders()
    except OSError as error:
        raise LakeError(
            f"{shown(landing)}: expected a folder of drops, got {_got(error)}",
            hint=f"name the folder that holds {_SOURCES}",
        ) from None
    missing = _missing(landing, there, sources)
    return _sorted(filter(None, map(_read, tree.files(None if _are_all(sources) else sources))), sources, missing)


def _got(error: OSError) -> str:
    known = {FileNotFoundError: "none", NotADirectoryError: "a file"}
    return known.get(type(error)) or (os.strerror(error.errno) if error.errno else type(error).__name__)


def _read(entry: folders.ListedFile) -> Drop | Skipped | None:
    """What becomes of a file on disk. None if it is gone."""
    name, flaw = text_of(entry.name)
    found = entry.reason or flaw
    if found == UNREADABLE:  # the last of the reasons
        found = flaw or found
    if reason := why_not_read(name, found):
        return _skipped(name, reason)
    file = folders.opened(entry.path)
    if file is None:
        return None
    if file.reason:
        return _skipped(name, file.reason)
    return Drop(name, os.fsdecode(entry.path), file.bytes, file.modified_at)


def _in_bucket(landing: str, sources: Sequence[str]) -> Found:
    below = [""] if _are_all(sources) else [f"{source}/" for source in sources]
    objects = [found for each in below for found in buckets.objects(landing, each) if found.name]
    if not objects and _are_all(sources):
        raise LakeError(
            f"{shown(landing)}/: expected {_SOURCES} below it, got nothing",
            hint="give the S3 URI above the sources' folders",
        )
    there = {found.name.split("/", 1)[0] for found in objects if "/" in found.name} - {""}
    # Whoever may list one folder does not know which others there are.
    missing: Mapping[str, str | None] = {source: None for source in sources if source not in there}
    if _are_all(sources):
        missing = _missing(landing, there, sources)
    return _sorted((_object(landing, found) for found in objects if found.name[-1] != "/"), sources, missing)


def _object(landing: str, found: buckets.S3Object) -> Drop | Skipped:
    if reason := why_not_read(found.name, found.reason):
        return _skipped(found.name, reason)
    return Drop(found.name, f"{landing}/{found.name}", found.bytes, found.modified_at)


def _skipped(name: str, reason: str) -> Skipped:
    return Skipped(name, reason, source_of(name, reason))


def _sorted(files: Iterable[Drop | Skipped], sources: Sequence[str], missing: Mapping[str, str | None]) -> Found:
    drops: dict[str, list[Drop]] = {source: [] for source in sources}
    skipped = []
    for file in sorted(files):
        if isinstance(file, Skipped):
            skipped.append(file)
        else:
            drops[file.name.split("/", 1)[0]].append(file)
    return Found(drops, skipped, missing)


def _are_all(sources: Sequence[str]) -> bool:
    return set(sources) == set(SOURCES)


def _missing(landing: str, there: Iterable[str], sources: Sequence[str]) -> dict[str, str | None]:
    """The sources that have no folder. Raises LakeError if no source has one."""
    names = sorted(there)
    missing = {source: nearest(source, names) for source in SOURCES if source not in names}
    if len(missing) == len(SOURCES):
        got = ", ".join(f"{shown(name)}/" for name in names[:_MAX_NAMED]) + (", …" if names[_MAX_NAMED:] else "")
        raise LakeError(
            f"{shown(landing)}: expected the folders {_SOURCES}, got {got or 'no folder'}",
            hint=_hint(landing, missing),
        )
    return {source: near and shown(near) for source, near in missing.items() if source in sources}


def _hint(landing: str, missing: Mapping[str, str | None]) -> str:
    if any(missing.values()):
        return ", ".join(f"{shown(near)}: did you mean {source}/?" for source, near in missing.items() if near)
    if Path(landing).name in SOURCES:
        return f"name the folder above {Path(landing).name}/"
    return f"name the folder that holds {_SOURCES}"


def sha256(drop: Drop) -> str:
    """SHA-256 (hex) of the file's bytes as they are stored."""
    digest = hashlib.sha256()
    for piece in stored(drop):
        digest.update(piece)
    return digest.hexdigest()


def stored(drop: Drop) -> Iterator[bytes]:
    """The file's bytes as they are stored, a piece at a time. Raises LakeError if it cannot be read."""
    pieces = buckets.pieces if drop.path.startswith(buckets.S3) else folders.pieces
    try:
        yield from pieces(drop.path, READ_BYTES)
    except OSError as error:
        # Its message has the path, in which there may be an address.
        cause = str(error) if drop.path.startswith(buckets.S3) else type(error).__name__
        raise LakeError(f"{shown(drop.name)}: expected to read the file, got {cause}") from None


def why_unreadable(drop: Drop) -> str | None:
    """The reason why a drop cannot be read to its end, or None. Only reading it tells."""
    if drop.path.startswith(buckets.S3):
        return buckets.why_unreadable(drop.path, READ_BYTES)
    return folders.why_unreadable(drop.path, READ_BYTES)
