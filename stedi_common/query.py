"""`stedi query`: one SELECT over the lake's tables, on DuckDB."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stedi_common.engines.embedded.engine import EmbeddedEngine
from stedi_common.lake import Lake


@dataclass(frozen=True)
class Answer:
    """Column names and rows."""

    columns: list[str]
    rows: list[tuple[Any, ...]]

    def records(self) -> list[dict[str, Any]]:
        """A mapping per row."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def answer(lake: Lake, sql: str) -> Answer:
    """The answer to one SELECT over `zone.table`. Raises QueryError for anything else, or for SQL that is wrong."""
    engine = EmbeddedEngine(lake, writes=False)
    try:
        return Answer(*engine.query(sql))
    finally:
        engine.close()
