"""What transformations are written in: lazy Narwhals frames, on PySpark or on DuckDB alike."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import narwhals as nw

Frame: TypeAlias = nw.LazyFrame[Any]

#: In a classified frame, why the row is dropped. Null for a row that is kept.
DROPPED = "dropped"


@dataclass(frozen=True)
class Classified:
    """The rows of a transformation, each with the reason that it is dropped for in the column `dropped`, or null.

    Attributes:
        reasons: the drop reasons that there are.
        one_to_one: whether each row of the first source is classified once; else a row may become several.
    """

    rows: Frame
    reasons: Collection[str]
    one_to_one: bool = True

    def kept(self, columns: Sequence[str]) -> Frame:
        """The rows without a drop reason, with these columns."""
        return self.rows.filter(nw.col(DROPPED).is_null()).select(*columns)


def classify(rows: Frame, **reasons: nw.Expr) -> Classified:
    """Classify rows by these drop reasons. The first that is true of a row counts.

    Args:
        rows: any frame.
        reasons: by the name of the reason, an expression that is true of the rows to drop.
    """
    verdict: nw.Expr = nw.lit(None, dtype=nw.String)
    for reason, applies in reversed(reasons.items()):
        verdict = nw.when(applies).then(nw.lit(reason)).otherwise(verdict)
    return Classified(rows.with_columns(verdict.alias(DROPPED)), tuple(reasons))


def distinct(rows: Frame) -> Frame:
    """Each row once. Narwhals' `unique` numbers all rows on DuckDB; a group only hashes them."""
    columns = rows.collect_schema().names()
    return rows.group_by(columns).agg(nw.len().alias("n")).select(columns)


def differing(one: Frame, other: Frame) -> Frame:
    """The rows that only one of them has; neither has a row twice."""
    columns = one.collect_schema().names()
    sides = nw.concat([one, other]).group_by(columns).agg(nw.len().alias("sides"))
    return sides.filter(nw.col("sides") == 1).select(columns)
