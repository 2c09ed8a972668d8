"""Which tables of a lake a run takes for those of a project that is not here."""

import shutil

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from support.lakes import land, write
from support.withdrawals import ARRIVAL, CONSENTING

from stedi_common.lake import local_path

ROWS = pa.table({"email": ["ann@example.org"]})


@pytest.mark.parametrize(
    ("zone", "properties", "rows", "is_unknown"),
    [
        ("curated", {"stedi.owner": "health"}, ROWS, True),
        ("trusted", {"stedi.owner": "health"}, ROWS, True),
        ("curated", {}, ROWS, False),
        ("curated", {"stedi.owner": "health"}, ROWS.slice(1), False),
        ("landing", {"stedi.owner": "health"}, ROWS, False),
    ],
    ids=["curated", "trusted", "of-others", "empty", "landing"],
)
def test_tables_of_this_package_that_have_rows_and_no_contract_are_unknown(  # noqa: PLR0913, PLR0917 - a case is all of this
    engine, tmp_path, key, zone, properties, rows, is_unknown
):
    write(tmp_path / "drops", CONSENTING)
    land(engine, tmp_path / "drops", key, ARRIVAL)
    assert engine.unknown_tables() == []
    lake = tmp_path / "lake"
    catalog = SqlCatalog("stedi", uri=f"sqlite:///{lake}/catalog.db")
    catalog.create_namespace_if_not_exists(zone)
    table = catalog.create_table(
        f"{zone}.features", rows.schema, location=f"file://{lake}/{zone}/features", properties=properties
    )
    table.append(rows)
    assert engine.unknown_tables() == [f"{zone}.features"] * is_unknown
    local_path(table.metadata_location).write_bytes(b"{")
    assert engine.unknown_tables() == [f"{zone}.features"] * (zone != "landing")
    shutil.rmtree(lake / zone / "features")
    assert engine.unknown_tables() == []
