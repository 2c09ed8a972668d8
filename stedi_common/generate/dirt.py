"""Dirt: lines that are not as they should be, put among those that are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from stedi_common.generate.dialects import Dice, blank, canonical, rejected, same
from stedi_common.generate.lines import Lines
from stedi_common.generate.people import Bools, Ints

_SAME, _REJECTED, _DUPLICATE, _BLANK = range(4)
_PERCENT = np.repeat([_SAME, _REJECTED, _DUPLICATE, _BLANK], [40, 40, 12, 8])


@dataclass
class Counts:
    """What is to become of a file's lines if all that came before it has landed."""

    landed: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    duplicate: int = 0
    blank: int = 0
    nulled_values: int = 0

    @property
    def lines(self) -> int:
        """All lines."""
        return self.landed + sum(self.rejected.values()) + self.duplicate + self.blank

    def reject(self, reason: str) -> None:
        """Counts a line that is to be rejected."""
        self.rejected[reason] = self.rejected.get(reason, 0) + 1

    def as_json(self) -> dict[str, Any]:
        """The counts in plain values, reasons in alphabetical order."""
        return {
            "lines": self.lines,
            "landed": self.landed,
            "rejected": dict(sorted(self.rejected.items())),
            "duplicate": self.duplicate,
            "blank": self.blank,
            "nulled_values": self.nulled_values,
        }

    def again(self) -> Counts:
        """The same lines, delivered a second time."""
        return Counts(0, dict(self.rejected), self.landed + self.duplicate, self.blank, self.nulled_values)


def soiled(lines: Lines, share: float, draw: np.random.Generator) -> tuple[pa.BinaryArray, Counts]:
    """The lines with that share of dirt. No clean record is lost by it, and the last line stays the last."""
    counts = Counts(landed=len(lines), nulled_values=int(lines.faulty.sum()))
    victims = _victims(lines, share, draw)
    if not len(victims):
        return lines.text, counts
    dice = draw.integers(0, 2**63 - 1, len(victims)).tolist()
    sorts = _PERCENT[draw.integers(0, len(_PERCENT), len(victims))]
    dirt = [_dirty(lines, i, sort, Dice(d), counts) for i, sort, d in zip(victims, sorts.tolist(), dice, strict=True)]
    order = _order(len(lines), victims, sorts == _SAME)
    return pa.concat_arrays([lines.text, pa.array(dirt, pa.binary())]).take(pa.array(order)), counts


def _victims(lines: Lines, share: float, draw: np.random.Generator) -> Ints:
    """The clean lines that dirt replaces or follows, each at most once."""
    candidates = np.flatnonzero(~lines.faulty[:-1])
    count = min(int(len(lines) * share + draw.random()), len(candidates)) if share else 0
    return np.sort(draw.choice(candidates, count, replace=False)) if count else candidates[:0]


def _dirty(lines: Lines, i: int, sort: int, dice: Dice, counts: Counts) -> bytes:
    if sort == _BLANK:
        counts.blank += 1
        return blank(dice) + b"\n"
    record = lines.record(i)
    if sort == _REJECTED:
        reason, line = rejected(record, dice)
        counts.reject(reason)
        return line + b"\n"
    if sort == _DUPLICATE:
        counts.duplicate += 1
        return (canonical(record).encode() if dice.choose((0, 1)) else same(record, dice)) + b"\n"
    return same(record, dice) + b"\n"


def _order(clean: int, victims: Ints, replaces: Bools) -> Ints:
    """Of clean lines and then dirt, the numbers in the order of the file."""
    dirt = clean + np.arange(len(victims))
    order = np.arange(clean)
    order[victims[replaces]] = dirt[replaces]
    return np.insert(order, victims[~replaces] + 1, dirt[~replaces])
