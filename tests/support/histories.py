"""Generated histories: drops that arrive in runs, small worlds in which people, devices and instants keep meeting.

A history is drawn as records with typed values; then every value is spelled (`Spelling`), some records are spoiled or
damaged, the lines are set (`FRAMINGS`), packed and put into files, and the files into runs, in which some change.
Everything shrinks to one plainly spelled file in one run.
"""

import bz2
import gzip
import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import zstandard
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from support.drops import milliseconds

from stedi_common.rules.policy import Policy

MILLISECOND, HOUR, DAY = timedelta(milliseconds=1), timedelta(hours=1), timedelta(days=1)

PEOPLE = (*(f"walker{number}@example.org" for number in range(1, 5)), "walker\u00e9\u00fc5@example.org")
DEVICES = tuple(f"sn-{number}" for number in range(1, 8))

#: When records are made and consents given. Some pairs share a day, one is a midnight, so partitions have edges.
MOMENTS = tuple(
    datetime(2024, 3, day, hour) for day, hour in ((1, 10), (1, 18), (2, 0), (2, 12), (3, 9))
)  # fmt: skip
#: When readings are made: at those moments, next to them, and after all of them.
LATER = datetime(2024, 3, 5, 12)
INSTANTS = (LATER, *(moment + nudge for moment in MOMENTS for nudge in (0 * DAY, -MILLISECOND, MILLISECOND)))
#: When each run begins.
ARRIVALS = tuple(datetime(2024, 4, day) for day in (1, 2, 3))
#: A clock that is ahead when the first run begins, and a consent that begins after all of them.
AHEAD, SOME_DAY = ARRIVALS[0] + 20 * HOUR, ARRIVALS[-1] + 30 * DAY
#: Right for some runs, wrong for others.
LATEST = tuple(str(milliseconds(arrival + DAY) + late) for arrival in ARRIVALS for late in (0, 1))

#: A record is its keys and typed values; an absent value is None.
Record = dict[str, Any]


@dataclass(frozen=True)
class History:
    """Runs of drops (name to bytes), and when each run began (UTC, without a zone)."""

    runs: tuple[dict[str, bytes], ...]
    arrived_at: tuple[datetime, ...]


class File(NamedTuple):
    """A drop and the run that finds it."""

    name: str
    content: bytes
    run: int


# Records


@st.composite
def customer(draw: DrawFn, number: int) -> Record:
    """A version of a person's record: mostly consenting, mostly with a device of their own."""
    updated = draw(st.sampled_from((*MOMENTS * 3, AHEAD)))
    shares = draw(st.sampled_from((*MOMENTS * 4, *[None] * 5, SOME_DAY)))
    own, spare, somebodys = DEVICES[number], DEVICES[(number + 5) % 7], draw(st.sampled_from(DEVICES))
    return {
        "customerName": draw(st.sampled_from((None, "Walker", "W. \u00c4ther", "nul\0l", "\u2028"))),
        "email": PEOPLE[number],
        "phone": draw(st.sampled_from((None, "5550100", "5550101"))),
        "birthDay": draw(st.sampled_from((None, "1990-01-01", "993-01-01"))),
        "serialNumber": draw(st.sampled_from((*[own] * 12, spare, spare, None, somebodys))),
        "registrationDate": MOMENTS[0],
        "lastUpdateDate": updated,
        "shareWithResearchAsOfDate": shares,
        "shareWithPublicAsOfDate": draw(st.sampled_from((None, MOMENTS[1]))),
        "shareWithFriendsAsOfDate": None,
    }


@st.composite
def renewal(draw: DrawFn, number: int) -> list[Record]:
    """A person who consented, withdrew (more than once perhaps), and consents again, with which date ever."""
    first, *refused, last = sorted(draw(st.lists(st.sampled_from(MOMENTS), min_size=3, unique=True)))
    consents = {first: first, **dict.fromkeys(refused), last: draw(st.sampled_from((first, last)))}
    return [
        draw(customer(number)) | {"lastUpdateDate": updated, "shareWithResearchAsOfDate": consent}
        for updated, consent in consents.items()
    ]


def walker(number: int) -> SearchStrategy[list[Record]]:
    """A person's versions: granted, moved, withdrawn, renewed, in any order, with ties."""
    return often(st.lists(customer(number), min_size=1, max_size=3), renewal(number), of=4)


