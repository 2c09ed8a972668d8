"""What a single JSON value is understood as. Knows nothing of lines, files or Arrow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_DOWN, Decimal
from math import isfinite
from zoneinfo import ZoneInfo

from stedi_common.instants import EPOCH
from stedi_common.rules import identity
from stedi_common.settings import Limits

UNREADABLE = "unreadable_value"
WRONG = "wrong_instant"

#: 2000-01-01 in milliseconds since 1970. No instant of this product is older.
EARLIEST = 946_684_800_000
#: The last millisecond of the year 9999, the last that a timestamp can hold everywhere.
END_OF_9999 = 253_402_300_799_999
#: A number below is seconds; then each unit has its thousand times more: milliseconds, microseconds, nanoseconds.
FIRST_MILLISECONDS = 10**11
FIRST_MICROSECONDS = 10**14
FIRST_NANOSECONDS = 10**17
#: A number with more digits is not text: `1e999999` would become a megabyte of zeros.
MOST_DIGITS = 40
#: A number with more digits is not read, of whatever type.
DIGITS = Limits().digits

#: Milliseconds of our time, as almost every instant is written.
_USUAL_DIGITS = 13

EPOCH_DAY = EPOCH.toordinal()
_MILLISECOND = timedelta(milliseconds=1)
_THOUSANDTH = Decimal("0.001")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

#: As almost every name is written: normalised by lower-casing alone.
_USUAL_EMAIL = re.compile(
    r"[A-Za-z0-9_+]{1,64}(?:[.-][A-Za-z0-9_+]{1,64}){0,9}@[A-Za-z0-9]{1,63}(?:[.-][A-Za-z0-9]{1,63}){1,9}"
)
_USUAL_DEVICE = re.compile(r"[A-Za-z0-9]{1,64}(?:-[A-Za-z0-9]{1,64}){0,9}")
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NO_DIGITS = "+-.eE"
_DATE = re.compile(r"([0-9]{1,4})-([0-9]{2})-([0-9]{2})")
_OFFSET = r"(?P<sign>[+\-\u2212])(?P<hours>[01][0-9]|2[0-3])(?::?(?P<minutes>[0-5][0-9]))?"
_ZONE = rf"(?: ?(?P<zone>Z|z|UTC|GMT|Z\[UTC\]|{_OFFSET}))?"
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,](?P<fraction>[0-9]+))?)?"
_CALENDAR = tuple(
    re.compile(form)
    for form in (
        rf"(?P<year>[0-9]{{4}})-(?P<month>[0-9]{{2}})-(?P<day>[0-9]{{2}})[Tt ]{_TIME}{_ZONE}",
        r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})"
        rf"T(?P<hour>[0-9]{{2}})(?P<minute>[0-9]{{2}})(?P<second>[0-9]{{2}})?{_ZONE}",
        rf"(?P<weekday>{'|'.join(_WEEKDAYS)}), (?P<day>[0-9]{{1,2}}) (?P<month>{'|'.join(_MONTHS)})"
        r" (?P<year>[0-9]{4}) (?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2}))?"
        r" (?P<zone>GMT|UTC?|(?P<sign>[+-])(?P<hours>[01][0-9]|2[0-3])(?P<minutes>[0-5][0-9]))",
    )
)
_MICROSOFT = re.compile(r"/Date\((-?[0-9]+)\)/")
#: How an instant may be written beside a number.
INSTANT_FORMS = (_MICROSOFT, *_CALENDAR)


class Number(str):
    """A JSON number as it was written: no digit is lost, and none is computed before its type is known."""

    __slots__ = ()


class ValueFaultError(Exception):
    """A value that cannot be used, and why. Never holds the value."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def is_text(string: str) -> bool:
    """Whether it has no half of a surrogate pair, which JSON can escape and no table can keep."""
    if string.isascii():
        return True
    try:
        string.encode()
    except UnicodeEncodeError:
        return False
    return True


def text(value: object, digits: int = DIGITS) -> str | None:
    """A string, trimmed, or the digits of a number without a fraction. None if it is missing.

    Args:
        value: what the key has: a string, a `Number`, None, or anything else, which is unreadable.
        digits: a number with more digits is unreadable.

    Raises:
        ValueFaultError: it is unreadable.
    """
    scalar = _scalar(value)
    if type(scalar) is Number:
        return _digits(_number(scalar, digits))
    if scalar and not scalar.isascii() and not is_text(scalar):
        raise ValueFaultError(UNREADABLE)
    return scalar


def address(value: object, digits: int = DIGITS) -> str | None:
    """A text that names a person, normalised. None if nothing is left of it."""
    name = text(value, digits)
    return (name and identity.address(name)) or None


def email(value: object, digits: int = DIGITS) -> str | None:
    """The same, but only an address."""
    if type(value) is str and _USUAL_EMAIL.fullmatch(value):
        return value.lower()
    written = text(value, digits)
    name = written and identity.address(written)
    if written and name and not (identity.is_address(name) and identity.is_spelled_out(written)):
        raise ValueFaultError(UNREADABLE)
    return name or None


def device(value: object, digits: int = DIGITS) -> str | None:
    """A text that names a device, normalised. None if nothing is left of it."""
    if type(value) is str and _USUAL_DEVICE.fullmatch(value):
        return value.lower()
    name = text(value, digits)
    return (name and identity.device(name)) or None


