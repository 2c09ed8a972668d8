"""Other ways to write a record: those that mean the same, and those that mean nothing (docs/records.md)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from stedi_common.generate.spelling import KEYS, REQUIRED, Record, iso, line

T = TypeVar("T")


class Dice:
    """A large number, used up by choosing."""

    def __init__(self, number: int) -> None:
        self._number = number

    def choose(self, options: Sequence[T]) -> T:
        """One of the options."""
        self._number, which = divmod(self._number, len(options))
        return options[which]


def canonical(record: Record) -> str:
    """The record as the published data writes it: customers are spaced out, readings are not."""
    return line(record.values, ", ", ": ") if record.source == "customer" else line(record.values)


def same(record: Record, dice: Dice) -> bytes:
    """The record, written otherwise."""
    return dice.choose(_SAME)(record, dice).encode()


def blank(dice: Dice) -> bytes:
    """A line of padding."""
    return dice.choose((b"", b" ", b"   ", b"\t", b" \t ", b",", b"\0\0"))


def rejected(record: Record, dice: Dice) -> tuple[str, bytes]:
    """A line about the record that is to be rejected, and the reason. Never the last line without its ending.

    Of a customer no address is left in it.
    """
    kinds = _WITHOUT_ADDRESS if record.source == "customer" else _REJECTED
    reason = dice.choose(tuple(kinds))
    return reason, kinds[reason](record, dice)


def doubtful(record: Record, dice: Dice) -> tuple[str, bytes]:
    """A line about the record of a customer, and nobody else, that is no record, and the reason of the doubt."""
    reason = dice.choose(tuple(_DOUBTFUL))
    return reason, _DOUBTFUL[reason](record, dice)


def cut(record_line: str, dice: Dice, after: str = "") -> str:
    """The beginning of a line. What stands up to the end of `after` stays."""
    least = record_line.index(after) + len(after) or 1
    return record_line[: dice.choose(range(least, len(record_line)))]


def nulled(record: Record, key: str, dice: Dice) -> bytes:
    """The record with a value of this key that nobody understands."""
    too_late = () if key.startswith("shareWith") else _TOO_LATE  # a consent may begin later
    wrong = (*_TOO_EARLY, *too_late) if record.sort(key) == "instant" else ()
    bad = dice.choose((*_UNREADABLE[record.sort(key)], *wrong))
    return line(record.values | {key: bad}, ", ", ": ").encode()


# The same in other words


def _other_value(record: Record, dice: Dice) -> str:
    key = dice.choose(tuple(record.values))
    value = _OTHER_VALUES[record.sort(key)](record.values[key], dice)
    return line(record.values | {key: value})


def _other_key(record: Record, dice: Dice) -> str:
    key = dice.choose(tuple(record.values))
    other = dice.choose(
        (key.upper(), key.lower(), key.capitalize(), "timeStamp" if key == "timestamp" else key.upper())
    )
    return line({other if name == key else name: value for name, value in record.values.items()})


def _unknown_key(record: Record, dice: Dice) -> str:
    known_to_nobody = (
        *(("appVersion", '"2.1.0"'), ("battery", "0.5"), ("tags", '["a", {"x": null}]'), ("", "true")),
        *(("rssi", "NaN"), ("flags", "0x1F")),
    )
    unknown = dice.choose(known_to_nobody)
    return line(dict([unknown]) | record.values) if dice.choose((0, 1)) else line(record.values | dict([unknown]))


def _other_order(record: Record, dice: Dice) -> str:
    keys = list(record.values)
    turn = dice.choose(range(len(keys)))
    return line({key: record.values[key] for key in reversed(keys[turn:] + keys[:turn])})


def _other_spaces(record: Record, dice: Dice) -> str:
    comma, colon = dice.choose(((", ", ": "), (" , ", " : "), (",\t", ":\t")))
    pad = dice.choose(("", " ", "\t"))
    return pad + line(record.values, comma, colon) + pad


def _padded(record: Record, _: Dice) -> str:
    """As in an array of lines, or behind another record."""
    return f"{line(record.values)},"


def _escaped(record: Record, dice: Dice) -> str:
    """Characters by number, in a text and in its key."""
    texts = [key for key in record.values if record.sort(key) in ("name", "address")]
    key = dice.choose(texts)
    value = "".join(f"\\u{ord(c):04x}" for c in json.loads(record.values[key]))
    names = {key: f"\\u{ord(key[0]):04x}{key[1:]}"} if dice.choose((0, 1)) else {}
    return line({names.get(k, k): f'"{value}"' if k == key else v for k, v in record.values.items()})


def _explicit_null(record: Record, dice: Dice) -> str:
    missing = {key: "null" for key in KEYS[record.source] if key not in record.values}
    return line(record.values | missing) if missing else _other_value(record, dice)


_SAME: tuple[Callable[[Record, Dice], str], ...] = (
    _other_value,
    _other_value,
    _other_key,
    _unknown_key,
    _other_order,
    _other_spaces,
    _padded,
    _escaped,
    _explicit_null,
)


def _other_name(value: str, dice: Dice) -> str:
    return value.replace('"', dice.choose(('" ', '"\\t')), 1)


def _other_address(value: str, dice: Dice) -> str:
    cased = dice.choose((value, value.upper(), value.lower()))
    # The zero-width space and the full width of an @ are what people copy from elsewhere.
    seen = dice.choose((cased, cased, f'"\u200b{cased[1:]}', cased.replace("@", "\uff20")))
    return dice.choose((f'"  {seen[1:]}', f'{seen[:-1]} "', f'{seen[:-1]}\\n"', seen))


def _other_digits(value: str, dice: Dice) -> str:
    return dice.choose(("{}", "{}.0", '" {} "', "{}e0")).format(value.strip('"'))


def _other_date(value: str, dice: Dice) -> str:
    year, rest = value.strip('"').split("-", 1)
    return f'"{year:>04}-{rest}"'


def _other_double(value: str, dice: Dice) -> str:
    if value == "0.0":
        return dice.choose(("-0.0", "0", "0e5", '"-0"'))
    thousandths = f"{round(float(value) * 1000)}e-3"
    return dice.choose((f'"{value}"', f'" {value} "', f"{value}00", thousandths, f'"{thousandths}"'))


def _other_int(value: str, dice: Dice) -> str:
    return dice.choose((f'"{value}"', f"{value}.0", f"{value}e0", f'"{value}.0"', f"{value}0e-1"))


def _other_instant(value: str, dice: Dice) -> str:
    return dice.choose((_as_number, _as_iso, _as_seconds))(int(value), dice)


def _as_number(instant: int, dice: Dice) -> str:
    digits = str(instant)
    exponent = f"{digits[0]}.{digits[1:]}e{len(digits) - 1}"
    finer = dice.choose((f"{instant}000", f"{instant}999", f'"{instant}000"', f"{instant}000000"))
    return dice.choose((f"{instant}.0", f'"{instant}"', f'"{instant}.0 "', exponent, finer))


def _as_iso(instant: int, dice: Dice) -> str:
    east, west = iso(instant + 5_400_000), iso(instant - 18_000_000)
    local = dice.choose((iso(instant), iso(instant).replace("T", " "), iso(instant).replace(".", ",")))
    utc = dice.choose((f"{local}Z", f"{local}999Z", f"{local}+00:00", f"{local} UTC", f"{local}+00"))
    return f'"{dice.choose((utc, f"{east}+01:30", f"{west}-0500"))}"'


def _as_seconds(instant: int, dice: Dice) -> str:
    seconds = f"{instant // 1000}.{instant % 1000:03d}".removesuffix(".000")
    # Cut to the millisecond, some fractions would lose one: those are no way to write the same.
    exact = int(float(seconds) * 1000) == instant
    return dice.choose((seconds, f'"{seconds}"')) if exact else str(instant)


_OTHER_VALUES: dict[str, Callable[[str, Dice], str]] = {
    "name": _other_name,
    "address": _other_address,
    "digits": _other_digits,
    "date": _other_date,
    "double": _other_double,
    "int": _other_int,
    "instant": _other_instant,
}


# What means nothing

_UNREADABLE = {
    "name": ("true", "[]", "1.5", '"\\ud800"'),
    "address": ("true", '{"id": 1}', "1.5", '["a name"]', '"\\udc00"'),
    "digits": ("false", "[8005550100]", "800555.5"),
    "date": ('"01/02/1980"', "19800102", '"1980-13-01"', '"0000-01-01"', '"1980-1-1"', "true"),
    "double": ("true", '"fast"', "[0.1]", "1e999", '"NaN"', '"0,5"', "NaN", "-Infinity"),
    "int": ("218.5", "4294967296", '"far"', "false", '"-"', "[200]", "NaN", "0x1F"),
    "instant": ('"yesterday"', "true", '"2024-03-01 10:00:00"', '"2024-13-01T00:00:00Z"', "[1709283600000]"),
}
_TOO_EARLY = ("0", "-1", "86400", "946684799999", '"1999-12-31T23:59:59.999Z"')
_TOO_LATE = ("4102444800000", '"2100-01-01T00:00:00Z"')


def _invalid_utf8(record: Record, dice: Dice) -> bytes:
    whole = line(record.values).encode()
    return dice.choose((b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf")).join((whole[:4], whole[4:]))


def _misplaced(record: Record, dice: Dice) -> bytes:
    """Broken JSON in which every value stands."""
    whole = line(record.values)
    name, value = dice.choose(tuple(record.values.items()))
    doubled = line(record.values | {name: f"{value} {value}"})
    return dice.choose((whole + "}", whole[:-1] + ",}", whole + ' "', doubled)).encode()


def _broken_json(record: Record, dice: Dice) -> bytes:
    whole = line(record.values)
    broken = (cut(whole, dice), whole.replace('"', "'"), "not a record")
    return dice.choose((*(text.encode() for text in broken), _misplaced(record, dice)))


def _not_an_object(_: Record, dice: Dice) -> bytes:
    return dice.choose((b"null", b"42", b'"a line"', b"true", b'["a line"]'))


def _missing_value(record: Record, dice: Dice) -> bytes:
    key = dice.choose(REQUIRED[record.source])
    if dice.choose((0, 1)):
        return line({name: value for name, value in record.values.items() if name != key}).encode()
    return line(record.values | {key: dice.choose(("null", '""', '" "', '"\\t"'))}).encode()


def _unreadable_value(record: Record, dice: Dice, but: str = "") -> bytes:
    key = dice.choose([key for key in REQUIRED[record.source] if key != but])
    return line(record.values | {key: dice.choose(_UNREADABLE[record.sort(key)])}).encode()


def _unreadable_or_twice(record: Record, dice: Dice) -> bytes:
    """Of a reading a key that occurs twice is a value that nobody understands."""
    return dice.choose((_unreadable_value, _unreadable_value, _twice))(record, dice)


def _twice(record: Record, dice: Dice) -> bytes:
    key = dice.choose(tuple(key for key in record.values if key in KEYS[record.source]))
    twice = f'{record.values[key]},"{dice.choose((key, key.upper()))}":{record.values[key]}'
    return line(record.values | {key: twice}).encode()


def _wrong_instant(record: Record, dice: Dice) -> bytes:
    key = dice.choose([key for key in REQUIRED[record.source] if record.sort(key) == "instant"])
    return line(record.values | {key: dice.choose((*_TOO_EARLY, *_TOO_LATE))}).encode()


_Kinds = dict[str, Callable[[Record, Dice], bytes]]

_REJECTED: _Kinds = {
    "invalid_utf8": _invalid_utf8,
    "broken_json": _broken_json,
    "not_an_object": _not_an_object,
    "missing_value": _missing_value,
    "unreadable_value": _unreadable_or_twice,
    "wrong_instant": _wrong_instant,
}


# What is about a customer, and no record


def _address_alone(record: Record, dice: Dice) -> bytes:
    address = record.values["email"]
    return dice.choose((address, f"[{address}]")).encode()


def _broken_behind_the_address(record: Record, dice: Dice) -> bytes:
    behind = cut(line(record.values), dice, after=record.values["email"]).encode()
    return dice.choose((behind, _misplaced(record, dice)))


def _with_address_elsewhere(kind: Callable[[Record, Dice], bytes]) -> Callable[[Record, Dice], bytes]:
    """The kind, with the address under a key that nobody knows as well."""
    return lambda record, dice: kind(
        Record(record.source, record.values | {"contact": f'{{"mail":{record.values["email"]}}}'}), dice
    )


_DOUBTFUL: _Kinds = {
    "invalid_utf8": _invalid_utf8,
    "broken_json": _broken_behind_the_address,
    "not_an_object": _address_alone,
    "missing_value": _with_address_elsewhere(_missing_value),
    # Whoever else is named: if the email cannot be read, it is nobody's line.
    "unreadable_value": _with_address_elsewhere(partial(_unreadable_value, but="email")),
    "wrong_instant": _wrong_instant,
    "duplicate_key": _twice,
}


def _without_address(kind: Callable[[Record, Dice], bytes]) -> Callable[[Record, Dice], bytes]:
    """The kind, of a record that has no address."""
    return lambda record, dice: kind(
        Record(record.source, {key: value for key, value in record.values.items() if key != "email"}), dice
    )


def _nobodys_email(record: Record, dice: Dice) -> bytes:
    return line(record.values | {"email": dice.choose((*_UNREADABLE["address"], '"somebody"', '"@"'))}).encode()


_WITHOUT_ADDRESS: _Kinds = {
    "invalid_utf8": _without_address(_invalid_utf8),
    "broken_json": _without_address(_broken_json),
    "not_an_object": _not_an_object,
    "missing_value": _without_address(lambda record, _: line(record.values).encode()),
    "unreadable_value": _nobodys_email,
    "duplicate_key": _without_address(_twice),
}
