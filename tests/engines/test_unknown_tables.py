"""Which tables of a lake have no contract, such as those of a project that is not here, and how they are emptied."""

import shutil
from collections.abc import Mapping

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from support.lakes import land, write
from support.withdrawals import ANN_WITHDRAWS, ARRIVAL, CONSENTING

from stedi_common.contracts import contract
from stedi_common.errors import DamagedFileError
from stedi_common.incremental.unknown import out_of_date
from stedi_common.lake import local_path
from stedi_common.rules.policy import Policy
from stedi_common.runs.withdrawals import delete_withdrawn

ROWS = pa.table({"email": ["ann@example.org"]})


def make(lake, place: str, properties: dict[str, str], rows: pa.Table, sources: Mapping[str, int] = {}):
    """A table that no contract describes, with one snapshot. A run has built it from these snapshots of its sources."""
    catalog = SqlCatalog("stedi", uri=f"sqlite:///{lake}/catalog.db")
    catalog.create_namespace_if_not_exists(place.partition(".")[0])
    location = f"file://{lake}/{place.replace('.', '/')}"
    table = catalog.create_table(place, rows.schema, location=location, properties=properties)
    table.append(rows, {f"stedi.source.{name}": str(snapshot_id) for name, snapshot_id in sources.items()})
    return table


@pytest.fixture
def lake(engine, tmp_path, key):
    """A lake in which all tables have a contract."""
    write(tmp_path / "drops", CONSENTING)
    land(engine, tmp_path / "drops", key, ARRIVAL)
    assert engine.unknown_tables() == []
    return tmp_path / "lake"


@pytest.mark.parametrize("zone", ["landing", "trusted", "curated"])
@pytest.mark.parametrize("rows", [ROWS, ROWS.slice(1)], ids=["row", "empty"])
def test_a_table_of_this_package_without_a_contract_is_unknown(engine, lake, zone, rows):
    table = make(lake, f"{zone}.features", {"stedi.owner": "health"}, rows)
    (found,) = engine.unknown_tables()
    assert (found.identifier, found.rows, found.has_old_rows) == (f"{zone}.features", len(rows), len(rows) > 0)
    assert found.data_snapshot_id == table.current_snapshot().snapshot_id
    for content in (b"{", b'{"location": "", "properties": null}', None):
        local_path(table.metadata_location).unlink()
        if content:
            local_path(table.metadata_location).write_bytes(content)
        (found,) = engine.unknown_tables()
        assert (found.identifier, found.rows, found.has_old_rows) == (f"{zone}.features", None, True)
    shutil.rmtree(lake / zone / "features")
    assert engine.unknown_tables() == []


def test_a_table_of_others_is_not_looked_at(engine, lake):
    make(lake, "curated.features", {}, ROWS)
    assert engine.unknown_tables() == []


def test_an_unknown_table_is_emptied_and_its_old_snapshots_are_told(engine, lake):
    table = make(lake, "curated.features", {"stedi.owner": "health"}, ROWS)
    (found,) = engine.unknown_tables()
    engine.empty(found, {"stedi.deleted-by.customer_landing": ""})
    table.refresh()
    assert len(table.scan().to_arrow()) == 0
    assert table.current_snapshot().summary["stedi.deleted-by.customer_landing"] == ""
    (found,) = engine.unknown_tables()
    assert (found.rows, found.has_old_rows) == (0, True)
    assert found.summary["stedi.deleted-by.customer_landing"] == ""


def customers(engine) -> int:
    """The id of the snapshot of the customer records."""
    return engine.head(contract("customer_landing")).data_snapshot_id


def test_an_unknown_table_is_emptied_once_what_it_was_built_from_has_changed(engine, lake, key):
    make(lake, "curated.features", {"stedi.owner": "health"}, ROWS, {"customer_landing": customers(engine)})
    found = delete_withdrawn(engine, Policy(), key)
    assert (found.deleted, found.emptied, found.unknown) == ({}, (), ("curated.features",))
    write(lake.parent / "drops", ANN_WITHDRAWS)
    land(engine, lake.parent / "drops", key, ARRIVAL)
    for emptied in (("features",), ()):
        assert delete_withdrawn(engine, Policy(), key).emptied == emptied


def test_an_unknown_table_is_emptied_while_customer_lines_are_missing(engine, lake, key):
    """A record that is missing has changed no snapshot."""
    make(lake, "curated.features", {"stedi.owner": "health"}, ROWS, {"customer_landing": customers(engine)})
    assert delete_withdrawn(engine, Policy(), key, lacks_lines=True).emptied == ("features",)


def test_an_unknown_table_whose_sources_are_not_known_is_out_of_date(engine, lake):
    make(lake, "curated.features", {"stedi.owner": "health"}, ROWS)
    assert [table.name for table in out_of_date(engine, engine.unknown_tables())] == ["features"]


@pytest.mark.parametrize("stale", ["trusted", "curated"])
def test_unknown_tables_of_one_name_are_told_apart(engine, lake, stale):
    for zone in ("trusted", "curated"):
        make(
            lake,
            f"{zone}.features",
            {"stedi.owner": "health"},
            ROWS,
            {"customer_landing": customers(engine) - (zone == stale)},
        )
    assert [table.zone for table in out_of_date(engine, engine.unknown_tables())] == [stale]


def test_an_unknown_table_that_may_have_been_built_from_another_of_that_name_is_out_of_date(engine, lake):
    owner, sources = {"stedi.owner": "health"}, {"customer_landing": customers(engine)}
    made = [make(lake, f"{zone}.features", owner, ROWS, sources) for zone in ("trusted", "curated")]
    for n, table in enumerate(made):
        make(lake, f"curated.built_{n}", owner, ROWS, {"features": table.current_snapshot().snapshot_id})
    found = out_of_date(engine, engine.unknown_tables())
    assert sorted(table.name for table in found) == ["built_0", "built_1"]


def test_an_unknown_table_that_cannot_be_emptied_is_named(engine, lake, key):
    table = make(lake, "curated.features", {"stedi.owner": "health"}, ROWS)
    local_path(table.metadata_location).write_bytes(b"{")
    (error,) = delete_withdrawn(engine, Policy(), key).failures
    assert isinstance(error, DamagedFileError)
    assert str(error).startswith("curated.features: expected its metadata ")
