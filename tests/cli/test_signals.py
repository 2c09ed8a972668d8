"""Ctrl-C and SIGTERM at any moment of a command: one line, exit code 130 or 143, and nothing staged is left."""

import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
from support.lakes import write
from support.processes import PATIENCE, killed_after

from stedi_common.generate import Plan, generate
from stedi_common.landing import land

COMMANDS = ("land", "run", "maintain")
#: The command, which says when it has begun: before, the signal is Python's own.
SCRIPT = """
import signal, sys
from stedi_common.cli import main, signals

def catch(catch=signals.catch):
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background has it ignored
    catch()
    print("begun", flush=True)

signals.catch = catch
sys.argv = ["stedi", *sys.argv[1:]]
main()
"""
SIGNALS = {signal.SIGINT: 130, signal.SIGTERM: 143}


#: As of a library that a signal has interrupted: Python waits for it at its end.
THREAD = """
import threading
threading.Thread(target=threading.Event().wait).start()
"""


class Command(subprocess.Popen):
    """A command that has begun. `before` is run in its process first."""

    def __init__(self, folder: Path, *words: str, before: str = "") -> None:
        command = [sys.executable, "-c", before + SCRIPT, *words]
        super().__init__(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.stdout.readline() == "begun\n"

    def end(self) -> tuple[int, str]:
        """The exit code and what it wrote to standard error."""
        _, errors = self.communicate(timeout=PATIENCE)
        return self.returncode, errors


@pytest.fixture
def folder(tmp_path):
    """A folder with drops, all of which can be read."""
    generate(Plan(people=12, readings=600, days=4), tmp_path / "drops")
    return tmp_path


def duration(folder: Path, *words: str) -> float:
    command = Command(folder, *words)
    began = time.monotonic()
    assert command.end() == (0, "")
    return time.monotonic() - began


@pytest.mark.parametrize("moments", [4, pytest.param(200, marks=pytest.mark.long)])
@pytest.mark.parametrize("name", COMMANDS)
def test_interrupted_at_any_moment(folder, name, moments):
    random, lake = Random(f"{name} {moments}"), folder / "lake"
    before = COMMANDS[: COMMANDS.index(name)]
    for each in before:
        duration(folder, each)
    if before:
        shutil.copytree(lake, folder / "kept")
    seconds, interrupted = duration(folder, name), 0
    for n in range(moments):
        shutil.rmtree(lake, ignore_errors=True)
        if before:
            shutil.copytree(folder / "kept", lake)
        command = Command(folder, name)
        began, sent = time.monotonic(), random.choice(list(SIGNALS))
        time.sleep(seconds * (n + random.random()) / moments * 0.9)
        command.send_signal(sent)
        code, errors = command.end()
        assert "Traceback" not in errors, errors
        assert not lake.exists() or not list(lake.glob(".staging-*")), (n, sent)
        if code:
            interrupted += 1
            assert code == SIGNALS[sent], errors
            assert errors == (
                f"error: interrupted by {sent.name}; what is committed stays\n"
                "hint:  run the command again: it continues from there\n"
            )
        else:
            assert errors == ""
            seconds = min(seconds, time.monotonic() - began)  # the first may have been slow: the machine was busy
    assert interrupted > moments / 5
    for each in COMMANDS:
        duration(folder, each)


def test_no_thread_of_a_library_keeps_an_interrupted_command(folder):
    command = Command(folder, "land", before=THREAD)
    command.send_signal(signal.SIGINT)
    with killed_after(command, 60):
        code, errors = command.end()
    assert (code, errors.splitlines()[0]) == (130, "error: interrupted by SIGINT; what is committed stays")
    assert not list(folder.glob("lake/.staging-*"))


#: A library that is interrupted while it is imported. A compiled one ends the process then.
IMPORT = """
import atexit, os, signal, sys
from pathlib import Path

class Interrupts:
    def find_spec(self, name, path, target=None):
        if name == "duckdb":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupts())
atexit.register(lambda: Path("imported").write_text(str("duckdb" in sys.modules)))
"""


def test_no_import_is_interrupted(folder):
    code, errors = Command(folder, "land", before=IMPORT).end()
    assert (code, errors.splitlines()[0]) == (130, "error: interrupted by SIGINT; what is committed stays")
    assert (folder / "imported").read_text() == "True"


def test_an_error_that_comes_once_is_printed_before_the_next_source_lands(folder, stedi, monkeypatch):
    """The next landing says nothing of the line: its file has landed."""
    write(folder / "drops", {"customer/nobody.json": b"{\n"})

    def killed(engine, source, *args, **named):
        if source != "customer":
            raise KeyboardInterrupt
        return land(engine, source, *args, **named)

    monkeypatch.chdir(folder)
    with monkeypatch.context() as patched:
        patched.setattr("stedi_common.runs.run_all.land", killed)
        said = stedi("land")
    assert said.code == 130
    first, *_, last = [line for line in said.err.splitlines() if line.startswith("error: ")]
    assert first.startswith("error: land: expected a known address in every customer line, got none in ")
    assert last.startswith("error: interrupted by SIGINT")
    assert stedi("land").code == 0
