"""A LocalStack of the tests' own, and lakes in its buckets with its Glue Data Catalog."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import boto3
import pytest
from support.deployment import credentials, localstack
from support.paths import ROOT
from support.remote import TABLE

from stedi_common.contracts import ZONES
from stedi_common.engines import connect
from stedi_common.lake import Lake


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker has the LocalStack."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("remote"))


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory) -> Iterator[str]:
    if not (ROOT / "localstack" / ".venv").exists():
        pytest.skip("LocalStack is not installed: make install-localstack")
    with localstack(tmp_path_factory.mktemp("localstack")) as started, pytest.MonkeyPatch.context() as patch:
        for name, value in credentials(started).items():
            patch.setenv(name, value)
        yield started


@pytest.fixture(scope="session")
def new_lake(endpoint) -> Callable[[], Lake]:
    """Makes a lake with a bucket and databases of its own, as Terraform does."""

    def made() -> Lake:
        name = f"lake-{uuid.uuid4().hex[:12]}"
        boto3.client("s3").create_bucket(Bucket=name)
        prefix = name.replace("-", "_")
        for zone in ZONES:
            boto3.client("glue").create_database(DatabaseInput={"Name": f"{prefix}_{zone}"})
        return Lake.at(f"s3://{name}", prefix)

    return made


@pytest.fixture
def lake(new_lake) -> Lake:
    return new_lake()


@pytest.fixture
def engine(lake):
    with closing(connect("embedded", lake)) as opened:
        opened.prepare(TABLE)
        yield opened


@pytest.fixture
def other(engine, lake):
    """Another handle on the lake."""
    with closing(connect("embedded", lake)) as opened:
        yield opened
