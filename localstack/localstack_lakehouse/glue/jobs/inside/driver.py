"""What Spark runs as a job's driver: the job's script, with an eye on how it ends."""

import os
import runpy
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path


def main(errors: str, failure: str, script: str, *arguments: str) -> None:
    """Run the script; its errors go to one file, and what it failed with to another."""
    # Spark merges a driver's errors into its output.
    os.dup2(os.open(errors, os.O_WRONLY | os.O_APPEND), sys.stderr.fileno())
    sys.argv = [script, *arguments]
    sys.path[0] = str(Path(script).parent)
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as exit_:
        if exit_.code not in (None, 0):
            Path(failure).write_text(f"SystemExit: {exit_.code}")
        raise
    except BaseException as error:
        # Of Java's errors without Java's stack.
        told, _, _ = str(error).partition("\n\tat ")
        Path(failure).write_text(f"{type(error).__name__}: {told}")
        _print(error, script)
        sys.exit(1)


def _print(error: BaseException, script: str) -> None:
    """Print the traceback as Python would, from the script on."""
    told = traceback.TracebackException.from_exception(error)
    told.stack = traceback.StackSummary.from_list(_from(script, told.stack))
    sys.stderr.writelines(told.format())


def _from(script: str, stack: Sequence[traceback.FrameSummary]) -> Sequence[traceback.FrameSummary]:
    first = next((place for place, frame in enumerate(stack) if frame.filename == script), 0)
    return stack[first:]


if __name__ == "__main__":
    main(*sys.argv[1:])
