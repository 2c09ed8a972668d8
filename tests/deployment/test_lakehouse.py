"""The whole lakehouse: one apply, files dropped, the state machine run, the tables read, and nothing left after it.

The tests tell one story, in the order they stand in: each goes on where the one before has ended.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from crowds import crowd
from deployment import Deployment, Terraform, built, localstack, mirrored
from drops import customer, drop, reading, step
from oracle import COLUMNS, Tables
from oracle import lake as oracle_lake
from privileges import excess, refused, wildcards
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


class Story:
    """What has been dropped so far, and what the tables must hold."""

    def __init__(self, deployed: Deployment, key: PseudonymKey) -> None:
        self.deployed, self._key = deployed, key
        self._runs: list[Drops] = []

    def drop(self, drops: Drops) -> None:
        self.deployed.drop(drops)
        self._runs.append(drops)

    def told(self) -> Tables:
        arrivals = [datetime.now(UTC).replace(tzinfo=None)] * len(self._runs)
        return oracle_lake(self._runs, arrivals, Policy(), self._key.content_key, self._key.pseudonym)

    def assert_told(self) -> None:
        """Every table holds just what the oracle says: counted by Athena, read by PyIceberg."""
        told = self.told()
        assert {table: self.deployed.count(table) for table in COLUMNS} == {t: told[t].total() for t in COLUMNS}
        for table, columns in COLUMNS.items():
            assert self.deployed.rows(table, columns) == told[table], table


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    folder = tmp_path_factory.mktemp("deployment")
    with localstack(folder / "state") as endpoint:
        terraform = Terraform(folder, {"AWS_ENDPOINT_URL": endpoint, **CREDENTIALS, **mirrored(folder)})
        terraform.init()
        terraform.apply(prefix=PREFIX, sources=built(folder / "first"))
        yield Deployment(terraform, endpoint, folder / "state")
