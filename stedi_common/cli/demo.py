"""What only `stedi demo` does: generate drops if there are none, and compare the tables with the truth."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from stedi_common.contracts import SOURCES
from stedi_common.generate import Plan, generate
from stedi_common.rules.policy import Policy
from stedi_common.runs.executor import Outcome

PLAN = Plan(people=300, readings=200_000, days=14)


def make_drops(folder: Path, progress: Callable[[int, int], None]) -> None:
    """Generate drops, unless there are some."""
    if not any(any((folder / source).rglob("*.json*")) for source in SOURCES):
        generate(PLAN, folder, progress)


def differences(folder: Path, policy: Policy, outcomes: Sequence[Outcome]) -> list[str] | None:
    """Compare the tables with the truth that was generated with the drops.

    Args:
        folder: the landing folder.
        policy: the policy of the run.
        outcomes: what the jobs did.

    Returns:
        A text for each table that differs; None if there is no truth for this policy.
    """
    truth = folder / "truth" / "truth.json"
    if not truth.exists():
        return None
    policies = json.loads(truth.read_text(encoding="utf-8"))["policies"]
    if str(policy) not in policies:  # there is no truth for lists of defective serial numbers
        return None
    expected = policies[str(policy)]
    return [
        f"{outcome.table}: expected {expected[outcome.table]:,} rows, got {outcome.rows:,}"
        for outcome in outcomes
        # Of the tables of a project it knows nothing.
        if outcome.rows != expected.get(outcome.table, outcome.rows)
    ]
