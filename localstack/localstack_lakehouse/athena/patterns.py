"""Patterns of dates and times: MySQL's and Joda's, as DuckDB's strftime has them."""

import re

from .exceptions import QueryError

MYSQL = {
    "a": "%a", "b": "%b", "c": "%-m", "d": "%d", "e": "%-d", "f": "%f", "H": "%H", "h": "%I", "I": "%I", "i": "%M",
    "j": "%j", "k": "%-H", "l": "%-I", "M": "%B", "m": "%m", "p": "%p", "r": "%I:%M:%S %p", "S": "%S", "s": "%S",
    "T": "%H:%M:%S", "v": "%V", "W": "%A", "x": "%G", "Y": "%Y", "y": "%y", "%": "%%",
}  # fmt: skip
JODA = {
    "yyyy": "%Y", "YYYY": "%Y", "y": "%Y", "yy": "%y", "xxxx": "%G", "ww": "%V", "MM": "%m", "M": "%-m", "MMM": "%b",
    "MMMM": "%B", "dd": "%d", "d": "%-d", "D": "%-j", "DDD": "%j", "E": "%a", "EEE": "%a", "EEEE": "%A", "e": "%u",
    "HH": "%H", "H": "%-H", "hh": "%I", "h": "%-I", "mm": "%M", "m": "%-M", "ss": "%S", "s": "%-S", "SSS": "%g",
    "SSSSSS": "%f", "a": "%p", "Z": "%z", "ZZ": "%z",
}  # fmt: skip


def mysql(pattern: str) -> str:
    """`%Y-%m-%d %H:%i:%s`."""
    return re.sub(r"%(.)", lambda field: _known(MYSQL, field[1], pattern), pattern)


def joda(pattern: str) -> str:
    """`yyyy-MM-dd HH:mm:ss`, quoted text as it is."""
    return re.sub(r"'([^']*)'|([A-Za-z])\2*", lambda field: _joda_field(field, pattern), pattern)


def length(digits: int) -> int:
    """How long an instant is with so many digits of a second: `2020-01-01 10:00:00.123`."""
    return 20 + digits if digits else 19


def _joda_field(field: re.Match[str], pattern: str) -> str:
    if field[1] is not None:
        return field[1].replace("%", "%%") or "'"
    return _known(JODA, field[0], pattern)


def _known(fields: dict[str, str], field: str, pattern: str) -> str:
    if field not in fields:
        raise QueryError("NOT_SUPPORTED", f"'{field}' in the pattern '{pattern}'")
    return fields[field]
