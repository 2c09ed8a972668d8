"""Standard output for data, standard error for progress and errors. It imports no code of the user's project."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment

from stedi_common.cli.streams import discard
from stedi_common.text import escaped


class _Console(Console):
    """A console that shows no character which moves the cursor, changes a colour, or hides."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            text = segment.text if segment.control else escaped(segment.text, keep="\n")
            yield segment if text == segment.text else Segment(text, segment.style)

    def on_broken_pipe(self) -> None:
        """Let the command go on: Rich would exit before the errors are printed, with another exit code."""
        discard(self.file)


# Without a terminal there is no width to keep to.
out = _Console(highlight=False, width=None if sys.stdout.isatty() else 160)
err = _Console(stderr=True, highlight=False)


def error(problem: Exception) -> None:
    """Print the error in one line, and its hint in another."""
    message, _, hint = str(problem).partition("\nhint: ")
    err.print(f"[bold red]error:[/] {escape(message)}", soft_wrap=True)
    if hint:
        err.print(f"[bold]hint:[/]  {escape(hint)}", soft_wrap=True)


def warning(message: str) -> None:
    """Print a warning in one line."""
    err.print(f"[yellow]warning:[/] {escape(message)}", soft_wrap=True)


@contextmanager
def working(what: str) -> Iterator[None]:
    """A spinner until the block ends; nothing without a terminal."""
    with err.status(f"{what} …"):
        yield


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar until the block ends. The caller advances it with (done, total)."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
