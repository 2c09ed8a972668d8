"""What is written otherwise reads the same; what is to be rejected is, and for that reason."""

from datetime import datetime

import pytest
from oracle_records import Line, RejectedError, record

from stedi_common.generate import dialects
from stedi_common.generate.dialects import Dice, canonical
from stedi_common.generate.records import FAULTS
from stedi_common.generate.spelling import Record, text

ARRIVED = datetime(2025, 1, 1)
ROLLS = [number * 6_700_417**2 for number in range(2_000)]
RECORDS = [
    Record(
        "customer",
        {
            "customerName": text("Néan Rülofi"),
            "email": text("Nean.Rulofi@example.org"),
            "phone": '"8015550142"',
            "birthDay": '"993-01-31"',
            "serialNumber": '"50f7b4f3-7af5-4b07-a421-7b902c8d2b7c"',
            "registrationDate": "1655564376361",
            "lastUpdateDate": "1655564376000",
            "shareWithResearchAsOfDate": "1655564376361",
        },
    ),
    Record(
        "accelerometer",
        {"user": text("A.B@example.org"), "timestamp": "1709369652816", "x": "0.0", "y": "-1.5", "z": "0.007"},
    ),
    Record(
        "step_trainer", {"sensorReadingTime": "1709369652500", "serialNumber": '"a-1"', "distanceFromObject": "218"}
    ),
]


@pytest.fixture(params=RECORDS, ids=lambda r: r.source)
def made(request):
    return request.param


def test_what_is_written_otherwise_reads_the_same(made):
    plain = read(made.source, canonical(made).encode())
    lines = {dialects.same(made, Dice(roll)) for roll in ROLLS}
    assert len(lines) > 50
    assert [line for line in lines if read(made.source, line) != plain] == []


def test_what_is_to_be_rejected_is_for_that_reason(made):
    rejected = {dialects.rejected(made, Dice(roll)) for roll in ROLLS}
    assert {(reason, line) for reason, line in rejected if read(made.source, line) != reason} == set()


def test_what_is_cut_off_is_truncated(made):
    for roll in ROLLS:
        line = dialects.cut(canonical(made), Dice(roll)).encode()
        assert read(made.source, line, flaw="open") == "truncated"


@pytest.mark.parametrize("key", FAULTS[1:])
def test_a_fault_leaves_one_value_null(key):
    customer = RECORDS[0]
    without = {name: value for name, value in customer.values.items() if name != key}
    values, _ = read("customer", canonical(Record("customer", without)).encode())
    for roll in ROLLS:
        assert read("customer", dialects.nulled(customer, key, Dice(roll))) == (values, 1)


def test_blank_lines_are_blank():
    assert all(Line(1, dialects.blank(Dice(roll))).is_blank for roll in ROLLS)


def read(source, content, flaw=None):
    """The typed values and how many were nulled, or the reason of the rejection."""
    try:
        return record(source, Line(1, content, flaw), ARRIVED)
    except RejectedError as fault:
        return fault.reason
