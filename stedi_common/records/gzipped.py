"""Unzipping that keeps all there is before a break, however the file was cut into pieces."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Protocol

#: How much is unzipped at once, so that a small file full of zeros does not fill the memory.
_PIECE = 64 * 2**10
_MOST_AT_ONCE = 8 * 2**20
_GZIP = 16 + zlib.MAX_WBITS


class CorruptGzipError(Exception):
    """The rest of the file cannot be unzipped: it broke off, or is something else."""


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


def gunzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The content of all members. Reads every piece, and raises CorruptGzipError after what could be unzipped."""
    unread = iter(pieces)
    try:
        yield from _members(unread)
    except CorruptGzipError:
        for _ in unread:  # the file's hash needs them all
            pass
        raise


def _members(pieces: Iterator[bytes]) -> Iterator[bytes]:
    member: _Member | None = None
    padding = b""  # zeros may follow a member, but never begin a file
    for piece in _small(pieces):
        rest = piece
        while rest := rest if member else rest.lstrip(padding):
            member = member or zlib.decompressobj(_GZIP)
            yield from _inflated(member, rest)
            rest = member.unused_data
            if member.eof:
                member, padding = None, b"\0"
    if member:
        raise CorruptGzipError


def _inflated(member: _Member, piece: bytes) -> Iterator[bytes]:
    is_full = False
    while (piece or is_full) and not member.eof:
        before = member.copy()
        try:
            content = member.decompress(piece, _MOST_AT_ONCE)
        except zlib.error:
            content = None
        if content is None:
            yield _up_to_the_break(before, piece)
            raise CorruptGzipError
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


def _small(pieces: Iterator[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        yield from (piece[start : start + _PIECE] for start in range(0, len(piece), _PIECE))
