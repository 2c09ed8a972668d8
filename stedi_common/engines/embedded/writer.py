"""Data files of the embedded engine: rows written to Parquet by DuckDB, in the table's partitions and order."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table

from stedi_common.contracts import Contract
from stedi_common.engines.embedded.catalog import field_ids
from stedi_common.engines.embedded.session import quoted
from stedi_common.engines.storage.checksums import name_with_checksum
from stedi_common.errors import StediError
from stedi_common.lake import Lake
from stedi_common.rules.frames import Frame

_DAY_FOLDER = "_day"


class DataFileWriter:
    """Writes rows to new data files of a table.

    Args:
        lake: the lake.
        connection: the connection that the rows are of.
        errors: returns a context that raises DuckDB's errors as ours.
    """

    def __init__(
        self, lake: Lake, connection: duckdb.DuckDBPyConnection, errors: Callable[[], AbstractContextManager[None]]
    ) -> None:
        self._lake, self._connection, self._errors = lake, connection, errors

    @contextmanager
    def written(self, contract: Contract, table: Table, rows: Frame) -> Iterator[list[str]]:
        """Write the rows to new data files. They are removed if the block, which commits them, fails.

        Args:
            contract: the table's.
            table: the table, for its field ids.
            rows: the rows.

        Yields:
            The URIs of the files.
        """
        # Not as the table says: Spark writes `file:/` where we write `file:///`.
        folder = Path(self._lake.table_location(contract).removeprefix("file://")) / "data" / uuid.uuid4().hex
        try:
            files = self._write(contract, table, rows, folder)
        except BaseException:  # Ctrl-C, too: nothing is committed yet
            shutil.rmtree(folder, ignore_errors=True)
            raise
        try:
            yield files
        except (CommitFailedException, StediError):
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _write(self, contract: Contract, table: Table, rows: Frame, folder: Path) -> list[str]:
        ids = ", ".join(f'"{name}": {field_id}' for name, field_id in field_ids(table).items())
        order = ", ".join(f'"{column}"' for column in contract.sort)
        day = f', CAST("{contract.partition.name}" AS DATE) AS {_DAY_FOLDER}' if contract.partition else ""
        relation = rows.select(*contract.names).to_native()
        folder.mkdir(parents=True)
        partitioning = f"PARTITION_BY ({_DAY_FOLDER})" if day else "FILE_SIZE_BYTES '256MB'"
        with self._errors():
            copied = self._connection.execute(
                f"COPY (SELECT *{day} FROM ({relation.sql_query()}) {f'ORDER BY {order}' if order else ''}) "
                f"TO '{quoted(str(folder))}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, "
                f"FIELD_IDS {{{ids}}}, WRITE_BLOOM_FILTER false, {partitioning}, "
                "FILENAME_PATTERN '{uuidv7}', RETURN_STATS)"
            ).fetchall()
        return [f"file://{_with_checksum(Path(file))}" for file, count, *_ in copied if count]


def _with_checksum(file: Path) -> Path:
    """Rename the file so that its name has its checksum."""
    return file.rename(file.with_name(name_with_checksum(file)))
