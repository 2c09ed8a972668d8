"""What a single JSON value is understood as. Knows nothing of lines, files or Arrow."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from math import isfinite

from stedi_common.identity import SPACE, normalised

UNREADABLE = "unreadable_value"
WRONG = "wrong_instant"

#: 2000-01-01 in milliseconds since 1970. No instant of this product is older.
EARLIEST = 946_684_800_000
#: A number below is seconds, else it is milliseconds.
FIRST_MILLISECONDS = 10**11
#: A number with more digits is not text: `1e999999` would become a megabyte of zeros.
MOST_DIGITS = 40

_EPOCH = datetime(1970, 1, 1)
_MILLISECOND = timedelta(milliseconds=1)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_DATE = re.compile(r"([0-9]{1,4})-([0-9]{2})-([0-9]{2})")
_INSTANT = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]+))?)?"
    r"(?:Z|([+-])([01][0-9]|2[0-3]):?([0-5][0-9]))"
)


class Number(str):
    """A JSON number as it was written: no digit is lost, and none is computed before its type is known."""

    __slots__ = ()


class ValueFaultError(Exception):
    """A value that cannot be used, and why. Never holds the value."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def text(value: object) -> str | None:
    """A string, trimmed, or the digits of a number without a fraction. None if it is missing."""
    scalar = _scalar(value)
    if type(scalar) is Number:
        return _digits(scalar)
    if scalar and not scalar.isascii():
        _expect_unicode(scalar)
    return scalar


def identity(value: object) -> str | None:
    """A text that names a person or a device."""
    name = text(value)
    return name and normalised(name)


def double(value: object) -> float | None:
    """A finite 64-bit float, without a negative zero. None if it is missing."""
    scalar = _scalar(value)
    if scalar is None:
        return None
    number = float(_number(scalar))
    if not isfinite(number):
        raise ValueFaultError(UNREADABLE)
    return number + 0.0


def integer(value: object, bits: int) -> int | None:
    """A number without a fraction that fits so many bits, signed. None if it is missing."""
    scalar = _scalar(value)
    if scalar is None:
        return None
    number = _whole(_number(scalar))
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise ValueFaultError(UNREADABLE)
    return number


def instant(value: object, latest: int) -> int | None:
    """Milliseconds since 1970, neither before 2000 nor after `latest`. None if it is missing."""
    scalar = _scalar(value)
    if scalar is None:
        return None
    is_number = type(scalar) is Number or _NUMBER.fullmatch(scalar)
    milliseconds = _since_1970(scalar) if is_number else _of_calendar(scalar)
    if not EARLIEST <= milliseconds <= latest:
        raise ValueFaultError(WRONG)
    return milliseconds


def day(value: object) -> date | None:
    """A calendar day; published birthdays have years of three digits. None if it is missing."""
    scalar = _scalar(value)
    if scalar is None:
        return None
    match = None if type(scalar) is Number else _DATE.fullmatch(scalar)
    if match is None:
        raise ValueFaultError(UNREADABLE)
    try:
        return date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise ValueFaultError(UNREADABLE) from None


def _scalar(value: object) -> str | None:
    """The trimmed string or the number; None if it is missing. `true`, arrays and objects are neither."""
    if type(value) is str:
        return value.strip(SPACE) or None
    if value is None or type(value) is Number:
        return value
    raise ValueFaultError(UNREADABLE)


def _number(scalar: str) -> str:
    if type(scalar) is Number or _NUMBER.fullmatch(scalar):
        return scalar
    raise ValueFaultError(UNREADABLE)


def _digits(number: str) -> str:
    if number.isdigit() and len(number) <= MOST_DIGITS:
        return str(number)
    return str(_whole(number))


def _whole(number: str) -> int:
    exact = _decimal(number)
    # The size comes first: int() of a great exponent would not end.
    if exact and (exact.adjusted() >= MOST_DIGITS or exact != int(exact)):
        raise ValueFaultError(UNREADABLE)
    return int(exact) if exact else 0


def _expect_unicode(string: str) -> None:
    try:
        string.encode()
    except UnicodeEncodeError:  # JSON can escape half a surrogate pair
        raise ValueFaultError(UNREADABLE) from None


def _since_1970(number: str) -> int:
    if number.isdigit() and len(number) < 16:
        amount = int(number)
        return amount * 1000 if amount < FIRST_MILLISECONDS else amount
    # A rough look keeps great exponents away from exact arithmetic. All that it sends away is wrong anyhow.
    if not 9e8 <= float(number) < 1e15:
        raise ValueFaultError(WRONG)
    exact = _decimal(number)
    if exact < FIRST_MILLISECONDS:
        return int(exact.quantize(Decimal("0.001"), rounding=ROUND_DOWN) * 1000)
    return int(exact)


def _decimal(number: str) -> Decimal:
    try:
        return Decimal(number)
    except ArithmeticError:  # an exponent of twenty digits
        raise ValueFaultError(UNREADABLE) from None


def _of_calendar(string: str) -> int:
    match = _INSTANT.fullmatch(string)
    if match is None:
        raise ValueFaultError(UNREADABLE)
    *parts, fraction, sign, hours, minutes = match.groups()
    try:
        local = datetime(*(int(part or 0) for part in parts))  # type: ignore[arg-type]  # six numbers
    except ValueError:
        raise ValueFaultError(UNREADABLE) from None
    offset = (int(hours) * 60 + int(minutes)) * 60_000 if sign else 0
    local_milliseconds = (local - _EPOCH) // _MILLISECOND + int(f"{fraction or ''}000"[:3])
    return local_milliseconds + offset if sign == "-" else local_milliseconds - offset
