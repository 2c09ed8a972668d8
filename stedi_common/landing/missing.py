"""Missing lines: customer lines that have landed, and that the landing table no longer has. Each may be a withdrawal.

They are lost if the newest metadata of the table are lost, or if an old copy replaces its files. `landed_files` still
has their number. While some are missing, no table is computed, and all computed tables are empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from stedi_common.contracts import CUSTOMER, contract
from stedi_common.engines.protocol import Engine
from stedi_common.errors import MissingLinesError
from stedi_common.landing.landed_files import Row, landed_lines
from stedi_common.landing.unread import landed_rows


def expect_no_missing_lines(engine: Engine, rows: Sequence[Row] | None = None) -> None:
    """Raise MissingLinesError if the customer records have fewer rows than lines that have landed.

    Args:
        engine: an open lake.
        rows: the rows of `landed_files`; by default they are read. They must be read before the head of the records,
            so that a landing in between is not taken for missing lines.
    """
    table = contract(f"{CUSTOMER}_landing")
    rows = landed_rows(engine) if rows is None else rows
    expected = landed_lines(rows, CUSTOMER)
    if expected and (found := engine.head(table).rows if engine.exists(table) else 0) < expected:
        raise MissingLinesError(table.name, expected, found)
