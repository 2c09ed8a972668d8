"""What a reader says of lines that come as one block, for the tests beside."""

from datetime import datetime
from typing import NamedTuple

from stedi_common.records.blocks import Block
from stedi_common.records.reader import Reader
from stedi_common.records.tally import Tally

ARRIVED = datetime(2024, 6, 1)
KEY = b"a key for tests"


class Said(NamedTuple):
    rows: list
    tally: Tally

    @property
    def doubtful(self):
        return [row for row in self.rows if row.get("doubt")]

    @property
    def rejected(self):
        return [row for row in self.rows if row["mark"]]

    @property
    def records(self):
        return [row for row in self.rows if not row["mark"] and not row.get("doubt")]


def said_of(content, source="customer", **block):
    """All rows of a block of this content, and one tally."""
    block = Block(**{"name": f"{source}/a.json", "line": 1, "data": content, "version": "9:2024-05-01"} | block)
    tally, rows = Tally(), []
    for lines, some in Reader(source, ARRIVED, KEY).parse(block):
        tally.add(some)
        rows += lines.to_pylist()
    return Said(rows, tally)
