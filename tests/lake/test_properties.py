"""A lake keeps its policy and the id of its key: no command uses another one, and every change is recorded."""

import json
import shutil
import subprocess
import sys
from contextlib import suppress

import pytest
from support.cli import EVERY_COMMAND
from support.drops import at, customer, landing, reading, step
from support.lakes import without_hard_links, without_properties, write
from support.processes import PATIENCE

import stedi_common
from stedi_common.engines.storage import locks
from stedi_common.engines.storage.locks import acquire, remove
from stedi_common.errors import KeyMissingError, LakeError, PolicyError
from stedi_common.jobs import lakehouse
from stedi_common.lake import Lake
from stedi_common.lake.properties import FILE, LakeProperties
from stedi_common.rules.policy import Policy

ANN = "ann@example.org"
DROPS = landing(
    [customer(ANN, at("08:00"), at("08:00"), "sn-1")],
    [reading(ANN, at("07:00")), reading(ANN, at("09:00"))],
    [step("sn-1", at("07:00")), step("sn-1", at("09:00"))],
)
#: Ways to ask for another policy than the default.
OTHERS = (
    ("--consent", "ever"),
    ("--pairing", "timestamp"),
    ("--defective-serials", "serials.txt"),
    ("--environment", "prod"),
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with drops, two keys and a list of serial numbers."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "drops", DROPS)
    (tmp_path / "serials.txt").write_text("sn-9\n")
    for name, digit in (("key", "0"), ("other.key", "1")):
        (tmp_path / name).write_text(digit * 64)
        (tmp_path / name).chmod(0o600)
    return tmp_path


@pytest.fixture
def made(stedi, folder):
    """The command line, where all tables are made."""
    assert stedi("land")[0] == 0
    assert stedi("run")[0] == 0
    return stedi


def document(folder):
    return json.loads((folder / "lake" / FILE).read_text())


def pairs(stedi):
    return json.loads(stedi("query", "SELECT count(*) AS n FROM curated.machine_learning_curated", "--json")[1])[0]["n"]


def snapshots(folder):
    return sorted(file.name for file in (folder / "lake").rglob("*.metadata.json"))


def test_the_first_landing_writes_the_properties(stedi, folder):
    assert stedi("land", "--environment", "prod", "--key-file", "key")[0] == 0
    kept = document(folder)
    assert (folder / "lake" / FILE).stat().st_mode & 0o777 == 0o600
    assert kept["location"] == str((folder / "lake").resolve())
    assert [kept[name] for name in ("consent", "pairing", "defective_serials", "environment")] == [
        *("as-of", "owner", [], "prod")
    ]
    assert [change["policy"] for change in kept["changes"]] == [str(Policy())]


def test_a_run_with_another_policy_is_refused_and_commits_nothing(made, folder):
    before = snapshots(folder)
    for command in (("run",), ("run", "--rebuild"), ("run", "--plan")):
        for other in OTHERS:
            code, _, err = made(*command, *other)
            assert code == 1, (command, other)
            assert "expected that of the lake, consent=as-of pairing=owner environment=local" in err
            assert "stedi policy set" in err
    assert snapshots(folder) == before


def withdraw(folder):
    """Somebody who has pairs withdraws, and the record lands."""
    write(folder / "drops", landing([customer(ANN, at("10:00"))], name="2"))


@pytest.mark.rule(13)
@pytest.mark.parametrize(
    "options",
    [
        *(("--consent", "ever"), ("--key-file", "other.key"), ("--key-file", "none.key"), ("--environment", "prod")),
        *(("--defective-serials", "none.txt"), ("--defective-serials", "bytes.txt")),
    ],
    ids=" ".join,
)
def test_a_run_that_is_refused_deletes_withdrawn_rows_all_the_same(made, folder, options):
    (folder / "bytes.txt").write_bytes(b"\xff\xfb")
    withdraw(folder)
    assert made("land")[0] == 0
    code, out, err = made("run", *options)
    expected = ("policy", "pseudonym key", "--defective-serials")
    assert (code, err.startswith(tuple(f"error: {name}: expected" for name in expected))) == (1, True)
    assert "deleted" in out
    assert pairs(made) == 0
    assert json.loads(made("run", "--json")[1].splitlines()[0])
    assert pairs(made) == 0


@pytest.mark.rule(13)
def test_withdrawn_rows_are_deleted_though_a_lake_without_properties_has_no_list(made, folder):
    """As in S3, where a job has the list as a file."""
    without_properties(folder / "lake")
    withdraw(folder)
    assert made("land")[0] == 0
    assert made("run", "--defective-serials", "none.txt")[0] == 1
    assert pairs(made) == 0


def test_no_policy_is_set_and_no_lake_made_with_a_list_that_cannot_be_read(made, folder):
    before = snapshots(folder)
    for command in (("policy", "set"), ("run", "--plan"), ("land", "--lake", "new")):
        code, out, err = made(*command, "--defective-serials", "none.txt")
        assert (code, out) == (1, "")
        assert "expected a readable file, got No such file or directory at none.txt" in err
    assert (snapshots(folder), (folder / "new").exists()) == (before, False)


@pytest.mark.rule(13)
def test_a_night_with_another_policy_lands_a_withdrawal_and_deletes(made, folder):
    withdraw(folder)
    said = lakehouse(["--lake", "lake", "--landing", "drops", "--engine", "embedded", "--consent", "ever"])
    assert "customer_trusted is stale: policy: expected that of the lake" in said
    assert "customer_landing" not in said
    with stedi_common.open("lake") as lake:
        assert lake.read("machine_learning_curated").arrow().num_rows == 0


def test_nothing_lands_under_another_key(made, folder):
    before = snapshots(folder)
    withdraw(folder)
    assert made("land", "--key-file", "other.key")[0] == 1
    assert snapshots(folder) == before


def test_a_variable_and_a_file_of_settings_are_refused_as_well(made, folder, monkeypatch):
    (folder / "stedi.toml").write_text('consent = "ever"\n')
    assert made("run")[0] == 1
    (folder / "stedi.toml").unlink()
    monkeypatch.setenv("STEDI_PAIRING", "timestamp")
    assert made("run")[0] == 1


def test_the_library_and_the_jobs_are_refused_as_well(made, folder):
    for settings in ({"consent": "ever"}, {"settings": stedi_common.Settings(consent="ever")}):
        with stedi_common.open("lake", **settings) as lake:
            for call in (lake.run, lake.plan):
                with pytest.raises(PolicyError, match="expected that of the lake"):
                    call()
    assert "expected that of the lake" in lakehouse(
        ["--lake", "lake", "--landing", "drops", "--engine", "embedded", "--consent", "ever"]
    )


def test_a_lake_keeps_another_policy_though_nobody_repeats_it(stedi, folder):
    assert stedi("land", "--consent", "ever", "--defective-serials", "serials.txt")[0] == 0
    assert stedi("run")[0] == 0
    assert pairs(stedi) == 2
    assert "sn-9" not in "".join(stedi("policy", "show", "--json")[1:])
    assert made_policy(stedi) == str(Policy("ever", "owner", frozenset({"sn-9"})))


def made_policy(stedi):
    """The policy in the run summary of the pairs."""
    return next(
        table["policy"] for table in json.loads(stedi("status", "--json")[1]) if "machine_learning" in table["table"]
    )


def test_the_policy_is_changed_by_a_command_that_is_recorded(made, folder):
    assert pairs(made) == 1
    assert made("policy", "set", "--consent", "ever")[0] == 0
    code, _, err = made("run")
    assert (code, "--rebuild" in err) == (1, True)
    assert pairs(made) == 1
    assert made("run", "--rebuild")[0] == 0
    assert pairs(made) == 2
    changes = json.loads(made("policy", "show", "--json")[1])["changes"]
    assert [change["policy"] for change in changes] == [str(Policy()), str(Policy("ever"))]
    # What is set again is no change.
    assert made("policy", "set", "--consent", "ever")[0] == 0
    assert len(document(folder)["changes"]) == 2
    assert "consent=ever" in made("policy", "show")[1]


@pytest.mark.parametrize("has_catalog", [True, False], ids=["catalog", "no catalog"])
def test_two_changes_at_once_are_both_recorded(made, folder, monkeypatch, has_catalog):
    """The second one begins while the first one writes. It waits: else the catalog would know neither file."""
    if not has_catalog:
        shutil.rmtree(folder / "lake")
        assert made("policy", "set")[0] == 0
    write, second = LakeProperties.write, []

    def writing(self, lake):
        if not second:
            command = [sys.executable, "-m", "stedi_common.cli", "policy", "set", "--pairing", "timestamp"]
            second.append(subprocess.Popen(command, cwd=folder))
            with suppress(subprocess.TimeoutExpired):
                second[0].wait(5)
        write(self, lake)

    monkeypatch.setattr(LakeProperties, "write", writing)
    assert made("policy", "set", "--consent", "ever")[0] == 0
    assert second[0].wait(PATIENCE) == 0
    changes = json.loads(made("policy", "show", "--json")[1])["changes"]
    assert [change["policy"] for change in changes][-1] == str(Policy("ever", "timestamp"))
    assert not (folder / "lake" / ".policy.lock").exists()


def test_a_change_that_waits_too_long_is_refused(made, folder, monkeypatch):
    lock = acquire(str(folder / "lake" / ".policy"), "lake", "")
    monkeypatch.setattr(locks, "_MAX_WAIT_SECONDS", 0)
    code, _, err = made("policy", "set", "--consent", "ever")
    assert (code, "another command is changing its policy" in err) == (3, True)
    remove(lock)
    assert made("policy", "set", "--consent", "ever")[0] == 0


def test_a_lake_of_production_accepts_the_default_policy_only(stedi, folder):
    assert stedi("land", "--environment", "prod")[0] == 0
    code, _, err = stedi("policy", "set", "--consent", "ever")
    assert (code, "expected consent=as-of pairing=owner in prod" in err) == (1, True)
    assert document(folder)["consent"] == "as-of"
    assert stedi("policy", "set", "--consent", "ever", "--environment", "local")[0] == 0
    assert [change["environment"] for change in document(folder)["changes"]] == ["prod", "local"]


def test_another_key_is_refused_until_it_is_set(stedi, folder):
    assert stedi("land", "--key-file", "key")[0] == 0
    assert stedi("run", "--key-file", "key")[0] == 0
    code, _, err = stedi("run", "--key-file", "other.key", "--rebuild")
    assert (code, "pseudonym key: expected the key of the lake" in err) == (1, True)
    with stedi_common.open("lake", pseudonym_key_file="other.key") as lake, pytest.raises(KeyMissingError):
        lake.land()
    before = pseudonyms(stedi)
    assert stedi("policy", "set", "--key-file", "other.key")[0] == 0
    assert stedi("run", "--key-file", "key", "--rebuild")[0] == 1
    assert stedi("run", "--key-file", "other.key", "--rebuild")[0] == 0
    assert pseudonyms(stedi) != before


def pseudonyms(stedi):
    return stedi("query", "SELECT pseudonym FROM curated.machine_learning_curated", "--json")[1]


def test_a_user_without_the_key_of_the_lake_does_not_make_one(made, folder, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "another"))
    code, _, err = made("run")
    assert (code, "expected a file at" in err) == (1, True)
    assert not (folder / "another").exists()


