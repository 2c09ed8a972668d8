"""Every file as UTF-8. A byte-order mark shows that it is in UTF-16 or UTF-32."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator

from stedi_common.records.compression import BreakError

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_BY_MARK = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_LONGEST_MARK = 4


def as_utf8(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What begins with a mark of UTF-16 or UTF-32, as UTF-8 without the mark; anything else as it is.

    What is not well formed becomes U+FFFD.
    """
    unread = iter(pieces)
    first, error = b"", None
    try:
        while len(first) < _LONGEST_MARK and (piece := next(unread, None)) is not None:
            first += piece
    except BreakError as broken:
        error = broken
    name = next((name for mark, name in _BY_MARK.items() if first.startswith(mark)), None)
    everything = _resumed(first, error, unread)
    yield from _transcoded(everything, name) if name else everything


def _resumed(first: bytes, error: BreakError | None, unread: Iterator[bytes]) -> Iterator[bytes]:
    if first:
        yield first
    if error:
        raise error
    yield from unread


def _transcoded(pieces: Iterable[bytes], name: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(name)(errors="replace")
    is_first, error = True, None
    try:
        for piece in pieces:
            text = decoder.decode(piece)
            # The mark itself; one that stands further on is padding.
            yield (text[1:] if is_first else text).encode()
            is_first = is_first and not text
    except BreakError as broken:
        error = broken
    yield decoder.decode(b"", final=True).encode()  # part of a character, at which the file ends or breaks off
    if error:
        raise error
