"""What is written otherwise reads the same; what is to be rejected or in doubt is, and for that reason."""

from datetime import datetime

import pytest
from support.oracle_records import RejectedError, doubts, lines, record

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
CUSTOMER = RECORDS[0]


@pytest.fixture(params=RECORDS, ids=lambda r: r.source)
def made(request):
    return request.param


def test_what_is_written_otherwise_reads_the_same(made):
    plain = read(made.source, canonical(made).encode())
    written = {dialects.same(made, Dice(roll)) for roll in ROLLS}
    assert len(written) > 50
    assert [line for line in written if read(made.source, line) != plain] == []


def test_what_is_to_be_rejected_is_for_that_reason(made):
    rejected = {dialects.rejected(made, Dice(roll)) for roll in ROLLS}
    assert {(reason, line) for reason, line in rejected if read(made.source, line) != reason} == set()


def test_of_a_customer_who_is_rejected_no_address_is_left():
    rejected = {line for _, line in (dialects.rejected(CUSTOMER, Dice(roll)) for roll in ROLLS)}
    assert len(rejected) > 50
    assert {line for line in rejected if about(line)} == set()


def test_a_doubtful_line_is_about_its_customer_and_for_that_reason():
    doubtful = {dialects.doubtful(CUSTOMER, Dice(roll)) for roll in ROLLS}
    assert len(doubtful) > 100
    wrong = {(reason, line) for reason, line in doubtful if read("customer", line) != reason}
    assert wrong | {line for _, line in doubtful if about(line) != {"nean.rulofi@example.org"}} == set()


def test_doubtful_lines_refuse_or_suspend():
    consents = {
        values[7]
        for _, line in (dialects.doubtful(CUSTOMER, Dice(roll)) for roll in ROLLS)
        for values in values_of(line)
    }
    assert consents == {None, datetime(2022, 6, 18, 14, 59, 36, 361000)}


def test_what_is_cut_off_is_truncated(made):
    for roll in ROLLS:
        line = dialects.cut(canonical(made), Dice(roll)).encode()
        assert read(made.source, line, ending=b"") == "truncated"


def test_what_is_cut_off_behind_the_address_has_the_address():
    cut = {dialects.cut(canonical(CUSTOMER), Dice(roll), after=CUSTOMER.values["email"]) for roll in ROLLS}
    assert len(cut) > 50
    assert {line for line in cut if about(line.encode(), ending=b"") != {"nean.rulofi@example.org"}} == set()


@pytest.mark.parametrize("key", FAULTS[1:])
def test_a_fault_leaves_one_value_null(key):
    without = {name: value for name, value in CUSTOMER.values.items() if name != key}
    values, _ = read("customer", canonical(Record("customer", without)).encode())
    for roll in ROLLS:
        found, nulled = read("customer", dialects.nulled(CUSTOMER, key, Dice(roll)))
        assert (found, list(nulled)) == (values, [key.lower()])


def test_blank_lines_are_blank():
    assert all(only_line("customer", dialects.blank(Dice(roll)), b"\n").is_blank for roll in ROLLS)


def read(source, content, ending=b"\n"):
    """The typed values and how many were nulled, or the reason of the rejection."""
    try:
        return record(source, only_line(source, content, ending), ARRIVED)
    except RejectedError as fault:
        return fault.reason


def about(content, ending=b"\n"):
    """The addresses in a customer's line that is no record."""
    return {values[1] for values in values_of(content, ending)}


def values_of(content, ending=b"\n"):
    """The values of the rows of a customer's line that is no record."""
    line = only_line("customer", content, ending)
    try:
        record("customer", line, ARRIVED)
    except RejectedError as fault:
        return [values for _, values in doubts(line, fault, ARRIVED)]
    raise AssertionError(content)


def only_line(source, content, ending):
    _, (line,) = lines(f"{source}/1.json", content + ending)
    return line
