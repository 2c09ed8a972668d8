"""Records as lines: whole columns at once, and single ones value by value for whoever wants to spell them otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stedi_common.generate.dialects import Dice, canonical, nulled
from stedi_common.generate.people import Bools, Devices, Ints, People
from stedi_common.generate.records import FAULTS, NONE, Records
from stedi_common.generate.sessions import Accelerometer, StepTrainer
from stedi_common.generate.spelling import Record, text

#: x, y and z lie between -2.048 and 2.047.
_LEAST = -2048


@dataclass(frozen=True)
class Lines:
    """Clean lines with their endings, `record(i)` behind each, and which of them hold a value that lands as null."""

    source: str
    text: pa.BinaryArray
    record: Callable[[int], Record]
    faulty: Bools

    def __len__(self) -> int:
        """How many there are."""
        return len(self.text)


def customer_lines(records: Records, people: People, devices: Devices, draw: np.random.Generator) -> Lines:
    """The lines of these customer records."""
    columns = (getattr(records, name).tolist() for name in ("person", "at", "research", "public", "friends"))
    rows = list(zip(*columns, records.device.tolist(), records.phone.tolist(), strict=True))

    def record(i: int) -> Record:
        person, at, research, public, friends, device, phone = rows[i]
        values = {
            "customerName": text(people.names[person]),
            "email": text(people.emails[person]),
            "phone": f'"{phone}"',
            "birthDay": f'"{people.birthdays[person]}"',
            "serialNumber": f'"{devices.serials[device]}"',
            "registrationDate": str(people.registered[person]),
            "lastUpdateDate": str(at),
            "shareWithResearchAsOfDate": str(research),
            "shareWithPublicAsOfDate": str(public),
            "shareWithFriendsAsOfDate": str(friends),
        }
        # A consent that was not given is a key that is not there.
        return Record("customer", {key: value for key, value in values.items() if value != str(NONE)})

    def spelled(i: int, fault: int, dice: int) -> bytes:
        return nulled(record(i), FAULTS[fault], Dice(dice)) if fault else canonical(record(i)).encode()

    dice = draw.integers(0, 2**63 - 1, len(records)).tolist()
    faults = records.fault.tolist()
    lines = [spelled(i, fault, number) + b"\n" for i, (fault, number) in enumerate(zip(faults, dice, strict=True))]
    return Lines("customer", pa.array(lines, pa.binary()), record, records.fault > 0)


def accelerometer_lines(readings: Accelerometer, people: People, axes: Axes) -> Lines:
    """The lines of these phone readings."""
    heads, which = _heads(readings.person, lambda person: f'{{"user":{text(people.emails[person])},"timestamp":')
    parts = (table.take(pa.array(column - _LEAST)) for table, column in zip(axes.tables, readings.xyz, strict=True))

    def record(i: int) -> Record:
        values = {"user": text(people.emails[readings.person[i]]), "timestamp": str(readings.at[i])}
        axis = {name: str(column[i] / 1000) for name, column in zip("xyz", readings.xyz, strict=True)}
        return Record("accelerometer", values | axis)

    lines = _joined(heads.take(which), _digits(readings.at), *parts)
    return Lines("accelerometer", lines, record, np.zeros(len(lines), dtype=np.bool_))


def step_trainer_lines(readings: StepTrainer, devices: Devices) -> Lines:
    """The lines of these step trainer readings."""
    middles, which = _heads(
        readings.device, lambda device: f',"serialNumber":"{devices.serials[device]}","distanceFromObject":'
    )
    opening, ending = pa.scalar(b'{"sensorReadingTime":'), pa.scalar(b"}\n")

    def record(i: int) -> Record:
        values = (str(readings.at[i]), f'"{devices.serials[readings.device[i]]}"', str(readings.distance[i]))
        keys = ("sensorReadingTime", "serialNumber", "distanceFromObject")
        return Record("step_trainer", dict(zip(keys, values, strict=True)))

    lines = _joined(opening, _digits(readings.at), middles.take(which), _digits(readings.distance), ending)
    return Lines("step_trainer", lines, record, np.zeros(len(lines), dtype=np.bool_))


class Axes:
    """The ends of accelerometer lines, one text for every thousandth: looking up is quicker than writing floats."""

    def __init__(self) -> None:
        values = [value / 1000 for value in range(_LEAST, -_LEAST)]
        self.tables = [
            pa.array([before + str(value).encode() + after for value in values], pa.binary())
            for before, after in ((b',"x":', b""), (b',"y":', b""), (b',"z":', b"}\n"))
        ]


def _heads(numbers: Ints, spelled: Callable[[Any], str]) -> tuple[pa.BinaryArray, pa.Array]:
    """One text for each number that occurs, and which of them each entry has."""
    distinct, which = np.unique(numbers, return_inverse=True)
    return pa.array([spelled(number).encode() for number in distinct.tolist()], pa.binary()), pa.array(which)


def _digits(numbers: Ints) -> pa.BinaryArray:
    return pc.cast(pc.cast(pa.array(numbers), pa.string()), pa.binary())


def _joined(*parts: Any) -> pa.BinaryArray:
    return pc.binary_join_element_wise(*parts, pa.scalar(b""))
