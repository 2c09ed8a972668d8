"""No reading between a refusal and the record that ends it is in research: asked by SQL that knows no consent_start."""

import re
from datetime import datetime

import pytest
from support.lakes import land, opening, run
from support.paths import ROOT
from support.queries import queried

from stedi_common.cli.demo import PLAN
from stedi_common.generate import generate
from stedi_common.lake import Lake
from stedi_common.rules.policy import Policy

PAGE = ROOT / "docs" / "privacy.md"
TRUSTED = "trusted.accelerometer_trusted"
#: What would be in research if every reading of whoever consents now counted.
OF_WHOEVER_CONSENTS = """(
    SELECT landed.* FROM landing.accelerometer_landing landed
    SEMI JOIN trusted.customer_trusted ON landed.user = customer_trusted.email)"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory, key):
    """The drops of the demonstration, landed, and its tables made."""
    folder = tmp_path_factory.mktemp("renewals")
    generate(PLAN, folder / "drops")
    with opening() as connect_to:
        engine = connect_to("embedded", folder / "lake")
        land(engine, folder / "drops", key, datetime(2025, 1, 1))
        run(engine, Policy(), key)
    return Lake.at(str(folder / "lake"))


@pytest.fixture(scope="module")
def query():
    """The query that the page for the privacy officer shows."""
    queries = re.findall(r'stedi query "([^"]*)"', PAGE.read_text(encoding="utf-8"))
    (found,) = (query for query in queries if "readings_while_refused" in query)
    return found


def test_nothing_that_was_read_after_a_refusal_is_in_research(lake, query):
    assert only_number(lake, query) == 0


def test_the_query_would_find_what_was_read_after_a_refusal(lake, query):
    assert TRUSTED in query
    assert only_number(lake, query.replace(TRUSTED, OF_WHOEVER_CONSENTS)) > 100


def only_number(lake, sql):
    ((number,),) = queried(lake, sql)
    return number
