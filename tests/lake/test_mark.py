"""If `lake.json` is lost, older or another lake's, every command is refused: a lake takes no policy from a command."""

import json
import shutil
from pathlib import Path

import pytest
from support.cli import EVERY_COMMAND, error_lines
from support.drops import at, customer, landing, reading, step
from support.lakes import KilledError, opening, without_properties, write

import stedi_common
from stedi_common.engines.storage.relocation import relocate
from stedi_common.errors import LakeError, LakePropertiesError
from stedi_common.jobs import lakehouse
from stedi_common.lake import Lake
from stedi_common.lake import mark as marks
from stedi_common.lake.mark import Mark, mark_of
from stedi_common.lake.properties import FILE, LakeProperties
from stedi_common.rules.policy import Policy

ANN = "ann@example.org"
DROPS = landing(
    [customer(ANN, at("08:00"), at("08:00"), "sn-1")],
    [reading(ANN, at("07:00")), reading(ANN, at("09:00"))],
    [step("sn-1", at("07:00")), step("sn-1", at("09:00"))],
)
#: Each opens a lake. `policy set` is one of them.
COMMANDS = (*EVERY_COMMAND, ("check",), ("repair",))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "drops", DROPS)
    return tmp_path


@pytest.fixture
def made(stedi, folder):
    """The command line, where all tables are made, under a policy that was changed and changed back."""
    for command in (
        ("land",),
        ("policy", "set", "--consent", "ever"),
        ("policy", "set", "--consent", "as-of"),
        ("run",),
    ):
        assert stedi(*command).code == 0
    return stedi


def lake(folder) -> Lake:
    return Lake.at(str(folder / "lake"))


def content(folder) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in (folder / "lake").rglob("*") if path.is_file()}


def pairs(stedi) -> int:
    return json.loads(stedi("query", "SELECT count(*) AS n FROM curated.machine_learning_curated", "--json").out)[0][
        "n"
    ]


def edited(folder, change) -> None:
    """Change what `lake.json` says."""
    file = folder / "lake" / FILE
    document = json.loads(file.read_text())
    change(document)
    file.write_text(json.dumps(document))


def earlier(document) -> None:
    """The file as it was under the weaker policy."""
    document.update(consent="ever", changes=document["changes"][:2])


def of_another_lake(document) -> None:
    document["id"] = "0" * 32


def of_another_history(document) -> None:
    for change in document["changes"]:
        change["at"] = "2020-01-01T00:00:00+00:00"


def with_another_policy(document) -> None:
    document["consent"] = "ever"


def without_changes(document) -> None:
    document["changes"] = []


def of_another_format(document) -> None:
    document["format"] = 2


LOST = [earlier, of_another_lake, of_another_history, with_another_policy, without_changes, of_another_format]


@pytest.mark.parametrize("change", [None, *LOST], ids=lambda change: change.__name__ if change else "gone")
def test_every_command_refuses_it_and_writes_nothing(made, folder, change):
    kept = (folder / "lake" / FILE).read_bytes()
    if change:
        edited(folder, change)
    else:
        (folder / "lake" / FILE).unlink()
    before = content(folder)
    for command in COMMANDS:
        if change is None and command[:2] == ("policy", "set"):
            continue  # the way on
        said = made(*command)
        assert said.code == 1, command
        (error, hint) = said.err.splitlines()[:2]
        assert error.startswith("error: lake "), (command, said)
        assert FILE in error
        assert "restore the file from a backup" in hint
        assert "stedi policy set" in hint
    assert content(folder) == before
    (folder / "lake" / FILE).write_bytes(kept)
    assert made("run").code == 0


def test_the_library_and_the_jobs_refuse_it_too(made, folder):
    with stedi_common.open("lake") as opened:
        (folder / "lake" / FILE).unlink()
        for call in (opened.run, opened.plan, opened.land):
            with pytest.raises(LakePropertiesError, match="got none"):
                call()
    with pytest.raises(LakePropertiesError, match="got none"):
        stedi_common.open("lake")
    said = lakehouse(["--lake", "lake", "--landing", "drops", "--engine", "embedded", "--consent", "ever"])
    assert "expected lake.json as its catalog knows it, got none" in said


