# ruff: noqa: S608 - the SQL is the tests' own
"""`stedi query`: what it answers, in which form, what it refuses, and what it does with a damaged lake."""

import csv
import io
import json
import os
import pty
import shutil
import subprocess
import sys
from datetime import UTC, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyiceberg.catalog.sql import SqlCatalog
from support.cli import DROPS, error_lines
from support.commands import python
from support.commands import stedi as program
from support.drops import at, customer, landing
from support.lakes import write
from support.processes import PATIENCE

from stedi_common.cli.names import FORMATS
from stedi_common.contracts import contract, names
from stedi_common.engines.embedded import formats
from stedi_common.engines.embedded import query as embedded_query
from stedi_common.engines.embedded.engine import EmbeddedEngine
from stedi_common.instants import from_milliseconds
from stedi_common.lake import CATALOG, Lake
from stedi_common.query import answer

TABLE = "trusted.customer_trusted"
FILES = "query: expected tables of the lake, got"
STREAMED = [name for name in FORMATS if name != "parquet"]


@pytest.fixture(autouse=True)
def no_terminal(monkeypatch):
    """Standard input is empty, whatever runs the tests."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))


@pytest.fixture
def own(stedi, tmp_path):
    """The command line, where all tables are made, in a lake of the test's own."""
    write(tmp_path / "drops", DROPS)
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_text("00" * 32)
    for command in ("land", "run"):
        assert stedi(command, "--key-file", key).code == 0
    return stedi


