"""The settings of intake, as `stedi.toml` has them. They are passed down, never looked up."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo, available_timezones

from stedi_common.contracts import SOURCES
from stedi_common.errors import SettingsError

#: Names the file, if no option does.
VARIABLE = "STEDI_CONFIG"
#: The file that is read if nothing names one, if it is there.
DEFAULT_FILE = Path("stedi.toml")


@dataclass(frozen=True)
class Limits:
    """What input may not exceed; docs/records.md, "Limits"."""

    line_bytes: int = 16 * 2**20
    nesting: int = 100
    keys: int = 1_000
    digits: int = 1_000
    ratio: int = 200


#: The least and the greatest value of each limit. Arrow's offsets have 32 bits; Python's JSON follows about 1,000
#: brackets; numbers of 40 digits are read without being counted.
RANGES = {
    "line_bytes": (1024, 2**30),
    "nesting": (1, 500),
    "keys": (1, 1_000_000),
    "digits": (40, 1_000_000),
    "ratio": (1, 1_000_000),
}


@dataclass(frozen=True)
class Settings:
    """How drops are read. Hashable, and goes to other processes as it is.

    limits: what input may not exceed.
    zones: the IANA zone of the local times of a source.
    """

    limits: Limits = Limits()
    zones: Mapping[str, str] = field(default_factory=dict, hash=False)

    @classmethod
    def load(cls, file: Path | None = None) -> Self:
        """The settings of the file, or of the one that `STEDI_CONFIG` names, or of `./stedi.toml`, or the defaults.

        Raises:
            SettingsError: the file is not there, or holds what is not understood.
        """
        named = file or (Path(os.environ[VARIABLE]) if os.environ.get(VARIABLE) else None)
        if named is None and not DEFAULT_FILE.exists():
            return cls()
        path = named or DEFAULT_FILE
        try:
            content = path.read_bytes()
        except OSError as error:
            raise SettingsError(f"{path}: expected a file, got {error.strerror}") from None
        return cls.parsed(content, str(path))

    @classmethod
    def parsed(cls, content: bytes, name: str) -> Self:
        """The settings that the content of the file of this name says. Raises SettingsError as `load` does."""
        document = _parsed(content, name)
        _expect_known(name, document, ("limits", "zones"))
        return cls(_limits(name, document), _zones(name, document))


def _parsed(content: bytes, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(content.decode("utf-8-sig"))  # Windows writes a byte-order mark
    except UnicodeDecodeError as error:
        raise SettingsError(f"{name}: expected UTF-8, got other bytes at {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{name}: expected TOML, got: {error}") from None


def _limits(file: str, document: Mapping[str, Any]) -> Limits:
    table = _table(file, document, "limits")
    _expect_known(f"{file}: limits", table, asdict(Limits()))
    for key, value in table.items():
        least, greatest = RANGES[key]
        if type(value) is not int or not least <= value <= greatest:
            expected = f"expected a whole number from {least} to {greatest}"
            raise SettingsError(f"{file}: limits.{key}: {expected}, got {value!r}")
    return Limits(**table)


def _zones(file: str, document: Mapping[str, Any]) -> dict[str, str]:
    table = _table(file, document, "zones")
    _expect_known(f"{file}: zones", table, SOURCES)
    for source, zone in table.items():
        if not isinstance(zone, str):
            raise SettingsError(f"{file}: zones.{source}: expected the name of an IANA zone, got {zone!r}")
        _expect_zone(f"{file}: zones.{source}", zone)
    return dict(table)


def _expect_zone(where: str, zone: str) -> None:
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # not there; not a name; a folder of zones
        hint = _nearest(zone, available_timezones())
        raise SettingsError(f"{where}: expected the name of an IANA zone, got {zone!r}", hint) from None


def _table(file: str, document: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise SettingsError(f"{file}: {name}: expected a table, got {table!r}", hint=f"write [{name}] on its own line")
    return table


def _expect_known(where: str, table: Iterable[str], known: Iterable[str]) -> None:
    for key in table:
        if key not in known:
            raise SettingsError(f"{where}: expected only {', '.join(known)}, got {key!r}", _nearest(key, known))


def _nearest(name: str, known: Iterable[str]) -> str | None:
    by_folded = {one.casefold(): one for one in sorted(known)}
    nearest = get_close_matches(name.casefold(), by_folded, n=1)
    return f"did you mean {by_folded[nearest[0]]}?" if nearest else None
