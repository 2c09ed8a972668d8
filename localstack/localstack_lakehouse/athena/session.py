"""What a statement runs in, and what comes of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa
from sqlglot import exp

from .catalog import DEFAULT, Catalog
from .engine import Engine
from .exceptions import ScanLimitError
from .planning import Plan, Planner
from .types import Column

Rows = list[list[str | None]]


@dataclass
class Result:
    """What a statement answers."""

    columns: list[Column] = field(default_factory=list)
    batches: Iterable[Rows] = ()
    update_count: int | None = None


def lines(names: Iterable[str], rows: Iterable[str], kind: str = "string", *, updates: bool = True) -> Result:
    """The answer of a utility statement: each row is one text."""
    columns = [Column(name, kind) for name in names]
    return Result(columns, [[[row] for row in rows]], 0 if updates else None)


def changed(rows: int) -> Result:
    """The answer of a statement that changes rows."""
    return Result([Column("rows", "bigint", 19)], update_count=rows)


@dataclass
class Session:
    """A caller's catalog, the default database, an engine of its own."""

    catalog: Catalog
    database: str
    engine: Engine
    output: str
    """Where tables go that say nothing of it."""
    limit: int | None = None
    scanned: int = 0

    def plan(self, sql: str, query: exp.Expression) -> Plan:
        """Plan a query, and see that it reads no more than it may."""
        plan = Planner(DEFAULT, self.database, self.catalog.resolve, self.engine.evaluate).plan(sql, query)
        if self.limit is not None and plan.bytes > self.limit:
            self.scanned = self.limit
            raise ScanLimitError
        self.scanned += plan.bytes
        return plan

    def rows(self, sql: str, query: exp.Expression) -> pa.Table:
        """All rows of a query."""
        return self.engine.arrow(self.plan(sql, query))

    def database_of(self, table: exp.Table) -> str:
        """The database that a statement names, or the default one."""
        return str(table.db or self.database).lower()
