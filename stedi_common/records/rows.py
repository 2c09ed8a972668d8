"""Lines that are read one by one, gathered into rows: what each line is, never what a rejected one said."""

from __future__ import annotations

import hmac
from collections import Counter
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

import pyarrow as pa

from stedi_common.records import drift
from stedi_common.records.blocks import Block
from stedi_common.records.bulk import damage_of_line
from stedi_common.records.doubt import EMAIL, INCOMPLETE, doubt, doubt_hash
from stedi_common.records.framing import Cut, cut, go_over_lines, unpadded
from stedi_common.records.record import Field, Object, Record, Rejection, Value
from stedi_common.records.tally import Tally

REJECTED = "rejected"

#: So many rows are gathered at most, which bounds the memory.
MAX_ROWS = 2**16

#: So many times some lines of a file are examined for objects that go over lines; then the whole file is.
_MAX_LOOKS = 1_000

_NAME = itemgetter(0)

#: What may stand between a colon and the line's end.
_BEHIND_COLON = b" \t\n\r\v\f\0\x1e,]" + b"\xef\xbb\xbf"

#: A line's values, then its description.
Row = tuple[Any, ...]


class Description(NamedTuple):
    """What became of a line; stands behind its values. Of a record and a doubtful line, only where it was."""

    source_file: str
    source_line: int
    mark: str | None = None
    reason: str | None = None
    rejected_column: str | None = None
    content_hash: str | None = None


class Parsed(NamedTuple):
    """Some lines of a file: the rows they became, and what they count for."""

    lines: pa.RecordBatch
    tally: Tally


