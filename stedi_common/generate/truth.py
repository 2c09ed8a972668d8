"""The truth about the drops, from how they were made. It shares no code with the pipeline that is to find it out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stedi_common.generate.drops import Drop
from stedi_common.generate.people import NEVER, Bools, Devices, Ints, People
from stedi_common.generate.plan import Plan
from stedi_common.generate.records import NONE, SERIAL_FAULT, Consents, Records, Story
from stedi_common.generate.sessions import Instants

CONSENTS = ("as-of", "ever")
PAIRINGS = ("owner", "timestamp")


@dataclass(frozen=True)
class Truth:
    """What is to come of the drops.

    Attributes:
        landing: rows of the landing tables, and of `rejected_records`, under any policy.
        policies: by policy (`consent=as-of pairing=owner`), rows of the trusted and curated tables.
        people: how many there are, and the share of those with each story.
        doubt: how many customer lines are doubtful, how many are about nobody known, and how many people who consent
            are out of research by doubt, if all drops land in one run.
    """

    plan: Plan
    files: tuple[Drop, ...]
    people: dict[str, float]
    doubt: dict[str, int]
    landing: dict[str, int]
    policies: dict[str, dict[str, int]]

    def rows(self, consent: str, pairing: str) -> dict[str, int]:
        """Rows of the trusted and curated tables under a policy."""
        return self.policies[_policy(consent, pairing)]

    def as_json(self) -> dict[str, Any]:
        """The truth in plain values."""
        files = [{"file": drop.name, "source": drop.source} | drop.counts.as_json() for drop in self.files]
        plan = asdict(self.plan) | {"start": str(self.plan.start)}
        tables = {"landing": self.landing, "policies": self.policies}
        return {"plan": plan, "people": self.people, "doubt": self.doubt} | tables | {"files": files}

    def write(self, into: Path) -> None:
        """Writes `truth.json`."""
        into.mkdir(parents=True, exist_ok=True)
        (into / "truth.json").write_text(json.dumps(self.as_json(), indent=1) + "\n", encoding="utf-8")


class Tally:
    """Counts the rows of the tables, day by day: days share no instant."""

    def __init__(self, starts: Ints, devices: Devices, records: Records) -> None:
        self._start = starts
        self._claims = claims(records, len(starts))
        self._people, self._devices = len(starts), len(devices.serials)
        self._accelerometer = {consent: np.zeros(self._people, np.int64) for consent in CONSENTS}
        # Counted by device, as if each were admitted: which ones are is known at the end.
        self._step_trainer = {consent: np.zeros(self._devices, np.int64) for consent in CONSENTS}
        self._pairs = {(c, p): np.zeros(self._devices, np.int64) for c in CONSENTS for p in PAIRINGS}

    def add(self, phone: Instants, step: Instants) -> None:
        """Counts all readings of a day."""
        step_of, phone_of = _same_instants(step.at, phone.at)
        claimed = np.isin(step.by[step_of] * self._people + phone.by[phone_of], self._claims)
        for consent in CONSENTS:
            phone_counts, step_counts = self._counts(phone, step, consent)
            self._accelerometer[consent] += np.bincount(phone.by[phone_counts], minlength=self._people)
            self._step_trainer[consent] += np.bincount(step.by[step_counts], minlength=self._devices)
            both = phone_counts[phone_of] & step_counts[step_of]
            for pairing, of_pairing in (("owner", claimed), ("timestamp", np.True_)):
                device = step.by[step_of[both & of_pairing]]
                self._pairs[consent, pairing] += np.bincount(device, minlength=self._devices)

    def tables(self, consent: str, pairing: str) -> dict[str, int]:
        """Rows of the trusted and curated tables under a policy."""
        curated = self._accelerometer[consent] > 0
        admits = self._admits(consent, curated)
        return {
            "customer_trusted": int((self._start < NEVER).sum()),
            "accelerometer_trusted": int(self._accelerometer[consent].sum()),
            "customers_curated": int(curated.sum()),
            "step_trainer_trusted": int(self._step_trainer[consent][admits].sum()),
            "machine_learning_curated": int(self._pairs[consent, pairing][admits].sum()),
        }

    def _counts(self, phone: Instants, step: Instants, consent: str) -> tuple[Bools, Bools]:
        """Which readings count, as far as their person's or their device's sole claimant's consent goes (rule 5)."""
        if consent == "ever":
            return self._start[phone.by] < NEVER, np.ones(len(step.at), np.bool_)
        device, owner = self._sole_claims()
        since = np.full(self._devices, NEVER)
        since[device] = self._start[owner]
        return phone.at >= self._start[phone.by], step.at >= since[step.by]

    def _admits(self, consent: str, curated: Bools) -> Bools:
        """Which devices' readings count at all (rule 7)."""
        device, owner = self._sole_claims() if consent == "as-of" else np.divmod(self._claims, self._people)
        admits = np.zeros(self._devices, np.bool_)
        admits[device[curated[owner]]] = True
        return admits

    def _sole_claims(self) -> tuple[Ints, Ints]:
        device, owner = np.divmod(self._claims, self._people)
        sole = np.bincount(device, minlength=self._devices)[device] == 1
        return device[sole], owner[sole]


