"""Missing lines: customer lines have landed, and the landing table no longer has them. Each may be a withdrawal.

A commit may be lost with the newest metadata of a table, or by an old copy of its files. `landed_files` still counts
what it had.
"""

from __future__ import annotations

from collections.abc import Sequence

from stedi_common.contracts import CUSTOMER, contract
from stedi_common.engines.protocol import Engine
from stedi_common.errors import MissingLinesError
from stedi_common.landing.landed_files import Row
from stedi_common.landing.unread import landed_rows


def expect_landed(engine: Engine, rows: Sequence[Row] | None = None) -> None:
    """Raise MissingLinesError if the customer records have fewer rows than lines that have landed.

    Args:
        engine: an open lake.
        rows: the rows of `landed_files`; by default they are read. They are older than the head of the records, so
            what lands meanwhile is no difference.
    """
    table = contract(f"{CUSTOMER}_landing")
    rows = landed_rows(engine) if rows is None else rows
    expected = sum(row["landed"] for row in rows if row["source"] == CUSTOMER)  # a line has one row, or several
    if expected and (found := engine.head(table).rows if engine.exists(table) else 0) < expected:
        raise MissingLinesError(table.name, expected, found)