XY = st.tuples(st.sampled_from((0.0, 1.0, -1.0)), st.sampled_from((0.0, 1.0)))


@st.composite
def walk(draw: DrawFn, people: int) -> tuple[list[Record], list[Record]]:
    """What one instant leaves behind: the accelerometer's records and the step trainer's."""
    number = draw(st.integers(0, people))  # one more than there are: a stranger
    user, device = (*PEOPLE, "stranger@example.org")[number], DEVICES[number]
    instant = draw(often(st.sampled_from(INSTANTS), st.just(LATER), of=2))
    moves = draw(often(st.lists(XY, min_size=1, max_size=2), st.just([]), of=6))
    distances = draw(often(st.lists(st.sampled_from((10, 20, -5)), min_size=1, max_size=2), st.just([]), of=6))
    devices = draw(often(st.just((device,)), st.just((device, DEVICES[(number + 5) % 7])), of=3))
    return (
        [{"user": user, "timestamp": instant, "x": x, "y": y, "z": 0.5} for x, y in moves],
        [
            {"sensorReadingTime": instant, "serialNumber": serial, "distanceFromObject": distance}
            for distance in distances
            for serial in devices
        ],
    )


@st.composite
def worlds(draw: DrawFn) -> dict[str, list[Record]]:
    people = draw(st.integers(2, len(PEOPLE)))
    walks = draw(st.lists(walk(people), min_size=6, max_size=14))
    return {
        "customer": [record for number in range(people) for record in draw(walker(number))],
        "accelerometer": [move for moves, _ in walks for move in moves],
        "step_trainer": [step for _, steps in walks for step in steps],
    }


# Spelling: one typed value has many spellings, as JSON tokens


@dataclass(frozen=True)
class Spelling:
    """How the keys and the values of one record are written."""

    key: Callable[[str], str] = str
    instant: Callable[[datetime], str] = lambda instant: str(milliseconds(instant))
    number: Callable[[float], str] = json.dumps
    identity: Callable[[str], str] = str
    absent: str | None = None

    def fields(self, record: Record) -> list[tuple[str, str]]:
        tokens = {name: self.token(name, value) for name, value in record.items()}
        return [(self.key(name), token) for name, token in tokens.items() if token is not None]

    def token(self, name: str, value: Any) -> str | None:
        if value is None:
            return self.absent
        if isinstance(value, datetime):
            return self.instant(value)
        if isinstance(value, str):
            return json.dumps(self.identity(value) if name in ("email", "user", "serialNumber") else value)
        return self.number(value)


def seconds(instant: datetime) -> str:
    return "{}.{:03}".format(*divmod(milliseconds(instant), 1000))


def iso(instant: datetime) -> str:
    return instant.isoformat(timespec="milliseconds")


SPELLINGS = st.builds(
    Spelling,
    key=st.sampled_from((str, str.lower, str.upper)),
    instant=st.sampled_from(
        (
            lambda instant: str(milliseconds(instant)),
            lambda instant: f"{milliseconds(instant)}.9",
            lambda instant: f"{milliseconds(instant)}e0",
            seconds,
            lambda instant: f'"{seconds(instant)}9"',
            lambda instant: f'"{iso(instant)}Z"',
            lambda instant: f'" {iso(instant)}9999Z "',
            lambda instant: f'"{iso(instant + 2 * HOUR)}+02:00"'.replace("T", " "),
            lambda instant: f'"{iso(instant - 11 * HOUR)}-1100"',
        )
    ),
    number=st.sampled_from(
        (json.dumps, lambda n: f'"{n}"', lambda n: f"{n:.1f}", lambda n: f"{n}e0", lambda n: f"-{-n}")
    ),
    identity=st.sampled_from(
        (
            *(str, str.upper, str.title, lambda text: f" {text}\t", lambda text: f"\r\n{text.upper()}\v"),
            lambda text: unicodedata.normalize("NFD", text),
            lambda text: unicodedata.normalize("NFD", text.upper()),
            lambda text: text.replace("@", "\uff20").replace("-", "\uff0d"),
            lambda text: f"\u00a0{text}\u200b",
            lambda text: text.replace("@", "\u00ad@\u2060") + ".",
            lambda text: f"mailto:{text}?subject=steps" if "@" in text else f"{text};",
            lambda text: f"A. Walker <{text.title()}>" if "@" in text else text,
        )
    ),
    absent=st.sampled_from((None, "null", '""', '" \\t"', "false", "NaN")),
)


