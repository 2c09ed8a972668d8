"""The lakehouse that this plugin is made for: its wheel and its scripts, as Glue runs them."""

import json
import subprocess
import tomllib
from pathlib import Path
from secrets import token_hex
from typing import Any

import boto3
import pytest
from pyiceberg.catalog.glue import GlueCatalog
from running import Jobs, chained
from uv import find_uv_bin

PROJECT = Path(__file__).parents[2]

# The project's own tests deploy it, and run far more of it.
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(not (PROJECT / "stedi_common").exists(), reason="the project is not here"),
]


def customer(email: str, **more: Any) -> str:
    registered = 1_700_000_000_000
    return json.dumps({"email": email, "serialnumber": "s", "lastupdatedate": registered, **more})


@pytest.fixture(scope="module")
def wheel(jobs: Jobs, tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("wheel")
    command = [find_uv_bin(), "build", "--quiet", "--wheel", "--out-dir", str(folder), str(PROJECT)]
    subprocess.run(command, check=True)
    (file,) = folder.glob("*.whl")
    return jobs.put(file.name, file.read_bytes())


def beside_the_wheel() -> list[str]:
    """What Glue installs beside the wheel, by name only: a range of versions has a comma, which separates modules."""
    groups = tomllib.loads((PROJECT / "pyproject.toml").read_text())["dependency-groups"]
    return [requirement.partition(">")[0] for requirement in groups["glue"]]


def test_drops_become_trusted_customers(
    aws: boto3.Session, jobs: Jobs, wheel: str, catalog: GlueCatalog, name: str
) -> None:
    lines = [customer("ann@example.org", sharewithresearchasofdate=1_700_000_000_000), customer("bob@example.org"), "{"]
    jobs.put(f"{name}/drops/customer/drop.json", "\n".join(lines))
    aws.client("secretsmanager").create_secret(Name=name, SecretString=token_hex(32))
    defaults = {
        "--additional-python-modules": ",".join([wheel, *beside_the_wheel()]),
        "--python-modules-installer-option": "--no-deps",
        "--datalake-formats": "iceberg",
        "--conf": chained(
            {
                "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
                "spark.sql.session.timeZone": "UTC",
            }
        ),
        "--lake": f"s3://{jobs.bucket}/{name}/lake",
        "--database_prefix": name,
        "--pseudonym_key_secret": name,
    }

    def run(script: str, **arguments: str) -> dict[str, Any]:
        own = {f"--{argument}": value for argument, value in arguments.items()}
        source = (PROJECT / "jobs" / f"{script}.py").read_text()
        ended = jobs.run(jobs.define(source, DefaultArguments=defaults | own))
        assert ended["JobRunState"] == "SUCCEEDED", (ended["ErrorMessage"], jobs.log(ended, "error"))
        told: dict[str, Any] = json.loads(jobs.log(ended)[-1])
        return told

    landed = run("land", source="customer", landing=f"s3://{jobs.bucket}/{name}/drops")
    assert (landed["files"], landed["lines"], landed["landed"], landed["rejected"]) == (1, 3, 2, 1)
    trusted = run("customer_landing_to_trusted")
    assert (trusted["rows_in"], trusted["rows_kept"], trusted["dropped"]) == (2, 1, {"no_consent": 1})
    table = catalog.load_table((f"{name}_trusted", "customer_trusted"))
    assert table.scan().to_arrow()["email"].to_pylist() == ["ann@example.org"]
