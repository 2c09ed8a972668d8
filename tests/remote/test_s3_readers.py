"""The code of docs/reading.md for a lake on AWS, as it stands there: each reads the same rows."""

import json
import os
import re
import sys
from collections import Counter
from contextlib import closing

import boto3
import pytest
from support.athena import ask
from support.commands import finished, spark_variables
from support.drops import at, customer, landing, reading, step
from support.lakes import play
from support.paths import ROOT

from stedi_common.contracts import ZONES
from stedi_common.engines import connect
from stedi_common.lake import Lake
from stedi_common.rules.policy import Policy

#: The lake of the page.
LAKE, PREFIX = "s3://stedi-dev-{zone}-111122223333", "stedi_dev"
PERSON = "ann@example.org"
DROPS = landing(
    [customer(PERSON, at("08:00"), at("08:00"), "sn-1")],
    [reading(PERSON, at("09:00"), x) for x in (1.5, 2.5)],
    [step("sn-1", at("09:00"), distance) for distance in (100, 200)],
)
COLUMNS = ("pseudonym", "x", "y", "z")


def section() -> str:
    page = (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")
    return page.split("\n## A lake on AWS\n")[1].split("\n## ")[0]


CODE = re.findall(r"```python\n(.*?)```", section(), re.DOTALL)
(SQL,) = re.findall(r"```sql\n(.*?)```", section(), re.DOTALL)


@pytest.fixture(scope="module")
def expected(endpoint, key, tmp_path_factory) -> Counter:
    """The rows that the page reads."""
    for zone in ZONES:
        boto3.client("s3").create_bucket(Bucket=LAKE.removeprefix("s3://").format(zone=zone))
        boto3.client("glue").create_database(DatabaseInput={"Name": f"{PREFIX}_{zone}"})
    with closing(connect("embedded", Lake.at(LAKE, PREFIX))) as engine:
        play(engine, tmp_path_factory.mktemp("drops"), [DROPS], [at("10:00")], Policy(), key)
    return Counter((key.pseudonym(PERSON), x, 0.0, 0.0) for x in (1.5, 2.5))


@pytest.fixture
def output_of(endpoint, tmp_path):
    """Runs the code of the page with this word in it, in a new process, and returns what the expressions give."""

    def run(word: str, *expressions: str, **environment: str) -> list:
        (code,) = (each for each in CODE if word in each)
        script = tmp_path / "reading.py"
        script.write_text(f"{code}\nimport json\nprint(json.dumps([{', '.join(expressions)}]))\n")
        done = finished(
            sys.executable,
            script,
            # PyIceberg does not tell Arrow the endpoint of the environment.
            PYICEBERG_CATALOG__GLUE__S3__ENDPOINT=endpoint,
            # Without its own planner of Iceberg Polars warns that PyIceberg's is slower.
            POLARS_ICEBERG_PLANNER="pyiceberg",
            **environment,
        )
        assert done.code == 0, done.err[-2000:]
        return json.loads(done.out.splitlines()[-1])

    return run


#: The rows of an Arrow table of that name as lists, in the order of `COLUMNS`.
ARROW = f"[[row[name] for name in {COLUMNS}] for row in {{}}.to_pylist()]"


def bag(rows) -> Counter:
    return Counter(map(tuple, rows))


def test_the_library(expected, output_of):
    (rows,) = output_of("stedi.open", ARROW.format("readings"))
    assert bag(rows) == expected


def test_pyiceberg_pandas_and_duckdb(expected, output_of):
    rows, frame, counts = output_of(
        "to_duckdb", ARROW.format("readings"), f"frame[list({COLUMNS})].values.tolist()", "counts"
    )
    assert bag(rows) == bag(frame) == expected
    assert counts == [[next(iter(expected))[0], 2]]


def test_polars(expected, output_of):
    (rows,) = output_of("scan_iceberg", f"readings.select({COLUMNS}).rows()")
    assert bag(rows) == expected


def test_spark(expected, output_of):
    pytest.importorskip("pyspark")
    from support.rest_server import fetched  # noqa: PLC0415 - it needs PySpark

    runtime = ("org/apache/iceberg", "iceberg-spark-runtime-3.5_2.12", "1.10.0", "")
    jars = [str(fetched(jar)) for jar in (runtime, ("org/apache/iceberg", "iceberg-aws-bundle", "1.10.0", ""))]
    # The names of LocalStack's buckets are no names of hosts.
    path_style = "spark.sql.catalog.glue.s3.path-style-access=true"
    (rows,) = output_of(
        "pyspark",
        "[list(row) for row in readings.collect()]",
        **spark_variables(),
        PYSPARK_SUBMIT_ARGS=f"--master local[1] --jars {','.join(jars)} --conf {path_style} pyspark-shell",
        AWS_REGION=os.environ["AWS_DEFAULT_REGION"],
    )
    assert bag(rows) == expected


def test_athena(expected):
    boto3.client("s3").create_bucket(Bucket="answers")
    said = ask(boto3.client("athena"), SQL, ResultConfiguration={"OutputLocation": "s3://answers/"})
    assert bag((pseudonym, *map(float, xyz)) for pseudonym, *xyz in said) == expected
