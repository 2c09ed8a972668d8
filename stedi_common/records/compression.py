"""Unpacking that keeps all there is before a break, however the file was cut into pieces, in bounded memory."""

from __future__ import annotations

import bz2
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Protocol

import zstandard

#: So much a file may always unpack to. Beyond it, the limit `ratio` holds.
ALWAYS_ALLOWED = 16 * 2**20

#: How much is unpacked at once, so that a small file full of zeros does not fill the memory.
_PIECE = 64 * 2**10
_MOST_AT_ONCE = 8 * 2**20
#: So much of a member of gzip is taken at first: there may be millions of small ones.
_LEAST = 512

_GZIP_MAGIC = b"\x1f\x8b"
_ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = tuple(bytes([first]) + b"\x2a\x4d\x18" for first in range(0x50, 0x60))
_BZIP2_MAGIC = b"BZh"

_GZIP = 16 + zlib.MAX_WBITS


class BreakError(Exception):
    """The rest of the file cannot be unpacked, or may not be.

    Args:
        reason: A reason code of docs/records.md.
        rest: What was unpacked before the break, but was not passed on.
    """

    def __init__(self, reason: str, rest: bytes = b"") -> None:
        super().__init__(reason)
        self.reason = reason
        self.rest = rest


class _BrokenError(Exception):
    """What is compressed breaks off, or is something else."""


def unpacked(pieces: Iterable[bytes], ratio: int) -> Iterator[bytes]:
    """The content of a file that may be compressed; its first bytes tell how.

    Args:
        pieces: The stored bytes, in order.
        ratio: Beyond ALWAYS_ALLOWED, it may unpack to so many times what was read of it.

    Raises:
        BreakError: After all that could be unpacked.
    """
    source = _Source(pieces)
    magic = source.peek(4)
    if magic.startswith(_GZIP_MAGIC):
        return _within("gzip", _gzip, source, ratio)
    if magic.startswith((_ZSTD_MAGIC, *_ZSTD_SKIPPABLE)):
        return _within("zstd", _zstd, source, ratio)
    if magic.startswith(_BZIP2_MAGIC):
        return _within("bzip2", _bzip2, source, ratio)
    return source.rest()


class _Source:
    """Stored bytes, by the number of them asked for: how they were cut into pieces makes no difference."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._buffer = b""
        self._at = 0
        self.taken = 0

    def peek(self, count: int) -> bytes:
        """The next bytes; less than asked for only at the end."""
        while len(self._buffer) - self._at < count and (piece := next(self._pieces, None)) is not None:
            self._buffer = self._buffer[self._at :] + piece
            self._at = 0
        return self._buffer[self._at : self._at + count]

    def take(self, count: int) -> bytes:
        """The next bytes, which are then read; less than asked for only at the end."""
        taken = self.peek(count)
        self._at += len(taken)
        self.taken += len(taken)
        return taken

    def skip_zeros(self) -> None:
        """Reads on to the next byte that is not zero."""
        while (piece := self.peek(_PIECE)) and not piece.strip(b"\0"):
            self.take(len(piece))
        self.take(len(piece) - len(piece.lstrip(b"\0")))

    def rest(self) -> Iterator[bytes]:
        """All that was not taken."""
        return filter(None, chain([self._buffer[self._at :]], self._pieces))


def _within(name: str, unpack: Callable[[_Source], Iterator[bytes]], source: _Source, ratio: int) -> Iterator[bytes]:
    """What is unpacked, as long as it does not break and is not too much."""
    total = 0
    try:
        for content in unpack(source):
            allowed = max(ALWAYS_ALLOWED, ratio * source.taken)
            yield content[: allowed - total]
            total += len(content)
            if total > allowed:
                raise BreakError("too_compressed")
    except _BrokenError:
        raise BreakError(f"corrupt_{name}") from None


class _Member(Protocol):
    """What zlib's decompressor, a type without a name, can do."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = ..., /) -> bytes: ...
    def copy(self) -> _Member: ...


def _gzip(source: _Source) -> Iterator[bytes]:
    member: _Member | None = None
    padding = b""  # zeros may follow a member, but never begin a file
    size = min(_LEAST, _PIECE)
    while piece := source.take(size):
        size = min(2 * size, _PIECE)
        while piece := piece if member else piece.lstrip(padding):
            is_new = member is None
            member = member or zlib.decompressobj(_GZIP)
            yield from _inflated(member, piece, is_new)
            piece = member.unused_data
            if member.eof:
                # What is left of the piece is copied for each member that ends in it.
                member, padding, size = None, b"\0", min(_LEAST, _PIECE)
    if member:
        raise _BrokenError


