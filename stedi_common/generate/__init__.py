"""Realistic drops of any size, and the truth about them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from stedi_common.contracts import SOURCES
from stedi_common.errors import StediError
from stedi_common.generate.draft import draft
from stedi_common.generate.drops import Drop, Drops
from stedi_common.generate.lines import Axes, accelerometer_lines, customer_lines, step_trainer_lines
from stedi_common.generate.people import NEVER, Bools
from stedi_common.generate.plan import Plan
from stedi_common.generate.sessions import Instants, accelerometer, by_day, in_files, step_trainer
from stedi_common.generate.truth import (
    Tally,
    Truth,
    consent_starts,
    doubts,
    in_doubt,
    landing,
    person_by_person,
    policies,
    stories,
)
from stedi_common.generate.world import World
from stedi_common.text import is_uri

__all__ = ["Drop", "Plan", "Truth", "generate"]

#: The folder of the truth, beside those of the sources.
TRUTH = "truth"


def generate(plan: Plan, into: Path, progress: Callable[[int, int], None] | None = None) -> Truth:
    """Writes the plan's drops below `into`, one folder per source and day, and the truth to `into/truth`.

    If it fails or is killed before all are written, none are there. Calls `progress` with the number of walks written
    and of all walks. Raises StediError if there are drops already, or the folder cannot be made.
    """
    _make_folder(into)
    # The truth first: drops that are not all there differ from it.
    with draft(into, (TRUTH, *SOURCES)) as folder:
        _expect_no_drops(into)
        return _write(plan, folder, progress)


def _write(plan: Plan, into: Path, progress: Callable[[int, int], None] | None) -> Truth:
    world = World.of(plan)
    customers = _write_customers(plan, into, world)
    # Whoever a doubtful line is about is out of research: the line arrives after all their records were made.
    doubted = in_doubt(customers, world.people)
    starts = consent_starts(world.records, len(world.people))
    tally = Tally(np.where(doubted, NEVER, starts), world.devices, world.records)
    readings = _write_readings(plan, into, world, tally, progress or (lambda done, total: None))
    files = tuple(sorted(customers + readings, key=lambda drop: drop.name))
    doubt = doubts(files, doubted & (starts < NEVER))
    truth = Truth(plan, files, stories(world.people, world.consents), doubt, landing(files), policies(tally))
    _write_truth(truth, world, doubted, into / TRUTH)
    return truth


def _make_folder(into: Path) -> None:
    if is_uri(str(into)):
        raise StediError(f"generate: expected a folder, got the URI {into}", "generate into a folder, and copy it then")
    try:
        into.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StediError(
            f"generate: expected a folder that can be written to, got: {error.strerror} at {into}",
            hint="name another folder, or make it yours",
        ) from None


def _expect_no_drops(into: Path) -> None:
    for folder in (*SOURCES, TRUTH):
        if any((into / folder).rglob("*")):
            raise StediError(
                f"generate: expected no drops in {into}, got a {folder} folder that is not empty",
                hint="drops are never overwritten: name another folder, or delete the old drops first",
            )


def _write_customers(plan: Plan, into: Path, world: World) -> list[Drop]:
    drops, draw = Drops(plan, into, "customer"), plan.stream("customer lines")
    for day in range(plan.days):
        for records in world.records.on(day).in_files(plan.lines_per_file):
            drops.deliver(customer_lines(records, world.people, world.devices, draw), day)
        drops.litter(day)
    return drops.written


def _write_readings(
    plan: Plan, into: Path, world: World, tally: Tally, progress: Callable[[int, int], None]
) -> list[Drop]:
    phone_drops, step_drops = Drops(plan, into, "accelerometer"), Drops(plan, into, "step_trainer")
    phone_draw, step_draw, axes = plan.stream("accelerometer"), plan.stream("step_trainer"), Axes()
    done = 0
    for day, sessions in enumerate(by_day(world.sessions, plan.days)):
        phones: list[Instants] = []
        steps: list[Instants] = []
        for some in in_files(sessions, plan.lines_per_file):
            phone, step = accelerometer(some, phone_draw), step_trainer(some, step_draw)
            phone_drops.deliver(accelerometer_lines(phone, world.people, axes), day)
            step_drops.deliver(step_trainer_lines(step, world.devices), day)
            phones.append(phone.instants)
            steps.append(step.instants)
            done += len(some)
            progress(done, len(world.sessions))
        tally.add(Instants.all(phones), Instants.all(steps))
        phone_drops.litter(day)
        step_drops.litter(day)
    return phone_drops.written + step_drops.written


def _write_truth(truth: Truth, world: World, doubted: Bools, into: Path) -> None:
    truth.write(into)
    people = person_by_person(world.people, world.devices, world.consents, world.records, doubted)
    with (into / "people.jsonl").open("w", encoding="utf-8") as out:
        out.writelines(json.dumps(person) + "\n" for person in people)
