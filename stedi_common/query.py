"""`stedi query`: one SELECT over the lake's tables, on DuckDB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stedi_common.engines.embedded.engine import EmbeddedEngine
from stedi_common.lake import Lake


@dataclass(frozen=True)
class Answer:
    """The answer to a query.

    Attributes:
        columns: the names of the columns, in order.
        rows: the rows, as tuples in that order.
    """

    columns: list[str]
    rows: list[tuple[Any, ...]]

    def records(self) -> list[dict[str, Any]]:
        """A mapping per row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def answer(lake: Lake, sql: str) -> Answer:
    """Run one SELECT over the tables of a lake.

    Args:
        lake: the lake, which must be local.
        sql: one SELECT in DuckDB's SQL, with tables as `zone.table`.

    Returns:
        Its columns and all its rows.

    Raises:
        QueryError: the SQL is not one SELECT, or is not valid.
        EngineError: DuckDB failed.
    """
    engine = EmbeddedEngine(lake, writes=False)
    try:
        return Answer(*engine.query(sql))
    finally:
        engine.close()
