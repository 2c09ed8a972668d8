"""What transformations are written in: lazy Narwhals frames, on PySpark or on DuckDB alike."""

from __future__ import annotations

from typing import Any, TypeAlias

import narwhals as nw

Frame: TypeAlias = nw.LazyFrame[Any]

#: In a judged frame, why the row does not go on. Null for a row that does.
DROPPED = "dropped"


def judged(rows: Frame, **reasons: nw.Expr) -> Frame:
    """The rows, each with the first reason that is true of it in `dropped`, or null."""
    verdict: nw.Expr = nw.lit(None, dtype=nw.String)
    for reason, applies in reversed(reasons.items()):
        verdict = nw.when(applies).then(nw.lit(reason)).otherwise(verdict)
    return rows.with_columns(verdict.alias(DROPPED))


def kept(rows: Frame, columns: tuple[str, ...]) -> Frame:
    """Of judged rows those that go on, with these columns."""
    return rows.filter(nw.col(DROPPED).is_null()).select(*columns)


def distinct(rows: Frame) -> Frame:
    """Each row once. Narwhals' `unique` numbers all rows on DuckDB; a group only hashes them."""
    columns = rows.collect_schema().names()
    return rows.group_by(columns).agg(nw.len().alias("n")).select(columns)


def differing(one: Frame, other: Frame) -> Frame:
    """The rows that only one of them has; neither has a row twice."""
    columns = one.collect_schema().names()
    sides = nw.concat([one, other]).group_by(columns).agg(nw.len().alias("sides"))
    return sides.filter(nw.col("sides") == 1).select(columns)
