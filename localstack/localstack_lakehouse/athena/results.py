"""Results as files: Athena's CSV, its lines of text, and the metadata beside them."""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from .session import Rows
from .types import Column

FIELD = re.compile(r'"((?:[^"]|"")*)"|')


def csv(columns: list[Column], batches: Iterable[Rows]) -> Iterator[bytes]:
    """Everything quoted, NULL empty, the columns' names first."""
    yield _csv_line([column.name for column in columns]).encode()
    for batch in batches:
        yield "".join(map(_csv_line, batch)).encode()


def _csv_line(row: list[str | None]) -> str:
    return ",".join("" if value is None else f'"{value.replace(chr(34), chr(34) * 2)}"' for value in row) + "\n"


def text(batches: Iterable[Rows]) -> Iterator[bytes]:
    """A line for each row, none after the last."""
    yield "\n".join("\t".join(value or "" for value in row) for batch in batches for row in batch).encode()


def read_text(chunks: Iterable[bytes]) -> Rows:
    """The lines of a text."""
    text = b"".join(chunks).decode()
    return [[line] for line in text.split("\n")] if text else []


def read_csv(chunks: Iterable[bytes], start: int, limit: int) -> tuple[Rows, int]:
    """At most so many rows of a CSV that starts at an offset in its file; the offset of the row after them."""
    rows = []
    for raw in islice(_records(chunks), limit):
        rows.append(_parsed(raw.decode()))
        start += len(raw)
    return rows, start


def _records(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """A record ends at a newline outside quotes: where the quotes before it are even in number."""
    record = b""
    for chunk in chunks:
        for line in chunk.splitlines(keepends=True):
            record += line
            if record.endswith(b"\n") and record.count(b'"') % 2 == 0:
                yield record
                record = b""


def _parsed(record: str) -> list[str | None]:
    values: list[str | None] = []
    position = 0
    while position < len(record):
        field = FIELD.match(record, position)
        if field is None:
            raise ValueError(f"not a field of a result: {record[position:]}")
        values.append(None if field[1] is None else field[1].replace('""', '"'))
        position = field.end() + 1
    return values


def metadata(query_id: str, columns: list[Column], update: tuple[str | None, int | None] = (None, None)) -> bytes:
    """The protocol buffer that Athena's JDBC driver reads beside a result; its schema is not published."""
    parts = [_bytes(1, query_id.encode())]
    kind, count = update
    if kind and count is not None:
        parts += [_bytes(2, kind.encode()), _number(3, count)]
    parts += [_bytes(4, _column(column)) for column in columns]
    return b"".join(parts)


def _column(column: Column) -> bytes:
    info = column.info
    parts = [
        _bytes(field, info[key].encode()) for field, key in ((1, "CatalogName"), (4, "Name"), (5, "Label"), (6, "Type"))
    ]
    if column.precision:
        parts.append(_number(7, column.precision))
    if column.precision or column.type == "date":
        parts.append(_number(8, column.scale))
    parts.append(_number(9, 3))
    if column.type not in COMPOUND:
        parts.append(_number(10, int(info["CaseSensitive"])))
    return b"".join(parts)


COMPOUND = {"array", "json", "map", "row", "string", "uuid"}


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    more, low = value >> 7, value & 0x7F
    return bytes([low | 0x80]) + _varint(more) if more else bytes([low])
