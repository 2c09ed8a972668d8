"""How files are read: limits of what a line may hold, and the time zones of sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from stedi_common.contracts import SOURCES
from stedi_common.errors import SettingsError, nearest
from stedi_common.settings.toml import expect_known, table


@dataclass(frozen=True)
class Limits:
    """What input may not exceed; docs/records.md, "Limits"."""

    line_bytes: int = 16 * 2**20
    nesting: int = 100
    keys: int = 1_000
    digits: int = 1_000
    ratio: int = 200
    damage: int = 250_000


#: The least and the greatest value of each limit. Arrow's offsets have 32 bits; Python's JSON follows about 1,000
#: brackets; numbers of 40 digits are read without being counted.
RANGES = {
    "line_bytes": (1024, 2**30),
    "nesting": (1, 500),
    "keys": (1, 1_000_000),
    "digits": (40, 1_000_000),
    "ratio": (1, 1_000_000),
    "damage": (1, 1_000_000_000),
}


@dataclass(frozen=True)
class ReaderSettings:
    """How files are read. Hashable, and goes to other processes as it is.

    Attributes:
        limits: what input may not exceed.
        zones: the IANA zone of the local times of a source.
    """

    limits: Limits = Limits()
    zones: Mapping[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def parsed(cls, file: str, document: Mapping[str, Any]) -> ReaderSettings:
        """What `[limits]` and `[zones]` of a document say. Raises SettingsError for what is not understood."""
        return cls(_limits(file, document), _zones(file, document))


def _limits(file: str, document: Mapping[str, Any]) -> Limits:
    found = table(file, document, "limits")
    expect_known(f"{file}: limits", found, asdict(Limits()))
    for key, value in found.items():
        least, greatest = RANGES[key]
        if type(value) is not int or not least <= value <= greatest:
            expected = f"expected a whole number from {least} to {greatest}"
            raise SettingsError(f"{file}: limits.{key}: {expected}, got {value!r}")
    return Limits(**found)


def _zones(file: str, document: Mapping[str, Any]) -> dict[str, str]:
    found = table(file, document, "zones")
    expect_known(f"{file}: zones", found, SOURCES)
    for source, zone in found.items():
        if not isinstance(zone, str):
            raise SettingsError(f"{file}: zones.{source}: expected the name of an IANA zone, got {zone!r}")
        _expect_zone(f"{file}: zones.{source}", zone)
    return dict(found)


def _expect_zone(where: str, zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # not there; not a name; a folder of zones
        hint = nearest(zone, available_timezones())
        raise SettingsError(f"{where}: expected the name of an IANA zone, got {zone!r}", hint) from None
