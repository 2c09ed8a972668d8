"""What a line is. This is the definition: whatever reads faster must say the same."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import date
from functools import cache, partial
from typing import Any, NamedTuple, NoReturn

from stedi_common.contracts import Column, contract
from stedi_common.records.values import Number, ValueFaultError, day, double, identity, instant, integer, text

Value = str | float | int | date | None

INVALID_UTF8 = "invalid_utf8"
TRUNCATED = "truncated"
BROKEN_JSON = "broken_json"
NOT_AN_OBJECT = "not_an_object"
CORRUPT_GZIP = "corrupt_gzip"
MISSING = "missing_value"

#: They name a person or a device, so they are compared: in lower case.
IDENTITIES = frozenset({"email", "user", "serialnumber"})
#: JSON nested deeper is broken: how deep Python can follow depends on who calls.
DEEPEST = 100

#: What `found` says of a key that occurs twice; no type can read it.
_TWICE = object()
_BRACKET = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"?|([\[{])|([\]}])', re.DOTALL)


class Record(NamedTuple):
    """A line that was understood: its values in the contract's order, and how many of them had to become null."""

    values: tuple[Value, ...]
    nulled: int


class Rejection(NamedTuple):
    """A line that was not, why, and the column at fault. Never its content."""

    reason: str
    column: str | None = None


class Field(NamedTuple):
    """A column, how its value is understood, and whether a record needs it, as its contract says."""

    name: str
    understand: Callable[[object], Value]
    is_required: bool


def record(line: bytes, fields: tuple[Field, ...], is_torn: bool = False) -> Record | Rejection | None:
    """What the line (without its ending) is; None if it is blank. `is_torn`: the file ended before the line did."""
    if not line.strip():
        return None
    try:
        content = parsed(line.decode())
    except UnicodeDecodeError:
        return Rejection(INVALID_UTF8)
    except (ValueError, RecursionError):
        return Rejection(TRUNCATED if is_torn else BROKEN_JSON)
    if not isinstance(content, tuple):
        return Rejection(NOT_AN_OBJECT)
    return _understood(_found(content), fields)


@cache
def fields_of(source: str, latest: int) -> tuple[Field, ...]:
    """The columns of a source; `latest` is the last millisecond an instant may name."""
    return tuple(
        Field(column.name, _conversion(column, latest), column.required)
        for column in contract(f"{source}_landing").source_columns
    )


def record_hash(values: tuple[Value, ...]) -> str:
    """SHA-256 of a customer's typed columns: equal records have equal hashes."""
    return hashlib.sha256(_canonical(values).encode()).hexdigest()


def parsed(line: str) -> object:
    """The JSON value: objects as tuples of (key, value), numbers as written. Raises ValueError if it is none."""
    if line.count("[") + line.count("{") > DEEPEST and _depth(line) > DEEPEST:
        raise ValueError
    return _decode(line)


def _understood(found: dict[str, object], fields: tuple[Field, ...]) -> Record | Rejection:
    values: list[Value] = []
    nulled = 0
    for name, understand, is_required in fields:
        reason = MISSING
        try:
            value = understand(found.get(name))
        except ValueFaultError as fault:
            value, reason = None, fault.reason
            nulled += 1
        if value is None and is_required:
            return Rejection(reason, name)
        values.append(value)
    return Record(tuple(values), nulled)


def _found(content: tuple[tuple[str, object], ...]) -> dict[str, object]:
    """The values by key in lower case. Only ASCII has one: the Kelvin sign is no k."""
    found: dict[str, object] = {}
    for key, value in content:
        name = key.lower() if key.isascii() else key
        found[name] = _TWICE if name in found else value
    return found


def _conversion(column: Column, latest: int) -> Callable[[object], Value]:
    conversions: dict[str, Callable[[object], Value]] = {
        "string": identity if column.name in IDENTITIES else text,
        "double": double,
        "int": partial(integer, bits=32),
        "long": partial(integer, bits=64),
        "timestamp": partial(instant, latest=latest),
        "date": day,
    }
    return conversions[column.type]


def _depth(line: str) -> int:
    depth = deepest = 0
    for bracket in _BRACKET.finditer(line):  # a string is a match too, and neither opens nor closes
        depth += bool(bracket[1]) - bool(bracket[2])
        deepest = max(deepest, depth)
    return deepest


def _refuse(_constant: str) -> NoReturn:
    raise ValueError  # NaN and Infinity are not JSON


_decode: Callable[[str], Any] = json.JSONDecoder(
    object_pairs_hook=tuple, parse_int=Number, parse_float=Number, parse_constant=_refuse
).decode
_canonical = json.JSONEncoder(separators=(",", ":"), default=date.isoformat).encode
