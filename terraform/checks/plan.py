"""The plan of prod without its account: on a LocalStack of our own, in a copy that holds its own state."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

PROJECT = Path(__file__).parents[2]
#: What an environment's configuration reads.
READ = ("terraform", "stedi_common/contracts", "jobs")
#: In place of what an environment's own files say.
OURS = """
terraform {{
  backend "local" {{}}
}}

module "lakehouse" {{
  sources = {{ wheels = "../../../stedi.gluewheels.zip", project = {project} }}
}}
"""
#: A project with a source and a table of its own, and what packs it.
EXAMPLE = "lakehouse/tests/heart_rate"
PACK = PROJECT / "terraform" / "modules" / "artifacts" / "project.py"
#: What whoever deploys gives. A role that nobody may assume is not made.
GIVEN = {
    "emails": ["operations@example.com"],
    "principals": {
        role: [f"arn:aws:iam::000000000000:role/{role}"] for role in ("researcher", "engineer", "privacy_officer")
    },
}
#: What is not made before it is planned, because it takes a minute, or because LocalStack has no such thing.
LATER = {
    "modules/zone_bucket": 'resource "aws_s3_bucket_lifecycle_configuration" "this" {\n  count = 0\n}\n',
    "environments/prod": 'module "lakehouse" {\n  budget = null\n}\n',
}


@dataclass(frozen=True)
class Prod:
    """A copy of prod's configuration, and what it plans, without a project and with one."""

    configuration: Path
    plan: str
    plan_with_a_project: str


def copied(folder: Path) -> Path:
    """A copy of the configuration in this folder."""
    for name in READ:
        shutil.copytree(
            PROJECT / name, folder / name, ignore=shutil.ignore_patterns(".terraform", "checks", "*.tfstate*")
        )
    # Of the wheels only the hash is looked at.
    with ZipFile(folder / "stedi.gluewheels.zip", "w"):
        return folder / "terraform"


@contextmanager
def localstack(folder: Path) -> Iterator[str]:
    """The endpoint of a LocalStack that ends with the context."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = str(PROJECT / "localstack" / ".venv" / "bin" / "localstack-lakehouse")
    options = ["--port", port, "--state", str(folder)]
    _run([command, "up", *options])
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        _run([command, "down", *options])


def planned_prod(configuration: Path, endpoint: str) -> Prod:
    """The plans of prod, as JSON, once most of it is made: before that no policy is known, because it names a key."""
    ours = configuration / "environments" / "prod" / "ours_override.tf"
    ours.write_text(OURS.format(project="null"), encoding="utf-8")
    later = {configuration / folder / "later_override.tf": text for folder, text in LATER.items()}
    for file, text in later.items():
        file.write_text(text, encoding="utf-8")

    # Nothing of AWS's that we were started with: this never reaches an account.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    environment |= {f"TF_VAR_{name}": json.dumps(value) for name, value in GIVEN.items()}
    terraform = [str(PROJECT / "terraform" / "tf"), f"-chdir={configuration / 'environments' / 'prod'}"]
    _run([*terraform, "init", "-no-color", "-input=false"], environment)
    _run([*terraform, "apply", "-no-color", "-input=false", "-auto-approve"], environment)
    for file in later:
        file.unlink()

    def planned() -> str:
        _run([*terraform, "plan", "-no-color", "-input=false", "-out=plan"], environment)
        return _run([*terraform, "show", "-no-color", "-json", "plan"], environment)

    without = planned()
    _run([sys.executable, str(PACK), str(configuration / EXAMPLE)])
    ours.write_text(OURS.format(project=f'"../../{EXAMPLE}"'), encoding="utf-8")
    return Prod(configuration, without, planned())


def _run(command: list[str], environment: dict[str, str] | None = None) -> str:
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(command[:3])}: {result.stdout[-2000:]}{result.stderr[-4000:]}"
    return result.stdout
