"""No test waits for a process without a limit: a hang fails the test, and the other tests run."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from multiprocessing import get_context
from time import monotonic, sleep

import pytest
from support.paths import TESTS
from support.processes import call_at_once, killed_after, wait_for

FILES = sorted(TESTS.rglob("*.py"))


def unlimited(source: str) -> Iterator[str]:
    """The calls that wait for a process and have no limit."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called, limits = ast.unparse(node.func), [*node.args, *node.keywords]
            waits = node.func.attr == "communicate" or (node.func.attr in {"join", "get", "wait"} and not limits)
            is_command = called in {"subprocess.run", "subprocess.check_call", "subprocess.check_output"}
            names = {keyword.arg for keyword in node.keywords}
            is_barrier = called.endswith("together.wait")  # its limit is the Barrier's
            if (is_command and "timeout" not in names) or (waits and "timeout" not in names and not is_barrier):
                yield f"{node.lineno}: {called}"


def test_every_wait_for_a_process_has_a_limit():
    found = {file.relative_to(TESTS).as_posix(): list(unlimited(file.read_text(encoding="utf-8"))) for file in FILES}
    assert len(found) > 50
    assert {file: waits for file, waits in found.items() if waits} == {}


@pytest.mark.parametrize("call", ["subprocess.run(['ls'])", "process.join()", "process.wait()", "each.communicate()"])
def test_a_wait_without_a_limit_is_reported(call):
    assert list(unlimited(call)) == [f"1: {call.partition('(')[0]}"]


def test_a_process_that_hangs_is_killed_and_an_error():
    process = get_context("spawn").Process(target=sleep, args=(600,))
    process.start()
    with pytest.raises(TimeoutError, match=r"expected process .* to end within 1 s"):
        wait_for(process, 1)
    assert not process.is_alive()


def test_calls_that_hang_are_an_error():
    began = monotonic()
    with pytest.raises(TimeoutError):
        call_at_once(sleep, [(600,)], 1)
    assert monotonic() - began < 600  # it came back before they did


def test_reading_from_a_process_that_hangs_comes_to_an_end():
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process, killed_after(process, 1):
        assert process.stdout
        assert process.stdout.read() == b""
