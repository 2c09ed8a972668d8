"""Columns and conditions in Spark's terms."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from functools import reduce
from operator import or_

import pyarrow as pa
from pyspark.sql import Column, Observation
from pyspark.sql import functions as F  # noqa: N812 - as all of Spark's world writes it

from stedi_common.contracts.types import TYPES
from stedi_common.engines.days import spans
from stedi_common.engines.protocol import Counts
from stedi_common.engines.storage.parquet import ARROW
from stedi_common.rules.frames import DROPPED

_SQL_OF_ARROW = {ARROW[name]: known.spark for name, known in TYPES.items()}


def sql_schema(schema: pa.Schema) -> str:
    """An Arrow schema as Spark's SQL writes it."""
    return ", ".join(f"`{field.name}` {_SQL_OF_ARROW[field.type]}" for field in schema)


def on_days(column: str, days: Collection[date]) -> Column:
    """The condition that the instant in a column is on one of the days."""

    def within(span: tuple[date, date]) -> Column:
        start, end = (F.lit(str(day)).cast("timestamp_ntz") for day in span)
        return (F.col(column) >= start) & (F.col(column) < end)

    return reduce(or_, map(within, spans(days)), F.lit(False))


def counters(reasons: Collection[str]) -> list[Column]:
    """Aggregates of classified rows: how many are kept, as `kept`, and how many are dropped, by reason."""
    dropped = F.col(DROPPED)
    kept = F.count(F.when(dropped.isNull(), 1)).alias("kept")
    return [kept, *(F.count(F.when(dropped == reason, 1)).alias(reason) for reason in reasons)]


def observed_counts(observation: Observation) -> Counts:
    """What an observation of the `counters` has counted."""
    counts = dict(observation.get)
    kept = counts.pop("kept")
    return {None: kept, **{reason: n for reason, n in counts.items() if n}}
