"""What a night costs when little is new: `python benchmarks/nightly.py LANDING --engine embedded`.

Lands 100 copies of a landing folder, or as many as `--copies` says, spread over 30 days, and makes the tables; then
lands 1 % more on a day of its own, then 1 % more within a day that is there; and the first of these once more into a
lake of one copy, which says what of it is due to what the lake holds. Every night is a process of its own, as in
production; seconds are those beyond starting it and opening the lake.

`--nights 300` lands that many small drops instead, one a night, each of as many new people and of one who was new the
night before and consents anew. `--maintain` maintains the tables after each, as if a night took a day, and is counted
by itself. Because nights differ in what they bring, at the end one drop is landed into the lake as it was before the
tenth night and as it was before the last.
"""

import argparse
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from scale import HOUR, SOURCES, cut, moved, scale

DAYS = 30
#: New people of a small drop, and how many of their readings it has at most.
NEW, FEW = 3, 100
#: The night that the last one is compared with, and how often.
TENTH, TURNS = 10, 7


def night(lake: Path, drops: Path, engine: str) -> dict[str, float]:
    """Open the lake, land what is new, run all jobs. Returns the seconds of each.

    `cpu` is what landing and running kept this process busy: a busy machine moves it less. Spark's is Java's, not ours.
    """
    from stedi_common.engines import connect  # noqa: PLC0415 - starting is measured
    from stedi_common.lake import Lake  # noqa: PLC0415
    from stedi_common.privacy.pseudonym import PseudonymKey  # noqa: PLC0415
    from stedi_common.rules.policy import Policy  # noqa: PLC0415
    from stedi_common.runs.run_all import landing_tasks, run_all, tasks  # noqa: PLC0415
    from stedi_common.runs.settings import RunSettings  # noqa: PLC0415

    pseudonyms, clock = PseudonymKey(bytes(range(32))), [time.perf_counter()]
    opened = connect(engine, Lake.at(str(lake)))
    clock.append(time.perf_counter())
    busy = time.process_time()
    given = RunSettings(Policy(), pseudonyms)
    for steps in (landing_tasks(str(drops)), tasks()):
        for done in run_all(opened, given, steps):
            if done.error:
                raise done.error
        clock.append(time.perf_counter())
    busy = time.process_time() - busy
    opened.close()
    return {**dict(zip(("open", "land", "run"), (b - a for a, b in pairwise(clock)), strict=True)), "cpu": busy}


def maintained(lake: Path, engine: str, began: list[float]) -> dict[str, float]:
    """Maintain all tables as if the nights that began then were a day each. Returns the seconds."""
    from stedi_common.contracts import contract, names  # noqa: PLC0415 - starting is measured
    from stedi_common.engines import connect  # noqa: PLC0415
    from stedi_common.lake import Lake  # noqa: PLC0415
    from stedi_common.maintenance import maintain  # noqa: PLC0415

    opened, started = connect(engine, Lake.at(str(lake))), time.perf_counter()
    for table in map(contract, names()):
        kept = table.snapshot_days
        oldest = datetime.fromtimestamp(began[-kept] if len(began) > kept else 0, UTC).replace(tzinfo=None)
        maintain(opened, table, oldest + timedelta(days=kept))
    spent = time.perf_counter() - started
    opened.close()
    return {"maintain": spent}


def in_a_process(lake: Path, drops: Path, engine: str, began: list[float] | None = None) -> dict[str, float]:
    """A night in a process of its own; its maintenance, if told when the nights up to it began."""
    command = [sys.executable, __file__, str(drops), "--engine", engine, "--in", str(lake)]
    did = subprocess.run(command, check=True, input=json.dumps(began).encode(), stdout=subprocess.PIPE)
    told: dict[str, float] = json.loads(did.stdout)
    return told


def more(landing: Path, drops: Path, numbers: range, starts: list[float]) -> None:
    """More copies, of other people and devices, each so many hours later than the original."""
    for number, start in zip(numbers, starts, strict=True):
        shift = round(start * HOUR)
        for source in SOURCES:
            for path in sorted((landing / source).rglob("*.json")):
                parts, instants = cut(path.read_bytes())
                parts[1::2] = [b"c%d-" % number if at is None else moved(at, shift) for at in instants]
                (drops / source / f"c{number:04d}-{path.name}").write_bytes(b"".join(parts))


