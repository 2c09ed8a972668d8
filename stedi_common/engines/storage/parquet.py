"""Parquet files as an Iceberg table wants its data files: with field ids, one for each day."""

from __future__ import annotations

import errno
import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from stedi_common.contracts import Contract
from stedi_common.contracts.types import TYPES
from stedi_common.engines.storage import s3
from stedi_common.lake import local_path

#: So many rows a writer keeps until it writes them, a row group for each of their days.
MAX_BUFFERED_ROWS = 512 * 1024

#: The Arrow type of each type of a contract.
ARROW: Mapping[str, pa.DataType] = {name: pa.type_for_alias(known.arrow) for name, known in TYPES.items()}

_MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True)
class ParquetLayout:
    """How rows lie in Parquet files.

    Attributes:
        schema: the Arrow schema, with Iceberg's field ids.
        day_of: the column by whose days they are partitioned.
        measured: the columns that have statistics.
    """

    schema: pa.Schema
    day_of: str | None = None
    measured: Sequence[str] = ()

    @classmethod
    def of(cls, contract: Contract, ids: Mapping[str, int]) -> ParquetLayout:
        """The layout of a table whose columns have these Iceberg field ids."""
        fields = [
            pa.field(c.name, ARROW[c.type], metadata={"PARQUET:field_id": str(ids[c.name])}) for c in contract.columns
        ]
        # A bound of personal data would outlive the row (rule 14).
        measured = [column.name for column in contract.columns if not column.is_personal]
        return cls(pa.schema(fields), contract.partition.name if contract.partition else None, measured)


@dataclass(frozen=True)
class DataFile:
    """A Parquet file: where it lies below a folder, and the partition path of all its rows."""

    folder: str
    partition: str
    name: str

    @property
    def location(self) -> str:
        """The path or S3 URI."""
        return "/".join(filter(None, (self.folder, self.partition, self.name)))


class PartitionedWriter:
    """Writes rows into Parquet files below a folder, one for each day."""

    def __init__(self, folder: str, layout: ParquetLayout) -> None:
        self._folder, self._layout = folder, layout
        self._name = f"{uuid.uuid4().hex}.parquet"
        self._buffered: dict[str, list[pa.RecordBatch]] = {}
        self._count = 0
        self._writers: dict[str, pq.ParquetWriter] = {}

    def __enter__(self) -> PartitionedWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._write()
        for writer in self._writers.values():
            writer.close()

    def add(self, rows: pa.RecordBatch) -> None:
        """Add rows of the layout's schema."""
        if not len(rows):
            return
        for partition, some in self._by_day(rows):
            self._buffered.setdefault(partition, []).append(some)
        self._count += len(rows)
        if self._count >= MAX_BUFFERED_ROWS:
            self._write()

    def _by_day(self, rows: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
        by = self._layout.day_of
        if by is None:
            yield "", rows
            return
        days = rows.column(by).cast(pa.int64()).to_numpy() // _MICROSECONDS_A_DAY
        found = [days[0]] if days.min() == days.max() else np.unique(days)
        for day in found:
            some = rows if len(found) == 1 else rows.filter(pa.array(days == day))
            yield f"{by}_day={np.datetime64(int(day), 'D')}", some

    def _write(self) -> None:
        for partition, batches in self._buffered.items():
            self._writer(partition).write_table(pa.Table.from_batches(batches))
        self._buffered, self._count = {}, 0

    def _writer(self, partition: str) -> pq.ParquetWriter:
        if partition not in self._writers:
            file = DataFile(self._folder, partition, self._name)
            make_folder(file.location.rpartition("/")[0])
            filesystem_, path = filesystem(file.location)
            schema = self._layout.schema
            self._writers[partition] = pq.ParquetWriter(
                path,
                schema,
                filesystem=filesystem_,
                compression="zstd",
                compression_level=1,
                use_dictionary=[field.name for field in schema if pa.types.is_string(field.type)],
                write_statistics=list(self._layout.measured),
            )
        return self._writers[partition]


def arrow_schema(contract: Contract) -> pa.Schema:
    """The columns of a table, without field ids."""
    return pa.schema([(column.name, ARROW[column.type]) for column in contract.columns])


def make_folder(location: str) -> None:
    """Make the folder. S3 has none, and objects that stand for them could lie where a job may not write."""
    if not location.startswith(s3.SCHEME):
        Path(location.removeprefix("file://")).mkdir(parents=True, exist_ok=True)


def filesystem(location: str) -> tuple[fs.FileSystem, str]:
    """PyArrow's file system for a path or a URI, and the path in it."""
    if location.startswith(s3.SCHEME):
        return s3.filesystem(location)
    return fs.LocalFileSystem(), location.removeprefix("file://")


def read_file(location: str) -> bytes:
    """The content of a small file. Raises OSError, with the location if there is no such file."""
    if not location.startswith(s3.SCHEME):
        return local_path(location).read_bytes()
    system, path = filesystem(location)
    try:
        with system.open_input_stream(path) as file:
            content: bytes = file.read()
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), location) from None
    return content
