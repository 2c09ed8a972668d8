"""Where an answer goes: to a file that only its owner may read, or to standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from stedi_common.errors import StediError
from stedi_common.files import overwritten


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


def discard() -> None:
    """Let nothing more go to standard output, whose reader has ended: Python would complain when it exits."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
