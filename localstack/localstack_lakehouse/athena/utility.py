"""Statements that show what there is."""

import re
from collections.abc import Iterable
from typing import Any

from pyiceberg import types
from pyiceberg.partitioning import PartitionField
from pyiceberg.table import Table

from .catalog import DEFAULT, is_iceberg
from .exceptions import MalformedQueryError, QueryError
from .information_schema import columns_of, database_names, tables
from .planning import Name
from .session import Result, Session, lines
from .statements import COMMENT

PART = r"(?:\w+|`[^`]+`)"
TABLE = rf"(?P<table>{PART}(?:\.{PART}){{0,2}})"
WIDTH = 20
"""Hive pads what it describes."""


def show_databases(session: Session, sql: str) -> Result:
    """SHOW DATABASES."""
    names = database_names(session.catalog.glue)
    return lines(["database_name"], _like(names, r"SHOW\s+(?:DATABASES|SCHEMAS)", sql))


def show_tables(session: Session, sql: str) -> Result:
    """SHOW TABLES."""
    head = rf"SHOW\s+TABLES(?:\s+(?:IN|FROM)\s+(?P<database>{PART}))?"
    database = _match(head, sql)["database"] or session.database
    names = [table["Name"] for table in tables(session.catalog.glue, _plain(database))]
    return lines(["tab_name"], _like(names, head, sql))


def show_views(session: Session, sql: str) -> Result:
    """SHOW VIEWS."""
    head = rf"SHOW\s+VIEWS(?:\s+(?:IN|FROM)\s+(?P<database>{PART}))?"
    database = _match(head, sql)["database"] or session.database
    found = tables(session.catalog.glue, _plain(database))
    names = [table["Name"] for table in found if table.get("TableType") == "VIRTUAL_VIEW"]
    return lines(["views"], _like(names, head, sql), "varchar")


def show_columns(session: Session, sql: str) -> Result:
    """SHOW COLUMNS."""
    _, table = _table(session, rf"SHOW\s+COLUMNS\s+(?:IN|FROM)\s+{TABLE}", sql)
    names = [column["Name"] for column in columns_of(table)]
    return lines(["field"], names if is_iceberg(table) else map(_padded, names))


def show_properties(session: Session, sql: str) -> Result:
    """SHOW TBLPROPERTIES."""
    _, table = _table(session, rf"SHOW\s+TBLPROPERTIES\s+{TABLE}", sql)
    properties = sorted(table.get("Parameters", {}).items())
    return lines(["prpt_name", "prpt_value"], (f"{key}\t{value}" for key, value in properties))


def show_create_table(session: Session, sql: str) -> Result:
    """SHOW CREATE TABLE, of an Iceberg table."""
    name, table = _table(session, rf"SHOW\s+CREATE\s+TABLE\s+{TABLE}", sql)
    if not is_iceberg(table):
        raise QueryError("NOT_SUPPORTED", "SHOW CREATE TABLE of anything but an Iceberg table")
    loaded = session.catalog.load(name.database, name.table)
    columns = [f"{field.name} {hive_name(field.field_type)}" for field in loaded.schema().fields]
    rows = [f"CREATE TABLE {name.database}.{name.table} (", *_bracketed(columns)]
    if partitions := [_partition(loaded, field) for field in loaded.spec().fields]:
        rows += ["PARTITIONED BY (", *_bracketed(partitions)]
    rows += [f"LOCATION '{loaded.location()}'", "TBLPROPERTIES (", "  'table_type'='iceberg'", ");"]
    return lines(["createtab_stmt"], rows)


def show_create_view(session: Session, sql: str) -> Result:
    """SHOW CREATE VIEW."""
    name, _ = _table(session, rf"SHOW\s+CREATE\s+VIEW\s+{TABLE}", sql)
    view: Any = session.catalog.resolve(name)
    text = f"CREATE VIEW {name.database}.{name.table} AS\n{view.sql}"
    return lines(["create view"], text.split("\n"), "varchar")


