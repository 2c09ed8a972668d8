"""A table becomes what its contract wants, whoever made it; once it is so, preparing it costs nothing."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.schema import Schema
from pyiceberg.table import Table
from pyiceberg.types import (
    DateType,
    DoubleType,
    IcebergType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestampType,
    TimestamptzType,
)
from support.drops import at, customer, landing
from support.lakes import land, opening, rows, run, table_of, write
from support.processes import PATIENCE

from stedi_common.contracts import Column, Contract, contract, names
from stedi_common.engines import ENGINES
from stedi_common.engines.storage import heartbeat
from stedi_common.errors import LakeError
from stedi_common.lake import Lake
from stedi_common.rules.policy import Policy

TABLE = contract("rejected_records")
TYPES: dict[str, IcebergType] = {
    "string": StringType(),
    "timestamp": TimestampType(),
    "date": DateType(),
    "double": DoubleType(),
    "int": IntegerType(),
    "long": LongType(),
}


@pytest.mark.parametrize("table", names())
def test_a_table_is_the_same_whichever_engine_makes_it(connect_to, tmp_path, table):
    made = [new_table(connect_to, name, tmp_path, contract(table)) for name in ENGINES]
    assert made[0] == made[1]


@pytest.mark.parametrize("table", names())
@pytest.mark.parametrize("engine_name", ENGINES)
def test_a_table_that_terraform_made_becomes_the_same(connect_to, tmp_path, engine_name, table):
    """Glue makes it of names, types and comments: no partition, no order, no property, no snapshot."""
    of = contract(table)
    made_by_glue(tmp_path / "lake", of, schema(of.columns))
    connect_to(engine_name, tmp_path / "lake").prepare(of)
    assert described(table_of(tmp_path / "lake", of)) == new_table(connect_to, engine_name, tmp_path, of)


@pytest.mark.parametrize(
    "columns",
    [
        lambda of: schema(of.columns, {"timestamp": TimestamptzType()}),
        lambda of: schema(of.columns, {"long": StringType(), "double": StringType()}),
        lambda of: schema(of.columns[:-2]),
        lambda of: Schema(*schema(of.columns).fields, NestedField(99, "unknown", StringType(), required=False)),
        lambda of: Schema(*(field.model_copy(update={"doc": None}) for field in schema(of.columns).fields)),
    ],
    ids=["instants with a zone", "other types", "columns missing", "a column too many", "no comments"],
)
@pytest.mark.parametrize("table", ["accelerometer_landing", "machine_learning_curated"])
def test_wrong_columns_of_an_empty_table_are_replaced(connect_to, tmp_path, table, columns):
    of = contract(table)
    made_by_glue(tmp_path / "lake", of, columns(of))
    connect_to("spark", tmp_path / "lake").prepare(of)
    made, expected = table_of(tmp_path / "lake", of), new_table(connect_to, "spark", tmp_path, of)
    assert described(made) == expected


def test_a_table_of_another_order_of_columns_is_replaced_too(connect_to, tmp_path):
    """Its columns keep their ids, so they are compared without."""
    made_by_glue(tmp_path / "lake", TABLE, schema(TABLE.columns[::-1]))
    connect_to("spark", tmp_path / "lake").prepare(TABLE)
    assert table_of(tmp_path / "lake", TABLE).schema().column_names == list(TABLE.names)


def test_an_older_contracts_table_becomes_the_same(engine, connect_to, tmp_path):
    """It has rows. The contract has gained a column, a comment, a person's data, a partition and an order."""
    of = contract("accelerometer_trusted")
    older = replace(
        of,
        description="Readings.",
        columns=tuple(replace(c, description="?", classification="internal", transform=None) for c in of.columns[:-1]),
        sort=(),
    )
    engine.prepare(older)
    row = dict.fromkeys(older.names) | {"user": "ann@example.org"}
    engine.append(older, engine.frame(older, [row]), engine.head(older), {})
    engine.prepare(of)
    assert described(table_of(tmp_path / "lake", of)) == new_table(connect_to, engine.name, tmp_path, of)
    assert list(rows(engine, of.name)) == [(*row.values(), None)]


