"""Which data files a table of the embedded engine has at a snapshot. Snapshots do not change: each is planned once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from pyiceberg.expressions import BooleanExpression
from pyiceberg.manifest import DataFile
from pyiceberg.table import ALWAYS_TRUE, Table

from stedi_common.contracts import Contract
from stedi_common.engines.protocol import Head

#: So many plans are kept. A night asks for some thirty.
MANY = 100


class Plans:
    """The data files of snapshots, planned once each."""

    def __init__(self) -> None:
        self._known: dict[tuple[object, ...], list[DataFile]] = {}

    def files(
        self,
        contract: Contract,
        table: Table,
        head: Head,
        days: Collection[date] | None = None,
        since: date | None = None,
    ) -> list[DataFile]:
        """The data files at that snapshot; of these days only, or from one on, if the table has days."""
        wanted = None if days is None or contract.partition is None else frozenset(days)
        asked = contract.name, head.snapshot_id, wanted, since
        if asked not in self._known:
            if len(self._known) == MANY:
                self._known.clear()
            self._known[asked] = _planned(contract, table, head, wanted, since)
        return self._known[asked]


def day_of(file: DataFile) -> date:
    """The day of all rows of a file."""
    found = file.partition[0]
    return found if isinstance(found, date) else date(1970, 1, 1) + timedelta(days=found)


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
