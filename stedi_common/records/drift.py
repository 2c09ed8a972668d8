"""How a source's keys differ from its contract. A key that may be personal data is hashed."""

from __future__ import annotations

import hmac
import unicodedata
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from stedi_common.records.tally import Tally
from stedi_common.records.values import is_text

#: A longer key is hashed too: it is data, not a name.
MAX_NAME = 100
_HASH_DIGITS = 16


def count_keys(tally: Tally, lines: Mapping[Sequence[str], int], columns: Collection[str], key: bytes) -> None:
    """Count the keys of objects.

    Args:
        tally: gains `present_columns` and `unknown_keys`.
        lines: how many objects there are by their keys, as written.
        columns: the names of the source's columns.
        key: the HMAC key for names that may be personal.
    """
    unknown: Counter[str] = Counter()
    for keys, count in lines.items():
        for name in set(keys):
            column = lowered(name)
            if column in columns:
                tally.present_columns.add(column)
            else:
                unknown[name_or_hash(name, key)] += count
    tally.name_keys(unknown)


def lowered(key: str) -> str:
    """The key in lower case. Only ASCII has one: the Kelvin sign is no k."""
    return key.lower() if key.isascii() else key


def _in_ascii(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFKC", name)


def name_or_hash(name: str, key: bytes) -> str:
    """The name, or its hash if it may be an address or a number of a person, or no text."""
    is_plain = len(name) <= MAX_NAME and not name.isdigit() and "@" not in _in_ascii(name)
    if is_plain and is_text(name):
        return name
    return "#" + hmac.digest(key, name.encode("utf-8", "surrogatepass"), "sha256").hex()[:_HASH_DIGITS]
