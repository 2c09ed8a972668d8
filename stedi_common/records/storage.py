"""The drops: files of JSON lines below one folder, on disk or in S3."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pyarrow import fs

from stedi_common.errors import LakeError

#: How much of a file is asked for at once. In S3 every read is a request.
READ_BYTES = 8 * 2**20

_ENDINGS = (".json", ".json.gz")
_S3 = "s3://"


class Drop(NamedTuple):
    """A file of a source: its name in every table, where to open it, its size, and when it was written (UTC)."""

    name: str
    path: str
    bytes: int
    modified_at: datetime


def drops(landing: str, source: str) -> list[Drop]:
    """The drops of a source, sorted by name. Raises LakeError if there is no landing folder at all."""
    root = landing.rstrip("/") if landing.startswith(_S3) else str(Path(landing).absolute())
    system, folder = _located(root)
    # S3 has no folders, and to ask for one takes more rights than to list what is below it.
    if not landing.startswith(_S3) and system.get_file_info(folder).type != fs.FileType.Directory:
        raise LakeError(
            f"{landing}: expected a folder of drops, found none",
            hint="name the folder that holds customer/, accelerometer/ and step_trainer/",
        )
    found = system.get_file_info(fs.FileSelector(f"{folder}/{source}", allow_not_found=True, recursive=True))
    below = ((file, file.path[len(folder) + 1 :]) for file in found if file.type == fs.FileType.File)
    return sorted(
        Drop(name, f"{root}/{name}", file.size, _instant(file.mtime_ns))
        for file, name in below
        if name.endswith(_ENDINGS)
    )


def sha256(drop: Drop) -> str:
    """SHA-256 (hex) of the file's bytes as they are stored."""
    digest = hashlib.sha256()
    for piece in stored(drop):
        digest.update(piece)
    return digest.hexdigest()


def stored(drop: Drop) -> Iterator[bytes]:
    """The file's bytes as they are stored, a piece at a time."""
    system, path = _located(drop.path)
    # Arrow would unzip a .gz by itself, and raise where it breaks.
    with system.open_input_stream(path, compression=None) as stream:
        while piece := stream.read(READ_BYTES):
            yield piece


def _located(path: str) -> tuple[fs.FileSystem, str]:
    """The file system and the path in it. An object's key is taken as it is, not as a part of a URI."""
    if path.startswith(_S3):
        below = path.removeprefix(_S3)
        return _bucket(below.split("/", 1)[0]), below
    return fs.LocalFileSystem(), path


@cache
def _bucket(name: str) -> fs.FileSystem:
    system, _ = fs.FileSystem.from_uri(f"{_S3}{name}")
    return system


def _instant(nanoseconds: int) -> datetime:
    return datetime(1970, 1, 1) + timedelta(microseconds=nanoseconds // 1000)
