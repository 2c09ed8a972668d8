"""An answer as a table, for a terminal or a file; and how an answer is written in each format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, islice
from typing import BinaryIO

from rich.cells import cell_len
from rich.markup import escape

from stedi_common.cli.console import out
from stedi_common.engines.embedded import formats
from stedi_common.query import Answer
from stedi_common.text import escaped

#: So many rows are shown on a terminal.
MAX_SHOWN_ROWS = 100


def write_table(answer: Answer, to: BinaryIO) -> None:
    """Aligned columns, whole. Their widths are those of the first rows; a later value that is wider is whole, too."""
    batches = formats.texts(answer, formats.BATCH_ROWS)
    next(batches)
    first: list[list[str]] = next(batches, [[] for _ in answer.columns])
    names = [escaped(name) for name in answer.columns]
    widths = _widths(names, first)
    to.write(_lines([[name] for name in names], widths).encode())
    for columns in chain([first], batches):
        to.write(_lines(columns, widths).encode())


def show_table(answer: Answer) -> None:
    """The first rows, for a terminal. If it is too narrow for them, a line for each value."""
    batches = formats.texts(answer, MAX_SHOWN_ROWS + 1)
    rows = list(islice(chain.from_iterable(zip(*columns, strict=True) for columns in batches), MAX_SHOWN_ROWS + 1))
    names, shown = [escaped(name) for name in answer.columns], rows[:MAX_SHOWN_ROWS]
    columns = [list(column) for column in zip(*shown, strict=True)] or [[] for _ in names]
    widths = _widths(names, columns)
    if sum(widths) + len(widths) <= out.width:
        out.print(f"[bold]{escape(_lines([[name] for name in names], widths))}[/]", end="", soft_wrap=True)
        out.print(escape(_lines(columns, widths)), end="", soft_wrap=True)
    else:
        for number, row in enumerate(shown, start=1):
            out.print(f"[bold]row {number}[/]")
            for name, value in zip(names, row, strict=True):
                out.print(f"  {escape(name)}: {escape(value)}", soft_wrap=True)
    if len(rows) > MAX_SHOWN_ROWS:
        out.print(f"[dim]… the first {MAX_SHOWN_ROWS} rows; a pipe, a file and --format csv have all[/]")


#: How an answer is written, by the name of the format.
WRITERS: Mapping[str, Callable[[Answer, BinaryIO], None]] = {
    "table": write_table,
    "csv": formats.write_csv,
    "json": formats.write_json,
    "ndjson": formats.write_ndjson,
    "parquet": formats.write_parquet,
}


def _widths(names: Sequence[str], columns: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, (name, *column))) for name, column in zip(names, columns, strict=True)]


def _lines(columns: Sequence[Sequence[str]], widths: Sequence[int]) -> str:
    """The rows, padded; the last column is not."""
    *others, last = columns
    padded = [[_padded(text, width) for text in column] for column, width in zip(others, widths, strict=False)]
    return "".join(f"{' '.join(row)}\n" for row in zip(*padded, last, strict=True))


def _padded(text: str, width: int) -> str:
    return text.ljust(width) if text.isascii() else text + " " * (width - cell_len(text))
