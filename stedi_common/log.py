"""The log of runs, `logging.getLogger("stedi")`, of the command line, the jobs and the library.

A record has a message for people, and its fields as `record.stedi`. `--log-file` writes these as lines of JSON:

    time, level, run, command, event (`start`, `engine`, `table`, `error` or `end`)
    engine  engine, reason: how many bytes it reads, and the limit
    table   table, counts, seconds
    error   error: its class
    end     exit_code, seconds

Nothing else is logged: a value, a message, an argument or a file name may hold personal data.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import stat
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import fields
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from stedi_common.errors import StediError, UnexpectedError

#: Only the user who runs the command may read its log.
FILE_MODE = 0o600

_logger = logging.getLogger("stedi")
# Else Python prints errors to standard error where nobody has set up logging.
_logger.addHandler(logging.NullHandler())

#: The run that the records belong to: its id, and the command, job or call that it is of.
_run: ContextVar[Mapping[str, str] | None] = ContextVar("run", default=None)


@contextmanager
def run(command: str) -> Iterator[None]:
    """Give the records of the block one run id, and the name of the command. A nested block keeps the outer ones."""
    if _run.get():
        yield
        return
    token = _run.set({"run": secrets.token_hex(6), "command": command})
    try:
        yield
    finally:
        _run.reset(token)


def start() -> None:
    """Log that a run has started."""
    _log(logging.INFO, "start", "start")


def engine(name: str, reason: str) -> None:
    """Log which engine runs the tasks that follow, and why.

    Args:
        name: the name of the engine.
        reason: why, without personal data; empty if a setting names it.
    """
    _log(logging.INFO, "engine", f"engine: {name}{f' ({reason})' if reason else ''}", engine=name, reason=reason)


def table(name: str, result: Any, seconds: float) -> None:
    """Log what was done to a table.

    Args:
        name: the name of the table.
        result: a dataclass; its whole numbers are logged as counts.
        seconds: how long it took.
    """
    counts = _counts(result)
    text = " ".join(f"{count}={n}" for count, n in counts.items())
    _log(
        logging.INFO,
        "table",
        f"{name}: {text} in {seconds:.3f} s",
        table=name,
        counts=counts,
        seconds=round(seconds, 3),
    )


def error(problem: StediError) -> None:
    """Log the class of an error."""
    kind = problem.kind if isinstance(problem, UnexpectedError) else type(problem).__name__
    _log(logging.ERROR, "error", f"error: {kind}", error=kind)


def end(exit_code: int, seconds: float) -> None:
    """Log how the run ended."""
    level = logging.ERROR if exit_code else logging.INFO
    _log(level, "end", f"end: exit code {exit_code}", exit_code=exit_code, seconds=round(seconds, 3))


@contextmanager
def written_to(file: Path | None, on_error: Callable[[OSError], None]) -> Iterator[None]:
    """Append the records of the block to a file of lines of JSON; to none for None.

    Args:
        file: the file.
        on_error: is called once if it cannot be written to any more. The block goes on.

    Raises:
        OSError: the file cannot be written, or its mode cannot be set.
    """
    if file is None:
        yield
        return
    handler, level = _PrivateFile(file, on_error), _logger.level
    handler.setFormatter(_Lines())
    handler.addFilter(lambda record: hasattr(record, "stedi"))
    _logger.addHandler(handler)
    _logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        _logger.setLevel(level)
        _logger.removeHandler(handler)
        with suppress(OSError):  # it was told
            handler.close()


class _Lines(logging.Formatter):
    """Each record as a line of JSON. Of a record only what this module has put into it is written."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return json.dumps({"time": at, "level": record.levelname, **record.__dict__["stedi"]})


class _PrivateFile(logging.FileHandler):
    """A file with mode 0600, also if it was there before. The first error of the system ends the writing."""

    def __init__(self, file: Path, on_error: Callable[[OSError], None]) -> None:
        self._on_error: Callable[[OSError], None] | None = on_error
        super().__init__(file, encoding="utf-8")

    def emit(self, record: logging.LogRecord) -> None:
        if self._on_error:
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Say that nothing more is written, if that is why."""
        error = sys.exception()
        if not isinstance(error, OSError):
            super().handleError(record)
        elif self._on_error:
            on_error, self._on_error = self._on_error, None
            on_error(error)

    def _open(self) -> TextIOWrapper:
        os.close(os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, FILE_MODE))
        opened = super()._open()
        if stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            os.fchmod(opened.fileno(), FILE_MODE)
        return opened


def _log(level: int, event: str, sentence: str, **said: Any) -> None:
    _logger.log(level, "%s", sentence, extra={"stedi": {**(_run.get() or {}), "event": event, **said}})


def _counts(result: Any) -> dict[str, int]:
    """The whole numbers of a result, and those in its mappings, by the names of tables and of reasons."""
    counts: dict[str, int] = {}
    for name in (field.name for field in fields(result)):
        value = getattr(result, name)
        of_name = value.items() if isinstance(value, Mapping) else [(name, value)]
        counts |= {key: n for key, n in of_name if isinstance(n, int) and not isinstance(n, bool)}
    return counts
