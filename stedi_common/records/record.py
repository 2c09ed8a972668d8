"""What a line is. This is the definition: whatever reads faster must say the same."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from datetime import date, datetime
from functools import cache, lru_cache, partial
from typing import Any, NamedTuple

from stedi_common.contracts import Column, contract
from stedi_common.records import values as typed
from stedi_common.records.framing import unpadded
from stedi_common.records.structure import NO_COLON, WORD, is_word_at
from stedi_common.records.values import END_OF_9999, Number, ValueFaultError
from stedi_common.settings import Limits, ReaderSettings

Value = str | float | int | date | None
#: A JSON object with all its keys, those that occur twice as well.
Object = tuple[tuple[str, object], ...]

INVALID_UTF8 = "invalid_utf8"
TOO_DEEP = "too_deep"
TOO_MANY_KEYS = "too_many_keys"
TRUNCATED = "truncated"
BROKEN_JSON = "broken_json"
NOT_AN_OBJECT = "not_an_object"
DUPLICATE_KEY = "duplicate_key"
MISSING = "missing_value"

#: They name a person or a device, so they are compared: in one spelling.
IDENTITIES = {"email": typed.email, "user": typed.address, "serialnumber": typed.device}
#: What a customer record needs. `lastupdatedate` may be null in the table, of a doubtful line.
_NEEDED_OF_A_CUSTOMER = frozenset({"email", "lastupdatedate"})

#: Stands for a key that occurs twice; no type can read it.
_TWICE = object()
#: Stands for a value that is no JSON; no type can read it.
_UNREADABLE = object()

#: A line of more characters is a long one.
_LONG = 2**16

_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'
_BRACKET = re.compile(rf"{_STRING}|([\[{{])|([\]}}])", re.DOTALL)
_KEY = re.compile(rf"{_STRING}[ \t\n\r]*+(:)?", re.DOTALL)
_WORD = re.compile(rf"{_STRING}|({WORD})", re.DOTALL)
_JSON_WORD = re.compile(f"true|false|null|{typed.NUMBER.pattern}")


class BeyondLimitError(Exception):
    """A line that is not read further, and the limit's reason code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Record(NamedTuple):
    """A line that was understood: its values in the contract's order, the columns that had to become null, its keys."""

    values: tuple[Value, ...]
    nulled: tuple[str, ...]
    content: Object


class Rejection(NamedTuple):
    """A line that is no record, why, and the column at fault.

    Attributes:
        content: the line, if it is an object. It is read for its keys and addresses, and goes nowhere.
    """

    reason: str
    column: str | None = None
    content: Object | None = None


class Field(NamedTuple):
    """A column, how its value is understood, and what a record must have.

    Attributes:
        is_required: a value that is understood.
        is_single: no second key.
    """

    name: str
    understand: Callable[[object], Value]
    is_required: bool
    is_single: bool


def record(line: bytes, fields: tuple[Field, ...], limits: Limits, is_torn: bool = False) -> Record | Rejection | None:
    """What a line is; None if it is blank.

    Args:
        line: the line without its ending.
        fields: the columns of its source.
        limits: what is beyond them is rejected.
        is_torn: the file ended before the line did.
    """
    content = unpadded(line)
    if not content:
        return None
    try:
        value = parsed(content.decode(), limits)
    except UnicodeDecodeError:
        return Rejection(INVALID_UTF8)
    except BeyondLimitError as limit:
        return Rejection(limit.reason)
    except RecursionError:  # a setting may allow more than Python can follow
        return Rejection(TOO_DEEP)
    except ValueError:
        return Rejection(TRUNCATED if is_torn else BROKEN_JSON)
    return _understood(value, fields) if isinstance(value, tuple) else Rejection(NOT_AN_OBJECT)


@cache
def fields_of(source: str, latest: int, settings: ReaderSettings) -> tuple[Field, ...]:
    """The columns of a source; `latest` is the last millisecond that an instant of the past may name."""
    is_customer = source == "customer"
    return tuple(
        Field(
            column.name,
            _conversion(column, latest, settings.limits.digits, settings.zones.get(source)),
            column.required or (is_customer and column.name in _NEEDED_OF_A_CUSTOMER),
            is_single=is_customer,
        )
        for column in contract(f"{source}_landing").source_columns
    )


def record_hash(values: tuple[Value, ...]) -> str:
    """SHA-256 of a customer's typed columns: equal records have equal hashes."""
    return hashlib.sha256(_canonical(values).encode()).hexdigest()