def describe(session: Session, sql: str) -> Result:
    """DESCRIBE."""
    name, table = _table(session, rf"DESC(?:RIBE)?\s+(?:(?:EXTENDED|FORMATTED)\s+)?{TABLE}", sql)
    names = ["col_name", "data_type", "comment"]
    if is_iceberg(table):
        return lines(names, _described(session.catalog.load(name.database, name.table)))
    rows = (
        "\t".join(map(_padded, (column["Name"], column["Type"], column.get("Comment", ""))))
        for column in columns_of(table)
    )
    return lines(names, rows, updates=False)


def described(database: str, sql: str) -> Name:
    """The table that DESCRIBE or SHOW COLUMNS asks for."""
    head = r"(?:DESC(?:RIBE)?(?:\s+(?:EXTENDED|FORMATTED))?|SHOW\s+COLUMNS\s+(?:IN|FROM))"
    return _name(database, rf"{head}\s+{TABLE}", sql)


def hive_name(kind: types.IcebergType) -> str:
    """An Iceberg type as Athena describes it."""
    match kind:
        case types.LongType():
            return "bigint"
        case types.TimestamptzType():
            return "timestamp"
        case types.ListType():
            return f"array<{hive_name(kind.element_type)}>"
        case types.MapType():
            return f"map<{hive_name(kind.key_type)}, {hive_name(kind.value_type)}>"
        case types.StructType():
            return f"struct<{', '.join(f'{field.name}: {hive_name(field.field_type)}' for field in kind.fields)}>"
    return str(kind)


def _described(table: Table) -> list[str]:
    schema = table.schema()
    columns = [f"{field.name}\t{hive_name(field.field_type)}\t{field.doc or ''}" for field in schema.fields]
    parts = [
        f"{field.name}\t{field.transform}\t{schema.find_column_name(field.source_id)}" for field in table.spec().fields
    ]
    head = ["# Table schema:\t\t", "# col_name\tdata_type\tcomment"]
    return [*head, *columns, "\t\t", "# Partition spec:\t\t", "# field_name\tfield_transform\tcolumn_name", *parts]


def _partition(table: Table, field: PartitionField) -> str:
    column = f"`{table.schema().find_column_name(field.source_id)}`"
    transform = str(field.transform)
    if transform == "identity":
        return column
    name, _, width = transform.rstrip("]").partition("[")
    return f"{name}({width}, {column})" if width else f"{name}({column})"


def _bracketed(items: list[str]) -> list[str]:
    """Each on a line of its own, the last one closing the bracket."""
    return [f"  {item}{')' if item is items[-1] else ','}" for item in items]


def _table(session: Session, pattern: str, sql: str) -> tuple[Name, dict[str, Any]]:
    name = _name(session.database, pattern, sql)
    return name, session.catalog.find(name)


def _name(database: str, pattern: str, sql: str) -> Name:
    *qualifiers, table = (_plain(part) for part in _match(pattern, sql)["table"].split("."))
    return Name(DEFAULT, qualifiers[-1] if qualifiers else database, table)


def _match(pattern: str, sql: str) -> re.Match[str]:
    match = re.match(pattern, COMMENT.sub(" ", sql).strip(), re.IGNORECASE)
    if not match:
        raise MalformedQueryError("Queries of this type are not supported")
    return match


def _like(names: Iterable[str], head: str, sql: str) -> list[str]:
    """The names that a pattern, which is a regular expression, matches in full."""
    match = _match(rf"{head}(?:\s+(?:LIKE\s+)?'(?P<pattern>[^']*)')?\s*;?$", sql)
    pattern = match["pattern"]
    return sorted(name for name in names if pattern in {None, "*"} or re.fullmatch(pattern, name))


def _plain(name: str) -> str:
    return name.strip("`").lower()


def _padded(text: str) -> str:
    return text.ljust(WIDTH)
