"""How a command runs: its log, its errors, its exit code."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from stedi_common import log
from stedi_common.cli import signals
from stedi_common.errors import StediError, UnexpectedError, as_stedi_error, stack_of

# `--version`, `--help` and completion are quick: what commands need, they import themselves.
if TYPE_CHECKING:
    from stedi_common.api.engine import EngineFor, Engines
    from stedi_common.engines.protocol import Engine
    from stedi_common.lake import Lake
    from stedi_common.runs.run_all import CompletedTask, Task
    from stedi_common.settings import Settings

#: The exit code of an error; some errors have their own.
ERROR = StediError.exit_code
#: The exit code of a command that Ctrl-C has interrupted, as shells and Typer have it.
_INTERRUPTED = 128 + signal.SIGINT

#: Whether the stack of an unexpected error is printed.
_debug = ContextVar("debug", default=False)
#: Closed when the command ends: its run in the log, and the log file.
_open = ContextVar[ExitStack]("open")


def main() -> None:
    """Run the command line, print an error in one line, and exit with its code."""
    began, ended = time.monotonic(), ERROR
    with ExitStack() as stack:
        _open.set(stack)
        try:
            ended = _ended()
        finally:
            signals.ignore()
            log.end(ended, time.monotonic() - began)
    signals.end(ended)


def begin(command: str, *, debug: bool, log_file: Path | None) -> None:
    """Start the log of the command.

    Args:
        command: the name of the command.
        debug: whether the stack of an unexpected error is printed.
        log_file: the file to which the records are appended until the command ends; None for none.

    Raises:
        StediError: the file cannot be written, or its mode cannot be set.
    """
    _debug.set(debug)
    stack = _open.get()

    def warn(error: OSError) -> None:
        from stedi_common.cli import console

        console.warning(f"--log-file: expected to write to {log_file}, got {error.strerror}; nothing more is logged")

    try:
        stack.enter_context(log.written_to(log_file, warn))
    except OSError as error:
        raise StediError(f"--log-file: expected a file to write to, got {error.strerror} at {log_file}") from None
    stack.enter_context(log.run(command))
    log.start()


def enter(context: AbstractContextManager[object]) -> None:
    """Enter the context until the command ends."""
    _open.get().enter_context(context)


def _ended() -> int:
    """Run the command line, and say so if it was interrupted. Returns its exit code."""
    try:
        ended = _run()
    except KeyboardInterrupt:
        ended = _INTERRUPTED
    # Spark has a handler of its own for Ctrl-C.
    number = signals.received() or (signal.SIGINT if ended == _INTERRUPTED else None)
    return ended if number is None else signals.report(number)


def _run() -> int:
    """Run the command line. Returns its exit code."""
    _debug.set(False)
    try:
        _expect_working_folder()
        # A project of the user's own that is broken is known as soon as the commands are imported.
        from stedi_common.cli.commands import app

        app(prog_name="stedi")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except Exception as error:
        known = as_stedi_error(error)
        _show(known)
        return known.exit_code
    return 0


def _expect_working_folder() -> None:
    try:
        Path.cwd()
    except FileNotFoundError:
        raise StediError(
            "working folder: expected a folder, got one that was removed",
            hint="change to another folder, then run the command again",
        ) from None


@contextmanager
def open_engine(engine: str, lake: Lake, *, writes: bool = True) -> Iterator[Engine]:
    """The engine of this name, open on the lake until the block ends."""
    from stedi_common.cli import console
    from stedi_common.engines import connect

    with console.working(f"opening the lake with the {engine} engine"):
        connected = connect(engine, lake, writes=writes)
    try:
        yield connected
    finally:
        connected.close()


@contextmanager
def open_engines(settings: Settings, lake: Lake, *, writes: bool = True) -> Iterator[Engines]:
    """The engines that the settings allow, each open on the lake from when it is needed until the block ends."""
    from stedi_common.api.engine import Engines
    from stedi_common.cli import console

    def around(name: str) -> AbstractContextManager[object]:
        return console.working(f"opening the lake with the {name} engine")

    with closing(Engines(settings, lake, writes=writes, around=around)) as engines:
        yield engines


def run_tasks(engine_for: EngineFor, settings: Any, tasks: Sequence[Task]) -> list[CompletedTask]:
    """Run the tasks, and show on standard error which one runs. Returns them with their results and errors.

    The errors of a task are printed as soon as it has run: if the command is killed later, exit code 4 does not come
    again.
    """
    from stedi_common.api.tasks import errors_of, run_logged
    from stedi_common.cli import console

    @contextmanager
    def around(task: Task) -> Iterator[None]:
        signals.expect_none()
        with console.working(f"{task.job}: {task.table}"):
            yield
        signals.expect_none()

    done: list[CompletedTask] = []
    shown = 0
    for each in run_logged(engine_for, settings, tasks, around):
        done.append(each)
        errors = errors_of(done)
        for error in errors[shown:]:
            _show(error)
        shown = len(errors)
    return done


def exit_on_errors(done: Sequence[CompletedTask], *others: StediError) -> None:
    """Print the other errors, and exit with the code of the most serious of all. Returns if there are none.

    Of several that are equally serious, the first decides.

    Args:
        done: tasks that `run_tasks` has run. It has printed their errors.
        others: other errors.
    """
    from stedi_common.api.tasks import errors_of, most_serious

    for error in others:
        _show(error)
    if errors := [*others, *errors_of(done)]:
        sys.exit(most_serious(errors).exit_code)


def _show(error: StediError) -> None:
    from stedi_common.cli import console

    if signals.received():
        return  # it may be the error that a library made of the signal
    log.error(error)
    if _debug.get():
        typer.echo(stack_of(error), err=True, nl=False)
    elif isinstance(error, UnexpectedError):
        error = StediError(str(error), hint="stedi --debug … prints the traceback, without values")
    console.error(error)
