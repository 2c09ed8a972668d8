"""Commands in containers, as far as a test can make them: mounts and process numbers that nobody else sees (`unshare`).

A process in the container imports everything, and is forked for each command: an import takes longer than a command. As
a program, this module is that process. What runs in it ends as a command of a shell does, with its exit code.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from support.commands import Finished
from support.processes import PATIENCE, killed_after

#: A container for root, and for everybody else, who is root in it.
PREFIXES = tuple(
    ("unshare", *user, "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")
    for user in ((), ("--user", "--map-root-user"))
)
MOUNT = ("mount", "-t", "tmpfs", "-o", "size=1m", "none")


#: What the commands import themselves.
IMPORTED = (
    *(f"stedi_common.{name}" for name in ("checks", "engines.embedded.engine", "query", "runs.preview", "status")),
    *(f"stedi_common.{name}" for name in ("api.setup", "api.tasks", "cli.commands", "cli.query", "cli.show")),
    *("fastavro", "narwhals._duckdb.group_by", "platformdirs.unix", "sqlalchemy.dialects.sqlite"),
)


class Call(NamedTuple):
    """A command: `stedi …` in the process that is forked, any other as a program. It begins after so many seconds."""

    words: tuple[str, ...]
    environment: dict[str, str]
    after: float = 0.0


def call(*words: str | Path, after: float = 0.0, **environment: str | Path) -> Call:
    """A command with these variables of the environment besides the container's."""
    return Call(tuple(map(str, words)), {name: str(value) for name, value in environment.items()}, after)


@cache
def container() -> tuple[str, ...] | None:
    """What begins a command in a container of its own; None where a test may make none."""
    with tempfile.TemporaryDirectory() as folder:
        for prefix in PREFIXES:
            try:
                done = subprocess.run([*prefix, *MOUNT, folder], capture_output=True, check=False, timeout=PATIENCE)
            except OSError:
                continue
            if done.returncode == 0:
                return prefix
    return None


class Commands:
    """Commands that run in a folder, in a container or in none. Their tests wait for each within a limit."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, *calls: Call) -> None:
        """Start all at once."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps(calls) + "\n")
        self._process.stdin.flush()

    def ended(self) -> list[Finished]:
        """What those that were started last said, and their exit codes."""
        assert self._process.stdout
        with killed_after(self._process):
            answer = self._process.stdout.readline()
        assert answer, "the container ended, or took too long"
        return [Finished(*each) for each in json.loads(answer)]

    def __call__(self, *words: str | Path, **environment: str | Path) -> Finished:
        """One command, to its end."""
        self.start(call(*words, **environment))
        (done,) = self.ended()
        return done

    def done(self, *words: str | Path) -> str:
        """The output of a command that must succeed."""
        finished = self(*words)
        assert finished.code == 0, finished.output
        return finished.out


@contextmanager
def commands(folder: Path, prefix: Sequence[str] = (), **environment: str) -> Iterator[Commands]:
    """Commands in the folder; `prefix` begins a container."""
    with subprocess.Popen(
        [*prefix, sys.executable, "-P", __file__],  # its folder has modules of any name
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Commands(process)
        finally:
            process.kill()


class Disk:
    """A small disk (tmpfs) that only the commands of a container see."""

    def __init__(self, commands: Commands, folder: Path) -> None:
        self._commands, self.folder = commands, folder

    def mount(self, size: int) -> None:
        self._commands.done("mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", self.folder)

    def unmount(self) -> None:
        self._commands.done("umount", self.folder)

    def resize(self, size: int) -> None:
        self._commands.done("mount", "-o", f"remount,size={size}", self.folder)

    @property
    def used(self) -> int:
        """Bytes, in whole pages."""
        return int(self._commands.done("df", "-B1", "--output=used", self.folder).split()[-1])

    def names(self, pattern: str) -> list[str]:
        """The files and folders of such a name."""
        return self._commands.done("find", self.folder, "-name", pattern).splitlines()

    def copy(self, source: Path, target: Path) -> None:
        """The files of a folder, from the disk or to it."""
        self._commands.done("cp", "-a", source, target)


# The process in the container


def serve() -> None:
    """Fork for each call of a line, and answer when all have ended."""
    for name in IMPORTED:
        import_module(name)
    for line in iter(sys.stdin.readline, ""):
        started = [start(*each) for each in json.loads(line)]
        codes: dict[int, int] = {}
        while not codes.keys() >= {pid for pid, *_ in started}:  # process 1 gets orphans, too
            pid, status = os.waitpid(-1, 0)  # within the limit of `ended`
            codes[pid] = os.waitstatus_to_exitcode(status)
        answers = [(codes[pid], *map(written, files)) for pid, *files in started]
        print(json.dumps(answers), flush=True)  # noqa: T201 - the answer


def start(words: Sequence[str], environment: dict[str, str], after: float) -> tuple[int, Any, Any]:
    """The process of the command, and the files that it writes to."""
    out, err = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115 - until it is read
    if pid := os.fork():
        return pid, out, err
    for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), out.fileno(), err.fileno())):
        os.dup2(file, number)
    os.environ.update(environment)
    tempfile.tempdir = None
    time.sleep(after)
    if words[0] != "stedi":
        os.execvp(words[0], words)  # noqa: S606
    sys.argv = list(words)
    from stedi_common.cli import main  # noqa: PLC0415

    main()
    raise AssertionError


def written(file: Any) -> str:
    file.seek(0)
    content: bytes = file.read()
    file.close()
    return content.decode()


if __name__ == "__main__":
    serve()
