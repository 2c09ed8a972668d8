"""A lake in S3 with the Glue Data Catalog, by the embedded engine, on a real LocalStack."""

import json
from collections import Counter
from contextlib import closing
from datetime import datetime

import narwhals as nw
import pytest
from support.comparison import actual_tables, expected_tables, snapshot_ids
from support.crowds import crowd
from support.histories import History
from support.lakes import land, rows, run, write
from support.remote import written_key

import stedi_common
from stedi_common.contracts import contract
from stedi_common.engines import connect
from stedi_common.engines.embedded import bucket_files
from stedi_common.rules.policy import Policy

ARRIVALS = datetime(2024, 4, 3), datetime(2024, 4, 4)


def nights() -> list[dict[str, bytes]]:
    """Two nights of drops of a few people: each day of a table is an object."""
    runs = crowd(0).runs
    return [
        {name: raw for run in part for name, raw in run.items() if "/" in name and name.split("/")[1] < "04"}
        for part in (runs[:1], runs[1:])
    ]


@pytest.fixture(scope="module")
def made(new_lake, key, tmp_path_factory):
    """A lake of two nights, whose temporary folder is seen afterwards; and that folder."""
    folder, lake = tmp_path_factory.mktemp("remote"), new_lake()
    scratch = folder / "tmp"
    scratch.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tempfile.tempdir", str(scratch))
        for drops, arrival in zip(nights(), ARRIVALS, strict=True):
            with closing(connect("embedded", lake)) as engine:
                write(folder / "drops", drops)
                land(engine, folder / "drops", key, arrival)
                run(engine, Policy(), key)
    return lake, scratch


@pytest.fixture(scope="module")
def reader(made):
    with closing(connect("embedded", made[0], writes=False)) as engine:
        yield engine


def test_two_nights_give_the_tables_of_the_rules(reader, key):
    expected = expected_tables(History(tuple(nights()), ARRIVALS), Policy(), key)
    assert all(expected[table] for table in ("customer_trusted", "accelerometer_trusted"))
    assert actual_tables(reader) == expected


def test_a_run_without_news_commits_nothing(made, key):
    with closing(connect("embedded", made[0])) as engine:
        before = snapshot_ids(engine)
        run(engine, Policy(), key)
        assert snapshot_ids(engine) == before


def test_nothing_is_left_on_the_local_disk_or_in_the_staging_folder(made, endpoint):
    lake, scratch = made
    assert not list(scratch.iterdir())
    assert not [each for each in objects(lake) if ".staging-" in each]


def objects(lake) -> list[str]:
    from pyarrow import fs  # noqa: PLC0415

    from stedi_common.engines.storage import s3  # noqa: PLC0415

    system, path = s3.filesystem(lake.location)
    return [each.path for each in system.get_file_info(fs.FileSelector(path, recursive=True)) if each.is_file]


def test_columns_and_row_groups_that_are_not_needed_are_not_fetched(lake, monkeypatch):
    fetched = Counter()
    read = bucket_files._Object.read

    def counted(self, start, count):
        fetched["bytes"] += count
        return read(self, start, count)

    monkeypatch.setattr(bucket_files._Object, "read", counted)
    table = contract("step_trainer_landing")
    with closing(connect("embedded", lake)) as engine:
        engine.prepare(table)
        values = ", ".join(f"{VALUES[column.type]} AS {column.name}" for column in table.columns)
        some = nw.from_native(engine._duckdb.sql(f"SELECT {values} FROM range(400000) AS one(n)"))  # noqa: S608
        head = engine.append(table, some, engine.head(table), {})
    for name, frame in {
        "all": lambda rows: rows.select(nw.all().max()),
        "column": lambda rows: rows.select(nw.col("distancefromobject").sum()),
        "rows": lambda rows: rows.filter(nw.col("distancefromobject") < 1000).select(nw.all().max()),
    }.items():
        with closing(connect("embedded", lake, writes=False)) as engine:
            before = fetched.total()
            assert engine.collect(frame(engine.read(table, head)))
            fetched[name] = fetched.total() - before
    assert fetched["column"] < 0.5 * fetched["all"]
    assert fetched["rows"] < 0.7 * fetched["all"]


#: SQL that makes a value of each type, by its number `n`.
VALUES = {
    "timestamp": "TIMESTAMP '2024-01-01' + INTERVAL (n // 200000) DAY",
    "string": "CAST(hash(n) AS VARCHAR)",
    "int": "CAST(n AS INTEGER)",
    "long": "n",
}


def test_large_ranges_are_fetched_in_parts(made, monkeypatch):
    monkeypatch.setattr(bucket_files, "TAIL_BYTES", 8)
    with closing(connect("embedded", made[0], writes=False)) as engine:
        whole = rows(engine, "accelerometer_landing")
    monkeypatch.setattr(bucket_files, "PART_BYTES", 100)
    with closing(connect("embedded", made[0], writes=False)) as engine:
        assert rows(engine, "accelerometer_landing") == whole


def test_commands_that_read(made, stedi, tmp_path):
    lake, _ = made
    key_file = written_key(tmp_path)
    where = ("--lake", lake.location, "--database-prefix", lake.prefix)
    status = json.loads(stedi("status", *where, "--json").out)
    assert {each["table"] for each in status} >= {"landing.customer_landing", "curated.machine_learning_curated"}
    (counted,) = json.loads(
        stedi("query", "SELECT count(*) AS n FROM trusted.customer_trusted", *where, "--json").output
    )
    assert counted["n"] == next(each["rows"] for each in status if each["table"] == "trusted.customer_trusted")
    plan = json.loads(stedi("run", "--plan", *where, "--key-file", key_file, "--json").out)
    assert {each["action"] for each in plan} == {"nothing"}


def test_the_library_reads(made):
    lake, _ = made
    with stedi_common.open(lake.location, prefix=lake.prefix, read_only=True) as opened:
        assert (
            opened.read("customer_trusted", ["email"]).arrow().num_rows
            == opened.read("customer_trusted").arrow().num_rows
        )


@pytest.mark.parametrize("sql", ["SELECT * FROM 's3://{}/landing/x.parquet'", "FROM read_text('s3://{}/a')"])
def test_a_query_reads_nothing_but_tables(made, stedi, sql):
    lake, _ = made
    done = stedi(
        "query",
        sql.format(lake.location.removeprefix("s3://")),
        "--lake",
        lake.location,
        "--database-prefix",
        lake.prefix,
    )
    assert (done.code, "expected tables of the lake" in done.err) == (1, True)


@pytest.mark.parametrize("command", ["check", "repair", "recover", "relocate", "policy set"])
def test_a_command_that_is_for_folders_says_so_in_one_line(made, stedi, tmp_path, command):
    options = [
        "--lake",
        made[0].location,
        *(["--key-file", written_key(tmp_path)] if command in {"repair", "policy set"} else []),
    ]
    done = stedi(*command.split(), *options)
    error, *hint = done.err.strip().splitlines()
    assert (done.code, "expected a" in error and "folder" in error, len(hint) <= 1) == (1, True, True)
