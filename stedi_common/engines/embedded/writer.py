"""Data files of the embedded engine: rows written to Parquet by DuckDB, in the table's partitions and order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import Table

from stedi_common.contracts import Contract
from stedi_common.engines.embedded.catalog import field_ids
from stedi_common.engines.embedded.data_storage import DataStorage
from stedi_common.engines.embedded.session import quoted
from stedi_common.errors import StediError, UnknownCommitError
from stedi_common.rules.frames import Frame

_DAY_FOLDER = "_day"


class DataFileWriter:
    """Writes rows to new data files of a table.

    Args:
        storage: the storage of the lake.
        connection: the connection that the rows are of.
        errors: returns a context that raises DuckDB's errors as ours.
    """

    def __init__(
        self,
        storage: DataStorage,
        connection: duckdb.DuckDBPyConnection,
        errors: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._storage, self._connection, self._errors = storage, connection, errors

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
        draft = self._storage.draft(contract)
        try:
            files = self._storage.publish(contract, draft, self._write(contract, table, rows, draft))
        except BaseException:  # Ctrl-C, too: nothing is committed yet
            self._storage.discard(contract, draft)
            raise
        try:
            yield files
        except UnknownCommitError:
            raise
        except (CommitFailedException, StediError):
            self._storage.discard(contract, draft)
            raise

    def _write(self, contract: Contract, table: Table, rows: Frame, folder: Path) -> list[Path]:
        ids = ", ".join(f'"{name}": {field_id}' for name, field_id in field_ids(table).items())
        order = ", ".join(f'"{column}"' for column in contract.sort)
        day = f', CAST("{contract.partition.name}" AS DATE) AS {_DAY_FOLDER}' if contract.partition else ""
        relation = rows.select(*contract.names).to_native()
        partitioning = f"PARTITION_BY ({_DAY_FOLDER})" if day else "FILE_SIZE_BYTES '256MB'"
        with self._errors():
            copied = self._connection.execute(
                f"COPY (SELECT *{day} FROM ({relation.sql_query()}) {f'ORDER BY {order}' if order else ''}) "
                f"TO '{quoted(str(folder))}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, "
                f"FIELD_IDS {{{ids}}}, WRITE_BLOOM_FILTER false, {partitioning}, "
                "FILENAME_PATTERN '{uuidv7}', RETURN_STATS)"
            ).fetchall()
        return [Path(file) for file, count, *_ in copied if count]
