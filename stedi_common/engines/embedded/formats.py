"""Formats of an answer. Each takes the rows as a stream, so that an answer of any size fits in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq

from stedi_common.engines.embedded.query import Answer
from stedi_common.errors import QueryError
from stedi_common.text import escaped

#: So many rows of an answer are in memory, and in a row group of Parquet.
BATCH_ROWS, ROW_GROUP_ROWS = 10_000, 25_000

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


def texts(answer: Answer, rows: int) -> Iterator[list[list[str]]]:
    """The columns of each batch, at least one, as texts in which each character shows: none breaks a line.

    Args:
        answer: the answer.
        rows: at most so many rows are in a batch.
    """
    return map(_texts, answer.batches(TABLE_CASTS, rows))


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
