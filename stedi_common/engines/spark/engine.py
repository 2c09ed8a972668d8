"""The Spark engine: on Glue, and anywhere Spark runs. Local sessions share the embedded engine's catalog."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from datetime import date
from typing import Any

import narwhals as nw
import pyarrow as pa
from pyspark import SparkContext, StorageLevel
from pyspark.sql import Column, DataFrame, DataFrameWriterV2, Observation
from pyspark.sql import functions as F  # noqa: N812 - as all of Spark's world writes it

from stedi_common.contracts import Contract
from stedi_common.contracts.types import TYPES
from stedi_common.engines import history
from stedi_common.engines.choice import Choice
from stedi_common.engines.protocol import Counts, Head, Materialized, Staged
from stedi_common.engines.spark import landing
from stedi_common.engines.spark.columns import counters, observed_counts, on_days, sql_schema
from stedi_common.engines.spark.commit import BranchCommits
from stedi_common.engines.spark.errors import redacted
from stedi_common.engines.spark.maintenance import JavaMaintenance
from stedi_common.engines.spark.session import is_local, session
from stedi_common.engines.spark.snapshots import JavaSnapshots, current_head
from stedi_common.engines.spark.tables import JavaTables
from stedi_common.engines.storage.block_reader import REJECTED_RECORDS
from stedi_common.engines.storage.catalog_guard import expect_known_metadata, record_metadata
from stedi_common.engines.storage.parquet import ParquetLayout, PartitionedWriter
from stedi_common.engines.storage.staging import RECORDS, REJECTED, Staging
from stedi_common.engines.storage.unknown_tables import UnknownTable, unknown_tables
from stedi_common.errors import LakeError
from stedi_common.lake import CATALOG, Lake
from stedi_common.lake.properties import update_mark
from stedi_common.records import Drop, Reader
from stedi_common.rules.frames import Classified, Frame


class SparkEngine:
    """The engine of a lake in a folder or in S3. `Engine` documents the methods."""

    name = "spark"

    def __init__(self, lake: Lake, *, writes: bool = True) -> None:
        self._lake, self._writes, self.choice = lake, writes, Choice(self.name)
        if writes and lake.is_local:
            lake.make_folder()
        expect_known_metadata(lake, writes=writes)
        if writes:
            update_mark(lake, creates=True)
        self._owns_context = SparkContext._active_spark_context is None
        self._spark = session(lake)
        self._tables = JavaTables(lake, self._spark._jsparkSession, self._jvm)
        self._commits = BranchCommits(self._tables, self._jvm)
        self._staging = Staging(lake, writes=writes, is_shared=not is_local(self._spark))
        if writes and lake.is_local:
            self._staging.hold()
        self.maintenance = JavaMaintenance(lake, self._tables, self._spark._jsparkSession, self._jvm)

    # Tables and their snapshots

    def prepare(self, contract: Contract) -> None:
        """See `Engine.prepare`."""
        self._tables.prepare(contract)

    def exists(self, contract: Contract) -> bool:
        """See `Engine.exists`."""
        return self._tables.find(contract) is not None

    def unknown_tables(self, besides: Collection[str] = ()) -> Sequence[UnknownTable]:
        """See `Engine.unknown_tables`."""
        return unknown_tables(self._lake, besides)

    def empty(self, table: UnknownTable, summary: Mapping[str, str]) -> None:
        """See `Engine.empty`."""
        self._tables.empty(table, summary)

    def cached_lookups(self) -> AbstractContextManager[None]:
        """See `Engine.cached_lookups`. Java's catalogs have a cache of their own."""
        return nullcontext()

    def head(self, contract: Contract) -> Head:
        """See `Engine.head`."""
        return current_head(contract, self._tables.get(contract), self._jvm)

    def snapshot(self, contract: Contract, snapshot_id: int) -> Head | None:
        """See `Engine.snapshot`."""
        snapshots = self._snapshots(contract)
        found = snapshots.find(snapshot_id)
        return history.head_at(contract, snapshots, found) if found else None

    def history(self, contract: Contract, head: Head) -> Iterator[Head]:
        """See `Engine.history`."""
        return history.history(contract, self._snapshots(contract), head)

    def changed_days(self, contract: Contract, since: Head, head: Head) -> set[date] | None:
        """See `Engine.changed_days`."""
        return history.changed_days(self._snapshots(contract), since, head)

    # Reading

    def read(
        self, contract: Contract, head: Head, days: Collection[date] | None = None, since: date | None = None
    ) -> Frame:
        """See `Engine.read`."""
        # Of the reader's options each generation knows another one, and ignores or refuses the other's.
        rows = self._spark.sql(f"SELECT * FROM {self._name(contract)} VERSION AS OF {head.snapshot_id}")
        if days is not None and contract.partition is not None:
            rows = rows.where(on_days(contract.partition.name, days))
        if since is not None and contract.partition is not None:
            rows = rows.where(F.col(contract.partition.name) >= F.lit(str(since)).cast("timestamp_ntz"))
        # A snapshot has the columns of its time, so not those that the contract has gained since.
        for column in contract.columns:
            if column.name not in rows.columns:
                rows = rows.withColumn(column.name, F.lit(None).cast(TYPES[column.type].spark))
        return _lazy(rows)

    def read_changed(self, contract: Contract, since: Head, head: Head) -> tuple[Frame, Frame]:
        """See `Engine.read_changed`. All rows of both: Spark scans a whole snapshot at once."""
        return self.read(contract, since), self.read(contract, head)

    # Committing

    def append(self, contract: Contract, rows: Frame, onto: Head, summary: Mapping[str, str]) -> Head:
        """See `Engine.append`."""
        return self._commits.commit(
            contract, onto, lambda branch: self._writer(contract, rows, branch, summary).append()
        )

    def replace(self, contract: Contract, rows: Frame, onto: Head, summary: Mapping[str, str]) -> Head:
        """See `Engine.replace`."""
        return self._overwrite(contract, F.lit(True), rows, onto, summary)

    def replace_days(
        self, contract: Contract, days: Collection[date], rows: Frame, onto: Head, summary: Mapping[str, str]
    ) -> Head:
        """See `Engine.replace_days`."""
        if contract.partition is None or not days:
            return self._commits.commit(
                contract, onto, lambda branch: self._commits.append_files(contract, (), branch, summary)
            )
        return self._overwrite(contract, on_days(contract.partition.name, days), rows, onto, summary)

    def replace_classified(  # noqa: PLR0913, PLR0917 - a commit is all of this
        self,
        contract: Contract,
        days: Collection[date] | None,
        classified: Classified,
        rows_in: int,
        onto: Head,
        summary: Mapping[str, str],
        summarize: Callable[[Counts], Mapping[str, str]],
    ) -> Head:
        """See `Engine.replace_classified`.

        The rows are counted while they are written, and only once. So a second snapshot, of no rows, has the counts;
        both become the table's at once.
        """
        overwritten = F.lit(True) if days is None or not contract.partition else on_days(contract.partition.name, days)
        observations: list[Observation] = []

        def write(branch: str) -> None:
            # One of an attempt that failed would have that attempt's counts.
            observations[:] = [Observation()]
            observed = classified.rows.to_native().observe(observations[0], *counters(classified.reasons))
            kept = replace(classified, rows=_lazy(observed)).kept(contract.names)
            self._writer(contract, kept, branch, summary).overwrite(overwritten)

        def write_counts(branch: str) -> None:
            counts = summarize(observed_counts(observations[0]))
            self._commits.append_files(contract, (), branch, {**summary, **counts})

        return self._commits.commit(contract, onto, write, write_counts)

    # Landing

    @contextmanager
    def stage(self, reader: Reader, drops: Sequence[Drop], contract: Contract) -> Iterator[Staged]:
        """See `Engine.stage`."""
        layouts = self._layout(contract), self._layout(REJECTED_RECORDS)
        with self._staging.subfolder() as folder, redacted():
            tallies = landing.stage(self._spark, reader, drops, folder, layouts)
            self._staging.expect_rows(folder, tallies)
            records, rejected = (
                _lazy(self._parquet(f"{folder}/{name}", layout.schema))
                for name, layout in zip((RECORDS, REJECTED), layouts, strict=True)
            )
            records = self.fingerprint(records, contract.keys)
            files = self._staging.data_files(f"{folder}/{RECORDS}")
            yield Staged(records, rejected, tallies, self._staging.are_distinct(folder), files)

    def append_staged(self, contract: Contract, staged: Staged, onto: Head, summary: Mapping[str, str]) -> Head:
        """See `Engine.append_staged`."""
        with self._staging.handed_over(staged.files, f"{self._lake.table_location(contract)}/data") as files:
            return self._commits.commit(
                contract, onto, lambda branch: self._commits.append_files(contract, files, branch, summary)
            )

    def fingerprint(self, rows: Frame, keys: Sequence[str]) -> Frame:
        """See `Engine.fingerprint`."""
        return _lazy(rows.to_native().withColumn("fingerprint", F.xxhash64(*keys)))

    # Computing

    @contextmanager
    def materialized(self, rows: Frame) -> Iterator[Materialized]:
        """See `Engine.materialized`."""
        persisted = rows.to_native().persist(StorageLevel.DISK_ONLY)
        try:
            with redacted():
                # Counting computes them, so the planner knows how few they are.
                count = persisted.count()
            yield Materialized(_lazy(persisted), count)
        finally:
            persisted.unpersist()

    def derive(self, rows: Frame, column: str, name: str, function: Callable[[str], str]) -> Frame:
        """See `Engine.derive`. Python workers call the function, so no argument of it is in a plan."""
        native: DataFrame = rows.to_native()
        columns = [f"`{field.name}` {field.dataType.simpleString()}" for field in native.schema]

        def derived(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                values = pa.array([function(value) for value in batch.column(column).to_pylist()], pa.string())
                yield pa.RecordBatch.from_arrays([*batch.columns, values], names=[*batch.schema.names, name])

        return _lazy(native.mapInArrow(derived, ", ".join([*columns, f"`{name}` string"])))

    def collect(self, rows: Frame) -> list[dict[str, Any]]:
        """See `Engine.collect`."""
        with redacted():
            return [row.asDict() for row in rows.to_native().collect()]

    def batches(self, rows: Frame, size: int) -> Iterator[pa.RecordBatch]:
        """The rows, here, as record batches: packed by Python workers, and fetched a partition at a time."""
        with redacted():
            packed = rows.to_native().mapInArrow(_packed, "batch binary")
            for row in packed.toLocalIterator():
                for batch in pa.ipc.open_stream(row.batch):
                    yield from (batch.slice(start, size) for start in range(0, batch.num_rows, size))

    def frame(self, contract: Contract, rows: Sequence[Mapping[str, Any]]) -> Frame:
        """See `Engine.frame`. The rows go through a file, which takes no Python worker to read."""
        layout = self._layout(contract)
        file = f"{self._staging.scratch}/{uuid.uuid4().hex}"
        with PartitionedWriter(file, layout) as writer:
            writer.add(pa.RecordBatch.from_pylist(list(rows), layout.schema))
        return _lazy(self._parquet(file, layout.schema))

    def close(self) -> None:
        """See `Engine.close`. Stops Spark only if this engine started it."""
        if self._writes:
            with suppress(LakeError):  # whatever ended the run is told
                record_metadata(self._lake)
        self._staging.remove()
        if self._owns_context:
            self._spark.stop()

    @property
    def _jvm(self) -> Any:
        return self._spark._jvm

    def _snapshots(self, contract: Contract) -> JavaSnapshots:
        return JavaSnapshots(contract, self._tables.get(contract), self._jvm)

    def _overwrite(
        self, contract: Contract, condition: Column, rows: Frame, onto: Head, summary: Mapping[str, str]
    ) -> Head:
        """Overwrite the rows that meet the condition, in one snapshot."""
        return self._commits.commit(
            contract, onto, lambda branch: self._writer(contract, rows, branch, summary).overwrite(condition)
        )

    def _writer(self, contract: Contract, rows: Frame, branch: str, summary: Mapping[str, str]) -> DataFrameWriterV2:
        native: DataFrame = rows.select(*contract.names).to_native()
        writer = native.writeTo(f"{self._name(contract)}.branch_{branch}")
        for name, value in summary.items():
            writer = writer.option(f"snapshot-property.{name}", value)
        return writer

    def _parquet(self, folder: str, schema: pa.Schema) -> DataFrame:
        # The days are Arrow's, which knows one calendar only; Spark asks where a birthday lies before 1582.
        reader = self._spark.read.schema(sql_schema(schema)).option("datetimeRebaseMode", "CORRECTED")
        # A folder of S3 is there only if something is in it.
        there = [folder] if self._staging.data_files(folder) else []
        return reader.option("recursiveFileLookup", "true").parquet(*there)

    def _name(self, contract: Contract) -> str:
        return f"{CATALOG}.{self._lake.identifier(contract)}"

    def _layout(self, contract: Contract) -> ParquetLayout:
        columns = self._tables.get(contract).schema().columns()
        return ParquetLayout.of(contract, {column.name(): column.fieldId() for column in columns})


def _lazy(rows: DataFrame) -> Frame:
    return nw.from_native(rows)


def _packed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Each batch as a row of bytes, in Arrow's format."""
    for batch in batches:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as stream:
            stream.write_batch(batch)
        yield pa.RecordBatch.from_arrays([pa.array([sink.getvalue().to_pybytes()])], ["batch"])
