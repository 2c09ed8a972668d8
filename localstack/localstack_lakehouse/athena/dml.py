"""Queries, and statements that change rows."""

import pyarrow as pa
from pyiceberg import expressions as iceberg
from pyiceberg.io.pyarrow import schema_to_pyarrow
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import DoubleType
from sqlglot import exp
from sqlglot.optimizer.normalize_identifiers import normalize_identifiers

from .catalog import DEFAULT, is_iceberg
from .dialect import AthenaSql, TrinoOnDuckDB, parse, where
from .exceptions import QueryError, column_not_found
from .iceberg import expression
from .memory import type_name
from .planning import Name, Predicate, predicate
from .session import Result, Session, changed


def select(session: Session, sql: str) -> Result:
    """SELECT, WITH, VALUES."""
    columns, batches = session.engine.texts(session.plan(sql, parse(sql)))
    return Result(columns, batches, 0)


def insert(session: Session, sql: str) -> Result:
    """INSERT INTO."""
    statement = parse(sql)
    target = statement.this
    names = [column.name.lower() for column in target.expressions] if isinstance(target, exp.Schema) else []
    table = _table(session, sql, target.this if isinstance(target, exp.Schema) else target)
    rows = session.rows(sql, statement.expression)
    table.append(_aligned(table.schema(), rows, names))
    return changed(rows.num_rows)


def delete(session: Session, sql: str) -> Result:
    """DELETE FROM."""
    statement = normalize_identifiers(parse(sql), dialect=AthenaSql)
    table = _table(session, sql, statement.this)
    condition = statement.args.get("where")
    matching = _condition(session, sql, table.schema(), condition.this) if condition else iceberg.AlwaysTrue()
    count = table.scan(row_filter=matching).count()
    if count:
        table.delete(matching)
    return changed(count)


def _table(session: Session, sql: str, table: exp.Table) -> Table:
    name = Name(table.catalog or DEFAULT, session.database_of(table), table.name.lower(), where(sql, table))
    if not is_iceberg(session.catalog.find(name)):
        raise QueryError("NOT_SUPPORTED", f"{name.database}.{name.table} is not an Iceberg table")
    return session.catalog.load(name.database, name.table)


def _aligned(schema: Schema, rows: pa.Table, names: list[str]) -> pa.Table:
    """The rows as the table has them; columns that are not named are NULL."""
    target = schema_to_pyarrow(schema, include_field_ids=False)
    given = names or [field.name.lower() for field in target]
    try:
        by_name = dict(zip(given, rows.columns, strict=True))
        columns = [_cast(by_name.get(field.name.lower()), field.type, rows.num_rows) for field in target]
    except (ValueError, pa.ArrowNotImplementedError) as error:
        kinds = [", ".join(type_name(field.type).lower() for field in fields) for fields in (target, rows.schema)]
        reason = f"Insert query has mismatched column types: Table: [{kinds[0]}], Query: [{kinds[1]}]"
        raise QueryError("TYPE_MISMATCH", reason) from error
    return pa.Table.from_arrays(columns, schema=target)


def _cast(column: pa.ChunkedArray | None, kind: pa.DataType, length: int) -> pa.ChunkedArray:
    """NULL is of every type."""
    if column is None or column.null_count == length:
        return pa.nulls(length, kind)
    return column.cast(kind)


def _condition(session: Session, sql: str, schema: Schema, condition: exp.Expression) -> iceberg.BooleanExpression:
    for column in condition.find_all(exp.Column):
        if column.name not in {name.lower() for name in schema.column_names}:
            raise column_not_found(column.name, where(sql, column))
        column.set("table", None)
    converted = _converted(session, schema, condition)
    if converted is None:
        reason = "DELETE by anything but comparisons of columns with constants"
        raise QueryError("NOT_SUPPORTED", reason, where(sql, condition))
    return converted


def _converted(session: Session, schema: Schema, node: exp.Expression) -> iceberg.BooleanExpression | None:
    """The condition in PyIceberg's terms, if it is that simple: what it deletes is exactly what Trino would."""
    match node.unnest():
        case exp.And() | exp.Or() as both:
            left, right = (_converted(session, schema, side) for side in (both.left, both.right))
            combined = iceberg.And if isinstance(both, exp.And) else iceberg.Or
            return combined(left, right) if left and right else None
        case exp.Is(this=exp.Column() as column, expression=exp.Null()):
            return iceberg.IsNull(schema.find_field(column.name, case_sensitive=False).name)
        case simple:
            found = predicate(simple, "")
    if not found:
        return None
    name, operator, constants = found
    values = tuple(session.engine.evaluate(constant.sql(dialect=TrinoOnDuckDB)) for constant in constants)
    comparison = expression(schema, Predicate(name, operator, values))
    return _definite(schema, name, comparison) if comparison else None


def _definite(schema: Schema, column: str, comparison: iceberg.BooleanExpression) -> iceberg.BooleanExpression:
    """False, not unknown, for NULL and NaN: PyIceberg keeps rows that have one in a column it says nothing of."""
    field = schema.find_field(column, case_sensitive=False)
    definite = iceberg.And(iceberg.NotNull(field.name), comparison)
    return iceberg.And(iceberg.NotNaN(field.name), definite) if isinstance(field.field_type, DoubleType) else definite
