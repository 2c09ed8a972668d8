"""Commands as a user types them: `python -m stedi_common.cli`, the scripts of `jobs/`, each in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from support.paths import ROOT
from support.processes import PATIENCE

JOBS = ROOT / "jobs"


class Finished(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def output(self) -> str:
        """What it wrote to standard output and to standard error."""
        return self.out + self.err


def finished(*command: str | Path, **environment: str) -> Finished:
    """Run the command to its end, with these variables besides our own."""
    done = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        timeout=PATIENCE,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def python(*words: str | Path, **environment: str) -> Finished:
    return finished(sys.executable, *words, **environment)


def stedi(*words: str | Path, **environment: str) -> Finished:
    return python("-m", "stedi_common.cli", *words, **environment)


def job(script: str, *words: str | Path, **environment: str) -> Finished:
    return python(JOBS / f"{script}.py", *words, **environment)


def submitted(script: str, *words: str | Path, options: Sequence[str] = ()) -> Finished:
    """A script of `jobs/` by `spark-submit` with these options of its own."""
    spark_submit = Path(sys.executable).with_name("spark-submit")
    return finished(spark_submit, *options, JOBS / f"{script}.py", *words, **spark_variables())


def spark_variables() -> dict[str, str]:
    """What Spark's commands find in the environment: a Java that suits, and this Python."""
    from stedi_common.engines.spark.java import java_home  # noqa: PLC0415 - only tests of Spark need it

    return {"JAVA_HOME": java_home(), "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
