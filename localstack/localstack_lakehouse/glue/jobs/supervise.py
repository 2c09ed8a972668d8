"""Runs a command for as long as somebody holds standard input open, then leaves nothing of its session behind.

The server holds it. So a job that is to stop and the jobs of a server that ended, however it ended, end the same way.
"""

import os
import subprocess
import sys
from contextlib import suppress
from threading import Thread

import psutil


def main(command: list[str]) -> int:
    """The command's exit code."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    Thread(target=_end_with_input, daemon=True).start()
    code = process.wait()
    _kill_others()
    return code if code >= 0 else 128 - code


def _end_with_input() -> None:
    # Unbuffered: a buffer's lock would be held when Python ends.
    os.read(sys.stdin.fileno(), 1)
    _kill_others()


def _kill_others() -> None:
    while others := list(_others()):
        for other in others:
            with suppress(psutil.NoSuchProcess):
                other.kill()
        psutil.wait_procs(others, timeout=1)


def _others() -> list[psutil.Process]:
    session, own = os.getsid(0), os.getpid()
    return [process for process in psutil.process_iter() if process.pid != own and _session(process) == session]


def _session(process: psutil.Process) -> int | None:
    try:
        return None if process.status() == psutil.STATUS_ZOMBIE else os.getsid(process.pid)
    except (psutil.NoSuchProcess, ProcessLookupError, PermissionError):
        return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