def typed(monkeypatch, sql):
    """Put the SQL on standard input."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(sql.encode())))


def rows(said):
    assert (said.code, said.err) == (0, "")
    return json.loads(said.out)


class Process(NamedTuple):
    """`stedi query` in a process of its own."""

    code: int
    out: bytes
    err: bytes


def query_process(folder, *words, columns=80, terminal=False, read=None):
    """Run it, with standard output in a pipe or a terminal. `read` is for how many lines the pipe stays open."""
    command = [sys.executable, "-m", "stedi_common.cli", "query", *words]
    reading, writing = pty.openpty() if terminal else os.pipe()
    environment = {**os.environ, "COLUMNS": str(columns), "TERM": "dumb"}
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=writing, stderr=subprocess.PIPE, env=environment
    )
    os.close(writing)
    blocks: list[bytes] = []
    while read is None or b"".join(blocks).count(b"\n") < read:
        try:
            blocks.append(os.read(reading, 65536))
        except OSError:  # the end, of a terminal
            break
        if not blocks[-1]:
            break
    os.close(reading)
    _, err = process.communicate(timeout=PATIENCE)
    return Process(process.returncode, b"".join(blocks), err)


# What it answers


def test_a_query_answers(made):
    said = made("query", "--json", "SELECT user, timestamp FROM trusted.accelerometer_trusted")
    assert json.loads(said.out) == [{"user": "ann@example.org", "timestamp": "2024-05-01T09:00:00"}]


@pytest.mark.parametrize(
    "sql",
    [
        "-- a comment\nSELECT 1 AS a",
        "--a comment, a=b\nSELECT 1 AS a",
        "/* a comment */ SELECT 1 AS a",
        "SELECT 1 AS a;",
        "SELECT 1 AS a ; -- the end\n;",
        "SELECT length('é')::INT AS a; /* é */",
        "WITH t AS (SELECT 1 AS a) SELECT * FROM t",
        "FROM (VALUES (1)) t(a)",
        f"SELECT count(*)::INT AS a FROM {TABLE}",
        "SELECT count(*)::INT AS a FROM TRUSTED.Customer_Trusted",
    ],
)
def test_every_form_of_select(made, sql):
    assert rows(made("query", "--json", sql)) == [{"a": 1}]


def test_an_option_that_is_misspelled_is_no_comment(made):
    assert made("query", "--jsn", "SELECT 1").code == 2


def test_the_tables_are_listed(made):
    listed = rows(made("query", "--json", "/* all */ show Tables;"))
    assert {each["name"]: each["comment"] for each in listed} == {
        contract(name).identifier: contract(name).description for name in names()
    }


@pytest.mark.parametrize("statement", ["DESCRIBE", "SUMMARIZE"])
def test_the_columns_of_a_table(made, statement):
    described = rows(made("query", "--json", f"{statement} {TABLE}"))
    assert [each["column_name"] for each in described] == list(contract("customer_trusted").names)


def test_the_comments_are_those_of_the_contracts(made):
    said = made("query", "--json", "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal")
    found = {(each["table_name"], each["column_name"]): each["comment"] for each in rows(said)}
    assert found == {(name, c.name): c.description for name in names() for c in contract(name).columns}


@pytest.mark.parametrize("name", FORMATS)
def test_instants_need_no_pytz(made, name, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pytz", None)
    sql = "SELECT TIMESTAMPTZ '2024-05-01 09:00:00+02' AS a, DATE '2024-05-01' AS b, [a] AS c"
    said = made("query", "--format", name, "--output", tmp_path / "x", sql)
    assert (said.code, said.err) == (0, "")
    assert b"2024-05-01" in (tmp_path / "x").read_bytes() or name == "parquet"


def test_json_has_what_python_reads(made):
    sql = """SELECT 'nan'::DOUBLE AS nan, 'inf'::FLOAT AS inf, [1.5, 'nan'::DOUBLE] AS list, {'a': '-inf'::DOUBLE} AS o,
        1.5::DOUBLE AS number, 1180591620717411303424::HUGEINT AS big, sum(7) AS total, 1.25 AS dec,
        TIMESTAMPTZ '2024-05-01 09:00:00+02' AS z,
        TIMESTAMP '2024-05-01 09:00:00.5' AS t, DATE '2024-05-01' AS d, true AS yes, NULL AS nothing, '"é' AS text"""
    (row,) = rows(made("query", "--json", sql))
    assert row == {
        **{"nan": None, "inf": None, "list": [1.5, None], "o": {"a": None}},
        **{"number": 1.5, "big": 2**70, "total": 7, "dec": 1.25, "z": "2024-05-01T07:00:00+00:00"},
        **{"t": "2024-05-01T09:00:00.5", "d": "2024-05-01", "yes": True, "nothing": None, "text": '"é'},
    }


def test_equal_names_stay_apart_where_a_name_means_one_value(made, tmp_path):
    sql = "SELECT 1 AS a, 2 AS a, 3 AS a_1"
    assert rows(made("query", "--json", sql)) == [{"a": 1, "a_1": 2, "a_1_1": 3}]
    made("query", "--output", tmp_path / "x.parquet", sql)
    assert pq.read_table(tmp_path / "x.parquet").to_pylist() == [{"a": 1, "a_1": 2, "a_1_1": 3}]
    assert made("query", sql).out == "a a a_1\n1 2 3\n"


@pytest.mark.parametrize("name", FORMATS)
def test_every_type_can_be_written(made, name, tmp_path):
    sql = "SELECT * EXCLUDE (empty_struct) FROM test_all_types()"
    assert made("query", "--format", name, "--output", tmp_path / "x", sql).err == ""
    if name in {"json", "ndjson"}:
        lines = (tmp_path / "x").read_text().splitlines()
        json.loads(lines[0], parse_constant=pytest.fail)


def test_a_type_that_parquet_lacks_is_one_line(made, tmp_path):
    said = made("query", "--output", tmp_path / "x.parquet", "SELECT [INTERVAL 1 DAY] AS a")
    assert error_lines(said)[0] == "error: query: expected types that Parquet has, got another"
    assert not (tmp_path / "x.parquet").exists()


def test_a_wrong_query_is_an_error_with_its_reason(made):
    assert (
        'error: query: Binder Error: Referenced column "emial" not found'
        in made("query", "SELECT emial FROM trusted.customer_trusted").err
    )


@pytest.mark.parametrize("place", ["CAST(email AS INT)", "CASE WHEN i = 9999999 THEN CAST(email AS INT) END"])
def test_a_query_that_fails_on_a_value_does_not_print_it(made, place):
    """Also if it fails after many rows."""
    said = made("query", "--format", "csv", f"SELECT {place} FROM {TABLE}, range(10000000) t(i)")
    assert "error: engine embedded: DuckDB stopped with ConversionException" in said.err
    assert "ann@" not in said.err


def test_too_little_memory_is_an_error_with_a_hint(made, monkeypatch):
    monkeypatch.setenv("STEDI_MEMORY", "20MB")
    error = made("query", "SELECT list(a.range) FROM range(10000000) a").err
    assert error == (
        "error: engine embedded: 20MB of memory, and what may be spilled to disk, were not enough\n"
        "hint:  allow more, as in STEDI_MEMORY=4GB\n"
    )
    assert made("query", "SELECT 1").code == 0


def test_what_does_not_fit_is_spilled(made, monkeypatch):
    monkeypatch.setenv("STEDI_MEMORY", "60MB")
    assert made("query", "SELECT hash(i) AS h FROM range(8000000) t(i) ORDER BY h LIMIT 1 OFFSET 7000000").code == 0


def test_a_query_can_be_stopped(made_folder):
    """By Ctrl-C, whatever DuckDB is doing: this one would take days."""
    script = """
