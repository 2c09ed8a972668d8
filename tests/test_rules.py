"""Every rule of the design holds on both engines: its hand-written histories give the rows written beside them."""

import pytest
from lakes import play, rows
from rules import RULES

from stedi_common.pseudonym import PseudonymKey


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_the_rule_gives_its_rows(rule, engine, tmp_path, key: PseudonymKey):
    play(engine, tmp_path / "drops", rule.runs, rule.arrived_at, rule.policy, key)
    found = {table: rows(engine, table, expected.columns) for table, expected in rule.expected.items()}
    assert found == {table: expected.bag for table, expected in rule.expected.items()}