def repeated_hash(digest: str, arrived_at: datetime) -> str:
    """The `record_hash` of a record that is to land again, if an equal one has landed before."""
    return hashlib.sha256(f"{digest} {arrived_at.isoformat()}".encode()).hexdigest()


def parsed(line: str, limits: Limits) -> object:
    """The JSON value: objects as tuples of (key, value), numbers as written.

    In an object a bare word may stand for a value; it is then one that nothing understands.

    Raises:
        BeyondLimitError: the line is, JSON or not.
        ValueError: it is no JSON.
    """
    _expect_within(line, limits)
    decode = _decode if len(line) < _LONG else _decode_long
    try:
        value = decode(line)
    except json.JSONDecodeError as error:
        if error.msg == NO_COLON or not is_word_at(line, error.pos):  # no bare word is what breaks the line
            raise
        understood = _WORD.sub(_as_constant, line)
        if understood == line:  # decoded in vain already
            raise
        value = decode(understood)
        if isinstance(value, tuple):
            return value
        raise
    if not isinstance(value, tuple):
        _decode_strictly(line)
    return value


def found(content: Object) -> dict[str, object]:
    """The values by key in lower case."""
    values: dict[str, object] = {}
    for key, value in content:
        name = key.lower() if key.isascii() else key  # `lowered`, without the call
        values[name] = _TWICE if name in values else value
    return values


def _understood(content: Object, fields: tuple[Field, ...]) -> Record | Rejection:
    given = found(content)
    if len(given) < len(content):
        for field in fields:
            if field.is_single and given.get(field.name) is _TWICE:
                return Rejection(DUPLICATE_KEY, field.name, content)
    values: list[Value] = []
    nulled: list[str] = []
    for name, understand, is_required, _ in fields:
        value, reason = None, MISSING
        if (content_of_key := given.get(name)) is not None:
            try:
                value = understand(content_of_key)
            except ValueFaultError as fault:
                reason = fault.reason
                nulled.append(name)
        if value is None and is_required:
            return Rejection(reason, name, content)
        values.append(value)
    return Record(tuple(values), tuple(nulled), content)


def _conversion(column: Column, latest: int, digits: int, zone: str | None) -> Callable[[object], Value]:
    if column.type == "date":
        return typed.day
    last = END_OF_9999 if column.may_begin_later else latest
    conversions: dict[str, Callable[..., Value]] = {
        "string": IDENTITIES.get(column.name, typed.text),
        "double": typed.double,
        "int": partial(typed.integer, bits=32),
        "long": partial(typed.integer, bits=64),
        "timestamp": partial(typed.instant, latest=last, zone=zone),
    }
    return partial(conversions[column.type], digits=digits)


def _expect_within(line: str, limits: Limits) -> None:
    """Look for what is beyond a limit. A rough count spares most lines the exact one."""
    if line.count("[") + line.count("{") > limits.nesting and _is_deeper(line, limits.nesting):
        raise BeyondLimitError(TOO_DEEP)
    if line.count(":") > limits.keys and sum(1 for key in _KEY.finditer(line) if key[1]) > limits.keys:
        raise BeyondLimitError(TOO_MANY_KEYS)


def _is_deeper(line: str, nesting: int) -> bool:
    depth = 0
    for bracket in _BRACKET.finditer(line):  # a string is a match too, and neither opens nor closes
        depth += bool(bracket[1]) - bool(bracket[2])
        if depth > nesting:
            return True
    return False


def _as_constant(match: re.Match[str]) -> str:
    """A word that is no JSON as one that the decoder takes for a constant."""
    word = match[1]
    return match[0] if word is None or _JSON_WORD.fullmatch(word) else "NaN"


def _constant(_word: str) -> object:
    return _UNREADABLE


def _refuse(_word: str) -> object:
    raise ValueError


def _decoder(number: Callable[[str], object]) -> Callable[[str], Any]:
    return json.JSONDecoder(
        object_pairs_hook=tuple, parse_int=number, parse_float=number, parse_constant=_constant
    ).decode


_decode = _decoder(Number)
#: Millions of short numbers would fill the memory. Most of them are equal.
_decode_long = _decoder(lru_cache(2**12)(Number))
_decode_strictly = json.JSONDecoder(parse_int=Number, parse_constant=_refuse).decode
_canonical = json.JSONEncoder(separators=(",", ":"), default=date.isoformat).encode
