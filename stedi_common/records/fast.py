"""The fast path: reads plainly written lines with vectors. What it does not take is left to `record`.

The files of one producer write every line alike: the same keys in the same order with the same spaces. So a block's
layout is learned from one line, a strict pattern finds the lines written exactly so, and in those every value lies
between known literals. No value of such a line can be read in two ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stedi_common.contracts import Column
from stedi_common.contracts.types import TYPES
from stedi_common.records.record import IDENTITIES
from stedi_common.records.values import EARLIEST, FIRST_MILLISECONDS, NUMBER

Offsets = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

#: The first lines of a block may be odd ones, so a few are asked for the layout.
_LINES_ASKED = 16
#: So many layouts are learned, as long as so many lines are left that cost more one by one.
MAX_LAYOUTS = 4
MIN_LINES = 1024
#: Offsets in Arrow's strings have 32 bits.
_MOST_BYTES = 2**31
#: A line with more keys is not taken.
MAX_FIELDS = 32

_COMMA = ord(",")
#: A key has no quote, escape, comma or bracket.
FIELD = re.compile(rb'([{,] ?"([ !#-+\--Z^-z|~]{1,64})" ?: ?)("[^"\\]*"|[^",{}\[\] ]+)')
TAIL = re.compile(rb" ?\}\r?\n")

# ASCII without quotes, escapes, control characters and commas; it neither begins nor ends with a space.
_TEXT = r"[!#-+\--\[\]-~](?:[ !#-+\--\[\]-~]*[!#-+\--\[\]-~])?"
# `identity.PLAIN` without the backslash, which is an escape in JSON: all that normalising changes is the case.
IDENTITY = r"(?:-?[!#-'*+./-9=?-Z\[\]-~])*-?[!#-'*+/-9=?-Z\[\]-~]"
_PATTERNS = {
    "string": _TEXT,
    "double": r"-?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,2})?",
    "int": r"-?(?:0|[1-9][0-9]{0,8})(?:\.0)?",
    "long": r"-?(?:0|[1-9][0-9]{0,14})(?:\.0)?",
    "timestamp": r"[1-9][0-9]{8,12}(?:\.0)?",
}
_UNKNOWN = rf'(?:"(?:{_TEXT})?"|{NUMBER.pattern}|true|false|null)'


class Layout(NamedTuple):
    """How a line is written: the literals before, between and after its values, whose values they are, and its keys."""

    literals: tuple[bytes, ...]
    columns: tuple[Column | None, ...]
    keys: tuple[str, ...]

    @property
    def pattern(self) -> str:
        """Matches a line of this layout whose values can be read in one way only."""
        first, *others = (re.escape(literal.decode()) for literal in self.literals)
        values = (_pattern(column) if column else _UNKNOWN for column in self.columns)
        return rf"\A{first}{''.join(map(str.__add__, values, others))}\z"


class Taken(NamedTuple):
    """The lines of one layout.

    Attributes:
        lines: which lines were read.
        values: their values, by column.
        keys: the keys of each of them, as written, once each.
        untimely: which other lines of the layout have a wrong instant where one is required. `record` rejects them.
    """

    lines: Mask
    values: list[pa.Array]
    keys: tuple[str, ...]
    untimely: Mask


def read(data: bytes, starts: Offsets, columns: Sequence[Column], latest: int) -> Iterator[Taken]:
    """The plainly written lines, those of one layout at a time.

    Args:
        data: Whole lines.
        starts: Where each line begins, and the end of the last.
        columns: Those of the source.
        latest: The last millisecond that an instant may name.
    """
    if len(data) >= _MOST_BYTES:
        return
    lines, numbers = lines_of(data, starts), np.arange(len(starts) - 1)
    known: list[Layout] = []
    while len(known) < MAX_LAYOUTS:
        layout = _learned(lines, columns, known)
        if layout is None:
            return
        known.append(layout)
        plain = pc.match_substring_regex(lines, layout.pattern)
        is_plain = plain.to_numpy(zero_copy_only=False)
        if is_plain.any():
            of_layout = lines if is_plain.all() else lines.filter(plain)
            yield _taken(of_layout, _mask(len(starts) - 1, numbers[is_plain]), layout, columns, latest)
        if len(lines) - np.count_nonzero(is_plain) < MIN_LINES:
            return
        lines, numbers = lines.filter(pc.invert(plain)), numbers[~is_plain]


def _taken(lines: pa.Array, places: Mask, layout: Layout, columns: Sequence[Column], latest: int) -> Taken:
    values = _values(lines, layout)
    arrays = [_typed(values.get(column.name), column, len(lines)) for column in columns]
    timely, required_are_timely = _timely(columns, arrays, latest)
    keys = tuple(dict.fromkeys(layout.keys))
    if timely.all():
        return Taken(places, arrays, keys, np.zeros(len(places), np.bool_))
    numbers = np.flatnonzero(places)
    arrays = [array.filter(pa.array(timely)) for array in arrays]
    return Taken(_mask(len(places), numbers[timely]), arrays, keys, _mask(len(places), numbers[~required_are_timely]))


def _mask(count: int, numbers: Offsets) -> Mask:
    mask = np.zeros(count, np.bool_)
    mask[numbers] = True
    return mask


def arrow_type(column: Column) -> pa.DataType:
    """The Arrow type of a contract's column."""
    found: pa.DataType = pa.type_for_alias(TYPES[column.type].arrow)
    return found


