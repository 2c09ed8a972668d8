"""The command line, typed in a folder."""

import pytest
from support.cli import DROPS
from support.drops import at
from support.lakes import land, run, write

from stedi_common.engines import connect
from stedi_common.lake import Lake
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.policy import Policy


@pytest.fixture(scope="module")
def made_folder(tmp_path_factory):
    """A folder with a lake in which all tables are made. Tests read it."""
    folder, key = tmp_path_factory.mktemp("made"), PseudonymKey(bytes(32))
    write(folder / "drops", DROPS)
    engine = connect("embedded", Lake.at(str(folder / "lake")))
    land(engine, folder / "drops", key, at("10:00"))
    run(engine, Policy(), key)
    engine.close()
    return folder


@pytest.fixture
def made(stedi, made_folder, monkeypatch):
    """The command line, where all tables are made."""
    monkeypatch.chdir(made_folder)
    return stedi
