"""Walks: who walked when, and the readings their phone and their step trainer made."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import numpy as np

from stedi_common.errors import StediError
from stedi_common.generate.people import Bools, Devices, Ints, People
from stedi_common.generate.plan import DAY, Plan

#: A step trainer reads at every beat, a phone at every beat and half-way to the next.
BEAT = 3_000

_HOUR = 3_600_000
_SLOTS, _SLOT, _FIRST_SLOT = 3, 5 * _HOUR, 6 * _HOUR  # one walk of a person at most in each, and none over midnight
_BEATS = 40  # of a walk in a small plan
_MOST_BEATS = _SLOT // BEAT * 2 // 3  # on average: a walk has up to half as many again

#: How many phone readings an instant has, by percent.
_REPEATS = np.repeat([0, 1, 2, 3], [2, 88, 8, 2])
_READINGS_PER_BEAT = 1 + 2 * float(_REPEATS.mean())

# Thousandths, from a table, in whole numbers: so that every machine comes to the same.
_WAVE = np.array([round(400 * math.sin(math.tau * i / 64)) for i in range(64)])


@dataclass(frozen=True)
class Sessions:
    """Walks in the order of their days, one entry each."""

    day: Ints
    person: Ints
    device: Ints
    start: Ints
    beats: Ints

    def __len__(self) -> int:
        """How many there are."""
        return len(self.day)

    def at(self, which: slice | Ints) -> Sessions:
        """Some of them."""
        return Sessions(*(column[which] for column in (self.day, self.person, self.device, self.start, self.beats)))


@dataclass(frozen=True)
class Instants:
    """Of readings, who or what made them and when: all that decides whether they count."""

    by: Ints
    at: Ints

    @classmethod
    def all(cls, some: Sequence[Instants]) -> Self:
        """All of these together."""
        by, at = ([getattr(instants, name) for instants in some] for name in ("by", "at"))
        nothing = [np.empty(0, np.int64)]
        return cls(np.concatenate(by or nothing), np.concatenate(at or nothing))


@dataclass(frozen=True)
class Accelerometer:
    """Phone readings, one entry each; x, y and z in thousandths. No two are equal."""

    person: Ints
    at: Ints
    xyz: tuple[Ints, Ints, Ints]

    @property
    def instants(self) -> Instants:
        """Whose they are, and when they were made."""
        return Instants(self.person, self.at)


@dataclass(frozen=True)
class StepTrainer:
    """Step trainer readings, one entry each; the distance in centimetres. No two of a device have the same instant."""

    device: Ints
    at: Ints
    distance: Ints

    @property
    def instants(self) -> Instants:
        """Which device made them, and when."""
        return Instants(self.device, self.at)


def some_sessions(plan: Plan, people: People, devices: Devices) -> Sessions:
    """Walks that come to about the plan's readings. Raises StediError if so few people cannot walk that much."""
    draw = plan.stream("sessions")
    cell, beats_each = _cells(plan, people, draw)
    slot, person = np.divmod(cell, len(people))
    day, slot = np.divmod(slot, _SLOTS)
    beats = draw.integers(beats_each // 2, beats_each + beats_each // 2 + 1, len(cell))
    beats = np.maximum(beats, 1)
    # In steps of 8 ms: the other residues are for what must not fall together (see records.py).
    offset = draw.integers(0, _SLOT - beats * BEAT) // 8 * 8
    offset = _together(draw, np.diff(cell // len(people), prepend=-1) == 0, offset, beats)
    start = plan.begin + day * DAY + _FIRST_SLOT + slot * _SLOT + offset
    return Sessions(day, person, devices.of(person, start), start, beats)


def by_day(sessions: Sessions, days: int) -> Iterator[Sessions]:
    """Each day's sessions."""
    bounds = np.searchsorted(sessions.day, np.arange(days + 1))
    for low, high in pairwise(bounds):
        yield sessions.at(slice(low, high))


def in_files(sessions: Sessions, lines: int) -> Iterator[Sessions]:
    """Sessions whose accelerometer readings make a file of about that many lines."""
    if len(sessions):
        number = (np.cumsum(sessions.beats) - sessions.beats) * (_READINGS_PER_BEAT - 1) // lines
        cuts = np.flatnonzero(np.diff(number)) + 1
        for low, high in zip([0, *cuts], [*cuts, len(sessions)], strict=True):
            yield sessions.at(slice(low, high))


def accelerometer(sessions: Sessions, draw: np.random.Generator) -> Accelerometer:
    """What the phones of these sessions read."""
    session, beat = _spread(2 * sessions.beats)
    instant, nth = _spread(_REPEATS[draw.integers(0, len(_REPEATS), len(beat))])
    session, beat = session[instant], beat[instant]
    noise = draw.integers(-120, 121, (3, len(beat)))
    phase = beat * 23 + session * 7
    # Readings of one instant differ in the last bits of x, so that no two readings are equal.
    x = (_WAVE[phase % 64] + noise[0]) // 4 * 4 + nth
    y = _WAVE[(phase * 2 + 16) % 64] // 2 + noise[1]
    z = 1000 + _WAVE[(phase * 2) % 64] + noise[2]
    return Accelerometer(sessions.person[session], sessions.start[session] + beat * (BEAT // 2), (x, y, z))


def step_trainer(sessions: Sessions, draw: np.random.Generator) -> StepTrainer:
    """What the step trainers of these sessions read."""
    session, beat = _spread(sessions.beats)
    distance = 250 + _WAVE[(beat * 11) % 64] // 10 + draw.integers(-10, 11, len(beat))
    return StepTrainer(sessions.device[session], sessions.start[session] + beat * BEAT, distance)


def _cells(plan: Plan, people: People, draw: np.random.Generator) -> tuple[Ints, int]:
    """Numbers of (day, slot, person) with a walk, in order, and how many beats a walk has on average."""
    first_day = np.maximum((people.registered - plan.begin) // DAY + 1, 0)
    days_each = np.where(people.walks, np.maximum(plan.days - first_day, 0), 0)
    possible = int(days_each.sum()) * _SLOTS
    beats = plan.readings / _READINGS_PER_BEAT
    walks = max(1.0, min(beats / _BEATS, possible / 2))
    if beats / walks > _MOST_BEATS:
        most = int(_MOST_BEATS * walks * _READINGS_PER_BEAT)
        raise StediError(
            f"plan: expected at most {most} readings of {plan.people} people in {plan.days} days, got {plan.readings}",
            hint="more people or more days",
        )
    every = plan.people * plan.days * _SLOTS
    count = math.ceil(walks * every / possible) if plan.readings and possible else 0
    cell = np.sort(draw.choice(every, min(count, every), replace=False, shuffle=False))
    person, day = cell % len(people), cell // (len(people) * _SLOTS)
    return cell[people.walks[person] & (day >= first_day[person])], max(int(beats / walks), 1)


def _together(draw: np.random.Generator, same_slot: Bools, offset: Ints, beats: Ints) -> Ints:
    """Some walk together with the one before: they start, and so read, at the same instants."""
    joins = same_slot & (draw.random(len(offset)) < 0.08) & (np.diff(beats, prepend=0) <= 0)
    joins[1:] &= ~joins[:-1]
    return np.where(joins, np.roll(offset, 1), offset)


def _spread(counts: Ints) -> tuple[Ints, Ints]:
    """For each of counts[i] entries: i, and its number among them."""
    of = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    return of, np.arange(len(of)) - first[of]
