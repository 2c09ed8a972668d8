"""`stedi subject` on a lake in S3 whose drops are in S3, too."""

import json
from datetime import datetime

import boto3
import pytest
from support.drops import customer, landing, reading, step
from support.remote import written_key

ANN, BOB = "ann@example.org", "bob@example.org"
FIRST, WALK = datetime(2024, 3, 1), datetime(2024, 3, 2)
DROPS = landing(
    [customer(who, FIRST, FIRST, f"sn-{who[0]}") for who in (ANN, BOB)],
    [reading(who, WALK) for who in (ANN, BOB)],
    [step(f"sn-{who[0]}", WALK) for who in (ANN, BOB)],
)


@pytest.mark.parametrize("kind", ["glue", "rest"])
def test_a_person_is_shown_and_withdraws(lake, stedi, tmp_path):
    bucket = boto3.resource("s3").Bucket(lake.location.removeprefix("s3://"))
    for name, content in DROPS.items():
        bucket.put_object(Key=f"drops/{name}", Body=content)
    at = ["--lake", lake.location, "--database-prefix", lake.prefix, "--key-file", written_key(tmp_path)]
    at += ["--catalog", lake.catalog] if lake.catalog else []
    drops = ["--landing", f"{lake.location}/drops"]
    assert stedi("land", *at, *drops).code == stedi("run", *at).code == 0
    shown = json.loads(stedi("subject", "show", ANN, *at, *drops, "--json").out)
    assert {each["table"] for each in shown["tables"] if each["rows"]} >= {
        "landing.customer_landing",
        "curated.machine_learning_curated",
    }
    said = json.loads(stedi("subject", "withdraw", ANN, *at, *drops, "--json").out)
    refusal = boto3.client("s3").get_object(Bucket=bucket.name, Key=f"drops/{said['drop']}")
    assert json.loads(refusal["Body"].read())["email"] == ANN
    for who, rows in ((ANN, 0), (BOB, 1)):
        found = json.loads(stedi("subject", "show", who, *at, *drops, "--json").out)["tables"]
        of_table = {each["table"]: each["rows"] for each in found}
        assert (of_table["curated.machine_learning_curated"], of_table["trusted.customer_trusted"]) == (rows, rows)
