"""Customer records: what people said about consent, and all the records they left in saying it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from stedi_common.generate.people import Bools, Devices, Ints, People, other_phones, some_moments
from stedi_common.generate.plan import DAY, Plan
from stedi_common.generate.sessions import BEAT, Sessions

#: No consent, in a column of instants.
NONE = -1


class Story(IntEnum):
    """How somebody came to share with research, or did not."""

    WITHHELD = 0
    AT_ONCE = 1
    LATE = 2
    WITHDREW = 3
    RENEWED = 4


_PERCENT = np.repeat([*Story], [35, 35, 14, 8, 8])

#: The values that a fault may leave unreadable. Its number in this tuple is the fault; 0 is none.
FAULTS = (
    "",
    "customerName",
    "phone",
    "birthDay",
    "serialNumber",
    "registrationDate",
    "shareWithResearchAsOfDate",
    "shareWithPublicAsOfDate",
)
CONSENT_FAULT, SERIAL_FAULT = FAULTS.index("shareWithResearchAsOfDate"), FAULTS.index("serialNumber")


@dataclass(frozen=True)
class Consents:
    """Everybody's research consent: `says[0]` from registration, `says[1]` from `first`, `says[2]` from `second` on."""

    story: Ints
    first: Ints
    second: Ints
    says: tuple[Ints, Ints, Ints]

    def at(self, person: Ints, moment: Ints) -> Ints:
        """The consent each person's record carries at a moment."""
        later = np.where(moment < self.second[person], self.says[1][person], self.says[2][person])
        return np.where(moment < self.first[person], self.says[0][person], later)


@dataclass(frozen=True)
class Records:
    """Customer records, one entry each, no two of them equal. `research` is what is understood, a fault considered."""

    person: Ints
    at: Ints
    research: Ints
    public: Ints
    friends: Ints
    device: Ints
    phone: Ints
    fault: Ints
    delivered: Ints

    def __len__(self) -> int:
        """How many there are."""
        return len(self.person)

    def on(self, day: int) -> Records:
        """Those delivered on a day."""
        return self.at_rows(self.delivered == day)

    def in_files(self, lines: int) -> Iterator[Records]:
        """Them by so many."""
        for first in range(0, len(self), lines):
            yield self.at_rows(slice(first, first + lines))

    def at_rows(self, which: Bools | slice) -> Records:
        """Some of them."""
        return Records(*(getattr(self, name)[which] for name in self.__dataclass_fields__))


def some_consents(plan: Plan, people: People, sessions: Sessions) -> Consents:
    """The plan's people's consents."""
    draw, count = plan.stream("consents"), len(people)
    story = _PERCENT[draw.integers(0, len(_PERCENT), count)]
    moments = np.sort([some_moments(plan, people.registered, draw) for _ in range(2)], axis=0)
    first, second = moments // 8 * 8 + np.array([[0], [2]])
    # Some were asked on a walk: from that very beat on their readings count.
    asked = _mid_walk(sessions, count)
    first = np.where((story == Story.LATE) & (asked > 0) & (draw.random(count) < 0.5), asked, first)
    # Two clicks in one instant: a withdrawal and a renewal, of which the withdrawal holds.
    second = np.where(draw.random(count) < 0.05, first, second)
    begins = np.isin(story, [Story.AT_ONCE, Story.WITHDREW, Story.RENEWED])
    says = np.where(begins, people.registered, NONE)
    says_first = np.select([story == Story.LATE, story == Story.AT_ONCE], [first, says], NONE)
    # Of the renewed half say the new date, half still the old one.
    renewal = np.where(draw.random(count) < 0.5, second, people.registered)
    says_second = np.where(story == Story.RENEWED, renewal, says_first)
    return Consents(story, first, second, (says, says_first, says_second))


def their_records(plan: Plan, people: People, devices: Devices, consents: Consents) -> Records:
    """All records of the plan's people: registrations, consents and withdrawals, new devices, new phone numbers."""
    draw = plan.stream("records")
    moments, phone_since = _moments(plan, people, devices, consents, draw)
    person, at, is_phone_change = _rows(moments)
    order = np.lexsort((is_phone_change, at, person))
    person, at, is_phone_change = person[order], at[order], is_phone_change[order]
    changed = is_phone_change | (at > phone_since[person])
    new_phones = other_phones(people.phones, draw.integers(0, 1000, len(people)))
    public, friends = (np.where(draw.random(len(people)) < share, people.registered, NONE) for share in (0.3, 0.6))
    records = Records(
        person=person,
        at=at,
        research=consents.at(person, at),
        public=public[person],
        friends=friends[person],
        device=devices.recorded(person, at),
        phone=np.where(changed, new_phones[person], people.phones[person]),
        fault=np.zeros(len(person), dtype=np.int64),
        delivered=_delivered(plan, at, draw),
    )
    return _with_faults(plan, _with_ties(records, consents))


