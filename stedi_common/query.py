"""`stedi query`: one SELECT over the lake's tables, on DuckDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from stedi_common.engines.embedded.engine import EmbeddedEngine
from stedi_common.engines.embedded.query import Answer
from stedi_common.lake import Lake

__all__ = ["Answer", "answer"]


@contextmanager
def answer(lake: Lake, sql: str, at: datetime | None = None) -> Iterator[Answer]:
    """The answer to one SELECT over the tables of a lake. It is computed while it is read, until the block ends.

    Args:
        lake: the lake, which must be local.
        sql: one SELECT, SHOW, DESCRIBE or SUMMARIZE in DuckDB's SQL, with tables as `zone.table`.
        at: the tables are read as they were then, UTC without zone; None for now.

    Raises:
        QueryError: the SQL is anything else, or is not valid, or a table has no snapshot of that time.
        LakeError: a table that is named, or a file of it, is missing or damaged.
        EngineError: DuckDB failed.
    """
    engine = EmbeddedEngine(lake, writes=False)
    try:
        with engine.query(sql, at) as found:
            yield found
    finally:
        engine.close()
