"""Where an answer goes: to a file that only its owner may read, or to standard output."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, cast

from stedi_common.errors import StediError


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
            with _replaced(file.resolve()) as to:
                yield to
    except BrokenPipeError:
        raise
    except OSError as error:
        raise StediError(
            f"query: expected to write to {file or 'standard output'}, got {error.strerror or 'an error'}"
        ) from None


@contextmanager
def _replaced(file: Path) -> Iterator[BinaryIO]:
    """A new file, which replaces the old one when it is whole."""
    number, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # its mode is 0600
    try:
        with os.fdopen(number, "wb") as to:
            yield cast("BinaryIO", to)
        os.replace(name, file)  # noqa: PTH105 - the name is a text
    except BaseException:
        with suppress(FileNotFoundError):
            Path(name).unlink()
        raise


def discard() -> None:
    """Let nothing more go to standard output, whose reader has ended: Python would complain when it exits."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
