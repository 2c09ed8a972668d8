"""The hard cases of incremental runs: what lands on three nights, and how many training pairs there are after each.

All are played side by side in one lake. Each has people, devices and days of its own, so that none of them brings a run
to look where another should have made it look.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

from support.drops import Record, customer, landing, reading, step
from support.lakes import land, write

from stedi_common.engines.protocol import Engine
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules import lineage
from stedi_common.rules.policy import Policy
from stedi_common.runs import executor
from stedi_common.runs.executor import Outcome

#: When the runs begin.
NIGHTS = tuple(datetime(2024, 6, night) for night in (1, 2, 3))
#: A case has so many days.
DAYS = 10

Night = dict[str, bytes]


@dataclass(frozen=True)
class Cast:
    """The people, devices and days of a case."""

    number: int

    @property
    def ann(self) -> str:
        return f"ann{self.number}@example.org"

    @property
    def bob(self) -> str:
        return f"bob{self.number}@example.org"

    @property
    def people(self) -> tuple[str, ...]:
        return self.ann, self.bob

    def device(self, n: int = 1) -> str:
        return f"sn-{self.number}-{n}"

    def on(self, day: int, clock: str = "12:00") -> datetime:
        first = datetime(2023, 1, 1) + timedelta(days=DAYS * self.number)
        return datetime.combine(first + timedelta(days=day - 1), time.fromisoformat(clock))

    def record(self, email: str, day: int, consent: int | None = None, device: int | None = 1) -> Record:
        """A person's record made on that day at eight, with the consent of some day at eight."""
        given = None if consent is None else self.on(consent, "08:00")
        return customer(email, self.on(day, "08:00"), given, None if device is None else self.device(device))

    def moves(self, email: str, *days: int) -> list[Record]:
        return [reading(email, self.on(day)) for day in days]

    def steps(self, *days: int, device: int = 1) -> list[Record]:
        return [step(self.device(device), self.on(day)) for day in days]

    def night(self, customers: Any = (), moves: Any = (), steps: Any = (), name: str = "a") -> Night:
        return landing(customers, moves, steps, f"{self.number:02}-{name}")


@dataclass(frozen=True)
class Case:
    """A case: its cast, what lands each night, and the training pairs its people have after each."""

    id: str
    cast: Cast
    nights: tuple[Night, ...]
    pairs: tuple[int, ...]


CASES: list[Case] = []


def pairs(*expected: int) -> Callable[[Callable[[Cast], list[Night]]], None]:
    """The function is a case, which has so many pairs after its nights."""

    def add(case: Callable[[Cast], list[Night]]) -> None:
        cast = Cast(len(CASES))
        nights = [*case(cast), *[{}] * len(NIGHTS)][: len(NIGHTS)]
        renamed = [
            {file.replace("-a.", f"-{n}."): raw for file, raw in night.items()} for n, night in enumerate(nights)
        ]
        counts = (*expected, *expected[-1:] * len(NIGHTS))[: len(NIGHTS)]
        CASES.append(Case(case.__name__.replace("_", "-"), cast, tuple(renamed), counts))

    return add


@pairs(0, 1)
def a_reading_lands_before_its_persons_record(c):
    return [c.night([], c.moves(c.ann, 1), c.steps(1)), c.night([c.record(c.ann, 1, 1)])]


@pairs(0, 2)
def a_consent_lands_days_after_the_readings_it_admits(c):
    days = (1, 3, 5)
    return [
        c.night([c.record(c.ann, 1)], c.moves(c.ann, *days), c.steps(*days)),
        c.night([c.record(c.ann, 7, consent=2)]),
    ]


@pairs(1, 2)
def a_consent_is_moved_earlier(c):
    return [
        c.night([c.record(c.ann, 3, consent=3)], c.moves(c.ann, 1, 3), c.steps(1, 3)),
        c.night([c.record(c.ann, 4, consent=1)]),
    ]


@pairs(2, 1)
def a_consent_is_moved_later(c):
    return [
        c.night([c.record(c.ann, 1, consent=1)], c.moves(c.ann, 1, 3), c.steps(1, 3)),
        c.night([c.record(c.ann, 4, consent=3)]),
    ]


@pairs(2, 0)
def a_consent_is_withdrawn(c):
    return [c.night([c.record(c.ann, 1, 1)], c.moves(c.ann, 1, 3), c.steps(1, 3)), c.night([c.record(c.ann, 4)])]


@pairs(2, 0, 1)
def a_consent_is_renewed(c):
    return [
        c.night([c.record(c.ann, 1, 1)], c.moves(c.ann, 1, 3), c.steps(1, 3)),
        c.night([c.record(c.ann, 2)]),
        c.night([c.record(c.ann, 3, consent=1)]),
    ]


@pairs(1, 2)
def a_customer_whose_email_changes_serial_number(c):
    return [
        c.night([c.record(c.ann, 1, 1)], c.moves(c.ann, 1, 3), c.steps(1) + c.steps(3, device=2)),
        c.night([c.record(c.ann, 4, 1, device=2)]),
    ]


