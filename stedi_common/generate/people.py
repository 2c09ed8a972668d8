"""Who takes part: people who do not exist, and the devices they walk with."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import starmap

import numpy as np
from numpy.typing import NDArray

from stedi_common.generate.plan import DAY, Plan

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

#: An instant that never comes.
NEVER = np.iinfo(np.int64).max

_SYLLABLES = ("an", "be", "cor", "da", "el", "fi", "go", "hu", "il", "ka", "lo", "mi", "né", "or", "pa", "rü", "so")
_ASCII = str.maketrans("éü", "eu")
_DOMAINS = ("example.com", "example.net", "example.org")  # RFC 2606: nobody's
_STAMPED_SERIALS = 30


@dataclass(frozen=True)
class People:
    """People by number, one entry each. Guests made readings but never became customers."""

    names: list[str]
    emails: list[str]
    birthdays: list[str]
    phones: Ints
    registered: Ints
    guest: Bools
    walks: Bools

    def __len__(self) -> int:
        """How many there are."""
        return len(self.names)


@dataclass(frozen=True)
class Devices:
    """Step trainers by number. A person has `first`, and from `replaced` on `second`.

    `stamped` is the serial number on all records of a person if fulfilment has its defect, else None.
    """

    serials: list[str]
    first: Ints
    second: Ints
    replaced: Ints
    stamped: Ints | None

    def of(self, person: Ints, moment: Ints) -> Ints:
        """The device each person has at a moment."""
        return np.where(moment < self.replaced[person], self.first[person], self.second[person])

    def recorded(self, person: Ints, moment: Ints) -> Ints:
        """The device a customer record of that moment carries the serial number of."""
        return self.of(person, moment) if self.stamped is None else self.stamped[person]


def some_people(plan: Plan) -> People:
    """The plan's people."""
    draw, count = plan.stream("people"), plan.people
    names = list(starmap(_name, draw.integers(0, len(_SYLLABLES), (count, 5)).tolist()))
    newcomer = draw.random(count) < 0.15
    newcomer[0] = False  # so that somebody can walk in the smallest of plans
    guest, walks = draw.random(count) < 0.02, draw.random(count) < 0.95
    walks[0] = True
    before = plan.begin - draw.integers(1, 400 * DAY, count)
    during = plan.begin + draw.integers(0, plan.days * DAY // 2, count)
    return People(
        names=names,
        emails=_emails(names, draw.integers(0, len(_DOMAINS), count).tolist()),
        birthdays=list(starmap(_birthday, draw.integers(0, 1_000_000, (count, 2)).tolist())),
        phones=_phones(draw.integers(200, 1000, count), draw.integers(0, 100, count)),
        registered=np.where(newcomer, during, before),
        guest=guest,
        walks=walks,
    )


def their_devices(plan: Plan, people: People) -> Devices:
    """One device each; some get a new one in these days, a few of those somebody else's old one."""
    draw, count = plan.stream("devices"), len(people)
    # Odd, so that no replacement falls on the instant of a consent (see records.py).
    at = some_moments(plan, people.registered, draw) | 1
    replaced = np.where(draw.random(count) < 0.08, at, NEVER)
    first, second = np.arange(count), np.arange(count, 2 * count)
    changers = np.argsort(replaced, kind="stable")[: int((replaced < NEVER).sum())]
    before = np.roll(changers, len(changers) // plan.days + 1)
    # Handed on only a day after it was last worn: a device is in one place at a time.
    second_hand = (replaced[before] < replaced[changers] - DAY) & (draw.random(len(changers)) < 0.4)
    second[changers] = np.where(second_hand, first[before], second[changers])
    return Devices(
        serials=_serials(draw, 2 * count),
        first=first,
        second=second,
        replaced=replaced,
        stamped=first % min(_STAMPED_SERIALS, max(count // 4, 1)) if plan.shared_serials else None,
    )


def some_moments(plan: Plan, registered: Ints, draw: np.random.Generator) -> Ints:
    """A moment for each of these in the plan's days, hours after they registered."""
    settled = np.maximum(registered, plan.begin) + DAY // 4
    return settled + draw.integers(0, plan.end - settled)


def other_phones(phones: Ints, change: Ints) -> Ints:
    """Another number than each of these."""
    return phones - phones % 100 + (phones + 1 + change % 99) % 100


def _name(*parts: int) -> str:
    a, b, c, d, e = (_SYLLABLES[part] for part in parts)
    return f"{(a + b).capitalize()} {(c + d + e).capitalize()}"


def _emails(names: list[str], domains: list[int]) -> list[str]:
    """One address each, no two alike in lower case."""
    taken: Counter[str] = Counter()
    emails = []
    for name, domain in zip(names, domains, strict=True):
        local = name.translate(_ASCII).replace(" ", ".")
        taken[local.lower()] += 1
        emails.append(f"{local}{taken[local.lower()] if taken[local.lower()] > 1 else ''}@{_DOMAINS[domain]}")
    return emails


def _birthday(age: int, typo: int) -> str:
    day = date(1930, 1, 1) + timedelta(age % 27_000)
    # A digit left out: the published data is full of years before 1000.
    return f"{day:%Y-%m-%d}"[typo % 50 == 0 :]


def _phones(area: Ints, line: Ints) -> Ints:
    """Numbers that are kept free for fiction: 555-0100 to 555-0199."""
    return area * 10_000_000 + 5_550_100 + line


def _serials(draw: np.random.Generator, count: int) -> list[str]:
    raw = draw.integers(0, 256, count * 16, dtype=np.uint8).tobytes().hex()
    return [
        f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}" for h in (raw[i : i + 32] for i in range(0, len(raw), 32))
    ]
