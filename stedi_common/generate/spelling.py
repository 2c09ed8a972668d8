"""How the published data spells a record: its keys, their order, and the JSON of each sort of value."""

from __future__ import annotations

import json
from dataclasses import dataclass

from stedi_common.instants import from_seconds

#: The sorts of values. `name` and `address` are text, of which an address has no case; `digits` is text of digits.
KEYS: dict[str, dict[str, str]] = {
    "customer": {
        "customerName": "name",
        "email": "address",
        "phone": "digits",
        "birthDay": "date",
        "serialNumber": "address",
        "registrationDate": "instant",
        "lastUpdateDate": "instant",
        "shareWithResearchAsOfDate": "instant",
        "shareWithPublicAsOfDate": "instant",
        "shareWithFriendsAsOfDate": "instant",
    },
    "accelerometer": {"user": "address", "timestamp": "instant", "x": "double", "y": "double", "z": "double"},
    "step_trainer": {"sensorReadingTime": "instant", "serialNumber": "address", "distanceFromObject": "int"},
}

#: The keys without which a record is rejected.
REQUIRED = {source: tuple(keys) for source, keys in KEYS.items()} | {"customer": ("email", "lastUpdateDate")}


@dataclass(frozen=True)
class Record:
    """One record of a source, each value as its JSON."""

    source: str
    values: dict[str, str]

    def sort(self, key: str) -> str:
        """What sort of value a key has."""
        return KEYS[self.source][key]


def line(values: dict[str, str], comma: str = ",", colon: str = ":") -> str:
    """A record's line, without its ending."""
    return "{" + comma.join(f'"{key}"{colon}{value}' for key, value in values.items()) + "}"


def text(value: str) -> str:
    """The JSON of a text."""
    return json.dumps(value, ensure_ascii=False)


def iso(instant: int) -> str:
    """An instant as ISO 8601 writes it, without its zone."""
    return f"{from_seconds(instant // 1000):%Y-%m-%dT%H:%M:%S}.{instant % 1000:03d}"
