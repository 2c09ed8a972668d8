"""Canaries: words planted in drops, each where its name says, and the search for them in everything a lake holds.

A word that begins with `canarylanded` stands in an understood value: it may be where that value belongs, nowhere else.
A word that begins with `canarygone` stands in what nobody keeps: unknown keys, values without meaning, rejected lines.
"""

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
from support.drops import Record, at, customer, drop, reading, step

PHONE = "4815162342"
EMAIL, SERIAL, NAME = "canarylandedemail@example.org", "canarylandedserial", "canarylandedname"
CANARY = re.compile(rb"canary\w*|" + PHONE.encode(), re.IGNORECASE)

#: Tables whose data files may hold what has landed.
MAY_HOLD = (
    *("landing/customer_landing", "landing/accelerometer_landing", "landing/step_trainer_landing"),
    *("trusted/customer_trusted", "trusted/accelerometer_trusted", "trusted/step_trainer_trusted"),
    "curated/customers_curated",
)

CONSENT = at("08:00")
#: The names of unknown keys are kept, unless they look like somebody's.
UNKNOWN = {
    "extra": "canarygonevalue",
    "more": [{"canarygonedeepkey": "canarygonedeepvalue"}],
    "canarygonekey@example.org": 1,
}
CUSTOMER = customer(EMAIL, CONSENT, CONSENT, SERIAL, customerName=NAME, phone=PHONE, birthDay="1990-01-01")
READING = reading(EMAIL, at("09:00"))
STEP = step(SERIAL, at("09:00"))


def drops() -> dict[str, bytes]:
    """Each source with understood lines, unknown keys, rejected lines of every reason, and files that break off."""
    # As many equal values as make a writer think of dictionaries and filters.
    readings = [reading(EMAIL, at(f"09:{n // 60:02}:{n % 60:02}"), x=n) for n in range(600)]
    steps = [step(SERIAL, at(f"09:{n // 60:02}:{n % 60:02}")) for n in range(600)]
    return {
        **_source("customer", [CUSTOMER, *_without_meaning()], "lastUpdateDate"),
        **_source("accelerometer", [READING, *readings], "x", "y", "z", "timestamp"),
        **_source("step_trainer", [STEP, *steps], "distanceFromObject", "sensorReadingTime"),
    }


def _source(source: str, understood: list[Record], *columns: str) -> dict[str, bytes]:
    first = understood[0]
    if source == "customer":  # doubtful lines land, with what was understood of them
        first = first | {"email": "canarylandeddoubt@example.org", "serialNumber": "canarylandedother"}
    of = source.replace("_", "")
    unreadable = [first | {column: f"canarygone{of}{column}"} for column in columns]
    twice = json.dumps(first, default=str).replace(
        "{", '{"EMAIL": "canarygone", "USER": "canarygone", "serialnumber": 1,'
    )
    wrong = first | {columns[-1]: 1, "user": "canarygonewrong"}
    nobody = {"customerName": "canarygonenobody", "serialNumber": "canarygonenobody", "z": "canarygonenobody"}
    rejected = (
        *unreadable,
        wrong,
        nobody,
        twice,
        f'{{"user": "canarygonebroken{of}", "email": "canarygonebroken", ',
        f'["canarygonelist{of}"]',
        "[" * 101 + f'"canarygonedepth{of}"' + "]" * 101,
        b'{"user": "canarygoneutf8", "email": "canarygone\xff", "serialNumber": "canarygone\xc3"}',
        b"\xff canarygonebytes \xfe",
    )
    torn = drop(first | UNKNOWN | {"last": "canarygonelast"}) + b'{"email": "canarygonetorn'
    zipped = gzip.compress(drop(*[{"email": f"canarygone{n}zipped", "user": f"canarygone{n}"} for n in range(99)]))
    return {
        f"{source}/understood.json": drop(*understood, understood[0] | UNKNOWN),
        f"{source}/rejected.json": drop(*rejected),
        f"{source}/torn.json": torn,
        f"{source}/torn.json.gz": zipped[:-40],
        f"{source}/plain.json.gz": b'{"email": "canarygoneplain"}\n',
    }


def _without_meaning() -> list[Record]:
    """Records of customers that land, with values that do not."""
    others = {
        "birthDay": "canarygonebirthday",
        "registrationDate": "canarygoneregistration",
        "shareWithResearchAsOfDate": "canarygoneconsent",
        "shareWithPublicAsOfDate": {"canarygonepublic": "canarygonepublic"},
        "shareWithFriendsAsOfDate": ["canarygonefriends"],
        "phone": ["canarygonephone"],
        "customerName": "canarygonename\ud800",
        "serialNumber": {"canarygoneserial": 1},
    }
    return [
        {"email": f"canarylandedother{n}@example.org", "lastUpdateDate": CONSENT, name: value}
        for n, (name, value) in enumerate(others.items())
    ]


def leaked(text: str) -> set[str]:
    """The canaries in what a command printed or logged."""
    return found_in(text.encode())


def found_in(content: bytes) -> set[str]:
    return {word.decode().lower() for word in CANARY.findall(content)}


def where_they_are(lake: Path) -> dict[str, set[str]]:
    """The files of the lake that hold canaries, packed or not, and which."""
    found = {
        path.relative_to(lake).as_posix(): set().union(*map(found_in, unpacked(path)))
        for path in sorted(lake.rglob("*"))
        if path.is_file()
    }
    return {path: canaries for path, canaries in found.items() if canaries}


def unpacked(path: Path) -> Iterator[bytes]:
    """The file's bytes, and what they hold once they are decompressed."""
    raw = path.read_bytes()
    yield raw
    if path.suffix == ".parquet":
        yield from (repr(column.to_pylist()).encode() for column in pq.ParquetFile(path).read().itercolumns())
    elif path.suffix == ".avro":
        yield from _blocks(raw)
    elif path.name.endswith(".gz.metadata.json"):
        yield gzip.decompress(raw)


def _blocks(avro: bytes) -> Iterator[bytes]:
    """The blocks of an Avro file. Its last 16 bytes stand behind its header and behind every block."""
    header, *blocks = avro.split(avro[-16:])
    assert b"deflate" in header
    for block in filter(None, blocks):
        counts = re.match(rb"(?:[\x80-\xff]*[\x00-\x7f]){2}", block)  # of rows and of bytes
        yield zlib.decompress(block[counts.end() :], wbits=-15)


def misplaced(lake: Path) -> dict[str, set[str]]:
    """The files that hold canaries they must not hold, and which."""
    return {
        path: wrong
        for path, canaries in where_they_are(lake).items()
        if (wrong := {word for word in canaries if word.startswith("canarygone") or not _may_hold(path)})
    }


def _may_hold(path: str) -> bool:
    return path.endswith(".parquet") and any(path.startswith(f"{table}/data/") for table in MAY_HOLD)
