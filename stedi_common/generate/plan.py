"""What to generate, and the random numbers it is made of."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from stedi_common.errors import StediError
from stedi_common.instants import EPOCH

DAY = 86_400_000  # in milliseconds, as every instant here
MOST_LINES = 5_000_000  # a file is made in memory


@dataclass(frozen=True)
class Plan:
    """What to make. Equal plans make equal drops.

    Attributes:
        readings: about how many, accelerometer and step trainer together.
        dirt: the share of lines that are not as they should be. At 0 the files have no oddities, repeats or surprises.
        shared_serials: fulfilment's defect. Every customer record carries one of the same few serial numbers, whatever
            device the customer has; the devices themselves still report their own.
        without_address: some dirty customer lines name nobody, so that their landing ends with exit code 4 (rule 3).
    """

    people: int = 200
    readings: int = 50_000
    days: int = 14
    seed: int = 1
    start: date = date(2024, 3, 1)
    dirt: float = 0.01
    shared_serials: bool = False
    lines_per_file: int = 50_000
    without_address: bool = False

    def __post_init__(self) -> None:
        """Refuses what cannot be made. Raises StediError."""
        for name, least in (("people", 1), ("readings", 0), ("days", 1), ("seed", 0), ("lines_per_file", 1)):
            if getattr(self, name) < least:
                raise StediError(f"plan: expected {name} to be at least {least}, got {getattr(self, name)}")
        if self.lines_per_file > MOST_LINES:
            raise StediError(f"plan: expected lines_per_file to be at most {MOST_LINES}, got {self.lines_per_file}")
        if not 0 <= self.dirt <= 0.5:
            raise StediError(f"plan: expected dirt between 0 and 0.5, got {self.dirt}")
        # Registrations begin a good year earlier, and instants before 2000 are wrong.
        if self.start < date(2002, 1, 1) or self.start + timedelta(self.days) > datetime.now(UTC).date():
            raise StediError(
                f"plan: expected {self.days} days between 2002 and today, got a start on {self.start}",
                hint="a reading from the future is rejected at landing; start earlier",
            )

    @property
    def begin(self) -> int:
        """The first instant of the first day."""
        return (self.start - EPOCH.date()).days * DAY

    @property
    def end(self) -> int:
        """The first instant after the last day."""
        return self.begin + self.days * DAY

    def stream(self, topic: str) -> np.random.Generator:
        """The random numbers of one topic. No topic's numbers depend on how many another one took.

        Take integers and `random()` only: the other distributions go through the machine's mathematical library.
        """
        return np.random.Generator(np.random.PCG64([self.seed, zlib.crc32(topic.encode())]))
