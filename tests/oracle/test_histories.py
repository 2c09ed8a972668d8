"""The generated histories are worth it: rows come out, every reason occurs, every broken rule is noticed."""

import re
from collections import Counter
from datetime import timedelta

import pytest
from support import oracle, oracle_records
from support.histories import histories, policies
from support.rules import CONTENT_KEY, pseudonym
from support.sampling import sample

from stedi_common.rules.policy import Policy

POLICIES = (
    *(Policy(consent, pairing) for consent in ("as-of", "ever") for pairing in ("owner", "timestamp")),
    Policy(defective_serials=frozenset({"sn-1", "sn-2"})),
)
REASONS = {
    *("invalid_utf8", "truncated", "broken_json", "not_an_object", "corrupt_gzip", "corrupt_zstd", "corrupt_bzip2"),
    *("missing_value", "unreadable_value", "wrong_instant", "too_many_keys"),
}
DOUBTS = {
    *("missing_value", "wrong_instant", "broken_json", "unreadable_value", "duplicate_key", "truncated"),
    "not_an_object",
}


@pytest.fixture(scope="module")
def sampled():
    return sample(histories(), 150)


@pytest.fixture(scope="module")
def landed(sampled):
    return [landing_of(history) for history in sampled]


@pytest.fixture(scope="module")
def tables(landed):
    return [governed_by_each_policy(landing) for landing in landed]


def test_research_gets_rows_in_most_histories(tables):
    assert sum(bool(default["machine_learning_curated"]) for default, *_ in tables) / len(tables) >= 0.5


def test_the_bag_is_no_set_in_some(tables):
    assert any(max(default["machine_learning_curated"].values(), default=0) > 1 for default, *_ in tables)


def test_every_reason_of_rejection_occurs(landed):
    assert {row["reason"] for landing in landed for row in landing.rejected} >= REASONS


def test_every_reason_of_doubt_occurs(landed):
    assert {row["doubt"] for landing in landed for row in landing.doubtful} >= DOUBTS


def test_every_column_at_fault_occurs(landed):
    found = Counter(row["rejected_column"] for landing in landed for row in landing.rejected)
    assert not {"user", "timestamp", "x", "y", "z", "email", "sensorreadingtime"} - set(found)


@pytest.mark.parametrize("count", ["rejected", "duplicate", "blank", "nulled_values", "doubtful", "without_address"])
def test_every_count_counts(landed, count):
    assert any(file[count] for landing in landed for file in landing.files.values())


def test_every_policy_is_drawn():
    assert {(p.consent, p.pairing, bool(p.defective_serials)) for p in sample(policies(), 100)} == {
        (consent, pairing, listed)
        for consent in ("as-of", "ever")
        for pairing in ("owner", "timestamp")
        for listed in (True, False)
    }


def the_start_is_the_as_of_date(current, _records):
    return current["sharewithresearchasofdate"]


def the_first_record_without_consent(current, records):
    without = [r["lastupdatedate"] for r in records if r["sharewithresearchasofdate"] is None]
    return max([current["sharewithresearchasofdate"], *without[:1]])


def present_claimants(customers):
    people = {}
    for customer in customers:
        people.setdefault(customer["email"], []).append(customer)
    return oracle_claimants([oracle.current_customer(records) for records in people.values()])


def consenting_claimants(customers):
    return oracle_claimants([c for c in customers if c["sharewithresearchasofdate"] is not None])


def claimants_are_owners(customers, doubtful, curated, policy):
    owners = oracle_owners(customers, doubtful, curated, policy)
    return {s: {e for e in claimants if e in curated} for s, claimants in oracle_claimants(customers).items()} | owners


def a_set(*sources):
    pairs = oracle_pairs(*sources)
    return list({tuple(pair[c] for c in oracle.COLUMNS["machine_learning_curated"]): pair for pair in pairs}.values())


def without(place):
    return lambda customer: tuple(v for n, v in enumerate(oracle_how_current(customer)) if n != place)


oracle_claimants = oracle.emails_by_device
oracle_owners = oracle.owners_of_devices
oracle_pairs = oracle.machine_learning_curated
oracle_how_current = oracle.how_current

#: What somebody could get wrong in the governed tables, as a function of the oracle that is replaced.
BROKEN_RULES = {
    "4: not the latest": ("how_current", without(0)),
    "4: a tie with a withdrawal": ("how_current", without(1)),
    "4: a tie of consents": ("how_current", without(2)),
    "4: a tie of all": ("how_current", lambda customer: (*oracle_how_current(customer)[:3], 0)),
    "5: renewal reaches back": ("consent_start", the_start_is_the_as_of_date),
    "5: not the latest withdrawal": ("consent_start", the_first_record_without_consent),
    "5: after, not from": ("is_admitted", lambda at, person, p: p.consent == "ever" or at > person["consent_start"]),
    "5: instants do not matter": ("is_admitted", lambda *_: True),
    "5: ever has instants": ("is_admitted", lambda at, person, _: at >= person["consent_start"]),
    "6: all who consent": ("customers_curated", lambda trusted, _: trusted),
    "7: past claimants do not count": ("emails_by_device", present_claimants),
    "7: only consenting claimants": ("emails_by_device", consenting_claimants),
    "7: all claimants own": ("owners_of_devices", claimants_are_owners),
    "7: no list of defective serials": ("is_defective", lambda *_: False),
    "9: a set": ("machine_learning_curated", a_set),
}


@pytest.mark.parametrize("broken", BROKEN_RULES)
def test_a_broken_rule_is_noticed(monkeypatch, landed, tables, broken):
    monkeypatch.setattr(oracle, *BROKEN_RULES[broken])
    assert any(goes_wrong(landing, right) for landing, right in zip(landed, tables, strict=True))


def goes_wrong(landing, right):
    try:
        return governed_by_each_policy(landing) != right
    except ValueError:  # a consent that nothing starts
        return True


#: The same of what a line is.
MISREADINGS = {
    "1: no trimming": ("trimmed", lambda value: value),
    "1: no lower case": ("folded", lambda written: written),
    "2: nothing is too late": ("DAY", timedelta(days=10000)),
    "2: nothing is too early": ("EARLIEST", oracle_records.EPOCH - timedelta(days=1)),
    "2: an arrival is the last instant": ("DAY", timedelta(0)),
    "3: customers need their consent": (
        "NEEDED_OF_A_CUSTOMER",
        ("email", "lastupdatedate", "sharewithresearchasofdate"),
    ),
    "12: padding is content": ("PADDED", re.compile(r"(.*)", re.DOTALL)),
    "12: keys have one case": ("lower", str),
}


@pytest.mark.parametrize("misread", MISREADINGS)
def test_a_misread_line_is_noticed(monkeypatch, sampled, landed, misread):
    monkeypatch.setattr(oracle_records, *MISREADINGS[misread])
    assert any(landing_of(history) != right for history, right in zip(sampled, landed, strict=True))


def landing_of(history):
    return oracle.land(history.runs, history.arrived_at, CONTENT_KEY)


def governed_by_each_policy(landing):
    return [oracle.governed(landing, policy, pseudonym) for policy in POLICIES]
