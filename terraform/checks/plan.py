"""The plan of an environment, without its account: a LocalStack answers for AWS, and the state is nowhere."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

PROJECT = Path(__file__).parents[2]
#: What an environment's configuration reads.
READ = ("terraform", "stedi_common/contracts", "jobs")
#: As any LocalStack takes them.
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@contextmanager
def localstack(folder: Path) -> Iterator[str]:
    """The endpoint that AWS_ENDPOINT_URL names, or that of a LocalStack of our own."""
    if "AWS_ENDPOINT_URL" in os.environ:
        yield os.environ["AWS_ENDPOINT_URL"]
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = str(PROJECT / "localstack" / ".venv" / "bin" / "localstack-lakehouse")
    options = ["--port", port, "--state", str(folder)]
    _run([command, "up", *options], folder)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        _run([command, "down", *options], folder)


def copied(folder: Path) -> Path:
    """A copy of the configuration that keeps its state in itself."""
    for name in READ:
        shutil.copytree(
            PROJECT / name, folder / name, ignore=shutil.ignore_patterns(".terraform", "checks", "*.tfstate*")
        )
    # A plan takes only its hash.
    (folder / "dist").mkdir()
    (folder / "dist" / "stedi.gluewheels.zip").touch()
    return folder / "terraform"


def planned(environment: Path, endpoint: str) -> str:
    """The plan, as JSON."""
    (environment / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n', encoding="utf-8")
    settings = {**CREDENTIALS, "AWS_ENDPOINT_URL": endpoint}
    terraform = str(PROJECT / "terraform" / "tf")
    _run([terraform, "init", "-input=false"], environment, settings)
    _run([terraform, "plan", "-input=false", "-out=plan"], environment, settings)
    return _run([terraform, "show", "-json", "plan"], environment, settings)


def _run(command: list[str], folder: Path, settings: Mapping[str, str] = MappingProxyType({})) -> str:
    environment = os.environ | settings
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{' '.join(command)}: {result.stdout[-4000:]}{result.stderr[-4000:]}"
    return result.stdout
