"""Terraform creates, updates and destroys the lakehouse's resources, and never plans to change them again."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.client import BaseClient
from conftest import credentials, refused

TERRAFORM = shutil.which("terraform")
CONFIGURATION = Path(__file__).parent / "terraform"
# Where systems without the registry keep providers.
MIRRORS = [Path.home() / ".terraform.d", Path("/opt"), Path("/usr/share"), Path("/usr/local/share")]

Run = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed")


@pytest.fixture
def terraform(endpoint: str, bucket: str, name: str, tmp_path: Path) -> Run:
    """Run terraform in a folder of its own."""
    shutil.copytree(CONFIGURATION, tmp_path, dirs_exist_ok=True)
    variables = {"TF_VAR_name": name, "TF_VAR_bucket": bucket, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0"}
    environment = os.environ | credentials(endpoint) | variables | mirror(tmp_path)

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [str(TERRAFORM), *arguments, "-no-color"]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    initialized = run("init")
    if initialized.returncode:
        pytest.skip(f"terraform init cannot get the provider: {initialized.stderr.strip().splitlines()[-1]}")
    return run


def mirror(folder: Path) -> dict[str, str]:
    """The environment that names the local mirror of providers, if there is one."""
    found = [path.parents[2] for root in MIRRORS for path in root.glob("*/registry.terraform.io/hashicorp/aws")]
    if not found:
        return {}
    settings = folder / "terraform.rc"
    settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{found[0]}"\n  }}\n}}\n')
    return {"TF_CLI_CONFIG_FILE": str(settings)}


def test_apply_update_destroy(terraform: Run, glue: BaseClient, name: str) -> None:
    locations = []
    for revision in ("first", "second"):
        succeeded(terraform("apply", "-auto-approve", f"-var=revision={revision}"))
        succeeded(terraform("plan", "-detailed-exitcode", f"-var=revision={revision}"))
        readings = glue.get_table(DatabaseName=name, Name="readings")["Table"]
        assert readings["Description"] == f"An Iceberg table, {revision}."
        locations.append(readings["Parameters"]["metadata_location"])
    assert locations[0] == locations[1]

    succeeded(terraform("destroy", "-auto-approve"))
    with refused("EntityNotFoundException"):
        glue.get_database(Name=name)


def succeeded(result: "subprocess.CompletedProcess[str]") -> None:
    # A plan that has changes exits with 2.
    assert result.returncode == 0, result.stdout + result.stderr
