"""What a night costs when little is new: `python benchmarks/nightly.py LANDING --engine embedded`.

Lands 100 copies of a landing folder, spread over 30 days, and makes the tables; then lands one more copy on a day of
its own, then one more within a day that is there. `--nights 300` lands that many small drops instead, one a night;
`--maintain` maintains the tables after each and is counted by itself. Every night is a process of its own, as in
production; seconds are those beyond starting it and opening the lake.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from scale import HOUR, SOURCES, cut, moved, scale

COPIES, DAYS, APART = 100, 30, 1.0
#: Lines of each source in a small drop.
FEW = {"customer": 3, "accelerometer": 300, "step_trainer": 100}


def night(lake: Path, drops: Path, engine: str, key: bytes) -> dict[str, float]:
    """Open the lake, land what is new, run all jobs. Returns the seconds of each.

    `cpu` is what landing and running kept this process busy: a busy machine moves it less. Spark's is Java's, not ours.
    """
    from stedi_common import landing, pipeline, withdrawals  # noqa: PLC0415 - starting is measured
    from stedi_common.engines import connect  # noqa: PLC0415
    from stedi_common.lake import Lake  # noqa: PLC0415
    from stedi_common.policy import Policy  # noqa: PLC0415
    from stedi_common.pseudonym import PseudonymKey  # noqa: PLC0415

    pseudonyms, clock = PseudonymKey(key), [time.perf_counter()]
    opened = connect(engine, Lake.at(str(lake)))
    clock.append(time.perf_counter())
    busy = time.process_time()
    for source in SOURCES:
        landing.land(opened, source, str(drops), pseudonyms)
    clock.append(time.perf_counter())
    withdrawals.remove(opened, Policy(), pseudonyms)
    for job in pipeline.jobs([]):
        pipeline.run(opened, job, Policy(), pseudonyms)
    clock.append(time.perf_counter())
    busy = time.process_time() - busy
    opened.close()
    return {**dict(zip(("open", "land", "run"), (b - a for a, b in pairwise(clock)), strict=True)), "cpu": busy}


def maintained(lake: Path, engine: str) -> float:
    """The seconds of maintaining all tables, starting the process included."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "stedi_common.cli", "maintain", "--lake", str(lake), "--engine", engine]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def in_a_process(lake: Path, drops: Path, engine: str) -> dict[str, float]:
    command = [sys.executable, __file__, str(drops), "--engine", engine, "--night", str(lake)]
    told: dict[str, float] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    return told


def one_more(landing: Path, drops: Path, number: int, shift: int) -> None:
    """One more copy, of other people and devices, later by so many milliseconds."""
    for source in SOURCES:
        for path in sorted((landing / source).rglob("*.json")):
            parts, instants = cut(path.read_bytes())
            parts[1::2] = [b"c%d-" % number if at is None else moved(at, shift) for at in instants]
            (drops / source / f"c{number:04d}-{path.name}").write_bytes(b"".join(parts))


def little_new(landing: Path, folder: Path, engine: str) -> dict[str, Any]:
    """The full build, and a night with 1 % new on a day of its own and within a day that is there."""
    drops, lake = folder / "drops", folder / "lake"
    scale(landing, drops, COPIES, DAYS, APART)
    told = {"full": in_a_process(lake, drops, engine)}
    one_more(landing, drops, COPIES, DAYS * 24 * HOUR)
    told["a new day"] = in_a_process(lake, drops, engine)
    one_more(landing, drops, COPIES + 1, round((5 * 24 + COPIES // DAYS * APART + APART) * HOUR))
    told["within a day"] = in_a_process(lake, drops, engine)
    told["nothing"] = in_a_process(lake, drops, engine)
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
    """A small drop a night, each a day later: the seconds of every tenth night and the last."""
    drops, lake, told = folder / "drops", folder / "lake", {}
    lines = {
        s: [x for p in sorted((landing / s).rglob("*.json")) for x in p.read_bytes().splitlines()] for s in SOURCES
    }
    chosen = random.Random(1)  # noqa: S311
    for n in range(1, nights + 1):
        for source in SOURCES:
            (drops / source).mkdir(parents=True, exist_ok=True)
            parts, instants = cut(b"\n".join(chosen.sample(lines[source], FEW[source])))
            parts[1::2] = [b"" if at is None else moved(at, n * 24 * HOUR) for at in instants]
            (drops / source / f"n{n:04d}.json").write_bytes(b"".join(parts))
        spent = in_a_process(lake, drops, engine)
        if maintain:
            spent["maintain"] = maintained(lake, engine)
        if n % 10 == 0 or n == nights:
            told[n] = spent
            print(n, {name: round(seconds, 2) for name, seconds in spent.items()}, file=sys.stderr, flush=True)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("landing", type=Path)
    parser.add_argument("--engine", default="embedded")
    parser.add_argument("--nights", type=int, default=0)
    parser.add_argument("--maintain", action="store_true", help="maintain the tables after each of those nights")
    parser.add_argument("--night", type=Path, metavar="LAKE", help="one night in this lake, in this process")
    args = parser.parse_args()
    if args.night:
        told: Any = night(args.night, args.landing, args.engine, bytes(range(32)))
    else:
        with tempfile.TemporaryDirectory() as folder:
            if args.nights:
                told = many_nights(args.landing, Path(folder), args.engine, args.nights, maintain=args.maintain)
            else:
                told = little_new(args.landing, Path(folder), args.engine)
    print(json.dumps(told, indent=None if args.night else 2))


if __name__ == "__main__":
    main()