def line(fields: list[tuple[str, str]]) -> bytes:
    return ("{" + ", ".join(f"{json.dumps(key)}: {token}" for key, token in fields) + "}").encode()


# Dirt

WRONG = ("0", "-1", "946684799.999", "946684799999", '"1999-12-31T23:59:59Z"', "99999999999", "1e300", "1e14")
UNREADABLE = (
    *("true", "false", "[]", '{"a": 1}', '"no"', '"\\ud800"', '"NaN"', '"1_0"', '"+1"', '"0x1"', '".5"'),
    *("1e400", "2147483648", "-2147483649", "1.5", '"2024-02-30T00:00Z"', '"2024-03-05T12:00:00"', '"0-01-01"'),
    *('"2024-03-05"', '"\\u00a01"', '"\\uff11"', '"walker1@example.org\\u0000"'),
)
MISSING = ("null", '""', '" "')
BLANK = (b"", b"  ", b"\t\v\f", b"\r")
#: What replaces the date of update of a customer: nobody can tell when the line was written.
NO_DATES = ('"yesterday"', "null", '""', "1", '"2024-03-05T12:00:00"', "NaN")
NOT_RECORDS = (
    *(b"{", b"[]", b"7", b'"text"', b"null", b"NaN", b"nonsense", b"{'user': 1}"),
    *(b"\xff\xfe", b'{"user": "\xc3"}', b"\xef\xbb\xbf{}", b'{"x": NaN}', b'{"x": 1,}', b"{} {}", b'{"x": 01}'),
    *(b'{"x": "tab\there"}', b"{}", b"\x00", b"\xc2\xa0", b"\x1c", b"{} {", b'"stranger@example.org"'),
    *(b'{"a": ' * depth + b"1" + b"}" * depth for depth in (100, 101)),
    *[b"{" + b", ".join(b'"%d": 1' % number for number in range(1001)) + b"}"] * 3,
)


@st.composite
def spoiled(draw: DrawFn, fields: list[tuple[str, str]]) -> bytes:
    """A record in which something is not as it should be; not everything of it is wrong."""
    place = draw(st.integers(0, len(fields) - 1))
    key, token = fields[place]
    before, after = fields[:place], fields[place + 1 :]
    whole = line(fields)
    return draw(
        st.one_of(
            st.sampled_from((*UNREADABLE, *MISSING)).map(lambda bad: line([*before, (key, bad), *after])),
            st.sampled_from((*WRONG, *LATEST)).map(lambda bad: line([timed(field, bad) for field in fields])),
            st.integers(0, len(fields) - 1).map(lambda other: unreadable(fields, other)),
            st.just(line(before + after)),
            st.just(line([*fields, (key.swapcase(), token)])),
            st.just(line([("unknown", '{"x": [1, {"x": 2}]}'), *fields, ("\u017fuser", "1"), ("Unknown", "null")])),
            st.sampled_from((whole[:-1], whole + b"}", b" " + whole + b"\t", whole[:9] + b"\xe9" + whole[9:])),
            st.sampled_from(NOT_RECORDS),
            st.sampled_from(BLANK),
        )
    )


def unreadable(fields: list[tuple[str, str]], place: int) -> bytes:
    """The record with a value that no type reads; of a customer one that is not needed."""
    nullable = [number for number, (key, _) in enumerate(fields) if key.lower() not in NEEDED] or [place]
    spoiled_at = nullable[place % len(nullable)]
    return line([(key, "[]" if number == spoiled_at else token) for number, (key, token) in enumerate(fields)])


#: Without them there is no record.
NEEDED = {
    *("email", "lastupdatedate"),
    *("user", "timestamp", "x", "y", "z", "sensorreadingtime", "distancefromobject"),
}


