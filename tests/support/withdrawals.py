"""Hand-written drops of people who consent, walk and withdraw: for deletion, previews and concurrent runs."""

from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from support.drops import Record, customer, reading, step
from support.drops import landing as drops_of
from support.histories import History
from support.lakes import land, write
from support.lakes import run as run_jobs

from stedi_common.rules.policy import Policy

#: When all drops arrive, and when the first records were made.
ARRIVAL = datetime(2024, 4, 1)
FIRST = datetime(2024, 3, 1)
DAYS = [FIRST + timedelta(days=day) for day in range(3)]

ANN, BOB = "ann@example.org", "bob@example.org"
PEOPLE = [ANN, BOB, *(f"{name}@example.org" for name in ("cem", "dora", "eli"))]

#: The tables that a deletion changes, in its order, and the column by which a row is somebody's.
WHOSE = {
    "machine_learning_curated": "pseudonym",
    "step_trainer_trusted": "serialnumber",
    "customers_curated": "email",
    "accelerometer_trusted": "user",
    "customer_trusted": "email",
}


def record(who: str, hour: int, serial: str, *, consents: bool) -> Record:
    """A customer's record, made so many hours after the first."""
    return customer(who, FIRST + timedelta(hours=hour), FIRST if consents else None, serial)


CONSENTING = drops_of(
    [record(BOB, 0, "sn-2", consents=True), record(ANN, 0, "sn-1", consents=True)],
    [reading(who, day) for who in (ANN, BOB) for day in DAYS],
    [step(device, day) for device in ("sn-1", "sn-2") for day in DAYS],
    "first",
)
ANN_WITHDRAWS = drops_of([record(ANN, 1, "sn-1", consents=False)], name="second")
BOB_WALKS_ONCE = drops_of([], [reading(BOB, DAYS[1] + timedelta(hours=1))], [], "once")
CEM_IS_NEW = drops_of([record("cem@example.org", 1, "sn-3", consents=True)], name="second")


def changing_consents(random: Random, runs: int) -> History:
    """People who walk; in each run some withdraw, consent from another day on, or claim another's device."""
    devices = {who: f"sn-{who[0]}" for who in PEOPLE}
    drops = []

    def consent(run: int, n: int) -> datetime | None:
        if run == 0:
            return FIRST
        # Somebody always withdraws, so that there is always a removal.
        return random.choice([None, *DAYS]) if (run, n) != (1, 0) else None

    for run in range(runs):
        who_changes = random.sample(PEOPLE, 2) if run else PEOPLE
        customers = [
            customer(
                who,
                FIRST + timedelta(hours=run),
                consent(run, n),
                devices[who if run == 0 or random.random() < 0.7 else random.choice(PEOPLE)],
            )
            for n, who in enumerate(who_changes)
        ]
        walks = [(who, day) for who in PEOPLE for day in DAYS if run == 0 or random.random() < 0.2]
        # Who consents from the last day on has steps that count, and no move.
        moves = [reading(who, day, x=run) for who, day in walks if day != DAYS[-1]]
        steps = [step(devices[who], day, run) for who, day in walks]
        drops.append(drops_of(customers, moves, steps, name=str(run)))
    return History(tuple(drops), (ARRIVAL,) * runs)


def dropped(engine: Any, folder: Path, key: Any, *nights: dict[str, bytes], policy: Policy | None = None) -> None:
    """Land and run these nights, but of the last only land."""
    for n, drops in enumerate(nights, start=1):
        write(folder / "drops", drops)
        land(engine, folder / "drops", key, ARRIVAL)
        if n < len(nights):
            run_jobs(engine, policy or Policy(), key)


def whose(key: Any, who: str, device: str) -> dict[str, str]:
    """What a person's rows are known by in each table."""
    return dict(zip(WHOSE, (key.pseudonym(who), device, who, who, who), strict=True))
