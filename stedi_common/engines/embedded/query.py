"""Read-only SQL over the tables of a lake, for `stedi query`."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import duckdb

from stedi_common.engines.embedded.session import quoted, redact
from stedi_common.errors import QueryError

#: Column names and rows.
ColumnsAndRows = tuple[list[str], list[tuple[Any, ...]]]


def expect_select(sql: str) -> None:
    """Raise QueryError unless the SQL is one SELECT."""
    try:
        kinds = [statement.type for statement in duckdb.extract_statements(sql)]
    except duckdb.ParserException as error:
        raise QueryError(f"query: {error}") from None
    if kinds != [duckdb.StatementType.SELECT]:
        raise QueryError("query: expected one SELECT, got something else", hint="the lake is read-only here")


def answer(connection: duckdb.DuckDBPyConnection, sql: str, tables: Mapping[str, str], folder: str) -> ColumnsAndRows:
    """The answer to a SELECT.

    Args:
        connection: is restricted to the lake by the call, so it serves nothing but queries after it.
        sql: one SELECT, as `expect_select` has seen.
        tables: by the name `zone.table`, a SELECT of the rows of each table.
        folder: the lake's, outside of which no file is read.

    Raises:
        QueryError: the SQL is wrong.
        EngineError: DuckDB failed.
    """
    for name, select in tables.items():
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {name.partition('.')[0]}")
        connection.execute(f"CREATE OR REPLACE VIEW {name} AS {select}")
    connection.execute(f"SET allowed_directories = ['{quoted(folder)}/']")
    connection.execute("SET enable_external_access = false")
    try:
        return _interruptible(connection, sql)
    except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
        # These quote the query, not the data.
        raise QueryError(f"query: {error}") from None
    except duckdb.Error as error:
        raise redact(error) from None


def _interruptible(connection: duckdb.DuckDBPyConnection, sql: str) -> ColumnsAndRows:
    """The answer to any SQL. Ctrl-C stops it, which a thread that is in DuckDB would not notice."""

    def execute() -> ColumnsAndRows:
        found = connection.execute(sql)
        return [column[0] for column in found.description], found.fetchall()

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(execute)
        try:
            return future.result()
        except KeyboardInterrupt:
            connection.interrupt()
            raise
