"""Reading drops with Spark: in this process if they are small, else in Spark's Python workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa
from pyspark.sql import SparkSession

from stedi_common.engines.spark.columns import sql_schema
from stedi_common.engines.storage.block_reader import BlockReader, merged
from stedi_common.engines.storage.parquet import ParquetLayout
from stedi_common.records import Drop, Reader
from stedi_common.records.tally import Tally

#: So many bytes of drops are read in this process sooner than Spark has started its Python workers.
MAX_LOCAL_BYTES = 8 * 2**20

#: A tally as JSON.
_TALLY = pa.schema([("file", pa.string()), ("tally", pa.string())])


def stage(
    spark: SparkSession,
    reader: Reader,
    drops: Sequence[Drop],
    folder: str,
    layouts: tuple[ParquetLayout, ParquetLayout],
) -> dict[str, Tally]:
    """Read the drops into the subfolders of `folder`, as `BlockReader.stage` does. Returns the tally of each file."""
    if sum(drop.bytes for drop in drops) <= MAX_LOCAL_BYTES:
        return BlockReader(reader, drops).stage(folder, *layouts)
    batches = balanced_batches(drops, spark.sparkContext.defaultParallelism * 2)
    tasks = spark.range(0, len(batches), 1, len(batches))
    rows = tasks.mapInArrow(_staging(reader, batches, folder, layouts), sql_schema(_TALLY)).collect()
    return merged({row["file"]: Tally.from_json(row["tally"])} for row in rows)


def balanced_batches(drops: Sequence[Drop], most: int) -> list[list[Drop]]:
    """The drops in at most so many batches of about the same size, the largest drops first."""
    batches: list[list[Drop]] = [[] for _ in range(min(most, len(drops)))]
    sizes = [0] * len(batches)
    for drop in sorted(drops, key=lambda drop: -drop.bytes):
        smallest = sizes.index(min(sizes))
        batches[smallest].append(drop)
        sizes[smallest] += drop.bytes
    return batches


def _staging(
    reader: Reader, batches: list[list[Drop]], folder: str, layouts: tuple[ParquetLayout, ParquetLayout]
) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    """What a task does: stage the batches of drops whose numbers it is given, and tell their tallies."""

    def stage_batches(tasks: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        for task in tasks:
            for number in task.column("id").to_pylist():
                tallies = BlockReader(reader, batches[number]).stage(folder, *layouts)
                rows = [{"file": file, "tally": tally.as_json()} for file, tally in tallies.items()]
                yield pa.RecordBatch.from_pylist(rows, _TALLY)

    return stage_batches
