"""Read-only SQL over the tables of a lake, for `stedi query`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import duckdb
import pyarrow as pa

from stedi_common.contracts import Contract
from stedi_common.contracts.types import TYPES
from stedi_common.engines.embedded.damage import unreadable_data_file
from stedi_common.engines.embedded.session import as_duckdb_error, literal, quoted, redact
from stedi_common.errors import LakeError, QueryError, StediError

ResultType = TypeVar("ResultType")
#: By the type of a column, the SQL of its values: `{}` is the column. `None` is for all other types.
Casts = Mapping[str | None, str]

#: Functions that read or write files, or the state of the process, or hide from the checks what they run.
_REFUSED = re.compile(
    r"read_\w+|parquet_(?!normalize)\w+|\w+_scan|arrow_scan_dumb|glob|sniff_csv|getenv|query|query_table|json_execute_serialized_sql"
    r"|(en|dis)able_\w+|(force_)?checkpoint|\w+_external_resource\w*|truncate_duckdb_logs|write_log|python_map_function"
    r"|which_secret|duckdb_(secrets|extensions|logs\w*)"
)
_COMMENTS = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_SHOW_TABLES = re.compile(r"\s*SHOW\s+TABLES[\s;]*", re.IGNORECASE)
#: What SHOW TABLES runs: DuckDB's own shows the tables of one schema.
_TABLES = "SELECT schema_name || '.' || view_name AS name, comment FROM duckdb_views() WHERE NOT internal ORDER BY ALL"
_READ_ONLY = "the lake is read-only here, and files outside of its tables are not read"


def checked(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The statement as DuckDB runs it.

    Args:
        connection: looks at the statement, and does not run it.
        sql: the statement; comments and semicolons may be around it.

    Raises:
        QueryError: it is no SELECT, SHOW, DESCRIBE or SUMMARIZE, calls a function that is refused, or is not valid.
    """
    with query_errors():
        statement = _only_select(connection.extract_statements(sql))
        _expect_allowed(connection, statement)
    return _TABLES if _SHOW_TABLES.fullmatch(_COMMENTS.sub(" ", statement)) else statement


def mentions(sql: str, table: Contract) -> bool:
    """Whether the SQL may name the table. It cannot do so without its name: functions that take SQL are refused."""
    return table.name in sql.lower()


def _only_select(statements: Sequence[duckdb.Statement]) -> str:
    if len(statements) != 1:
        raise QueryError(f"query: expected one statement, got {len(statements) or 'none'}")
    (statement,) = statements
    if statement.type == duckdb.StatementType.MULTI:
        raise QueryError("query: expected one statement, got a PIVOT without values", "as in PIVOT … ON x IN (1, 2)")
    if statement.type != duckdb.StatementType.SELECT:
        raise _refused(_first_word(statement.query))
    if statement.named_parameters:
        raise QueryError("query: expected values, got a parameter")
    return _without_end(statement.query)


def _without_end(sql: str) -> str:
    """The statement without the semicolons and comments after it, which DuckDB does not accept in a subquery."""
    text = sql.encode()
    end = len(text)
    for start, kind in reversed(duckdb.tokenize(sql)):
        if kind != duckdb.token_type.comment and text[start:end].strip() != b";":
            break
        end = start
    return text[:end].decode()


