"""Files of lines and what a reader says of them, for the tests beside."""

import contextlib
import gzip
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from unittest import mock

from stedi_common.contracts import Column, contract
from stedi_common.records import Reader, blocks, compression, discover, fast
from stedi_common.records import reader as reader_module
from stedi_common.records import record as record_module
from stedi_common.records.tally import Tally
from stedi_common.settings import ReaderSettings

ARRIVED = datetime(2024, 6, 1)
KEY = b"a key for tests"
SOURCES = ("customer", "accelerometer", "step_trainer")


class Whole(NamedTuple):
    """What a reader says of a file: the rows of its lines, in their order, and its sums."""

    rows: list[dict]
    tally: Tally


def reader(source="accelerometer", **settings):
    return Reader(source, ARRIVED, KEY, ReaderSettings(**settings))


@contextlib.contextmanager
def in_folder(content, source="accelerometer", name="a.json"):
    """The drop of this content, until the block ends."""
    with tempfile.TemporaryDirectory() as landing:
        path = Path(landing, source, name)
        path.parent.mkdir()
        path.write_bytes(content)
        (drop,) = discover(landing, [source]).drops[source]
        yield drop


def whole(content, source="accelerometer", name="a.json", **settings):
    """A file of this content, read as lines or, if that is what it says it is, as objects."""
    with in_folder(content, source, name) as drop:
        said = together(reader(source, **settings).read(drop))
        if said.tally.is_objects:
            said = together(replace(reader(source, **settings), as_objects=frozenset([drop.name])).read(drop))
        return said


def together(parsed):
    tally, rows = Tally(), []
    for lines, of_them in parsed:
        tally.add(of_them)
        rows += lines.to_pylist()
    return Whole(sorted(rows, key=lambda row: row["source_line"]), tally)


def rows_of(content, source="accelerometer", name="a.json", **settings):
    """The rows of all lines of a file of this content."""
    return whole(content, source, name, **settings).rows


def row_of(line, source="accelerometer", **settings):
    """What becomes of this one line."""
    (row,) = rows_of(line if line.endswith(b"\n") else line + b"\n", source, **settings)
    return row


def zipped(content):
    return gzip.compress(content, mtime=0)


@contextlib.contextmanager
def pieces_of(size):
    """Files are read, unpacked and cut in pieces of so many bytes."""
    with (
        mock.patch.object(blocks, "BLOCK_BYTES", size),
        mock.patch("stedi_common.records.storage.READ_BYTES", size),
        mock.patch.object(compression, "_PIECE", size),
        mock.patch.object(compression, "_MOST_AT_ONCE", size),
    ):
        yield


@contextlib.contextmanager
def no_fast_path():
    with mock.patch.object(fast, "read", return_value=()):
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