class Quota:
    """How many rejected lines still become rows. The others are only counted.

    Args:
        rows: so many.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows

    @property
    def is_used_up(self) -> bool:
        """Whether there are none left."""
        return self._rows <= 0

    def take(self) -> bool:
        """Whether a rejected line becomes a row."""
        self._rows -= 1
        return self._rows >= 0


class RowBuilder:
    """Builds the rows of one block from its lines.

    Args:
        block: which they are of.
        fields: the columns of its source.
        schema: of the rows.
        key: the HMAC key of `content_hash` and of hidden names.
        framing: watches the lines.
        hash_of: the `record_hash` of a customer's values.
        quota: which rejected lines become rows.
    """

    def __init__(  # noqa: PLR0913 - what lines become rows by
        self,
        block: Block,
        *,
        fields: tuple[Field, ...],
        schema: pa.Schema,
        key: bytes,
        framing: Framing,
        hash_of: Callable[[tuple[Value, ...]], str],
        quota: Quota,
    ) -> None:
        self._quota = quota
        self._hash_of = hash_of
        self._name, self._version = block.name, block.version
        self._fields, self._schema, self._key = fields, schema, key
        self._is_customer = "doubt" in schema.names
        self._rows: list[Row] = []
        self._tally = Tally()
        self._keys: Counter[Sequence[str]] = Counter()
        self._framing = framing

    @property
    def is_full(self) -> bool:
        """Whether there are enough rows, or kinds of objects."""
        return len(self._rows) >= MAX_ROWS or len(self._keys) >= MAX_ROWS

    def add(self, number: int, line: bytes, outcome: Record | Rejection | None) -> None:
        """Add a line, which is this."""
        if outcome is None:
            self._tally.blank += 1
            self._framing.add(line)
        elif isinstance(outcome, Record):
            self._framing.add_object(line)
            self._count(outcome.content)
            if outcome.nulled:
                self._tally.nulled_values += len(outcome.nulled)
                self._tally.nulled_columns.update(outcome.nulled)
            hashes = (self._hash_of(outcome.values), None) if self._is_customer else ()
            self._rows.append((*outcome.values, *hashes, *Description(self._name, number)))
        else:
            if outcome.content is None:
                self._framing.add(line)
            else:
                self._framing.add_object(line)
                self._count(outcome.content)
            self._reject(number, line, outcome)

    def add_rest(self, number: int, data: bytes, reason: str) -> None:
        """Add what could be read of a line or of the rest of a file. Whose refusal the unread was nobody knows."""
        self._reject(number, data, Rejection(reason))

    def parsed(self) -> Parsed:
        """All that was added."""
        drift.count_keys(self._tally, self._keys, {field.name for field in self._fields}, self._key)
        columns = zip(*self._rows, strict=True) if self._rows else [()] * len(self._schema)
        arrays = [_array(values, field.type) for values, field in zip(columns, self._schema, strict=True)]
        return Parsed(pa.RecordBatch.from_arrays(arrays, schema=self._schema), self._tally)

    def _count(self, content: Object) -> None:
        self._keys[tuple(map(_NAME, content))] += 1

    def _reject(self, number: int, line: bytes, rejection: Rejection) -> None:
        content = unpadded(line)
        if self._is_customer:
            reason, rows, texts = doubt(content, rejection, self._fields)
            self._tally.damage += damage_of_line(line, texts)
            if not rows or reason in INCOMPLETE:
                self._tally.without_address += 1
            if rows:
                self._tally.doubtful += 1
                self._rows += [self._doubtful(number, values, reason) for values in rows]
                return
        self._tally.rejected += 1
        if not self._quota.take():
            return
        digest = hmac.digest(self._key, content, "sha256").hex()
        why = Description(self._name, number, REJECTED, rejection.reason, rejection.column, digest)
        self._rows.append((None,) * (len(self._schema) - len(why)) + why)

    def _doubtful(self, number: int, values: tuple[Value, ...], reason: str) -> Row:
        email = next(value for field, value in zip(self._fields, values, strict=True) if field.name == EMAIL)
        hash_ = doubt_hash(self._name, self._version, number, email)
        return (*values, hash_, reason, *Description(self._name, number))


class Framing:
    """Watches consecutive lines of a file for objects that are not lines.

    Args:
        is_watched: false if nothing is to be watched for.
        first: the number of the first line.
    """

    def __init__(self, is_watched: bool, first: int) -> None:
        self._is_watched = is_watched
        self._first = first
        self._has_begun = False
        self._run: list[bytes] = []
        self._behind_run: list[bytes] = []
        self._objects = 0
        self._looks = 0
        self._tally = Tally()

    def add(self, line: bytes) -> None:
        """A line that is not one object, behind others that are none."""
        if not self._is_watched or self._tally.is_objects:
            return
        if not self._has_begun:
            self._begin(is_object=line.startswith(b"{"))
        if self._behind_run:
            self._behind_run.append(line)
            self._tally.is_objects = self._go_over_lines(self._behind_run)
            self._behind_run = [] if unpadded(line) else self._behind_run
        self._run.append(line)
        self._tally.is_objects |= line.count(b"{") > 1 and line.count(b"}") > 1 and self._go_over_lines([line])

    def add_lines(self, lines: bytes) -> None:
        """Lines none of which is one object or holds more than one, without the ending of the last."""
        while self._behind_run and lines:
            first, _, lines = lines.partition(b"\n")
            self.add(first)
        if not lines or not self._is_watched or self._tally.is_objects:
            return
        if not self._has_begun:
            self._begin(is_object=lines.startswith(b"{"))
        self._run.append(lines)

    def pass_objects(self, count: int) -> None:
        """So many lines of the piece, so far, are known to be one object each. The others were added."""
        if count != self._objects:
            self.add_object(is_only=count == self._objects + 1)
            self._objects = count

    def add_object(self, line: bytes = b"{}", *, is_only: bool = True) -> None:
        """A line that is one object, or several lines that are, the first of which has nothing before its `{`."""
        if not self._has_begun:
            self._begin(is_object=line.startswith(b"{"))
        self._behind_run = []
        if self._run:
            if _may_go_on(self._run, line) and not self._tally.is_objects:
                run = [*self._run, line]
                self._tally.is_objects = self._go_over_lines(run)
                self._behind_run = run if is_only and _ends_with_colon(self._run[-1]) else []
            self._run = []

    def end(self, last: int) -> Tally:
        """Behind the line of this number others may follow. Returns what was seen."""
        if not self._has_begun:
            self._begin(is_object=False)
        if (self._run or self._behind_run) and not self._tally.is_objects:
            self._tally.is_objects, is_open = _cut(self._behind_run or self._run)
            self._tally.open_after = {last} if is_open or self._behind_run else set()
        return self._tally

    def _go_over_lines(self, lines: list[bytes]) -> bool:
        """As `go_over_lines`; after `_MAX_LOOKS` true, so that the whole file is examined."""
        self._looks += 1
        return self._looks > _MAX_LOOKS or go_over_lines(lines)

    def _begin(self, is_object: bool) -> None:
        self._has_begun = True
        if self._is_watched and not is_object:
            self._tally.no_object_at.add(self._first)


def _may_go_on(run: list[bytes], line: bytes) -> bool:
    """Whether the object in the line may belong to one that begins in the run. Spares most lines the exact look."""
    return len(run) > 1 or b"\n" in run[0] or b"[" in run[0] or _ends_with_colon(run[0]) or not line.startswith(b"{")


def _cut(run: list[bytes]) -> Cut:
    """As `cut`. Spares runs in which no object or no array begins, or no object ends, the exact look."""
    has_object, has_end, has_array = (any(sign in each for each in run) for sign in (b"{", b"}", b"["))
    if has_array or _ends_with_colon(run[-1]) or (has_object and has_end):
        return cut(run)
    return Cut(are_objects=False, is_open=has_object)


def _ends_with_colon(line: bytes) -> bool:
    return line.rstrip(_BEHIND_COLON).endswith(b":")


def _array(values: Any, arrow_type: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(arrow_type):  # milliseconds in Python
        return pa.array(values, pa.timestamp("ms")).cast(arrow_type)
    return pa.array(values, arrow_type)
