"""A refusal whose line was damaged on its way: its person is out of research, or the landing says that it cannot know.

Thousands of people consent; then each sends a refusal in a file of its own, with damage at one place. One lake has all.
"""

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from functools import cache

from support.drops import at, customer, landing, line_of, reading, step
from support.lakes import SLOW_ON_SPARK, land, rows, run, write

from stedi_common.engines.protocol import Engine
from stedi_common.rules.policy import Policy

PEOPLE = 10_000
NIGHTS = datetime(2024, 6, 1), datetime(2024, 6, 2)
#: What damage puts in: letters, digits, signs of JSON, control characters, and bytes that are not UTF-8.
BYTES = b'aZ09@."\\{}[]:, \t\n\r\0\x1e\x7f\x80\xc3\xff'

Damage = Callable[[random.Random, bytes], bytes]


def replaced(dice: random.Random, line: bytes) -> bytes:
    place = dice.randrange(len(line))
    return line[:place] + bytes([dice.choice(BYTES)]) + line[place + 1 :]


def flipped(dice: random.Random, line: bytes) -> bytes:
    place = dice.randrange(len(line))
    return line[:place] + bytes([line[place] ^ 1 << dice.randrange(8)]) + line[place + 1 :]


def inserted(dice: random.Random, line: bytes) -> bytes:
    place = dice.randrange(len(line) + 1)
    return line[:place] + bytes(dice.choices(BYTES, k=dice.randint(1, 3))) + line[place:]


def lost(dice: random.Random, line: bytes) -> bytes:
    start = dice.randrange(len(line))
    return line[:start] + line[start + dice.randint(1, 40) :]


def cut_off(dice: random.Random, line: bytes) -> bytes:
    return line[: dice.randrange(1, len(line))]


DAMAGES: tuple[Damage, ...] = (replaced, flipped, inserted, lost, cut_off)


@SLOW_ON_SPARK
def test_no_damaged_refusal_keeps_its_person_in_silently(connect, tmp_path, key):
    engine, dice = connect(tmp_path / "lake"), random.Random(16)
    damaged = [dice.choice(DAMAGES)(dice, refusal(n)) for n in range(PEOPLE)]
    write(tmp_path / "drops", landing(map(consent, range(PEOPLE)), map(move, range(PEOPLE)), map(walk, range(PEOPLE))))
    land(engine, tmp_path / "drops", key, NIGHTS[0])
    write(tmp_path / "drops", {f"customer/refusal-{n}.json": line for n, line in enumerate(damaged)})
    land(engine, tmp_path / "drops", key, NIGHTS[1])
    run(engine, Policy(), key)
    reported = people_whose_refusal_is_reported(engine)
    in_trusted = {number(user) for (user,) in rows(engine, "accelerometer_trusted", ["user"])} - reported
    in_research = {n for n in in_trusted if (key.pseudonym(email(n)),) in rows_of_pairs(engine)}
    # What no reader can tell from a true record: one of another address, or of another date.
    others = {n for n in range(PEOPLE) if is_another_record(damaged[n], n)}
    assert in_trusted <= others, [damaged[n] for n in in_trusted - others][:3]
    # Another address with the person's device makes it a shared one, so there are no pairs.
    assert in_research <= {
        n for n in others if email(n).encode() in damaged[n] or f'"{serial(n)}"'.encode() not in damaged[n]
    }

    assert len(in_trusted) < PEOPLE * 0.05
    assert len(in_research) < PEOPLE * 0.01


def email(n: int) -> str:
    return f"walker{n:05}@example.org"


def serial(n: int) -> str:
    return f"sn-{n:05}"


def consent(n: int) -> dict:
    return customer(email(n), at("10:00"), at("10:00"), serial(n), customerName="Ann Walker", phone="5550100")


def move(n: int) -> dict:
    return reading(email(n), at("12:00"))


def walk(n: int) -> dict:
    return step(serial(n), at("12:00"))


def refusal(n: int) -> bytes:
    record = consent(n) | {"lastUpdateDate": at("10:00", day=9)}
    del record["shareWithResearchAsOfDate"]
    return line_of(record) + b"\n"


def people_whose_refusal_is_reported(engine: Engine) -> set[int]:
    """Those in whose files the landing reports a line that could be anybody's refusal."""
    files = rows(engine, "landed_files", ["source_file", "without_address"])
    return {number(name) for name, lines in files if lines}


@cache
def rows_of_pairs(engine: Engine) -> Counter:
    return rows(engine, "machine_learning_curated", ["pseudonym"])


def number(address: str) -> int:
    return int(re.search(r"\d+", address)[0])


def is_another_record(line: bytes, n: int) -> bool:
    """Whether the damage left a whole record, of somebody else or of another day."""
    try:
        pairs = json.loads(line, object_pairs_hook=list)
    except ValueError:
        return False
    said = {key.lower(): value for key, value in pairs} if isinstance(pairs, list) else {}
    if not said or len(said) < len(pairs):
        return False
    address, updated = said.get("email"), said.get("lastupdatedate")
    is_whole = isinstance(address, str) and address.count("@") == 1 and isinstance(updated, int | float)
    return is_whole and (address.lower() != email(n) or updated != json.loads(refusal(n))["lastUpdateDate"])
