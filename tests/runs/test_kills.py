"""Runs that are killed by SIGKILL, at their commits and at any instant: the next run repairs what they left.

A run is a process of its own, in a session of its own with the Java that it starts, and all of it is killed at once. So
there are files half written, SQLite's journals, staged records and branches that nobody removes.
"""

import os
import shutil
import signal
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count, product
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

import pytest
from support.comparison import actual_tables, expected_tables
from support.crowds import crowd, in_pieces
from support.histories import History
from support.lakes import Asks, instead, land, opening, run, write
from support.processes import FORKED, kill, wait_for

from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.policy import Policy

#: A commit's number in a run, those that make tables included, and whether to die before it or after it.
Moment = tuple[int, bool]

#: At these commits of a night; what a night has is asserted.
COMMITS = 13
AT_COMMITS = [
    pytest.param("embedded", [(4, True)], id="embedded-some"),
    pytest.param(
        "embedded", list(product(range(1, COMMITS + 1), (False, True))), id="embedded", marks=pytest.mark.long
    ),
    # Of each commit the branch, the rows, the fast-forward and the removal.
    pytest.param("spark", list(product((3, 24, 50), (False, True))), id="spark", marks=pytest.mark.long),
]
#: Kills at any instant of each night, by seed.
NIGHTS = 2
AT_ANY_INSTANT = [
    pytest.param("embedded", 0, 1, id="embedded-some"),
    *(pytest.param("embedded", seed, 3, id=f"embedded-{seed}", marks=pytest.mark.long) for seed in range(1, 23)),
    *(pytest.param("spark", seed, 2, id=f"spark-{seed}", marks=pytest.mark.long) for seed in range(1, 3)),
]


@dataclass
class Lakehouse:
    """A lake on which runs are killed. `seconds` is what a run takes that is not."""

    engine: str
    folder: Path
    key: PseudonymKey
    seconds: float = field(default=1.0)

    def night(self, arrival: datetime, dies: Moment | None = None, within: float | None = None) -> bool:
        """Land what is there and run the jobs, until a moment or for some seconds at most; whether it was killed."""
        process = FORKED.Process(target=run_night, args=(self.engine, self.folder, arrival, self.key, dies))
        began = monotonic()
        process.start()
        if within is not None:
            process.join(within)
            if process.is_alive():
                kill(process)
        code = wait_for(process)
        assert code in (0, -signal.SIGKILL)
        if code == 0:
            self.seconds = monotonic() - began
        return code != 0

    def keep(self) -> None:
        """Keep the lake as it is now, if there is one."""
        shutil.rmtree(self.folder / "kept", ignore_errors=True)
        if (self.folder / "lake").exists():
            shutil.copytree(self.folder / "lake", self.folder / "kept")

    def put_back(self) -> None:
        """What was kept, to the same place: a lake cannot be moved."""
        shutil.rmtree(self.folder / "lake")
        if (self.folder / "kept").exists():
            shutil.copytree(self.folder / "kept", self.folder / "lake")

    def assert_right(self, history: History, nights: int) -> None:
        """The next run makes the tables what the oracle says, and nothing stays of what was staged."""
        assert not self.night(history.arrived_at[nights - 1])
        assert not list((self.folder / "lake").glob(".staging-*"))
        with opening() as connect_to:
            made = actual_tables(connect_to("embedded", self.folder / "lake"))
        assert made == expected_tables(History(history.runs[:nights], history.arrived_at[:nights]), Policy(), self.key)


def run_night(engine_name: str, folder: Path, arrival: datetime, key: PseudonymKey, dies: Moment | None) -> None:
    os.setsid()
    with opening() as connect_to:
        engine = connect_to(engine_name, folder / "lake")
        if dies:
            instead(engine, mortal(*dies))
        land(engine, folder / "drops", key, arrival)
        run(engine, Policy(), key)


def mortal(n: int, after: bool) -> Any:
    """Makes what asks a catalog die before or after it does so for the n-th time."""
    turn = count(1)

    def make(ask: Asks) -> Asks:
        def asked(*args: Any, **named: Any) -> Any:
            last = next(turn) == n
            if last and not after:
                os.killpg(0, signal.SIGKILL)
            answer = ask(*args, **named)
            if last:
                os.killpg(0, signal.SIGKILL)
            return answer

        return asked

    return make


@pytest.fixture
def lakehouse(request, tmp_path, key) -> Lakehouse:
    return Lakehouse(request.param, tmp_path, key)


@pytest.mark.parametrize(("lakehouse", "dying"), AT_COMMITS, indirect=["lakehouse"])
def test_killed_at_a_commit(lakehouse, tmp_path, dying: list[Moment]):
    """The same night again and again, each time at another one."""
    history = in_pieces(crowd(5), 2)
    write(tmp_path / "drops", history.runs[0])
    assert not lakehouse.night(history.arrived_at[0])
    write(tmp_path / "drops", history.runs[1])
    lakehouse.keep()
    for moment in dying:
        lakehouse.put_back()
        assert lakehouse.night(history.arrived_at[1], dies=moment), moment
        lakehouse.assert_right(history, 2)


@pytest.mark.long
@pytest.mark.parametrize("lakehouse", ["embedded"], indirect=True)
def test_killed_at_each_commit_in_turn(lakehouse, tmp_path):
    """From no lake to the tables, and no run gets further than one commit: each gets as far as that."""
    history, kills = in_pieces(crowd(6), 1), 0
    write(tmp_path / "drops", history.runs[0])
    while lakehouse.night(history.arrived_at[0], dies=(1, True)):
        kills += 1
        assert kills < 40
    assert kills >= 30
    lakehouse.assert_right(history, 1)


@pytest.mark.parametrize(("lakehouse", "seed", "times"), AT_ANY_INSTANT, indirect=["lakehouse"])
def test_killed_at_any_instant(lakehouse, tmp_path, seed, times):
    """So many times each night, before it is let through."""
    random, history = Random(seed), in_pieces(crowd(seed % 8), NIGHTS)
    for n, (drops, arrival) in enumerate(zip(history.runs, history.arrived_at, strict=True), start=1):
        write(tmp_path / "drops", drops)
        lakehouse.keep()
        kills = 0
        for _ in range(20 * times):
            if lakehouse.night(arrival, within=random.uniform(0, lakehouse.seconds)):
                kills += 1
            else:
                lakehouse.put_back()  # it was quicker
            if kills == times:
                break
        assert kills == times
        lakehouse.assert_right(history, n)
