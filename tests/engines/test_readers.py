"""The result, read by others as docs/reading.md tells: the same rows and types in each."""

from collections import Counter
from functools import partial

import duckdb
import polars as pl
import pyarrow as pa
import pytest
from pyiceberg.catalog import load_catalog
from pyiceberg.types import DoubleType, IntegerType, StringType, TimestampType
from support.drops import at, customer, landing, reading, step
from support.lakes import play, rows

from stedi_common.contracts import contract, names
from stedi_common.engines import connect
from stedi_common.lake import Lake
from stedi_common.rules.policy import Policy

DROPS = landing(
    [customer("ann@example.org", at("08:00"), at("08:00"), "sn-1", birthDay="993-02-28", phone=8015551212.0)],
    [reading("ann@example.org", at("09:00"), x, y=-0.5) for x in (1.5, 2.5)],
    [step("sn-1", at("09:00"), distance) for distance in (100, 200)],
)
PAIRS = "curated.machine_learning_curated"
NAMES = contract("machine_learning_curated").names


@pytest.fixture
def open_pairs(tmp_path, key, monkeypatch):
    """The training pairs an engine made, opened by PyIceberg in the folder that holds the lake, and their rows."""
    return partial(_pairs, folder=tmp_path, key=key, monkeypatch=monkeypatch)


def _pairs(engine, folder, key, monkeypatch):
    play(engine, folder / "drops", [DROPS], [at("10:00")], Policy(), key)
    expected = rows(engine, "machine_learning_curated")
    pseudonym, nine = key.pseudonym("ann@example.org"), at("09:00")
    assert expected == Counter((pseudonym, nine, far, x, -0.5, 0.0) for far in (100, 200) for x in (1.5, 2.5))
    monkeypatch.chdir(folder)
    # Without its own planner of Iceberg Polars warns that PyIceberg's is slower.
    monkeypatch.setenv("POLARS_ICEBERG_PLANNER", "pyiceberg")
    catalog = load_catalog("stedi", type="sql", uri="sqlite:///lake/catalog.db")
    return catalog.load_table(PAIRS), expected


@pytest.fixture
def pairs(open_pairs, tmp_path):
    """The same, of the embedded engine."""
    return open_pairs(connect("embedded", Lake.at(str(tmp_path / "lake"))))


def test_every_reader_reads_the_same(open_pairs, engine):
    table, expected = open_pairs(engine)
    assert of_arrow(table.scan().to_arrow()) == expected
    assert of_duckdb(table) == expected
    assert of_pandas(table.scan().to_pandas()) == expected
    assert Counter(pl.scan_iceberg(table).select(NAMES).collect().iter_rows()) == expected


def test_the_types_are_those_of_the_contract(pairs):
    table, _ = pairs
    assert {field.name: field.field_type for field in table.schema().fields} == {
        **{"pseudonym": StringType(), "timestamp": TimestampType(), "distancefromobject": IntegerType()},
        **{"x": DoubleType(), "y": DoubleType(), "z": DoubleType()},
    }
    assert table.scan().to_arrow().schema.field("timestamp").type == pa.timestamp("us")
    assert pl.scan_iceberg(table).collect_schema()["timestamp"] == pl.Datetime("us", None)
    assert str(table.scan().to_pandas()["timestamp"].dtype) in {"datetime64[us]", "datetime64[ns]"}


def test_a_filter_on_instants_is_one(pairs):
    table, expected = pairs
    assert of_arrow(table.scan(row_filter="timestamp >= '2024-05-01T09:00:00'").to_arrow()) == expected
    assert not of_arrow(table.scan(row_filter="timestamp > '2024-05-01T09:00:00'").to_arrow())


@pytest.mark.usefixtures("pairs")
def test_any_table_opens():
    catalog = load_catalog("stedi", type="sql", uri="sqlite:///lake/catalog.db")
    assert {"landing", "trusted", "curated"} == {name for (name,) in catalog.list_namespaces()}
    for name in names():
        found = catalog.load_table(contract(name).identifier).scan().to_arrow()
        assert tuple(found.column_names) == contract(name).names


def of_arrow(table):
    return Counter(tuple(row[name] for name in NAMES) for row in table.to_pylist())


def of_duckdb(table):
    connection = table.scan().to_duckdb("pairs")
    assert isinstance(connection, duckdb.DuckDBPyConnection)
    return Counter(connection.execute(f"SELECT {', '.join(NAMES)} FROM pairs").fetchall())  # noqa: S608


def of_pandas(frame):
    return Counter(frame[list(NAMES)].itertuples(index=False, name=None))