@pytest.mark.rule(11)
@pytest.mark.parametrize("command", [("run",), ("demo", "--landing", "drops")])
def test_readings_from_before_consent_stay_out_when_the_file_is_deleted(made, folder, command):
    assert pairs(made) == 1
    kept = (folder / "lake" / FILE).read_bytes()
    (folder / "lake" / FILE).unlink()
    for options in ((), ("--rebuild",)):
        assert made(*command, "--consent", "ever", *options).code == 1
        assert not (folder / "lake" / FILE).exists()
    (folder / "lake" / FILE).write_bytes(kept)
    assert pairs(made) == 1


@pytest.mark.rule(13)
def test_withdrawn_rows_are_deleted_all_the_same(made, folder):
    write(folder / "drops", landing([customer(ANN, at("10:00"))], name="2"))
    assert made("land").code == 0
    kept = (folder / "lake" / FILE).read_bytes()
    (folder / "lake" / FILE).unlink()
    assert made("run", "--consent", "ever").code == 1
    (folder / "lake" / FILE).write_bytes(kept)
    assert pairs(made) == 0


def test_the_policy_is_stated_again(made, folder):
    before = LakeProperties.of(lake(folder))
    (folder / "lake" / FILE).unlink()
    assert made("policy", "set").code == 0
    after = LakeProperties.of(lake(folder))
    assert (after.id, after.policy, after.environment, after.key) == (
        *(before.id, before.policy, before.environment, before.key),
    )
    assert len(after.changes) == 1
    assert made("run").code == 0
    assert made("run", "--consent", "ever", "--rebuild").code == 1
    assert pairs(made) == 1


def test_a_lake_of_production_stays_one(stedi, folder):
    assert stedi("land", "--environment", "prod").code == 0
    (folder / "lake" / FILE).unlink()
    (error, _) = error_lines(stedi("policy", "set", "--consent", "ever"))
    assert "expected consent=as-of pairing=owner in prod" in error
    assert not (folder / "lake" / FILE).exists()
    assert stedi("policy", "set").code == 0
    assert LakeProperties.of(lake(folder)).environment == "prod"


def test_a_wrong_lake_json_must_be_removed_before_the_policy_is_stated_again(made, folder):
    edited(folder, of_another_lake)
    assert made("policy", "set", "--pairing", "timestamp").code == 1
    (folder / "lake" / FILE).unlink()
    assert made("policy", "set", "--consent", "as-of").code == 0
    assert made("run").code == 0


def test_a_mark_that_cannot_be_understood_accepts_no_file(made, folder):
    for text in ("", "[]", "{}", '{"ids": 1}', '{"ids": [], "other": 1}'):
        assert Mark.parsed(text) == Mark()
    assert not Mark().accepts("id", ["history"])


# A process that is killed


def killing(*_, **__):
    raise KilledError


def test_a_killed_creation_is_repeated(stedi, folder, monkeypatch):
    """Before the mark is written, and after it, when there are no tables."""
    for point in ((Mark, "write"), (stedi_common.engines.embedded.engine, "open_catalog")):
        with monkeypatch.context() as patch:
            patch.setattr(*point, killing)
            with pytest.raises(KilledError):
                stedi("land")
        assert (folder / "lake" / FILE).exists()
    assert stedi("land").code == 0
    assert mark_of(lake(folder)) == LakeProperties.of(lake(folder)).mark()
    (folder / "lake" / FILE).unlink()
    assert "as its catalog knows it, got none" in stedi("land").err


def test_a_creation_that_was_killed_before_the_mark_is_repeated_without_its_file(stedi, folder, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Mark, "write", killing)
        with pytest.raises(KilledError):
            stedi("land")
    (folder / "lake" / FILE).unlink()
    assert stedi("land").code == 0


