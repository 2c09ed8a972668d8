"""Find the lines of a drop that name somebody, whatever became of them: records, doubtful lines, and rejected ones."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from stedi_common.records.blocks import Block
from stedi_common.records.doubt import unescaped
from stedi_common.records.reader import Reader
from stedi_common.records.storage import Drop
from stedi_common.rules.identity import SPACE, address, device, is_address


class _Names(NamedTuple):
    """The names in the lines of a source: their column, and what normalises them."""

    column: str
    normalised: Callable[[str], str]


_NAMES = {
    "customer": _Names("email", address),
    "accelerometer": _Names("user", address),
    "step_trainer": _Names("serialnumber", device),
}
#: So many rejected lines of a block become rows: all of them. Landing keeps the first ones only.
_ALL = 2**62


class NamedLine(NamedTuple):
    """A line that names somebody.

    Attributes:
        number: its number in the file; that of the object, where objects are not lines.
        content: its bytes as UTF-8, unpacked.
        names_others: whether other people are named in it, too.
    """

    number: int
    content: bytes
    names_others: bool


class Unexamined(NamedTuple):
    """A line of which a part cannot be read: its number, and the reason code."""

    number: int
    reason: str


@dataclass(frozen=True)
class Search:
    """What was found in a drop: the lines that name somebody, and those that could not be examined whole."""

    lines: list[NamedLine] = field(default_factory=list)
    unexamined: list[Unexamined] = field(default_factory=list)


def search(reader: Reader, drop: Drop, names: Collection[str]) -> Search:
    """Find the lines of a drop that have one of these names.

    Of a record the value of one column counts, which is the email, the user or the serial number. Of a line that is no
    record each text in quotes counts.

    Args:
        reader: the reader of the drop's source.
        drop: the drop.
        names: normalised addresses; for the step trainer, normalised serial numbers.

    Raises:
        LakeError: the drop cannot be read.
    """
    found = _searched(reader, drop, frozenset(names))
    # Only the whole file shows that its objects are not lines.
    return found or _searched(replace(reader, as_objects=frozenset({drop.name})), drop, frozenset(names)) or Search()


def _searched(reader: Reader, drop: Drop, names: frozenset[str]) -> Search | None:
    """What was found. None if the drop must be read as objects."""
    found = Search()
    for block in reader.blocks(drop):
        lines, others = _Lines(block), dict[int, bool]()
        for rows, tally in reader.parse(block._replace(rejected_rows=_ALL)):
            if tally.is_objects and drop.name not in reader.as_objects:
                return None
            is_rejected = pc.is_valid(rows.column("mark"))
            others.update(_in_rows(reader.source, rows.filter(pc.invert(is_rejected)), names))
            rejected = rows.filter(is_rejected).column("source_line").to_pylist()
            others.update(_in_rejected(reader.source, lines, rejected, names))
        if block.flaw:
            found.unexamined.append(Unexamined(block.line, block.flaw))
        found.lines.extend(NamedLine(each, lines.numbered(each), others[each]) for each in sorted(others))
    return found


class _Lines:
    """The lines of a block by their numbers."""

    def __init__(self, block: Block) -> None:
        self._block = block

    def numbered(self, number: int) -> bytes:
        return self._contents[number - self._block.line]

    @cached_property
    def _contents(self) -> list[bytes]:
        return [self._block.data] if self._block.flaw else self._block.data.split(b"\n")


def _in_rows(source: str, rows: pa.RecordBatch, names: frozenset[str]) -> Iterator[tuple[int, bool]]:
    """The numbers of the lines that have become rows with one of the names, each with whether it names others."""
    is_named = pc.is_in(rows.column(_NAMES[source].column), value_set=pa.array(sorted(names), pa.string()))
    numbers = set(rows.filter(is_named).column("source_line").to_pylist())
    if numbers:  # of a doubtful line each address has a row
        others = set(rows.filter(pc.invert(is_named)).column("source_line").to_pylist())
        yield from ((number, number in others) for number in numbers)


def _in_rejected(
    source: str, lines: _Lines, numbers: Iterable[int], names: frozenset[str]
) -> Iterator[tuple[int, bool]]:
    """The same of rejected lines."""
    for number in numbers:
        in_line = set(_texts(lines.numbered(number), _NAMES[source].normalised))
        if not names.isdisjoint(in_line):
            yield number, any(map(is_address, in_line - names))


def _texts(content: bytes, normalised: Callable[[str], str]) -> Iterator[str]:
    """Each text in quotes, normalised as a name."""
    text = unescaped(content.replace(b"\0", b"").decode(errors="replace"))
    for quote in ('"', "'"):
        yield from (normalised(each.rstrip("\\").strip(SPACE)) for each in text.split(quote)[1:-1])