def _expect_allowed(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    """Raise QueryError if the SELECT calls a refused function, or has another statement in it."""
    # As text: a nested expression may be too deep for a JSON parser. Quotes within its strings are escaped.
    (tree,) = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchone() or ("",)
    if not tree.startswith('{"error":false'):
        raise QueryError("query: expected a SELECT that can be checked, got one that DuckDB cannot serialize")
    for node in re.findall(r'"type":"(\w+)_QUERY_NODE"', tree):
        raise _refused(node)
    if re.search(r'"table_name":"[^"]*/', tree):
        raise _file()
    for name in re.findall(r'"function_name":"(\w+)"', tree):
        if _REFUSED.fullmatch(name):
            raise QueryError(f"query: expected tables of the lake, got the function {name}", hint=_READ_ONLY)


def _refused(statement: str) -> QueryError:
    return QueryError(
        f"query: expected SELECT, SHOW, DESCRIBE or SUMMARIZE, got {statement}", hint="the lake is read-only here"
    )


def _file() -> QueryError:
    return QueryError("query: expected tables of the lake, got a file", hint=_READ_ONLY)


def _first_word(sql: str) -> str:
    word = re.match(r"\W*(\w+)", _COMMENTS.sub(" ", sql))
    return word[1].upper() if word else "nothing"


@dataclass(frozen=True)
class Scan:
    """What reads a table.

    Attributes:
        select: a SELECT of its rows.
        files: the data files that it reads.
    """

    select: str
    files: Sequence[str]


@dataclass(frozen=True)
class Tables:
    """The tables that a query finds.

    Attributes:
        scans: those that may be read, and what reads them.
        unread: those that are not. They have columns and comments, and fail when their rows are read.
        failures: why they fail, by identifier.
    """

    scans: dict[Contract, Scan]
    unread: list[Contract]
    failures: dict[str, StediError]

    @property
    def files(self) -> dict[str, Sequence[str]]:
        """The data files that are read, by the identifier of their table."""
        return {table.identifier: scan.files for table, scan in self.scans.items()}


class Answer:
    """The answer to a query. It is computed while its batches are taken, and only once.

    Attributes:
        columns: the names of the columns, in order. Two may be equal.
    """

    def __init__(self, relation: duckdb.DuckDBPyRelation, run: Callable[[Callable[[], Any]], Any]) -> None:
        self._relation, self._run = relation, run
        self.columns: list[str] = relation.columns
        self._types = [type_.id for type_ in relation.types]

    def types(self) -> list[str]:
        """The names of the columns' types, as DuckDB has them, in lower case."""
        return list(self._types)

    def batches(self, casts: Casts, rows: int) -> Iterator[pa.RecordBatch]:
        """The rows, as record batches; at least one, which may be empty.

        Args:
            casts: what becomes of the values of each type.
            rows: at most so many are in a batch.
        """
        columns = ", ".join(
            f'{casts.get(type_, casts[None]).format(f"#{i}")} AS "{name.replace(chr(34), chr(34) * 2)}"'
            for i, (name, type_) in enumerate(zip(self.columns, self._types, strict=True), start=1)
        )
        reader = self._run(lambda: self._relation.project(columns).to_arrow_reader(rows))
        yield pa.RecordBatch.from_pylist([], schema=reader.schema)
        while True:
            try:
                yield self._run(reader.read_next_batch)
            except StopIteration:
                return


@contextmanager
def answered(connection: duckdb.DuckDBPyConnection, sql: str, tables: Tables) -> Iterator[Answer]:
    """The answer to a query.

    Args:
        connection: is restricted to the data files by the call, so it serves nothing but this query after it.
        sql: the query, as `checked` gives it.
        tables: the tables.

    Raises:
        QueryError: the SQL is wrong.
        StediError: a table that is read has failed.
        EngineError: DuckDB failed.
    """
    with ThreadPoolExecutor(1) as pool:

        def run(call: Callable[[], ResultType]) -> ResultType:
            """Call it in a thread: one that is in DuckDB would not notice Ctrl-C."""
            future = pool.submit(call)
            try:
                with query_errors(tables):
                    return future.result()
            except KeyboardInterrupt:
                connection.interrupt()
                raise

        run(lambda: _create_views(connection, tables))
        _restrict(connection, [file for files in tables.files.values() for file in files])
        yield Answer(run(lambda: connection.sql(sql)), run)


def _create_views(connection: duckdb.DuckDBPyConnection, tables: Tables) -> None:
    """Create a view of each table. One of a table that cannot be read fails later, if its rows are read."""
    for table, scan in list(tables.scans.items()):
        try:
            with query_errors(Tables({table: scan}, [], {})):
                connection.execute(_view(table, scan.select))
        except LakeError as error:
            del tables.scans[table]
            tables.unread.append(table)
            tables.failures[table.identifier] = error
    for table in tables.unread:
        connection.execute(_view(table, _unread(table)))


def _view(table: Contract, select: str) -> str:
    """The SQL of a view with the comments of the contract."""
    name = table.identifier
    comments = [f"COMMENT ON VIEW {name} IS '{quoted(table.description)}'"]
    comments += [f"COMMENT ON COLUMN {name}.\"{c.name}\" IS '{quoted(c.description)}'" for c in table.columns]
    return "; ".join([f"CREATE SCHEMA IF NOT EXISTS {table.zone}", f"CREATE VIEW {name} AS {select}", *comments])


def _unread(table: Contract) -> str:
    """A SELECT of the table's columns that fails when its rows are read: the query does not name the table."""
    nulls = ", ".join(f'CAST(NULL AS {TYPES[column.type].duckdb}) AS "{column.name}"' for column in table.columns)
    return f"SELECT {nulls} WHERE error('{_mark(table.identifier)}') IS NULL"


def _mark(identifier: str) -> str:
    return f"{identifier} is not read"


def _restrict(connection: duckdb.DuckDBPyConnection, files: Sequence[str]) -> None:
    """Allow the connection to read these files, and nothing else. No later statement changes that."""
    # DuckDB asks for the pattern, and for the file that it matches.
    paths = ", ".join(f"'{quoted(path)}'" for file in files for path in dict.fromkeys((file, literal(file))))
    connection.execute(f"SET allowed_paths = [{paths}]")
    connection.execute("SET enable_external_access = false")
    # DuckDB would look for the name of an unknown table among the variables of this program.
    connection.execute("SET python_enable_replacements = false")
    connection.execute("SET lock_configuration = true")


@contextmanager
def query_errors(tables: Tables | None = None) -> Iterator[None]:
    """Raise DuckDB's errors as ours. `tables` are those that are read."""
    try:
        yield
    except (duckdb.Error, OSError, pa.ArrowException) as error:
        raise _translated(as_duckdb_error(error), tables or Tables({}, [], {})) from None


def _translated(error: duckdb.Error, tables: Tables) -> StediError:
    message = str(error)
    if isinstance(error, duckdb.PermissionException):  # so is a data file that is missing
        return unreadable_data_file(tables.files, message) or _file()
    if isinstance(error, duckdb.CatalogException):
        missing = [failure for table, failure in tables.failures.items() if table.partition(".")[2] in message]
        return missing[0] if missing else QueryError(f"query: {message}")
    if isinstance(error, (duckdb.ParserException, duckdb.BinderException)):
        return QueryError(f"query: {message}")  # it quotes the query, not the data
    for table in tables.unread:
        if _mark(table.identifier) in message:
            return tables.failures.get(table.identifier) or QueryError(f"query: expected the name {table.identifier}")
    return unreadable_data_file(tables.files, message) or redact(error)
