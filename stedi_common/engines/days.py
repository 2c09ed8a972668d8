"""Days as spans of time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta


def spans(days: Iterable[date]) -> list[tuple[date, date]]:
    """The same days as spans, of which each ends before its second day."""
    found: list[tuple[date, date]] = []
    for day in sorted(set(days)):
        start = found.pop()[0] if found and found[-1][1] == day else day
        found.append((start, day + timedelta(days=1)))
    return found