def test_no_table_is_there_before_the_mark(stedi, folder, monkeypatch):
    def write_first(self, catalog, of):
        assert not list(of.metadata_folders)
        written.append(self)
        write_(self, catalog, of)

    written, write_ = [], Mark.write
    monkeypatch.setattr(Mark, "write", write_first)
    assert stedi("land").code == 0
    assert len(written) == 1


@pytest.mark.parametrize("point", [(LakeProperties, "write"), (Mark, "write")], ids=["file", "mark"])
def test_a_killed_change_is_the_old_policy_or_the_new_one(made, folder, monkeypatch, point):
    with monkeypatch.context() as patch:
        patch.setattr(*point, killing)
        with pytest.raises(KilledError):
            made("policy", "set", "--consent", "ever")
    expected = "ever" if point[0] is Mark else "as-of"
    assert LakeProperties.of(lake(folder)).policy == Policy(expected)
    assert made("status").code == 0
    assert made("maintain").code == 0  # it writes the mark
    assert mark_of(lake(folder)) == LakeProperties.of(lake(folder)).mark()
    if expected == "ever":
        edited(folder, lambda document: document.update(consent="as-of", changes=document["changes"][:3]))
        assert "of an earlier time" in made("run").err


@pytest.mark.parametrize("point", [(Mark, "write"), (LakeProperties, "create")], ids=["mark", "file"])
def test_a_killed_statement_is_repeated(made, folder, monkeypatch, point):
    (folder / "lake" / FILE).unlink()
    with monkeypatch.context() as patch:
        patch.setattr(*point, killing)
        with pytest.raises(KilledError):
            made("policy", "set")
    assert "as its catalog knows it, got none" in made("run", "--consent", "ever").err
    assert made("policy", "set").code == 0
    assert made("run").code == 0


# Lost catalogs


def test_a_recovered_catalog_has_the_mark(made, folder):
    before = mark_of(lake(folder))
    (folder / "lake" / "catalog.db").unlink()
    assert made("recover").code == 0
    assert mark_of(lake(folder)) == before
    (folder / "lake" / FILE).unlink()
    assert "as its catalog knows it, got none" in made("run", "--consent", "ever").err


def test_if_both_are_lost_the_policy_must_be_stated(made, folder):
    (folder / "lake" / FILE).unlink()
    (folder / "lake" / "catalog.db").unlink()
    for command in (*COMMANDS, ("policy", "set", "--environment", "local")):
        assert made(*command).code == 1, command
    assert not (folder / "lake" / FILE).exists()
    assert made("recover").code == 0
    for command in (("run", "--consent", "ever", "--rebuild"), ("land", "--consent", "ever"), ("status",)):
        assert "expected lake.json as its catalog knows it, got none" in made(*command).err, command
    (error, hint) = error_lines(made("policy", "set", "--consent", "ever"))
    assert "expected --environment, got none" in error
    assert "stedi policy set --environment prod" in hint
    assert made("policy", "set", "--environment", "local").code == 0
    assert made("run").code == 0
    assert pairs(made) == 1


def test_an_old_catalog_accepts_a_later_lake_json_and_a_new_one_rejects_an_earlier(stedi, folder):
    assert stedi("land").code == 0
    shutil.copy(folder / "lake" / "catalog.db", folder / "old.db")
    old = (folder / "lake" / FILE).read_bytes()
    assert stedi("policy", "set", "--pairing", "timestamp").code == 0
    assert stedi("run").code == 0
    shutil.copy(folder / "old.db", folder / "lake" / "catalog.db")
    assert stedi("recover").code == 0
    assert stedi("run").code == 0
    assert mark_of(lake(folder)) == LakeProperties.of(lake(folder)).mark()
    (folder / "lake" / FILE).write_bytes(old)
    assert "got that of another lake or of an earlier time" in stedi("run").err


