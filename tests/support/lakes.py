"""Histories on a real engine: write the drops, land them, run the jobs, read the tables back."""

import errno
import os
import sqlite3
import stat
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.table import Table

from stedi_common import landing
from stedi_common.contracts import SOURCES, Contract, contract
from stedi_common.engines import connect
from stedi_common.engines.protocol import Engine
from stedi_common.lake import Lake
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.policy import Policy
from stedi_common.runs.executor import Outcome
from stedi_common.runs.run_all import run_all, tasks
from stedi_common.runs.settings import RunSettings

Run = Mapping[str, bytes]
Asks = Callable[..., Any]

#: Five jobs are many small plans, which take Spark longer than the rows do.
SLOW_ON_SPARK = pytest.mark.parametrize(
    "engine_name", ["embedded", pytest.param("spark", marks=pytest.mark.long)], indirect=True
)

COMMITS = ("append", "append_staged", "replace", "replace_days", "replace_classified")


@contextmanager
def opening() -> Iterator[Callable[[str, Path | Lake], Engine]]:
    """Opens lakes, or those in a folder, with the engine of a name, and closes them in the end."""
    opened: list[Engine] = []

    def open_(name: str, lake: Path | Lake) -> Engine:
        opened.append(connect(name, lake if isinstance(lake, Lake) else Lake.at(str(lake))))
        return opened[-1]

    try:
        yield open_
    finally:
        for engine in opened:
            engine.close()


def write(folder: Path, drops: Run) -> None:
    """Put the drops below the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in drops.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def land(engine: Engine, folder: Path, key: PseudonymKey, arrived_at: datetime) -> list[landing.Landed]:
    """Land all three sources."""
    for source in SOURCES:
        (folder / source).mkdir(exist_ok=True)
    return [landing.land(engine, source, str(folder), key, arrived_at) for source in SOURCES]


def run(engine: Engine, policy: Policy, key: PseudonymKey, *, rebuild: bool = False) -> list[Outcome]:
    """Delete withdrawn rows, then run all five jobs."""
    outcomes = []
    for done in run_all(engine, RunSettings(policy, key, rebuild=rebuild), tasks()):
        if done.error:
            raise done.error
        if isinstance(done.result, Outcome):
            outcomes.append(done.result)
    return outcomes


def play(  # noqa: PLR0913, PLR0917 - a history is all of this
    engine: Engine,
    folder: Path,
    runs: Sequence[Run],
    arrived_at: Sequence[datetime],
    policy: Policy,
    key: PseudonymKey,
) -> None:
    """Land each run of drops when it arrives, then make the tables."""
    for drops, arrival in zip(runs, arrived_at, strict=True):
        write(folder, drops)
        land(engine, folder, key, arrival)
    run(engine, policy, key)


def table_of(lake: Path, of: Contract) -> Table:
    """A table of the lake, as PyIceberg has it."""
    return SqlCatalog("stedi", uri=f"sqlite:///{lake}/catalog.db").load_table(of.identifier)


def modes(folder: Path) -> set[tuple[str, int]]:
    """The kinds of what is in the folder, itself included, with their modes."""
    found = (path.lstat().st_mode for path in (folder, *folder.rglob("*")))
    return {("folder" if stat.S_ISDIR(mode) else "file", stat.S_IMODE(mode)) for mode in found}


def without_properties(lake: Path) -> None:
    """Make the lake one of an earlier version, which has no `lake.json` and no mark of it in the catalog."""
    (lake / "lake.json").unlink()
    with closing(sqlite3.connect(lake / "catalog.db")) as catalog, catalog:
        catalog.execute("DELETE FROM iceberg_namespace_properties WHERE property_key = 'stedi.properties'")


def without_hard_links(monkeypatch: pytest.MonkeyPatch, number: int = errno.EPERM) -> None:
    """No file gets a hard link, as on FAT."""

    def fails(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "hardlink_to", fails)


def rows(engine: Engine, table: str, columns: Sequence[str] = ()) -> Counter[tuple[Any, ...]]:
    """A table's rows as a bag of tuples, of these columns or all. A doubtful line's hash is None."""
    of = contract(table)
    names = columns or of.names
    found = engine.collect(engine.read(of, engine.head(of)))
    for row in found:
        if row.get("doubt"):
            row["record_hash"] = None
    return Counter(tuple(row[name] for name in names) for row in found)


@contextmanager
def unreadable(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    """No file whose path ends like this can be opened, whoever tries: root may read every file."""
    opened = os.open

    def refused(path: Any, *args: Any, **named: Any) -> int:
        if os.fsdecode(path).endswith(name):
            raise PermissionError(errno.EACCES, "no")
        return opened(path, *args, **named)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", refused)
        yield


class KilledError(BaseException):
    """As by the operating system."""


class Dying:
    """An engine that is killed before its n-th commit."""

    def __init__(self, engine: Any, n: int) -> None:
        self._engine, self._left = engine, n

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        return partial(self.commit, found) if name in COMMITS else found

    def commit(self, method: Callable[..., Any], *args: Any) -> Any:
        self._left -= 1
        if not self._left:
            raise KilledError
        return method(*args)


def instead(engine: Any, make: Callable[[Asks], Asks], put: Callable[[Any, str, Any], None] = setattr) -> None:
    """Replace what asks the catalog to make a table or to change it."""
    if engine.name == "embedded":
        for name in ("create_table", "commit_table"):
            put(engine._catalog, name, make(getattr(engine._catalog, name)))
        return
    from stedi_common.engines.spark import commit  # noqa: PLC0415 - not everybody has it

    ensure, asks = commit.ensure, make(lambda change: change())
    put(commit, "ensure", lambda change, is_done: ensure(lambda: asks(change), is_done))
    put(engine._tables, "_create", make(engine._tables._create))


def unanswered(ask: Asks, error: Callable[[], Exception], turns: Collection[int] = range(1, 1000)) -> Asks:
    """What asks a catalog: it is done, but in these turns an error comes back."""
    turn = count(1)

    def asked(*args: Any, **named: Any) -> Any:
        answer = ask(*args, **named)
        if next(turn) in turns:
            raise error()
        return answer

    return asked
