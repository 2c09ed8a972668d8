"""Where settings come from: the command line, then the environment, then `stedi.toml`, then the default."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from stedi_common.errors import SettingsError, StediError, UnusablePathError, as_stedi_error, nearest
from stedi_common.settings.model import OPTIONS, Option, Settings
from stedi_common.settings.reader import ReaderSettings
from stedi_common.settings.toml import expect_known, parse, table
from stedi_common.text import is_uri

#: Names the file, if no option does.
CONFIG_VARIABLE = "STEDI_CONFIG"
#: The file that is read if nothing names one, if it is there.
DEFAULT_FILE = "stedi.toml"
#: The setting that names the file.
CONFIG = "config"

#: Variables of other parts of the program.
OTHER_VARIABLES = (CONFIG_VARIABLE, "STEDI_DEBUG", "STEDI_LOG_FILE", "STEDI_MEMORY", "STEDI_PROJECT")
#: Tables of the file: those of the reader of files, and `project`, which is not a setting of a run.
TABLES = ("limits", "zones", "project")
#: Where a project's files are: names that may be written down, not chosen.
PROJECT = {"contracts": "contracts", "tables": "tables.py"}


def read_file(name: str) -> bytes:
    """The content of a file. Raises SettingsError if it cannot be read."""
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise SettingsError(f"{name}: expected a file, got {error.strerror}") from None


def load(
    given: Mapping[str, Any] | None = None,
    *,
    read: Callable[[str], bytes] = read_file,
) -> Settings:
    """The settings, each from the first source that has it.

    Args:
        given: the options of the command line, or the arguments of a call, by name; `config` names the file.
        read: reads the file, and each file in S3 whose content is a setting.

    Raises:
        SettingsError: the file is missing, or a name or a value is unknown or not understood. If the list of defective
            serial numbers cannot be read, `Settings.policy` raises it.
    """
    given = given or {}
    document, file = _document(given.get(CONFIG), read)
    sources = (_checked(given, _flag, read), _environment(read), _checked(*_of_file(document, file), read))
    found = _first(sources)
    reader = ReaderSettings.parsed(file, document)
    values = {name: value for name, value in found.items() if not isinstance(value, StediError)}
    unread = next((value for value in found.values() if isinstance(value, StediError)), None)
    return Settings(
        **values, limits=reader.limits, zones=reader.zones, explicit=frozenset(found), unread_serials=unread
    )


def with_options(settings: Settings, given: Mapping[str, Any]) -> Settings:
    """The settings, with these options instead, by name. Where the key is, is taken from one of the two.

    Raises:
        SettingsError: an option is not understood, or `settings` are none.
    """
    if not isinstance(settings, Settings):
        raise SettingsError(f"settings: expected Settings, got {type(settings).__name__}")
    found = _checked(given, str, read_file)
    if error := next((value for value in found.values() if isinstance(value, StediError)), None):
        raise error
    if "defective_serials" in found:
        settings = replace(settings, unread_serials=None)
    if any(OPTIONS[name].is_key for name in found):
        found = {name: None for name, option in OPTIONS.items() if option.is_key} | found
    return replace(settings, **found)


def _document(named: object, read: Callable[[str], bytes]) -> tuple[dict[str, Any], str]:
    """What the file says, and its name."""
    name = str(named or os.environ.get(CONFIG_VARIABLE) or "")
    if not name and not Path(DEFAULT_FILE).exists():
        return {}, DEFAULT_FILE
    name = name or DEFAULT_FILE
    document = parse(read(name), name)
    expect_known(name, document, (*OPTIONS, *TABLES))
    project = table(name, document, "project")
    expect_known(f"{name}: project", project, PROJECT)
    for key, value in project.items():
        if value != PROJECT[key]:
            raise SettingsError(f"{name}: project.{key}: expected {PROJECT[key]!r}, beside this file, got {value!r}")
    return document, name


def _of_file(document: Mapping[str, Any], file: str) -> tuple[dict[str, Any], Callable[[str], str]]:
    """The options of the file, with paths from the working folder on."""
    folder = Path() if "://" in file else Path(file).parent
    options = {name: value for name, value in document.items() if name in OPTIONS}
    for name, value in options.items():
        if OPTIONS[name].is_path and isinstance(value, str) and value and "://" not in value:
            options[name] = str(folder / os.path.expanduser(value))  # noqa: PTH111 - pathlib's raises for an unknown user
    return options, lambda name: f"{file}: {name}"


def _environment(read: Callable[[str], bytes]) -> dict[str, Any]:
    """The settings of the environment. A variable that is empty is as if it were not there."""
    by_variable = {option.variable: name for name, option in OPTIONS.items()}
    known = (*by_variable, *OTHER_VARIABLES)
    for variable in os.environ:
        if variable.startswith("STEDI_") and variable not in known:
            raise SettingsError(f"{variable}: expected a variable that is known", nearest(variable, known))
    named = {name: os.environ[variable] for variable, name in by_variable.items() if os.environ.get(variable)}
    return _checked(named, lambda name: OPTIONS[name].variable, read)


def _checked(given: Mapping[str, Any], where: Callable[[str], str], read: Callable[[str], bytes]) -> dict[str, Any]:
    """The parsed values. For a file that is a value, and cannot be read, its error."""
    values = {
        name: _parsed(OPTIONS[name], where(name), value, read)
        for name, value in given.items()
        if name != CONFIG and value is not None
    }
    keys = [where(name) for name in values if OPTIONS[name].is_key]
    if len(keys) > 1:
        raise SettingsError(f"{' and '.join(keys)}: expected one of them, got both")
    return values


def _parsed(option: Option, where: str, value: Any, read: Callable[[str], bytes]) -> Any:
    is_file = option.is_content and isinstance(value, str | Path)
    try:
        # Of a file in S3 the content is parsed.
        return option.read(where, read(value) if is_file and is_uri(str(value)) else value)
    except UnusablePathError:
        raise
    except Exception as error:
        if not is_file:
            raise
        return as_stedi_error(error)  # raised by whoever needs the value: withdrawn rows are deleted without it


def _flag(name: str) -> str:
    return OPTIONS[name].flags[0]


def _first(sources: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Each value from the first source that has it; where the key is, from one source only."""
    found: dict[str, Any] = {}
    for source in sources:
        has_key = any(OPTIONS[name].is_key for name in found)
        found |= {
            name: value
            for name, value in source.items()
            if name not in found and not (has_key and OPTIONS[name].is_key)
        }
    return found