def test_of_two_that_make_a_lake_at_once_the_first_decides(folder):
    lake = Lake.at(str(folder / "lake"))
    first = LakeProperties.new(lake, Policy(), "prod", "a" * 64).create(lake)
    assert LakeProperties.new(lake, Policy("ever"), "local", "b" * 64).create(lake) == first
    assert LakeProperties.of(lake) == first
    assert [file.name for file in (folder / "lake").iterdir()] == [FILE]


#: What is no document of properties.
JUNK = [
    b"",
    b"\x00" * 64,
    b"[]",
    b"null",
    b"{}",
    b'{"format": 2}',
    b"\xff\xfe",
    *(
        json.dumps({"format": 1, "id": "i", "location": "l", "consent": "as-of", "pairing": "owner"} | wrong).encode()
        for wrong in (
            {},
            {"defective_serials": "sn-1", "environment": "local", "key": 1, "changes": []},
            {"defective_serials": [1], "environment": "local", "key": "k", "changes": []},
            {"consent": "always", "defective_serials": [], "environment": "local", "key": "k", "changes": []},
            {"consent": "ever", "defective_serials": [], "environment": "prod", "key": "k", "changes": []},
            {"defective_serials": [], "environment": "local", "key": "k", "changes": [{"at": "now"}]},
        )
    ),
]


