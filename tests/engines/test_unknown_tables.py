"""Which tables of a lake have no contract, such as those of a project that is not here, and how they are emptied."""

import shutil

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from support.lakes import land, write
from support.withdrawals import ARRIVAL, CONSENTING

from stedi_common.lake import local_path

ROWS = pa.table({"email": ["ann@example.org"]})


def make(lake, zone: str, properties: dict[str, str], rows: pa.Table):
    """A table that no contract describes, with one snapshot."""
    catalog = SqlCatalog("stedi", uri=f"sqlite:///{lake}/catalog.db")
    catalog.create_namespace_if_not_exists(zone)
    table = catalog.create_table(
        f"{zone}.features", rows.schema, location=f"file://{lake}/{zone}/features", properties=properties
    )
    table.append(rows)
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
    table = make(lake, zone, {"stedi.owner": "health"}, rows)
    (found,) = engine.unknown_tables()
    assert (found.identifier, found.rows, found.has_old_rows) == (f"{zone}.features", len(rows), len(rows) > 0)
    assert found.data_snapshot_id == table.current_snapshot().snapshot_id
    local_path(table.metadata_location).write_bytes(b"{")
    (found,) = engine.unknown_tables()
    assert (found.identifier, found.rows, found.has_old_rows) == (f"{zone}.features", None, True)
    shutil.rmtree(lake / zone / "features")
    assert engine.unknown_tables() == []


def test_a_table_of_others_is_not_looked_at(engine, lake):
    make(lake, "curated", {}, ROWS)
    assert engine.unknown_tables() == []


def test_an_unknown_table_is_emptied_and_its_old_snapshots_are_told(engine, lake):
    table = make(lake, "curated", {"stedi.owner": "health"}, ROWS)
    (found,) = engine.unknown_tables()
    engine.empty(found, {"stedi.deleted-by.customer_landing": ""})
    table.refresh()
    assert len(table.scan().to_arrow()) == 0
    assert table.current_snapshot().summary["stedi.deleted-by.customer_landing"] == ""
    (found,) = engine.unknown_tables()
    assert (found.rows, found.has_old_rows) == (0, True)
    assert found.summary["stedi.deleted-by.customer_landing"] == ""