def test_a_column_that_a_contract_gains_is_null_in_old_rows(engine):
    gained = replace(TABLE, columns=(*TABLE.columns, Column("remark", "string", False, "internal", "Said later.")))
    engine.prepare(TABLE)
    engine.append(TABLE, engine.frame(TABLE, [record("old")]), engine.head(TABLE), {})
    engine.prepare(gained)
    engine.append(gained, engine.frame(gained, [record("new") | {"remark": "said"}]), engine.head(gained), {})
    found = engine.collect(engine.read(gained, engine.head(gained)).select("source", "remark"))
    assert sorted((row["source"], row["remark"]) for row in found) == [("new", "said"), ("old", None)]


def test_what_somebody_has_added_stays(engine, tmp_path):
    engine.prepare(TABLE)
    with table_of(tmp_path / "lake", TABLE).transaction() as change:
        change.set_properties({"somebodys": "own"})
        with change.update_schema() as update:
            update.add_column("theirs", StringType())
    engine.prepare(TABLE)
    table = table_of(tmp_path / "lake", TABLE)
    assert (table.properties["somebodys"], table.schema().column_names[-1]) == ("own", "theirs")


def test_a_column_with_rows_keeps_its_type(engine):
    engine.prepare(TABLE)
    engine.append(TABLE, engine.frame(TABLE, [record("one")]), engine.head(TABLE), {})
    other = tuple(replace(c, type="double") if c.name == "source_line" else c for c in TABLE.columns)
    with pytest.raises(LakeError, match=r"rejected_records\.source_line: expected the type double, got long\nhint: "):
        engine.prepare(replace(TABLE, columns=other))


@pytest.mark.parametrize("table", names())
def test_preparing_twice_is_preparing_once(engine, tmp_path, table):
    of = contract(table)
    made_by_glue(tmp_path / "lake", of, schema(of.columns))
    engine.prepare(of)
    once = table_of(tmp_path / "lake", of).metadata_location
    engine.prepare(of)
    assert table_of(tmp_path / "lake", of).metadata_location == once


def test_spark_makes_what_it_needs_and_nothing_before(connect_to, tmp_path, key):
    """On Glue each namespace asked for is a right more, and each staging folder one to write where a job does not.

    In a lake on disk the folder's lock shows that a run is writing.
    """
    write(tmp_path / "drops", landing([customer("ann@example.org", at("08:00"), at("08:00"))]))
    with opening() as connect_for_now:
        land(connect_for_now("embedded", tmp_path / "other"), tmp_path / "drops", key, at("10:00"))
    spark = connect_to("spark", tmp_path / "lake")
    catalog = SqlCatalog("stedi", uri=f"sqlite:///{tmp_path}/lake/catalog.db")
    assert catalog.list_namespaces() == []
    spark.prepare(TABLE)
    assert catalog.list_namespaces() == [("landing",)]
    other = connect_to("spark", tmp_path / "other")
    run(other, Policy(), key)
    assert {path.name for path in tmp_path.rglob(".staging-*/*")} == {heartbeat.NAME}


@pytest.mark.parametrize("other_name", ENGINES)
def test_two_may_prepare_at_once(connect_to, tmp_path, other_name):
    of = contract("accelerometer_landing")
    expected = new_table(connect_to, "spark", tmp_path, of)
    for attempt in range(3):
        lake = tmp_path / f"lake-{attempt}"
        engines = [connect_to(name, lake) for name in ("spark", other_name)]
        if attempt:  # else it is not there at all
            made_by_glue(lake, of, schema(of.columns))
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda engine: engine.prepare(of), engines))
        assert described(table_of(lake, of)) == expected


