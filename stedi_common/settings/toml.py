"""The TOML of `stedi.toml`: its document, its tables, and the error for an unknown name."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from stedi_common.errors import SettingsError, nearest


def parse(content: bytes, name: str) -> dict[str, Any]:
    """The document of a TOML file of this name. Raises SettingsError if it is not valid."""
    try:
        return tomllib.loads(content.decode("utf-8-sig"))  # Windows writes a byte-order mark
    except UnicodeDecodeError as error:
        raise SettingsError(f"{name}: expected UTF-8, got other bytes at {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{name}: expected TOML, got: {error}") from None
    except ValueError:  # Python limits the digits of a number
        raise SettingsError(f"{name}: expected TOML, got a number with too many digits") from None
    except RecursionError:
        raise SettingsError(f"{name}: expected TOML, got brackets within brackets without end") from None


def table(file: str, document: Mapping[str, Any], name: str) -> dict[str, Any]:
    """The TOML table of this name; empty if it is missing. Raises SettingsError if it is no table."""
    found = document.get(name, {})
    if not isinstance(found, dict):
        raise SettingsError(f"{file}: {name}: expected a table, got {found!r}", hint=f"write [{name}] on its own line")
    return found


def expect_known(where: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise SettingsError for a name that is not known, with the nearest that is."""
    known = list(known)
    for name in names:
        if name not in known:
            raise SettingsError(f"{where}: expected only {', '.join(known)}, got {name!r}", nearest(name, known))
