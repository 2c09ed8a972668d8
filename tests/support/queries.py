"""The rows of a query, for tests that are not about `stedi query`."""

from typing import Any

from stedi_common.lake import Lake
from stedi_common.query import answer

#: Every value as Arrow has it.
AS_IT_IS = {None: "{}"}


def queried(lake: Lake, sql: str) -> list[tuple[Any, ...]]:
    """All rows of the answer."""
    with answer(lake, sql) as found:
        return [tuple(row.values()) for batch in found.batches(AS_IT_IS, 10_000) for row in batch.to_pylist()]
