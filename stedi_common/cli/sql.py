"""What `stedi query` is asked: its SQL from an argument, a file or standard input, and the instant of its tables."""

from __future__ import annotations

import os
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand

from stedi_common.errors import QueryError

#: The argument that stands for standard input.
STDIN = "-"
#: What an option looks like. SQL that begins with a comment does not.
_OPTION = re.compile(r"--[\w-]*(=.*)?", re.DOTALL)


class SqlCommand(TyperCommand):
    """A command with SQL as its argument, which may begin with a comment: `-- the pairs` is no option."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments."""
        return super().parse_args(ctx, [f"\n{arg}" if _is_comment(arg) else arg for arg in args])


def _is_comment(arg: str) -> bool:
    return arg.startswith("--") and not _OPTION.fullmatch(arg)


def read_sql(argument: str | None, file: Path | None) -> str:
    """The SQL of the command line.

    Args:
        argument: the SQL itself, or `-` for standard input; None if it was not given.
        file: the file that holds it; None if it was not given. Without both, it is read from standard input.

    Raises:
        typer.BadParameter: both were given, or none, and standard input is a terminal or closed.
        QueryError: the file cannot be read, or the SQL is not in UTF-8.
    """
    if argument is not None and file:
        raise typer.BadParameter("expected SQL or --file, got both")
    if file:
        return _decoded(_file(file), str(file))
    if argument is None or argument == STDIN:
        return _stdin()
    return _decoded(os.fsencode(argument), "the argument")  # Python has decoded it by the locale


def instant(text: str | None) -> datetime | None:
    """The instant, in UTC without zone. Raises typer.BadParameter if it is no ISO 8601 date or instant."""
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC).replace(tzinfo=None) if at.tzinfo else at
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"expected an instant as in 2026-01-31T00:00:00, got {text!r}") from None


def _file(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise QueryError(f"query: expected a file of SQL, got {error.strerror} at {file}") from None


def _stdin() -> str:
    usage = typer.BadParameter("expected SQL as an argument, in a --file, or on standard input, got none")
    if sys.stdin is None or sys.stdin.isatty():
        raise usage
    try:
        return _decoded(sys.stdin.buffer.read(), "standard input")
    except OSError:
        raise usage from None


def _decoded(sql: bytes, source: str) -> str:
    try:
        return sql.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise QueryError(f"query: expected SQL in UTF-8, got another encoding in {source}") from None
