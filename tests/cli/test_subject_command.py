"""`stedi subject`: from the command line to the screen, to JSON, and to a folder."""

import json
import stat
import sys
from io import BytesIO, TextIOWrapper

import pytest
from support.cli import DROPS
from support.lakes import modes, write

ANN = "ann@example.org"


@pytest.fixture
def made(stedi, tmp_path):
    """A lake with drops beside it."""
    write(tmp_path / "drops", DROPS)
    assert stedi("land")[0] == stedi("run")[0] == 0
    return stedi


def type_in(monkeypatch, content):
    """Have this on standard input."""
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(content)))


def test_a_person_is_shown(made):
    code, out, _ = made("subject", "show", ANN)
    assert code == 0
    assert [line.split() for line in out.splitlines() if line.startswith("landing.")] == [
        ["landing.accelerometer_landing", "1", "0"],
        ["landing.customer_landing", "1", "0"],
        ["landing.step_trainer_landing", "1", "0"],
    ]
    assert "address: ann@example.org" in out
    assert "devices: sn-1" in out
    assert "accelerometer/1.json: line 1" in out


def test_the_address_is_read_from_a_file_or_standard_input(made, tmp_path, monkeypatch):
    expected = made("subject", "show", ANN, "--json")
    (tmp_path / "who").write_text(f"\n {ANN.upper()} \n")
    assert made("subject", "show", "--file", "who", "--json") == expected
    for words in ((), ("-",)):
        type_in(monkeypatch, ANN.encode())
        assert made("subject", "show", "--json", *words) == expected
    pseudonym = json.loads(expected.out)["subject"]["pseudonym"]
    assert made("subject", "show", "--pseudonym", pseudonym, "--json") == expected


def test_the_rows_and_lines_are_exported_for_their_owner_alone(made, tmp_path):
    doubtful = b'{"email": "ann@example.org" "bob@example.org"\n'
    write(tmp_path / "drops", {"customer/2.json": doubtful})
    assert made("subject", "show", ANN, "--export", "ann")[0] == 0
    assert modes(tmp_path / "ann") == {("folder", 0o700), ("file", 0o600)}
    of_table = {file.name: file.read_text().splitlines() for file in (tmp_path / "ann").iterdir()}
    (row,) = map(json.loads, of_table["landing.customer_landing.ndjson"])
    assert (row["email"], row["registrationdate"]) == (ANN, None)
    lines = [json.loads(line) for line in of_table["drops.ndjson"]]
    assert {(line["file"], line["line"], line["text"] is None) for line in lines} == {
        ("customer/1.json", 1, False),
        ("customer/2.json", 1, True),  # somebody else is named in it
        ("accelerometer/1.json", 1, False),
        ("step_trainer/1.json", 1, False),
    }
    assert "bob@" not in "".join(map("".join, of_table.values()))
    code, _, err = made("subject", "show", ANN, "--export", "ann")
    assert (code, "expected a new folder" in err) == (1, True)


def test_without_drops_it_says_so(made, tmp_path):
    (tmp_path / "drops").rename(tmp_path / "elsewhere")
    code, out, _ = made("subject", "show", ANN)
    assert (code, "not examined: drops" in out) == (0, True)
    assert json.loads(made("subject", "show", ANN, "--json").out)["drops"] is None
    assert "customer/1.json: line 1" in made("subject", "show", ANN, "--landing", "elsewhere").out
    assert made("subject", "show", ANN, "--landing", "drops")[0] == 1


def test_a_person_of_whom_nothing_is_held(made):
    code, out, _ = made("subject", "show", "nobody@example.org")
    assert (code, "Nothing was found on this person." in out) == (0, True)


@pytest.mark.parametrize(
    ("words", "content", "expected"),
    [
        ((ANN, "--pseudonym", "0" * 64), b"", (2, "expected an address or --pseudonym, got both")),
        ((ANN, "--file", "who"), b"", (2, "expected an address or --file, got both")),
        (("--file", "nothing"), b"", (1, "expected a file with an address")),
        ((), b"", (1, "expected one address, got 0")),
        ((), b"ann@example.org\nbob@example.org\n", (1, "expected one address, got 2")),
        ((), b"\xff\xfe", (1, "expected an address in UTF-8")),
        (("half an addr",), b"", (1, "expected an address such as")),
        (("--pseudonym", "12"), b"", (1, "expected a pseudonym of 64 hex digits")),
        ((ANN, "--export", "no/such"), b"", (1, "expected to make the folder")),
        ((ANN, "--lake", "none"), b"", (1, "expected a folder with catalog.db")),
        ((ANN, "--key-file", "none"), b"", (1, "pseudonym key: expected a file")),
    ],
)
def test_what_cannot_be_answered_is_an_error_of_one_line(made, monkeypatch, words, content, expected):
    type_in(monkeypatch, content)
    code, error = expected
    said = made("subject", "show", *words)
    assert (said.code, said.out, error in " ".join(said.err.replace("│", "").split())) == (code, "", True), said
    assert "bob@" not in said.err
    assert "half" not in said.err


def test_another_key_is_refused(made, tmp_path):
    (tmp_path / "other.key").write_text("1" * 64)
    (tmp_path / "other.key").chmod(0o600)
    code, _, err = made("subject", "show", ANN, "--key-file", "other.key")
    assert (code, "expected the key of the lake" in err) == (1, True)


def test_a_log_does_not_have_the_address(made, tmp_path):
    assert made("--log-file", "log", "subject", "show", ANN, "--export", "ann")[0] == 0
    assert made("--log-file", "log", "subject", "show", "half@an@addr")[0] == 1
    assert stat.S_IMODE((tmp_path / "log").stat().st_mode) == 0o600
    assert "@" not in (tmp_path / "log").read_text()