@st.composite
def doubtful(draw: DrawFn, fields: list[tuple[str, str]]) -> bytes:
    """A customer's line that is no record, most often with the address in it, with a consent or without."""
    kind = draw(st.sampled_from(("no date", "no date", "damaged", "damaged", "in quotes", "of nobody")))
    if kind == "damaged":
        return damaged(draw, line(fields))
    if kind == "in quotes":
        return json.dumps(line(fields).decode()).encode()
    spoils, bad = ("lastupdatedate", draw(st.sampled_from(NO_DATES))) if kind == "no date" else ("email", "null")
    return line([(key, bad if key.lower() == spoils else token) for key, token in fields])


def damaged(draw: DrawFn, whole: bytes) -> bytes:
    """The line with another byte somewhere, or one less, or broken off."""
    place = draw(st.integers(0, len(whole) - 1))
    before, after = whole[:place], whole[place + 1 :]
    return draw(st.sampled_from((before + after, before, *(before + byte + after for byte in DAMAGE))))


DAMAGE = (b"\0", b'"', b"\\", b"{", b"}", b"\xc3", b"\x80", b" ", b"7")


def timed(field: tuple[str, str], token: str) -> tuple[str, str]:
    """The field with another instant, if it is an instant."""
    key, _ = field
    return (key, token) if key.lower().endswith(("date", "time", "timestamp")) else field


@st.composite
def spelled(draw: DrawFn, record: Record) -> list[bytes]:
    """The lines that come of a record: itself mostly, or a spoiled one as well, or the record twice."""
    plain = line(Spelling().fields(record))
    kind = draw(st.sampled_from((*["plain"] * 4, *["other"] * 3, "both", *["spoiled"] * 2)))
    if kind == "plain":
        return [plain]
    fields = draw(SPELLINGS).fields(record)
    if kind == "spoiled" and "email" in record and draw(st.booleans()):
        return [plain, draw(doubtful(fields))]
    return {
        "other": lambda: [line(fields)],
        "both": lambda: [plain, line(fields)],
        "spoiled": lambda: [plain, draw(spoiled(fields))],
    }[kind]()


# Files and runs

#: How lines are set in a file, each with what ends a line there.
FRAMINGS: dict[str, Callable[[list[bytes], bytes], bytes]] = {
    "lines": lambda lines, ending: b"".join(line + ending for line in lines),
    "marked": lambda lines, ending: b"".join(b"\xef\xbb\xbf" + line + ending for line in lines),
    "open": lambda lines, ending: ending.join(lines),
    "padded": lambda lines, ending: b"".join(line + ending for line in lines) + b"\0" * 9,
    "commas": lambda lines, ending: b"".join(line + b"," + ending for line in lines),
    "array of lines": lambda lines, ending: b"[" + (b"," + ending).join(lines) + b"]",
    "array": lambda lines, _: b"[" + b", ".join(lines) + b"]",
    "objects": lambda lines, _: b"".join(lines),
    "carriage returns": lambda lines, _: b"".join(line + b"\r" for line in lines),
    "sequence": lambda lines, ending: b"".join(b"\x1e" + line + ending for line in lines),
    "pretty": lambda lines, ending: b"".join(pretty(line, ending) + ending for line in lines),
}
#: Mostly as the document has it.
FRAMED = (*["lines"] * 16, *FRAMINGS)


def pretty(line: bytes, ending: bytes) -> bytes:
    return re.sub(rb"^\{|(?<=,) ", lambda found: found[0] + ending, line).removesuffix(b"}") + ending + b"}"


ENCODINGS = (*["utf-8"] * 16, "utf-16", "utf-16-be", "utf-32")
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": lambda content: gzip.compress(content, mtime=0),
    ".zst": zstandard.compress,
    ".bz2": bz2.compress,
}
PACKED = (*[""] * 8, ".gz", ".gz", ".gz", ".zst", ".bz2")
FOLDERS = ("", "2024/", "2024/03/", "z/")
NAMES = (*("a.json", "B.json", "c d.json", "\u00e9.json", "0.json") * 3, "a.JSONL", "b.ndjson", "c.Txt", "part-0")
#: Files that nobody reads.
SKIPPED = {
    **{
        f"customer/{name}": b'{"email": "walker1@example.org"}\n'
        for name in ("_SUCCESS", ".a.json", "a.json.tmp", "a.csv")
    },
    **{
        f"accelerometer/{name}": b"{}"
        for name in ("_temporary/0/a.json", "~a.json", "a.parquet", ".b/c.json", "a.tar.gz")
    },
    "README.md": b"",
    "customers/a.json": b"{}",
    "step_trainer/__MACOSX/a.json": b"\0",
}


