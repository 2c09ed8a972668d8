"""The truth that comes with the drops is what the oracle finds in them, reading them line by line."""

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime

import pytest
from support.oracle import COLUMNS, SOURCE_COLUMNS, customer_trusted, governed, land

from stedi_common.generate import Plan, generate
from stedi_common.rules.policy import Policy

ARRIVED = datetime(2025, 1, 1)
KEY = b"k" * 32

PLANS = [
    Plan(seed=seed, people=people, readings=3_000, days=days, dirt=dirt, shared_serials=shared, lines_per_file=400)
    for seed, people, days in ((1, 80, 14), (2, 200, 6), (3, 7, 1), (4, 40, 3))
    for dirt in (0, 0.2)
    for shared in (False, True)
]
PLANS += [replace(PLANS[2], without_address=True), replace(PLANS[6], without_address=True)]


def named(plan):
    return f"{plan.seed}-dirt{plan.dirt}{'-shared' * plan.shared_serials}{'-without' * plan.without_address}"


@pytest.fixture(scope="module", params=PLANS, ids=named)
def made(request, tmp_path_factory):
    """Drops, their truth, and what the oracle makes of them in a single run."""
    into = tmp_path_factory.mktemp("drops")
    truth = generate(request.param, into)
    return into, truth, land([drops_in(into)], [ARRIVED], KEY)


@pytest.mark.parametrize("pairing", ["owner", "timestamp"])
@pytest.mark.parametrize("consent", ["as-of", "ever"])
def test_the_governed_tables_have_the_rows_it_says(made, consent, pairing):
    _, truth, landing = made
    tables = governed(landing, Policy(consent, pairing), lambda email: email)
    assert truth.rows(consent, pairing) == {name: rows.total() for name, rows in tables.rows.items()}


def test_the_landing_tables_have_the_rows_it_says(made):
    _, truth, landing = made
    rows = {f"{source}_landing": len(records) for source, records in landing.records.items()}
    rows["customer_landing"] += len(landing.doubtful)
    assert truth.landing == rows | {"rejected_records": len(landing.rejected)}


def test_of_every_file_becomes_what_it_says(made):
    _, truth, landing = made
    assert {drop.name: drop.counts.as_json() for drop in truth.files} == found_in_files(landing)


def test_files_come_in_the_order_of_their_names(made):
    into, truth, _ = made
    drops = drops_in(into)
    folders = sorted({name.split("/")[1] for name in drops})
    runs = [{name: raw for name, raw in drops.items() if name.split("/")[1] == folder} for folder in folders]
    landing = land(runs, [ARRIVED] * len(runs), KEY)
    assert {drop.name: drop.counts.as_json() for drop in truth.files} == found_in_files(landing)


def test_everybodys_consent_begins_when_it_says(made):
    into, _, landing = made
    people = [json.loads(line) for line in (into / "truth" / "people.jsonl").read_text().splitlines()]
    trusted = governed(landing, Policy(), lambda email: email)["customer_trusted"]
    email, start = (COLUMNS["customer_trusted"].index(name) for name in ("email", "consent_start"))
    starts = {row[email]: round((row[start] - datetime(1970, 1, 1)).total_seconds() * 1000) for row in trusted}
    assert {p["email"]: p["consent_start"] for p in people if p["consent_start"] is not None} == starts


def test_doubt_takes_those_out_whom_it_says(made):
    into, truth, landing = made
    people = [json.loads(line) for line in (into / "truth" / "people.jsonl").read_text().splitlines()]
    assert {person["email"] for person in people if person["in_doubt"]} == {row["email"] for row in landing.doubtful}
    known = customer_trusted(landing.of("customer"), [])
    assert truth.doubt == {
        "doubtful": sum(file["doubtful"] for file in landing.files.values()),
        "without_address": sum(file["without_address"] for file in landing.files.values()),
        "people_out": len(known.keys() & {row["email"] for row in landing.doubtful}),
    }


def test_everybodys_serial_numbers_are_those_on_record(made):
    into, _, landing = made
    people = [json.loads(line) for line in (into / "truth" / "people.jsonl").read_text().splitlines()]
    email, serial = (SOURCE_COLUMNS["customer"].index(name) for name in ("email", "serialnumber"))
    found = {(r[email], r[serial]) for r, _ in landing.records["customer"] if r[serial] is not None}
    assert {(person["email"], serial) for person in people for serial in person["on_record"]} == found


def drops_in(into):
    files = (path for path in into.rglob("*") if path.is_file() and "truth" not in path.parts)
    return {path.relative_to(into).as_posix(): path.read_bytes() for path in files}


def found_in_files(landing):
    """By file, what the oracle found, with the reasons of what it rejected."""
    reasons: dict[str, Counter] = {name: Counter() for name, _ in landing.files}
    for row in landing.rejected:
        reasons[row["source_file"]][row["reason"]] += 1
    counts = ("lines", "landed", "duplicate", "blank", "nulled_values", "doubtful", "without_address")
    return {
        name: {count: file[count] for count in counts} | {"rejected": dict(reasons[name])}
        for (name, _), file in landing.files.items()
    }
