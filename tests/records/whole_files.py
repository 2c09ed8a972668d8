"""Files of lines and what a reader says of them, for the tests beside."""

import contextlib
import gzip
import tempfile
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np
import pyarrow as pa

from stedi_common.records import Reader, discover, fast
from stedi_common.records.tally import Tally
from stedi_common.settings import Settings

ARRIVED = datetime(2024, 6, 1)
KEY = b"a key for tests"
SOURCES = ("customer", "accelerometer", "step_trainer")


class Whole(NamedTuple):
    """What a reader says of a file: the rows of its lines, in their order, and its sums."""

    rows: list[dict]
    tally: Tally


def reader(source="accelerometer", **settings):
    return Reader(source, ARRIVED, KEY, Settings(**settings))


def whole(content, source="accelerometer", name="a.json", **settings):
    """A file of this content, read as lines or, if that is what it says it is, as objects."""
    with tempfile.TemporaryDirectory() as landing:
        path = Path(landing, source, name)
        path.parent.mkdir()
        path.write_bytes(content)
        (drop,) = discover(landing, [source]).drops[source]
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
def no_fast_path():
    def nothing(data, starts, columns, latest):
        return np.zeros(len(starts) - 1, np.bool_), [pa.array([], fast.arrow_type(column)) for column in columns]

    with mock.patch.object(fast, "read", nothing):
        yield
