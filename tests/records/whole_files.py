"""Files of lines and what a reader says of them, for the tests beside."""

import contextlib
import gzip
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from unittest import mock

import numpy as np
import pyarrow as pa

from stedi_common.contracts import Column, contract
from stedi_common.records import Reader, blocks, drops, fast, gzipped
from stedi_common.records import reader as reader_module
from stedi_common.records import record as record_module

ARRIVED = datetime(2024, 6, 1)
KEY = b"a key for tests"
SOURCES = ("customer", "accelerometer", "step_trainer")


def reader(source="accelerometer"):
    return Reader(source, ARRIVED, KEY)


def rows_of(content, source="accelerometer", name="a.json"):
    """All rows of a file of this content, in the order of the lines; its end comes last."""
    with tempfile.TemporaryDirectory() as landing:
        path = Path(landing, source, name)
        path.parent.mkdir()
        path.write_bytes(content)
        (drop,) = drops(landing, source)
        return in_order(reader(source).read(drop))


def in_order(batches):
    rows = [row for batch in batches for row in batch.to_pylist()]
    return sorted(rows, key=lambda row: (row["mark"] == "end_of_file", row["source_line"]))


def row_of(line, source="accelerometer"):
    """What becomes of this one line."""
    row, _ = rows_of(line if line.endswith(b"\n") else line + b"\n", source)
    return row


def zipped(content):
    return gzip.compress(content, mtime=0)


@contextlib.contextmanager
def pieces_of(size):
    """Files are read, unzipped and cut in pieces of so many bytes."""
    with (
        mock.patch.object(blocks, "BLOCK_BYTES", size),
        mock.patch("stedi_common.records.storage.READ_BYTES", size),
        mock.patch.object(gzipped, "_PIECE", size),
        mock.patch.object(gzipped, "_MOST_AT_ONCE", size),
    ):
        yield


@contextlib.contextmanager
def no_fast_path():
    def nothing(data, starts, columns, latest):
        return np.zeros(len(starts) - 1, np.bool_), [pa.array([], fast.arrow_type(column)) for column in columns]

    with mock.patch.object(fast, "read", nothing):
        yield


@contextlib.contextmanager
def gained(source, types):
    """The contract of the source's landing table has gained nullable columns: types by name."""
    had = contract(f"{source}_landing")
    columns = tuple(Column(name, type_, False, "internal", "Gained.") for name, type_ in types.items())
    has = replace(had, columns=(*had.source_columns, *columns, *had.columns[len(had.source_columns) :]))
    modules = (reader_module, record_module)
    with contextlib.ExitStack() as stack:
        for module in modules:
            stack.enter_context(mock.patch.object(module, "contract", lambda name: {has.name: has}[name]))
        for known in (reader_module._schema, record_module.fields_of):
            known.cache_clear()
            stack.callback(known.cache_clear)
        yield