def consent_starts(records: Records, people: int) -> Ints:
    """Since when each person's readings count, NEVER without a current consent (rules 4 and 5)."""
    # Of one instant, a record without consent holds against one with, and a later consent against an earlier.
    rank = np.where(records.research == NONE, NEVER, records.research)
    order = np.lexsort((rank, records.at, records.person))
    current = np.full(people, NONE)
    current[records.person[order]] = records.research[order]  # the last of each person stays
    refused = np.full(people, NONE)
    shares = records.research != NONE
    np.maximum.at(refused, records.person[~shares], records.at[~shares])
    # Whoever had refused by their stated date begins with the first record in which they consent again.
    renews = shares & (records.at > refused[records.person])
    renewed = np.full(people, NEVER)
    np.minimum.at(renewed, records.person[renews], records.at[renews])
    return np.where(current == NONE, NEVER, np.where(current > refused, current, renewed))


def in_doubt(customers: Sequence[Drop], people: People) -> Bools:
    """Whom a doubtful line is about."""
    about = {address for drop in customers for address in drop.counts.about}
    return np.array([email in about for email in people.emails])


def doubts(files: Sequence[Drop], out: Bools) -> dict[str, int]:
    """Doubtful lines, lines about nobody known, and people out of research who consent."""
    return {
        "doubtful": sum(drop.counts.doubtful for drop in files),
        "without_address": sum(drop.counts.without_address for drop in files),
        "people_out": int(out.sum()),
    }


def claims(records: Records, people: int) -> Ints:
    """Every (device, person) of any record, as one number."""
    readable = records.fault != SERIAL_FAULT
    return np.unique(records.device[readable] * people + records.person[readable])


def landing(files: Sequence[Drop]) -> dict[str, int]:
    """Rows of the landing tables."""
    rows: Counter[str] = Counter(
        {"customer_landing": 0, "accelerometer_landing": 0, "step_trainer_landing": 0, "rejected_records": 0}
    )
    for drop in files:
        rows[f"{drop.source}_landing"] += drop.counts.landed
        rows["rejected_records"] += sum(drop.counts.rejected.values())
    return dict(rows)


def stories(people: People, consents: Consents) -> dict[str, float]:
    """How many people there are, and the shares of what they did about consent. Guests said nothing."""
    told = np.bincount(consents.story[~people.guest], minlength=len(Story)) / len(people)
    shares = {story.name.lower(): round(float(told[story]), 4) for story in Story}
    return {"count": len(people)} | shares | {"guests": round(float(people.guest.mean()), 4)}


def person_by_person(
    people: People, devices: Devices, consents: Consents, records: Records, doubted: Bools
) -> Iterator[dict[str, Any]]:
    """For every person the address, the story, the devices worn and on record, consents, and since when they count."""
    starts = np.where(doubted, NEVER, consent_starts(records, len(people))).tolist()
    bounds = np.searchsorted(records.person, np.arange(len(people) + 1))
    for i, start in enumerate(starts):
        own = slice(bounds[i], bounds[i + 1])
        worn = [devices.first[i], *devices.second[[i]][devices.replaced[[i]] < NEVER]]
        on_record = records.device[own][records.fault[own] != SERIAL_FAULT]
        yield {
            "email": people.emails[i].lower(),
            "story": "guest" if people.guest[i] else Story(consents.story[i]).name.lower(),
            "devices": [devices.serials[device] for device in worn],
            "on_record": sorted({devices.serials[device] for device in on_record.tolist()}),
            "in_doubt": bool(doubted[i]),
            "consents": _periods(records.at[own].tolist(), records.research[own].tolist()),
            "consent_start": None if start == NEVER else start,
        }


def _periods(at: list[int], research: list[int]) -> list[list[int | None]]:
    """From when to when the records in their order say there was a consent. The last may have no end."""
    periods: list[list[int | None]] = []
    for moment, consent in zip(at, research, strict=True):
        is_open = bool(periods) and periods[-1][1] is None
        if consent != NONE and not is_open:
            periods.append([consent, None])
        elif consent == NONE and is_open:
            periods[-1][1] = moment
    return periods


def _same_instants(left: Ints, right: Ints) -> tuple[Ints, Ints]:
    """All pairs of the same instant, as numbers of left and of right."""
    order = np.argsort(right, kind="stable")
    low, high = (np.searchsorted(right, left, side, sorter=order) for side in ("left", "right"))
    count = high - low
    left_of = np.repeat(np.arange(len(left)), count)
    nth = np.arange(len(left_of)) - np.repeat(np.cumsum(count) - count, count)
    return left_of, order[low[left_of] + nth]


def _policy(consent: str, pairing: str) -> str:
    return f"consent={consent} pairing={pairing}"


def policies(tally: Tally) -> dict[str, dict[str, int]]:
    """Rows of the trusted and curated tables under all four policies."""
    return {_policy(c, p): tally.tables(c, p) for c in CONSENTS for p in PAIRINGS}