def _inflated(member: _Member, piece: bytes, is_new: bool) -> Iterator[bytes]:
    is_full = False
    while (piece or is_full) and not member.eof:
        before = None if is_new else member.copy()
        try:
            content = member.decompress(piece, _MOST_AT_ONCE)
        except zlib.error:
            content = None
        if content is None:
            yield _up_to_the_break(before or zlib.decompressobj(_GZIP), piece)
            raise _BrokenError
        is_new = False
        if content:
            yield content
        is_full = len(content) == _MOST_AT_ONCE
        piece = member.unconsumed_tail


def _up_to_the_break(member: _Member, piece: bytes) -> bytes:
    """zlib forgets what it had unzipped in a call that breaks, so here a call takes and gives one byte at most."""
    content = bytearray()
    for index in range(len(piece)):
        byte, is_full = piece[index : index + 1], False
        while byte or is_full:
            try:
                some = member.decompress(byte, 1)
            except zlib.error:
                return bytes(content)
            content += some
            byte, is_full = member.unconsumed_tail, bool(some)
    return bytes(content)


def _bzip2(source: _Source) -> Iterator[bytes]:
    """All whole blocks (the unit of bzip2, at most 46 MB unpacked) whose checksum is right.

    A call that breaks gives nothing, and a decompressor of bzip2 has no copy. So a call takes one byte: it completes at
    most one block, and cannot read into the next. Unpacking a block takes far longer than the calls.
    """
    member = None
    is_behind = False
    while piece := source.take(_PIECE):
        for index in range(len(piece)):
            byte = piece[index : index + 1]
            if member is None:
                if is_behind and byte == b"\0":
                    continue
                member = bz2.BZ2Decompressor()
            try:
                content = member.decompress(byte)
            except OSError:
                raise _BrokenError from None
            if content:
                yield content
            if member.eof:
                member, is_behind = None, True
    if member:
        raise _BrokenError


def _zstd(source: _Source) -> Iterator[bytes]:
    """All whole blocks (the unit of zstd, at most 128 KiB unpacked) of all frames, by RFC 8878."""
    while source.peek(1):
        if source.peek(4) in _ZSTD_SKIPPABLE:
            _skip(source)
        else:
            yield from _frame(source)
        source.skip_zeros()


def _skip(source: _Source) -> None:
    left = int.from_bytes(_taken(source, 8)[4:], "little")
    while left:
        left -= len(_taken(source, min(left, _PIECE)))


def _frame(source: _Source) -> Iterator[bytes]:
    """A call that breaks gives nothing, so a call takes one block."""
    if source.peek(4) != _ZSTD_MAGIC:
        raise _BrokenError
    frame = zstandard.ZstdDecompressor().decompressobj()
    descriptor = source.peek(5)[4:]
    if not descriptor:
        raise _BrokenError
    try:
        frame.decompress(_taken(source, 5 + _header_bytes(descriptor[0])))
        is_last = False
        while not is_last:
            header = _taken(source, 3)
            kind = int.from_bytes(header, "little")
            is_last, size = bool(kind & 1), 1 if kind >> 1 & 3 == _RUN else kind >> 3
            yield frame.decompress(header + _taken(source, size))
        if descriptor[0] & _HAS_CHECKSUM:
            yield frame.decompress(_taken(source, 4))
    except zstandard.ZstdError:
        raise _BrokenError from None
    if not frame.eof:
        raise _BrokenError


#: The kind of a block that is one byte, many times.
_RUN = 1
_HAS_CHECKSUM = 4


def _header_bytes(descriptor: int) -> int:
    """How long the header of a frame is behind its descriptor."""
    is_single = descriptor >> 5 & 1
    content_size = (is_single, 2, 4, 8)[descriptor >> 6]
    dictionary = (0, 1, 2, 4)[descriptor & 3]
    return (1 - is_single) + dictionary + content_size


def _taken(source: _Source, count: int) -> bytes:
    taken = source.take(count)
    if len(taken) < count:
        raise _BrokenError
    return taken