def double(value: object, digits: int = DIGITS) -> float | None:
    """A finite 64-bit float, without a negative zero. None if it is missing."""
    scalar = _scalar(value)
    if scalar is None:
        return None
    number = float(_number(scalar, digits))
    if not isfinite(number):
        raise ValueFaultError(UNREADABLE)
    return number + 0.0


def integer(value: object, bits: int, digits: int = DIGITS) -> int | None:
    """A number without a fraction that fits so many bits, signed. None if it is missing."""
    scalar = _scalar(value)
    if scalar is None:
        return None
    number = _whole(_number(scalar, digits))
    if not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise ValueFaultError(UNREADABLE)
    return number


def instant(value: object, latest: int, zone: str | None = None, digits: int = DIGITS) -> int | None:
    """Milliseconds since 1970, neither before 2000 nor after `latest`. None if it is missing.

    Args:
        value: as for `text`.
        latest: the last millisecond that is not wrong; `END_OF_9999` for what may begin later.
        zone: the IANA zone of local times, of which a string then needs none.
        digits: a number with more digits is unreadable.

    Raises:
        ValueFaultError: it is unreadable, or wrong.
    """
    if type(value) is Number and len(value) == _USUAL_DIGITS and value.isdigit() and int(value) <= latest:
        return int(value)
    scalar = _scalar(value)
    if scalar is None:
        return None
    if type(scalar) is Number or NUMBER.fullmatch(scalar):
        milliseconds = _since_1970(_number(scalar, digits))
    elif match := _MICROSOFT.fullmatch(scalar):
        milliseconds = int(_plausible(_expect_digits(match[1], digits)))
    else:
        milliseconds = _of_calendar(scalar, zone)
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
        return value.strip(identity.SPACE) or None
    if value is None or type(value) is Number:
        return value
    raise ValueFaultError(UNREADABLE)


def _number(scalar: str, digits: int) -> str:
    if type(scalar) is Number or NUMBER.fullmatch(scalar):
        return _expect_digits(scalar, digits)
    raise ValueFaultError(UNREADABLE)


def _expect_digits(number: str, most: int) -> str:
    if len(number) > most and len(number) - sum(map(number.count, _NO_DIGITS)) > most:
        raise ValueFaultError(UNREADABLE)
    return number


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


def _since_1970(number: str) -> int:
    """Milliseconds, cut, of a number whose size tells its unit."""
    exact = _plausible(number)
    if exact < FIRST_MILLISECONDS:
        return int(exact.quantize(_THOUSANDTH, rounding=ROUND_DOWN) * 1000)
    if exact < FIRST_MICROSECONDS:
        return int(exact)
    return int(exact) // (1000 if exact < FIRST_NANOSECONDS else 1_000_000)


def _plausible(number: str) -> Decimal:
    """The exact number. What a rough look sends away is wrong in every unit, and great exponents are never computed."""
    if not 9e8 <= float(number) < 3e20:
        raise ValueFaultError(WRONG)
    return _decimal(number)


def _decimal(number: str) -> Decimal:
    try:
        return Decimal(number)
    except ArithmeticError:  # an exponent of twenty digits
        raise ValueFaultError(UNREADABLE) from None


def _of_calendar(string: str, zone: str | None) -> int:
    match = next(filter(None, (form.fullmatch(string) for form in _CALENDAR)), None)
    if match is None:
        raise ValueFaultError(UNREADABLE)
    parts = match.groupdict(default="")
    local = _local(parts)
    if parts["sign"]:
        offset = (int(parts["hours"]) * 60 + int(parts["minutes"] or 0)) * 60_000
        return local - offset if parts["sign"] == "+" else local + offset
    if parts["zone"]:
        return local
    if zone is None:
        raise ValueFaultError(UNREADABLE)
    return local - _offset(local, ZoneInfo(zone))


def _local(parts: Mapping[str, str]) -> int:
    """The milliseconds from 1970 to what the clock and the calendar on the wall say."""
    day = _calendar_day(parts)
    hour, minute, second = (int(parts[name] or 0) for name in ("hour", "minute", "second"))
    fraction = parts.get("fraction", "")
    is_end_of_day = hour == 24 and not (minute or second or fraction.strip("0"))
    if (hour > 23 and not is_end_of_day) or minute > 59 or second > 60:  # 60 is a leap second
        raise ValueFaultError(UNREADABLE)
    seconds = ((day.toordinal() - EPOCH_DAY) * 24 + hour) * 3600 + minute * 60 + second
    return seconds * 1000 + int(f"{fraction[:3]:0<3}")


def _calendar_day(parts: Mapping[str, str]) -> date:
    month = parts["month"]
    number = int(month) if month.isdigit() else _MONTHS.index(month) + 1
    try:
        day = date(int(parts["year"]), number, int(parts["day"]))
    except ValueError:
        raise ValueFaultError(UNREADABLE) from None
    if parts.get("weekday", "") not in {"", _WEEKDAYS[day.weekday()]}:
        raise ValueFaultError(UNREADABLE)
    return day


def _offset(local: int, zone: ZoneInfo) -> int:
    """How far the zone is ahead of UTC, in milliseconds, when its clocks say so."""
    try:
        clock = (EPOCH + local * _MILLISECOND).replace(tzinfo=zone)
    except OverflowError:  # the midnight after the last day that Python knows
        raise ValueFaultError(WRONG) from None
    early, late = clock.utcoffset(), clock.replace(fold=1).utcoffset()
    if early is None or early != late:  # the clocks say so twice, or never
        raise ValueFaultError(UNREADABLE)
    return early // _MILLISECOND
