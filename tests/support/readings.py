"""A table of readings that is written to by hand: who moved on which days."""

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from stedi_common.contracts import Contract, contract
from stedi_common.engines.protocol import Engine, Head

READINGS = contract("accelerometer_trusted")
FIRST, SECOND = date(2024, 5, 1), date(2024, 5, 2)


def add(engine: Engine, user: str, days: Iterable[date]) -> Head:
    return engine.append(READINGS, of(engine, user, days), engine.head(READINGS), {})


def of(engine: Engine, user: str, days: Iterable[date]) -> Any:
    at = [datetime.combine(day, time(23 - len(user) % 20)) for day in days]
    return engine.frame(READINGS, [{"user": user, "timestamp": t, "x": 0.0, "y": 0.0, "z": 0.0} for t in at])


def seen(engine: Engine, table: Contract, head: Head) -> Counter[tuple[str, date]]:
    found = engine.collect(engine.read(table, head).select("user", "timestamp"))
    return Counter((row["user"], row["timestamp"].date()) for row in found)
