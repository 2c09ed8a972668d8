"""A server for the session: AWS_ENDPOINT_URL's, or one of our own that ends with the session."""

import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from pyiceberg.catalog.glue import GlueCatalog
from running import Jobs, role

from localstack_lakehouse.server import Server

REGION = "us-east-1"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server | None]:
    """A server of our own, unless we are to talk to another one."""
    if "AWS_ENDPOINT_URL" in os.environ:
        yield None
        return
    own = Server(free_port(), tmp_path_factory.mktemp("localstack"))
    own.start()
    try:
        yield own
    finally:
        own.stop()


@pytest.fixture(scope="session")
def endpoint(server: Server | None) -> str:
    return server.url if server else os.environ["AWS_ENDPOINT_URL"]


@pytest.fixture(scope="session")
def aws(endpoint: str) -> boto3.Session:
    """A session whose every client talks to the server."""
    for name, value in credentials(endpoint).items():
        os.environ[name] = value
    return boto3.Session()


def credentials(endpoint: str) -> dict[str, str]:
    """What a client's environment needs."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", "test"),
        "AWS_SECRET_ACCESS_KEY": os.environ.get("AWS_SECRET_ACCESS_KEY", "test"),
        "AWS_DEFAULT_REGION": os.environ.get("AWS_DEFAULT_REGION", REGION),
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def client_fixture(service: str) -> object:
    @pytest.fixture(scope="session", name=service)
    def client(aws: boto3.Session) -> BaseClient:
        return aws.client(service)

    return client


athena = client_fixture("athena")
cloudwatch = client_fixture("cloudwatch")
glue = client_fixture("glue")
iam = client_fixture("iam")
lakeformation = client_fixture("lakeformation")
logs = client_fixture("logs")
s3 = client_fixture("s3")
stepfunctions = client_fixture("stepfunctions")
sts = client_fixture("sts")


def random_name() -> str:
    """A name that no other test has, good for a bucket, a database, a job."""
    return f"t{uuid.uuid4().hex[:12]}"


@contextmanager
def refused(code: str) -> Iterator[None]:
    """Expect the error that AWS answers with."""
    with pytest.raises(ClientError) as error:
        yield
    assert error.value.response["Error"]["Code"] == code


@pytest.fixture
def name() -> str:
    return random_name()


@pytest.fixture(scope="session")
def bucket(s3: BaseClient) -> str:
    name = random_name()
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture(scope="session")
def catalog(endpoint: str, aws: boto3.Session) -> GlueCatalog:
    """Glue's catalog, as PyIceberg sees it."""
    return GlueCatalog("glue", **{"s3.endpoint": endpoint, "client.region": aws.region_name})


@pytest.fixture(scope="session")
def jobs(glue: BaseClient, s3: BaseClient, logs: BaseClient, iam: BaseClient, bucket: str) -> Jobs:
    return Jobs(glue, s3, logs, bucket, role(iam))


@pytest.fixture
def database(glue: BaseClient, bucket: str, name: str) -> Iterator[str]:
    """An empty database with a location of its own."""
    glue.create_database(DatabaseInput={"Name": name, "LocationUri": f"s3://{bucket}/{name}"})
    yield name
    glue.delete_database(Name=name)
