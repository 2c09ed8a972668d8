"""Terraform, run by tests."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from conftest import credentials

TERRAFORM = shutil.which("terraform")
# Where systems without the registry keep providers.
MIRRORS = [Path.home() / ".terraform.d", Path("/opt"), Path("/usr/share"), Path("/usr/local/share")]

Run = Callable[..., "subprocess.CompletedProcess[str]"]

wanted = pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed")


def initialized(configuration: Path, folder: Path, endpoint: str, variables: Mapping[str, str]) -> Run:
    """What runs terraform on a copy of the configuration in this folder, against the server."""
    shutil.copytree(configuration, folder, dirs_exist_ok=True)
    given = {f"TF_VAR_{name}": value for name, value in variables.items()}
    environment = os.environ | credentials(endpoint) | given | {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
    environment |= _mirror(folder)

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [str(TERRAFORM), *arguments, "-no-color"]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)

    started = run("init")
    if started.returncode:
        pytest.skip(f"terraform init cannot get the provider: {started.stderr.strip().splitlines()[-1]}")
    return run


def succeeded(result: "subprocess.CompletedProcess[str]") -> str:
    """What it printed. A plan that has changes exits with 2."""
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def _mirror(folder: Path) -> dict[str, str]:
    """The environment that names the local mirror of providers, if there is one."""
    found = [path.parents[2] for root in MIRRORS for path in root.glob("*/registry.terraform.io/hashicorp/aws")]
    if not found:
        return {}
    settings = folder / "terraform.rc"
    settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{found[0]}"\n  }}\n}}\n')
    return {"TF_CLI_CONFIG_FILE": str(settings)}
