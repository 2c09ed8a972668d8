"""The oracle reproduces the reference counts, and obeys the laws that the rules imply."""

from collections import Counter
from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from support import reference
from support.drops import customer, drop
from support.histories import DAY, PEOPLE, History, histories, policies
from support.oracle import COLUMNS, COUNTS, Tables, governed, lake, land
from support.rules import CONTENT_KEY, pseudonym

from stedi_common.contracts import contract
from stedi_common.rules.policy import Policy

GOVERNED = reference.TABLES
RECORDS = ("customer_landing", "accelerometer_landing", "step_trainer_landing")
DOUBT, PLACE = (COLUMNS["customer_landing"].index(column) for column in ("doubt", "source_file"))

some_histories = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def reference_landing():
    return land([reference.drops()], [datetime(2024, 1, 1)], CONTENT_KEY)


@pytest.mark.parametrize("policy", reference.COUNTS, ids=str)
def test_the_reference_counts_come_out(reference_landing, policy):
    tables = governed(reference_landing, policy, pseudonym)
    assert tuple(tables[table].total() for table in GOVERNED) == reference.COUNTS[policy]


def test_nothing_of_the_reference_data_is_rejected(reference_landing):
    assert not reference_landing.rejected
    assert {source: len(rows) for source, rows in reference_landing.records.items()} == reference.LANDED


@pytest.mark.parametrize("table", COLUMNS)
def test_the_columns_are_the_contracts(table):
    of_the_file = {"arrived_at", "sha256", "bytes", "modified_at"}
    of_its_keys = {"unknown_keys", "nulled_columns", "absent_columns"}
    assert list(COLUMNS[table]) == [name for name in contract(table).names if name not in of_the_file | of_its_keys]


@given(histories(), policies())
@some_histories
def test_every_line_is_accounted_for(history, policy):
    tables = made(history, policy)
    files = [dict(zip(COLUMNS["landed_files"], row, strict=True)) for row in tables["landed_files"].elements()]
    for file in files:
        assert file["source"] in ("customer", "accelerometer", "step_trainer", "")
        assert file["lines"] == sum(file[fate] for fate in ("landed", "rejected", "duplicate", "suppressed", "blank"))
        assert file["doubtful"] <= file["landed"]
        assert (file["unit"] is None) == (file["skipped"] is not None)
    totals = {count: sum(file[count] for file in files) for count in COUNTS}
    assert totals["landed"] - totals["doubtful"] == sum(records(table, tables).total() for table in RECORDS)
    assert totals["rejected"] == tables["rejected_records"].total()
    doubtful_lines = {row[PLACE:] for row in tables["customer_landing"] if row[DOUBT]}
    assert len(doubtful_lines) <= totals["doubtful"]


@given(histories(), policies())
@some_histories
def test_how_drops_are_put_into_runs_changes_no_governed_table(history, policy):
    arrived = history.arrived_at[0]
    in_turn = History(history.runs, (arrived,) * len(history.runs))
    at_once = History((under_other_names(history, "at-once"),), (arrived,))
    assert only(GOVERNED, made(in_turn, policy)) == only(GOVERNED, made(at_once, policy))


@given(histories(), policies())
@some_histories
def test_drops_that_come_again_land_nothing(history, policy):
    (arrived,) = history.arrived_at[-1:]
    again = under_other_names(history, "again")
    once = History(history.runs, (arrived,) * len(history.runs))
    twice = History((*history.runs, again), (arrived,) * (len(history.runs) + 1))
    tables = RECORDS + GOVERNED
    assert only(tables, made(once, policy)) == only(tables, made(twice, policy))


@given(histories(), policies())
@some_histories
def test_who_withdraws_is_gone_and_nobody_else(history, policy):
    before, after = made(history, policy), made(with_withdrawal(history, PEOPLE[0]), policy)
    for table in GOVERNED:
        assert not people_in(table, after) & {PEOPLE[0], pseudonym(PEOPLE[0])}
    for table in ("customer_trusted", "accelerometer_trusted", "customers_curated"):
        assert after[table] == Counter(row for row in before[table].elements() if PEOPLE[0] not in row)
    for table in GOVERNED:
        assert after[table] <= before[table]


@given(histories(), policies())
@some_histories
def test_the_default_policy_admits_least(history, policy):
    default, other = made(history, Policy()), made(history, policy)
    for table in GOVERNED:
        if not policy.defective_serials:
            assert default[table] <= other[table]


@given(histories(), policies())
@some_histories
def test_no_trusted_reading_was_multiplied_or_invented(history, policy):
    tables = made(history, policy)
    for trusted, landed in (
        ("accelerometer_trusted", "accelerometer_landing"),
        ("step_trainer_trusted", "step_trainer_landing"),
    ):
        source = Counter(row[: len(COLUMNS[trusted])] for row in tables[landed].elements())
        assert tables[trusted] <= source


@given(histories())
@some_histories
def test_every_reading_in_research_follows_its_persons_consent(history):
    tables = made(history, Policy())
    starts = {pseudonym(row[1]): row[-1] for row in tables["customers_curated"]}
    assert all(instant >= starts[person] for person, instant, *_ in tables["machine_learning_curated"])


def under_other_names(history: History, folder: str) -> dict[str, bytes]:
    """All drops of all runs, every version of a file under a name of its own."""
    return {
        name.replace("/", f"/{folder}-{number}/", 1): raw
        for number, run in enumerate(history.runs)
        for name, raw in run.items()
    }


def records(table: str, tables: Tables) -> Counter:
    """The rows of a landing table that are records."""
    if table != "customer_landing":
        return tables[table]
    return Counter(row for row in tables[table].elements() if row[DOUBT] is None)


def made(history: History, policy: Policy) -> Tables:
    return lake(history.runs, history.arrived_at, policy, CONTENT_KEY, pseudonym)


def only(names: tuple[str, ...], tables: Tables) -> dict[str, Counter]:
    """These tables; of landed records what they say, not where they came from, and no doubtful lines."""
    places = {name: COLUMNS[name].index("source_file") if name in RECORDS else None for name in names}
    return {name: Counter(row[: places[name]] for row in records(name, tables).elements()) for name in names}


def people_in(table: str, tables: Tables) -> set:
    return {value for row in tables[table] for value in row}


def with_withdrawal(history: History, email: str) -> History:
    """The history and one more run, in which this person withdraws as late as can be."""
    arrived = history.arrived_at[-1]
    withdrawal = {"customer/withdrawal.json": drop(customer(email, arrived + DAY))}
    return History((*history.runs, withdrawal), (*history.arrived_at, arrived))
