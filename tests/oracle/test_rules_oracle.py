"""The oracle gives the rows that were written by hand for every rule, and notices every broken rule."""

from collections import Counter

import pytest
from support import oracle
from support.oracle import COLUMNS, Tables, lake
from support.rules import CONTENT_KEY, RULES, Rows, Rule, pseudonym


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_oracle_follows(rule):
    found, expected = answers(rule)
    assert found == expected


def test_every_rule_about_tables_has_a_history():
    assert {int(rule.id.split("-")[0]) for rule in RULES} == set(range(1, 13))


def test_no_two_histories_have_one_name():
    assert len({rule.id for rule in RULES}) == len(RULES)


def made_when_it_says(row):
    return row["lastupdatedate"] or row["arrived_at"]


def made_when_it_says_if_no_doubt(row):
    return row["arrived_at"] if row["doubt"] else row["lastupdatedate"]


def suspended_until_a_record(rows, is_later):
    arrivals = [row["arrived_at"] for row in rows if row["doubt"] is None]
    lines = [row["arrived_at"] for row in rows if row["doubt"] and row["sharewithresearchasofdate"] is not None]
    return any(not any(is_later(arrival, line) for arrival in arrivals) for line in lines)


def refusals_of(statements):
    return [oracle.took_effect(row) for row in statements if oracle.is_refusal(row)]


#: What somebody could get wrong in rules 3, 4, 5 and 12, as a function of the oracle that is replaced.
BROKEN_RULES = {
    "3: a doubtful line is rejected": ("doubtful_rows", lambda *_: []),
    "3: only the first address": ("doubtful_rows", lambda *line: oracle_doubtful_rows(*line)[:1]),
    "3: nobody is a stranger": ("count_strangers", lambda *_: None),
    "3: what was not read is nobody's": ("is_incomplete", lambda _: False),
    "4: clocks are right": ("took_effect", made_when_it_says_if_no_doubt),
    "4: a doubtful date is right": ("took_effect", made_when_it_says),
    "4: only arrivals count": ("took_effect", lambda row: row["arrived_at"]),
    "4: doubt is no refusal": ("is_statement", lambda row: row["doubt"] is None),
    "4: a doubtful consent is nothing": ("is_suspended", lambda _: False),
    "4: a suspension is for ever": ("is_suspended", lambda rows: suspended_until_a_record(rows, lambda *_: False)),
    "4: an old record ends a suspension": (
        "is_suspended",
        lambda rows: suspended_until_a_record(rows, lambda *_: True),
    ),
    "4: a record that came with it ends a suspension": (
        "is_suspended",
        lambda rows: suspended_until_a_record(rows, lambda arrival, line: arrival >= line),
    ),
    "5: the stated date": ("consent_start", lambda current, _: current["sharewithresearchasofdate"]),
    "5: the refusal": (
        "consent_start",
        lambda current, said: max([current["sharewithresearchasofdate"], *refusals_of(said)]),
    ),
    "5: the current record's date": (
        "consent_start",
        lambda current, said: (
            oracle_consent_start(current, said)
            if oracle_consent_start(current, said) == current["sharewithresearchasofdate"]
            else current["lastupdatedate"]
        ),
    ),
    "5: the first consent of all": (
        "consent_start",
        lambda current, said: (
            oracle_consent_start(current, said)
            if not refusals_of(said) or max(refusals_of(said)) < current["sharewithresearchasofdate"]
            else min(row["lastupdatedate"] for row in said if not oracle.is_refusal(row))
        ),
    ),
    "5: the first refusal": (
        "consent_start",
        lambda current, said: oracle_consent_start(
            current, [row for row in said if not oracle.is_refusal(row)] + refused_first(said)
        ),
    ),
    "5: a refusal at the stated date is none": (
        "consent_start",
        lambda current, said: (
            current["sharewithresearchasofdate"]
            if current["sharewithresearchasofdate"] in refusals_of(said)
            else oracle_consent_start(current, said)
        ),
    ),
    "12: a name is read once": ("content_of", lambda _: "read"),
}

oracle_doubtful_rows = oracle.doubtful_rows
oracle_consent_start = oracle.consent_start


def refused_first(statements):
    return sorted((row for row in statements if oracle.is_refusal(row)), key=oracle.took_effect)[:1]


@pytest.mark.parametrize("broken", BROKEN_RULES)
def test_a_broken_rule_is_noticed(monkeypatch, broken):
    monkeypatch.setattr(oracle, *BROKEN_RULES[broken])
    wrong = [rule.id for rule in RULES if not gives_its_rows(rule)]
    number, _, _ = broken.partition(":")
    assert any(rule.startswith(number) for rule in wrong)


def gives_its_rows(rule: Rule) -> bool:
    found, expected = answers(rule)
    return found == expected


def answers(rule: Rule) -> tuple[dict[str, Counter], dict[str, Counter]]:
    """What the oracle finds in the rule's tables, and what was written by hand."""
    tables = lake(rule.runs, rule.arrived_at, rule.policy, CONTENT_KEY, pseudonym)
    found = {table: seen(tables, table, rows) for table, rows in rule.expected.items()}
    return found, {table: rows.bag for table, rows in rule.expected.items()}


def seen(tables: Tables, table: str, expected: Rows) -> Counter:
    """What the table holds, in the columns that the rule speaks of."""
    places = [COLUMNS[table].index(column) for column in expected.columns]
    return Counter(tuple(row[place] for place in places) for row in tables[table].elements())
