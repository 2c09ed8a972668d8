"""Athena's types: what a result's columns are called, and how their values are written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from duckdb.sqltypes import DuckDBPyType
from sqlglot import exp

from . import patterns
from .dialect import INSTANTS, precision
from .planning import Output

Children = list[tuple[str, Any]]
"""The types inside a type."""

VARCHAR = 2147483647
NAMES: Mapping[str, tuple[str, int]] = {
    "bigint": ("bigint", 19),
    "blob": ("varbinary", 1073741824),
    "boolean": ("boolean", 0),
    "date": ("date", 0),
    "double": ("double", 17),
    "float": ("float", 17),
    "hugeint": ("bigint", 19),
    "integer": ("integer", 10),
    "interval": ("interval day to second", 0),
    "list": ("array", 0),
    "map": ("map", 0),
    "smallint": ("smallint", 5),
    "struct": ("row", 0),
    "time": ("time", 3),
    "timestamp": ("timestamp", 3),
    "timestamp with time zone": ("timestamp with time zone", 3),
    "tinyint": ("tinyint", 3),
    "ubigint": ("bigint", 19),
    "uinteger": ("bigint", 19),
    "uuid": ("uuid", 0),
    "varchar": ("varchar", VARCHAR),
}
"""DuckDB's types, as Athena calls them, and the precision that it gives."""


@dataclass(frozen=True)
class Column:
    """A column of a result."""

    name: str
    type: str
    precision: int = 0
    scale: int = 0

    @property
    def info(self) -> dict[str, Any]:
        """As GetQueryResults describes it."""
        return {
            "CatalogName": "hive",
            "SchemaName": "",
            "TableName": "",
            "Name": self.name,
            "Label": self.name,
            "Type": self.type,
            "Precision": self.precision,
            "Scale": self.scale,
            "Nullable": "UNKNOWN",
            "CaseSensitive": self.type in {"varchar", "char"} and self.precision > 0,
        }


def column(output: Output, kind: DuckDBPyType) -> Column:
    """What a column of this kind is called."""
    if str(kind) == "JSON":
        return Column(output.label, "json")
    if output.type and output.type.this == exp.DataType.Type.NULL:
        return Column(output.label, "unknown")
    if kind.id == "decimal":
        digits: dict[str, Any] = dict(kind.children)
        return Column(output.label, "decimal", digits["precision"], digits["scale"])
    if output.zone:
        return Column(output.label, *NAMES["timestamp with time zone"])
    name, precision = NAMES[kind.id]
    return Column(output.label, name, _length(output.type) if name == "varchar" else precision)


def text(value: str, kind: DuckDBPyType, output: Output | None = None) -> str:
    """The SQL that writes a value of this kind as Athena does."""
    if nested := NESTED.get(kind.id):
        return nested(value, kind.children)
    if kind.id == "timestamp with time zone":
        return _instant(f"timezone('UTC', {value})", output) + " || ' UTC'"
    if kind.id == "timestamp":
        return _instant(value, output) + (f" || ' {output.zone}'" if output and output.zone else "")
    return SCALARS.get(kind.id, "CAST({0} AS VARCHAR)").format(value)


def narrowed(value: str, kind: DuckDBPyType) -> str:
    """The SQL of a value whose type Trino has, too."""
    wide = kind.id in {"hugeint", "ubigint", "uinteger"}
    return f"CAST({value} AS BIGINT) AS {value}" if wide else value


def _listed(value: str, children: Children) -> str:
    items = f"list_transform({value}, x -> coalesce({text('x', children[0][1])}, 'null'))"
    return f"'[' || trino.joined({items}, ', ') || ']'"


def _mapped(value: str, children: Children) -> str:
    (_, key), (_, item) = children
    entry = f"{text('e.key', key)} || '=' || coalesce({text('e.value', item)}, 'null')"
    entries = f"list_transform(list_sort(map_entries({value})), e -> {entry})"
    return f"'{{' || trino.joined({entries}, ', ') || '}}'"


def _fields(value: str, children: Children) -> str:
    fields = []
    for i, (name, kind) in enumerate(children, 1):
        key = exp.Literal.string(name).sql(dialect="duckdb") if name else str(i)
        label = exp.Literal.string(f"{name}=").sql(dialect="duckdb") if name else "''"
        fields.append(f"{label} || coalesce({text(f'{value}[{key}]', kind)}, 'null')")
    joined = " || ', ' || ".join(fields)
    return f"CASE WHEN {value} IS NOT NULL THEN '{{' || {joined} || '}}' END"


NESTED: dict[str, Callable[[str, Children], str]] = {"list": _listed, "map": _mapped, "struct": _fields}
SCALARS = {
    "blob": r"rtrim(regexp_replace(lower(hex({0})), '(..)', '\1 ', 'g'))",
    "double": "trino.java_text({0}, CAST({0} AS VARCHAR))",
    "float": "trino.java_text({0}, CAST({0} AS VARCHAR))",
    "interval": "trino.interval_text({0})",
    "time": "left(CAST({0} AS VARCHAR) || '.000', 12)",
}
"""The SQL that writes a value, where it is not DuckDB's own text."""


def _length(kind: exp.DataType | None) -> int:
    sized = kind and kind.this in exp.DataType.TEXT_TYPES and kind.expressions
    return int(kind.expressions[0].name) if kind and sized else VARCHAR


def _instant(value: str, output: Output | None) -> str:
    """With the digits of its type, or, where that is unknown, with those that lose nothing."""
    kind = output.type if output else None
    if kind and kind.this in INSTANTS and kind.expressions:
        return f"trino.instant_text({value}, {patterns.length(precision(kind))})"
    short, full = patterns.length(3), patterns.length(6)
    exact = f"date_trunc('millisecond', {value}) = {value}"
    return f"trino.instant_text({value}, CASE WHEN {exact} THEN {short} ELSE {full} END)"
