"""Drops written by hand: `customer`, `reading` and `step` are records, `drop` a file, `landing` a run of them."""

import json
from datetime import datetime, timedelta
from typing import Any

Record = dict[str, Any]

#: When the first run of a hand-written history begins.
ARRIVED = datetime(2024, 6, 1)


def at(clock: str, day: int = 1) -> datetime:
    """An instant in May 2024, UTC."""
    return datetime.fromisoformat(f"2024-05-{day:02}T{clock}")


def customer(email: Any, updated: Any, consent: Any = None, serial: Any = None, **others: Any) -> Record:
    """A customer's record; what is None is an absent key. `others` are keys as the source spells them."""
    named = {"email": email, "serialNumber": serial, "lastUpdateDate": updated, "shareWithResearchAsOfDate": consent}
    return {key: value for key, value in named.items() if value is not None} | others


def reading(user: Any, timestamp: Any, x: Any = 0.0, y: Any = 0.0, z: Any = 0.0) -> Record:
    return {"user": user, "timestamp": timestamp, "x": x, "y": y, "z": z}


def step(serial: Any, time: Any, distance: Any = 100) -> Record:
    return {"sensorReadingTime": time, "serialNumber": serial, "distanceFromObject": distance}


def drop(*lines: Record | bytes | str) -> bytes:
    """A file of these lines: records, or the line itself."""
    return b"".join(line_of(line) + b"\n" for line in lines)


def landing(customers: Any = (), readings: Any = (), steps: Any = (), name: str = "1") -> dict[str, bytes]:
    """A run that finds one file of this name per source, where there is anything in it."""
    sources = {"customer": customers, "accelerometer": readings, "step_trainer": steps}
    return {f"{source}/{name}.json": drop(*lines) for source, lines in sources.items() if lines}


def line_of(line: Record | bytes | str) -> bytes:
    if isinstance(line, bytes):
        return line
    return (line if isinstance(line, str) else json.dumps(line, default=milliseconds)).encode()


def milliseconds(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1)) // timedelta(milliseconds=1)
