"""DuckDB, one for each query: nothing of the host's within its reach."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds
from duckdb.sqltypes import DuckDBPyType

from . import functions, types
from .exceptions import QueryError
from .planning import Plan, Scan

MEMORY_LIMIT = "2GB"
THREADS = "2"
BATCH = 10_000


class Engine:
    """A database in memory, with Trino's functions and without files, extensions or network."""

    def __init__(self) -> None:
        self._interrupted = False
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "allow_community_extensions": "false",
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "enable_external_access": "false",
                "memory_limit": MEMORY_LIMIT,
                "threads": THREADS,
            },
        )
        for statement in (
            "SET TimeZone = 'UTC'",
            "SET lambda_syntax = 'ENABLE_SINGLE_ARROW'",
            "SET python_enable_replacements = false",
            "CREATE SCHEMA trino",
            functions.SQL,
            "SET lock_configuration = true",
        ):
            self._connection.execute(statement)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def interrupt(self) -> None:
        """Stop whatever runs, and begin nothing more; callable from another thread."""
        self._interrupted = True
        self._connection.interrupt()

    def evaluate(self, expression: str) -> Any:
        """The value of an expression without columns."""
        with _errors():
            value: Any = self._connection.execute(f"SELECT {expression} AS value").fetch_arrow_table()[0][0].as_py()
            return value

    def texts(self, plan: Plan) -> tuple[list[types.Column], Iterator[list[list[str | None]]]]:
        """The result as Athena writes it: its columns, and batches of rows."""
        with _errors():
            relation = self._relation(plan)
            names = [f"c{i}" for i in range(len(plan.outputs))]
            columns = [types.column(*each) for each in zip(plan.outputs, relation.types, strict=True)]
            values = [types.text(*each) for each in zip(names, relation.types, plan.outputs, strict=True)]
            select = f"SELECT {', '.join(values)} FROM ({plan.sql}) AS result({', '.join(names)})"  # noqa: S608
            reader = self._connection.execute(select).fetch_record_batch(BATCH)
            return columns, _rows(reader)

    def arrow(self, plan: Plan) -> pa.Table:
        """The result as Arrow, its columns called as the query calls them."""
        with _errors():
            relation = self._relation(plan)
            names = [f"c{i}" for i in range(len(plan.outputs))]
            values = [types.narrowed(*each) for each in zip(names, relation.types, strict=True)]
            select = f"SELECT {', '.join(values)} FROM ({plan.sql}) AS result({', '.join(names)})"  # noqa: S608
            rows = self._connection.execute(select).fetch_arrow_table()
            return rows.rename_columns([output.label.lower() for output in plan.outputs])

    def types(self, plan: Plan) -> list[DuckDBPyType]:
        """The types of the result's columns."""
        with _errors():
            return list(self._relation(plan).types)

    def _relation(self, plan: Plan) -> duckdb.DuckDBPyRelation:
        if self._interrupted:
            raise duckdb.InterruptException
        for name, scan in plan.scans.items():
            self._connection.register(name, Source(scan))
        return self._connection.sql(plan.sql)


class Source(ds.InMemoryDataset):
    """A scan that DuckDB opens anew each time: one mention in a query may be read many times, even at once."""

    def __init__(self, scan: Scan) -> None:
        super().__init__([], schema=scan.open().schema)
        self._scan = scan

    def scanner(self, columns: list[str] | None = None, filter: ds.Expression | None = None, **_: Any) -> "Reading":  # noqa: A002
        """What DuckDB calls for each reading."""
        return Reading(self._scan.open(), columns or self.schema.names, filter)


@dataclass(frozen=True)
class Reading:
    """In DuckDB's own thread. In one of Arrow's, as its scanner reads, it would wait for those that its files need."""

    rows: pa.RecordBatchReader
    columns: list[str]
    condition: ds.Expression | None

    def to_reader(self) -> pa.RecordBatchReader:
        """What DuckDB reads."""
        schema = pa.schema([self.rows.schema.field(name) for name in self.columns])
        return pa.RecordBatchReader.from_batches(schema, self._batches())

    def _batches(self) -> Iterator[pa.RecordBatch]:
        for batch in self.rows:
            rows = pa.Table.from_batches([batch])
            kept = rows if self.condition is None else rows.filter(self.condition)
            yield from kept.select(self.columns).to_batches()


def _rows(reader: pa.RecordBatchReader) -> Iterator[list[list[str | None]]]:
    with _errors():
        for batch in reader:
            yield [list(row) for row in zip(*(column.to_pylist() for column in batch.columns), strict=True)]


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except duckdb.InterruptException:
        raise
    except duckdb.Error as error:
        raise translated(str(error)) from error
    except OSError as error:
        # What a scan raises comes back through Arrow as text.
        raise translated(str(error)) from error


def translated(message: str) -> QueryError:
    """DuckDB's error, in Trino's words where they are known."""
    for pattern, name, reason in ERRORS:
        if match := re.search(pattern, message, re.DOTALL | re.MULTILINE):
            return QueryError(match.expand(name), match.expand(reason))
    return QueryError("GENERIC_INTERNAL_ERROR", message.splitlines()[0])


ERRORS = [
    (r"string '([A-Z_]+): (.*)' to INT", r"\1", r"\2"),
    (r"Could not convert string '(.*)' to (\w+)", "INVALID_CAST_ARGUMENT", r"Cannot cast '\1' to \2"),
    (r"Could not parse string \"(.*?)\"", "INVALID_FUNCTION_ARGUMENT", r'Invalid format: "\1"'),
    (r"(Overflow in .*|[^:]*out of range.*?)!?$", "NUMERIC_VALUE_OUT_OF_RANGE", r"\1"),
    (
        r'column "?(.*?)"? must appear in the GROUP BY',
        "EXPRESSION_NOT_AGGREGATE",
        r"'\1' must be an aggregate expression or appear in GROUP BY clause",
    ),
    (
        r'(?:Referenced \w+|Could not find key) "(.*?)" (?:not found|in struct)',
        "COLUMN_NOT_FOUND",
        r"Column '\1' cannot be resolved or requester is not authorized to access requested resources",
    ),
    (
        r"argument types '(?:trino\.)?(\w+)\((.*?)\)'",
        "FUNCTION_NOT_FOUND",
        r"Unexpected parameters (\2) for function \1",
    ),
    (r"Macro (?:\w+ )?\W?(\w+).*supplied arguments", "FUNCTION_NOT_FOUND", r"Unexpected parameters for function \1"),
    (r"Path does not exist '(.*?)'", "ICEBERG_CANNOT_OPEN_SPLIT", r"Error opening Iceberg split s3://\1"),
    (r"More than one row returned", "SUBQUERY_MULTIPLE_ROWS", "Scalar sub-query has returned multiple rows"),
    (r"^Out of Memory", "EXCEEDED_LOCAL_MEMORY_LIMIT", f"Query exceeded the memory limit of {MEMORY_LIMIT}"),
]
"""What DuckDB says, and what Trino would say."""
