"""The code that the jobs run: this checkout's, or a changed copy's."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import yaml
from support.paths import ROOT
from support.processes import PATIENCE

#: What the wheel is built from.
SOURCES = ("stedi_common", "jobs", "pyproject.toml", "uv.lock", "README.md", "LICENSE")


def built(folder: Path, project: Path = ROOT) -> dict[str, str]:
    """Build the zips of wheels into the folder; where Terraform finds all it needs of the project, for both engines."""
    script = ROOT / "terraform" / "modules" / "artifacts" / "build.py"
    options = ["--platform=local", f"--project={project}", f"--output={folder}"]
    subprocess.run([sys.executable, str(script), *options], check=True, stdout=subprocess.DEVNULL, timeout=2 * PATIENCE)
    contracts = project / "stedi_common" / "contracts"
    return {"contracts": str(contracts), "jobs": str(project / "jobs"), "wheels": str(folder / "stedi.gluewheels.zip")}


def with_spark_only(sources: dict[str, str]) -> dict[str, str]:
    """The same code with the small zip of wheels, which has no embedded engine."""
    return sources | {"wheels": str(Path(sources["wheels"]).with_name("stedi-spark.gluewheels.zip"))}


def with_a_new_column(folder: Path, table: str, name: str) -> dict[str, str]:
    """The same, of a copy of the project in which the table's contract has gained a nullable number."""
    for source in SOURCES:
        copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
        (folder / "project").mkdir(parents=True, exist_ok=True)
        copy(ROOT / source, folder / "project" / source)
    file = folder / "project" / "stedi_common" / "contracts" / f"{table}.yaml"
    contract = yaml.safe_load(file.read_text())
    contract["schema"][0]["properties"].append(
        {
            "name": name,
            "logicalType": "number",
            "physicalType": "double",
            "required": False,
            "classification": "pii",
            "description": "What a contract gains.",
        }
    )
    file.write_text(yaml.safe_dump(contract, sort_keys=False))
    return built(folder, folder / "project")
