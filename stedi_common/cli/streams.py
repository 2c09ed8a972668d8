"""The standard streams, as the caller has left them: closed, without a reader, or on a full disk."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import IO, Any


def open_standard_streams() -> None:
    """Open those that the caller has closed: else the next file, perhaps of the lake, is opened as one of them.

    Nothing fails because standard error cannot be written to.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - it is open, and stays so
    if isinstance(sys.stdout, TextIOWrapper):
        # What the encoding lacks, as ASCII lacks bars, is escaped, as on standard error. Data are written as bytes.
        sys.stdout.reconfigure(errors="backslashreplace")
    if sys.stderr is sys.__stderr__ and isinstance(sys.stderr, TextIOWrapper):
        sys.stderr = _Errors(sys.stderr.buffer, sys.stderr.encoding, "backslashreplace", line_buffering=True)


def discard(stream: IO[Any]) -> None:
    """Let nothing more go to a stream that cannot be written to: Python would complain when it exits."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _Errors(TextIOWrapper):
    """Standard error. The command goes on if its disk is full or its terminal is gone: it may delete withdrawn rows."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            discard(self)
        return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            discard(self)
