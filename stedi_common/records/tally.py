"""What reading a file tells of its lines: counts that add up in any order."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Any

#: So many unknown keys of a file are named; the others are counted together.
MAX_UNKNOWN_KEYS = 100
OTHER_KEYS = "…"


@dataclass
class Tally:
    """What reading a file tells of its lines.

    rejected, blank: lines that became no row of the landing table.
    doubtful: customer lines that are no record, but in which an address can be read.
    without_address: customer lines in which no address can be read, or not every one.
    sha256, unit: of the file, told at its end.
    unknown_keys: lines by the keys they had that no column has.
    nulled_columns: values by column that landed as null because they could not be understood.
    present_columns: the columns whose key an object had, whatever its value.
    is_objects: objects are not lines here, so the file must be read again as objects.
    """

    lines: int = 0
    rejected: int = 0
    blank: int = 0
    nulled_values: int = 0
    doubtful: int = 0
    without_address: int = 0
    sha256: str = ""
    unit: str = "line"
    unknown_keys: Counter[str] = field(default_factory=Counter)
    nulled_columns: Counter[str] = field(default_factory=Counter)
    present_columns: set[str] = field(default_factory=set)
    is_objects: bool = False

    def add(self, other: Tally) -> None:
        """Add what became of other lines of the file."""
        for count in _COUNTS:
            setattr(self, count, getattr(self, count) + getattr(other, count))
        if other.sha256:
            self.sha256, self.unit = other.sha256, other.unit
        self.name_keys(other.unknown_keys)
        self.nulled_columns.update(other.nulled_columns)
        self.present_columns |= other.present_columns
        self.is_objects |= other.is_objects

    def name_keys(self, keys: Counter[str]) -> None:
        """Count unknown keys. The least names stay, so that the order in which lines are read makes no difference."""
        named = self.unknown_keys
        named.update(keys)
        if len(named) - (OTHER_KEYS in named) > MAX_UNKNOWN_KEYS:
            for name in sorted(named.keys() - {OTHER_KEYS})[MAX_UNKNOWN_KEYS:]:
                named[OTHER_KEYS] += named.pop(name)

    def as_json(self) -> str:
        """The tally as text, for another process."""
        return json.dumps(vars(self) | {"present_columns": sorted(self.present_columns)})

    @classmethod
    def from_json(cls, text: str) -> Tally:
        """The tally that was written as this text."""
        told: dict[str, Any] = json.loads(text)
        sets = {"present_columns": set(told["present_columns"])}
        counters = {name: Counter(told[name]) for name in ("unknown_keys", "nulled_columns")}
        return cls(**told | sets | counters)


_COUNTS = tuple(each.name for each in fields(Tally) if each.type == "int")
