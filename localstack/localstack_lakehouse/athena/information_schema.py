"""`information_schema`: the catalog as tables."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from sqlglot import exp
from sqlglot.errors import SqlglotError

from .dialect import AthenaSql
from .memory import MemoryScan
from .planning import Predicate

Row = dict[str, Any]
SCHEMAS = {
    "columns": {
        "table_catalog": "VARCHAR",
        "table_schema": "VARCHAR",
        "table_name": "VARCHAR",
        "column_name": "VARCHAR",
        "ordinal_position": "BIGINT",
        "column_default": "VARCHAR",
        "is_nullable": "VARCHAR",
        "data_type": "VARCHAR",
    },
    "schemata": {"catalog_name": "VARCHAR", "schema_name": "VARCHAR"},
    "tables": {
        "table_catalog": "VARCHAR",
        "table_schema": "VARCHAR",
        "table_name": "VARCHAR",
        "table_type": "VARCHAR",
    },
}


@dataclass(frozen=True)
class InformationTable:
    """One of its tables, filled when it is scanned."""

    catalog: str
    name: str
    glue: Any

    @property
    def columns(self) -> dict[str, exp.DataType]:
        """All text, but for a position."""
        return {name: exp.DataType.build(kind, dialect=AthenaSql) for name, kind in SCHEMAS[self.name].items()}

    def scan(self, columns: list[str], predicates: list[Predicate]) -> MemoryScan:
        """Only of the databases that the query asks for."""
        wanted = {
            value
            for predicate in predicates
            if predicate.column in {"table_schema", "schema_name"} and predicate.operator in {exp.EQ, exp.In}
            for value in predicate.values
        }
        databases = [name for name in database_names(self.glue) if not wanted or name in wanted]
        arrow = {"VARCHAR": pa.string(), "BIGINT": pa.int64()}
        schema = pa.schema({name: arrow[kind] for name, kind in SCHEMAS[self.name].items()})
        rows = pa.Table.from_pylist(list(ROWS[self.name](self, databases)), schema)
        return MemoryScan(rows.select(columns or rows.column_names[:1]))


def database_names(glue: Any) -> list[str]:
    """Every database."""
    pages = glue.get_paginator("get_databases").paginate()
    return [database["Name"] for page in pages for database in page["DatabaseList"]]


def tables(glue: Any, database: str) -> Iterator[dict[str, Any]]:
    """Every table of a database."""
    for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
        yield from page["TableList"]


def columns_of(table: dict[str, Any]) -> list[dict[str, Any]]:
    """The columns that a query sees: of an Iceberg table, the current ones."""
    columns = [*table.get("StorageDescriptor", {}).get("Columns", []), *table.get("PartitionKeys", [])]
    return [column for column in columns if column.get("Parameters", {}).get("iceberg.field.current") != "false"]


def trino_type(table: dict[str, Any], glue_type: str) -> str:
    """A type of Glue's, as Trino calls it."""
    try:
        name = exp.DataType.build(glue_type, dialect="hive").sql(dialect="trino").lower()
    except SqlglotError:
        return glue_type
    digits = 6 if table.get("Parameters", {}).get("table_type", "").lower() == "iceberg" else 3
    return f"timestamp({digits})" if name == "timestamp" else name


def _schemata(information: InformationTable, databases: list[str]) -> Iterator[Row]:
    for name in databases:
        yield {"catalog_name": information.catalog, "schema_name": name}


def _tables(information: InformationTable, databases: list[str]) -> Iterator[Row]:
    for database in databases:
        for table in tables(information.glue, database):
            view = table.get("TableType") == "VIRTUAL_VIEW"
            yield {**_name(information, database, table), "table_type": "VIEW" if view else "BASE TABLE"}


def _columns(information: InformationTable, databases: list[str]) -> Iterator[Row]:
    for database in databases:
        for table in tables(information.glue, database):
            for position, column in enumerate(columns_of(table), 1):
                yield {
                    **_name(information, database, table),
                    "column_name": column["Name"].lower(),
                    "ordinal_position": position,
                    "is_nullable": "YES",
                    "data_type": trino_type(table, column["Type"]),
                }


def _name(information: InformationTable, database: str, table: dict[str, Any]) -> Row:
    return {"table_catalog": information.catalog, "table_schema": database, "table_name": table["Name"]}


ROWS: dict[str, Callable[[InformationTable, list[str]], Iterator[Row]]] = {
    "columns": _columns,
    "schemata": _schemata,
    "tables": _tables,
}
