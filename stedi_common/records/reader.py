"""Reads a drop into Arrow batches: what the lines are, never what a rejected one said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import chain

import numpy as np
import pyarrow as pa

from stedi_common.contracts import Column, contract
from stedi_common.errors import EngineError
from stedi_common.instants import EPOCH
from stedi_common.records import blocks, bulk, drift, fast
from stedi_common.records.blocks import Block
from stedi_common.records.framing import MAY_BE_INNER, go_over_lines, unpadded
from stedi_common.records.names import TOO_DAMAGED, shown
from stedi_common.records.pieces import LineRun, Numbers, Piece, pieces
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
from stedi_common.records.repetition import repetition
from stedi_common.records.rows import Description, Framing, Parsed, Quota, RowBuilder
from stedi_common.records.storage import Drop
from stedi_common.records.tally import Tally
from stedi_common.settings import ReaderSettings

__all__ = ["Parsed", "Reader"]

_TYPES = (pa.string(), pa.int64(), pa.string(), pa.string(), pa.string(), pa.string())
_DESCRIPTION = pa.schema(zip(Description._fields, _TYPES, strict=True))

#: So many lines are read one by one until it is asked whether the others can be counted.
LINES_AT_ONCE = 2**13

_LOOK_BYTES = 1024

#: The keys of an object, as written.
Keys = tuple[str, ...]


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
        elif block.flaw == TOO_DAMAGED:
            yield Parsed(_empty(self.schema), Tally(damage=self.settings.limits.damage + 1))
        elif block.flaw is not None:
            yield self._rest(block, block.flaw)
        elif _is_blank(block.data):
            yield self._blank(block.data)
        elif block.data:
            equal = self._equal_lines(block)
            yield from (equal,) if equal else self._pieces(block)

    def _equal_lines(self, block: Block) -> Parsed | None:
        """The block, if its lines are all equal and none of them becomes a row."""
        found = repetition(block)
        if found is None:
            return None
        tally = Tally()
        for parsed in self._pieces(found.some):
            if len(parsed.lines):
                return None
            tally.add(parsed.tally)
        return Parsed(_empty(self.schema), found.tally(tally))

    def _pieces(self, block: Block) -> Iterator[Parsed]:
        quota = Quota(block.rejected_rows)
        for piece in pieces(block):
            if _is_blank(piece.block.data):
                yield self._blank(piece.block.data)
            else:
                yield from self._lines(piece, quota)

    def _rest(self, block: Block, flaw: str) -> Parsed:
        rows = self._rows(block, Framing(False, block.line), Quota(block.rejected_rows))
        rows.add_rest(block.line, block.data, flaw)
        parsed = rows.parsed()
        if self._is_watched(block):
            parsed.tally.no_object_at = {block.line}
            parsed.tally.is_objects = go_over_lines([block.data])
        return parsed

    def _blank(self, data: bytes) -> Parsed:
        lines = data.count(b"\n") + (not data.endswith(b"\n"))
        return Parsed(_empty(self.schema), Tally(blank=lines))

    def _lines(self, piece: Piece, quota: Quota) -> Iterator[Parsed]:
        untimely: dict[Keys, fast.Mask] = {}
        if self._has_fast_path:
            for taken in fast.read(piece.block.data, piece.starts, self._columns, self._latest):
                piece.is_object |= taken.lines
                untimely[taken.keys] = taken.untimely | untimely.get(taken.keys, np.False_)
                if taken.lines.any():
                    yield self._fast(piece.block, taken)
        if not piece.is_object.all():
            yield from self._slow(piece, untimely, quota)

    def _fast(self, block: Block, taken: fast.Taken) -> Parsed:
        lines = np.flatnonzero(taken.lines) + block.line
        count = len(lines)
        named = dict(zip((column.name for column in self._columns), taken.values, strict=True))
        named["source_file"] = pa.repeat(block.name, count)
        named["source_line"] = pa.array(lines)
        arrays = [named[f.name].cast(f.type) if f.name in named else pa.nulls(count, f.type) for f in self.schema]
        tally = self._count_keys(Tally(), {taken.keys: count})
        return Parsed(pa.RecordBatch.from_arrays(arrays, schema=self.schema), tally)

    def is_too_damaged(self, damage: int) -> bool:
        """Whether a file with this damage is skipped as too damaged."""
        return damage > self.settings.limits.damage

    def _count_keys(self, tally: Tally, lines: Mapping[Sequence[str], int]) -> Tally:
        drift.count_keys(tally, lines, {column.name for column in self._columns}, self.key)
        return tally

    def _slow(self, piece: Piece, untimely: Mapping[Keys, fast.Mask], quota: Quota) -> Iterator[Parsed]:
        """What the fast path left: blank lines, lines that are read one by one, and rejected ones that are counted."""
        left = np.flatnonzero(~piece.is_object)
        is_blank, is_space = bulk.are_padding(piece.lines_at(left))
        if is_blank.all():
            yield Parsed(_empty(self.schema), Tally(blank=len(left)))
            return
        # Commas and brackets may be part of an object that begins in another line.
        if is_space.any():
            yield Parsed(_empty(self.schema), Tally(blank=int(is_space.sum())))
            left, is_blank = left[~is_space], is_blank[~is_space]
        framing = Framing(self._is_watched(piece.block), piece.block.line)
        for at in range(0, len(left), LINES_AT_ONCE):
            if quota.is_used_up and len(left) - at >= fast.MIN_LINES:
                yield from self._in_bulk(piece, left[at:], is_blank[at:], untimely, framing)
                break
            some = left[at : at + LINES_AT_ONCE]
            yield from self._one_by_one(piece.block, piece.runs(some, np.ones(len(some), np.bool_)), framing, quota)
        framing.pass_objects(int(piece.is_object.sum()))
        yield Parsed(_empty(self.schema), framing.end(piece.block.line + len(piece.is_object) - 1))

    def _in_bulk(
        self, piece: Piece, lines: Numbers, is_blank: fast.Mask, untimely: Mapping[Keys, fast.Mask], framing: Framing
    ) -> Iterator[Parsed]:
        """Lines of which no rejected one needs a row."""
        kinds = np.zeros(len(lines), np.int8)
        keys: Counter[Sequence[str]] = Counter()
        for names, are in untimely.items():
            kinds[are[lines]] = bulk.OBJECT
            keys[names] += int(np.count_nonzero(are[lines]))
        unknown = np.flatnonzero((kinds == bulk.UNSURE) & ~is_blank)
        counted = bulk.counted(piece.lines_at(lines[unknown]), self._columns, self._is_of_customers, self._read)
        kinds[unknown] = counted.kinds
        rejected = int(np.count_nonzero(kinds))
        tally = Tally(rejected=rejected, blank=int(is_blank.sum()))
        if self._is_of_customers:
            tally.without_address = rejected
            tally.damage = bulk.damage_of_lines(piece.lines_at(lines[kinds != bulk.UNSURE]))
        yield Parsed(_empty(self.schema), self._count_keys(tally, keys + counted.keys))
        kinds[is_blank] = bulk.TEXT
        is_object = kinds == bulk.OBJECT
        piece.is_object[lines[is_object]] = True
        runs = piece.runs(lines[~is_object], kinds[~is_object] == bulk.UNSURE)
        yield from self._one_by_one(piece.block, runs, framing, Quota(0))

    def _one_by_one(self, block: Block, runs: Iterable[LineRun], framing: Framing, quota: Quota) -> Iterator[Parsed]:
        rows, read = self._rows(block, framing, quota), self._read
        for number, start, end, objects, is_alone in runs:
            if rows.is_full:
                yield rows.parsed()
                rows = self._rows(block, framing, quota)
            framing.pass_objects(objects)
            data = block.data[start:end]
            content = data.removesuffix(b"\n")
            if is_alone:
                outcome = read(content, is_torn=len(content) == len(data))
                if isinstance(outcome, Record) and self._is_doubtful(block, content):
                    outcome = Rejection(BROKEN_JSON, content=outcome.content)
                rows.add(block.line + number, content, outcome)
            else:
                framing.add_lines(content)
        yield rows.parsed()

    def _rows(self, block: Block, framing: Framing, quota: Quota) -> RowBuilder:
        return RowBuilder(
            block,
            fields=self._fields,
            schema=self.schema,
            key=self.key,
            framing=framing,
            hash_of=self._hash_of,
            quota=quota,
        )

    def _is_doubtful(self, block: Block, content: bytes) -> bool:
        """Whether an object may be part of a damaged one: then nobody has said it, and it gives no consent."""
        return self._is_of_customers and block.unit == blocks.OBJECT and content.startswith(MAY_BE_INNER)

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
    def _read(self) -> Callable[..., Record | Rejection | None]:
        """Says what a line is."""
        return partial(record, fields=self._fields, limits=self.settings.limits)

    @property
    def _is_of_customers(self) -> bool:
        return self.source == "customer"

    @property
    def _has_fast_path(self) -> bool:
        """Customers have none: they are few, and each needs its hash."""
        return not self._is_of_customers and self.settings.limits.keys >= fast.MAX_FIELDS

    @property
    def _latest(self) -> int:
        return (self.arrived_at - EPOCH + timedelta(days=1)) // timedelta(milliseconds=1)


@cache
def _schema(source: str) -> pa.Schema:
    columns = contract(f"{source}_landing").source_columns
    typed = [pa.field(column.name, fast.arrow_type(column)) for column in columns]
    of_customers = [pa.field("record_hash", pa.string()), pa.field("doubt", pa.string())]
    return pa.schema([*typed, *(of_customers if source == "customer" else ()), *_DESCRIPTION])


def _is_blank(data: bytes) -> bool:
    """Whether all lines are blank. Most data has something else at its beginning."""
    return bool(data) and not unpadded(data[:_LOOK_BYTES]) and not unpadded(data)


def _empty(schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([], schema)
