"""Folders and drops with odd names: each works, or is refused before anything is written."""

import json
import shutil

import pytest
from support.drops import at, customer, landing, reading, step
from support.lakes import write

PAIRS = "SELECT count(*) AS pairs FROM curated.machine_learning_curated"

#: What works as the name of a lake, of a landing folder, and of a drop.
USABLE = ["a b", "a'b", 'a"b', "é€漢", "%2e%2e", "[a]", "a*b", "{zone}", "\u202eb"]
MORE_USABLE = [
    *(" a", "a ", "e\u0301", "a%20b", "a%2fb", "%", "[", "**", "$HOME", "a~", "{a,b}", "a;b", "a&b=c", "a+b", "a:b"),
    *("file:a", "memory:", "-a", "a,b", "!(a)", "a|b", "a@b.org", "a\u200bb", "[bold]a", "a" * 200),
]
#: What works for drops, but not for a lake: there a library takes it for something else.
ONLY_FOR_DROPS = ["a#b", "#", "a?b", "?", "a\\b", "\\", "a\nb", "a\tb", "a\rb", "a\x1b[31mb", "a\x7f", "a\x85b"]


def drops(name: str = "1"):
    return landing(
        [customer("ann@example.org", at("08:00"), at("08:00"), "sn-1")],
        [reading("ann@example.org", at("09:00")), reading("bob@example.org", at("09:00"))],
        [step("sn-1", at("09:00"))],
        name=name,
    )


def everything(stedi, lake: str, landing_: str) -> None:
    """Each command of a night works, and the lake has the pair of the drops."""
    words = [f"--lake={lake}"]
    assert stedi("land", f"--landing={landing_}", *words).code == 0
    for command in (["run"], ["run", "--plan"], ["status"], ["maintain"]):
        said = stedi(*command, *words)
        assert (said.code, said.err) == (0, "")
    assert json.loads(stedi("query", PAIRS, "--json", *words).out) == [{"pairs": 1}]
    again = stedi("land", "--json", f"--landing={landing_}", *words)
    assert [source["files"] for source in json.loads(again.out)] == [0, 0, 0]


def files_in(folder) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(
    "name", [*USABLE, *(pytest.param(name, marks=pytest.mark.long) for name in MORE_USABLE)], ids=ascii
)
def test_a_lake_and_its_drops_may_have_any_usual_name(stedi, tmp_path, name, monkeypatch):
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    write(tmp_path / "in" / "drops" / name, drops(name))
    everything(stedi, name, f"drops/{name}")
    assert (files_in(tmp_path), files_in(tmp_path / "in")) == ({"in"}, {name, "drops"})
    assert "catalog.db" in files_in(tmp_path / "in" / name)


@pytest.mark.parametrize("name", ["a#?\\b", "a\n\t\x1bb", "a\udcffb"], ids=ascii)
def test_drops_may_have_a_name_that_a_lake_may_not(stedi, tmp_path, name):
    write(tmp_path / "drops" / name, drops(name if name.isascii() else "1"))
    everything(stedi, "lake", f"drops/{name}")


@pytest.mark.parametrize("command", [["land"], ["run"], ["status"], ["query", PAIRS], ["maintain"], ["demo"]])
def test_a_lake_that_would_be_at_another_place_is_wrong_usage(stedi, tmp_path, command):
    write(tmp_path / "drops", drops())
    for name in [*ONLY_FOR_DROPS, "a\udcffb", "lake#/b"]:
        said = stedi(*command, f"--lake={name}")
        assert (said.code, said.out) == (2, "")
        error, hint = said.err.splitlines()
        assert error.startswith("error: lake ")
        assert ": expected a path without '" in error
        assert hint == "hint:  put the lake into a folder with another name"
        assert files_in(tmp_path) == {"drops"}


def test_the_folder_that_a_lake_is_below_counts(stedi, tmp_path, monkeypatch):
    (tmp_path / "C#").mkdir()
    monkeypatch.chdir(tmp_path / "C#")
    said = stedi("land", "--landing", "..")
    assert (said.code, "C#/lake: expected a path without '#'" in said.err) == (2, True)
    assert not files_in(tmp_path / "C#")


@pytest.mark.parametrize("option", ["--lake", "--landing"])
def test_an_empty_path_is_wrong_usage(stedi, tmp_path, option):
    said = stedi("land", option, "")
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines() == [f"error: {option}: expected a folder or an S3 URI, got nothing"]
    assert not files_in(tmp_path)


@pytest.mark.parametrize("option", ["--lake", "--landing"])
@pytest.mark.parametrize("uri", ["file:///a", "file:/a", "gs://a/b", "S3://a", "s3a://a", "s3:/a", "s3://", "s3:///a"])
def test_a_uri_of_another_place_is_no_folder_of_this_name(stedi, tmp_path, option, uri):
    write(tmp_path / "drops", drops())
    said = stedi("land", f"{option}={uri}")
    assert (said.code, said.out) == (2, "")
    assert said.err.splitlines() == [
        f"error: {option}: expected a path or an S3 URI, got {uri}",
        "hint:  a path has no file:// before it, and an S3 URI is as s3://bucket/folder",
    ]
    assert files_in(tmp_path) == {"drops"}


@pytest.mark.parametrize(
    ("landing_", "lake"),
    [(".", "lake"), ("drops", "drops/customer"), ("drops", "drops"), ("drops", "."), ("link", "drops/lake")],
)
def test_a_lake_and_its_drops_are_apart(stedi, tmp_path, landing_, lake):
    """Otherwise the files of the lake would be listed as drops, and would change with each landing."""
    write(tmp_path / "drops", drops())
    (tmp_path / "link").symlink_to("drops")
    for command in ("land", "demo"):
        said = stedi(command, f"--landing={landing_}", f"--lake={lake}")
        assert (said.code, said.out) == (2, "")
        error, hint = said.err.splitlines()
        assert error.startswith(f"error: landing {landing_}: expected a folder apart from the lake ")
        assert hint == "hint:  put them side by side, such as drops/ and lake/"
    assert files_in(tmp_path) == {"drops", "link"}
    assert files_in(tmp_path / "drops") == {"customer", "accelerometer", "step_trainer"}


@pytest.mark.parametrize(("name", "other"), [("a*", "ab"), ("[a]", "a"), ("[!b]", "a"), ("{a,b}", "a")])
def test_a_name_with_a_wildcard_is_that_of_one_lake_only(stedi, tmp_path, name, other):
    """DuckDB takes such a path for a pattern, and the copy of a lake has files of the same names."""
    write(tmp_path / "drops", drops())
    assert stedi("land", f"--lake={name}").code == 0
    shutil.copytree(tmp_path / name, tmp_path / other)
    everything(stedi, name, "drops")
    assert stedi(
        "query", "SELECT count(*) AS n FROM landing.accelerometer_landing", f"--lake={name}", "--json"
    ).out == ('[{"n": 2}]\n')


def test_a_tilde_is_a_home_only_if_there_is_one(stedi, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    write(tmp_path / "drops", drops())
    assert stedi("land", "--lake=~/lake").code == 0
    assert "catalog.db" in files_in(tmp_path / "home" / "lake")
    everything(stedi, "~nobody-of-this-name", "drops")
    assert "catalog.db" in files_in(tmp_path / "~nobody-of-this-name")
    (tmp_path / "stedi.toml").write_text('lake = "~nobody-of-this-name"', encoding="utf-8")
    assert stedi("status").code == 0
