"""The demo compares the tables with the truth that was generated with the drops."""

import json

from stedi_common.cli.demo import differences
from stedi_common.rules.policy import Policy
from stedi_common.runs.executor import Outcome


def test_the_truth_says_nothing_about_the_tables_of_a_project(tmp_path):
    (tmp_path / "truth").mkdir()
    truth = {"policies": {str(Policy()): {"customer_trusted": 2}}}
    (tmp_path / "truth" / "truth.json").write_text(json.dumps(truth))
    outcomes = [
        Outcome("job", table, changed=True, days=None, rows_in=1, rows_kept=1, dropped={}, rows=1)
        for table in ("customer_trusted", "heart_rate_trusted")
    ]
    assert differences(tmp_path, Policy(), outcomes) == ["customer_trusted: expected 2 rows, got 1"]
