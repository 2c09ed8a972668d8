"""The catalog of a lake in a folder that is opened for reading: the same tables, and no changes."""

import sqlite3
from contextlib import closing

import pytest
from pyiceberg.exceptions import NoSuchTableError
from support.withdrawals import ANN_WITHDRAWS, CONSENTING, dropped

from stedi_common.contracts import contract
from stedi_common.engines.embedded.lake_catalog import open_catalog
from stedi_common.engines.embedded.read_only import ReadOnlyCatalog
from stedi_common.errors import LakeError
from stedi_common.lake import Lake

TRUSTED = contract("customer_trusted")
pytestmark = pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)


@pytest.fixture
def lake(tmp_path, connect, engine_name, key) -> Lake:
    dropped(connect(tmp_path / "lake"), tmp_path, key, CONSENTING, ANN_WITHDRAWS)
    return Lake.at(str(tmp_path / "lake"))


def test_it_finds_the_table_as_the_catalog_for_writing_does(lake):
    with closing(open_catalog(lake)) as writing, closing(open_catalog(lake, writes=False)) as reading:
        expected, found = (each.load_table(TRUSTED.identifier) for each in (writing, reading))
    assert isinstance(reading, ReadOnlyCatalog)
    assert found == expected
    assert found.metadata_location == expected.metadata_location
    files = [[task.file.file_path for task in each.scan().plan_files()] for each in (found, expected)]
    assert files[0] == files[1] != []


def test_metadata_are_read_again_only_if_they_have_changed(lake):
    catalog = open_catalog(lake, writes=False)
    known = catalog.load_table(TRUSTED.identifier)
    assert catalog.find_table(TRUSTED.identifier, known) is known
    with closing(open_catalog(lake)) as writing, writing.load_table(TRUSTED.identifier).transaction() as change:
        change.set_properties({"a": "b"})
    assert catalog.find_table(TRUSTED.identifier, known).properties["a"] == "b"


def test_a_table_that_is_not_there(lake, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "catalog.db").touch()
    for at in (lake, Lake.at(str(tmp_path / "empty")), Lake.at(str(tmp_path / "none"))):
        catalog = open_catalog(at, writes=False)
        assert catalog.find_table("landing.nothing", None) is None
        with pytest.raises(NoSuchTableError):
            catalog.load_table("landing.nothing")
    assert not (tmp_path / "none").exists()
    with closing(sqlite3.connect(tmp_path / "empty" / "catalog.db")) as empty:
        assert empty.execute("SELECT * FROM sqlite_schema").fetchall() == []


def test_an_unreadable_catalog_is_refused(lake):
    (lake.folder / "catalog.db").write_bytes(b"no database" * 1000)
    with pytest.raises(LakeError, match="expected an SQLite catalog"):
        open_catalog(lake, writes=False).load_table(TRUSTED.identifier)


def test_it_changes_nothing(lake):
    table = open_catalog(lake, writes=False).load_table(TRUSTED.identifier)
    with pytest.raises(NotImplementedError), table.transaction() as change:
        change.set_properties({"a": "b"})
    with pytest.raises(NotImplementedError):
        table.delete()
    assert open_catalog(lake, writes=False).load_table(TRUSTED.identifier).metadata == table.metadata
