"""Instants. In the whole package an instant is a `datetime` in UTC, without a zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

EPOCH = datetime(1970, 1, 1)


def utc_now() -> datetime:
    """The present instant."""
    return datetime.now(UTC).replace(tzinfo=None)


def from_seconds(seconds: float) -> datetime:
    """The instant so many seconds after 1970-01-01, as POSIX counts them."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def from_milliseconds(milliseconds: int) -> datetime:
    """The instant so many milliseconds after 1970-01-01, as Iceberg counts them."""
    return from_seconds(milliseconds / 1000)


def to_milliseconds(instant: datetime) -> int:
    """How many milliseconds after 1970-01-01 the instant is."""
    return round(instant.replace(tzinfo=UTC).timestamp() * 1000)


def day(number: int) -> date:
    """The day so many days after 1970-01-01, as Iceberg counts them."""
    return EPOCH.date() + timedelta(days=number)
