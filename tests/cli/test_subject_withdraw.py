"""`stedi subject withdraw`: a person is out of research, and stays out until they consent again."""

import json
import stat
from datetime import timedelta

import pytest
from support.cli import DROPS
from support.drops import at, customer, drop, reading
from support.lakes import write

ANN, BOB = "ann@example.org", "bob@example.org"
BOTH = DROPS | {
    "customer/bob.json": drop(customer(BOB, at("08:00"), at("08:00"), "sn-2")),
    "accelerometer/ann.json": drop(reading(ANN, at("10:00"))),
}
COUNTS = (
    "SELECT (SELECT count(*) FROM trusted.customer_trusted WHERE email = '{who}') AS people, "
    "(SELECT count(*) FROM trusted.accelerometer_trusted WHERE user = '{who}') AS readings, "
    "(SELECT count(*) FROM landing.customer_landing WHERE email = '{who}') AS records"
)


@pytest.fixture
def made(stedi, tmp_path):
    """A lake of two people with drops beside it."""
    write(tmp_path / "drops", BOTH)
    assert stedi("land")[0] == stedi("run")[0] == 0
    return stedi


def rows_of(stedi, who):
    (found,) = json.loads(stedi("query", COUNTS.format(who=who), "--json").out)
    return tuple(found.values())


def test_who_withdraws_is_out_and_nobody_else(made, tmp_path):
    assert (rows_of(made, ANN), rows_of(made, BOB)) == ((1, 2, 1), (1, 1, 1))
    code, out, err = made("subject", "withdraw", ANN)
    assert (code, err) == (0, "")
    assert "1 row of customer_trusted" in out
    assert "warning" not in out
    assert (rows_of(made, ANN), rows_of(made, BOB)) == ((0, 0, 2), (1, 1, 1))
    # It can be repeated, and no later run changes anything.
    assert made("subject", "withdraw", ANN)[0] == 0
    assert made("land")[0] == made("run")[0] == 0
    assert (rows_of(made, ANN), rows_of(made, BOB)) == ((0, 0, 3), (1, 1, 1))


def test_the_refusal_is_a_drop_for_its_owner_alone_whose_name_says_nothing(made, tmp_path):
    said = json.loads(made("subject", "withdraw", ANN, "--json").out)
    file = tmp_path / "drops" / said["drop"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text())["email"] == ANN
    assert "ann" not in said["drop"]
    assert {task["job"] for task in said["tasks"]} == {"land", "remove_withdrawn"}
    # So a lake that is made anew of all drops knows it.
    assert made("land", "--lake", "anew")[0] == made("run", "--lake", "anew")[0] == 0
    (found,) = json.loads(made("query", COUNTS.format(who=ANN), "--lake", "anew", "--json").out)
    assert (found["people"], found["readings"]) == (0, 0)


def test_an_older_consent_that_arrives_later_does_not_bring_them_back_and_a_new_one_does(made, tmp_path):
    made("subject", "withdraw", ANN)
    older = customer(ANN, at("09:30"), at("08:00"), "sn-1")
    write(tmp_path / "drops", {"customer/older.json": drop(older)})
    assert made("land")[0] == made("run")[0] == 0
    assert rows_of(made, ANN)[:2] == (0, 0)
    (row,) = json.loads(made("query", "SELECT max(lastupdatedate) AS at FROM landing.customer_landing", "--json").out)
    refused = json.loads(next((tmp_path / "drops/customer/withdrawals").iterdir()).read_text())["lastupdatedate"]
    assert row["at"] is not None
    again = customer(ANN, refused + 1000, refused + 1000, "sn-1")
    write(tmp_path / "drops", {"customer/again.json": drop(again)})
    assert made("land")[0] == made("run")[0] == 0
    assert rows_of(made, ANN)[0] == 1
    assert rows_of(made, ANN)[1] == 0  # their readings are from before


def test_the_pseudonym_suffices(made):
    pseudonym = json.loads(made("subject", "show", ANN, "--json").out)["subject"]["pseudonym"]
    assert made("subject", "withdraw", "--pseudonym", pseudonym)[0] == 0
    assert rows_of(made, ANN)[:2] == (0, 0)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("nobody@example.org",), "expected a person of whom a customer record has landed"),
        ((ANN, "--landing", "elsewhere"), "expected to write the refusal"),
        (("--pseudonym", "0" * 64), "expected a person of whom a customer record has landed"),
        ((ANN, "--lake", "none"), "expected a folder with catalog.db"),
        ((ANN, "--key-file", "none"), "pseudonym key: expected a file"),
    ],
)
def test_what_cannot_be_done_is_refused_and_nothing_is_written(made, tmp_path, words, expected):
    before = sorted(tmp_path.iterdir())
    code, out, err = made("subject", "withdraw", *words)
    assert (code, out, expected in err) == (1, "", True), err
    assert "nobody@" not in err
    assert sorted(tmp_path.iterdir()) == before
    assert not (tmp_path / "drops/customer/withdrawals").exists()
    assert rows_of(made, ANN) == (1, 2, 1)


def test_a_log_does_not_have_the_address(made, tmp_path):
    assert made("--log-file", "log", "subject", "withdraw", ANN)[0] == 0
    assert "@" not in (tmp_path / "log").read_text()


def test_a_withdrawal_that_was_killed_before_it_landed_lands_with_the_next_run(made, tmp_path, monkeypatch):
    def killed(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("stedi_common.cli.subject.run_tasks", killed)
        assert made("subject", "withdraw", ANN)[0] == 130
    assert rows_of(made, ANN) == (1, 2, 1)
    assert made("land")[0] == made("run")[0] == 0
    assert rows_of(made, ANN) == (0, 0, 2)


def test_it_takes_effect_although_a_record_came_from_a_clock_that_is_ahead(made, tmp_path):
    """Such a record took effect when it arrived (rule 4)."""
    tomorrow = at("08:00") + timedelta(days=365 * 40)
    write(tmp_path / "drops", {"customer/ahead.json": drop(customer(ANN, tomorrow, at("08:00"), "sn-1"))})
    made("land")
    assert made("subject", "withdraw", ANN)[0] == 0
    assert rows_of(made, ANN)[:2] == (0, 0)
