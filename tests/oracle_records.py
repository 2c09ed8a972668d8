"""What a line is, in plain Python: docs/records.md, read by somebody who has not seen the implementation."""

import hashlib
import json
import math
import re
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any, NamedTuple

SOURCES = ("customer", "accelerometer", "step_trainer")
NEEDED_OF_A_CUSTOMER = ("email", "lastupdatedate")

WHITE_SPACE = " \t\n\r\v\f"
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
EPOCH = datetime(1970, 1, 1)
EARLIEST = datetime(2000, 1, 1)
DAY = timedelta(days=1)
DEEPEST = 100
MILLISECOND = timedelta(milliseconds=1)

NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
DATE = re.compile(r"([0-9]{1,4})-([0-9]{2})-([0-9]{2})")
INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]+)?)?"
    r"(?:Z|([+-])([01][0-9]|2[0-3]):?([0-5][0-9]))"
)


class RejectedError(Exception):
    """A line, or a value of one, that cannot be taken, with the reason's code."""

    def __init__(self, reason: str, column: str | None = None):
        super().__init__(reason)
        self.reason, self.column = reason, column


class Line(NamedTuple):
    """A line of a drop without its ending. `flaw` says what a last line lacks: "open" (an ending) or "corrupt"."""

    number: int
    content: bytes
    flaw: str | None = None

    @property
    def is_blank(self) -> bool:
        return self.flaw != "corrupt" and not self.content.strip(WHITE_SPACE.encode())


@dataclass(frozen=True)
class Number:
    """A JSON number as it is written: nothing is rounded before it has to be."""

    written: str


@dataclass(frozen=True)
class Object:
    """A JSON object with all its keys, those that occur twice as well."""

    pairs: tuple[tuple[str, Any], ...]


# Files and lines


def is_drop(name: str) -> bool:
    return name.split("/", maxsplit=1)[0] in SOURCES and name.endswith((".json", ".json.gz"))


def lines(name: str, raw: bytes) -> list[Line]:
    content, is_whole = unzipped(raw) if name.endswith(".gz") else (raw, True)
    *ended, rest = content.removeprefix(BYTE_ORDER_MARK).split(b"\n")
    found = [Line(number, line.removesuffix(b"\r")) for number, line in enumerate(ended, 1)]
    if rest or not is_whole:
        found.append(Line(len(ended) + 1, rest, "open" if is_whole else "corrupt"))
    return found


def unzipped(raw: bytes) -> tuple[bytes, bool]:
    """What can be read of a gzip file, byte by byte up to a break, and whether it ends as it should."""
    content, rest = b"", raw
    while rest:
        member = zlib.decompressobj(16 + zlib.MAX_WBITS)
        while rest and not member.eof:
            try:
                content += member.decompress(rest[:1])
            except zlib.error:
                return content, False
            rest = rest[1:]
        if not member.eof:
            return content, False
        rest = rest.lstrip(b"\0")
    return content, True


# Values: a reader takes a JSON value that is there, a text trimmed of white space


def identity(value: Any) -> str:
    """A text that says who or which: in lower case, ASCII letters only."""
    return text(value).encode().lower().decode()


def text(value: Any) -> str:
    if isinstance(value, Number):
        return whole(value)
    if not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value):
        raise RejectedError("unreadable_value")
    return value


def whole(number: Number) -> str:
    """The digits of a number without a fraction, 40 of them at most."""
    exact = Fraction(number.written)
    if exact.denominator != 1 or abs(exact) >= 10**40:
        raise RejectedError("unreadable_value")
    return str(exact.numerator)


def double(value: Any) -> float:
    number = float(digits(value)) + 0.0
    if not math.isfinite(number):
        raise RejectedError("unreadable_value")
    return number


def int32(value: Any) -> int:
    size = double(value)
    # The size comes first: nobody has time for a great exponent's digits.
    if not -(2**31) <= size < 2**31 or (exact := Decimal(digits(value))) != exact.to_integral_value():
        raise RejectedError("unreadable_value")
    return int(exact)


def day(value: Any) -> date:
    found = isinstance(value, str) and DATE.fullmatch(value)
    if not found:
        raise RejectedError("unreadable_value")
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        raise RejectedError("unreadable_value") from None


def instant(value: Any, arrived_at: datetime) -> datetime:
    milliseconds = since_1970(value)
    if not (EARLIEST - EPOCH) / MILLISECOND <= milliseconds <= (arrived_at + DAY - EPOCH) / MILLISECOND:
        raise RejectedError("wrong_instant")
    return EPOCH + milliseconds * MILLISECOND


