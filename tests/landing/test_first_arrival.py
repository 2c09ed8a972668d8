"""A landing that was killed is completed as of its first arrival, so that it ends no suspension (rule 4)."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from support.drops import at, customer, drop
from support.lakes import Dying, KilledError, land, rows, unreadable, write

from stedi_common import landing
from stedi_common.checks.reconcile import differences
from stedi_common.contracts import contract
from stedi_common.errors import EngineError
from stedi_common.incremental import summary
from stedi_common.landing import landed_files
from stedi_common.landing.missing import expect_no_missing_lines
from stedi_common.landing.unread import unread_files
from stedi_common.rules.consent import suspended

ANN, BOB = "ann@example.org", "bob@example.org"
CUSTOMERS = contract("customer_landing")
FIRST, KILLED, NEXT, LAST = (datetime(2024, 6, day) for day in range(1, 5))
RECORD = customer(ANN, at("08:00"), at("08:00"), "sn-1")
#: No instant of an update, and a consent that can be read: the line suspends.
DOUBTFUL = customer(ANN, None, at("08:00"))
BOBS = {"customer/0.json": drop(customer(BOB, None, at("08:00")))}
BESIDE = {"customer/1.json": drop(RECORD, DOUBTFUL)}
#: A record that has landed before comes in a file of its own, so the killed landing adds no row of that file.
EQUAL = {"customer/2.json": drop(RECORD)}
DOUBT_ALONE = {"customer/1.json": drop(DOUBTFUL)}


def suspended_in(engine: Any, before: datetime = datetime(2024, 7, 1)) -> set[str]:
    people = suspended(engine.read(CUSTOMERS, engine.head(CUSTOMERS)), before)
    return {row["email"] for row in engine.collect(people)}


@pytest.fixture
def night(engine, tmp_path, key) -> Callable[..., None]:
    """Lands drops; killed before a commit of the customers, by its number: the records are 1, `landed_files` is 2."""

    def night(arrival: datetime, drops: dict[str, bytes] = {}, dies: int | None = None) -> None:  # noqa: B006
        write(tmp_path / "drops", drops)
        if dies is None:
            land(engine, tmp_path / "drops", key, arrival)
            return
        with pytest.raises(KilledError):
            landing.land(Dying(engine, dies), "customer", str(tmp_path / "drops"), key, arrival)

    return night


@pytest.mark.parametrize("before", [{}, BOBS], ids=["first", "later"])
@pytest.mark.parametrize("dies", [1, 2])
def test_a_killed_landing_is_completed_as_of_its_first_arrival(engine, night, before, dies):
    if before:
        night(FIRST, before)
    night(KILLED, BESIDE, dies=dies)
    night(NEXT)
    assert suspended_in(engine) == {ANN, *([BOB] if before else [])}
    arrived = KILLED if dies == 2 else NEXT
    landed = [(1, arrived), (2, arrived), *([(1, FIRST)] if before else [])]
    assert rows(engine, "customer_landing", ("source_line", "arrived_at")) == Counter(landed)
    entries = rows(engine, "landed_files", ("source_file", "landed", "duplicate", "arrived_at"))
    assert entries[("customer/1.json", 2, 0, arrived)] == 1


def test_an_equal_record_in_a_file_of_its_own_does_not_arrive_a_second_time(engine, night):
    night(FIRST, {"customer/0.json": drop(RECORD)})
    night(KILLED, DOUBT_ALONE | EQUAL, dies=2)
    night(NEXT)
    assert suspended_in(engine) == {ANN}


def test_an_equal_record_that_comes_later_ends_the_suspension(engine, night):
    night(FIRST, {"customer/0.json": drop(RECORD)})
    night(KILLED, DOUBT_ALONE, dies=2)
    night(NEXT, EQUAL)
    assert suspended_in(engine) == set()


def test_an_equal_record_that_comes_when_the_doubtful_file_is_gone_ends_the_suspension(engine, night, tmp_path):
    night(FIRST, {"customer/0.json": drop(RECORD)})
    night(KILLED, DOUBT_ALONE, dies=2)
    (tmp_path / "drops" / "customer" / "1.json").unlink()
    night(NEXT, EQUAL)
    assert suspended_in(engine) == set()


def test_a_record_that_answers_an_earlier_suspension_answers_it_once(engine, night):
    night(FIRST, {"customer/0.json": drop(RECORD, DOUBTFUL)})
    night(KILLED, {"customer/1.json": drop(RECORD)}, dies=2)
    night(NEXT)
    assert rows(engine, "customer_landing", ("source_file", "arrived_at"))[("customer/1.json", KILLED)] == 1
    assert suspended_in(engine) == set()
    assert engine.head(CUSTOMERS).rows == 3


def test_an_instant_that_was_wrong_at_the_first_arrival_stays_wrong(engine, night):
    """Of a clock that is ahead: the line was doubtful, and would be a record a few nights later."""
    ahead = customer(ANN, datetime(2024, 6, 3, 12), at("08:00"), "sn-1")
    night(KILLED, {"customer/1.json": drop(ahead)}, dies=2)
    night(LAST)
    assert suspended_in(engine) == {ANN}
    assert engine.head(CUSTOMERS).rows == 1


@pytest.mark.parametrize("delivered_again", [False, True])
def test_a_file_that_is_gone_for_a_night_ends_no_suspension(engine, night, tmp_path, delivered_again):
    night(KILLED, BESIDE, dies=2)
    (tmp_path / "drops" / "customer" / "1.json").rename(tmp_path / "1.json")
    night(NEXT, BOBS)
    assert suspended_in(engine) == {ANN, BOB}
    (tmp_path / "1.json").rename(tmp_path / "drops" / "customer" / "1.json")
    if delivered_again:
        os.utime(tmp_path / "drops" / "customer" / "1.json", (1_700_000_000, 1_700_000_000))
    night(LAST)
    assert suspended_in(engine) == {ANN, BOB}


def test_a_file_that_cannot_be_read_for_a_night_ends_no_suspension(engine, night, monkeypatch):
    night(KILLED, BESIDE, dies=2)
    with unreadable(monkeypatch, "1.json"):
        night(NEXT, BOBS)
    assert [each.since for each in unread_files(engine).files] == [NEXT]
    night(LAST)
    assert unread_files(engine) is None
    assert suspended_in(engine) == {ANN, BOB}


def test_a_file_that_cannot_be_read_while_others_are_completed_ends_no_suspension(engine, night, monkeypatch):
    """It has no row of its own: its record is equal to one that has landed."""
    night(FIRST, {"customer/0.json": drop(RECORD)})
    night(KILLED, DOUBT_ALONE | EQUAL, dies=2)
    with unreadable(monkeypatch, "2.json"):
        night(NEXT)
    night(LAST)
    assert suspended_in(engine) == {ANN}


def test_a_file_that_cannot_be_read_at_first_waits_for_the_next_landing(engine, night, monkeypatch):
    """Whether it has arrived before is not known until then."""
    night(KILLED, BESIDE, dies=2)
    with refusing(monkeypatch, landed_files, "sha256", landed_files):
        night(NEXT)
    assert suspended_in(engine) == {ANN}
    night(LAST)
    assert suspended_in(engine) == {ANN}


def test_a_file_that_cannot_be_read_while_it_is_completed_is_unread_since_then(engine, night, monkeypatch):
    night(KILLED, BESIDE, dies=2)
    with refusing(monkeypatch, engine, "stage", landing):
        night(NEXT)
    assert [each.since for each in unread_files(engine).files] == [NEXT]


@contextmanager
def refusing(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, module: Any) -> Iterator[None]:
    """What is called may read no file, and the module that asks why learns that the file is unreadable."""

    def refused(*_: Any) -> str:
        raise PermissionError

    with monkeypatch.context() as patched:
        patched.setattr(owner, name, refused)
        patched.setattr(module, "why_unreadable", lambda _: "unreadable")
        yield


def test_a_file_that_has_changed_is_a_new_version(engine, night):
    """Its doubtful lines arrive now, so a refusal is not dated back. A suspension stays."""
    night(KILLED, BESIDE, dies=2)
    night(NEXT, {"customer/1.json": drop(RECORD, DOUBTFUL, customer(BOB, None))})
    assert suspended_in(engine) == {ANN}
    assert rows(engine, "customer_landing", ("email", "arrived_at"))[(BOB, NEXT)] == 1
    night(LAST)
    assert suspended_in(engine) == {ANN}


def test_a_file_that_changes_while_it_is_completed_lands_with_the_next_landing(engine, night, tmp_path, monkeypatch):
    night(KILLED, BESIDE, dies=2)
    stage, changed = engine.stage, {"customer/1.json": drop(RECORD, DOUBTFUL, customer(BOB, None))}

    def changing(*args: Any) -> Any:
        write(tmp_path / "drops", changed)
        return stage(*args)

    with monkeypatch.context() as patched:
        patched.setattr(engine, "stage", changing)
        with pytest.raises(EngineError, match="customer: expected files that are unchanged since they first arrived"):
            night(NEXT)
    night(LAST)
    assert suspended_in(engine) == {ANN}
    assert rows(engine, "customer_landing", ("email", "arrived_at"))[BOB, LAST] == 1


def test_no_line_counts_for_two_versions(engine, night, tmp_path):
    """The version that the killed landing has read comes back after another one with the same line."""
    path = tmp_path / "drops" / "customer" / "1.json"
    night(KILLED, {"customer/1.json": drop(RECORD)}, dies=2)
    (modified_at, content) = path.stat().st_mtime_ns, path.read_bytes()
    night(NEXT, {"customer/1.json": drop(RECORD, customer(BOB, at("08:00")))})
    path.write_bytes(content)
    os.utime(path, ns=(modified_at, modified_at))
    night(LAST)
    assert differences(engine) == []
    expect_no_missing_lines(engine)
    counts = rows(engine, "landed_files", ("landed", "duplicate", "arrived_at"))
    assert counts == {(1, 0, KILLED): 1, (1, 1, NEXT): 1}


def test_of_many_files_none_arrives_a_second_time(engine, night, monkeypatch):
    """The commit does not name them, so each may be one that had arrived."""
    monkeypatch.setattr(summary, "MAX_FILE_VERSIONS", 1)
    night(FIRST, {"customer/0.json": drop(RECORD)})
    night(KILLED, DOUBT_ALONE | EQUAL, dies=2)
    night(NEXT)
    assert suspended_in(engine) == {ANN}


def test_two_killed_landings_are_completed_as_of_their_own_arrivals(engine, night):
    night(FIRST, BESIDE, dies=2)
    bobs = drop(customer(BOB, at("08:00"), at("08:00")), customer(BOB, None, at("08:00")))
    night(KILLED, {"customer/2.json": bobs}, dies=3)  # the first commit completes the other
    night(NEXT)
    assert suspended_in(engine) == {ANN, BOB}
    entries = rows(engine, "landed_files", ("source_file", "arrived_at"))
    assert entries == {("customer/1.json", FIRST): 1, ("customer/2.json", KILLED): 1}
    before = engine.head(CUSTOMERS), engine.head(contract("landed_files"))
    night(LAST)
    assert (engine.head(CUSTOMERS), engine.head(contract("landed_files"))) == before
