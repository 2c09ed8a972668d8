"""What is shown of names and texts from outside: escaped, and with no address of a person."""

import json
import unicodedata

import pytest
from support.drops import at, customer, drop
from support.lakes import write

from stedi_common.cli import console
from stedi_common.errors import QueryError, StediError, as_stedi_error
from stedi_common.text import escaped

HOSTILE = "a\x1b[31m\x1b]0;title\x07\u202e\u2028\r\nerror: all is lost\x9b2J"
DROPS = {"customer/1.json": drop(customer("ann@example.org", at("08:00"), at("08:00"), "sn-1"))}


def is_clean(text: str) -> bool:
    """Whether nothing in it moves the cursor or hides, line feeds excepted."""
    return not [c for c in text if c != "\n" and unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


@pytest.mark.parametrize("make", [StediError, lambda text: StediError("x", text)])
def test_an_error_is_one_line_whatever_it_quotes(make):
    message, *hint = str(make(HOSTILE)).split("\nhint: ")
    assert all(is_clean(text) and "\n" not in text for text in (message, *hint))


def test_an_error_of_a_query_keeps_its_lines_and_nothing_else():
    assert str(QueryError("query: a\n^\x1b")) == "query: a\n^\\x1b"


@pytest.mark.parametrize("text", [HOSTILE, "\udcff", "\x00", "\ufeff"])
def test_the_console_shows_no_control_characters(capsys, text):
    console.out.print(text, markup=False)
    console.error(StediError(text))
    said = capsys.readouterr()
    assert is_clean(said.out)
    assert is_clean(said.err)
    assert escaped(text, keep="\n")[:3] in said.out


@pytest.mark.parametrize("text", ["plain", "é€漢 [b]x[/b] 😀", "\\x1b"])
def test_what_shows_stays_as_it_is(text):
    assert escaped(text) == text


@pytest.mark.parametrize(
    "words", [["land", "--landing", HOSTILE], ["status", "--lake", HOSTILE], ["status", "--config", HOSTILE]]
)
def test_a_name_that_a_user_gives_is_escaped(stedi, words):
    said = stedi(*words)
    assert said.code in (1, 2)
    assert is_clean(said.err)
    assert "\nerror: all" not in said.err


def test_a_drop_with_a_hostile_name(stedi, tmp_path):
    write(tmp_path / "drops", DROPS | {f"customer/{HOSTILE}.csv": b"", f"customer/{HOSTILE}.json": b'{"\\u001b": 1'})
    said = stedi("land")
    assert "a\\x1b[31m\\x1b]0;title\\x07\\u202e\\u2028\\x0d\\x0aerror: all is lost\\x9b2J.csv" in said.out
    assert is_clean(said.out + said.err)
    assert stedi("query", "SELECT source_file FROM landing.rejected_records", "--json").out == (
        json.dumps([{"source_file": f"customer/{HOSTILE}.json"}]) + "\n"
    )
    said = stedi("query", 'SELECT source_file AS "\x1b[31mred", source_file FROM landing.rejected_records')
    assert said.code == 0
    assert is_clean(said.out + said.err)


@pytest.mark.parametrize("name", ["ada@example.org.json", "ada%40example.org.csv", "of/ada\uff20example.org/1.JSON"])
def test_an_address_in_the_name_of_a_drop_is_not_shown(stedi, tmp_path, name):
    write(tmp_path / "drops", DROPS | {f"customer/{name}": b"\x80{", "customer/ada@example.org.exe": b""})
    for words in (["land"], ["land", "--json"], ["--debug", "run"], ["status"], ["status", "--json"], ["maintain"]):
        said = stedi("--log-file", "log", *words)
        assert "example.org" not in said.out + said.err
        if words[0] == "land":
            assert "\u2039address\u203a" in (
                said.out if words == ["land"] else json.dumps(json.loads(said.out), ensure_ascii=False)
            )
    assert "example.org" not in (tmp_path / "log").read_text(encoding="utf-8")


def test_an_address_is_not_shown_in_an_error_of_the_system():
    error = as_stedi_error(PermissionError(13, "no", "/drops/customer/ada@example.org.json/x"))
    assert str(error).startswith("/drops/customer/\u2039address\u203a/x: expected ")
