"""A job's process: in a session of its own, and gone as a whole."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from . import supervise


class Process:
    """A running command. What it prints is appended to the two files."""

    def __init__(
        self, command: Sequence[str], folder: Path, environment: Mapping[str, str], output: Path, errors: Path
    ) -> None:
        with output.open("ab") as out, errors.open("ab") as err:
            self._process = subprocess.Popen(
                # Isolated: the environment's PYTHONPATH is the job's.
                [sys.executable, "-I", supervise.__file__, *command],
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def exit_code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it and everything it started."""
        if self._process.stdin:
            self._process.stdin.close()
        self._process.wait()
