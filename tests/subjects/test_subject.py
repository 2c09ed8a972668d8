"""What a lake and its drops hold on a person: each row is somebody's, and no line is overlooked."""

import gzip
import json

import pytest
from support.drops import customer, drop, landing, milliseconds, reading, step
from support.lakes import land, play, rows, run, write
from support.withdrawals import ANN, ANN_WITHDRAWS, ARRIVAL, BOB, CONSENTING, DAYS, FIRST

from stedi_common.contracts import contract
from stedi_common.errors import SubjectError
from stedi_common.records import discover
from stedi_common.rules.policy import Policy
from stedi_common.settings import ReaderSettings
from stedi_common.subjects import lines_about, report, rows_in_tables, subject_of

#: The tables of people, and the column that says whose a row is.
WHOSE = {
    "customer_landing": "email",
    "accelerometer_landing": "user",
    "customer_trusted": "email",
    "accelerometer_trusted": "user",
    "customers_curated": "email",
    "machine_learning_curated": "pseudonym",
}
CEM = "cem@example.org"
#: Cem and Dora claim the same device; Eli has readings, and no record.
OTHERS = landing(
    [customer(who, FIRST, FIRST, "sn-9") for who in (CEM, "dora@example.org")],
    [reading("eli@example.org", DAYS[0])],
    [step("sn-9", DAYS[0])],
    "others",
)


@pytest.fixture
def lake(engine, tmp_path, key):
    play(engine, tmp_path / "drops", [CONSENTING, OTHERS], [ARRIVAL] * 2, Policy(), key)
    return engine


def held(engine, key, who):
    """How many rows each table has on somebody."""
    found = rows_in_tables(engine, subject_of(engine, key, address_=who))
    return {each.table.partition(".")[2]: each.rows for each in found if each.rows}


def test_the_rows_of_a_person_are_found_in_each_table(lake, key):
    expected = dict.fromkeys(WHOSE, 1) | dict.fromkeys(
        [
            *("accelerometer_landing", "accelerometer_trusted", "step_trainer_landing", "step_trainer_trusted"),
            "machine_learning_curated",
        ],
        3,
    )
    assert held(lake, key, ANN) == expected
    assert held(lake, key, "  Ann@EXAMPLE.org ") == expected
    assert held(lake, key, "nobody@example.org") == {}


def test_each_row_is_somebodys(lake, key):
    people = {
        who for table in ("customer_landing", "accelerometer_landing") for (who,) in rows(lake, table, [WHOSE[table]])
    }
    counted = dict.fromkeys(WHOSE, 0)
    for who in people:
        for table, n in held(lake, key, who).items():
            if table in counted:
                counted[table] += n
    assert counted == {table: lake.head(contract(table)).rows for table in WHOSE}


def test_the_readings_of_a_shared_device_are_nobodys(lake, key):
    cem = subject_of(lake, key, address_=CEM)
    assert (cem.devices, cem.shared_devices) == ((), ("sn-9",))
    assert held(lake, key, CEM) == {"customer_landing": 1, "customer_trusted": 1}


@pytest.mark.parametrize("who", [ANN, "eli@example.org"])
def test_a_pseudonym_leads_to_the_address(lake, key, who):
    """Also of somebody who has readings and no record."""
    by_address = subject_of(lake, key, address_=who)
    assert subject_of(lake, key, pseudonym=f" {by_address.pseudonym.upper()}\n") == by_address


def test_an_unknown_pseudonym_is_searched_for_all_the_same(lake, key):
    found = subject_of(lake, key, pseudonym="0" * 64)
    assert (found.address, found.devices) == (None, ())
    assert not any(each.rows for each in rows_in_tables(lake, found))


@pytest.mark.parametrize("given", ["", "ann", "ann@", "a@b@c.org", "0" * 63])
def test_what_is_no_person_is_refused_and_not_repeated(lake, key, given):
    with pytest.raises(SubjectError) as address:
        subject_of(lake, key, address_=given)
    with pytest.raises(SubjectError) as pseudonym:
        subject_of(lake, key, pseudonym=given)
    assert not given or given not in f"{address.value}{pseudonym.value}".replace("ann@example.org", "")


