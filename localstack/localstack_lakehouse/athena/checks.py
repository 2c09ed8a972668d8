"""What Trino's analyzer refuses and DuckDB's would let pass."""

from sqlglot import exp

from .dialect import position, precision, where
from .exceptions import QueryError

Type = exp.DataType.Type

FAMILIES = {
    **dict.fromkeys(exp.DataType.NUMERIC_TYPES, "number"),
    **dict.fromkeys(exp.DataType.TEXT_TYPES, "text"),
    **dict.fromkeys((Type.DATE, Type.TIMESTAMP, Type.TIMESTAMPTZ), "instant"),
    Type.BOOLEAN: "boolean",
    Type.VARBINARY: "binary",
    Type.TIME: "time",
}
SYMBOLS = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.Div: "/", exp.Mod: "%",
}  # fmt: skip
ZONED = {"date_trunc": 1}
"""Functions of an instant in a zone that stay in the zone, and which argument that is."""


def check(sql: str, tree: exp.Expression) -> None:
    """Raise for operands that do not go together, and for zones that would get lost."""
    for node in tree.walk():
        if isinstance(node, exp.Binary) and type(node) in SYMBOLS:
            _check_operands(sql, node)
        elif isinstance(node, exp.In):
            _check_in(sql, node)
        elif isinstance(node, exp.Between):
            _check_between(sql, node)
        elif isinstance(node, exp.AtTimeZone):
            _check_zone(sql, node, tree)


def zone(value: exp.Expression) -> str | None:
    """The zone that an instant is shown in."""
    if isinstance(value, exp.AtTimeZone):
        return value.args["zone"].name
    if isinstance(value, exp.Anonymous) and (argument := ZONED.get(value.name.lower())):
        return zone(value.expressions[argument])
    return None


def trino_type(value: exp.Expression) -> str:
    """The type's name."""
    kind = value.type
    if value.is_string:
        return f"varchar({len(value.name)})"
    if kind is None or kind.this in exp.DataType.TEXT_TYPES:
        return "varchar"
    if kind.this == Type.TIMESTAMP:
        return f"timestamp({precision(kind)})"
    if kind.this == Type.TIMESTAMPTZ:
        return f"timestamp({precision(kind)}) with time zone"
    return kind.sql(dialect="trino").lower()


def _family(value: exp.Expression) -> str | None:
    return FAMILIES.get(value.type.this) if value.type else None


def _differ(*values: exp.Expression) -> bool:
    return len({family for value in values if (family := _family(value))}) > 1


def _mismatch(sql: str, node: exp.Expression, reason: str) -> QueryError:
    return QueryError("TYPE_MISMATCH", reason, where(sql, node))


def _operator_position(sql: str, node: exp.Binary) -> str:
    """Of the operator, which comes after the last thing on its left that has a position."""
    end = max((part.meta["end"] for part in node.left.walk() if "end" in part.meta), default=None)
    at = -1 if end is None else sql.find(SYMBOLS[type(node)], end + 1)
    return where(sql, node) if at < 0 else position(sql, at)


def _check_operands(sql: str, node: exp.Binary) -> None:
    if any(isinstance(side.unnest(), exp.Interval) for side in (node.left, node.right)):
        return
    arithmetic = isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Div | exp.Mod)
    if _differ(node.left, node.right) or (
        arithmetic and {_family(node.left), _family(node.right)} & {"text", "boolean"}
    ):
        operation = f"{trino_type(node.left)} {SYMBOLS[type(node)]} {trino_type(node.right)}"
        raise QueryError("TYPE_MISMATCH", f"Cannot apply operator: {operation}", _operator_position(sql, node))


def _check_in(sql: str, node: exp.In) -> None:
    for item in node.expressions:
        if _differ(node.this, item):
            kinds = list(dict.fromkeys(trino_type(value) for value in (node.this, *node.expressions)))
            raise _mismatch(
                sql,
                node,
                "IN value and list items must be the same type or coercible to a common type. "
                f"Cannot find common type between {trino_type(node.this)} and {trino_type(item)}, "
                f"all types (without duplicates): [{', '.join(kinds)}]",
            )


def _check_between(sql: str, node: exp.Between) -> None:
    value, low, high = node.this, node.args["low"], node.args["high"]
    if _differ(value, low, high):
        kinds = [trino_type(side) for side in (value, low, high)]
        raise _mismatch(sql, node, f"Cannot check if {kinds[0]} is BETWEEN {kinds[1]} and {kinds[2]}")


def _check_zone(sql: str, node: exp.AtTimeZone, tree: exp.Expression) -> None:
    """DuckDB's instants have no zone of their own: it has to be used, or shown, where it is given."""
    parent = node.parent
    used = isinstance(parent, exp.Anonymous | exp.Cast | exp.Extract | exp.Predicate)
    shown = any(selection.unalias() is node for selection in tree.selects) if isinstance(tree, exp.Query) else False
    if not (used or shown) or not node.args["zone"].is_string:
        raise QueryError(
            "NOT_SUPPORTED", "AT TIME ZONE is supported in the result and inside functions", where(sql, node)
        )
