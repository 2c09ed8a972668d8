"""A user's own project: contracts and functions of further sources and tables, beside those of the package.

A project is a folder with `contracts/`, a YAML per table, and `tables.py`, a function per table. It is found when the
package is imported: the folder that `STEDI_PROJECT` names, the working folder if its `stedi.toml` has a table
`[project]`, or an installed package `stedi_project`, as Glue's jobs have it.

A broken project is set aside: there are only the tables of the package then, and a run deletes withdrawn rows from them
before it stops. Everything else stops at once.
"""

from __future__ import annotations

import atexit
import importlib.util
import os
import shutil
import sys
import tomllib
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from types import ModuleType
from zipfile import ZipFile
from zipimport import zipimporter

from stedi_common.errors import ProjectError, StediError

#: Names the folder of the project.
PROJECT_VARIABLE = "STEDI_PROJECT"
#: The package that a project is on Glue.
PACKAGE = "stedi_project"
#: Inside the folder.
CONTRACTS_FOLDER, TABLES_FILE, SETTINGS_FILE = "contracts", "tables.py", "stedi.toml"


@cache
def folder() -> Path | None:
    """The folder of the project; None without one. Raises ProjectError if `STEDI_PROJECT` names no folder."""
    if named := os.environ.get(PROJECT_VARIABLE):
        found = Path(os.path.expanduser(named)).absolute()  # noqa: PTH111 - pathlib's raises for an unknown user
        if not found.is_dir():
            raise ProjectError(f"{PROJECT_VARIABLE}: expected a folder, got {named}")
        return found
    return Path.cwd() if _is_project(Path(SETTINGS_FILE)) else _installed()


def contracts() -> tuple[Path, ...]:
    """The files of the project's contracts."""
    found = folder()
    return () if found is None else tuple(sorted((found / CONTRACTS_FOLDER).glob("*.yaml")))


@cache
def tables() -> ModuleType | None:
    """The module `tables.py` of the project; None without one.

    Raises:
        ProjectError: it cannot be imported. The error names file and line.
    """
    found = folder()
    if found is None or not (found / TABLES_FILE).is_file():
        return None
    file = found / TABLES_FILE
    spec = importlib.util.spec_from_file_location(f"{PACKAGE}.tables", file)
    assert spec  # noqa: S101 - of a Python file there always is one
    assert spec.loader  # noqa: S101
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        raise ProjectError(f"{file}:{error.lineno}: expected Python, got: {error.msg}") from None
    except (Exception, SystemExit) as error:
        raise ProjectError(f"{file}:{_line(error, file)}: {type(error).__name__}: {error}") from error
    return module


_failures: list[StediError] = []


def set_aside(error: StediError) -> None:
    """Set the project aside, because it is broken: from now on it has no contracts."""
    _failures.append(error)


def failure() -> StediError | None:
    """Why the project was set aside; None if it was not."""
    return _failures[0] if _failures else None


def expect_usable() -> None:
    """Raise the error of a project that was set aside."""
    if error := failure():
        raise error


def _is_project(settings: Path) -> bool:
    """Whether this stedi.toml makes its folder a project. What else is wrong with it, `settings` says."""
    try:
        return "project" in tomllib.loads(settings.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        return False


def _installed() -> Path | None:
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    if isinstance(spec.loader, zipimporter):
        return _unpacked(spec.loader.archive)
    return Path(next(iter(spec.submodule_search_locations)))


def _unpacked(archive: str) -> Path:
    """The folder of the package, unpacked until the process ends: Glue imports from the zip of `--extra-py-files`."""
    place = mkdtemp(prefix=f"{PACKAGE}-")
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    with ZipFile(archive) as zipped:
        zipped.extractall(place, [name for name in zipped.namelist() if name.startswith(f"{PACKAGE}/")])
    return Path(place) / PACKAGE


def _line(error: BaseException, file: Path) -> int:
    """The last line of the file on the way to the error."""
    line, trace = 1, error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename == str(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line
