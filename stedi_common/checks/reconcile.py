"""Reconciliation of a lake: whether the landing tables have the rows that `landed_files` says, file by file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import narwhals as nw

from stedi_common.contracts import CUSTOMER, SOURCES, Contract, contract
from stedi_common.engines.protocol import Engine
from stedi_common.landing import REJECTED
from stedi_common.landing.landed_files import LANDED_FILES
from stedi_common.records import MAX_REJECTED_ROWS
from stedi_common.rules.frames import Frame, distinct

#: How many lines of a file a run has landed, by the time it began.
Arrivals = Mapping[datetime, int]


@dataclass(frozen=True)
class Difference:
    """A version of a file of which the tables have more or fewer lines than have landed.

    Attributes:
        table: the landing table, or the one of rejected lines.
        source: the source of the file.
        source_file: its name. It may hold personal data.
        sha256: which version; None if `landed_files` has no version of the file.
        expected: how many lines have landed, or were rejected.
        found: how many the table has.
    """

    table: Contract
    source: str
    source_file: str
    sha256: str | None
    expected: int
    found: int

    @property
    def is_missing(self) -> bool:
        """Whether lines are missing, and not too many."""
        return self.found < self.expected


def differences(engine: Engine, without: Collection[str] = ()) -> list[Difference]:
    """Compare the landing tables with `landed_files`.

    Args:
        engine: an open lake.
        without: names of tables that cannot be read.

    Returns:
        The differences, by file.
    """
    if LANDED_FILES.name in without or not engine.exists(LANDED_FILES):
        return []
    # Read first: what lands meanwhile is in the tables before it is in here.
    versions = _versions(engine)
    found: list[Difference] = []
    for source in SOURCES:
        table = contract(f"{source}_landing")
        if table.name not in without:
            found += _compared(table, source, "landed", versions, _landed(engine, table))
    if REJECTED.name not in without:
        rejected = _rejected(engine)
        for source in SOURCES:
            found += _compared(REJECTED, source, "rejected", versions, rejected.get(source, {}))
    return found


def _compared(
    table: Contract,
    source: str,
    count: str,
    versions: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]],
    lines: Mapping[str, Arrivals],
) -> Iterator[Difference]:
    of_source = versions.get(source, {})
    for name in sorted(of_source.keys() | lines.keys()):
        arrivals = lines.get(name, {})
        if name not in of_source:
            yield Difference(table, source, name, None, 0, sum(arrivals.values()))
            continue
        since = datetime.min
        for version in of_source[name]:
            until = version["arrived_at"]
            # A run that was killed has landed lines of it, too; what it read of other content is none of ours.
            all_ = sum(n for at, n in arrivals.items() if since < at <= until)
            own = arrivals.get(until, 0)
            most, since = version[count], until
            # Before 0.3 every rejected line had a row.
            expected = min(most, MAX_REJECTED_ROWS) if table == REJECTED else most
            if all_ < expected or own > most:
                found = all_ if all_ < expected else own
                yield Difference(table, source, name, version["sha256"], expected, found)


def _versions(engine: Engine) -> dict[str, dict[str, list[Mapping[str, Any]]]]:
    """The versions of each file, oldest first, by source and name."""
    columns = ("source", "source_file", "sha256", "landed", "rejected", "arrived_at")
    rows = engine.read(LANDED_FILES, engine.head(LANDED_FILES)).filter(nw.col("skipped").is_null()).select(*columns)
    versions: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for row in sorted(engine.collect(rows), key=lambda row: row["arrived_at"]):
        versions.setdefault(row["source"], {}).setdefault(row["source_file"], []).append(row)
    return versions


def _landed(engine: Engine, table: Contract) -> Mapping[str, Arrivals]:
    """How many lines of each file the landing table has."""
    if not engine.exists(table):
        return {}
    rows = engine.read(table, engine.head(table))
    if table.name != f"{CUSTOMER}_landing":
        return _counted(_by_file(engine, rows)).get(None, {})
    is_record = nw.col("doubt").is_null()
    # A doubtful line has a row for each address.
    doubtful = distinct(rows.filter(~is_record).select("source_file", "source_line", "arrived_at"))
    counts = [*_by_file(engine, rows.filter(is_record)), *_by_file(engine, doubtful)]
    return _counted(counts).get(None, {})


def _rejected(engine: Engine) -> Mapping[Any, Mapping[str, Arrivals]]:
    if not engine.exists(REJECTED):
        return {}
    return _counted(_by_file(engine, engine.read(REJECTED, engine.head(REJECTED)), "source"))


def _by_file(engine: Engine, rows: Frame, *columns: str) -> list[dict[str, Any]]:
    """How many rows there are by file and arrival, and by these columns."""
    return engine.collect(rows.group_by(*columns, "source_file", "arrived_at").agg(nw.len().alias("lines")))


def _counted(counts: Sequence[Mapping[str, Any]]) -> Mapping[Any, Mapping[str, Arrivals]]:
    """The sums of the counts, by source, file and arrival."""
    counted: dict[Any, dict[str, Counter[datetime]]] = {}
    for row in counts:
        of_file = counted.setdefault(row.get("source"), {}).setdefault(row["source_file"], Counter())
        of_file[row["arrived_at"]] += int(row["lines"])
    return counted