def _learned(lines: pa.Array, columns: Sequence[Column], known: Sequence[Layout]) -> Layout | None:
    by_name = {column.name: column for column in columns}
    asked = (_layout(line, by_name) for line in lines[:_LINES_ASKED].to_pylist())
    return next((layout for layout in asked if layout and layout not in known), None)


def _layout(line: bytes, by_name: Mapping[str, Column]) -> Layout | None:
    """How the line is written; None unless it names every required column, none twice, in a way understood here."""
    literals = [b""]
    columns: list[Column | None] = []
    keys: list[str] = []
    end = 0
    while (field := FIELD.match(line, end)) and len(columns) < MAX_FIELDS:
        before, name, value = field.groups()
        column = by_name.get(name.decode().lower())
        # The quotes of a known column's value are a part of the layout.
        quote = b'"' if column and value.startswith(b'"') else b""
        if column and (column.type not in _PATTERNS or (column.type == "string" and not quote)):
            return None
        literals[-1] += before + quote
        literals.append(quote)
        columns.append(column)
        keys.append(name.decode())
        end = field.end()
    literals[-1] += line[end:]
    known = [column.name for column in columns if column]
    required = {column.name for column in by_name.values() if column.required}
    names_all = required.issubset(known) and len(set(known)) == len(known)
    is_whole = TAIL.fullmatch(line, end) is not None and line.startswith(b"{") and line.count(b"{") == 1
    return Layout(tuple(literals), tuple(columns), tuple(keys)) if is_whole and names_all else None


def _pattern(column: Column) -> str:
    return IDENTITY if column.name in IDENTITIES else _PATTERNS[column.type]


def lines_of(data: bytes, starts: Offsets) -> pa.Array:
    """The lines, as they lie in the block."""
    offsets = pa.py_buffer(starts.astype(np.int32))
    return pa.Array.from_buffers(pa.binary(), len(starts) - 1, [None, offsets, pa.py_buffer(data)])


def _values(lines: pa.Array, layout: Layout) -> dict[str, pa.Array]:
    """The values of the known columns, as text. No value holds a comma, so commas say where they are."""
    _, offsets, content = lines.buffers()
    starts = np.frombuffer(offsets, np.int32)[: len(lines) + 1]
    commas = np.flatnonzero(np.frombuffer(content, np.uint8) == _COMMA).reshape(len(lines), -1)
    anchors = [starts[:-1], *commas.T, starts[1:]]
    first, *inner, last = layout.literals
    # How far a literal reaches to the left and to the right of its anchor: the line's start, its comma, or its end.
    before = [literal.index(b",") for literal in inner] + [len(last)]
    after = [len(first)] + [len(literal) - comma for literal, comma in zip(inner, before, strict=False)]
    return {
        column.name: _between(content, anchors[i] + after[i], anchors[i + 1] - before[i])
        for i, column in enumerate(layout.columns)
        if column
    }


def _between(content: pa.Buffer, starts: npt.NDArray[Any], ends: npt.NDArray[Any]) -> pa.Array:
    """The texts from each start to its end."""
    offsets = np.empty(2 * len(starts), np.int32)
    offsets[0::2] = starts
    offsets[1::2] = ends
    texts = pa.Array.from_buffers(pa.string(), len(offsets) - 1, [None, pa.py_buffer(offsets), content])
    # Every second of them is what lies between two values.
    return texts.take(pa.array(np.arange(0, len(texts), 2)))


def _typed(values: pa.Array | None, column: Column, count: int) -> pa.Array:
    """The texts as the column's type, instants as milliseconds. The pattern allows only numbers that are exact."""
    if values is None:
        return pa.nulls(count, arrow_type(column))
    if column.type == "string":
        return pc.ascii_lower(values) if column.name in IDENTITIES else values
    numbers = values.cast(pa.float64())
    if column.type == "double":
        return pc.add(numbers, 0.0)  # makes a negative zero positive
    if column.type in {"int", "long"}:
        return numbers.cast(arrow_type(column))
    amounts = numbers.cast(pa.int64())
    milliseconds = pc.if_else(pc.less(amounts, FIRST_MILLISECONDS), pc.multiply(amounts, 1000), amounts)
    return milliseconds.cast(pa.timestamp("ms"))


def _timely(columns: Sequence[Column], arrays: Sequence[pa.Array], latest: int) -> tuple[Mask, Mask]:
    """Which lines have no wrong instant, and which have none where an instant is required."""
    timely = np.ones(len(arrays[0]), np.bool_)
    required_are_timely = timely.copy()
    for column, array in zip(columns, arrays, strict=True):
        if pa.types.is_timestamp(array.type) and not array.null_count:  # of a nullable column all or none are null
            milliseconds = array.cast(pa.int64()).to_numpy()
            is_timely = (milliseconds >= EARLIEST) & (milliseconds <= latest)
            timely &= is_timely
            if column.required:
                required_are_timely &= is_timely
    return timely, required_are_timely
