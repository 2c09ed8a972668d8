"""Iceberg tables, read through PyIceberg."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
from pyiceberg import expressions as iceberg
from pyiceberg import types
from pyiceberg.io.pyarrow import ArrowScan, schema_to_pyarrow
from pyiceberg.schema import Schema
from pyiceberg.table import DataScan, FileScanTask, Table
from sqlglot import exp

from .dialect import AthenaSql
from .exceptions import QueryError
from .planning import Name, Predicate

OPERATORS: dict[type[exp.Expression], Any] = {
    exp.EQ: iceberg.EqualTo,
    exp.LT: iceberg.LessThan,
    exp.LTE: iceberg.LessThanOrEqual,
    exp.GT: iceberg.GreaterThan,
    exp.GTE: iceberg.GreaterThanOrEqual,
}
PRIMITIVES: dict[type[types.IcebergType], str] = {
    types.BinaryType: "VARBINARY",
    types.BooleanType: "BOOLEAN",
    types.DateType: "DATE",
    types.DoubleType: "DOUBLE",
    types.FixedType: "VARBINARY",
    types.FloatType: "REAL",
    types.IntegerType: "INTEGER",
    types.LongType: "BIGINT",
    types.StringType: "VARCHAR",
    types.TimeType: "TIME(6)",
    types.TimestampType: "TIMESTAMP(6)",
    types.TimestamptzType: "TIMESTAMP(6) WITH TIME ZONE",
    types.UUIDType: "UUID",
}
BATCH = 1_000_000


class IcebergTable:
    """A table, now or at one of its snapshots."""

    def __init__(self, table: Table, snapshot_id: int | None = None) -> None:
        self._scan = table.scan(snapshot_id=snapshot_id, case_sensitive=False)
        self._schema = self._scan.projection()
        # Filters bind to the current schema.
        self._filters = self._schema == table.schema()
        self.columns = {field.name.lower(): sql_type(field.field_type) for field in self._schema.fields}

    def scan(self, columns: list[str], predicates: list[Predicate]) -> "IcebergScan":
        """Some columns of the files that may hold matching rows."""
        row_filter = conjunction(self._schema, predicates) if self._filters else iceberg.AlwaysTrue()
        return IcebergScan(self._scan.filter(row_filter), columns)


class IcebergScan:
    """A scan whose files are known."""

    def __init__(self, scan: DataScan, columns: list[str]) -> None:
        self._tasks = list(scan.plan_files())
        self._counts = not columns and not any(task.delete_files for task in self._tasks)
        self._scan = scan.select(*(columns or [scan.projection().fields[0].name]))
        leaves = _leaves(self._scan.projection())
        self.bytes = 0 if self._counts else sum(_size(task, leaves) for task in self._tasks)

    def open(self) -> pa.RecordBatchReader:
        """The rows, a file at a time."""
        if self._counts:
            batches = _rows(sum(task.file.record_count for task in self._tasks))
            return pa.RecordBatchReader.from_batches(pa.schema([("row", pa.null())]), batches)
        schema = schema_to_pyarrow(self._scan.projection())
        return pa.RecordBatchReader.from_batches(schema, self._batches()).cast(schema)

    def _batches(self) -> Iterator[pa.RecordBatch]:
        scan = self._scan
        arrow = ArrowScan(scan.table_metadata, scan.io, scan.projection(), scan.row_filter, scan.case_sensitive)
        for task in self._tasks:
            yield from arrow.to_record_batches([task])


def snapshot_id(table: Table, name: Name) -> int | None:
    """The snapshot that the query wants."""
    match name.version:
        case None:
            return None
        case ("TIMESTAMP", instant):
            snapshot = table.snapshot_as_of_timestamp(_milliseconds(instant))
            if snapshot is None:
                reason = f'No version history table "{name.database}"."{name.table}" at or before {instant.isoformat()}'
                raise QueryError("INVALID_ARGUMENTS", reason)
            return snapshot.snapshot_id
        case (_, str(ref)):
            if named := table.snapshot_by_name(ref):
                return named.snapshot_id
            raise QueryError("INVALID_ARGUMENTS", f"Cannot find snapshot with reference name: {ref}")
        case (_, version):
            if table.snapshot_by_id(version) is None:
                raise QueryError("INVALID_ARGUMENTS", f"Iceberg snapshot ID does not exists: {version}")
            return int(version)
    return None


def sql_type(kind: types.IcebergType) -> exp.DataType:
    """The type in Trino's terms."""
    return exp.DataType.build(type_name(kind), dialect=AthenaSql)


