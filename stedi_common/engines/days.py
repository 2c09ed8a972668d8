"""Consecutive days as spans."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta


def spans(days: Iterable[date]) -> list[tuple[date, date]]:
    """Merge consecutive days into spans.

    Args:
        days: the days, in any order.

    Returns:
        The first day of each span and the day after its last one, in order.
    """
    found: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        start = found.pop()[0] if found and found[-1][1] == day else day
        found.append((start, day + timedelta(days=1)))
    return found
