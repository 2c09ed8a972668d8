"""Every rule of docs/rules.md holds on both engines: its hand-written histories give the rows written beside them."""

from collections.abc import Iterable

import pytest
from support.lakes import land, rows, write
from support.rules import RULES

from stedi_common.engines import ENGINES
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules import lineage
from stedi_common.rules.lineage import Job
from stedi_common.runs import executor

#: The rules of what a record is. One reader reads it for both engines (`tests/records`).
OF_RECORDS = {"1", "2", "3"}
NUMBERS = [rule.id.partition("-")[0] for rule in RULES]
#: What Spark runs by default: the first history of each rule. In make test-long it runs all.
FAST = {NUMBERS.index(number) for number in set(NUMBERS) - OF_RECORDS}
EXAMPLES = [
    pytest.param(
        engine,
        rule,
        id=f"{engine}-{rule.id}",
        marks=[pytest.mark.rule(int(NUMBERS[n])), *[pytest.mark.long] * (engine == "spark" and n not in FAST)],
    )
    for engine in ENGINES
    for n, rule in enumerate(RULES)
]


@pytest.mark.parametrize(("engine_name", "rule"), EXAMPLES, indirect=["engine_name"])
def test_the_rule_gives_its_rows(rule, engine, tmp_path, key: PseudonymKey):
    for drops, arrival in zip(rule.runs, rule.arrived_at, strict=True):
        write(tmp_path / "drops", drops)
        land(engine, tmp_path / "drops", key, arrival)
    for job in making(rule.expected):
        executor.run(engine, job, rule.policy, key)
    found = {table: rows(engine, table, expected.columns) for table, expected in rule.expected.items()}
    assert found == {table: expected.bag for table, expected in rule.expected.items()}


def making(tables: Iterable[str]) -> list[Job]:
    """The jobs that make these tables and what they are made from; the others would only take Spark its time."""
    wanted, needed = set(tables), []
    for job in reversed(lineage.jobs([])):
        if job.target.name in wanted:
            wanted |= {source.name for source in job.sources}
            needed.insert(0, job)
    return needed
