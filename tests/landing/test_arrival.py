"""Drops arrive when their landing begins, but after all that has landed, whatever the clock of the machine says."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from support.drops import at, customer, drop, reading
from support.lakes import Dying, KilledError, rows, write

from stedi_common import landing
from stedi_common.checks.reconcile import differences
from stedi_common.contracts import contract
from stedi_common.errors import LakeError
from stedi_common.landing.arrival import EARLIEST
from stedi_common.rules.consent import consents

ANN = "ann@example.org"
NOW = datetime(2026, 6, 10, 12)
DAY = timedelta(days=1)
CUSTOMERS = contract("customer_landing")
RECORD = {"customer/1.json": drop(customer(ANN, at("08:00"), at("08:00"), "sn-1"))}
#: No instant of an update. With a consent that can be read the line suspends, without one it is a refusal.
SUSPENDS = {"customer/2.json": drop(customer(ANN, None, at("08:00")))}
REFUSES = {"customer/2.json": drop(customer(ANN, None, None))}


@pytest.fixture
def night(engine, tmp_path, key, monkeypatch) -> Callable[..., landing.Landed]:
    """Lands drops by a clock, of the customers or of another source; killed before a commit, by its number."""

    def night(clock: datetime, drops: Any, source: str = "customer", dies: int | None = None) -> landing.Landed:
        write(tmp_path / "drops", drops)
        monkeypatch.setattr(landing, "utc_now", lambda: clock)
        lake = engine if dies is None else Dying(engine, dies)
        return landing.land(lake, source, str(tmp_path / "drops"), key)

    return night


def consenting(engine: Any) -> set[str]:
    found = engine.collect(consents(engine.read(CUSTOMERS, engine.head(CUSTOMERS))))
    return {row["email"] for row in found if row["current"] and row["consent_start"]}


@pytest.mark.rule(4)
@pytest.mark.parametrize("doubtful", [SUSPENDS, REFUSES], ids=["suspends", "refuses"])
@pytest.mark.parametrize("back", [DAY, 365 * 30 * DAY], ids=["day", "decades"])
def test_a_clock_that_was_set_back_keeps_nobody_in_who_is_in_doubt(engine, night, doubtful, back):
    night(NOW, RECORD)
    assert consenting(engine) == {ANN}
    landed = night(NOW - back, doubtful)
    assert consenting(engine) == set()
    assert [each for each in landed.warnings if each.startswith("clock: expected an instant after the last landing")]
    assert differences(engine) == []


@pytest.mark.rule(4)
def test_a_record_that_comes_after_a_doubtful_line_is_later_by_any_clock(engine, night):
    night(NOW, RECORD)
    night(NOW + DAY, SUSPENDS)
    night(NOW, {"customer/3.json": drop(customer(ANN, at("09:00"), at("08:00"), "sn-1"))})
    assert consenting(engine) == {ANN}


@pytest.mark.rule(4)
def test_a_killed_landing_counts_as_one_that_has_landed(engine, night, tmp_path):
    """Its file is gone before a landing could complete it."""
    with pytest.raises(KilledError):
        night(NOW, RECORD, dies=2)
    (tmp_path / "drops" / "customer" / "1.json").unlink()
    night(NOW - DAY, SUSPENDS)
    assert consenting(engine) == set()


@pytest.mark.rule(2)
def test_a_clock_that_was_set_back_rejects_no_reading(engine, night):
    night(NOW, RECORD)
    landed = night(NOW - 365 * 30 * DAY, {"accelerometer/1.json": drop(reading(ANN, at("09:00")))}, "accelerometer")
    assert (landed.landed, landed.rejected) == (1, 0)


@pytest.mark.rule(2)
def test_nothing_lands_first_by_a_clock_that_is_certainly_wrong(engine, night):
    with pytest.raises(LakeError, match="clock: expected an instant after 2025-01-01, got 2000-01-01 00:00 UTC"):
        night(datetime(2000, 1, 1), RECORD)
    assert not rows(engine, CUSTOMERS.name)
    assert night(EARLIEST, RECORD).landed == 1


def test_clocks_of_two_machines_may_differ_a_little_without_a_warning(night):
    night(NOW, RECORD)
    assert not [each for each in night(NOW - timedelta(minutes=1), SUSPENDS).warnings if each.startswith("clock")]