def type_name(kind: types.IcebergType) -> str:
    """The type's name in Trino."""
    match kind:
        case types.DecimalType():
            return f"DECIMAL({kind.precision}, {kind.scale})"
        case types.ListType():
            return f"ARRAY({type_name(kind.element_type)})"
        case types.MapType():
            return f"MAP({type_name(kind.key_type)}, {type_name(kind.value_type)})"
        case types.StructType():
            fields = (f'"{field.name}" {type_name(field.field_type)}' for field in kind.fields)
            return f"ROW({', '.join(fields)})"
    return PRIMITIVES[type(kind)]


def conjunction(schema: Schema, predicates: Iterable[Predicate]) -> iceberg.BooleanExpression:
    """Those of the predicates that PyIceberg understands as Trino does."""
    combined: iceberg.BooleanExpression = iceberg.AlwaysTrue()
    for predicate in predicates:
        if understood := expression(schema, predicate):
            combined = iceberg.And(combined, understood)
    return combined


def expression(schema: Schema, predicate: Predicate) -> iceberg.BooleanExpression | None:
    """One predicate, if it can be said with the column's own type."""
    field = schema.find_field(predicate.column, case_sensitive=False)
    if predicate.operator is exp.Not:
        return iceberg.NotNull(field.name)
    values = [_constant(field.field_type, value) for value in predicate.values]
    if any(value is None for value in values):
        return None
    if predicate.operator is exp.In:
        return iceberg.In(field.name, values)
    if predicate.operator is exp.Between:
        low, high = values
        return iceberg.And(iceberg.GreaterThanOrEqual(field.name, low), iceberg.LessThanOrEqual(field.name, high))
    comparison: iceberg.BooleanExpression = OPERATORS[predicate.operator](field.name, values[0])
    return comparison


def _constant(kind: types.IcebergType, value: Any) -> Any:
    """The value as one of the column's, None where the comparison is of another type."""
    convert = CONVERSIONS.get((type(kind), type(value)))
    return convert(value) if convert else None


def _whole(kind: type[types.IntegerType | types.LongType]) -> Callable[[int], int | None]:
    return lambda value: value if kind.min <= value <= kind.max else None


def _utc(instant: datetime) -> str:
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).isoformat()


CONVERSIONS: dict[tuple[type, type], Callable[[Any], Any]] = {
    (types.BooleanType, bool): bool,
    (types.DateType, date): date.isoformat,
    (types.DoubleType, float): float,
    (types.DoubleType, int): float,
    (types.IntegerType, int): _whole(types.IntegerType),
    (types.LongType, int): _whole(types.LongType),
    (types.StringType, str): str,
    (types.TimestampType, date): lambda day: f"{day}T00:00:00",
    (types.TimestampType, datetime): lambda instant: None if instant.tzinfo else instant.isoformat(),
    (types.TimestamptzType, date): lambda day: f"{day}T00:00:00+00:00",
    (types.TimestamptzType, datetime): _utc,
}
"""Constants that PyIceberg compares with a column as Trino does: by the column's type and the constant's."""


def _leaves(schema: Schema) -> list[int]:
    return [each for each in schema.field_ids if isinstance(schema.find_type(each), types.PrimitiveType)]


def _size(task: FileScanTask, columns: list[int]) -> int:
    """The bytes of the columns; of a file that does not tell, all that it does not tell of."""
    sizes = task.file.column_sizes or {}
    size = sum(sizes.get(column, 0) for column in columns)
    if not sizes.keys() >= set(columns):
        size += task.file.file_size_in_bytes - sum(sizes.values())
    return size + sum(file.file_size_in_bytes for file in task.delete_files)


def _rows(count: int) -> Iterator[pa.RecordBatch]:
    for start in range(0, count, BATCH):
        yield pa.record_batch([pa.nulls(min(BATCH, count - start))], names=["row"])


def _milliseconds(instant: date) -> int:
    if not isinstance(instant, datetime):
        instant = datetime(instant.year, instant.month, instant.day, tzinfo=UTC)
    return int((instant if instant.tzinfo else instant.replace(tzinfo=UTC)).timestamp() * 1000)
