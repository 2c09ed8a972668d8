"""The connection to DuckDB: its settings, its memory, and its errors without what they quote."""

from __future__ import annotations

import os
import re
from typing import cast

import duckdb

from stedi_common.errors import EngineError, LakeError, ServiceError, StorageError, service_error, storage_error

#: Sets DuckDB's share of the memory; readers, writers and Python need about 400 MB more.
MEMORY = "STEDI_MEMORY"
DEFAULT_MEMORY = "1200MB"

#: What DuckDB takes for a pattern in the path of a file.
_WILDCARD = re.compile(r"[*?\[]")


def connect(folder: str) -> duckdb.DuckDBPyConnection:
    """A new connection to a database in memory.

    Args:
        folder: below which DuckDB spills what does not fit.

    Raises:
        LakeError: the environment variable `STEDI_MEMORY` is no amount of memory.
        EngineError: there is no memory for it.
    """
    try:
        return _connect(folder)
    except duckdb.Error as error:  # there is not even memory to start
        raise redact(error) from None


def _connect(folder: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    try:
        connection.execute(f"SET memory_limit = '{quoted(_memory())}'")
    except duckdb.Error:
        raise LakeError(f"{MEMORY}: expected memory as in 4GB, got {_memory()}") from None
    connection.execute(f"SET temp_directory = '{quoted(folder)}/spill'")
    connection.execute("SET preserve_insertion_order = false")
    # It takes each of our tables for one row. A join hashes what is written on its right, which is the smaller side.
    connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
    # A run reads the same footers many times, and data files never change.
    connection.execute("SET parquet_metadata_cache = true")
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET autoinstall_known_extensions = false")
    return connection


def redact(error: duckdb.Error) -> EngineError | ServiceError | StorageError:
    """The error without its message, which may quote values."""
    kind = type(error).__name__
    if isinstance(error, duckdb.OutOfMemoryException):
        out_of_memory = EngineError(
            f"engine embedded: {_memory()} of memory, and what may be spilled to disk, were not enough",
            hint=f"allow more, as in {MEMORY}=4GB",
        )
        out_of_memory.is_out_of_resources = True
        return out_of_memory
    if problem := storage_error(str(error)) or service_error(str(error)):
        return problem
    return EngineError(f"engine embedded: DuckDB stopped with {kind}; its message may hold personal data")


def as_duckdb_error(error: Exception) -> duckdb.Error:
    """The error as DuckDB's own. Where rows are streamed as Arrow, only its message says which kind it is."""
    if isinstance(error, duckdb.Error):
        return error
    kind = str(error).partition(" Error: ")[0].replace(" ", "").casefold()
    found = next((name for name in dir(duckdb) if name.casefold() == f"{kind}exception"), "Error")
    return cast("duckdb.Error", getattr(duckdb, found)(str(error)))


def quoted(text: str) -> str:
    """The text as it stands between quotes in SQL."""
    return text.replace("'", "''")


def literal(path: str) -> str:
    """The pattern that matches this path only: in a lake called `a*`, a file would be that of the lake `ab`, too."""
    return _WILDCARD.sub(r"[\g<0>]", path)


def _memory() -> str:
    return os.environ.get(MEMORY) or DEFAULT_MEMORY
