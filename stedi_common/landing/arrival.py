"""The arrival of drops: the instant at which their landing began, but always later than all that has landed.

A doubtful line and the record that answers it are told apart by their arrivals (rule 4), and a reading from after its
arrival is rejected. So a clock that was set back must neither date a doubtful line before the record that it suspends,
nor reject readings for good.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from stedi_common.engines.protocol import Head
from stedi_common.errors import LakeError
from stedi_common.incremental.summary import LandingSummary
from stedi_common.landing.landed_files import LandedFiles

#: No machine that runs this version has an earlier clock.
EARLIEST = datetime(2025, 1, 1)
#: Clocks of different machines may differ by so much without a warning.
MAX_DIFFERENCE = timedelta(minutes=5)
#: An instant is kept to the millisecond (rule 2).
_NEXT = timedelta(milliseconds=1)


def arrival(clock: datetime, landed_files: LandedFiles, head: Head) -> datetime:
    """The arrival of drops that land now.

    Args:
        clock: the present instant by the clock of this machine.
        landed_files: the table of landed files.
        head: the head of the landing table. A killed landing may have committed to it alone.

    Raises:
        LakeError: the clock is certainly wrong, and nothing has landed at a later instant.
    """
    killed = LandingSummary.parse(head.summary)
    known = [*landed_files.arrivals(), *([killed.arrived_at] if killed else [])]
    arrived_at = max(clock, max(known) + _NEXT) if known else clock
    if arrived_at < EARLIEST:
        raise LakeError(
            f"clock: expected an instant after {EARLIEST:%Y-%m-%d}, got {clock:%Y-%m-%d %H:%M} UTC",
            hint="set the clock of this machine, then land again: readings from after their arrival are rejected",
        )
    return arrived_at


def clock_warnings(clock: datetime, arrived_at: datetime) -> Iterator[str]:
    """The warning if the clock is far behind what has landed."""
    if arrived_at - clock > MAX_DIFFERENCE:
        yield (
            f"clock: expected an instant after the last landing, {arrived_at:%Y-%m-%d %H:%M} UTC, "
            f"got {clock:%Y-%m-%d %H:%M}; the drops arrive after that landing"
        )
