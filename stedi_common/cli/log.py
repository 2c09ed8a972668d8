"""The log file of the command line (`--log-file`): a line of JSON for each event.

    time, level, run, command, event (`start`, `table`, `error` or `end`)
    table   table, counts, seconds
    error   error: its class
    end     exit_code, seconds

Nothing else is written: no value, message, argument or file name, for it may hold a participant's.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import stat
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from stedi_common.errors import StediError, UnexpectedError

#: Only who runs the command reads its log.
MODE = 0o600

_logger = logging.getLogger("stedi_common.cli.log")
_logger.setLevel(logging.INFO)
_logger.propagate = False
_logger.addHandler(logging.NullHandler())


def open_file(file: Path, command: str) -> None:
    """Append what follows to the file, until `close`.

    Raises:
        StediError: the file cannot be written, or not be made private.
    """
    try:
        handler = _PrivateFile(file, encoding="utf-8")
    except OSError as error:
        raise StediError(f"--log-file: expected a file to write to, got {error.strerror} at {file}") from None
    handler.setFormatter(_Lines(command))
    _logger.addHandler(handler)
    _write(logging.INFO, "start")


def table(name: str, result: Any, seconds: float) -> None:
    """What was done to a table: the counts of a result, and how long it took."""
    _write(logging.INFO, "table", table=name, counts=_counts(result), seconds=round(seconds, 3))


def error(problem: StediError) -> None:
    """The kind of an error."""
    kind = problem.kind if isinstance(problem, UnexpectedError) else type(problem).__name__
    _write(logging.ERROR, "error", error=kind)


def close(exit_code: int, seconds: float) -> None:
    """How the command ended. Nothing is written after it."""
    _write(logging.ERROR if exit_code else logging.INFO, "end", exit_code=exit_code, seconds=round(seconds, 3))
    for handler in _logger.handlers[1:]:
        _logger.removeHandler(handler)
        handler.close()


class _Lines(logging.Formatter):
    """Each record as a line of JSON. Of a record only what this module has put into it is written."""

    def __init__(self, command: str) -> None:
        super().__init__()
        self._same = {"run": secrets.token_hex(6), "command": command}

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return json.dumps({"time": at, "level": record.levelname, **self._same, **record.__dict__["said"]})


class _PrivateFile(logging.FileHandler):
    """A file with mode 0600, also if it was there before."""

    def _open(self) -> TextIOWrapper:
        os.close(os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, MODE))
        opened = super()._open()
        if stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            os.fchmod(opened.fileno(), MODE)
        return opened


def _write(level: int, event: str, **said: Any) -> None:
    _logger.log(level, event, extra={"said": {"event": event, **said}})


def _counts(result: Any) -> dict[str, int]:
    """The whole numbers of a result, and those in its mappings, by the names of tables and of reasons."""
    counts: dict[str, int] = {}
    for name in (field.name for field in fields(result)):
        value = getattr(result, name)
        of_name = value.items() if isinstance(value, Mapping) else [(name, value)]
        counts |= {key: n for key, n in of_name if isinstance(n, int) and not isinstance(n, bool)}
    return counts