@pairs(2, 1)
def an_older_customer_record_arrives_after_a_newer_one(c):
    return [
        c.night([c.record(c.ann, 3, consent=1)], c.moves(c.ann, 1, 3), c.steps(1, 3)),
        c.night([c.record(c.ann, 2)]),
    ]


@pairs(0, 0, 1)
def a_step_reading_days_after_its_accelerometer_pair(c):
    return [
        c.night([c.record(c.ann, 1, 1)], c.moves(c.ann, 1)),
        c.night([], c.moves(c.ann, 3)),
        c.night([], [], c.steps(1)),
    ]


@pairs(1, 1, 2)
def an_accelerometer_reading_days_after_its_step_pair(c):
    return [
        c.night([c.record(c.ann, 1, 1)], c.moves(c.ann, 3), c.steps(1, 3)),
        c.night([], [], c.steps(5)),
        c.night([], c.moves(c.ann, 1)),
    ]


@pairs(1, 1)
def a_file_redelivered_under_another_name(c):
    readings = c.moves(c.ann, 1), c.steps(1)
    return [c.night([c.record(c.ann, 1, 1)], *readings), c.night([c.record(c.ann, 1, 1)], *readings)]


@pairs(1, 2)
def the_same_record_in_two_files(c):
    return [
        c.night([c.record(c.ann, 1, 1)], c.moves(c.ann, 1), c.steps(1)),
        c.night([], c.moves(c.ann, 1, 3), c.steps(1, 3)),
    ]


@pairs(2, 0)
def a_second_claimant_after_readings_were_admitted(c):
    return [
        c.night([c.record(c.ann, 1, 1)], c.moves(c.ann, 1, 3), c.steps(1, 3)),
        c.night([c.record(c.bob, 4)]),
    ]


@pairs(2, 0, 0)
def a_claimant_who_withdraws_and_a_new_claimant_after_readings_were_admitted(c):
    return [
        c.night([c.record(c.ann, 1, 1)], c.moves(c.ann, 1, 3) + c.moves(c.bob, 3), c.steps(1, 3)),
        c.night([c.record(c.ann, 4)]),
        c.night([c.record(c.bob, 1, 1)]),
    ]


@pairs(0, 0, 1)
def a_first_accelerometer_reading_makes_earlier_steps_count(c):
    return [
        c.night([c.record(c.ann, 1, 1)], [], c.steps(1)),
        c.night([], c.moves(c.ann, 3)),
        c.night([], c.moves(c.ann, 1)),
    ]


@pairs(0, 0)
def a_last_accelerometer_reading_goes_and_takes_later_steps_along(c):
    """The consent moves past the only reading: who has none is not curated, so the step on day five goes too."""
    return [
        c.night([c.record(c.ann, 1, 1)], c.moves(c.ann, 1), c.steps(5)),
        c.night([c.record(c.ann, 3, consent=3)]),
    ]


@pairs(2, 1)
def one_of_two_on_the_same_day_withdraws(c):
    return [
        c.night(
            [c.record(c.ann, 1, 1), c.record(c.bob, 1, 1, device=2)],
            c.moves(c.ann, 1) + c.moves(c.bob, 1),
            c.steps(1) + c.steps(1, device=2),
        ),
        c.night([c.record(c.bob, 3, device=2)]),
    ]


@pairs(1, 2, 3)
def readings_of_a_day_land_night_by_night(c):
    def at(clock: str) -> tuple[list[Record], list[Record]]:
        return [reading(c.ann, c.on(1, clock))], [step(c.device(), c.on(1, clock))]

    return [c.night([c.record(c.ann, 1, 1)], *at("09:00")), c.night([], *at("10:00")), c.night([], *at("11:00"))]


@pairs(2, 1)
def a_consent_is_moved_to_midnight_and_a_millisecond_counts(c):
    late, midnight = c.on(1, "23:59:59.999"), c.on(2, "00:00")
    moves, steps = ([make(who, at) for at in (late, midnight)] for make, who in ((reading, c.ann), (step, c.device())))
    moved = c.record(c.ann, 3) | {"shareWithResearchAsOfDate": midnight}
    return [c.night([c.record(c.ann, 1, 1)], moves, steps), c.night([moved])]


@pairs(0, 1)
def a_device_gets_its_owner_after_the_owner_was_curated(c):
    return [
        c.night([c.record(c.ann, 1, 1, device=None)], c.moves(c.ann, 1), c.steps(1)),
        c.night([c.record(c.ann, 2, 1)]),
    ]


def land_and_run(
    engine: Engine, folder: Path, key: PseudonymKey, night: Night, without: Sequence[str] = ()
) -> list[Outcome]:
    """Land what the night brings and run the jobs, except those of some tables."""
    write(folder / "drops", night)
    land(engine, folder / "drops", key, NIGHTS[0])
    jobs = [job for job in lineage.jobs([]) if job.target.name not in without]
    return [executor.run(engine, job, Policy(), key) for job in jobs]
