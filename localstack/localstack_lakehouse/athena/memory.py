"""Tables whose rows are at hand."""

import pyarrow as pa
from sqlglot import exp

from .dialect import AthenaSql
from .planning import Predicate


class MemoryTable:
    """An Arrow table."""

    def __init__(self, rows: pa.Table) -> None:
        self._rows = rows
        self.columns = {
            field.name: exp.DataType.build(type_name(field.type), dialect=AthenaSql) for field in rows.schema
        }

    def scan(self, columns: list[str], predicates: list[Predicate]) -> "MemoryScan":
        """Every row."""
        return MemoryScan(self._rows.select(columns or self._rows.column_names[:1]))


class MemoryScan:
    """Reads nothing from anywhere."""

    bytes = 0

    def __init__(self, rows: pa.Table) -> None:
        self._rows = rows

    def open(self) -> pa.RecordBatchReader:
        """The rows."""
        return self._rows.to_reader()


def type_name(kind: pa.DataType) -> str:
    """An Arrow type's name in Trino."""
    if pa.types.is_map(kind):
        return f"MAP({type_name(kind.key_type)}, {type_name(kind.item_type)})"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"ARRAY({type_name(kind.value_type)})"
    if pa.types.is_struct(kind):
        fields = (f'"{field.name}" {type_name(field.type)}' for field in kind)
        return f"ROW({', '.join(fields)})"
    if pa.types.is_timestamp(kind):
        return f"TIMESTAMP({3 if kind.unit == 'ms' else 6})" + (" WITH TIME ZONE" if kind.tz else "")
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision}, {kind.scale})"
    return PRIMITIVES[str(kind)]


PRIMITIVES = {
    "binary": "VARBINARY",
    "bool": "BOOLEAN",
    "date32[day]": "DATE",
    "double": "DOUBLE",
    "float": "REAL",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "large_binary": "VARBINARY",
    "large_string": "VARCHAR",
    "string": "VARCHAR",
    "time64[us]": "TIME(6)",
}
