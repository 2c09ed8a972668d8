"""Concurrent runs, and a withdrawal in between: no row is lost, duplicated or restored, whichever run is faster."""

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from time import sleep
from typing import Any

from support.comparison import assert_equal_to_oracle
from support.drops import landing as drops_of
from support.drops import reading, step
from support.lakes import Asks, instead, land, opening, run, write
from support.places import Place
from support.processes import FORKED, wait_for
from support.withdrawals import ANN, ARRIVAL, BOB, FIRST, record

from stedi_common.lake import Lake
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.policy import Policy

Drops = dict[str, bytes]


class Interrupted:
    """An engine, and what happens once before one of its calls, or of its calls of the catalog."""

    def __init__(self, engine: Any) -> None:
        self._engine, self._calls, self._at, self._most = engine, 0, 0, 1
        self._meanwhile: Callable[[], Any]
        instead(engine, self._counted)

    def before(self, random: Random, meanwhile: Callable[[], Any]) -> None:
        """Before any of as many calls as there ever were."""
        self._calls, self._at, self._meanwhile = 0, random.randint(1, self._most), meanwhile

    @property
    def was_interrupted(self) -> bool:
        return self._calls >= self._at

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)
        return self._counted(found) if callable(found) else found

    def _counted(self, call: Asks) -> Asks:
        def called(*args: Any, **named: Any) -> Any:
            self._calls += 1
            self._most = max(self._most, self._calls)
            if self._calls == self._at:
                self._meanwhile()
            return call(*args, **named)

        return called


def races(random: Random, number: int) -> Iterator[tuple[Drops, Drops]]:
    """What has landed for the first run, and what lands for the other: Ann withdraws, and consents again, and so on."""

    def some() -> datetime:
        return FIRST + timedelta(hours=random.randrange(-12, number + 12))

    yield drops_of([record(BOB, 0, "sn-2", consents=True), record(ANN, 0, "sn-1", consents=True)], name="0"), {}
    for n in range(1, number + 1):
        at, also = [some() for _ in range(3)], [some()]
        moves = [reading(ANN, instant, x=n) for instant in at] + [reading(BOB, instant, x=n) for instant in also]
        steps = [step("sn-1", instant, n) for instant in at] + [step("sn-2", instant, n) for instant in also]
        change = [record(ANN, n, "sn-1", consents=n % 2 == 0)]
        yield drops_of([], moves, steps, f"{n}-a"), drops_of(change, name=f"{n}-b")


def night(engine: Any, drops: Path, key: PseudonymKey) -> None:
    """Land and run. A commit conflict is retried, from the sources as they are then."""
    land(engine, drops, key, ARRIVAL)
    run(engine, Policy(), key)


def race_at_any_moment(lake: Lake, drops: Path, key: PseudonymKey, random: Random, number: int) -> int:
    """So many runs, each with a whole other run at a moment of it, which knows of another decision: what the first one
    does after that changes nothing. Returns how many were interrupted. A night in which nobody decides asks less, and
    may be over before."""
    raced = 0
    with opening() as connect_to:
        one, other = Interrupted(connect_to("embedded", lake)), connect_to("embedded", lake)

        def run_other(some: Drops) -> None:
            write(drops, some)
            night(other, drops, key)

        for before, meanwhile in races(random, number):
            write(drops, before)
            one.before(random, lambda some=meanwhile: run_other(some))
            night(one, drops, key)
            raced += one.was_interrupted
            assert_equal_to_oracle(other, drops, ARRIVAL, key)
    return raced


def race_in_two_processes(place: Place, drops: Path, key: PseudonymKey, random: Random, number: int) -> None:
    """Two runs at once, one of which perhaps does not know yet of a decision."""
    with opening() as connect_to:
        engine = connect_to("embedded", place.lake)
        for before, meanwhile in races(random, number):
            write(drops, before)
            runs = [FORKED.Process(target=alone, args=(place.lake, drops, key, place.environment)) for _ in range(2)]
            runs[0].start()
            sleep(random.uniform(0, 1))
            drop(drops, meanwhile)
            runs[1].start()
            assert [wait_for(each) for each in runs] == [0, 0]
            night(engine, drops, key)
            assert_equal_to_oracle(engine, drops, ARRIVAL, key)


def alone(lake: Lake, drops: Path, key: PseudonymKey, environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    with opening() as connect_to:
        night(connect_to("embedded", lake), drops, key)


def drop(folder: Path, drops: Drops) -> None:
    """At once, as storage does: nobody sees half a file."""
    write(folder, {f"{name}.part": raw for name, raw in drops.items()})
    for name in drops:
        (folder / f"{name}.part").rename(folder / name)