@st.composite
def files(draw: DrawFn, source: str, lines: list[bytes], runs: int) -> list[File]:
    """The lines in some files, some of which come again, under another name or changed under their own."""
    names = draw(st.lists(names_of(source), min_size=4, max_size=4, unique=True))
    cuts = sorted(draw(st.lists(st.integers(0, len(lines)), max_size=2)))
    parts = [lines[start:end] for start, end in zip([0, *cuts], [*cuts, len(lines)], strict=True)]
    found = [draw(file(name, part, runs)) for name, part in zip(names, parts, strict=False)]
    again = draw(st.sampled_from(("", "", "", "", "copied", "grown")))
    if again == "copied":
        found.append(File(names[3], draw(st.sampled_from(found)).content, draw(st.integers(0, runs - 1))))
    if again == "grown" and (first := found[0]).run + 1 < runs:
        found.append(draw(file(first.name, parts[0] + parts[-1], runs))._replace(name=first.name, run=first.run + 1))
        found[0] = first._replace(content=first.content[: draw(st.sampled_from((0, 40, 1000)))])
    return found


def names_of(source: str) -> SearchStrategy[str]:
    return st.builds("{}/{}{}".format, st.just(source), st.sampled_from(FOLDERS), st.sampled_from(NAMES))


@st.composite
def file(draw: DrawFn, name: str, lines: list[bytes], runs: int) -> File:
    ending = draw(st.sampled_from((b"\n", b"\n", b"\n", b"\r\n")))
    content = FRAMINGS[draw(st.sampled_from(FRAMED))](lines, ending)
    content = encoded(content, draw(st.sampled_from(ENCODINGS)))
    packing = draw(st.sampled_from(PACKED))
    content = PACKINGS[packing](content) if packing else content
    content = draw(st.sampled_from(TORN))(content)
    # A file's packing is recognised by its content, so its name may be wrong.
    return File(
        name + draw(st.sampled_from((packing, packing, packing, ".gz"))), content, draw(st.integers(0, runs - 1))
    )


def encoded(content: bytes, encoding: str) -> bytes:
    if encoding == "utf-8":
        return content
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    return mark + content.decode("utf-8", "replace").encode(encoding)


#: What becomes of a file on its way.
TORN: tuple[Callable[[bytes], bytes], ...] = (
    *[lambda content: content] * 16,
    lambda content: content[:-1],
    lambda content: content[:-7],
    lambda content: content[: len(content) // 2],
    lambda content: content + b"\0\0",
    lambda content: content + content,
    lambda content: content + b"rest",
)


# Histories


@st.composite
def histories(draw: DrawFn) -> History:
    runs = draw(st.integers(1, len(ARRIVALS)))
    drops: list[dict[str, bytes]] = [{} for _ in range(runs)]
    for source, records in draw(worlds()).items():
        ordered = draw(st.permutations(records)) if draw(st.booleans()) else records
        lines = [line for record in ordered for line in draw(spelled(record))]
        for found in draw(files(source, lines, runs)):
            drops[found.run][found.name] = found.content
    if draw(st.integers(0, 7)) == 7:
        drops[0] |= SKIPPED | {"customer/empty.json": b"", "step_trainer/empty.json.gz": b""}
    return History(tuple(drops), ARRIVALS[:runs])


def policies() -> SearchStrategy[Policy]:
    """The default first, then the others, sometimes with defective serials."""
    serials = st.frozensets(st.sampled_from((DEVICES[0], f" {DEVICES[1].upper()} ", "sn-99")), max_size=2)
    return st.builds(
        Policy.checked,
        consent=st.sampled_from(("as-of", "ever")),
        pairing=st.sampled_from(("owner", "timestamp")),
        defective_serials=often(st.just(frozenset()), serials, of=3),
        environment=st.just("dev"),
    )


def often(usual: SearchStrategy, other: SearchStrategy, of: int) -> SearchStrategy:
    """The usual, but for one time in so many."""
    return st.integers(1, of).flatmap(lambda n: other if n == of else usual)
