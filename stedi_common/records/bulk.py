"""Counts rejected lines with vectors, where no row of them is needed. The results are those of `record`.

Most lines of a damaged or hostile file are of a few kinds: they hold no object, they are written alike and lack a
value, or they are equal. The lines of these kinds are found here; all others are left to `record`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from stedi_common.contracts import Column
from stedi_common.records import fast
from stedi_common.records.fast import FIELD, MAX_FIELDS, MAX_LAYOUTS, TAIL, Mask
from stedi_common.records.framing import PADDING
from stedi_common.records.record import Record, Rejection
from stedi_common.records.values import INSTANT_FORMS, NUMBER

Numbers = npt.NDArray[np.int64]

#: The kinds of a line. `TEXT` is rejected, and no object. `OBJECT` is rejected. What `UNSURE` is, `record` says.
UNSURE, TEXT, OBJECT = range(3)

#: Equal lines are read once if there are at least so many of each, on average.
_EQUAL = 4
#: The first lines may be odd ones, so a few are asked for the layout.
_LINES_ASKED = 16
#: A layout that few lines have is not worth a search.
_SHARE = 16

_IS_PADDING = np.isin(np.arange(256), list(PADDING))
_IS_SPACE = _IS_PADDING & ~np.isin(np.arange(256), list(b",[]"))
_MARK = b"\xef\xbb\xbf"

# Arrow's expressions see bytes here.
_PAD = r"[ \t\n\r\v\f\x00\x1e,\[\]]*"
_BEGINS_AS_OBJECT = rf'\A{_PAD}(?:\xef\xbb\xbf{_PAD})*\{{[ \t\n\r]*["}}]'
_TWO_BRACES = r"\{[^{]*\{"
#: A damaged line with at least so many bytes for each address does not count as damage.
_BYTES_OF_ADDRESS = 128

#: Without an `@`, a backslash or anything but ASCII, an email is an address only as `mailto:` with an encoded `@`.
_ENCODED = "%"
#: Without one of these a line holds no address, and without two quotes nothing in it is read as one.
_OF_ADDRESS, _QUOTED = r"[@\\\x80-\xff]", r"""(?s)"[^"]*"|'[^']*'|["'].*\\|\\.*["']"""

_EMPTY = re.compile(rb"\{ ?\}\r?\n")
_VALUE = rf'(?:"[ !#-\[\]-~]*"|{NUMBER.pattern}|true|false|null)'
_BEFORE_1974 = r"-(?:0|[1-9][0-9]*)(?:\.[0-9]+)?|(?:0|[1-9][0-9]{0,7})(?:\.[0-9]+)?"


def _readable(*forms: re.Pattern[str]) -> str:
    """Matches a number, or a string of one of these forms or of a number. All other values are faulty."""
    # The values that are looked at are ASCII, and Arrow's expressions do not know this escape.
    texts = "|".join(form.pattern.replace(r"\u2212", "") for form in (NUMBER, *forms))
    return rf'\A(?:{NUMBER.pattern}|" *(?:{texts}) *")\z'


#: What a value matches that may be readable, by type.
_READABLE = {
    **dict.fromkeys(("double", "int", "long"), _readable()),
    "timestamp": _readable(*INSTANT_FORMS),
}
#: What a value matches that is missing, unreadable or wrong for sure, by type.
_FAULTY = {"string": r'\A(?:true|false|null|" *")\z', "timestamp": rf"\A(?:{_BEFORE_1974})\z"}


class Counted(NamedTuple):
    """What lines are.

    Attributes:
        kinds: of each line.
        keys: how many of the objects have these keys, as written.
    """

    kinds: npt.NDArray[np.int8]
    keys: Counter[Sequence[str]]


def are_padding(lines: pa.Array) -> tuple[Mask, Mask]:
    """Which lines are blank; and which of them without the signs of an array, which may be part of an object."""
    _, offsets, content = lines.buffers()
    starts = np.frombuffer(offsets, np.int32)[: len(lines)]
    data = np.frombuffer(content, np.uint8)[: np.frombuffer(offsets, np.int32)[len(lines)]]
    is_mark = _marks(data)
    of_lines = (_IS_PADDING[data] | is_mark, _IS_SPACE[data] | is_mark)
    blank, space = (np.logical_and.reduceat(each, starts) for each in of_lines)
    return blank, space


def _marks(data: npt.NDArray[np.uint8]) -> Mask:
    """Which bytes are those of a byte-order mark."""
    is_mark = np.zeros(len(data), np.bool_)
    first, second, third = _MARK
    begins = np.flatnonzero(data[:-2] == first) if len(data) > len(_MARK) - 1 else np.empty(0, np.int64)
    begins = begins[(data[begins + 1] == second) & (data[begins + 2] == third)]
    for offset in range(len(_MARK)):
        is_mark[begins + offset] = True
    return is_mark


def counted(
    lines: pa.Array, columns: Sequence[Column], is_customer: bool, read: Callable[[bytes], Record | Rejection | None]
) -> Counted:
    """What lines are that are not blank. A customer's line in which somebody may be named is never counted.

    Args:
        lines: Lines of one file, each with its ending.
        columns: Those of the source.
        is_customer: Whether the lines are of customers.
        read: Says what a line is.
    """
    kinds = np.zeros(len(lines), np.int8)
    keys: Counter[Sequence[str]] = Counter()
    left = np.flatnonzero(_names_nobody(lines)) if is_customer else np.arange(len(lines))
    some, left = _without_text(_at(lines, left), left, kinds)
    for places, rejection in _equal(some, read):
        kinds[left[places]] = TEXT if rejection.content is None else OBJECT
        if rejection.content is not None:
            keys[tuple(key for key, _ in rejection.content)] += len(places)
    is_unsure = kinds[left] == UNSURE
    if is_customer:
        is_unsure &= ~pc.match_substring(some, _ENCODED).to_numpy(zero_copy_only=False)
    some, left = some.filter(pa.array(is_unsure)), left[is_unsure]
    for _ in range(MAX_LAYOUTS):
        layout = _learned(some, columns, is_customer) if len(left) >= fast.MIN_LINES else None
        if layout is None:
            break
        is_faulty = layout.are_faulty(some)
        kinds[left[is_faulty]] = OBJECT
        keys[layout.keys] += int(np.count_nonzero(is_faulty))
        some, left = some.filter(pa.array(~is_faulty)), left[~is_faulty]
        if np.count_nonzero(is_faulty) * _SHARE < len(is_faulty):
            break
    return Counted(kinds, +keys)


def _without_text(lines: pa.Array, numbers: Numbers, kinds: npt.NDArray[np.int8]) -> tuple[pa.Array, Numbers]:
    """The lines that may be an object, or hold more than one, and their numbers. The others are text."""
    content = lines.buffers()[2]
    may = np.zeros(len(lines), np.bool_)
    if len(lines) and all(byte in content.to_pybytes() for byte in (b"{", b"}")):
        may = pc.and_(pc.match_substring(lines, "{"), pc.match_substring(lines, "}")).to_numpy(zero_copy_only=False)
        some = lines.filter(pa.array(may))
        may[may] = _matches(some, _BEGINS_AS_OBJECT) | _matches(some, _TWO_BRACES)
    kinds[numbers[~may]] = TEXT
    return (lines if may.all() else lines.filter(pa.array(may))), numbers[may]


def _at(lines: pa.Array, numbers: Numbers) -> pa.Array:
    return lines if len(numbers) == len(lines) else lines.take(pa.array(numbers))


def _matches(lines: pa.Array, pattern: str) -> Mask:
    found: Mask = pc.match_substring_regex(lines, pattern).to_numpy(zero_copy_only=False)
    return found


def _names_nobody(lines: pa.Array) -> Mask:
    """In which lines no address can be read."""
    names = _matches(lines, _OF_ADDRESS)
    names[names] = _matches(lines.filter(pa.array(names)), _QUOTED)
    return ~names


def damage_of_line(line: bytes, texts: int) -> int:
    """How much a customer's line that is no record adds to the damage of its file; docs/records.md, "Damage".

    Args:
        line: With its padding, and without its line feed.
        texts: How many texts in it must be normalised to see whether they are addresses.
    """
    if _names_somebody(line):
        return max(1 + texts - len(line) // _BYTES_OF_ADDRESS, 0)
    return int(len(line) < _BYTES_OF_ADDRESS and b"{" in line and b"}" in line)


def _names_somebody(line: bytes) -> bool:
    """The opposite of `_names_nobody`, for one line."""
    if line.isascii() and b"@" not in line and b"\\" not in line:
        return False
    quotes = line.count(b'"'), line.count(b"'")
    return max(quotes) > 1 or (b"\\" in line and any(quotes))


def damage_of_lines(lines: pa.Array) -> int:
    """The sum of `damage_of_line` for lines in which nobody is named. They have their line feeds."""
    objects = lines.filter(pc.and_(pc.match_substring(lines, "{"), pc.match_substring(lines, "}")))
    sizes = pc.subtract(pc.binary_length(objects), pc.cast(pc.ends_with(objects, "\n"), pa.int32()))
    return int(pc.sum(pc.less(sizes, _BYTES_OF_ADDRESS)).as_py() or 0)


class _Layout(NamedTuple):
    """How a line is written whose values are plain.

    Attributes:
        pattern: matches the lines that are written so; the group of a required column has its value.
        keys: the keys, as written.
        required: the types of the required columns; empty if a line that is written so is rejected whatever it says.
    """

    pattern: str
    keys: tuple[str, ...]
    required: Mapping[str, str]

    def are_faulty(self, lines: pa.Array) -> Mask:
        """Which lines are written so, and rejected for sure."""
        if not self.required:
            return _matches(lines, self.pattern)
        values = pc.extract_regex(lines, self.pattern)
        faulty: Mask = np.zeros(len(lines), np.bool_)
        for name, type_ in self.required.items():
            faulty |= _are_faulty(pc.struct_field(values, name), type_)
        return faulty


def _are_faulty(values: pa.Array, type_: str) -> Mask:
    """Which values are there, and missing, unreadable or wrong for sure."""
    is_there: Mask = pc.is_valid(values).to_numpy(zero_copy_only=False)
    texts = pc.fill_null(values, b"")
    found = np.zeros(len(values), np.bool_)
    if type_ in _READABLE:
        found = ~_matches(texts, _READABLE[type_])
    if type_ in _FAULTY:
        found |= _matches(texts, _FAULTY[type_])
    return found & is_there


def _learned(lines: pa.Array, columns: Sequence[Column], is_customer: bool) -> _Layout | None:
    asked = (_layout(line, columns, is_customer) for line in lines[:_LINES_ASKED].to_pylist())
    return next(filter(None, asked), None)


def _layout(line: bytes, columns: Sequence[Column], is_customer: bool) -> _Layout | None:
    literals, end = [b""], 0
    names: list[str] = []
    while (field := FIELD.match(line, end)) and len(names) < MAX_FIELDS:
        literals[-1] += field[1]
        literals.append(b"")
        names.append(field[2].decode())
        end = field.end()
    literals[-1] += line[end:]
    is_whole = line.startswith(b"{") and line.count(b"{") == 1 and TAIL.fullmatch(line, end)
    if not (is_whole or _EMPTY.fullmatch(line)):
        return None
    # A customer's line without an address is rejected, whatever its values are.
    required = {} if is_customer else _required(names, columns)
    values = [f"(?P<{name}>{_VALUE})" if name in required else _VALUE for name in map(str.lower, names)]
    return _Layout(rf"\A{_joined(literals, values)}\z", tuple(names), required)


def _required(names: Sequence[str], columns: Sequence[Column]) -> dict[str, str]:
    """The types of the required columns; none if one of them is missing or there twice."""
    required = {column.name: column.type for column in columns if column.required}
    lowered = [name.lower() for name in names]
    return required if all(lowered.count(name) == 1 for name in required) else {}


def _joined(literals: Sequence[bytes], values: Sequence[str]) -> str:
    first, *others = (re.escape(literal.decode()) for literal in literals)
    return first + "".join(value + literal for value, literal in zip(values, others, strict=True))


def _equal(
    lines: pa.Array, read: Callable[[bytes], Record | Rejection | None]
) -> Iterator[tuple[npt.NDArray[np.int64], Rejection]]:
    """The places of equal lines, and why they are rejected, if most lines are equal to others."""
    if len(lines) < fast.MIN_LINES or not _are_alike(lines[: fast.MIN_LINES].dictionary_encode()):
        return
    encoded = lines.dictionary_encode()
    if not _are_alike(encoded):
        return
    numbers = encoded.indices.to_numpy()
    order = np.argsort(numbers, kind="stable")
    ends = np.cumsum(np.bincount(numbers, minlength=len(encoded.dictionary)))
    for line, places in zip(encoded.dictionary.to_pylist(), np.split(order, ends[:-1]), strict=True):
        outcome = read(line)
        if isinstance(outcome, Rejection) and (outcome.content is not None or line.count(b"{") <= 1):
            yield places, outcome


def _are_alike(encoded: pa.DictionaryArray) -> bool:
    return len(encoded.dictionary) * _EQUAL <= len(encoded)
