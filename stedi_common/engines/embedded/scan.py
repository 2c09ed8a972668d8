"""Reading a table of the embedded engine: which data files it has at a snapshot, and a SELECT over them.

Snapshots do not change, so each is planned once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta

from pyiceberg.expressions import BooleanExpression
from pyiceberg.manifest import DataFile
from pyiceberg.table import ALWAYS_TRUE, Table

from stedi_common.contracts import Contract
from stedi_common.contracts.types import TYPES
from stedi_common.engines.embedded.session import literal, quoted
from stedi_common.engines.embedded.snapshots import day_of
from stedi_common.engines.protocol import Head

#: So many plans are kept. A whole run asks for some thirty.
MAX_CACHED_PLANS = 100


class ScanPlans:
    """The data files of snapshots, planned once each."""

    def __init__(self) -> None:
        self._cached: dict[tuple[object, ...], list[DataFile]] = {}

    def files(
        self,
        contract: Contract,
        table: Table,
        head: Head,
        days: Collection[date] | None = None,
        since: date | None = None,
    ) -> list[DataFile]:
        """The data files of a table at a snapshot.

        Args:
            contract: the table's.
            table: as it was loaded when it had the snapshot.
            head: the snapshot.
            days: only files of these days; None for all. A table without days has all.
            since: only files of this day and later ones; None for all.
        """
        of_days = None if days is None or contract.partition is None else frozenset(days)
        key = contract.name, head.snapshot_id, of_days, since
        if key not in self._cached:
            if len(self._cached) == MAX_CACHED_PLANS:
                self._cached.clear()
            self._cached[key] = _planned(contract, table, head, of_days, since)
        return self._cached[key]


def select(contract: Contract, ids: Mapping[str, int], files: Sequence[str]) -> str:
    """A SELECT of the contract's columns, found in the files by their Iceberg field ids as the format asks.

    Args:
        contract: the table's. A column that it has gained since the table was last prepared is null.
        ids: the field ids of the table's columns, by name.
        files: paths or `file:` URIs of data files.
    """
    types = {column.name: TYPES[column.type].duckdb for column in contract.columns}
    nulls = {name: f'CAST(NULL AS {type_}) AS "{name}"' for name, type_ in types.items()}
    if not files:
        return f"SELECT {', '.join(nulls.values())} WHERE false"
    columns = ", ".join(
        f"{ids[name]}: {{name: '{name}', type: '{type_}', default_value: NULL}}"
        for name, type_ in types.items()
        if name in ids
    )
    names = ", ".join(f'"{name}"' if name in ids else null for name, null in nulls.items())
    paths = ", ".join(f"'{quoted(literal(local(file)))}'" for file in files)
    return f"SELECT {names} FROM read_parquet([{paths}], hive_partitioning = false, schema = MAP {{{columns}}})"


def local(file: str) -> str:
    """The path of a data file, as DuckDB reads it."""
    return file.removeprefix("file://")


def _planned(
    contract: Contract, table: Table, head: Head, days: frozenset[date] | None, since: date | None
) -> list[DataFile]:
    if days is not None and not days:
        return []
    scan = table.scan(_within(contract, days, since), snapshot_id=head.snapshot_id)
    return [task.file for task in scan.plan_files() if days is None or day_of(task.file) in days]


def _within(contract: Contract, days: frozenset[date] | None, since: date | None) -> str | BooleanExpression:
    """What picks the manifests that may know of them: a filter for each day costs more than to look at each file."""
    if contract.partition is None or (days is None and since is None):
        return ALWAYS_TRUE
    column = contract.partition.name
    first = max(each for each in (min(days) if days else None, since) if each)
    start = f"{column} >= '{first}T00:00:00'"
    return f"{start} AND {column} < '{max(days) + timedelta(days=1)}T00:00:00'" if days else start
