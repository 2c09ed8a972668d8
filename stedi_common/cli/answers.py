"""The formats of an answer. Each takes the rows as a stream, so that an answer of any size fits in memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
from rich.cells import cell_len
from rich.markup import escape

from stedi_common.cli.console import out
from stedi_common.errors import QueryError
from stedi_common.query import Answer
from stedi_common.text import escaped

#: So many rows of an answer are in memory, and in a row group of Parquet. A table is aligned to the first ones.
BATCH_ROWS, ROW_GROUP_ROWS = 10_000, 25_000
#: So many rows are shown on a terminal.
MAX_SHOWN_ROWS = 100

_TEXT = "CAST({} AS VARCHAR)"
_AS_IT_IS = ("boolean", "tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint", "uinteger", "ubigint")
#: What JSON has no number for is null.
_FINITE = "CASE WHEN isfinite({0}) THEN {0} END"
_ISO = r"regexp_replace(regexp_replace(CAST({} AS VARCHAR), '^(\S+) (\d)', '\1T\2'), '\+00$', '+00:00')"
#: The types of JSON's numbers, lists and objects that Arrow has not, or has in another form.
_JSON = ("hugeint", "uhugeint", "decimal", "list", "array", "struct", "tuple", "map", "union", "variant")
_INSTANTS = (
    *("timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns"),
    *("timestamp with time zone", "timestamptz_ns"),
)
_NOT_IN_PARQUET = ("interval", "time with time zone", "bit", "bignum", "uhugeint", "union", "variant", "geometry")

#: What becomes of the values in each format, by their type: see `query.Casts`.
TABLE_CASTS: Mapping[str | None, str] = {None: _TEXT}
CSV_CASTS: Mapping[str | None, str] = {
    **dict.fromkeys((*_AS_IT_IS, "varchar", "float", "double", "decimal", "hugeint"), "{}"),
    None: _TEXT,
}
JSON_CASTS: Mapping[str | None, str] = {
    **dict.fromkeys((*_AS_IT_IS, "varchar"), "{}"),
    **dict.fromkeys(("float", "double"), _FINITE),
    **dict.fromkeys(_INSTANTS, _ISO),
    **dict.fromkeys(_JSON, "CAST(to_json({}) AS VARCHAR)"),
    None: _TEXT,
}
PARQUET_CASTS: Mapping[str | None, str] = {**dict.fromkeys(_NOT_IN_PARQUET, _TEXT), None: "{}"}


def write_csv(answer: Answer, to: BinaryIO) -> None:
    """Comma-separated values with a header. Texts are quoted; null is nothing, and the empty text is `""`."""
    batches = answer.batches(CSV_CASTS, BATCH_ROWS)
    first = next(batches)
    with pa.csv.CSVWriter(to, first.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def write_parquet(answer: Answer, to: BinaryIO) -> None:
    """One Parquet file."""
    batches = answer.batches(PARQUET_CASTS, ROW_GROUP_ROWS)
    schema = next(batches).schema
    names = _distinct(answer.columns)
    schema = pa.schema([field.with_name(name) for field, name in zip(schema, names, strict=True)])
    try:
        with pq.ParquetWriter(to, schema, compression="zstd") as writer:
            for batch in batches:
                writer.write_batch(batch.rename_columns(names))
    except pa.ArrowNotImplementedError:
        raise QueryError("query: expected types that Parquet has, got another", "cast the column to VARCHAR") from None


def write_ndjson(answer: Answer, to: BinaryIO) -> None:
    """An object of JSON per row and line."""
    for rows in _records(answer):
        to.write("".join(f"{json.dumps(row)}\n" for row in rows).encode())


def write_json(answer: Answer, to: BinaryIO) -> None:
    """One list of JSON, with an object per row."""
    before = "["
    for rows in filter(None, _records(answer)):
        to.write(f"{before}{json.dumps(rows)[1:-1]}".encode())
        before = ", "
    to.write(b"[]\n" if before == "[" else b"]\n")


def write_table(answer: Answer, to: BinaryIO) -> None:
    """Aligned columns, whole. Their widths are those of the first rows; a later value that is wider is whole, too."""
    batches = map(_texts, answer.batches(TABLE_CASTS, BATCH_ROWS))
    next(batches)
    first: list[list[str]] = next(batches, [[] for _ in answer.columns])
    names = [escaped(name) for name in answer.columns]
    widths = _widths(names, first)
    to.write(_lines([[name] for name in names], widths).encode())
    for columns in chain([first], batches):
        to.write(_lines(columns, widths).encode())


def show_table(answer: Answer) -> None:
    """The first rows, for a terminal. If it is too narrow for them, a line for each value."""
    batches = (_texts(batch) for batch in answer.batches(TABLE_CASTS, MAX_SHOWN_ROWS + 1))
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
    "csv": write_csv,
    "json": write_json,
    "ndjson": write_ndjson,
    "parquet": write_parquet,
}


def _records(answer: Answer) -> Iterator[list[dict[str, Any]]]:
    """The rows of each batch, as JSON has them. Equal names get a number."""
    names = _distinct(answer.columns)
    nested = [type_ in _JSON for type_ in answer.types()]
    for batch in answer.batches(JSON_CASTS, BATCH_ROWS):
        columns = [column.to_pylist() for column in batch.columns]
        values = [
            [_parsed(each) for each in column] if is_nested else column
            for column, is_nested in zip(columns, nested, strict=True)
        ]
        yield [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def _parsed(text: str | None) -> Any:
    return None if text is None else json.loads(text, parse_constant=lambda _: None)


def _distinct(names: Sequence[str]) -> list[str]:
    """The names, where an equal one gets a number, as DuckDB gives it: `a`, `a_1`."""
    distinct: list[str] = []
    for name in names:
        candidates = chain([name], (f"{name}_{n}" for n in range(1, len(names) + 1)))
        distinct.append(next(each for each in candidates if each not in distinct))
    return distinct


def _texts(batch: pa.RecordBatch) -> list[list[str]]:
    """The texts of each column, in which each character shows: none breaks a line."""
    columns = [pc.fill_null(column, "null") for column in batch.columns]
    return [
        column.to_pylist() if _is_printable(column) else list(map(escaped, column.to_pylist())) for column in columns
    ]


def _is_printable(column: pa.Array) -> bool:
    return bool(pc.all(pc.utf8_is_printable(column), min_count=0).as_py())


def _widths(names: Sequence[str], columns: Sequence[Sequence[str]]) -> list[int]:
    return [max(map(cell_len, (name, *column))) for name, column in zip(names, columns, strict=True)]


def _lines(columns: Sequence[Sequence[str]], widths: Sequence[int]) -> str:
    """The rows, padded; the last column is not."""
    *others, last = columns
    padded = [[_padded(text, width) for text in column] for column, width in zip(others, widths, strict=False)]
    return "".join(f"{' '.join(row)}\n" for row in zip(*padded, last, strict=True))


def _padded(text: str, width: int) -> str:
    return text.ljust(width) if text.isascii() else text + " " * (width - cell_len(text))