def _moments(
    plan: Plan, people: People, devices: Devices, consents: Consents, draw: np.random.Generator
) -> tuple[list[Ints], Ints]:
    """When each person has a record of each sort, NONE where they have none; and since when their phone is new.

    Consents are on even milliseconds, new devices on odd ones and new phone numbers on even ones between, so that two
    records of a person have the same instant only where that is meant.
    """
    count, story, customer = len(people), consents.story, ~people.guest
    # The first record of some who consented late is the one with their consent.
    unknown = (story == Story.LATE) & (draw.random(count) < 0.4)
    registration = np.where(customer & ~unknown, people.registered, NONE)
    first = np.where(customer & (story >= Story.LATE), consents.first, NONE)
    second = np.where(customer & (story == Story.RENEWED), consents.second, NONE)
    device = np.where(customer & (devices.replaced < plan.end), devices.replaced, NONE)
    since = some_moments(plan, people.registered, draw) // 8 * 8 + 4
    # Some change their number in the same instant as something else: only the record's hash tells which is current.
    since = np.where(draw.random(count) < 0.1, np.maximum(registration, np.maximum(first, second)), since)
    phone = np.where(customer & (draw.random(count) < 0.2), since, NONE)
    return [registration, first, second, device, phone], np.where(phone == NONE, np.iinfo(np.int64).max, phone)


def _rows(moments: list[Ints]) -> tuple[Ints, Ints, Bools]:
    """Person, instant and whether it is a change of phone (the last sort), of every record there is."""
    at = np.concatenate(moments)
    person = np.tile(np.arange(len(moments[0])), len(moments))
    is_last = np.repeat(np.arange(len(moments)) == len(moments) - 1, len(moments[0]))
    there = at != NONE
    return person[there], at[there], is_last[there]


def _with_ties(records: Records, consents: Consents) -> Records:
    """Where a withdrawal and a renewal have one instant, the first of the two is the withdrawal."""
    both = (consents.first == consents.second) & (consents.story == Story.RENEWED)
    twin = _repeats(records) & both[records.person] & (records.at == consents.first[records.person])
    earlier = np.roll(twin, -1) & ~twin
    return replace(records, research=np.where(earlier, NONE, records.research))


def _with_faults(plan: Plan, records: Records) -> Records:
    """Some records with a value that nobody understands. Never one of two of an instant: they could become equal."""
    draw = plan.stream("faults")
    repeats = _repeats(records)
    alone = ~(repeats | np.roll(repeats, -1))
    faulty = alone & (draw.random(len(records)) < plan.dirt / 3)
    fault = np.where(faulty, draw.integers(1, len(FAULTS), len(records)), 0)
    return replace(records, fault=fault, research=np.where(fault == CONSENT_FAULT, NONE, records.research))


def _repeats(records: Records) -> Bools:
    """Whether the record before is of the same person and instant."""
    same = (np.diff(records.person, prepend=-1) == 0) & (np.diff(records.at, prepend=-1) == 0)
    return np.asarray(same)


def _delivered(plan: Plan, at: Ints, draw: np.random.Generator) -> Ints:
    """The day of the drop: that of the record, the first for older ones; a few come days later, behind newer ones."""
    late = np.where(draw.random(len(at)) < 0.06, draw.integers(1, 6, len(at)), 0)
    day: Ints = np.maximum((at - plan.begin) // DAY, 0) + late
    return np.minimum(day, plan.days - 1)


def _mid_walk(sessions: Sessions, people: int) -> Ints:
    """The instant of the middle beat of everybody's first walk; 0 for who has none."""
    person, first = np.unique(sessions.person, return_index=True)
    middle = np.zeros(people, dtype=np.int64)
    middle[person] = sessions.start[first] + sessions.beats[first] // 2 * BEAT
    return middle
