"""Builds what Glue's jobs install: the project's wheel and its dependencies, as AWS's zip of wheels.

There are two zips: one for jobs that may use the embedded engine, with DuckDB and PyIceberg, and a small one for jobs
that use Spark. The same sources and the same uv.lock give the same bytes, so that a zip's hash changes with the code
and with nothing else.
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
#: What Glue's wheels must be made for: Amazon Linux 2023 has glibc 2.34, and takes wheels for an older one. A local
#: Glue takes those of the machine it runs on.
#: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html
_GLIBC = [f"manylinux_2_{minor}_x86_64" for minor in range(28, 16, -1)]
PLATFORM = {"aws": [f"--platform={tag}" for tag in (*_GLIBC, "manylinux2014_x86_64")], "local": []}
#: The zips by the dependency group of pyproject.toml that each holds.
ZIPS = {"glue-embedded": "stedi.gluewheels.zip", "glue": "stedi-spark.gluewheels.zip"}
#: Dependencies of PyIceberg that Glue has, in versions that its boto3 and s3fs need; and that of its command line.
LEFT_OUT = ("fsspec", "python-dateutil", "requests", "click")


def build(project: Path, glue: str, platform: str, output: Path) -> None:
    """Make the zips in this folder: in each a folder wheels/, with a requirements.txt that says what to install."""
    target = [f"--python-version={PYTHON[glue]}", *PLATFORM[platform]]
    output.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as folder:
        own = _own_wheel(project, Path(folder))
        for group, name in ZIPS.items():
            with TemporaryDirectory() as place:
                wheels = [own, *_locked_wheels(project, group, Path(place), target)]
                pack(output / name, _contents(wheels))


def _contents(wheels: list[Path]) -> dict[str, bytes]:
    requirements = "".join(
        f"{'=='.join(wheel.name.split('-')[:2])}\n" for wheel in sorted(wheels, key=lambda w: w.name)
    )
    contents = {wheel.name: wheel.read_bytes() for wheel in wheels} | {"requirements.txt": requirements.encode()}
    return {f"wheels/{name}": content for name, content in contents.items()}


def _own_wheel(project: Path, place: Path) -> Path:
    _run("uv", "build", "--quiet", "--wheel", f"--out-dir={place}", str(project))
    (wheel,) = place.glob("*.whl")
    with ZipFile(wheel) as built:
        contents = {name: built.read(name) for name in built.namelist()}
    pack(wheel, contents)
    return wheel


def _locked_wheels(project: Path, group: str, place: Path, target: list[str]) -> list[Path]:
    """What the group names, and what that depends on, by version and hash as uv.lock has it."""
    locked = place / "locked.txt"
    left_out = [f"--prune={name}" for name in LEFT_OUT]
    _run(
        *("uv", "export", "--quiet", "--frozen", f"--only-group={group}", *left_out),
        *(f"--project={project}", f"--output-file={locked}"),
    )
    _run(
        *("pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--require-hashes"),
        *("--only-binary=:all:", *target, f"--dest={place}", f"--requirement={locked}"),
    )
    return list(place.glob("*.whl"))


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
    parser.add_argument("--output", type=Path, help="the folder for the zips, if not one in dist/")
    given = parser.parse_args()
    output = given.output or PROJECT / "dist" / f"glue-{given.glue}-{given.platform}"
    build(given.project, given.glue, given.platform, output)
    sys.stdout.writelines(f"{output / name}\n" for name in ZIPS.values())
