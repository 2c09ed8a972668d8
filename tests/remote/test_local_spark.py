"""Spark on this machine, on a lake in S3: with Glue, and with a REST catalog of PyIceberg's configuration."""

from contextlib import closing
from datetime import datetime
from pathlib import Path

import boto3
import pytest
from support.commands import stedi
from support.comparison import actual_tables, expected_tables
from support.crowds import crowd
from support.drops import at, customer, landing
from support.histories import History
from support.lakes import land, rows, run, write
from support.processes import call_at_once
from support.remote import written_key

from stedi_common.engines import connect
from stedi_common.engines.spark.catalog_settings import catalog_settings
from stedi_common.errors import LakeError
from stedi_common.lake import CATALOG, Lake
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.policy import Policy

NIGHTS = (datetime(2024, 4, 3), datetime(2024, 4, 4))


def night(engine_name: str, lake: Lake, drops: Path, key: PseudonymKey, arrival: datetime) -> None:
    with closing(connect(engine_name, lake)) as engine:
        land(engine, drops, key, arrival)
        run(engine, Policy(), key)


def place_of(lake: Lake) -> list[str]:
    catalog = ["--catalog", lake.catalog] if lake.catalog else []
    return ["--lake", lake.location, "--database-prefix", lake.prefix, *catalog]


def keys_of(lake: Lake) -> list[str]:
    listed = boto3.client("s3").list_objects_v2(Bucket=lake.location.removeprefix("s3://"))
    return [each["Key"] for each in listed["Contents"]]


@pytest.mark.long
@pytest.mark.parametrize("kind", ["glue", "rest"])
def test_both_engines_take_turns_on_a_lake_in_s3(lake, tmp_path, key):
    pytest.importorskip("pyspark")
    runs = [
        {name: raw for name, raw in drops.items() if "/" in name and name.split("/")[1] < "03"}
        for drops in crowd(0).runs[:2]
    ]
    assert all(runs)
    for drops, arrival, name in zip(runs, NIGHTS, ("embedded", "spark"), strict=True):
        write(tmp_path / "drops", drops)
        # The Spark of the other tests has no S3, so this one has a process of its own.
        call_at_once(night, [(name, lake, tmp_path / "drops", key, arrival)])
    with closing(connect("embedded", lake)) as engine:
        assert actual_tables(engine) == expected_tables(History(tuple(runs), NIGHTS), Policy(), key)
    assert stedi("maintain", "--engine", "spark", *place_of(lake)).code == 0


@pytest.mark.parametrize("kind", ["rest"])
def test_spark_lands_in_s3_and_leaves_nothing_staged(lake, tmp_path):
    pytest.importorskip("pyspark")
    write(
        tmp_path / "drops", landing(customers=[customer(f"{who}@example.org", at("10:00")) for who in ("ann", "bob")])
    )
    where = [*place_of(lake), "--landing", tmp_path / "drops", "--key-file", written_key(tmp_path)]
    done = stedi("land", "customer", "--engine", "spark", *where, TMPDIR=str(tmp_path))
    assert done.code == 0, done.err
    with closing(connect("embedded", lake, writes=False)) as engine:
        assert rows(engine, "customer_landing", ["email"]) == {("ann@example.org",): 1, ("bob@example.org",): 1}
    assert not [key for key in keys_of(lake) if ".staging-" in key]
    assert not list(tmp_path.glob("stedi-scratch-*"))


def settings_of(monkeypatch, kind: str, **properties: str) -> dict[str, str]:
    """Spark's settings of a lake whose catalog has these properties, without the prefix that all of them have."""
    for name, value in {"type": kind, **properties}.items():
        monkeypatch.setenv(f"PYICEBERG_CATALOG__OTHER__{name.upper()}", value)
    prefix = f"spark.sql.catalog.{CATALOG}."
    found = catalog_settings(Lake.at("s3://lake", "", "other"))
    return {name.removeprefix(prefix): value for name, value in found.items()}


def test_the_settings_of_spark_follow_from_those_of_pyiceberg(monkeypatch):
    found = settings_of(
        monkeypatch,
        "rest",
        uri="https://catalog.example.org",
        warehouse="study",
        CREDENTIAL="id:secret",
        s3__region="eu-west-1",
        client__access_key_id="key",
        s3__endpoint="https://s3.example.org",
    )
    assert found["io-impl"] == "org.apache.iceberg.aws.s3.S3FileIO"
    expected = {
        "type": "rest",
        "uri": "https://catalog.example.org",
        "warehouse": "study",
        "credential": "id:secret",
        "client.region": "eu-west-1",
        "s3.access-key-id": "key",
        "s3.endpoint": "https://s3.example.org",
        "s3.path-style-access": "true",
    }
    assert expected.items() <= found.items()


@pytest.mark.parametrize(("virtual", "path_style"), [("true", "false"), ("false", "true")])
def test_the_style_of_addresses_is_that_of_pyiceberg(monkeypatch, virtual, path_style):
    endpoint = {"s3__endpoint": "https://s3.example.org", "s3__force_virtual_addressing": virtual}
    assert settings_of(monkeypatch, "glue", **endpoint)["s3.path-style-access"] == path_style


def test_aws_itself_needs_no_settings(monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    assert "s3.path-style-access" not in settings_of(monkeypatch, "glue")


@pytest.mark.parametrize("name", ["glue__profile_name", "client__secret_access_key", "glue__access_key_id"])
def test_credentials_that_java_cannot_take_are_refused(monkeypatch, name):
    with pytest.raises(LakeError, match="expected the credentials of Glue from the environment, got"):
        settings_of(monkeypatch, "glue", **{name: "someone"})
