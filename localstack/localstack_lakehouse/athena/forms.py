"""One form for what can be written in many."""

import re
from datetime import UTC, datetime
from typing import cast

from sqlglot import exp

from .dialect import INSTANTS, AthenaSql

Type = exp.DataType.Type


def canonical(query: exp.Query) -> exp.Query:
    """Every mention of the present is the same instant, every literal has its full type, each function one name."""
    now = datetime.now(UTC).isoformat(sep=" ", timespec="milliseconds")

    def rewrite(node: exp.Expression) -> exp.Expression | None:
        if isinstance(node, exp.Limit) and node.expression.name.lower() == "all":
            return None
        new = _present(node, now) or _zoned(node)
        if new:
            # A new node is not rewritten again, what is in it has to be.
            for child in list(new.iter_expressions()):
                child.replace(child.transform(rewrite))
            new.meta.update(node.meta)
        if isinstance(node, exp.Cast) and node.this.is_string and not node.meta.get("explicit"):
            _type_literal(node)
        return new or node

    return cast(exp.Query, query.transform(rewrite))


def _present(node: exp.Expression, now: str) -> exp.Expression | None:
    """now(), current_date and their like, as literals."""
    name = node.name.lower()
    called = isinstance(node, exp.Anonymous) and not node.expressions
    named = isinstance(node, exp.Column) and not node.table and not node.this.quoted
    if isinstance(node, exp.CurrentTimestamp) or (called and name == "now"):
        return exp.cast(exp.Literal.string(now), "TIMESTAMP(3) WITH TIME ZONE", dialect=AthenaSql)
    if isinstance(node, exp.CurrentDate):
        return exp.cast(exp.Literal.string(now[:10]), "DATE")
    if named and name == "localtimestamp":
        return exp.cast(exp.Literal.string(now[:23]), "TIMESTAMP(3)", dialect=AthenaSql)
    return None


def _zoned(node: exp.Expression) -> exp.Expression | None:
    """at_timezone(x, zone) is x AT TIME ZONE zone."""
    if isinstance(node, exp.Anonymous) and node.name.lower() == "at_timezone" and len(node.expressions) == 2:
        instant, zone = node.expressions
        return exp.AtTimeZone(this=instant, zone=zone)
    return None


def _type_literal(literal: exp.Cast) -> None:
    """TIMESTAMP '...' has the digits that it is written with, DECIMAL '...' too."""
    text, kind = literal.this.name, literal.to
    if kind.this in INSTANTS and not kind.expressions:
        seconds = re.sub(r"(?<= )(\d{1,2}:\d{2})(?!:|\d)", r"\1:00", text)
        fraction = re.search(r":\d\d\.(\d+)", seconds)
        literal.this.set("this", seconds)
        kind.set("expressions", [_digits(len(fraction[1]) if fraction else 0)])
    elif kind.this == Type.DECIMAL and not kind.expressions:
        whole, _, scale = text.lstrip("+-").partition(".")
        kind.set("expressions", [_digits(len(whole + scale)), _digits(len(scale))])


def _digits(count: int) -> exp.DataTypeParam:
    return exp.DataTypeParam(this=exp.Literal.number(count))
