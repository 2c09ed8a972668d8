"""The plan of an environment without its account: on a LocalStack of our own, in a copy that holds its own state."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[2]
#: What an environment's configuration reads.
READ = ("terraform", "stedi_common/contracts", "jobs")
#: What takes LocalStack a minute, or what it has not.
NOT_MADE = ("aws_s3_bucket_lifecycle_configuration", "aws_budgets_budget")


def copied(folder: Path) -> Path:
    """A copy of the configuration in this folder."""
    for name in READ:
        shutil.copytree(
            PROJECT / name, folder / name, ignore=shutil.ignore_patterns(".terraform", "checks", "*.tfstate*")
        )
    # Only its hash is looked at.
    (folder / "dist").mkdir()
    (folder / "dist" / "stedi.gluewheels.zip").touch()
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


@dataclass(frozen=True)
class Environment:
    """One of the environments, copied, and the endpoint that it is planned on."""

    folder: Path
    endpoint: str

    def known(self) -> str:
        """Its plan as JSON, once most of it is made: before that a policy, which names a key, is known to nobody."""
        (self.folder / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n', encoding="utf-8")
        self._terraform("init")
        changes = json.loads(self._planned())["resource_changes"]
        made = [f"-target={change['address']}" for change in changes if change["type"] not in NOT_MADE]
        self._terraform("apply", "-auto-approve", *made)
        return self._planned()

    def _planned(self) -> str:
        self._terraform("plan", "-out=plan")
        return self._terraform("show", "-json", "plan")

    def _terraform(self, *arguments: str) -> str:
        # Nothing of AWS's that we were started with: this never reaches an account.
        ours = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        aws = {"AWS_ENDPOINT_URL": self.endpoint, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        command = [str(PROJECT / "terraform" / "tf"), f"-chdir={self.folder}", *arguments]
        return _run(command, ours | aws | {"TF_INPUT": "0", "TF_CLI_ARGS": "-no-color"})


def _run(command: list[str], environment: dict[str, str] | None = None) -> str:
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(command[:3])}: {result.stdout[-4000:]}{result.stderr[-4000:]}"
    return result.stdout