def since_1970(value: Any) -> int:
    """Whole milliseconds since 1970, of an epoch number or of a text with its zone."""
    if isinstance(value, str) and (found := INSTANT.fullmatch(value)):
        return milliseconds_of(*found.groups())
    number = Fraction(digits(value))
    return math.floor(number * 1000 if number < 10**11 else number)


def milliseconds_of(*parts: str | None) -> int:
    *to_the_minute, second, fraction, sign, hours, minutes = parts
    try:
        local = datetime(*map(int, to_the_minute), int(second or 0))
    except ValueError:
        raise RejectedError("unreadable_value") from None
    ahead = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    since = local - EPOCH + (ahead if sign == "-" else -ahead)
    return since // MILLISECOND + math.floor(Fraction(fraction or "0") * 1000)


def digits(value: Any) -> str:
    """A number as it is written, be it a JSON number or a text that is one."""
    if isinstance(value, Number):
        return value.written
    if isinstance(value, str) and NUMBER.fullmatch(value):
        return value
    raise RejectedError("unreadable_value")


# Records


def readers(source: str, arrived_at: datetime) -> dict[str, Callable[[Any], Any]]:
    """How each column of a source is read, in the contract's order."""
    moment = partial(instant, arrived_at=arrived_at)
    return {
        "customer": {
            "customername": text,
            "email": identity,
            "phone": text,
            "birthday": day,
            "serialnumber": identity,
            "registrationdate": moment,
            "lastupdatedate": moment,
            "sharewithresearchasofdate": moment,
            "sharewithpublicasofdate": moment,
            "sharewithfriendsasofdate": moment,
        },
        "accelerometer": {"user": identity, "timestamp": moment, "x": double, "y": double, "z": double},
        "step_trainer": {"sensorreadingtime": moment, "serialnumber": identity, "distancefromobject": int32},
    }[source]


def record(source: str, line: Line, arrived_at: datetime) -> tuple[tuple[Any, ...], int]:
    """The typed values of a line, and how many of them are null because nobody can tell. Raises RejectedError."""
    given = parsed(line)
    values, nulled = [], 0
    for column, reader in readers(source, arrived_at).items():
        try:
            values.append(taken(given, column, reader))
        except RejectedError as fault:
            if source != "customer" or column in NEEDED_OF_A_CUSTOMER:
                raise RejectedError(fault.reason, column) from None
            values.append(None)
            nulled += fault.reason != "missing_value"
    return tuple(values), nulled


def parsed(line: Line) -> Object:
    if line.flaw == "corrupt":
        raise RejectedError("corrupt_gzip")
    try:
        content = json.loads(
            line.content.decode(),
            object_pairs_hook=lambda pairs: Object(tuple(pairs)),
            parse_int=Number,
            parse_float=Number,
            parse_constant=not_json,
        )
        if depth(content) > DEEPEST:
            raise RecursionError
    except UnicodeDecodeError:
        raise RejectedError("invalid_utf8") from None
    except (json.JSONDecodeError, RecursionError):
        raise RejectedError("truncated" if line.flaw == "open" else "broken_json") from None
    if not isinstance(content, Object):
        raise RejectedError("not_an_object")
    return content


def depth(value: Any) -> int:
    if not isinstance(value, list | Object):
        return 0
    within = value if isinstance(value, list) else [inner for _, inner in value.pairs]
    return 1 + max(map(depth, within), default=0)


def not_json(constant: str) -> None:
    raise json.JSONDecodeError("not a JSON value", constant, 0)


def taken(given: Object, column: str, reader: Callable[[Any], Any]) -> Any:
    values = [value for key, value in given.pairs if lower(key) == column]
    if len(values) > 1:
        raise RejectedError("unreadable_value")
    value = trimmed(values[0]) if values else None
    if value in (None, ""):
        raise RejectedError("missing_value")
    return reader(value)


def trimmed(value: Any) -> Any:
    return value.strip(WHITE_SPACE) if isinstance(value, str) else value


def lower(key: str) -> str:
    """ASCII letters only: the Kelvin sign is not a k."""
    return "".join(character.lower() if character.isascii() else character for character in key)


def record_hash(values: Iterable[Any]) -> str:
    written = json.dumps([plain(value) for value in values], separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value - EPOCH) // MILLISECOND
    # Not strftime, which writes the year 993 differently on every system.
    return value.isoformat() if isinstance(value, date) else value