import os, signal, sys, threading
from stedi_common.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background has it ignored
threading.Timer(5, os.kill, (os.getpid(), signal.SIGINT)).start()
sys.argv = ["stedi", *sys.argv[1:]]
main()
"""
    sql = "SELECT count(*) FROM range(3000000) a(x), range(3000000) b(y) WHERE a.x + b.y > 3"
    said = python("-c", script, "query", "--lake", made_folder / "lake", sql)
    assert said.code != 0
    assert "Traceback" not in said.err


# Whole and streamed


@pytest.mark.parametrize("name", STREAMED)
def test_every_row_and_value_is_whole_in_a_pipe(made_folder, name):
    sql = "SELECT i, repeat('é', 100) || i AS text FROM range(12000) t(i) ORDER BY i"
    said = query_process(made_folder, "--format", name, sql)
    assert (said.code, said.err) == (0, b"")
    out = said.out.decode()
    if name == "table":
        found = [line.split() for line in out.splitlines()[1:]]
    elif name == "csv":
        found = list(csv.reader(io.StringIO(out)))[1:]
    else:
        records = json.loads(out) if name == "json" else [json.loads(line) for line in out.splitlines()]
        found = [[str(value) for value in record.values()] for record in records]
    assert found == [[str(i), "é" * 100 + str(i)] for i in range(12000)]


def test_a_terminal_has_the_first_rows_and_says_so(made_folder):
    out = query_process(made_folder, "SELECT i FROM range(5000) t(i) ORDER BY i", terminal=True).out.decode()
    lines = out.splitlines()
    assert lines[:101] == ["i", *map(str, range(100))]
    assert lines[101:] == ["… the first 100 rows; a pipe, a file and --format csv have all"]
    all_rows = query_process(made_folder, "--format", "csv", "SELECT i FROM range(5000) t(i)", terminal=True).out
    assert len(all_rows.splitlines()) == 5001


@pytest.mark.parametrize("name", ["csv", "json", "ndjson"])
def test_a_terminal_shows_no_control_characters_in_any_format(made_folder, name):
    sql = "SELECT 'é' || chr(27) || '[2J' || chr(127) || chr(155) AS v, 1 AS w"
    out = query_process(made_folder, "--format", name, sql, terminal=True).out.decode().replace("\r\n", "\n")
    assert out.count("\n") == {"csv": 2, "json": 1, "ndjson": 1}[name]
    assert out.replace("\n", "").isprintable()
    piped = query_process(made_folder, "--format", name, sql).out.decode()
    assert ("\x1b" in piped) == (name == "csv")


def test_a_value_that_is_wider_than_the_terminal_is_whole(made_folder):
    sql = "SELECT 1 AS a, repeat('x', 200) AS b, '\x1b[31m' || chr(10) AS c"
    out = query_process(made_folder, sql, columns=60, terminal=True).out.decode()
    assert out.splitlines() == ["row 1", "  a: 1", f"  b: {'x' * 200}", r"  c: \x1b[31m\x0a"]


def test_a_line_of_a_table_is_a_row(made):
    assert (
        made("query", "SELECT 'a' || chr(10) || chr(133) AS x, NULL AS y").out
        == "x         y\n" + r"a\x0a\x85 null" + "\n"
    )


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.text(), st.one_of(st.none(), st.text())), min_size=1, max_size=20))
def test_csv_is_read_as_it_was_written(made_folder, values):
    texts = [(a.replace("\0", ""), None if b is None else b.replace("\0", "")) for a, b in values]
    relation = duckdb.connect().from_arrow(pa.table({"a": [a for a, _ in texts], "b": [b for _, b in texts]}, ARROW))
    to = io.BytesIO()
    formats.write_csv(embedded_query.Answer(relation, lambda call: call()), to)
    assert pa.csv.read_csv(io.BytesIO(to.getvalue()), parse_options=LINES, convert_options=NULLS).to_pylist() == [
        {"a": a, "b": b} for a, b in texts
    ]


ARROW = pa.schema({"a": pa.string(), "b": pa.string()})
LINES = pa.csv.ParseOptions(newlines_in_values=True)
NULLS = pa.csv.ConvertOptions(
    column_types=ARROW, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
)


@pytest.mark.parametrize(
    "name", [name if name in {"csv", "parquet"} else pytest.param(name, marks=pytest.mark.long) for name in FORMATS]
)
def test_memory_is_bounded(made_folder, name, tmp_path):
    """The answer alone is 600 MB."""
    script = """
