"""Dirt: lines that are not as they should be, put among those that are."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa

from stedi_common.generate.dialects import Dice, blank, canonical, doubtful, rejected, same
from stedi_common.generate.lines import Lines
from stedi_common.generate.people import Bools, Ints
from stedi_common.generate.spelling import Record

_SAME, _REJECTED, _DUPLICATE, _BLANK = range(4)
_PERCENT = np.repeat([_SAME, _REJECTED, _DUPLICATE, _BLANK], [40, 40, 12, 8])


@dataclass
class Counts:
    """What is to become of a file's lines if all that came before it has landed.

    Doubtful lines count as landed, too. `about` are the addresses in them, as their records have them.
    """

    landed: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    duplicate: int = 0
    blank: int = 0
    nulled_values: int = 0
    doubtful: int = 0
    without_address: int = 0
    about: frozenset[str] = frozenset()

    @property
    def lines(self) -> int:
        """All lines."""
        return self.landed + sum(self.rejected.values()) + self.duplicate + self.blank

    def reject(self, reason: str, of: str) -> None:
        """Counts a line of this source that is to be rejected. Of a customer nobody knows whose it was."""
        self.rejected[reason] = self.rejected.get(reason, 0) + 1
        self.without_address += of == "customer"

    def doubt(self, record: Record) -> None:
        """Counts a doubtful line about this customer."""
        self.landed += 1
        self.doubtful += 1
        self.about |= {json.loads(record.values["email"])}

    def as_json(self) -> dict[str, Any]:
        """The counts in plain values, reasons in alphabetical order."""
        return {
            "lines": self.lines,
            "landed": self.landed,
            "rejected": dict(sorted(self.rejected.items())),
            "duplicate": self.duplicate,
            "blank": self.blank,
            "nulled_values": self.nulled_values,
            "doubtful": self.doubtful,
            "without_address": self.without_address,
        }

    def again(self) -> Counts:
        """The same lines, delivered a second time: no record lands again, every doubtful line does."""
        duplicate = self.landed - self.doubtful + self.duplicate
        return replace(self, landed=self.doubtful, rejected=dict(self.rejected), duplicate=duplicate)


def soiled(
    lines: Lines, share: float, draw: np.random.Generator, without_address: bool
) -> tuple[pa.BinaryArray, Counts]:
    """The lines with that share of dirt. No clean record is lost by it, and the last line stays the last.

    Only if it may be is a customer's line `without_address`: nobody knows whose refusal that is.
    """
    counts = Counts(landed=len(lines), nulled_values=int(lines.faulty.sum()))
    victims = _victims(lines, share, draw)
    if not len(victims):
        return lines.text, counts
    dice = draw.integers(0, 2**63 - 1, len(victims)).tolist()
    sorts = _PERCENT[draw.integers(0, len(_PERCENT), len(victims))]
    chosen = zip(victims, sorts.tolist(), dice, strict=True)
    dirt = [_dirty(lines, i, sort, Dice(d), counts, without_address) for i, sort, d in chosen]
    order = _order(len(lines), victims, sorts == _SAME)
    return pa.concat_arrays([lines.text, pa.array(dirt, pa.binary())]).take(pa.array(order)), counts


def _victims(lines: Lines, share: float, draw: np.random.Generator) -> Ints:
    """The clean lines that dirt replaces or follows, each at most once."""
    candidates = np.flatnonzero(~lines.faulty[:-1])
    count = min(int(len(lines) * share + draw.random()), len(candidates)) if share else 0
    return np.sort(draw.choice(candidates, count, replace=False)) if count else candidates[:0]


def _dirty(lines: Lines, i: int, sort: int, dice: Dice, counts: Counts, without_address: bool) -> bytes:  # noqa: PLR0913, PLR0917 - a line is all of this
    if sort == _BLANK:
        counts.blank += 1
        return blank(dice) + b"\n"
    record = lines.record(i)
    if sort == _REJECTED:
        return _no_record(record, dice, counts, without_address) + b"\n"
    if sort == _DUPLICATE:
        counts.duplicate += 1
        return (canonical(record).encode() if dice.choose((0, 1)) else same(record, dice)) + b"\n"
    return same(record, dice) + b"\n"


def _no_record(record: Record, dice: Dice, counts: Counts, without_address: bool) -> bytes:
    if record.source == "customer" and (not without_address or dice.choose((0, 1))):
        _, line = doubtful(record, dice)
        counts.doubt(record)
        return line
    reason, line = rejected(record, dice)
    counts.reject(reason, record.source)
    return line


def _order(clean: int, victims: Ints, replaces: Bools) -> Ints:
    """Of clean lines and then dirt, the numbers in the order of the file."""
    dirt = clean + np.arange(len(victims))
    order = np.arange(clean)
    order[victims[replaces]] = dirt[replaces]
    return np.insert(order, victims[~replaces] + 1, dirt[~replaces])
