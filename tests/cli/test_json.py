"""The JSON of the commands has the fields that docs/maintenance.md, "JSON", describes, and no others."""

import json
import re
import shutil

import narwhals as nw
import pytest
from support.damages import files_of
from support.paths import ROOT

from stedi_common.checks import Remedy
from stedi_common.contracts import contract
from stedi_common.engines.embedded.engine import EmbeddedEngine
from stedi_common.lake import Lake

PAGE = (ROOT / "docs" / "maintenance.md").read_text(encoding="utf-8")


def documented(command: str, head: str = "field") -> list[str]:
    """The names in the first column of the table below the heading of the command."""
    section = re.search(rf"^### {command}\n(.*?)^##", PAGE, re.DOTALL | re.MULTILINE)[1]
    (table,) = re.findall(rf"^\| {head} \|.*\n((?:\|.*\n)+)", section, re.MULTILINE)
    return [name for row in table.splitlines() for name in re.findall(r"`([\w.]+)`", row.split("|")[1])]


def fields(value: object, path: str = "") -> set[str]:
    """The fields of a document, those of objects in lists after a dot."""
    if isinstance(value, list):
        return set[str]().union(*(fields(each, path) for each in value))
    if not isinstance(value, dict):
        return set()
    names = {name: f"{path}.{name}".lstrip(".") for name in value}
    return {*names.values()}.union(*(fields(value[name], names[name]) for name in value))


@pytest.fixture
def lake(stedi, made_folder, tmp_path):
    """The folder of a lake that has all tables, where the command line is."""
    shutil.copytree(made_folder / "drops", tmp_path / "drops")
    assert (stedi("land").code, stedi("run").code) == (0, 0)
    return tmp_path / "lake"


def damage(lake) -> None:
    """A table that can be recomputed loses a file, and a landing table rows that cannot land again."""
    files_of(lake, contract("customers_curated"))["manifest"][0].unlink()
    engine = EmbeddedEngine(Lake.at(str(lake)))
    table = contract("step_trainer_landing")
    head = engine.head(table)
    engine.replace(table, engine.read(table, head).filter(nw.col("source_line") > 1), head, {})
    engine.close()


def test_the_fields_are_documented(stedi, lake):
    found = {"maintain": stedi("maintain", "--json").out}
    damage(lake)
    found |= {command: stedi(command, "--json").out for command in ("check", "repair")}
    (lake / "catalog.db").unlink()
    found["recover"] = stedi("recover", "--json").out
    for command, printed in found.items():
        assert (command, sorted(documented(command))) == (command, sorted(fields(json.loads(printed))))


def test_the_remedies_are_documented():
    assert documented("check", "remedy") == list(Remedy)
    assert all(each.hint for each in Remedy)


def test_the_screen_has_sentences_where_json_has_codes(stedi, lake):
    damage(lake)
    findings = json.loads(stedi("check", "--json").out)["findings"]
    assert {each["remedy"] for each in findings} == {"rebuild", "land_again"}
    assert "\n  stedi repair recomputes the table\n" in stedi("check").out
    said = stedi("repair", "--landing", "drops")
    assert said.code == 0
    assert "landing.landed_files: step_trainer/1.json lands again\n" in said.out
    assert "curated.customers_curated: removed, to recompute it\n" in said.out
