"""The counts of a file's lines. Those of its blocks add up in any order."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field, fields, replace
from typing import Any

#: So many unknown keys of a file are named; the others are counted together.
MAX_UNKNOWN_KEYS = 100
OTHER_KEYS = "…"


@dataclass
class Tally:
    """What became of a file's lines. All but `nulled_values`, `records` and those that are no number count lines.

    Attributes:
        rejected: lines that were rejected.
        blank: lines of padding only.
        doubtful: customer lines that are no record, but in which an address can be read.
        without_address: customer lines that may be about somebody whose address was not read.
        damage: the damage of the file, as docs/records.md counts it under "Damage".
        records: rows that were staged as records; a doubtful line has one for each address.
        rejected_rows: rejected lines that were staged as rows.
        sha256: of the bytes of the file, known at its end.
        unit: `line` or `object`, known at the end of the file.
        unknown_keys: lines by the keys they had that no column has.
        nulled_columns: values by column that landed as null because they could not be understood.
        present_columns: the columns whose key an object had, whatever its value.
        is_objects: objects seem not to be lines here, so the file must be looked at whole, and read again.
        open_after: numbers of lines behind which the reading was cut, and an object may go on.
        no_object_at: numbers of lines before which it was cut, and that do not begin with a `{`.
    """

    lines: int = 0
    rejected: int = 0
    blank: int = 0
    nulled_values: int = 0
    doubtful: int = 0
    without_address: int = 0
    damage: int = 0
    records: int = 0
    rejected_rows: int = 0
    sha256: str = ""
    unit: str = "line"
    unknown_keys: Counter[str] = field(default_factory=Counter)
    nulled_columns: Counter[str] = field(default_factory=Counter)
    present_columns: set[str] = field(default_factory=set)
    is_objects: bool = False
    open_after: set[int] = field(default_factory=set, compare=False)
    no_object_at: set[int] = field(default_factory=set, compare=False)

    def add(self, other: Tally) -> None:
        """Add what became of other lines of the file."""
        for count in _COUNTS:
            setattr(self, count, getattr(self, count) + getattr(other, count))
        if other.sha256:
            self.sha256, self.unit = other.sha256, other.unit
        self.name_keys(other.unknown_keys)
        self.nulled_columns.update(other.nulled_columns)
        self.present_columns |= other.present_columns
        self.open_after |= other.open_after
        self.no_object_at |= other.no_object_at
        goes_on = not self.no_object_at.isdisjoint(line + 1 for line in self.open_after)
        self.is_objects |= other.is_objects or goes_on

    def name_keys(self, keys: Counter[str]) -> None:
        """Count unknown keys. The least names stay, so that the order in which lines are read makes no difference."""
        named = self.unknown_keys
        named.update(keys)
        if len(named) - (OTHER_KEYS in named) > MAX_UNKNOWN_KEYS:
            for name in sorted(named.keys() - {OTHER_KEYS})[MAX_UNKNOWN_KEYS:]:
                named[OTHER_KEYS] += named.pop(name)

    def scaled(self, lines: int, to: int) -> Tally:
        """The counts of more lines, all of which are equal to these. The numbers of lines stay as they are.

        Args:
            lines: how many these are.
            to: how many lines are to be counted.
        """

        def scale(count: int) -> int:
            return count // lines * to

        scaled = replace(self)
        for name in _COUNTS:
            setattr(scaled, name, scale(getattr(self, name)))
        for name in _COUNTERS:
            setattr(scaled, name, Counter({key: scale(count) for key, count in getattr(self, name).items()}))
        return scaled

    def as_json(self) -> str:
        """The tally as text, for another process."""
        return json.dumps(vars(self) | {name: sorted(getattr(self, name)) for name in _SETS})

    @classmethod
    def from_json(cls, text: str) -> Tally:
        """The tally that was written as this text."""
        told: dict[str, Any] = json.loads(text)
        sets = {name: set(told[name]) for name in _SETS}
        counters = {name: Counter(told[name]) for name in _COUNTERS}
        return cls(**told | sets | counters)


_COUNTERS = ("unknown_keys", "nulled_columns")
_SETS = ("present_columns", "open_after", "no_object_at")
_COUNTS = tuple(each.name for each in fields(Tally) if each.type == "int")
