"""A drop in blocks of whole lines: what one thread can parse by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from stedi_common.records.gzipped import CorruptGzipError, gunzipped
from stedi_common.records.storage import Drop, stored

#: About how large a block is. A longer line makes a longer block.
BLOCK_BYTES = 8 * 2**20

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Block(NamedTuple):
    """Some whole lines of a drop, the first of which has this number.

    is_corrupt: not lines, but the one rest of a gzip file that broke off.
    sha256: not lines, but the end of the file; of its bytes as they are stored. `line` is then the number of its lines.
    """

    name: str
    line: int
    data: bytes = b""
    is_corrupt: bool = False
    sha256: str | None = None


def blocks(drop: Drop) -> Iterator[Block]:
    """The drop's lines in order, then what is left of a corrupt file, then its end."""
    digest = hashlib.sha256()
    pieces = _hashed(stored(drop), digest)
    lines = 0
    for data, is_corrupt in _cut(gunzipped(pieces) if drop.name.endswith(".gz") else pieces):
        content = data if lines else data.removeprefix(_BYTE_ORDER_MARK)
        if content or is_corrupt:
            yield Block(drop.name, lines + 1, content, is_corrupt)
            lines += 1 if is_corrupt else _count(content)
    yield Block(drop.name, lines, sha256=digest.hexdigest())


def _cut(pieces: Iterable[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Blocks that end with a line, the last one perhaps without its ending; and whether it is a corrupt file's rest."""
    held: list[bytes] = []
    size = 0
    is_corrupt = False
    try:
        for piece in pieces:
            held.append(piece)
            size += len(piece)
            # Only the new piece is searched, so a line of many pieces costs no more than its length.
            if size >= BLOCK_BYTES and (end := piece.rfind(b"\n") + 1):
                yield b"".join((*held[:-1], piece[:end])), False
                held = [piece[end:]]
                size = len(held[0])
    except CorruptGzipError:
        is_corrupt = True
    rest = b"".join(held)
    end = rest.rfind(b"\n") + 1 if is_corrupt else len(rest)
    if end:
        yield rest[:end], False
    if is_corrupt:
        yield rest[end:], True


def _count(data: bytes) -> int:
    return data.count(b"\n") + (not data.endswith(b"\n"))


def _hashed(pieces: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for piece in pieces:
        digest.update(piece)
        yield piece
