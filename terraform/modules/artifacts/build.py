"""Builds what Glue's jobs install: the project's wheel and its few dependencies, as AWS's zip of wheels.

The same sources give the same bytes, so that the zip's hash changes with the code and with nothing else.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile, ZipInfo

PROJECT = Path(__file__).resolve().parents[3]
TOOLS = PROJECT / ".tools" / "bin"
#: The Python of each version of Glue.
PYTHON = {"5.1": "3.11", "6.0": "3.13"}
#: What Glue's wheels must be made for; a local Glue takes those of the machine it runs on.
PLATFORM = {"aws": ["--platform=manylinux2014_x86_64"], "local": []}


def build(project: Path, glue: str, platform: str, output: Path) -> None:
    """Make the zip of wheels: a folder wheels/, with a requirements.txt that says what to install of it."""
    with TemporaryDirectory() as folder:
        place = Path(folder)
        _own_wheel(project, place)
        _locked_wheels(project, place, [f"--python-version={PYTHON[glue]}", *PLATFORM[platform]])
        wheels = {wheel.name: wheel.read_bytes() for wheel in place.glob("*.whl")}
    requirements = "".join(f"{'=='.join(name.split('-')[:2])}\n" for name in sorted(wheels))
    contents = {"requirements.txt": requirements.encode(), **wheels}
    output.parent.mkdir(parents=True, exist_ok=True)
    pack(output, {f"wheels/{name}": content for name, content in contents.items()})


def _own_wheel(project: Path, place: Path) -> None:
    _run("uv", "build", "--quiet", "--wheel", f"--out-dir={place}", str(project))
    (wheel,) = place.glob("*.whl")
    with ZipFile(wheel) as built:
        contents = {name: built.read(name) for name in built.namelist()}
    pack(wheel, contents)


def _locked_wheels(project: Path, place: Path, target: list[str]) -> None:
    """What the group `glue` names, and what that depends on, by version and hash as uv.lock has it."""
    locked = place / "locked.txt"
    _run("uv", "export", "--quiet", "--frozen", "--only-group=glue", f"--project={project}", f"--output-file={locked}")
    _run(
        *("pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"),
        *("--only-binary=:all:", *target, f"--dest={place}", f"--requirement={locked}"),
    )


def pack(file: Path, contents: Mapping[str, bytes]) -> None:
    """A zip in order, without dates, and not compressed: compressors differ from machine to machine."""
    with ZipFile(file, "w") as packed:
        for name in sorted(contents):
            entry = ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, contents[name])


def _run(tool: str, *arguments: str) -> None:
    if subprocess.run([str(TOOLS / tool), *arguments], stdout=subprocess.DEVNULL, check=False).returncode:
        sys.exit(f"artifacts: {tool} {arguments[0]} failed")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--glue", choices=PYTHON, default="5.1", help="the version of Glue")
    parser.add_argument("--platform", choices=PLATFORM, default="aws", help="where Glue runs")
    parser.add_argument("--project", type=Path, default=PROJECT, help="the sources, if not this checkout")
    parser.add_argument("--output", type=Path, help="the zip, if not in dist/; its name ends in .gluewheels.zip")
    given = parser.parse_args()
    output = given.output or PROJECT / "dist" / f"glue-{given.glue}-{given.platform}" / "stedi.gluewheels.zip"
    build(given.project, given.glue, given.platform, output)
    sys.stdout.write(f"{output}\n")
