"""Statements that make and drop tables, views and databases."""

import json
import re
from base64 import b64encode
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pyarrow as pa
from pyiceberg.io.pyarrow import _pyarrow_to_schema_without_ids
from pyiceberg.partitioning import PARTITION_FIELD_ID_START, PartitionField, PartitionSpec
from pyiceberg.schema import Schema, assign_fresh_schema_ids
from pyiceberg.transforms import parse_transform
from pyiceberg.types import NestedField
from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from ..glue.catalog.types import iceberg_type
from .catalog import DEFAULT, is_iceberg
from .dialect import parse, where
from .exceptions import MalformedQueryError, QueryError
from .planning import Name
from .session import Result, Session, changed

DATABASE = re.compile(
    r"""CREATE\s+(?:DATABASE|SCHEMA)\s+(?P<exists>IF\s+NOT\s+EXISTS\s+)?(?P<name>\w+|`[^`]+`)
    (?:\s+COMMENT\s+'(?P<comment>[^']*)')?
    (?:\s+LOCATION\s+'(?P<location>[^']*)')?
    (?:\s+WITH\s+DBPROPERTIES\s*\((?P<properties>.*)\))?""",
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
"""sqlglot does not know DBPROPERTIES."""

HIVE = "FAILED"
"""How Hive's errors begin, which runs Athena's DDL."""
NAMES = {"truncate": "trunc"}
"""What a partition field is called after its column, where it is not called after its transform."""


@dataclass(frozen=True)
class _Layout:
    """What a new table is."""

    schema: Schema
    partitioning: str
    location: str
    properties: dict[str, str] = field(default_factory=dict)


def create_table(session: Session, sql: str) -> Result:
    """CREATE TABLE, of an Iceberg table."""
    statement = hive(sql)
    properties = _properties(statement)
    location = properties.pop("location")
    if properties.pop("table_type", "").lower() != "iceberg":
        raise QueryError("NOT_SUPPORTED", "only Iceberg tables can be made: TBLPROPERTIES ('table_type'='ICEBERG')")
    ids = count(1)
    fields = [
        NestedField(
            next(ids),
            column.name.lower(),
            iceberg_type(column.kind.sql(dialect="hive"), ids),
            required=False,
            doc=_comment(column),
        )
        for column in statement.this.expressions
    ]
    clause = re.search(r"PARTITIONED\s+BY\s*\((.*?)\)\s*(?:LOCATION|TBLPROPERTIES|$)", sql, re.IGNORECASE | re.DOTALL)
    _create(session, statement, _Layout(Schema(*fields), clause[1] if clause else "", location, properties))
    return Result()


def create_table_as(session: Session, sql: str) -> Result:
    """CREATE TABLE AS, of an Iceberg table: there with its rows, or not at all."""
    statement = parse(sql)
    properties = _properties(statement)
    if properties.get("table_type", "").lower() != "iceberg":
        raise QueryError("NOT_SUPPORTED", "only Iceberg tables can be made: WITH (table_type = 'ICEBERG')")
    rows = session.rows(sql, statement.expression)
    schema = assign_fresh_schema_ids(_pyarrow_to_schema_without_ids(rows.schema))
    location = properties.get("location", session.output)
    _create(session, statement, _Layout(schema, properties.get("partitioning", ""), location), rows)
    return changed(rows.num_rows)


def drop_table(session: Session, sql: str) -> Result:
    """DROP TABLE, with all data if it is an Iceberg table."""
    statement = hive(sql)
    database, name = session.database_of(statement.this), statement.this.name.lower()
    glue = session.catalog.glue
    try:
        if is_iceberg(glue.get_table(DatabaseName=database, Name=name)["Table"]):
            session.catalog.caller.catalog().purge_table((database, name))
        else:
            glue.delete_table(DatabaseName=database, Name=name)
    except glue.exceptions.EntityNotFoundException:
        _unless_exists(statement, QueryError(HIVE, f"SemanticException [Error 10001]: Table not found {name}"))
    return Result()


def create_database(session: Session, sql: str) -> Result:
    """CREATE DATABASE."""
    statement = DATABASE.fullmatch(sql.strip(" ;\n"))
    if statement is None:
        raise MalformedQueryError("Queries of this type are not supported")
    known = {
        "Description": statement["comment"],
        "LocationUri": statement["location"],
        "Parameters": dict(re.findall(r"'([^']*)'\s*=\s*'([^']*)'", statement["properties"] or "")),
    }
    name = statement["name"].strip("`").lower()
    glue = session.catalog.glue
    try:
        glue.create_database(DatabaseInput={"Name": name} | {key: value for key, value in known.items() if value})
    except glue.exceptions.AlreadyExistsException:
        if not statement["exists"]:
            raise QueryError(HIVE, f"SemanticException [Error 10242]: Database {name} already exists") from None
    return Result()


def drop_database(session: Session, sql: str) -> Result:
    """DROP DATABASE; one with tables needs CASCADE."""
    statement = hive(sql)
    name = _database(statement)
    glue = session.catalog.glue
    try:
        if glue.get_tables(DatabaseName=name)["TableList"] and not statement.args.get("cascade"):
            reason = f"InvalidOperationException(message:Database {name} is not empty. One or more tables exist.)"
            raise QueryError(HIVE, reason)
        glue.delete_database(Name=name)
    except glue.exceptions.EntityNotFoundException:
        reason = f"SemanticException [Error 10072]: Database does not exist: {name}"
        _unless_exists(statement, QueryError(HIVE, reason))
    return Result()


def create_view(session: Session, sql: str) -> Result:
    """CREATE VIEW, stored as Athena stores it."""
    statement = parse(sql)
    clause = re.search(r"\bVIEW\b.*?\bAS\b\s*(.*)", sql, re.IGNORECASE | re.DOTALL)
    query = clause[1].rstrip(" ;\n") if clause else ""
    plan = session.plan(query, parse(query))
    kinds = [exp.DataType.build(str(kind), dialect="duckdb") for kind in session.engine.types(plan)]
    named = list(zip((output.label.lower() for output in plan.outputs), kinds, strict=True))
    view = {
        "originalSql": query,
        "catalog": DEFAULT,
        "schema": session.database,
        "columns": [{"name": name, "type": kind.sql(dialect="trino").lower()} for name, kind in named],
    }
    database, name = session.database_of(statement.this), statement.this.name.lower()
    table = {
        "Name": name,
        "TableType": "VIRTUAL_VIEW",
        "Parameters": {"presto_view": "true", "comment": "Presto View"},
        "ViewOriginalText": f"/* Presto View: {b64encode(json.dumps(view).encode()).decode()} */",
        "ViewExpandedText": "/* Presto View */",
        "StorageDescriptor": {
            "Columns": [{"Name": name, "Type": kind.sql(dialect="hive").lower()} for name, kind in named]
        },
    }
    glue = session.catalog.glue
    try:
        glue.create_table(DatabaseName=database, TableInput=table)
    except glue.exceptions.AlreadyExistsException:
        if not statement.args.get("replace"):
            reason = f"View already exists: '{DEFAULT}.{database}.{name}'"
            raise QueryError("ALREADY_EXISTS", reason, where(sql, statement)) from None
        glue.update_table(DatabaseName=database, TableInput=table)
    return Result()


def drop_view(session: Session, sql: str) -> Result:
    """DROP VIEW."""
    statement = parse(sql)
    database, name = session.database_of(statement.this), statement.this.name.lower()
    glue = session.catalog.glue
    try:
        glue.delete_table(DatabaseName=database, Name=name)
    except glue.exceptions.EntityNotFoundException:
        reason = f"View '{DEFAULT}.{database}.{name}' does not exist"
        _unless_exists(statement, QueryError("TABLE_NOT_FOUND", reason, where(sql, statement)))
    return Result()


def hive(sql: str) -> Any:
    """A statement of Hive's, which runs Athena's DDL."""
    try:
        return parse_one(sql, dialect="athena")
    except SqlglotError as error:
        raise MalformedQueryError(str(error).splitlines()[0]) from error


def check_location(sql: str) -> None:
    """A table that says nothing of its place is refused before it runs."""
    if "location" not in _properties(hive(sql)):
        raise MalformedQueryError("No location was specified for table. An S3 location must be specified")


def _properties(statement: exp.Expression) -> dict[str, str]:
    """A statement's properties, whatever clause they come from."""
    properties = {}
    clause = statement.args.get("properties")
    for item in clause.expressions if clause else []:
        match item:
            case exp.LocationProperty():
                properties["location"] = item.name
            case exp.Property() if value := item.args.get("value"):
                texts = value.expressions if isinstance(value, exp.Array) else [value]
                properties[item.name] = ", ".join(text.name for text in texts)
    return properties


def _database(statement: exp.Expression) -> str:
    # DROP SCHEMA is parsed into a table's database, DROP DATABASE into a table.
    return str(statement.this.name or statement.this.db).lower()


def _comment(column: exp.ColumnDef) -> str | None:
    comment = column.find(exp.CommentColumnConstraint)
    return comment.this.name if comment else None


def _partitioning(schema: Schema, clause: str) -> PartitionSpec:
    """`day(ts), bucket(16, id), category`."""
    fields: list[PartitionField] = []
    for function, arguments, column in re.findall(r"(\w+)\s*\(([^)]*)\)|`?(\w+)`?", clause):
        words = [word.strip(" `") for word in (arguments or column).split(",")]
        name = next(word for word in words if not word.isdigit()).lower()
        width = next((word for word in words if word.isdigit()), None)
        transform = f"{function.lower()}[{width}]" if width else function.lower() or "identity"
        label = f"{name}_{NAMES.get(function.lower(), function.lower())}" if function else name
        source = schema.find_field(name, case_sensitive=False).field_id
        fields.append(PartitionField(source, PARTITION_FIELD_ID_START + len(fields), parse_transform(transform), label))
    return PartitionSpec(*fields)


def _create(session: Session, statement: exp.Expression, layout: _Layout, rows: pa.Table | None = None) -> None:
    target: Any = statement.find(exp.Table)
    database, name = session.database_of(target), target.name.lower()
    if _exists(session, Name(DEFAULT, database, name)):
        reason = f"Table '{DEFAULT}.{database}.{name}' already exists"
        _unless_exists(statement, QueryError("TABLE_ALREADY_EXISTS", reason))
        return
    with session.catalog.caller.catalog().create_table_transaction(
        (database, name),
        layout.schema,
        layout.location.rstrip("/"),
        _partitioning(layout.schema, layout.partitioning),
        properties=layout.properties,
    ) as table:
        if rows is not None:
            table.append(rows)


def _exists(session: Session, name: Name) -> bool:
    try:
        session.catalog.find(name)
    except QueryError as error:
        if error.name == "TABLE_NOT_FOUND":
            return False
        raise
    return True


def _unless_exists(statement: exp.Expression, error: QueryError) -> None:
    """IF EXISTS and IF NOT EXISTS forgive."""
    if not statement.args.get("exists"):
        raise error
