"""The published data set gives the published counts, on both engines, under all four policies."""

import pytest
from support.lakes import run
from support.reference import COUNTS, LANDED, TABLES, landing

from stedi_common.landing import land


@pytest.mark.rule(9)
def test_the_reference_counts_of_all_four_policies(engine, key):
    folder = landing()
    landed = {source: land(engine, source, str(folder), key) for source in LANDED}
    assert {source: result.landed for source, result in landed.items()} == LANDED
    assert {source: result.lines for source, result in landed.items()} == LANDED
    for policy, counts in COUNTS.items():
        kept = {outcome.table: outcome.rows_kept for outcome in run(engine, policy, key, rebuild=True)}
        assert kept == dict(zip(TABLES, counts, strict=True))