def test_properties_that_cannot_be_understood_stop_every_command(made, folder):
    before = snapshots(folder)
    for content in JUNK:
        (folder / "lake" / FILE).write_bytes(content)
        for command in EVERY_COMMAND:
            code, out, err = made(*command)
            assert (code, out, err.startswith("error: lake ")) == (1, "", True), (command, content)
    assert snapshots(folder) == before


def test_withdrawn_rows_are_deleted_though_the_properties_cannot_be_understood(made, folder):
    withdraw(folder)
    assert made("land")[0] == 0
    kept = (folder / "lake" / FILE).read_bytes()
    for content in JUNK[:2]:
        (folder / "lake" / FILE).write_bytes(content)
        assert made("run")[0] == 1
    (folder / "lake" / FILE).write_bytes(kept)
    assert pairs(made) == 0


def test_a_lake_of_an_earlier_version_works_and_can_be_given_properties(made, folder):
    without_properties(folder / "lake")
    assert made("run")[0] == 0
    assert made("land")[0] == 0
    code, _, err = made("policy", "show")
    assert (code, "stedi policy set makes it" in err) == (1, True)
    assert made("policy", "set")[0] == 0
    assert document(folder)["consent"] == "as-of"
    assert made("run", "--consent", "ever")[0] == 1


def test_a_lake_in_s3_has_its_policy_from_terraform(stedi):
    for command in ("show", "set"):
        code, _, err = stedi("policy", command, "--lake", "s3://bucket/lake")
        assert (code, "expected a lake in a folder" in err) == (1, True)


def test_a_folder_that_is_a_file_is_named(stedi, folder):
    (folder / "afile").write_text("")
    with pytest.raises(LakeError, match="expected a folder that can be written to"):
        LakeProperties.new(Lake.at(str(folder / "afile")), Policy(), "local", "k").create(
            Lake.at(str(folder / "afile"))
        )


def test_a_lake_on_a_file_system_without_hard_links(stedi, folder, monkeypatch):
    without_hard_links(monkeypatch)
    assert stedi("land").code == 0
    before = document(folder)
    assert stedi("run").code == 0
    assert document(folder) == before
    assert not list((folder / "lake").glob(".*"))
