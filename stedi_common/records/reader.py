"""Reads a drop into Arrow batches: what the lines are, never what a rejected one said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from itertools import chain

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stedi_common.contracts import Column, contract
from stedi_common.errors import EngineError
from stedi_common.instants import EPOCH
from stedi_common.records import blocks, drift, fast
from stedi_common.records.blocks import Block
from stedi_common.records.framing import MAY_BE_INNER, PADDING, go_over_lines
from stedi_common.records.names import shown
from stedi_common.records.record import (
    BROKEN_JSON,
    Field,
    Record,
    Rejection,
    Value,
    fields_of,
    record,
    record_hash,
    repeated_hash,
)
from stedi_common.records.rows import Description, Framing, Parsed, RowBuilder
from stedi_common.records.storage import Drop
from stedi_common.records.tally import Tally
from stedi_common.settings import ReaderSettings

__all__ = ["Parsed", "Reader"]

_TYPES = (pa.string(), pa.int64(), pa.string(), pa.string(), pa.string(), pa.string())
_DESCRIPTION = pa.schema(zip(Description._fields, _TYPES, strict=True))

#: A block with more lines is read in pieces, which bounds the memory.
MAX_LINES = 2**17

_LINE_FEED = ord("\n")
_IS_PADDING = np.isin(np.arange(256), list(PADDING))
_IS_SPACE = _IS_PADDING & ~np.isin(np.arange(256), list(b",[]"))
#: Longer blank lines are so few in a block that each may take its time.
_SHORT = 4


@dataclass(frozen=True)
class Reader:
    """Reads the drops of one source. Goes to other processes and threads as it is.

    Attributes:
        arrived_at: when the run began, in UTC; instants more than a day later are wrong.
        key: the HMAC key of `content_hash`.
        as_objects: the names of the drops in which objects seem not to be lines. Each is looked at whole before it is
            read.
        suspended: people whose records are unlike any that landed before, so that they land again and end the
            suspension.
    """

    source: str
    arrived_at: datetime
    key: bytes = field(repr=False)
    settings: ReaderSettings = field(default_factory=ReaderSettings)
    as_objects: frozenset[str] = frozenset()
    suspended: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def schema(self) -> pa.Schema:
        """The source's typed columns, a customer's hash and doubt, and what became of the line."""
        return _schema(self.source)

    def read(self, drop: Drop) -> Iterator[Parsed]:
        """All of a drop."""
        return chain.from_iterable(map(self.parse, self.blocks(drop)))

    def blocks(self, drop: Drop) -> Iterator[Block]:
        """The drop in blocks of whole lines, in order; then its end."""
        limits = self.settings.limits
        return blocks.blocks(drop, limits, drop.name in self.as_objects and blocks.holds_objects(drop, limits))

    def parse(self, block: Block) -> Iterator[Parsed]:
        """What the lines of a block are, some at a time and in any order.

        Returns:
            A row for each record and each rejected line, one for each address of a doubtful line, and none for a blank
            one; with their tally.

        Raises:
            EngineError: without its cause, which may quote a value.
        """
        parsed = self._parse(block)
        while True:
            try:
                some = next(parsed, None)
            except Exception as error:
                cause = type(error).__name__
                break
            if some is None:
                return
            yield some
        raise EngineError(f"{shown(block.name)}: expected to read the lines from {block.line} on, got {cause}")

    def _parse(self, block: Block) -> Iterator[Parsed]:
        if block.sha256 is not None:
            is_objects = block.is_mixed and block.name not in self.as_objects
            end = Tally(lines=block.line, sha256=block.sha256, unit=block.unit, is_objects=is_objects)
            yield Parsed(_empty(self.schema), end)
        elif block.flaw is not None:
            yield self._rest(block, block.flaw)
        elif block.data:
            for piece, starts in _pieces(block):
                yield from self._lines(piece, starts)

    def _rest(self, block: Block, flaw: str) -> Parsed:
        rows = self._rows(block, Framing(False, block.line))
        rows.add_rest(block.line, block.data, flaw)
        parsed = rows.parsed()
        if self._is_watched(block):
            parsed.tally.no_object_at = {block.line}
            parsed.tally.is_objects = go_over_lines([block.data])
        return parsed

    def _lines(self, block: Block, starts: fast.Offsets) -> Iterator[Parsed]:
        taken = np.zeros(len(starts) - 1, np.bool_)
        if self._has_fast_path:
            taken, values = fast.read(block.data, starts, self._columns, self._latest)
            if taken.any():
                yield self._fast(block, taken, values, fast.keys_of(block.data, starts, self._columns))
        if not taken.all():
            yield from self._slow(block, starts, taken)

    def _fast(self, block: Block, taken: fast.Mask, values: list[pa.Array], keys: tuple[str, ...]) -> Parsed:
        lines = np.flatnonzero(taken) + block.line
        count = len(lines)
        named = dict(zip((column.name for column in self._columns), values, strict=True))
        named["source_file"] = pa.repeat(block.name, count)
        named["source_line"] = pa.array(lines)
        arrays = [named[f.name].cast(f.type) if f.name in named else pa.nulls(count, f.type) for f in self.schema]
        tally = Tally()
        drift.count_keys(tally, {keys: count}, {column.name for column in self._columns}, self.key)
        return Parsed(pa.RecordBatch.from_arrays(arrays, schema=self.schema), tally)

    def _slow(self, block: Block, starts: fast.Offsets, taken: fast.Mask) -> Iterator[Parsed]:
        left = np.flatnonzero(~taken)
        is_blank = _are_made_of(_IS_PADDING, block.data, starts, left)
        if not is_blank.all():  # commas and brackets may be part of an object that begins in another line
            is_blank = _are_made_of(_IS_SPACE, block.data, starts, left)
        blank = int(is_blank.sum())
        if blank:
            yield Parsed(_empty(self.schema), Tally(blank=blank))
        unread = left[~is_blank]
        # How many objects of the fast path stand before a line.
        before = np.cumsum(taken, dtype=np.int64)
        places = (each[unread].tolist() for each in (starts[:-1], starts[1:], before))
        yield from self._one_by_one(block, unread.tolist(), zip(*places, strict=True), taken)

    def _one_by_one(
        self, block: Block, indices: Iterable[int], places: Iterable[tuple[int, int, int]], taken: fast.Mask
    ) -> Iterator[Parsed]:
        framing = Framing(self._is_watched(block), block.line)
        rows = self._rows(block, framing)
        fields, limits = self._fields, self.settings.limits
        last = 0
        for index, (start, end, before) in zip(indices, places, strict=True):
            if rows.is_full:
                yield rows.parsed()
                rows = self._rows(block, framing)
            if before != last:
                framing.add_object(is_only=before == last + 1)
                last = before
            line = block.data[start:end]
            content = line.removesuffix(b"\n")
            outcome = record(content, fields, limits, is_torn=len(content) == len(line))
            if isinstance(outcome, Record) and self._is_doubtful(block, content):
                outcome = Rejection(BROKEN_JSON, content=outcome.content)
            rows.add(block.line + index, content, outcome)
        yield rows.parsed()
        if last < np.count_nonzero(taken):
            framing.add_object(is_only=False)
        yield Parsed(_empty(self.schema), framing.end(block.line + len(taken) - 1))

    def _rows(self, block: Block, framing: Framing) -> RowBuilder:
        return RowBuilder(
            block, fields=self._fields, schema=self.schema, key=self.key, framing=framing, hash_of=self._hash_of
        )

    def _is_doubtful(self, block: Block, content: bytes) -> bool:
        """Whether an object may be part of a damaged one: then nobody has said it, and it gives no consent."""
        return self.source == "customer" and block.unit == blocks.OBJECT and content.startswith(MAY_BE_INNER)

    def _hash_of(self, values: tuple[Value, ...]) -> str:
        digest = record_hash(values)
        if self.suspended and values[self.schema.names.index("email")] in self.suspended:
            return repeated_hash(digest, self.arrived_at)
        return digest

    def _is_watched(self, block: Block) -> bool:
        """Whether the file is read as lines, so that objects may be something else."""
        return block.unit == blocks.LINE and block.name not in self.as_objects

    @property
    def _columns(self) -> tuple[Column, ...]:
        return contract(f"{self.source}_landing").source_columns

    @property
    def _fields(self) -> tuple[Field, ...]:
        return fields_of(self.source, self._latest, self.settings)

    @property
    def _has_fast_path(self) -> bool:
        """Customers have none: they are few, and each needs its hash."""
        return self.source != "customer" and self.settings.limits.keys >= fast.MAX_FIELDS

    @property
    def _latest(self) -> int:
        return (self.arrived_at - EPOCH + timedelta(days=1)) // timedelta(milliseconds=1)


@cache
def _schema(source: str) -> pa.Schema:
    columns = contract(f"{source}_landing").source_columns
    typed = [pa.field(column.name, fast.arrow_type(column)) for column in columns]
    of_customers = [pa.field("record_hash", pa.string()), pa.field("doubt", pa.string())]
    return pa.schema([*typed, *(of_customers if source == "customer" else ()), *_DESCRIPTION])


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema)


def _pieces(block: Block) -> Iterator[tuple[Block, fast.Offsets]]:
    """The block in pieces that do not have too many lines, each with where its lines begin."""
    waiting = [block]
    while waiting:
        piece = waiting.pop()
        is_end = np.frombuffer(piece.data, np.uint8) == _LINE_FEED
        if np.count_nonzero(is_end) > MAX_LINES:
            waiting += reversed(_halves(piece))
        else:
            yield piece, _line_starts(is_end)


def _halves(block: Block) -> tuple[Block, Block]:
    """The block in two, each of whole lines."""
    middle = (block.data.rfind(b"\n", 0, len(block.data) // 2) + 1) or block.data.find(b"\n") + 1
    first, second = block.data[:middle], block.data[middle:]
    return block._replace(data=first), block._replace(data=second, line=block.line + first.count(b"\n"))


def _line_starts(is_end: fast.Mask) -> fast.Offsets:
    """Where each line begins, and the end of the last. `is_end`: which bytes are line feeds."""
    ends = np.flatnonzero(is_end) + 1
    if not is_end[-1]:
        ends = np.append(ends, len(is_end))
    return np.concatenate(([0], ends))


def _are_made_of(of: fast.Mask, data: bytes, starts: fast.Offsets, indices: npt.NDArray[np.int64]) -> fast.Mask:
    """Which of the lines have such bytes only, as far as they are short."""
    content = np.frombuffer(data, np.uint8)
    first, end = starts[indices], starts[indices + 1]
    are: fast.Mask = end - first <= _SHORT
    for offset in range(_SHORT):
        place = np.minimum(first + offset, end - 1)
        are &= of[content[place]]
    return are