def test_replacing_an_empty_table_takes_no_row_away(connect_to, tmp_path, monkeypatch):
    """Somebody else has prepared it, and written, since this run saw it empty."""
    made_by_glue(tmp_path / "lake", TABLE, schema(TABLE.columns, {"timestamp": TimestamptzType()}))
    late, first = (connect_to("spark", tmp_path / "lake") for _ in range(2))

    def after_another(*arguments: Any) -> None:
        monkeypatch.undo()
        first.prepare(TABLE)
        first.append(TABLE, first.frame(TABLE, [record("one")]), first.head(TABLE), {})
        late._tables._replace(*arguments)

    monkeypatch.setattr(late._tables, "_replace", after_another)
    late.prepare(TABLE)
    assert [row[0] for row in rows(late, TABLE.name)] == ["one"]


def test_a_zone_may_have_a_bucket_of_its_own():
    lake = Lake.at("s3://stedi-dev-{zone}-123456789012/", "stedi_dev")
    assert (
        lake.table_location(contract("customer_trusted"))
        == "s3://stedi-dev-trusted-123456789012/trusted/customer_trusted"
    )
    assert lake.above("landing") == "s3://stedi-dev-landing-123456789012"


def test_zones_may_share_a_bucket():
    lake = Lake.at("s3://stedi/lake")
    assert lake.table_location(contract("customer_trusted")) == "s3://stedi/lake/trusted/customer_trusted"
    assert lake.above("landing") == "s3://stedi/lake"


def test_a_folder_is_called_what_it_is_called(tmp_path):
    lake = Lake.at(f"{tmp_path}/{{zone}}")
    assert lake.above("landing") == f"{tmp_path}/{{zone}}"


def schema(columns: tuple[Column, ...], others: dict[str, IcebergType] | None = None) -> Schema:
    """The columns as Glue makes them; `others` are types instead of a contract's."""
    types = TYPES | (others or {})
    return Schema(
        *(
            NestedField(number, column.name, types[column.type], required=False, doc=column.description)
            for number, column in enumerate(columns, start=1)
        )
    )


def made_by_glue(lake: Path, of: Contract, columns: Schema) -> None:
    """Make the table as Glue's CreateTable does where Terraform asks for an Iceberg table."""
    lake.mkdir(exist_ok=True)
    catalog = SqlCatalog("stedi", uri=f"sqlite:///{lake}/catalog.db")
    catalog.create_namespace_if_not_exists(of.zone)
    catalog.create_table(of.identifier, columns, location=Lake.at(str(lake)).table_location(of))
    catalog.close()


def new_table(connect_to: Any, engine_name: str, folder: Path, of: Contract) -> dict[str, Any]:
    """The table that the engine makes where there is none, described."""
    lake = folder / f"new-{engine_name}"
    connect_to(engine_name, lake).prepare(of)
    return described(table_of(lake, of))


def described(table: Table) -> dict[str, Any]:
    return {
        "schema": table.schema().as_struct(),
        "partitions": table.spec().fields,
        "order": table.sort_order().fields,
        "properties": table.properties,
        "format": table.format_version,
    }


def record(who: str) -> dict[str, Any]:
    return dict.fromkeys(TABLE.names) | {"source": who, "source_file": f"{who}.json", "source_line": 1}


@pytest.mark.long
def test_concurrent_first_starts_of_spark_download_it_once(tmp_path):
    """On a machine that has never had it; and what Java prints about that is not on standard output."""
    start = "from stedi_common.engines import connect; from stedi_common.lake import Lake; import sys; "
    start += "connect('spark', Lake.at(sys.argv[1])).close()"
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "cache")}
    started = [
        subprocess.Popen(
            [sys.executable, "-c", start, str(tmp_path / f"lake{n}")], env=environment, stdout=subprocess.PIPE
        )
        for n in range(3)
    ]
    assert [each.communicate(timeout=PATIENCE)[0] for each in started] == [b""] * 3
    assert [each.returncode for each in started] == [0] * 3
