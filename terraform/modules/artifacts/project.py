"""Packs a project's own contracts and transformations as the package `stedi_project`, for `--extra-py-files`.

The zip is named after its files, so that Terraform finds none for a folder that has changed since, and says so.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path

from build import pack

PACKAGE = "stedi_project"


def pack_project(project: Path, folder: Path) -> Path:
    """Pack `*.py` and `contracts/*.yaml` of the project into a zip in the folder. Returns the zip."""
    contents = contents_of(project)
    output = folder / f"{PACKAGE}-{_name_of(contents)}.zip"
    folder.mkdir(parents=True, exist_ok=True)
    for other in set(folder.glob(f"{PACKAGE}-*.zip")) - {output}:
        other.unlink(missing_ok=True)
    if not output.exists():
        # Its name says that it is whole.
        part = folder / f"{os.getpid()}.part"
        pack(part, {f"{PACKAGE}/{name}": content for name, content in ({"__init__.py": b""} | contents).items()})
        part.replace(output)
    return output


def contents_of(project: Path) -> dict[str, bytes]:
    """The files that are packed, by their path in the project."""
    files = [*project.glob("*.py"), *project.glob("contracts/*.yaml")]
    return {file.relative_to(project).as_posix(): file.read_bytes() for file in files}


def _name_of(contents: dict[str, bytes]) -> str:
    """As main.tf computes it."""
    lines = (f"{name} {hashlib.sha256(contents[name]).hexdigest()}\n" for name in sorted(contents))
    return hashlib.sha256("".join(lines).encode()).hexdigest()[:16]


if __name__ == "__main__":
    project = Path(sys.argv[1])
    if not list(project.glob("contracts/*.yaml")):
        sys.exit(f"artifacts: {project}: expected contracts/*.yaml, got none")
    sys.stdout.write(f"{pack_project(project, project / 'dist')}\n")
