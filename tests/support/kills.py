"""Runs that are killed by SIGKILL, at their commits and at any instant: the next run repairs what they left.

A run is a process of its own, in a session of its own with the Java that it starts, and all of it is killed at once. So
there are files half written, SQLite's journals, staged records and branches that nobody removes.
"""

import os
import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any

from support.comparison import actual_tables, expected_tables
from support.histories import History
from support.lakes import Asks, instead, land, opening, run, write
from support.places import Place
from support.processes import FORKED, kill, wait_for

from stedi_common.lake import Lake
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.policy import Policy

#: A commit's number in a run, those that make tables included, and whether to die before it or after it.
Moment = tuple[int, bool]


@dataclass
class Lakehouse:
    """A lake on which runs are killed. `seconds` is what a run takes that is not."""

    engine: str
    place: Place
    drops: Path
    key: PseudonymKey
    seconds: float = field(default=1.0)

    def night(self, arrival: datetime, dies: Moment | None = None, within: float | None = None) -> bool:
        """Land what is there and run the jobs, until a moment or for some seconds at most; whether it was killed."""
        process = FORKED.Process(
            target=run_night,
            args=(self.engine, self.place.lake, self.drops, arrival, self.key, dies, self.place.environment),
        )
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

    def assert_right(self, history: History, nights: int) -> None:
        """The next run makes the tables what the oracle says, and nothing stays of what was staged."""
        assert not self.night(history.arrived_at[nights - 1])
        assert not self.place.staged()
        with opening() as connect_to:
            made = actual_tables(connect_to("embedded", self.place.lake))
        assert made == expected_tables(History(history.runs[:nights], history.arrived_at[:nights]), Policy(), self.key)


def run_night(  # noqa: PLR0913, PLR0917 - what a process must be told
    engine_name: str,
    lake: Lake,
    drops: Path,
    arrival: datetime,
    key: PseudonymKey,
    dies: Moment | None,
    environment: Mapping[str, str],
) -> None:
    os.setsid()
    os.environ.update(environment)
    with opening() as connect_to:
        engine = connect_to(engine_name, lake)
        if dies:
            instead(engine, mortal(*dies))
        land(engine, drops, key, arrival)
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


def kill_at_commits(lakehouse: Lakehouse, history: History, dying: Iterable[Moment]) -> None:
    """The second night again and again, each time killed at another commit."""
    write(lakehouse.drops, history.runs[0])
    assert not lakehouse.night(history.arrived_at[0])
    write(lakehouse.drops, history.runs[1])
    lakehouse.place.keep()
    for moment in dying:
        lakehouse.place.put_back()
        assert lakehouse.night(history.arrived_at[1], dies=moment), moment
        lakehouse.assert_right(history, 2)


def kill_at_each_commit_in_turn(lakehouse: Lakehouse, history: History) -> int:
    """From no lake to the tables, and no run gets further than one commit. Returns how many were killed."""
    kills = 0
    write(lakehouse.drops, history.runs[0])
    while lakehouse.night(history.arrived_at[0], dies=(1, True)):
        kills += 1
        assert kills < 40
    lakehouse.assert_right(history, 1)
    return kills


def kill_at_any_instant(lakehouse: Lakehouse, history: History, random: Random, times: int) -> None:
    """So many times each night, before it is let through."""
    for n, (drops, arrival) in enumerate(zip(history.runs, history.arrived_at, strict=True), start=1):
        write(lakehouse.drops, drops)
        lakehouse.place.keep()
        kills = 0
        for _ in range(20 * times):
            if lakehouse.night(arrival, within=random.uniform(0, lakehouse.seconds)):
                kills += 1
            else:
                lakehouse.place.put_back()  # it was quicker
            if kills == times:
                break
        assert kills == times
        lakehouse.assert_right(history, n)