import resource, sys
from pathlib import Path
from stedi_common.cli import main

def megabytes():
    # On Linux `ru_maxrss` may be of the process that has started this one.
    if not Path("/proc/self/status").exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 2**20
    (peak,) = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:")]
    return int(peak) // 1024

try:
    sys.argv = ["stedi", *sys.argv[1:]]
    main()
finally:
    print(megabytes(), file=sys.stderr)
"""
    sql = "SELECT i, md5(i::VARCHAR) || repeat('x', 2000) AS text FROM range(300000) t(i)"
    words = ("query", "--lake", made_folder / "lake", "--format", name, "--output", tmp_path / "x", sql)
    assert int(python("-c", script, *words).err) < 500


@pytest.mark.parametrize("name", ["table", "csv", "ndjson"])
def test_a_closed_pipe_ends_the_query_quietly(made_folder, name):
    """As `| head -2` closes it. The query itself would take days."""
    said = query_process(made_folder, "--format", name, "SELECT i FROM range(1000000000000) t(i)", read=2)
    assert (said.code, said.err) == (0, b"")
    assert said.out.startswith(b'{"i": 0}' if name == "ndjson" else b'"i"\n' if name == "csv" else b"i\n0\n")


def test_a_closed_pipe_leaves_no_staged_files(made_folder):
    query_process(made_folder, "SELECT i FROM range(1000000000000) t(i)", read=2)
    assert list((made_folder / "lake").glob(".staging-*")) == []


# Where the SQL comes from


def test_sql_from_a_file(made, tmp_path):
    (tmp_path / "q.sql").write_bytes(b"\xef\xbb\xbf-- what it is\nSELECT 1 AS a;\n")
    assert rows(made("query", "--json", "--file", tmp_path / "q.sql")) == [{"a": 1}]


@pytest.mark.parametrize("words", [[], ["-"]])
def test_sql_from_standard_input(made, monkeypatch, words):
    typed(monkeypatch, "SELECT 1 AS a;\n")
    assert rows(made("query", "--json", *words)) == [{"a": 1}]


def test_no_sql_at_a_terminal_is_wrong_usage(made, monkeypatch):
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    said = made("query")
    assert said.code == 2
    assert "expected SQL as an argument, in a --file, or on standard input" in said.err


def test_sql_from_two_places_is_wrong_usage(made):
    assert made("query", "--file", "q.sql", "SELECT 1").code == 2


def test_a_file_that_cannot_be_read_is_one_line(made, tmp_path):
    assert error_lines(made("query", "--file", tmp_path)) == [
        f"error: query: expected a file of SQL, got Is a directory at {tmp_path}"
    ]
    (tmp_path / "q.sql").write_bytes(b"SELECT '\xe9'")
    (error,) = error_lines(made("query", "--file", tmp_path / "q.sql"))
    assert error.startswith("error: query: expected SQL in UTF-8, got another encoding")


# Where the answer goes


@pytest.mark.parametrize(("ending", "name"), [("csv", "csv"), ("json", "json"), ("ndjson", "ndjson"), ("txt", "table")])
def test_the_ending_of_the_file_says_the_format(made, tmp_path, ending, name):
    file = tmp_path / f"x.{ending}"
    said = made("query", "--output", file, f"SELECT * FROM {TABLE}")
    assert (said.code, said.out, said.err) == (0, "", "")
    assert file.read_text() == made("query", "--format", name, f"SELECT * FROM {TABLE}").out


def test_parquet_has_the_types_of_the_table(made, tmp_path):
    made("query", "--output", tmp_path / "x.parquet", f"SELECT * FROM {TABLE}")
    found = pq.read_table(tmp_path / "x.parquet")
    assert found.schema.field("consent_start").type == pa.timestamp("us")
    assert found["email"].to_pylist() == ["ann@example.org"]


def test_parquet_without_rows_has_its_columns(made, tmp_path):
    made("query", "--output", tmp_path / "x.parquet", f"SELECT email FROM {TABLE} WHERE false")
    assert (pq.read_table(tmp_path / "x.parquet").num_rows, pq.read_schema(tmp_path / "x.parquet").names) == (
        0,
        ["email"],
    )


@pytest.mark.parametrize(("name", "text"), [("table", "a\n"), ("csv", '"a"\n'), ("json", "[]\n"), ("ndjson", "")])
def test_an_answer_without_rows(made, name, text):
    assert made("query", "--format", name, "SELECT 1 AS a WHERE false").out == text


def test_parquet_is_not_written_to_a_terminal(made_folder):
    said = query_process(made_folder, "--format", "parquet", "SELECT 1", terminal=True)
    assert (said.code, said.out) == (1, b"")
    assert b"expected --output or a pipe for Parquet" in said.err


@pytest.mark.parametrize("name", FORMATS)
def test_a_file_is_private(made, tmp_path, name):
    file = tmp_path / "x"
    file.touch(mode=0o644)
    made("query", "--format", name, "--output", file, "SELECT 1")
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_query_that_fails_leaves_the_file_as_it_was(made, tmp_path):
    (tmp_path / "x.csv").write_text("before")
    sql = "SELECT CASE WHEN i = 900000 THEN error('no') ELSE i END FROM range(1000000) t(i)"
    assert made("query", "--output", tmp_path / "x.csv", sql).code == 1
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"x.csv": "before"}


def test_no_file_of_the_lake_is_written(made, made_folder):
    (error, _) = error_lines(made("query", "--output", "lake/trusted/../catalog.db", "SELECT 1"))
    assert error.startswith("error: query: expected an --output outside of the lake")
    assert (made_folder / "lake" / "catalog.db").read_bytes().startswith(b"SQLite")


def test_a_file_that_cannot_be_written_is_one_line(made, tmp_path):
    (error,) = error_lines(made("query", "--output", tmp_path / "none" / "x.csv", "SELECT 1"))
    assert "got No such file or directory" in error
    (error,) = error_lines(made("query", "--output", "/dev/full", "SELECT 1"))
    assert error == "error: query: expected to write to /dev/full, got No space left on device"


def test_two_formats_are_wrong_usage(made):
    assert made("query", "--json", "--format", "csv", "SELECT 1").code == 2
    assert made("query", "--json", "--format", "json", "SELECT 1").out == '[{"1": 1}]\n'
    assert "did you mean csv?" in made("query", "--format", "cvs", "SELECT 1").err


# What is refused


@pytest.mark.parametrize(
    ("sql", "got"),
    [
        (f"DELETE FROM {TABLE}", "DELETE"),
        ("CREATE TABLE mine AS SELECT 1", "CREATE"),
        (f"DROP VIEW {TABLE}", "DROP"),
        ("COPY (SELECT 1) TO 'stolen.csv'", "COPY"),
        ("/* a */ copy (SELECT 1) TO 'stolen.csv'", "COPY"),
        ("EXPORT DATABASE 'stolen'", "EXPORT"),
        ("ATTACH 'other.db'", "ATTACH"),
        ("SET enable_external_access = true", "SET"),
        ("PRAGMA database_list", "PRAGMA"),
        ("CALL enable_logging()", "CALL"),
        ("INSTALL httpfs", "INSTALL"),
        ("LOAD httpfs", "LOAD"),
        ("EXPLAIN ANALYZE COPY (SELECT 1) TO 'stolen.csv'", "EXPLAIN"),
        ("WITH x AS (COPY (SELECT 1) TO 'stolen.csv') SELECT 1", "COPY"),
        (f"WITH x AS (INSERT INTO {TABLE} VALUES (1) RETURNING *) SELECT * FROM x", "INSERT"),
    ],
)
def test_a_statement_that_is_refused_is_named(made, sql, got):
    error, hint = error_lines(made("query", sql))
    assert error == f"error: query: expected SELECT, SHOW, DESCRIBE or SUMMARIZE, got {got}"
    assert hint == "hint:  the lake is read-only here"
    assert list(Path().glob("stolen*")) == []


@pytest.mark.parametrize(
    ("sql", "count"), [("SELECT 1; SELECT 2", 2), ("-- nothing", "none"), ("", "none"), (";", "none")]
)
def test_a_query_is_one_statement(made, sql, count):
    assert error_lines(made("query", sql)) == [f"error: query: expected one statement, got {count}"]


def test_a_parameter_and_a_pivot_without_values_are_refused(made):
    assert error_lines(made("query", "SELECT ?")) == ["error: query: expected values, got a parameter"]
    assert "PIVOT without values" in error_lines(made("query", f"PIVOT {TABLE} ON email"))[0]
    assert made("query", f"SELECT * FROM (PIVOT {TABLE} ON email IN ('ann@example.org'))").code == 0


FUNCTIONS = {
    "read_text": "SELECT * FROM read_text('{}')",
    "read_blob": "SELECT * FROM system.main.\"READ_BLOB\"('{}')",
    "read_csv": "DESCRIBE SELECT * FROM read_csv('{}')",
    "read_parquet": "SELECT 1 WHERE EXISTS (FROM read_parquet('{}'))",
    "read_json": "SELECT (SELECT max(json) FROM read_json('{}'))",
    "parquet_metadata": "SELECT * FROM parquet_metadata('{}')",
    "parquet_scan": "WITH t AS (FROM parquet_scan('{}')) FROM t",
    "sniff_csv": "SELECT * FROM sniff_csv('{}')",
    "glob": "SELECT * FROM glob('{}')",
    "query": "SELECT * FROM query('SELECT * FROM read_text(''{}'')')",
    "query_table": "SELECT * FROM query_table('{}')",
    "enable_logging": "SELECT * FROM enable_logging('QueryLog', storage='file', storage_path='{}.log')",
    "enable_profiling": "SELECT * FROM enable_profiling(save_location='{}.log')",
    "getenv": "SELECT getenv('HOME')",
    "json_execute_serialized_sql": "SELECT * FROM json_execute_serialized_sql('')",
    "duckdb_secrets": "SELECT * FROM duckdb_secrets()",
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_that_is_refused_is_named(made, name):
    error, hint = error_lines(made("query", FUNCTIONS[name].format("/etc/passwd")))
    assert error == f"error: {FILES} the function {name}"
    assert hint == "hint:  the lake is read-only here, and files outside of its tables are not read"


@pytest.mark.parametrize("file", ["'secret.csv'", "'/etc/passwd'", "'lake/catalog.db'", "'https://example.org/x.csv'"])
def test_a_file_is_no_table(made, file):
    Path("secret.csv").write_text("a,secret\n")
    assert error_lines(made("query", f"SELECT * FROM {file}"))[0] == f"error: {FILES} a file"


@pytest.fixture
def unchecked(made, monkeypatch):
    """The command line, where no function and no path in SQL is refused before DuckDB runs it."""
    monkeypatch.setattr(embedded_query, "_expect_allowed", lambda *_: None)
    return made


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != "json_execute_serialized_sql"])
@pytest.mark.parametrize("file", ["secret.txt", "lake/catalog.db", "lake/secret.txt", "*", "lake/**"])
def test_duckdb_itself_reads_and_writes_nothing_else(unchecked, name, file):
    for each in ("secret.txt", "lake/secret.txt"):
        Path(each).write_text("a,secret\n")
    before = sorted(Path().rglob("*"))
    said = unchecked("query", FUNCTIONS[name].format(file) + f" -- {TABLE}")
    assert (said.code, said.out) == (1, "")
    assert "a,secret" not in said.err
    assert [path for path in sorted(Path().rglob("*")) if path not in before] == []


def test_duckdb_itself_reads_the_files_of_the_snapshot_only(unchecked, made_folder):
    """A file that has expired may hold people who have withdrawn."""
    file = next((made_folder / "lake" / "trusted" / "customer_trusted").rglob("*.parquet"))
    stray = shutil.copy(file, file.with_name("stray.parquet"))
    assert unchecked("query", f"SELECT count(*) FROM read_parquet('{file}'), {TABLE}").code == 0
    assert unchecked("query", f"SELECT count(*) FROM read_parquet('{stray}'), {TABLE}").code == 1


@pytest.mark.parametrize("setting", ["enable_external_access = true", "allowed_paths = []", "threads = 1"])
def test_no_setting_can_be_changed_any_more(made_folder, setting):
    engine = EmbeddedEngine(Lake.at(str(made_folder / "lake")), writes=False)
    with engine.query("SELECT 1"), pytest.raises(duckdb.Error, match=r"locked|external access"):
        engine._duckdb.execute(f"SET {setting}")
    engine.close()


def test_the_variables_of_the_program_are_no_tables(made, monkeypatch):
    monkeypatch.setattr(embedded_query, "mine", pa.table({"a": [1]}), raising=False)
    assert made("query", "SELECT * FROM mine").code == 1


# As of an instant


@pytest.fixture
def grown(own, tmp_path):
    """The command line, and an instant at which the landing table had one customer. Now it has two."""
    then = snapshots(tmp_path)[-1] + timedelta(milliseconds=1)
    write(tmp_path / "drops", landing([customer("bob@example.org", at("08:00"), at("08:00"), "sn-2")], name="2"))
    assert own("land", "--key-file", tmp_path / "key").code == 0
    return own, then


def snapshots(folder):
    """The instants of the snapshots of the customers."""
    table = landed(folder)
    return [from_milliseconds(snapshot.timestamp_ms) for snapshot in table.snapshots()]


def landed(folder):
    return SqlCatalog(CATALOG, uri=f"sqlite:///{folder}/lake/catalog.db").load_table("landing.customer_landing")


COUNT = "SELECT count(*)::INT AS n FROM landing.customer_landing"


def test_the_tables_as_they_were(grown):
    stedi, then = grown
    assert rows(stedi("query", "--json", COUNT)) == [{"n": 2}]
    assert rows(stedi("query", "--json", COUNT, "--at", then.isoformat())) == [{"n": 1}]
    east = then.replace(tzinfo=UTC).astimezone(tz=None).isoformat()
    assert rows(stedi("query", "--json", COUNT, "--at", east)) == [{"n": 1}]
    assert rows(stedi("query", "--json", COUNT, "--at", "2999-01-01")) == [{"n": 2}]


def test_before_the_first_snapshot_is_one_line(grown, tmp_path):
    error, hint = error_lines(grown[0]("query", COUNT, "--at", "2020-01-01"))
    assert error == (
        "error: landing.customer_landing: expected a snapshot of 2020-01-01 00:00:00 UTC or before, "
        f"got {min(snapshots(tmp_path))} UTC as the oldest"
    )
    assert hint.startswith("hint:  snapshots expire after")
    assert rows(grown[0]("query", "--json", "SELECT 1 AS a", "--at", "2020-01-01")) == [{"a": 1}]


def test_an_expired_snapshot_is_one_line(grown, tmp_path):
    stedi, then = grown
    table = landed(tmp_path)
    head = table.current_snapshot().snapshot_id
    expire = table.maintenance.expire_snapshots()
    expire.by_ids([each.snapshot_id for each in table.snapshots() if each.snapshot_id != head]).commit()
    assert "UTC as the oldest" in error_lines(stedi("query", COUNT, "--at", then.isoformat()))[0]


@pytest.mark.parametrize("instant", ["yesterday", "2024-13-01", "", "0001-01-01T00:00:00+14:00"])
def test_an_instant_that_is_none_is_wrong_usage(made, instant):
    assert made("query", "SELECT 1", "--at", instant).code == 2


# A damaged lake


def metadata_of(folder, kind):
    """The file of the trusted readings of this kind."""
    table = SqlCatalog(CATALOG, uri=f"sqlite:///{folder}/lake/catalog.db").load_table("trusted.accelerometer_trusted")
    snapshot = table.current_snapshot()
    (manifest,) = snapshot.manifests(table.io)
    (entry,) = manifest.fetch_manifest_entry(table.io)
    files = {
        "metadata": table.metadata_location,
        "manifest list": snapshot.manifest_list,
        "manifest": manifest.manifest_path,
        "data": entry.data_file.file_path,
    }
    return Path(files[kind].removeprefix("file://"))


@pytest.mark.parametrize("damage", ["missing", "empty", "text", "short"])
@pytest.mark.parametrize("kind", ["metadata", "manifest list", "manifest", "data"])
def test_a_damaged_file_is_named_when_its_table_is_read(made, made_folder, kind, damage, request):
    file = metadata_of(made_folder, kind)
    content = file.read_bytes()
    request.addfinalizer(lambda: file.write_bytes(content))
    file.unlink()
    if damage != "missing":
        file.write_bytes({"empty": b"", "text": b"{}", "short": content[: len(content) // 2]}[damage])
    error, hint = error_lines(made("query", "SELECT count(*) FROM trusted.accelerometer_trusted"))
    got = "none" if damage == "missing" else "a damaged one"
    assert error == f"error: trusted.accelerometer_trusted: expected the table's file {file}, got {got}"
    assert hint.startswith("hint:  stedi check names every such file")
    for sql in (
        f"SELECT count(*) FROM {TABLE}",
        "SHOW TABLES",
        "DESCRIBE trusted.accelerometer_trusted",
        "SELECT comment FROM duckdb_columns() WHERE table_name = 'accelerometer_trusted'",
    ):
        assert made("query", sql).code == 0


def test_a_missing_table_is_named_when_it_is_read(own, tmp_path):
    SqlCatalog(CATALOG, uri=f"sqlite:///{tmp_path}/lake/catalog.db").drop_table("trusted.accelerometer_trusted")
    shutil.rmtree(tmp_path / "lake" / "trusted" / "accelerometer_trusted")
    error, _ = error_lines(own("query", "SELECT count(*) FROM trusted.accelerometer_trusted"))
    assert error == "error: lake: expected the table trusted.accelerometer_trusted, got none"
    assert own("query", f"SELECT count(*) FROM {TABLE}").code == 0
    assert "accelerometer_trusted" not in own("query", "SHOW TABLES").out


def test_a_query_may_come_before_the_tables(stedi, tmp_path):
    write(tmp_path / "drops", DROPS)
    stedi("land")
    assert (
        error_lines(stedi("query", f"SELECT * FROM {TABLE}"))[0] == f"error: lake: expected the table {TABLE}, got none"
    )


def test_a_table_that_the_query_hides_is_never_empty(made, monkeypatch):
    """A table that was not found in the SQL fails. It must not answer without rows."""
    monkeypatch.setattr("stedi_common.engines.embedded.engine.mentions", lambda *_: False)
    for sql in (
        f"SELECT count(*) FROM {TABLE}",
        f"SELECT 1 WHERE EXISTS (FROM {TABLE})",
        f"SELECT max(email) FROM {TABLE}",
    ):
        assert error_lines(made("query", sql)) == [f"error: query: expected the name {TABLE}"]


@pytest.mark.parametrize("name", names())
def test_every_table_is_read(made_folder, name):
    with answer(Lake.at(str(made_folder / "lake")), f"SELECT * FROM {contract(name).identifier}") as found:
        assert found.columns == list(contract(name).names)
        assert sum(batch.num_rows for batch in found.batches({None: "{}"}, 100)) > 0 or name == "rejected_records"


def test_sql_is_read_as_utf8_whatever_the_locale(made):
    ascii_ = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    said = program("query", "--json", "SELECT 'é' AS a", **ascii_)
    assert (said.code, json.loads(said.out), said.err) == (0, [{"a": "é"}], "")


def test_sql_that_is_not_utf8_is_refused(made):
    said = program("query", os.fsdecode(b"SELECT '\xff'"))
    assert error_lines(said)[0] == "error: query: expected SQL in UTF-8, got another encoding in the argument"