def test_recover_keeps_what_the_catalog_knows(stedi, folder):
    """A catalog that is old but can be read does not forget the lake that the file is no longer of."""
    assert stedi("land").code == 0
    shutil.copy(folder / "lake" / "catalog.db", folder / "old.db")
    assert stedi("run").code == 0
    for change in (of_another_lake, None):
        shutil.copy(folder / "old.db", folder / "lake" / "catalog.db")
        if change:
            edited(folder, change)
        else:
            (folder / "lake" / FILE).unlink()
        assert stedi("recover").code == 0
        assert mark_of(lake(folder)).environment == "local"
        assert "expected lake.json as its catalog knows it" in stedi("run", "--consent", "ever").err


def test_the_file_of_a_moved_lake_is_not_replaced_by_another(made, folder):
    (folder / "lake").rename(folder / "moved")
    moved = Lake.at(str(folder / "moved"))
    kept = (folder / "moved" / FILE).read_bytes()
    (folder / "moved" / FILE).write_text(kept.decode().replace(LakeProperties.at(moved).id, "0" * 32))
    with pytest.raises(LakePropertiesError, match="another lake"):
        relocate(moved)
    (folder / "moved" / FILE).unlink()
    (error, _) = error_lines(made("policy", "set", "--lake", "moved"))
    assert "a copy or a lake that was moved" in error
    assert made("relocate", "--lake", "moved").code == 0
    assert made("run", "--lake", "moved").code == 0


def test_a_relocated_copy_has_a_mark_of_its_own(made, folder, monkeypatch):
    shutil.copytree(folder / "lake", folder / "copy")
    copy = Lake.at(str(folder / "copy"))
    for _ in range(2):  # killed between the catalog and the file, twice
        with monkeypatch.context() as patch:
            patch.setattr(LakeProperties, "write", killing)
            with pytest.raises(KilledError):
                relocate(copy)
        with pytest.raises(LakeError, match="a copy or a lake that was moved"):
            LakeProperties.of(copy)
    relocate(copy)
    found = LakeProperties.of(copy)
    assert mark_of(copy) == found.mark()
    assert found.id != LakeProperties.of(lake(folder)).id
    assert made("run", "--lake", "copy").code == 0


# Engines


def test_the_mark_is_written_before_the_engine_makes_the_catalog(engine_name, connect, tmp_path):
    at_ = Lake.at(str(tmp_path / "lake"))
    made = LakeProperties.new(at_, Policy(), "local", "0" * 64).create(at_)
    engine = connect(tmp_path / "lake")
    assert mark_of(at_) == made.mark()
    engine.prepare(stedi_common.contracts.contract("customer_trusted"))
    assert engine.exists(stedi_common.contracts.contract("customer_trusted"))
    (tmp_path / "lake" / FILE).unlink()
    with pytest.raises(LakePropertiesError, match="got none"):
        LakeProperties.of(at_)


def test_a_lake_that_has_a_file_but_no_mark_gets_one(made, folder):
    kept = (folder / "lake" / FILE).read_bytes()
    without_properties(folder / "lake")
    (folder / "lake" / FILE).write_bytes(kept)
    with opening() as connect_to:
        connect_to("embedded", Path("lake"))
    assert mark_of(lake(folder)) == LakeProperties.of(lake(folder)).mark()


def test_a_reader_writes_no_mark(made, folder):
    kept = (folder / "lake" / FILE).read_bytes()
    without_properties(folder / "lake")
    (folder / "lake" / FILE).write_bytes(kept)
    assert made("status").code == 0
    assert mark_of(lake(folder)) is None


def test_the_mark_has_no_serial_numbers(stedi, folder):
    (folder / "serials").write_text("sn-9\n")
    assert stedi("land", "--defective-serials", "serials").code == 0
    assert b"sn-9" not in (folder / "lake" / "catalog.db").read_bytes()
    assert marks.PROPERTY.encode() in (folder / "lake" / "catalog.db").read_bytes()
