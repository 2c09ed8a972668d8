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
def rest(endpoint, tmp_path_factory) -> Iterator[str]:
    """The name of a REST catalog in PyIceberg's configuration."""
    pytest.importorskip("pyspark")
    from support.rest_server import rest_catalog  # noqa: PLC0415 - it needs PySpark

    log = tmp_path_factory.mktemp("rest") / "log"
    with rest_catalog("s3://unused", log, endpoint) as uri, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYICEBERG_CATALOG__STUDY__TYPE", "rest")
        patch.setenv("PYICEBERG_CATALOG__STUDY__URI", uri)
        yield "study"


@pytest.fixture(scope="session")
def new_lake(endpoint, request) -> Callable[..., Lake]:
    """Makes a lake with a bucket of its own, and with the databases of Glue that Terraform makes or a REST catalog."""

    def made(kind: str = "glue") -> Lake:
        name = f"{kind}-{uuid.uuid4().hex[:12]}"
        boto3.client("s3").create_bucket(Bucket=name)
        prefix = name.replace("-", "_")
        if kind == "rest":
            return Lake.at(f"s3://{name}", prefix, request.getfixturevalue("rest"))
        for zone in ZONES:
            boto3.client("glue").create_database(DatabaseInput={"Name": f"{prefix}_{zone}"})
        return Lake.at(f"s3://{name}", prefix)

    return made


@pytest.fixture
def kind() -> str:
    """The kind of the catalog of `lake`. A module that tests both has parameters for it."""
    return "glue"


@pytest.fixture
def lake(new_lake, kind) -> Lake:
    return new_lake(kind)


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
