"""Where output goes: to a file that only its owner may read, or to standard output, whose reader may have ended."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import RawIOBase
from pathlib import Path
from typing import Any, BinaryIO, cast

import typer

from stedi_common.cli.streams import discard
from stedi_common.errors import StediError
from stedi_common.files import overwritten
from stedi_common.text import escaped


@contextmanager
def opened(file: Path | None) -> Iterator[BinaryIO]:
    """Where to write.

    Args:
        file: the file; None for standard output. It has its old content until the block ends without an error. Its
            mode is 0600.

    Raises:
        StediError: it cannot be written to.
    """
    try:
        if file is None:
            yield sys.stdout.buffer
            sys.stdout.buffer.flush()
        elif file.exists() and not file.is_file():  # a pipe with a name, or a device
            with file.open("wb") as to:
                yield to
        else:
            with overwritten(file.resolve()) as draft, draft.open("wb") as to:
                yield to
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StediError(
            f"query: expected to write to {file or 'standard output'}, got {error.strerror or 'an error'}"
        ) from None


def shown(to: BinaryIO) -> BinaryIO:
    """A stream of UTF-8 for a terminal. It escapes each character that does not show, except line feeds."""
    return cast(BinaryIO, _Shown(to))


class _Shown(RawIOBase):
    def __init__(self, to: BinaryIO) -> None:
        self._to, self._decoder = to, codecs.getincrementaldecoder("utf-8")("replace")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._to.write(escaped(self._decoder.decode(bytes(data)), keep="\n").encode())
        return len(data)


def echo(text: str) -> None:
    """Print a text on standard output as it is. If its reader has ended, as of `| head`, the command goes on."""
    try:
        typer.echo(text)
    except BrokenPipeError:
        discard(sys.stdout)
