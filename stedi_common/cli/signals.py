"""Ctrl-C (SIGINT) and SIGTERM: the command cleans up, says so in one line, and ends with exit code 130 or 143."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from types import FrameType
from typing import Any, NoReturn

_CAUGHT = (signal.SIGINT, signal.SIGTERM)
#: A second signal does not wait for the clean-up. `timeout` sends two at once.
_MIN_SECONDS_BETWEEN = 1.0
#: So long what a library has registered for the end of the process may take after a signal.
_MAX_SECONDS_AT_EXIT = 30.0
#: An import is not interrupted: that of a compiled library may end the process. So long may it take after a signal.
_MAX_SECONDS_TO_IMPORT = 5.0
_SECONDS_BETWEEN_LOOKS = 0.01
_IMPORTING = "<frozen importlib._bootstrap>"


class _Received:
    """The first signal that was received, when, and whether KeyboardInterrupt was raised for it."""

    number: int | None = None
    at = 0.0
    is_raised = False


def catch() -> None:
    """From now on a signal raises KeyboardInterrupt in the main thread. A program that embeds the commands in another
    thread keeps its own handlers.
    """
    _Received.number, _Received.is_raised = None, False
    if threading.current_thread() is threading.main_thread():
        sys.unraisablehook = _unraisable
        for each in _CAUGHT:
            if signal.getsignal(each) is not signal.SIG_IGN:  # as nohup and a script's `&` have it
                signal.signal(each, _interrupt)


def ignore() -> None:
    """From now on signals have no effect: the command has ended, and its exit code stands."""
    if threading.current_thread() is threading.main_thread():
        for each in (*_CAUGHT, signal.SIGALRM):
            signal.signal(each, signal.SIG_IGN)


def received() -> int | None:
    """The number of the signal that was received, or None."""
    return _Received.number


def expect_none() -> None:
    """Raise KeyboardInterrupt if a signal was received and a library has made another error of it."""
    if _Received.number is not None:
        _Received.is_raised = True
        raise KeyboardInterrupt


def report(number: int) -> int:
    """Say in one line that the command was interrupted. Returns its exit code."""
    ignore()
    from stedi_common import log
    from stedi_common.errors import InterruptedRunError

    error = InterruptedRunError(signal.Signals(number).name)
    log.error(error)
    # Without rich, which may be half imported.
    print(f"error: {error}".replace("\nhint: ", "\nhint:  "), file=sys.stderr)  # noqa: T201
    return 128 + number


def end(code: int) -> NoReturn:
    """Exit with this code. After a signal no thread is waited for: one that was interrupted may wait for ever.

    What is registered for the end of the process, such as the removal of staged files, is done.
    """
    if _Received.number is None:
        sys.exit(code)
    limit = threading.Timer(_MAX_SECONDS_AT_EXIT, os._exit, (code,))
    limit.daemon = True
    limit.start()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _interrupt(number: int, frame: FrameType | None) -> None:
    now = time.monotonic()
    if _Received.number is None:
        _Received.number, _Received.at = number, now
        _raise_after_imports(number, frame)
    elif now - _Received.at >= _MIN_SECONDS_BETWEEN:
        os._exit(128 + number)


def _raise_after_imports(_: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, once; while a module is imported, look again a moment later."""
    if _Received.is_raised:
        return
    if _is_importing(frame) and time.monotonic() - _Received.at < _MAX_SECONDS_TO_IMPORT:
        signal.signal(signal.SIGALRM, _raise_after_imports)
        signal.setitimer(signal.ITIMER_REAL, _SECONDS_BETWEEN_LOOKS)
        return
    _Received.is_raised = True
    raise KeyboardInterrupt


def _is_importing(frame: FrameType | None) -> bool:
    while frame:
        if frame.f_code.co_filename == _IMPORTING:
            return True
        frame = frame.f_back
    return False


def _unraisable(error: Any) -> None:
    """A KeyboardInterrupt that is raised in a destructor goes nowhere; the command ends before its next task."""
    if not issubclass(error.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(error)
