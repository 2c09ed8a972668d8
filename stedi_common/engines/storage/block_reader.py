"""Reading drops into a staging folder, block by block."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, takewhile
from threading import Lock

import pyarrow as pa
import pyarrow.compute as pc

from stedi_common.contracts import contract
from stedi_common.engines.storage import fingerprints
from stedi_common.engines.storage.parquet import ParquetLayout, PartitionedWriter
from stedi_common.engines.storage.staging import FINGERPRINTS, RECORDS, REJECTED
from stedi_common.records import Block, Drop, Reader
from stedi_common.records.tally import Tally

#: The table that the rejected lines are for.
REJECTED_RECORDS = contract("rejected_records")


class BlockReader:
    """Reads the blocks of some drops in several threads: each takes the next one when it is done with one."""

    def __init__(self, reader: Reader, drops: Sequence[Drop]) -> None:
        self._blocks = chain.from_iterable(map(self._blocks_of, drops))
        self._reader = reader
        self._turn = Lock()
        self._skipped: set[str] = set()
        self._rejected: Counter[str] = Counter()
        self._damage: Counter[str] = Counter()
        self._is_stopped = False

    def stop(self) -> None:
        """Let no thread take another block: what is staged is not going to be needed."""
        self._is_stopped = True

    def stage(self, folder: str, records_in: ParquetLayout, rejected_in: ParquetLayout) -> dict[str, Tally]:
        """Parse blocks until there are none.

        Args:
            folder: into whose subfolders the records, their fingerprints and the rejected lines are written.
            records_in: the layout of the records.
            rejected_in: the layout of the rejected lines.

        Returns:
            The tallies of the files that the blocks are of.
        """
        tallies: dict[str, Tally] = {}
        keys = contract(f"{self._reader.source}_landing").keys
        with (
            PartitionedWriter(f"{folder}/{RECORDS}", records_in) as records,
            PartitionedWriter(f"{folder}/{FINGERPRINTS}", ParquetLayout(fingerprints.SCHEMA)) as prints,
            PartitionedWriter(f"{folder}/{REJECTED}", rejected_in) as rejected,
        ):
            for block in iter(self._next, None):
                for lines, tally in self._reader.parse(block):
                    total = tallies.setdefault(block.name, Tally())
                    total.add(tally)
                    self._count_rejected(block.name, tally.rejected)
                    # Its rows are not needed: it is read again as objects, or is skipped. When reading stops depends on
                    # the threads; whether the file is too damaged does not.
                    if total.is_objects or self._is_too_damaged(block.name, tally.damage):
                        self._skipped.add(block.name)
                    marks = lines.column("mark")
                    good = lines if marks.null_count == len(lines) else lines.filter(pc.is_null(marks))
                    total.records += len(good)
                    records.add(self._rows(good, records_in.schema))
                    prints.add(fingerprints.of(good, keys))
                    bad = lines.filter(pc.is_valid(marks))
                    total.rejected_rows += len(bad)
                    rejected.add(self._rows(bad, rejected_in.schema))
        return tallies

    def _rows(self, lines: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
        """The lines as rows of a table."""
        count = len(lines)
        columns = dict(zip(lines.schema.names, lines.columns, strict=True)) | {
            "source": pa.repeat(self._reader.source, count),
            "arrived_at": pa.repeat(pa.scalar(self._reader.arrived_at, pa.timestamp("us")), count),
        }
        return pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)

    def _next(self) -> Block | None:
        with self._turn:
            block = None if self._is_stopped else next(self._blocks, None)
            # Blocks come in order, so what has been rejected comes before this one.
            return block and block._replace(rejected_rows=block.rejected_rows - self._rejected[block.name])

    def _blocks_of(self, drop: Drop) -> Iterator[Block]:
        """The blocks of a drop, as far as they are needed."""
        return takewhile(lambda _: drop.name not in self._skipped, self._reader.blocks(drop))

    def _is_too_damaged(self, file: str, damage: int) -> bool:
        if not damage:
            return False
        with self._turn:
            self._damage[file] += damage
            return self._reader.is_too_damaged(self._damage[file])

    def _count_rejected(self, file: str, lines: int) -> None:
        if lines:
            with self._turn:
                self._rejected[file] += lines


def merged(tallies: Iterable[Mapping[str, Tally]]) -> dict[str, Tally]:
    """One tally for each file, of those of its blocks."""
    total: dict[str, Tally] = {}
    for by_file in tallies:
        for file, tally in by_file.items():
            total.setdefault(file, Tally()).add(tally)
    return total
