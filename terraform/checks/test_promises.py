"""Each module keeps its promises: `terraform test` in its folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from modules import TERRAFORM, Module, modules
from plan import EXAMPLE, PACK

#: What no promise about consent, access or encryption is about: each takes the provider a minute.
LONG = {"account", "modules/artifacts", "modules/observability", "modules/orchestration", "modules/query"}
PROMISING = [module for module in modules() if list(module.folder.glob("tests/*.tftest.hcl"))]

pytestmark = pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")


@pytest.fixture(scope="module", autouse=True)
def packed() -> None:
    """The project that some promises are about, as `make artifacts PROJECT=…` packs it."""
    subprocess.run([sys.executable, PACK, TERRAFORM / EXAMPLE], check=True, stdout=subprocess.DEVNULL)


@pytest.mark.parametrize(
    "module",
    [
        pytest.param(module, id=module.name, marks=[pytest.mark.long] if module.name in LONG else [])
        for module in PROMISING
    ],
)
def test_promises(module: Module, tmp_path: Path) -> None:
    terraform(module, tmp_path, "init", "-backend=false", "-input=false")
    terraform(module, tmp_path, "validate")
    terraform(module, tmp_path, "test")


def terraform(module: Module, data: Path, *command: str) -> None:
    environment = os.environ | {"TF_DATA_DIR": str(data)}
    told = subprocess.run(
        [TERRAFORM / "tf", f"-chdir={module.folder}", *command, "-no-color"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout[-6000:] + told.stderr[-2000:]
