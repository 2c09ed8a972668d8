"""The oracle gives the rows that were written by hand for every rule."""

from collections import Counter

import pytest
from oracle import COLUMNS, Tables, lake
from rules import CONTENT_KEY, RULES, Rows, pseudonym


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_oracle_follows(rule):
    tables = lake(rule.runs, rule.arrived_at, rule.policy, CONTENT_KEY, pseudonym)
    assert {table: seen(tables, table, rows) for table, rows in rule.expected.items()} == {
        table: rows.bag for table, rows in rule.expected.items()
    }


def test_every_rule_about_tables_has_a_history():
    assert {int(rule.id.split("-")[0]) for rule in RULES} == set(range(1, 13))


def test_no_two_histories_have_one_name():
    assert len({rule.id for rule in RULES}) == len(RULES)


def seen(tables: Tables, table: str, expected: Rows) -> Counter:
    """What the table holds, in the columns that the rule speaks of."""
    places = [COLUMNS[table].index(column) for column in expected.columns]
    return Counter(tuple(row[place] for place in places) for row in tables[table].elements())