def test_older_snapshots_still_have_a_person_who_has_withdrawn(lake, tmp_path, key):
    write(tmp_path / "drops", ANN_WITHDRAWS)
    land(lake, tmp_path / "drops", key, ARRIVAL)
    run(lake, Policy(), key)
    found = {each.table: each for each in rows_in_tables(lake, subject_of(lake, key, address_=ANN))}
    pairs = found["curated.machine_learning_curated"]
    assert pairs.rows == 0
    assert pairs.older_snapshots >= 1
    records = found["landing.customer_landing"]
    assert (records.rows, records.older_snapshots) == (2, 2)


ANNS_REJECTED_LINE = rb'{"user": "\u0061nn@example.org", "timestamp": "yesterday", "x": 0, "y": 0, "z": 0}'
#: The third of the doubtful lines is cut off; the second is about two people.
DOUBTFUL = [
    b'{"email": "ann@example.org", "cc": "bob@example.org',
    b'{"email": "ann@example.org" "bob@example.org"',
    b'{"email": "ANN@example.org", x',
]
OVER_LINES = json.dumps([reading(who, DAYS[0]) for who in (ANN, BOB)], indent=1, default=milliseconds)
NAMED = {
    "customer/1.json": drop(customer(ANN, FIRST, FIRST, "sn-1"), customer(BOB, FIRST, FIRST)),
    "customer/doubt.json": drop(*DOUBTFUL),
    "accelerometer/a.json.gz": gzip.compress(drop(reading(BOB, DAYS[0]), reading(ANN, DAYS[0])) * 2),
    "accelerometer/rejected.json": drop(reading(BOB, "yesterday"), ANNS_REJECTED_LINE),
    "accelerometer/long.json": OVER_LINES.encode("utf-16"),
    "step_trainer/ann%40example.org.json": drop(step("SN-1", DAYS[0]), step("sn-2", DAYS[0])),
    "accelerometer/broken.json.gz": gzip.compress(drop(reading(BOB, DAYS[0])) * 100)[:-9],
}  # fmt: skip


def test_the_lines_of_the_drops_that_name_a_person_are_found(engine, tmp_path, key):
    write(tmp_path / "drops", NAMED)
    land(engine, tmp_path / "drops", key, ARRIVAL)
    ann = subject_of(engine, key, address_=ANN)
    found = {each.file: each for each in lines_about(ann, discover(str(tmp_path / "drops")), key, ReaderSettings())}
    assert {file: [line.number for line in each.lines] for file, each in found.items()} == {
        "customer/1.json": [1],
        "customer/doubt.json": [1, 2, 3],
        "accelerometer/a.json.gz": [2, 4],
        "accelerometer/rejected.json": [2],
        "accelerometer/long.json": [1],
        "step_trainer/ann%40example.org.json": [1],
        "accelerometer/broken.json.gz": [],
    }
    assert {file for file, each in found.items() if each.is_named} == {"step_trainer/ann%40example.org.json"}
    assert {file: each.unexamined for file, each in found.items() if each.unexamined} == {
        "accelerometer/broken.json.gz": ["corrupt_gzip"]
    }
    assert [line.names_others for line in found["customer/doubt.json"].lines] == [False, True, False]


def test_the_report_counts_rejected_lines_and_files_that_are_named_so(engine, tmp_path, key):
    write(tmp_path / "drops", NAMED)
    land(engine, tmp_path / "drops", key, ARRIVAL)
    drops = discover(str(tmp_path / "drops"))
    found = report(engine, subject_of(engine, key, address_=ANN), key, drops, ReaderSettings())
    assert found.rejected == 1
    assert {each.table: each.rows for each in found.tables}["landing.landed_files"] == 1
    assert (found.is_empty, found.unexamined) == (False, 1)
    nobody = subject_of(engine, key, address_="nobody@example.org")
    assert report(engine, nobody, key, drops, ReaderSettings()).is_empty
