"""A drop in blocks of whole lines: what one thread can parse by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from stedi_common.records.compression import BreakError, unpacked
from stedi_common.records.encoding import as_utf8
from stedi_common.records.framing import are_objects, as_lines, looks_like_objects
from stedi_common.records.storage import Drop, stored
from stedi_common.settings import Limits

LINE = "line"
OBJECT = "object"

#: The flaws of a line of which a part was never read.
CUT_OFF = ("too_long", "too_compressed", "corrupt_gzip", "corrupt_zstd", "corrupt_bzip2")

#: About how large a block is. A longer line makes a longer block.
BLOCK_BYTES = 8 * 2**20

#: How much of a file is looked at to tell whether its objects are lines, and how that grows until it is known.
_LOOK_BYTES = 64 * 2**10
_LOOK_GROWS = 8


#: So many rejected lines of a file become rows: the first ones. The others are only counted.
MAX_REJECTED_ROWS = 10_000


class Block(NamedTuple):
    """Some whole lines of a drop, or one rejected line, or the end of the file.

    Attributes:
        name: the drop's.
        line: the number of the first line; at the end of the file, of its last.
        data: the lines, each with its line feed, the last one perhaps without; with a flaw, what there is of the line.
        flaw: a reason code, if this is one line that is rejected as it is.
        sha256: of the file's bytes as they are stored, if this is the end of the file.
        unit: what is counted as a line. Only at the end of the file it is known: "line" or "object".
        version: tells this content of the file from another under the same name.
        is_mixed: at the end of the file: lines came first, then a line that is too long, and objects.
        rejected_rows: so many of its rejected lines become rows at most, the first ones.
    """

    name: str
    line: int
    data: bytes = b""
    flaw: str | None = None
    sha256: str | None = None
    unit: str = LINE
    version: str = ""
    is_mixed: bool = False
    rejected_rows: int = MAX_REJECTED_ROWS


class _Part(NamedTuple):
    """What a block is made of."""

    data: bytes
    unit: str
    flaw: str | None = None

    @property
    def lines(self) -> int:
        if self.flaw:
            return 1
        return self.data.count(b"\n") + (not self.data.endswith(b"\n"))


def holds_objects(drop: Drop, limits: Limits) -> bool:
    """Whether a drop is read as objects. All of it is looked at."""
    return are_objects(as_utf8(unpacked(stored(drop), limits.ratio)), limits)


def blocks(drop: Drop, limits: Limits, as_objects: bool = False) -> Iterator[Block]:
    """The drop's lines in order, then its end.

    Args:
        drop: The file to read.
        limits: What a file, and a line, may not exceed.
        as_objects: Whether it is read as objects in any case.

    Returns:
        Blocks of lines, numbered from 1, and at last one with the file's `sha256`.
    """
    digest = hashlib.sha256()
    pieces = _hashed(stored(drop), digest)
    version = f"{drop.bytes}:{drop.modified_at.isoformat()}"
    lines, unit, units = 0, OBJECT if as_objects else LINE, set[str]()
    for part in _parts(as_utf8(unpacked(pieces, limits.ratio)), limits, as_objects):
        unit = part.unit
        units.add(unit)
        first, most = lines + 1, MAX_REJECTED_ROWS
        yield Block(drop.name, first, part.data, part.flaw, unit=unit, version=version, rejected_rows=most)
        lines += part.lines
    for _ in pieces:  # what lies behind a break
        pass
    sha256 = digest.hexdigest()
    yield Block(drop.name, lines, sha256=sha256, unit=unit, version=version, is_mixed=len(units) > 1)


def _hashed(pieces: Iterable[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for piece in pieces:
        digest.update(piece)
        yield piece


def _parts(content: Iterator[bytes], limits: Limits, as_objects: bool) -> Iterator[_Part]:
    if not as_objects:
        as_objects, content = _looked_at(content, limits)
    return _objects(content, limits) if as_objects else _lines(content, limits)


def _looked_at(content: Iterator[bytes], limits: Limits) -> tuple[bool, Iterator[bytes]]:
    """Whether the content begins as one that is read as objects; and the content, whole again."""
    held: list[bytes] = []
    size, look = 0, _LOOK_BYTES
    error = None
    try:
        for piece in content:
            held.append(piece)
            size += len(piece)
            while size >= look:
                answer = looks_like_objects(_prefix(held, look), False, limits)
                if answer is not None or look > limits.line_bytes:
                    return bool(answer), chain(held, content)
                look *= _LOOK_GROWS
    except BreakError as broken:
        error = broken
    answer = looks_like_objects(b"".join(held), True, limits)
    return bool(answer), _whole_again(held, error)


def _prefix(held: list[bytes], size: int) -> bytes:
    return (held[0] if len(held[0]) >= size else b"".join(held))[:size]


def _whole_again(held: list[bytes], error: BreakError | None) -> Iterator[bytes]:
    yield from held
    if error:
        raise error


def _lines(content: Iterator[bytes], limits: Limits) -> Iterator[_Part]:
    """The lines as they are; from a line that is too long on, objects."""
    runs = _runs(content, limits.line_bytes)
    try:
        for run in runs:
            start = _start_of_long_line(run, limits.line_bytes)
            if start is None:
                yield _Part(run, LINE)
                continue
            if start:
                yield _Part(run[:start], LINE)
            yield from _objects(chain([run[start:]], runs), limits)
            return
    except BreakError as error:
        yield _Part(error.rest, LINE, error.reason)


def _runs(content: Iterator[bytes], line_bytes: int) -> Iterator[bytes]:
    """Whole lines, about BLOCK_BYTES at once, but for the last line and for one that is too long."""
    held: list[bytes] = []
    size = line = 0  # of what is held, and of the line that it ends with
    error = None
    try:
        for piece in content:
            held.append(piece)
            size += len(piece)
            # Only the new piece is searched, so a line of many pieces costs no more than its length.
            end = piece.rfind(b"\n") + 1
            line = len(piece) - end if end else line + len(piece)
            if line > line_bytes:
                yield b"".join(held)
                held, size, line = [], 0, 0
            elif end and size >= BLOCK_BYTES:
                yield b"".join((*held[:-1], piece[:end]))
                held = [piece[end:]]
                size = len(held[0])
    except BreakError as broken:
        error = broken
    rest = b"".join(held)
    end = rest.rfind(b"\n") + 1 if error else len(rest)
    if end:
        yield rest[:end]
    if error:
        raise BreakError(error.reason, rest[end:])


def _start_of_long_line(run: bytes, line_bytes: int) -> int | None:
    """Where the first line begins that is longer; None if there is none."""
    start = 0
    while len(run) - start > line_bytes:
        end = run.rfind(b"\n", start, start + line_bytes + 1)
        if end < 0:
            return start
        start = end + 1
    return None


def _objects(content: Iterable[bytes], limits: Limits) -> Iterator[_Part]:
    held: list[bytes] = []
    size = 0
    for line, flaw in as_lines(content, limits):
        if not flaw:
            held.append(line)
            size += len(line)
        if held and (flaw or size >= BLOCK_BYTES):
            yield _Part(b"".join(held), OBJECT)
            held, size = [], 0
        if flaw:
            yield _Part(line, OBJECT, flaw)
    if held:
        yield _Part(b"".join(held), OBJECT)
