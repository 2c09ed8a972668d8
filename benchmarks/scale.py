"""Many copies of a landing folder: `python benchmarks/scale.py LANDING OUT --copies 100`.

Each copy is its own people and devices: copy 0 is the data as it is, copy k has `c<k>-` before every email and serial
number. So row counts multiply, except that under `pairing=timestamp` n copies at the same instants pair everybody with
everybody: n * n times the rows. `--days` spreads the copies over days, `--apart` puts hours between those of one day
(the reference data spans 43 minutes); all epoch numbers of a copy move alike, so its own counts stay what they were.
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

SOURCES = ("customer", "accelerometer", "step_trainer")
HOUR = 3_600_000

# Where a copy differs: before the first character of an identity, and at an instant.
MARK = re.compile(
    rb'"(?:email|user|serialNumber)"\s*:\s*"\s*(?=[^"\s])'
    rb'|"(?:timestamp|sensorReadingTime|\w+Date)"\s*:\s*(?P<instant>\d{9,})',
    re.IGNORECASE,
)


def scale(landing: Path, out: Path, copies: int, days: int = 1, apart: float = 0) -> None:
    for source in SOURCES:
        (out / source).mkdir(parents=True)
        for path in sorted((landing / source).rglob("*.json")):
            name = "-".join(path.relative_to(landing / source).parts).removeprefix("landing-")
            for k, copy in enumerate(copied(path.read_bytes(), copies, days, apart)):
                (out / source / f"c{k:04d}-{name}").write_bytes(copy)


def copied(original: bytes, copies: int, days: int, apart: float) -> Iterator[bytes]:
    parts, instants = cut(original)
    yield original
    for k in range(1, copies):
        identity, shift = b"c%d-" % k, k % days * 24 * HOUR + round(k // days * apart * HOUR)
        parts[1::2] = [identity if instant is None else moved(instant, shift) for instant in instants]
        yield b"".join(parts)


def cut(original: bytes) -> tuple[list[bytes], list[int | None]]:
    """The text with a gap at every second place, and what goes there: an instant, or None where an identity starts."""
    parts, instants, at = [], [], 0
    for mark in MARK.finditer(original):
        instant = mark["instant"]
        parts += [original[at : mark.end() if instant is None else mark.start("instant")], b""]
        instants.append(None if instant is None else int(instant))
        at = mark.end()
    return [*parts, original[at:]], instants


def moved(instant: int, shift: int) -> bytes:
    """The instant, later by that many milliseconds. Below 1e11 it counts seconds."""
    return b"%d" % (instant + (shift if instant >= 10**11 else shift // 1000))


def add_options(parser: argparse.ArgumentParser, apart: float) -> None:
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--days", type=int, default=1, help="spread the copies over this many days")
    parser.add_argument("--apart", type=float, default=apart, help="hours between the copies of one day (%(default)s)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("landing", type=Path)
    parser.add_argument("out", type=Path)
    add_options(parser, apart=0)
    args = parser.parse_args()
    scale(args.landing, args.out, args.copies, args.days, args.apart)


if __name__ == "__main__":
    main()
