"""`stedi query`: where the answer goes, and in which format."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from stedi_common import query
from stedi_common.cli import answers, output
from stedi_common.cli.streams import discard
from stedi_common.errors import QueryError
from stedi_common.lake import Lake

#: The formats of files, by the ending of their names.
_ENDINGS = {".csv": "csv", ".json": "json", ".jsonl": "ndjson", ".ndjson": "ndjson", ".parquet": "parquet"}


def run_query(lake: Lake, sql: str, at: datetime | None, name: str | None, file: Path | None) -> None:
    """Answer a query, to the end or until nobody reads the answer any more.

    Args:
        lake: the lake.
        sql: the SQL.
        at: the instant of the tables, UTC without zone; None for now.
        name: one of `names.FORMATS`; None for that of the file's ending, else a table.
        file: the file to write; None for standard output.

    Raises:
        QueryError: the SQL or the choice of format and file is wrong.
        StediError: the answer cannot be computed or written.
    """
    name = name or (_ENDINGS.get(file.suffix.lower()) if file else None) or "table"
    is_terminal = file is None and sys.stdout.isatty()
    if is_terminal and name == "parquet":
        raise QueryError("query: expected --output or a pipe for Parquet, which is binary, got a terminal")
    if file and lake.is_local and file.resolve().is_relative_to(lake.folder.resolve()):
        raise QueryError(f"query: expected an --output outside of the lake, got {file}", "the lake is read-only here")
    try:
        with query.answer(lake, sql, at) as answer:
            if is_terminal and name == "table":
                answers.show_table(answer)
                return
            with output.opened(file) as to:
                answers.WRITERS[name](answer, output.shown(to) if is_terminal else to)
    except BrokenPipeError:  # as of `| head`
        discard(sys.stdout)
