"""Other ways to write a record that mean the same, and ways that mean nothing (docs/records.md says which is which)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
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
    """A line of white space."""
    return dice.choose((b"", b" ", b"   ", b"\t", b" \t "))


def rejected(record: Record, dice: Dice) -> tuple[str, bytes]:
    """A line about the record that is to be rejected, and the reason. Never the last line without its ending."""
    reason = dice.choose(tuple(_REJECTED))
    return reason, _REJECTED[reason](record, dice)


def cut(record_line: str, dice: Dice) -> str:
    """The beginning of a line."""
    return record_line[: dice.choose(range(1, len(record_line)))]


def nulled(record: Record, key: str, dice: Dice) -> bytes:
    """The record with a value of this key that nobody understands."""
    wrong = _WRONG if record.sort(key) == "instant" else ()
    bad = dice.choose((*_UNREADABLE[record.sort(key)], *wrong, f'null, "{key.upper()}": null'))
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
    unknown = dice.choose((("appVersion", '"2.1.0"'), ("battery", "0.5"), ("tags", '["a", {"x": null}]'), ("", "true")))
    return line(dict([unknown]) | record.values) if dice.choose((0, 1)) else line(record.values | dict([unknown]))


def _other_order(record: Record, dice: Dice) -> str:
    keys = list(record.values)
    turn = dice.choose(range(len(keys)))
    return line({key: record.values[key] for key in reversed(keys[turn:] + keys[:turn])})


def _other_spaces(record: Record, dice: Dice) -> str:
    comma, colon = dice.choose(((", ", ": "), (" , ", " : "), (",\t", ":\t")))
    pad = dice.choose(("", " ", "\t"))
    return pad + line(record.values, comma, colon) + pad


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
    _escaped,
    _explicit_null,
)


def _other_name(value: str, dice: Dice) -> str:
    return value.replace('"', dice.choose(('" ', '"\\t')), 1)


def _other_address(value: str, dice: Dice) -> str:
    cased = dice.choose((value, value.upper(), value.lower()))
    return dice.choose((f'"  {cased[1:]}', f'{cased[:-1]} "', f'{cased[:-1]}\\n"', cased))


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
    return dice.choose((f"{instant}.0", f'"{instant}"', f'"{instant}.0 "', exponent))


def _as_iso(instant: int, dice: Dice) -> str:
    east, west = iso(instant + 5_400_000), iso(instant - 18_000_000)
    utc = dice.choose((f"{iso(instant)}Z", f"{iso(instant)}999Z", f"{iso(instant).replace('T', ' ')}+00:00"))
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
    "address": ("true", '{"id": 1}', "1.5", '["a@example.com"]', '"\\udc00"'),
    "digits": ("false", "[8005550100]", "800555.5"),
    "date": ('"01/02/1980"', "19800102", '"1980-13-01"', '"0000-01-01"', '"1980-1-1"', "true"),
    "double": ("true", '"fast"', "[0.1]", "1e999", '"NaN"', '"0,5"'),
    "int": ("218.5", "4294967296", '"far"', "false", '"-"', "[200]"),
    "instant": ('"yesterday"', "true", '"2024-03-01 10:00:00"', '"2024-13-01T00:00:00Z"', "[1709283600000]"),
}
_WRONG = ("0", "-1", "86400", "946684799999", '"1999-12-31T23:59:59.999Z"', "4102444800000", '"2100-01-01T00:00:00Z"')


def _invalid_utf8(record: Record, dice: Dice) -> bytes:
    whole = line(record.values).encode()
    return dice.choose((b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf")).join((whole[:4], whole[4:]))


def _broken_json(record: Record, dice: Dice) -> bytes:
    whole = line(record.values)
    name, value = dice.choose(tuple(record.values.items()))
    broken = (
        cut(whole, dice),
        whole.replace('"', "'"),
        whole + "}",
        whole + whole,
        whole[:-1] + ",}",
        line(record.values | {name: "NaN"}),
        line(record.values | {name: "-Infinity"}),
        line(record.values | {name: f"{value} {value}"}),
        "not a record",
    )
    return dice.choose(broken).encode()


def _not_an_object(record: Record, dice: Dice) -> bytes:
    return dice.choose((f"[{line(record.values)}]", "null", "42", '"a line"', "true", "[]")).encode()


def _missing_value(record: Record, dice: Dice) -> bytes:
    key = dice.choose(REQUIRED[record.source])
    if dice.choose((0, 1)):
        return line({name: value for name, value in record.values.items() if name != key}).encode()
    return line(record.values | {key: dice.choose(("null", '""', '" "', '"\\t"'))}).encode()


def _unreadable_value(record: Record, dice: Dice) -> bytes:
    key = dice.choose(REQUIRED[record.source])
    twice = f'{record.values[key]},"{dice.choose((key, key.upper()))}":{record.values[key]}'
    bad = dice.choose((*_UNREADABLE[record.sort(key)], twice))
    return line(record.values | {key: bad}).encode()


def _wrong_instant(record: Record, dice: Dice) -> bytes:
    key = dice.choose([key for key in REQUIRED[record.source] if record.sort(key) == "instant"])
    return line(record.values | {key: dice.choose(_WRONG)}).encode()


_REJECTED: dict[str, Callable[[Record, Dice], bytes]] = {
    "invalid_utf8": _invalid_utf8,
    "broken_json": _broken_json,
    "not_an_object": _not_an_object,
    "missing_value": _missing_value,
    "unreadable_value": _unreadable_value,
    "wrong_instant": _wrong_instant,
}