def little_new(landing: Path, folder: Path, engine: str, copies: int) -> dict[str, Any]:
    """The full build; a night with 1 % new on a day of its own, the same in a lake of one copy, and within a day."""
    drops, lake, new = folder / "drops", folder / "lake", max(1, copies // 100)
    # All of a day's copies begin within its first hours.
    apart = min(1.0, 20 / (copies // DAYS + 1 + new))
    next_day = [DAYS * 24 + n * apart for n in range(new)]
    scale(landing, drops, copies, DAYS, apart)
    told = {"full": in_a_process(lake, drops, engine)}
    more(landing, drops, range(copies, copies + new), next_day)
    told["a new day"] = in_a_process(lake, drops, engine)
    more(landing, drops, range(copies + new, copies + 2 * new), [5 * 24 + copies // DAYS * apart + apart] * new)
    told["within a day"] = in_a_process(lake, drops, engine)
    told["nothing"] = in_a_process(lake, drops, engine)
    drops, lake = folder / "one" / "drops", folder / "one" / "lake"
    scale(landing, drops, 1)
    told["full, of one copy"] = in_a_process(lake, drops, engine)
    more(landing, drops, range(copies, copies + new), next_day)
    told["a new day in a lake of one copy"] = in_a_process(lake, drops, engine)
    full = told["full"]
    return {
        what: {
            **of,
            "share": (of["land"] + of["run"]) / (full["land"] + full["run"]),
            "share of cpu": of["cpu"] / full["cpu"],
        }
        for what, of in told.items()
    }


def many_nights(landing: Path, folder: Path, engine: str, nights: int, *, maintain: bool) -> dict[str, Any]:
    """A small drop a night, each a day later: the seconds of every tenth; and of one drop as the tenth and as the last.

    That drop is landed in turns into the lake as it was before the tenth night and as it was before the last.
    """
    now, known, chosen = folder / "now", people(landing), random.Random(1)  # noqa: S311
    told: dict[str, Any] = {}
    began: list[float] = []
    first: dict[int, dict[str, list[bytes]] | None] = {0: None}
    before: dict[int, Path] = {}
    for n in range(1, nights + 1):
        if n in {TENTH, nights}:
            before[n] = shutil.copytree(now, folder / f"before-{n}")
        new = chosen.sample(known, NEW)
        first[n] = new[0]
        drop(now / "drops", n, new, first[n - 1])
        began.append(time.time())
        spent = in_a_process(now / "lake", now / "drops", engine)
        if maintain:
            spent |= in_a_process(now / "lake", now / "drops", engine, began)
        if n % 10 == 0:
            told[str(n)] = spent
            print(n, {name: round(seconds, 2) for name, seconds in spent.items()}, file=sys.stderr, flush=True)
    alike: dict[int, list[float]] = {n: [] for n in before}
    for _ in range(TURNS):
        new = chosen.sample(known, NEW)
        for n, lake in before.items():
            # The tables' metadata name the folder where they were made.
            shutil.rmtree(now)
            shutil.copytree(lake, now)
            drop(now / "drops", n, new, first[n - 1])
            spent = in_a_process(now / "lake", now / "drops", engine)
            alike[n].append(spent["land"] + spent["run"])
    told |= {f"the same drop on night {n}": statistics.median(seconds) for n, seconds in alike.items()}
    return told


def drop(drops: Path, night: int, new: list[dict[str, list[bytes]]], again: dict[str, list[bytes]] | None) -> None:
    """What a night brings: new people with their readings, and one of the night before who consents anew."""
    for source in SOURCES:
        (drops / source).mkdir(parents=True, exist_ok=True)
        lines = [as_of(night, night, line) for person in new for line in person[source]]
        if source == "customer" and again:
            lines += [as_of(night - 1, night, line) for line in again[source]]
        (drops / source / f"n{night:04d}.json").write_bytes(b"\n".join(lines))


def people(landing: Path) -> list[dict[str, list[bytes]]]:
    """Everybody who consents and has readings: the last customer's record, and some readings of each sensor."""
    of: dict[str, dict[str, list[bytes]]] = {source: {} for source in SOURCES}
    for source, identity in (("customer", "email"), ("accelerometer", "user"), ("step_trainer", "serialNumber")):
        for path in sorted((landing / source).rglob("*.json")):
            for line in path.read_bytes().splitlines():
                of[source].setdefault(json.loads(line)[identity], []).append(line)
    found = []
    for email, lines in of["customer"].items():
        record = json.loads(lines[-1])
        readings, steps = of["accelerometer"].get(email), of["step_trainer"].get(record["serialNumber"])
        if "shareWithResearchAsOfDate" in record and readings and steps:
            found.append({"customer": lines[-1:], "accelerometer": readings[:FEW], "step_trainer": steps[:FEW]})
    return found


def as_of(person: int, day: int, line: bytes) -> bytes:
    """The line as one of other people and devices, and so many days later."""
    parts, instants = cut(line)
    parts[1::2] = [b"n%d-" % person if at is None else moved(at, day * 24 * HOUR) for at in instants]
    return b"".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("landing", type=Path)
    parser.add_argument("--engine", default="embedded")
    parser.add_argument("--copies", type=int, default=100)
    parser.add_argument("--nights", type=int, default=0)
    parser.add_argument("--maintain", action="store_true", help="maintain the tables after each of those nights")
    parser.add_argument("--in", type=Path, metavar="LAKE", dest="lake", help="one night there, in this process")
    args = parser.parse_args()
    told: Any
    if args.lake:
        began = json.load(sys.stdin)
        told = maintained(args.lake, args.engine, began) if began else night(args.lake, args.landing, args.engine)
    elif missing := [source for source in SOURCES if not (args.landing / source).is_dir()]:
        parser.error(f"expected {', '.join(missing)} in {args.landing}, got no such folder")
    else:
        with tempfile.TemporaryDirectory() as folder:
            if args.nights:
                told = many_nights(args.landing, Path(folder), args.engine, args.nights, maintain=args.maintain)
            else:
                told = little_new(args.landing, Path(folder), args.engine, args.copies)
    print(json.dumps(told, indent=None if args.lake else 2))


if __name__ == "__main__":
    main()
