"""What can be read in a customer's line that is no record: whom it is about, and perhaps a consent."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

from stedi_common.records.blocks import CUT_OFF
from stedi_common.records.record import NOT_AN_OBJECT, Field, Object, Rejection, Value, found
from stedi_common.records.values import Number, ValueFaultError, is_text
from stedi_common.rules.identity import SPACE, address, is_address, is_spelled_out

EMAIL = "email"
CONSENT = "sharewithresearchasofdate"

#: The `email` cannot be read: whoever else is named, nobody knows whose line it is.
UNREADABLE_EMAIL = "unreadable_email"
TOO_MANY_ADDRESSES = "too_many_addresses"
#: The doubts that may be about somebody whose address was not read.
INCOMPLETE = (*CUT_OFF, UNREADABLE_EMAIL, TOO_MANY_ADDRESSES)

#: Of one line so many addresses land at most, which bounds the memory.
MAX_ADDRESSES = 1_000

_REPLACEMENT = "\ufffd"
#: A text without any of these does not normalise to one with an `@`: Unicode has two more, and `mailto:` may encode it.
_AT = re.compile("[@\ufe6b\uff20%\ufe6a\uff05]")
#: Texts of more characters are not kept in memory.
_LONG = 1_000
_QUOTED = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
#: Escaped halves of a surrogate pair belong together.
_ESCAPES = re.compile(r'(?:\\u[0-9a-fA-F]{4})++|\\["\\/bfnrt]')
_KEY = re.compile(f'"{CONSENT}"', re.ASCII | re.IGNORECASE)
_EMAIL_KEY = re.compile(rf"""["']{EMAIL}\\*+["']""", re.ASCII | re.IGNORECASE)
_EMAIL_VALUE = re.compile(rf"""[{SPACE}]*+:[{SPACE}]*+\\*+(?:"([^"]*+)"|'([^']*+)')""")
_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
_VALUE = re.compile(rf'[{SPACE}]*+:[{SPACE}]*+(?:"([^"]*+)"|({_NUMBER}))[{SPACE}]*+[,}}]')


class Doubt(NamedTuple):
    """What can be read in a customer's line that is no record.

    Attributes:
        reason: why it is doubtful.
        rows: values in the order of the fields, once for each address, in order of the addresses; none if no address
            can be read.
        texts: how many texts in the line had to be normalised to see whether they are addresses.
    """

    reason: str
    rows: list[tuple[Value, ...]]
    texts: int = 0


def doubt(content: bytes, rejection: Rejection, fields: tuple[Field, ...]) -> Doubt:
    """Read what can be read in a customer's line that is no record.

    Args:
        content: the line's bytes, without padding.
        rejection: why it is no record, with what it says if it is an object.
        fields: the customer's columns.
    """
    if rejection.content is None:
        text = unescaped(content.replace(b"\0", b"").decode(errors="replace"))
        texts = list(_quoted(text))
        addresses = addresses_in(texts)
        has_email = _has_email(text, is_json=rejection.reason == NOT_AN_OBJECT)
        values = {CONSENT: _consent_in(text, fields)} if len(addresses) == 1 else {}
    else:
        values = _understood(rejection.content, fields)
        email = values[EMAIL]
        texts = [email] if isinstance(email, str) else list(filter(_may_be_address, _strings(rejection.content)))
        addresses = [email] if isinstance(email, str) else addresses_in(texts)
        has_email = all(
            addresses_in(_strings(value)) for value in _emails(rejection.content, is_read=email is not None)
        )
    rows = (values | {EMAIL: each} for each in addresses[:MAX_ADDRESSES])
    return Doubt(
        _reason(rejection.reason, len(addresses), has_email),
        [tuple(row.get(field.name) for field in fields) for row in rows],
        len(texts),
    )


def _reason(reason: str, addresses: int, has_email: bool) -> str:
    if reason in CUT_OFF:
        return reason
    if addresses > MAX_ADDRESSES:
        return TOO_MANY_ADDRESSES
    return reason if has_email else UNREADABLE_EMAIL


def doubt_hash(name: str, version: str, line: int, email: Value) -> str:
    """The `record_hash` of a doubtful line: SHA-256 of where it stands and whom it is about."""
    return hashlib.sha256(json.dumps([name, version, line, email]).encode()).hexdigest()


def addresses_in(strings: Iterable[str]) -> list[str]:
    """Those of the strings that are addresses when normalised, with a dot in the domain, once each and in order."""
    return sorted({normalised for string in strings if (normalised := _address(string))})


def _quoted(text: str) -> Iterator[str]:
    """What stands between two quotes, double or single, and may be an address. A backslash may be left of an escape."""
    for quote in ('"', "'"):
        for string in text.split(quote)[1:-1]:
            if "@" in string or not string.isascii():  # spares most strings the call
                without_escape = string.rstrip("\\")
                if _may_be_address(without_escape):
                    yield without_escape


def _may_be_address(string: str) -> bool:
    """Whether a text must be normalised to see whether it is an address."""
    if "@" not in string and (string.isascii() or not _AT.search(string)):
        return False
    return _REPLACEMENT not in string and is_text(string)


def _address(string: str) -> str | None:
    if not (_may_be_address(string) and is_spelled_out(string)):
        return None
    # `address` does not normalise a longer text, so it need not be cached.
    normalised = (_address_of_text if len(string) <= _LONG else address)(string.strip(SPACE))
    return normalised if is_address(normalised) and "." in normalised.rpartition("@")[2] else None


#: The addresses of a line are normalised more than once.
_address_of_text = lru_cache(2**7)(address)


def _understood(content: Object, fields: tuple[Field, ...]) -> dict[str, Value]:
    """What can be understood of the object, by column."""
    given = found(content)
    return {field.name: _or_none(field, given.get(field.name)) for field in fields}


def _or_none(field: Field, value: object) -> Value:
    try:
        return field.understand(value)
    except ValueFaultError:
        return None


def _emails(content: Object, is_read: bool) -> Iterator[object]:
    """What stands in the keys `email`, each value of a list by itself.

    Args:
        content: the object.
        is_read: its own email is understood. If not, the objects in it may be the records, so theirs are returned, too.
    """
    pending = list(_of_email(content))
    if not is_read:
        pending += chain.from_iterable(map(_of_email, _objects(content)))
    while pending:
        value = pending.pop()
        if isinstance(value, list) and value:
            pending += value
        elif not (value is None or (isinstance(value, str) and not address(value))):
            yield value


def _of_email(content: Object) -> Iterator[object]:
    """The values of the keys `email` of an object."""
    return (value for key, value in content if key.isascii() and key.lower() == EMAIL)


def _has_email(text: str, is_json: bool) -> bool:
    """Whether each key `email` has an address in quotes behind it, and no such key can have been lost."""
    values = [_EMAIL_VALUE.match(text, key.end()) for key in _EMAIL_KEY.finditer(text)]
    quoted = [(value[1] or value[2] or "").rstrip("\\") if value else "" for value in values]
    return (is_json or bool(quoted)) and all(addresses_in([each]) for each in quoted)


def _strings(content: object) -> Iterator[str]:
    """Every string that is a value in an object or a list, at any depth."""
    return (value for value in _values(content) if type(value) is str)


def _objects(content: Object) -> Iterator[Object]:
    """Every object in an object, at any depth."""
    return (value for value in _values(content) if isinstance(value, tuple) and value is not content)


def _values(content: object) -> Iterator[object]:
    """The value, and every value in an object or a list, at any depth."""
    values = [content]
    while values:
        value = values.pop()
        yield value
        if isinstance(value, tuple):
            values += [inner for _, inner in value]
        elif isinstance(value, list):
            values += value


def _consent_in(text: str, fields: tuple[Field, ...]) -> Value:
    """The consent, if its key is there once and a whole value that is understood stands behind it."""
    keys = [key.end() for key in _KEY.finditer(text)]
    written = _VALUE.match(text, keys[0]) if len(keys) == 1 else None
    if written is None:
        return None
    (field,) = (field for field in fields if field.name == CONSENT)
    return _or_none(field, Number(written[2]) if written[2] else written[1])


def unescaped(text: str) -> str:
    """The text of a line, each escape between quotes undone. JSON in a string of JSON then has quotes of its own."""
    if "\\" not in text:
        return text
    return _QUOTED.sub(lambda quoted: _ESCAPES.sub(_undone, quoted[0]) if "\\" in quoted[0] else quoted[0], text)


def _undone(escapes: re.Match[str]) -> str:
    return str(json.loads(f'"{escapes[0]}"'))
