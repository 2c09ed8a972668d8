"""The plan of an environment, without its account: a LocalStack answers for AWS, and the state is nowhere."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

PROJECT = Path(__file__).parents[2]
#: What an environment's configuration reads.
READ = ("terraform", "stedi_common/contracts", "jobs")
#: Where systems without the registry keep providers.
MIRRORS = (Path.home() / ".terraform.d", Path("/opt"), Path("/usr/share"), Path("/usr/local/share"))
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
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns(".*", "checks", "*.tfstate*"))
    # A plan takes only its hash.
    (folder / "dist").mkdir()
    (folder / "dist" / "stedi.gluewheels.zip").touch()
    for lock in PROJECT.glob("terraform/environments/*/.terraform.lock.hcl"):
        shutil.copy(lock, folder / lock.relative_to(PROJECT))
    return folder / "terraform"


def planned(environment: Path, endpoint: str) -> str:
    """The plan, as JSON."""
    (environment / "backend_override.tf").write_text('terraform {\n  backend "local" {}\n}\n', encoding="utf-8")
    settings = {**CREDENTIALS, "AWS_ENDPOINT_URL": endpoint, **_mirror(environment)}
    _run(["terraform", "init", "-input=false"], environment, settings)
    _run(["terraform", "plan", "-input=false", "-out=plan"], environment, settings)
    return _run(["terraform", "show", "-json", "plan"], environment, settings)


def _mirror(folder: Path) -> dict[str, str]:
    """The environment that names the system's mirror of providers, if there is one and no other is named."""
    found = [path.parents[2] for root in MIRRORS for path in root.glob("*/registry.terraform.io/hashicorp/aws")]
    if not found or "TF_CLI_CONFIG_FILE" in os.environ:
        return {}
    settings = folder / "terraform.rc"
    mirror = f'filesystem_mirror {{\n    path = "{found[0]}"\n  }}'
    settings.write_text(f"provider_installation {{\n  {mirror}\n}}\n", encoding="utf-8")
    return {"TF_CLI_CONFIG_FILE": str(settings)}


def _run(command: list[str], folder: Path, settings: Mapping[str, str] | None = None) -> str:
    result = subprocess.run(
        command, cwd=folder, env=os.environ | (settings or {}), capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, f"{' '.join(command)}: {result.stdout[-4000:]}{result.stderr[-4000:]}"
    return result.stdout
