"""What a hostile drop costs: `python benchmarks/hostile.py --megabytes 1000`.

Lands one file of each kind, each with a process and a lake of its own, and compares CPU seconds and peak memory with
those of a good file of the same source and size. `--kinds` names some of them. The size is that of the file as it is
unpacked; compressed files are much smaller.
"""

import argparse
import gzip
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path

#: Lines are made in pieces of this many, and written until the file is as large as it should be.
PIECE_LINES = 4096
MINUTE = 60_000
START = 1_700_000_000_000

Lines = Callable[[int], str]


def reading(n: int) -> str:
    return f'{{"user": "p{n % 5000}@example.org", "timestamp": {START + n * 10}, "x": {n % 17}.0, "y": 1.5, "z": 1.5}}'


def customer(n: int, email: str | None = None) -> str:
    return (
        f'{{"customerName": "P {n}", "email": "{email or f"p{n}@example.org"}", "phone": "8015551212", '
        f'"birthDay": "1970-01-01", "serialNumber": "s-{n}", "registrationDate": {START}, '
        f'"lastUpdateDate": {START + n % MINUTE}, "shareWithResearchAsOfDate": {START}}}'
    )


def broken_off(line: Lines) -> Lines:
    return lambda n: line(n)[:-20]


#: For each kind its source, and its n-th line. A blank kind has no text; `one line` and `array` are not lines.
KINDS: dict[str, tuple[str, Lines]] = {
    "good readings": ("accelerometer", reading),
    "good customers": ("customer", customer),
    "line feeds": ("accelerometer", lambda _: ""),
    "blank customers": ("customer", lambda _: " \t "),
    "no JSON": (
        "accelerometer",
        lambda n: f"no json {n} at all, but a text of the usual length of a reading, more or less",
    ),
    "no object": (
        "accelerometer",
        lambda n: f'["p{n}@example.org", {START + n}, 1.0, 2.0, 3.0, "and a bit more of a text"]',
    ),
    "no user": ("accelerometer", lambda n: reading(n).replace("user", "usr ")),
    "no instant": ("accelerometer", lambda n: reading(n).replace(f"{START + n * 10}", '"yesterday"')),
    "odd values": ("accelerometer", lambda n: reading(n).replace('"x": ', '"x": "many", "X": ')),
    "escapes": ("accelerometer", lambda n: reading(n).replace("@", "\\u0040")),
    "one reading": ("accelerometer", lambda _: reading(1)),
    "broken readings": ("accelerometer", broken_off(reading)),
    "broken customers": ("customer", broken_off(customer)),
    "one broken customer": ("customer", lambda _: customer(1)[:-20]),
    "customers without address": ("customer", lambda n: customer(n, f"nobody {n}")),
    "many addresses": ("customer", lambda n: customer(n, f"a{n}@example.org b{n}@example.org c{n}@example.org")),
    "deep": ("accelerometer", lambda n: '{"user":' * 300 + "1" + "}" * 300),
    "many keys": ("accelerometer", lambda n: "{" + ", ".join(f'"k{n % 3}{k}": {k}' for k in range(300)) + "}"),
    "objects of one line": ("accelerometer", reading),
    "array": ("accelerometer", reading),
    "one line": ("accelerometer", lambda _: "x" * 4096),
}
#: What stands between the lines of these kinds.
BETWEEN = {"objects of one line": " ", "array": ",", "one line": ""}


def pieces(kind: str, size: int) -> Iterator[bytes]:
    """The content of a file of this kind, of at least this many bytes."""
    line, between = KINDS[kind][1], BETWEEN.get(kind, "\n")
    written = 0
    if kind == "array":
        yield b"["
    for first in range(0, sys.maxsize, PIECE_LINES):
        piece = "".join(f"{line(n)}{between}" for n in range(first, first + PIECE_LINES)).encode()
        copies = max(1, 2**20 // len(piece)) if not line(0).strip() else 1
        piece *= copies
        written += len(piece)
        if written >= size:
            yield piece[:-1] + b"]" if kind == "array" else piece
            return
        yield piece


def landed(kind: str, size: int, folder: Path, *, compress: bool) -> dict[str, float]:
    """Land a file of this kind. Returns CPU seconds, peak MB, the exit code, and the size of the file in MB."""
    source = KINDS[kind][0]
    file = folder / "drops" / source / ("drop.json.gz" if compress else "drop.json")
    file.parent.mkdir(parents=True)
    with gzip.open(file, "wb", 6) if compress else file.open("wb") as to:
        for piece in pieces(kind, size):
            to.write(piece)
    stored = file.stat().st_size
    command = [sys.executable, "-m", "stedi_common.cli", "land", "--engine", "embedded"]
    command += ["--landing", str(folder / "drops"), "--lake", str(folder / "lake")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    file.unlink()
    return {
        "seconds": round(used.ru_utime + used.ru_stime, 1),
        "megabytes": round(used.ru_maxrss / 1024),
        "exit": process.returncode,
        "stored": round(stored / 1e6, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--megabytes", type=int, default=100, help="size of each file as it is unpacked")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), metavar="KIND")
    parser.add_argument("--gzip", action="store_true", help="compress the files")
    options = parser.parse_args()
    wanted = dict.fromkeys(chain(islice(KINDS, 2), options.kinds))  # first the good ones, to compare with
    good: dict[str, float] = {}
    for kind in wanted:
        source = KINDS[kind][0]
        with tempfile.TemporaryDirectory() as folder:
            told = landed(kind, options.megabytes * 1_000_000, Path(folder), compress=options.gzip)
        good.setdefault(source, told["seconds"])
        print(
            json.dumps({"kind": kind, **told, "times the good": round(told["seconds"] / good[source], 2)}), flush=True
        )


if __name__ == "__main__":
    main()
