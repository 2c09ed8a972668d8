"""Processes that tests wait for, each within a limit: one that hangs fails its test and does not block the others."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from subprocess import Popen
from threading import Timer
from typing import Any

#: Seconds that a process may take: many times what the slowest takes on a busy machine.
PATIENCE = 300

#: What has imported everything and is forked for each run: a new process takes longer to start than to run.
FORKED = get_context("forkserver")
FORKED.set_forkserver_preload(["support.lakes", "stedi_common.engines.embedded.engine"])


def wait_for(process: BaseProcess, seconds: float = PATIENCE) -> int:
    """The exit code of the process. One that takes longer is killed, and is an error."""
    process.join(seconds)
    if process.is_alive():
        kill(process)
        process.join(seconds)
        raise TimeoutError(f"expected process {process.name} to end within {seconds} s, got no end")
    assert process.exitcode is not None
    return process.exitcode


def kill(process: Any) -> None:
    """By SIGKILL, with what it has started, if it leads a session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()  # it may not have its session yet


def call_at_once(function: Callable[..., Any], arguments: Sequence[tuple[Any, ...]], seconds: float = PATIENCE) -> None:
    """Call the function with each, all at once. Processes are spawned: DuckDB's and Java's threads do not fork."""
    with get_context("spawn").Pool(len(arguments)) as pool:
        called = pool.starmap_async(function, arguments, chunksize=1)
        called.wait(seconds)
        if not called.ready():
            raise TimeoutError(f"expected {function.__name__} to end within {seconds} s, got no end")
        called.get(seconds)


@contextmanager
def killed_after(process: Popen[Any], seconds: float = PATIENCE) -> Iterator[None]:
    """Kill the process if the block takes longer, so that who reads from it comes to an end."""
    timer = Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
