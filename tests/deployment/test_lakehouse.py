"""The whole lakehouse: one apply, files dropped, the state machine run, the tables read, and nothing left after it.

The tests tell one story, in the order they stand in: each goes on where the one before has ended.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from code_of_jobs import built, with_a_new_column
from crowds import crowd
from deployment import Deployment, Terraform, localstack
from drops import customer, drop
from inventory import inventory
from oracle import COLUMNS, Tables
from oracle import lake as oracle_lake
from privileges import calls, grants, refused, too_wide, unused
from reference import COUNTS, LANDING, TABLES
from reference import drops as reference_drops

from stedi_common.policy import Policy
from stedi_common.pseudonym import PseudonymKey

pytestmark = [
    pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed (see docs/deploy.md)"),
    pytest.mark.xdist_group("deployment"),
]

Drops = Mapping[str, bytes]
PREFIX = "stedi-test"
ACCOUNT = "000000000000"


class Story:
    """The deployment, what has been dropped so far, and what the tables must hold."""

    def __init__(self, deployed: Deployment) -> None:
        self.deployed = deployed
        self._runs: list[Drops] = []

    def drop(self, drops: Drops) -> None:
        """Put files where their sources put them."""
        self.deployed.drop(drops)
        self._runs.append(drops)

    def told(self) -> Tables:
        """The tables in plain Python."""
        arrivals = [datetime.now(UTC).replace(tzinfo=None)] * len(self._runs)
        return oracle_lake(self._runs, arrivals, Policy(), self.key.content_key, self.key.pseudonym)

    @property
    def key(self) -> PseudonymKey:
        """The key that AWS drew."""
        secret = self.deployed.client("secretsmanager").get_secret_value(SecretId=f"{PREFIX}-pseudonym-key")
        return PseudonymKey(bytes.fromhex(secret["SecretString"]))

    def assert_told(self) -> None:
        """Every table holds just what the oracle says: counted by Athena, read by PyIceberg."""
        told = self.told()
        counts = {table: rows.total() for table, rows in told.rows.items()}
        assert {table: self.deployed.count(table) for table in COLUMNS} == counts
        for table, columns in COLUMNS.items():
            assert self.deployed.rows(table, columns) == told[table], table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("deployment")


@pytest.fixture(scope="module")
def empty(folder: Path) -> Iterator[Deployment]:
    """An account with nothing in it."""
    with localstack(folder / "state") as endpoint:
        yield Deployment(Terraform(folder, endpoint), endpoint, folder / "state")


@pytest.fixture(scope="module")
def before(empty: Deployment) -> dict[str, set[str]]:
    """What was in it all the same."""
    return inventory(empty)


@pytest.fixture(scope="module")
def story(empty: Deployment, before: dict[str, set[str]], folder: Path) -> Story:
    """The lakehouse, applied."""
    empty.terraform.init()
    empty.apply(prefix=PREFIX, sources=built(folder / "first"))
    return Story(empty)


def test_dropped_files_become_training_pairs(story):
    is_reference = LANDING.is_dir()
    story.drop(reference_drops() if is_reference else crowd(1).runs[0])
    story.deployed.run()
    story.assert_told()
    if is_reference:
        assert tuple(story.told()[table].total() for table in TABLES) == COUNTS[Policy()]
    assert story.deployed.terraform.changes() == {}


def test_the_checks_that_people_make_by_hand_answer(story):
    athena = story.deployed.client("athena")
    answers = {}
    for role, workgroup in story.deployed.outputs["workgroups"].items():
        for query in athena.list_named_queries(WorkGroup=workgroup)["NamedQueryIds"]:
            named = athena.get_named_query(NamedQueryId=query)["NamedQuery"]
            answers[named["Name"]] = story.deployed.ask(named["QueryString"], role)
    violations = [name for name in answers if "_no_" in f"_{name}" and answers[name]]
    assert answers
    assert violations == []


def test_a_changed_wheel_changes_the_jobs_and_lands_a_new_column_beside_the_old(story, folder):
    sources = with_a_new_column(folder / "second", "customer_landing", "shoesize")
    changes = story.deployed.terraform.changes(sources=sources)
    assert {address.split(".")[1].partition("[")[0] for address in changes} == {"lakehouse"}
    assert {kind(address) for address in changes} == {"aws_s3_object", "aws_glue_job"}
    story.deployed.apply(sources=sources)
    broken = b'{"email": "half a li'
    story.drop({"customer/later.json": drop(customer("later@example.org", 1_700_000_000_000, shoeSize=42)) + broken})
    story.deployed.run()
    story.assert_told()
    sizes = story.deployed.rows("customer_landing", ("email", "shoesize"))
    assert {size for _, size in sizes} == {None, 42.0}
    assert sizes["later@example.org", 42.0] == 1
    assert story.deployed.rows("rejected_records", ("source_file", "reason"))["customer/later.json", "broken_json"] == 1
    assert story.deployed.terraform.changes() == {}
