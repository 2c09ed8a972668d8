"""Runs jobs: each run in a thread that watches a process."""

import logging
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from .exceptions import LaunchError
from .launch import Launch, Place, Workspace, launch
from .logs import LogStream
from .models import Job, JobRun
from .process import Process

LOG = logging.getLogger(__name__)
TICK = 0.2


def start(job: Job, run: JobRun, place: Place) -> None:
    """Start a run, and again for as long as it fails and may."""
    job.runs.append(run)
    Thread(target=_run, args=(job, run, place), name=run.id, daemon=True).start()


def _run(job: Job, run: JobRun, place: Place) -> None:
    _attempt(run, place)
    if run.state == "FAILED" and run.shape["Attempt"] < run.definition["MaxRetries"]:
        start(job, run.again(), place)


def _attempt(run: JobRun, place: Place) -> None:
    place.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=place.folder, ignore_cleanup_errors=True) as folder:
        try:
            launched = launch(run, place, Path(folder))
            if run.stopping.is_set():
                run.end("STOPPED")
            else:
                _watch(run, launched)
        except LaunchError as error:
            run.end("FAILED", error=str(error))
        except Exception as error:
            LOG.exception("%s", run.id)
            run.end("FAILED", error=f"Internal service error: {error}")


def _watch(run: JobRun, launched: Launch) -> None:
    space = launched.workspace
    streams = [
        LogStream(launched.aws.logs, run.logs, kind, run.id, file)
        for kind, file in (("output", space.output), ("error", space.errors))
    ]
    process = Process(launched.command, space.work, launched.environment, space.output, space.errors)
    run.run()
    began = time.monotonic()
    try:
        while _goes_on(run, process, began):
            for stream in streams:
                stream.follow()
        code = process.exit_code()
    finally:
        process.kill()
    seconds = time.monotonic() - began
    for stream in streams:
        stream.close()
    _end(run, code, seconds, space)


def _goes_on(run: JobRun, process: Process, began: float) -> bool:
    in_time = time.monotonic() < began + 60 * run.shape["Timeout"]
    return process.exit_code() is None and in_time and not run.stopping.wait(TICK)


def _end(run: JobRun, code: int | None, seconds: float, space: Workspace) -> None:
    if code is None:
        run.end("STOPPED" if run.stopping.is_set() else "TIMEOUT", seconds)
    elif code == 0:
        run.end("SUCCEEDED", seconds)
    else:
        run.end("FAILED", seconds, _error(code, space))


def _error(code: int, space: Workspace) -> str:
    """What the script failed with, or Spark before the script began."""
    if space.failure.exists():
        return space.failure.read_text()
    lines = space.errors.read_text(errors="replace").splitlines()
    said = [line for line in lines if line.startswith(("Exception in thread", "Error:"))]
    return said[-1] if said else f"Command failed with exit code {code}"
