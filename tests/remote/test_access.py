"""Profiles, endpoints, and what S3 and Glue refuse: each is one line, and no damage."""

import os
from contextlib import closing

import pytest

from stedi_common import aws
from stedi_common.contracts import contract
from stedi_common.engines import connect
from stedi_common.engines.embedded import bucket_files
from stedi_common.engines.storage import s3
from stedi_common.errors import ServiceError

TABLE = contract("rejected_records")


@pytest.fixture
def made(lake):
    with closing(connect("embedded", lake)) as engine:
        engine.prepare(TABLE)
        row = dict.fromkeys(TABLE.names) | {"source": "one"}
        engine.append(TABLE, engine.frame(TABLE, [row]), engine.head(TABLE), {})
    return lake


@pytest.fixture
def profile(endpoint, tmp_path, monkeypatch) -> str:
    """A profile with credentials; the environment has wrong ones and no endpoint."""
    (tmp_path / "config").write_text(
        "[profile study]\nregion = us-east-1\naws_access_key_id = test\naws_secret_access_key = test\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    return "study"


def where(lake) -> tuple[str, ...]:
    return "--lake", lake.location, "--database-prefix", lake.prefix


def test_a_profile_and_an_endpoint_are_used(made, profile, endpoint, stedi):
    done = stedi("status", *where(made), "--profile", profile, "--endpoint-url", endpoint)
    assert (done.code, "rejected_records" in done.out) == (0, True)


def test_an_unknown_profile_is_an_error_of_one_line(made, stedi):
    done = stedi("status", *where(made), "--profile", "nobody")
    assert (done.code, "ProfileNotFound" in done.err, len(done.err.splitlines())) == (1, True, 2)


def test_an_endpoint_that_does_not_answer_is_an_error_of_one_line(made, stedi, monkeypatch):
    monkeypatch.setattr(s3, "MAX_ATTEMPTS", 1)
    done = stedi("status", *where(made), "--endpoint-url", "http://127.0.0.1:9")
    assert (done.code, "EndpointConnectionError" in done.err, len(done.err.splitlines())) == (1, True, 2)


def test_a_bucket_that_is_not_there_is_an_error_of_one_line(made, stedi, tmp_path):
    (tmp_path / "drops" / "customer").mkdir(parents=True)
    (tmp_path / "key").write_text(bytes(range(32)).hex())
    (tmp_path / "key").chmod(0o600)
    lake = ("--lake", "s3://there-is-no-such-bucket", "--database-prefix", made.prefix + "_x")
    done = stedi("land", *lake, "--key-file", tmp_path / "key", "--landing", tmp_path / "drops")
    assert done.code == 1
    assert "NO_SUCH_BUCKET" in done.err


def test_the_environment_is_as_before_afterwards(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "one")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://one")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with aws.profile_and_endpoint("study", "http://two"):
        assert (os.environ["AWS_PROFILE"], os.environ["AWS_ENDPOINT_URL"]) == ("study", "http://two")
        assert "AWS_ACCESS_KEY_ID" not in os.environ
    assert (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_ENDPOINT_URL"]) == ("one", "http://one")
    assert "AWS_PROFILE" not in os.environ


def test_credentials_below_a_prefix_are_those_that_a_catalog_gives(endpoint):
    s3.set_access(
        "s3://given/landing", {"s3.access-key-id": "a", "s3.secret-access-key": "b", "s3.region": "eu-west-1"}
    )
    given, other = s3.filesystem("s3://given/landing/one")[0], s3.filesystem("s3://given/landing2/one")[0]
    assert (given.region, other.region) == ("eu-west-1", "us-east-1")


def read(engine):
    engine.collect(engine.read(TABLE, engine.head(TABLE)))


def query(engine):
    with engine.query("SELECT * FROM landing.rejected_records") as answer:
        list(answer.batches({None: "{}"}, 10))


@pytest.mark.parametrize("ask", [read, query])
def test_what_s3_refuses_is_no_damage(made, monkeypatch, ask):
    def refused(*_):
        raise OSError("When reading 'ann@example.org': AWS Error ACCESS_DENIED during GetObject operation: no")

    monkeypatch.setattr(bucket_files._Object, "read", refused)
    monkeypatch.setattr(bucket_files._Object, "fetch_tail", lambda _: None)
    with closing(connect("embedded", made, writes=False)) as engine:
        with pytest.raises(ServiceError) as raised:
            ask(engine)
        assert "ACCESS_DENIED" in str(raised.value)
        assert "ann" not in str(raised.value)
