"""Reads a drop into Arrow batches, one row per line: what the line is, never what a rejected one said."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from stedi_common.contracts import Column, contract
from stedi_common.errors import EngineError
from stedi_common.records import blocks, fast
from stedi_common.records.blocks import Block
from stedi_common.records.record import CORRUPT_GZIP, Field, Rejection, fields_of, record, record_hash
from stedi_common.records.storage import Drop

REJECTED = "rejected"
BLANK = "blank"
END_OF_FILE = "end_of_file"

#: A line's values, then its description.
Row = tuple[Any, ...]

_LINE_FEED = ord("\n")


class Description(NamedTuple):
    """What became of a line; stands behind its values. Of a record, only where it was and what had to become null."""

    source_file: str
    source_line: int
    mark: str | None = None
    reason: str | None = None
    rejected_column: str | None = None
    content_hash: str | None = None
    nulled_values: int | None = None


_TYPES = (pa.string(), pa.int64(), pa.string(), pa.string(), pa.string(), pa.string(), pa.int32())
_DESCRIPTION = pa.schema(zip(Description._fields, _TYPES, strict=True))


@dataclass(frozen=True)
class Reader:
    """Reads the drops of one source. Goes to other processes and threads as it is.

    arrived_at: when the run began, in UTC; instants more than a day later are wrong.
    key: the HMAC key of `content_hash`.
    """

    source: str
    arrived_at: datetime
    key: bytes = field(repr=False)

    @property
    def schema(self) -> pa.Schema:
        """The source's typed columns, a customer's hash, and what became of the line."""
        return _schema(self.source)

    def read(self, drop: Drop) -> Iterator[pa.RecordBatch]:
        """One row per line, and one for the end of the file."""
        return map(self.parse, self.blocks(drop))

    def blocks(self, drop: Drop) -> Iterator[Block]:
        """The drop in blocks of whole lines, in order; then its end."""
        return blocks.blocks(drop)

    def parse(self, block: Block) -> pa.RecordBatch:
        """One row per line of the block, in any order. Raises EngineError without its cause: that may quote a value."""
        try:
            return self._parse(block)
        except Exception as error:
            cause = type(error).__name__
        raise EngineError(f"{block.name}: expected to read the lines from {block.line} on, got {cause}")

    def _parse(self, block: Block) -> pa.RecordBatch:
        if block.sha256 is not None:
            end = Description(block.name, block.line, END_OF_FILE, content_hash=block.sha256)
            return self._batch([self._without_values(end)])
        if block.is_corrupt:
            return self._batch([self._rejected(block.name, block.line, block.data, Rejection(CORRUPT_GZIP))])
        starts = _line_starts(block.data)
        if self._is_customer:  # few, and each needs its hash
            return self._slow(block, starts, range(len(starts) - 1))
        taken, values = fast.read(block.data, starts, self._columns, self._latest)
        if taken.all():
            return self._fast(block, taken, values)
        return pa.concat_batches([self._fast(block, taken, values), self._slow(block, starts, np.flatnonzero(~taken))])

    def _fast(self, block: Block, taken: fast.Mask, values: list[pa.Array]) -> pa.RecordBatch:
        lines = np.flatnonzero(taken) + block.line
        count = len(lines)
        named = dict(zip((column.name for column in self._columns), values, strict=True))
        named["source_file"] = pa.repeat(block.name, count)
        named["source_line"] = pa.array(lines)
        named["nulled_values"] = pa.repeat(pa.scalar(0, pa.int32()), count)
        arrays = [named[f.name].cast(f.type) if f.name in named else pa.nulls(count, f.type) for f in self.schema]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    def _slow(self, block: Block, starts: fast.Offsets, indices: Iterable[int]) -> pa.RecordBatch:
        fields = fields_of(self.source, self._latest)
        lines = ((block.line + int(index), block.data[starts[index] : starts[index + 1]]) for index in indices)
        return self._batch([self._row(block.name, number, line, fields) for number, line in lines])

    def _row(self, name: str, number: int, line: bytes, fields: tuple[Field, ...]) -> Row:
        content = line.removesuffix(b"\n")
        is_torn = len(content) == len(line)
        if not is_torn:
            content = content.removesuffix(b"\r")
        outcome = record(content, fields, is_torn)
        if outcome is None:
            return self._without_values(Description(name, number, BLANK))
        if isinstance(outcome, Rejection):
            return self._rejected(name, number, content, outcome)
        hashes = (record_hash(outcome.values),) if self._is_customer else ()
        return *outcome.values, *hashes, *Description(name, number, nulled_values=outcome.nulled)

    def _rejected(self, name: str, number: int, content: bytes, rejection: Rejection) -> Row:
        digest = hmac.digest(self.key, content, "sha256").hex()
        return self._without_values(Description(name, number, REJECTED, *rejection, content_hash=digest))

    def _without_values(self, description: Description) -> Row:
        return (None,) * (len(self.schema) - len(description)) + description

    def _batch(self, rows: list[Row]) -> pa.RecordBatch:
        arrays = [_array(values, f.type) for values, f in zip(zip(*rows, strict=True), self.schema, strict=True)]
        return pa.RecordBatch.from_arrays(arrays, schema=self.schema)

    @property
    def _columns(self) -> tuple[Column, ...]:
        return contract(f"{self.source}_landing").source_columns

    @property
    def _is_customer(self) -> bool:
        return self.source == "customer"

    @property
    def _latest(self) -> int:
        return (self.arrived_at - datetime(1970, 1, 1) + timedelta(days=1)) // timedelta(milliseconds=1)


@cache
def _schema(source: str) -> pa.Schema:
    columns = contract(f"{source}_landing").source_columns
    typed = [pa.field(column.name, fast.arrow_type(column)) for column in columns]
    hashes = [pa.field("record_hash", pa.string())] if source == "customer" else []
    return pa.schema([*typed, *hashes, *_DESCRIPTION])


def _array(values: Any, arrow_type: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(arrow_type):  # milliseconds in Python
        return pa.array(values, pa.timestamp("ms")).cast(arrow_type)
    return pa.array(values, arrow_type)


def _line_starts(data: bytes) -> fast.Offsets:
    """Where each line begins, and the end of the last."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _LINE_FEED) + 1
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    return np.concatenate(([0], ends))
