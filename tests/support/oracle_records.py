"""What a file and a line are, in plain Python: docs/records.md, read by somebody who has not seen the implementation.

`lines` says what the lines of a file are, `record` what one of them is, and `doubts` what can be read of one that is no
record. Slow and simple. Two things it leaves out: `too_compressed`, as the byte at which a file is given up depends on
the pieces it is read in, and what only storage knows of a file (links, FIFOs, keys of S3).
"""

import bz2
import gzip
import hashlib
import hmac
import json
import math
import re
import unicodedata
import zlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from functools import cache, partial
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import idna
import zstandard

SOURCES = ("customer", "accelerometer", "step_trainer")
#: What every customer record has. Readings have no column that may be absent.
NEEDED_OF_A_CUSTOMER = ("email", "lastupdatedate")
CONSENT = "sharewithresearchasofdate"

WHITE_SPACE = " \t\n\r\v\f"
BYTE_ORDER_MARK = "\xef\xbb\xbf"  # byte for byte, as text is scanned
EPOCH = datetime(1970, 1, 1)
EARLIEST = datetime(2000, 1, 1)
LAST = datetime(9999, 12, 31, 23, 59, 59, 999000)
DAY = timedelta(days=1)
MILLISECOND = timedelta(milliseconds=1)
#: Of a number as text.
MOST_DIGITS = 40


class Bounds(Protocol):
    """What `stedi_common.settings.Limits` has."""

    line_bytes: int
    nesting: int
    keys: int
    digits: int


@dataclass(frozen=True)
class Limits:
    """The defaults of the document."""

    line_bytes: int = 16 * 2**20
    nesting: int = 100
    keys: int = 1_000
    digits: int = 1_000


LIMITS = Limits()


class RejectedError(Exception):
    """A line, or a value of one, that cannot be taken, with the reason's code; and where it is no JSON."""

    def __init__(self, reason: str, column: str | None = None, place: int = 0):
        super().__init__(reason)
        self.reason, self.column, self.place = reason, column, place


class Line(NamedTuple):
    """A line or an object, without ending and padding.

    `flaw` is "open" (a last line without ending), or the reason why it is lost as a whole. `may_be_inner`: it may be
    part of a damaged object.
    """

    number: int
    content: bytes
    flaw: str | None = None
    may_be_inner: bool = False

    @property
    def is_blank(self) -> bool:
        return not self.content and self.flaw in (None, "open")


@dataclass(frozen=True)
class Number:
    """A JSON number as it is written: nothing is rounded before it has to be."""

    written: str


@dataclass(frozen=True)
class Word:
    """A bare word that is not JSON."""

    written: str


@dataclass(frozen=True)
class Object:
    """A JSON object with all its keys, those that occur twice as well."""

    pairs: tuple[tuple[str, Any], ...]


# Files


HIDDEN = ("_", ".")
TEMPORARY = (".tmp", ".temp", ".part", ".partial", ".crdownload", ".swp", ".crc", ".filepart")
ENDINGS = (".json", ".jsonl", ".ndjson", ".txt")
PACKED = (".gz", ".gzip", ".zst", ".zstd", ".bz2")


def skipped(name: str) -> str | None:
    """Why a file of this name is not read, as far as its name says it; None if it is read."""
    *folders, own = name.split("/")
    if any(part.startswith(HIDDEN) or part == "__MACOSX" for part in (*folders, own)):
        return "hidden"
    if own.startswith("~") or own.endswith("~") or own.lower().endswith(TEMPORARY):
        return "temporary"
    if not source_of(name):
        return "outside_sources"
    return None if has_known_ending(own) else "unknown_ending"


def has_known_ending(own: str) -> bool:
    """A name ends where its last dot is, but for the ending of a compression."""
    own = own.lower()
    for packed in PACKED:
        if own.endswith(packed):
            own = own.removesuffix(packed)
            break
    return "." not in own or own.endswith(ENDINGS)


def is_drop(name: str) -> bool:
    return skipped(name) is None


def source_of(name: str) -> str:
    """The source that a file is of; "" if it is below none of their folders."""
    first, *more = name.split("/")
    return first if more and first in SOURCES else ""


# Compression and encoding: recognised by the first bytes


def unpacked(raw: bytes) -> tuple[bytes, str | None]:
    """What can be unpacked of a file, and why not more."""
    if raw.startswith(b"\x1f\x8b"):
        return members(raw, lambda: zlib.decompressobj(16 + zlib.MAX_WBITS), b"\x1f\x8b", "corrupt_gzip")
    if raw.startswith(b"\x28\xb5\x2f\xfd"):
        return members(raw, lambda: zstandard.ZstdDecompressor().decompressobj(), b"\x28\xb5\x2f\xfd", "corrupt_zstd")
    if raw.startswith(b"BZh"):
        return members(raw, bz2.BZ2Decompressor, b"BZh", "corrupt_bzip2")
    return raw, None


def members(raw: bytes, member_of: Callable[[], Any], magic: bytes, reason: str) -> tuple[bytes, str | None]:
    """All members, byte by byte up to a break; zeros may follow the last."""
    content, rest = whole_gzip(raw) if magic == b"\x1f\x8b" else b"", raw
    if content:
        return content, None
    while rest.strip(b"\0"):
        member, taken = member_of(), 0
        try:
            while taken < len(rest) and not member.eof:
                content += member.decompress(rest[taken : taken + 1])
                taken += 1
        except (zlib.error, zstandard.ZstdError, OSError):
            return content, reason
        if not member.eof:
            return content, reason
        rest = rest[taken:].lstrip(b"\0")
    return content, None


def whole_gzip(raw: bytes) -> bytes:
    """The quick way, for the many files that are whole."""
    try:
        return gzip.decompress(raw)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        return b""


MARKS = (
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


def in_utf8(content: bytes) -> bytes:
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace").encode()
    return content


# Lines and objects: the bytes as text, a character for each, as what is not UTF-8 has its place, too


PADDING = rf"(?:[{WHITE_SPACE}\0\x1e,\[\]]|{BYTE_ORDER_MARK})*"
PADDED = re.compile(rf"{PADDING}(.*?)({PADDING})", re.DOTALL)
PADDING_ONLY = re.compile(PADDING)
#: What must stand before an object that ends a stretch.
BREAK = re.compile(rf"[}}\]\n\r\x1e]{PADDING}\Z")


def lines(_name: str, raw: bytes, limits: Bounds = LIMITS) -> tuple[str, list[Line]]:
    """The lines of a file ("line"), or its objects where those are not lines ("object"). Its name says nothing."""
    content, corrupt = unpacked(raw)
    text = in_utf8(content).decode("latin-1")
    if is_read_as_objects(text):
        return "object", [short(line, limits) for line in objects(text, corrupt)]
    start = start_of_long_line(text, limits)
    if start is None:
        return "line", split(text, corrupt)
    before = split(text[:start], None)
    behind = [short(line, limits) for line in objects(text[start:], corrupt)]
    return "object", [*before, *(line._replace(number=line.number + len(before)) for line in behind)]


def start_of_long_line(text: str, limits: Bounds) -> int | None:
    start = 0
    for line in text.split("\n"):
        if len(line) > limits.line_bytes:
            return start
        start += len(line) + 1
    return None


def short(line: Line, limits: Bounds) -> Line:
    if len(line.content) <= limits.line_bytes:
        return line
    return Line(line.number, line.content[: limits.line_bytes], "too_long")


def split(text: str, corrupt: str | None) -> list[Line]:
    *ended, rest = text.split("\n")
    found = [Line(number, bare(line)) for number, line in enumerate(ended, 1)]
    if rest or corrupt:
        found.append(Line(len(ended) + 1, bare(rest), corrupt or "open"))
    return found


def bare(line: str) -> bytes:
    """The line's bytes without the padding around it, to which what is left of its ending belongs."""
    return unpadded(line).encode("latin-1")


def unpadded(text: str) -> str:
    return PADDED.fullmatch(text)[1]


def is_read_as_objects(text: str) -> bool:
    """Two objects begin in one line, one goes over lines, or one begins a line in which a value may stand."""
    line_feeds = [found.start() for found in re.finditer("\n", text)]
    found, seen, behind, is_behind_value = list(stretches(text)), set(), 0, False
    for (start, end, is_object), state in zip(found, states(text, found, of_lines=True), strict=True):
        begins_line = "\n" in text[behind:start]
        behind = end
        if is_object:
            line = bisect_left(line_feeds, start)
            if line in seen or "\n" in text[start:end] or (begins_line and state[-2:-1] == "["):
                return True
            seen.add(line)
        elif is_behind_value and text[start] != "{":
            return True
        is_behind_value = is_object and begins_line and state.endswith(":")
    return False


Stretch = tuple[int, int, bool]
TOKEN = re.compile(r'"(?:[^"\\\n]|\\[^\n])*+"?|[\[\]{}]')


def states(text: str, found: list[Stretch], of_lines: bool = False) -> Iterator[str]:
    """What is open before each, that is, the brackets of damaged objects, and then the last character.

    `of_lines`: an object alone on its line ends what is damaged before it.
    """
    brackets, last, behind, broken, was_object, was_line = "", "", 0, -1, False, False
    for start, end, is_object in found:
        begins_line = "\n" in text[behind:start]
        if of_lines and was_line and begins_line:
            brackets = last = ""
        if brackets or last == ":":
            brackets, last = read_on(brackets, last, text[behind:start])
            if is_object and was_object and not {",", "["} & {*text[behind:start]} and start > broken:
                brackets = last = ""
        yield brackets + (last or " ")
        if is_object:
            last = "}"
        else:
            begins_damaged = not (brackets or last == ":" or text[start] == "{")
            broken = max(broken, where_broken(text, start))
            # A bracket that closes where an object breaks may be the damage.
            is_closed = start <= broken < end and text[broken] in "}]"
            damaged = text[start:broken] + text[broken + 1 : end] if is_closed else text[start:end]
            brackets, last = read_on("{" if begins_damaged else brackets, last, damaged)
        behind, was_object, was_line = end, is_object, is_object and begins_line


def where_broken(text: str, start: int) -> int:
    """Where the object breaks that begins here, if one does."""
    if text[start] != "{":
        return -1
    try:
        Parser(text, None).value(start)
    except RejectedError as fault:
        return fault.place
    except RecursionError:
        return len(text)
    return start


def is_open(state: str) -> bool:
    return len(state) > 1 or state == ":"


def read_on(brackets: str, last: str, text: str) -> tuple[str, str]:
    """A `?` before the brackets says that others may be open, of a line whose quotes are damaged."""
    for token in TOKEN.findall(text):
        if token in ("[", "{"):
            brackets += token
        elif brackets[-1:] + token in ("[]", "{}"):
            brackets = brackets[:-1]
    for line in text.split("\n"):
        quoted = [token for token in TOKEN.findall(line) if token.startswith('"')]
        is_closed = all(re.fullmatch(r'"(?:[^"\\]|\\.)*"', each) for each in quoted)
        if not is_closed and re.search(r"[\[{]", "".join(quoted)):
            brackets = "?" + brackets.removeprefix("?")
    return brackets, text.rstrip(" \t\n\r\v\f\0\x1e")[-1:] or last


def objects(text: str, corrupt: str | None) -> list[Line]:
    found = list(stretches(text))
    rest = ""
    if corrupt and found and not found[-1][2]:
        rest = text[found.pop()[0] :]
    contents = [re.sub(r"[\n\r]", " ", text[start:end]).encode("latin-1") for start, end, _ in found]
    are_inner = list(map(is_open, states(text, found)))
    lines = [
        Line(number, content, may_be_inner=is_inner)
        for number, (content, is_inner) in enumerate(zip(contents, are_inner, strict=True), 1)
    ]
    if corrupt:
        return [*lines, Line(len(lines) + 1, re.sub(r"[\n\r]", " ", unpadded(rest)).encode("latin-1"), corrupt)]
    if found and "\n" not in text[found[-1][1] :]:
        lines[-1] = lines[-1]._replace(flaw="open")
    return lines


def stretches(text: str) -> Iterator[tuple[int, int, bool]]:
    """From where to where each whole object goes (True), and each stretch that is none."""
    place = PADDING_ONLY.match(text).end()
    while place < len(text):
        end, is_object = end_of_object(text, place), True
        if end is None:
            end, is_object = end_of_stretch(text, place), False
        yield (
            place,
            place + len(text[place:end].rstrip()) if is_object else place + len(unpadded(text[place:end])),
            is_object,
        )
        place = PADDING_ONLY.match(text, end).end()


def end_of_stretch(text: str, start: int) -> int:
    """Where the next whole object begins that follows the end of something; else the end of the file."""
    for found in re.finditer(r"\{", text[start + 1 :]):
        place = start + 1 + found.start()
        if BREAK.search(text, start, place) and end_of_object(text, place) is not None:
            return place
    return len(text)


def end_of_object(text: str, place: int) -> int | None:
    """Where the whole object ends that begins here; None if none does."""
    if text[place] != "{":
        return None
    try:
        _, end = Parser(text, None).value(place)
    except (RejectedError, RecursionError):
        return None
    return end


# JSON


#: `++` and `*+` do not go back, which would take a string without an end too long.
STRING = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"')
OPEN_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]++|\\[^\x00-\x1f])*+')
QUOTE = re.compile('"')
WORD = re.compile(r"[A-Za-z0-9_.+-]+")
NUMBER = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
BLANK = re.compile(r"[ \t\n\r]*")
CONSTANTS = {"true": True, "false": False, "null": None}


class Parser:
    """Reads one JSON value, with at most so many keys. Without limits, only where a whole object ends."""

    def __init__(self, text: str, limits: Bounds | None):
        self.text, self.limits, self.keys = text, limits, 0

    def whole(self) -> Any:
        """The value that the text is."""
        value, end = self.value(self.after(0))
        if self.after(end) != len(self.text) or isinstance(value, Word):
            raise RejectedError("broken_json")
        return value

    def value(self, place: int) -> tuple[Any, int]:
        first = self.text[place : place + 1]
        if first in ("{", "["):
            return (self.object if first == "{" else self.array)(place + 1)
        if first == '"':
            return self.string(place)
        word = self.expected(WORD, place)
        written = word[0]
        if written in CONSTANTS:
            return CONSTANTS[written], word.end()
        return (Number if NUMBER.fullmatch(written) else Word)(written), word.end()

    def object(self, place: int) -> tuple[Object, int]:
        pairs: list[tuple[str, Any]] = []
        place = self.after(place)
        if self.text[place : place + 1] == "}":
            return Object(()), place + 1
        while True:
            key, place = self.string(place)
            self.keys += 1
            if self.limits and self.keys > self.limits.keys:
                raise RejectedError("too_many_keys")
            value, place = self.value(self.after(self.sign(place, ":")))
            pairs.append((key, value))
            place = self.after(place)
            if self.text[place : place + 1] == "}":
                return Object(tuple(pairs)), place + 1
            place = self.after(self.sign(place, ","))

    def array(self, place: int) -> tuple[list[Any], int]:
        values: list[Any] = []
        place = self.after(place)
        if self.text[place : place + 1] == "]":
            return values, place + 1
        while True:
            value, place = self.value(place)
            values.append(value)
            place = self.after(place)
            if self.text[place : place + 1] == "]":
                return values, place + 1
            place = self.after(self.sign(place, ","))

    def string(self, place: int) -> tuple[str, int]:
        if self.limits is None:
            return "", self.expected(QUOTE, self.expected(OPEN_STRING, place).end()).end()
        found = self.expected(STRING, place)
        return json.loads(found[0]), found.end()

    def sign(self, place: int, sign: str) -> int:
        return self.expected(re.compile(re.escape(sign)), self.after(place)).end()

    def expected(self, pattern: re.Pattern[str], place: int) -> re.Match[str]:
        found = pattern.match(self.text, place)
        if not found:
            raise RejectedError("broken_json", place=place)
        return found

    def after(self, place: int) -> int:
        """Where the white space ends that begins here."""
        return BLANK.match(self.text, place).end()


# Values: a reader takes a JSON value that is there, a text trimmed of white space


def text(value: Any, limits: Bounds) -> str:
    if isinstance(value, Number):
        exact = exactly(value.written, limits)
        if not isinstance(exact, Fraction) or exact.denominator != 1 or abs(exact) >= 10**MOST_DIGITS:
            raise RejectedError("unreadable_value")
        return str(exact.numerator)
    if not isinstance(value, str) or any("\ud800" <= character <= "\udfff" for character in value):
        raise RejectedError("unreadable_value")
    return value


def double(value: Any, limits: Bounds) -> float:
    number = float(digits(value, limits)) + 0.0
    if not math.isfinite(number):
        raise RejectedError("unreadable_value")
    return number


def integer(value: Any, limits: Bounds, bits: int = 32) -> int:
    exact = exactly(digits(value, limits), limits)
    if not isinstance(exact, Fraction) or exact.denominator != 1 or not -(2 ** (bits - 1)) <= exact < 2 ** (bits - 1):
        raise RejectedError("unreadable_value")
    return int(exact)


def digits(value: Any, limits: Bounds) -> str:
    """A number as it is written, be it a JSON number or a text that is one."""
    written = value.written if isinstance(value, Number) else value
    if not isinstance(written, str) or not NUMBER.fullmatch(written):
        raise RejectedError("unreadable_value")
    if sum(map(str.isdigit, written)) > limits.digits:
        raise RejectedError("unreadable_value")
    return written


#: Powers of ten that no type reaches; nobody has time for the digits of greater ones.
GREATEST = 400


def exactly(written: str, limits: Bounds) -> Fraction | float:
    """The number without rounding; infinite, or not a whole number, if it is far greater or smaller than any type's."""
    sign, whole, fraction, exponent = NUMBER.fullmatch(digits(Number(written), limits)).groups()
    mantissa, power = int(whole + (fraction or "")), int(exponent or "0") - len(fraction or "")
    if not mantissa:
        return Fraction(0)
    magnitude = len(str(mantissa)) + power
    if magnitude > GREATEST:
        return -math.inf if sign else math.inf
    if magnitude < -GREATEST:
        return -1e-300 if sign else 1e-300
    return (-1 if sign else 1) * mantissa * Fraction(10) ** power


DATE = re.compile(r"([0-9]{1,4})-([0-9]{2})-([0-9]{2})")


def day(value: Any, limits: Bounds) -> date:
    found = isinstance(value, str) and DATE.fullmatch(value)
    if not found:
        raise RejectedError("unreadable_value")
    try:
        return date(*map(int, found.groups()))
    except ValueError:
        raise RejectedError("unreadable_value") from None


# Instants


ZONE = r"(?P<zone> ?(?:Z\[UTC\]|[Zz]|UTC|GMT|[+\-\u2212](?:[01][0-9]|2[0-3])(?::?[0-5][0-9])?))?"
EXTENDED = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})[Tt ](?P<hour>[0-9]{2}):(?P<minute>[0-9]{2})"
    rf"(?::(?P<second>[0-9]{{2}})(?:[.,](?P<fraction>[0-9]+))?)?{ZONE}"
)
BASIC = re.compile(
    r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})T(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})"
    rf"(?P<second>[0-9]{{2}})?(?P<fraction>(?!))?{ZONE}"
)
RFC_1123 = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), ([0-9]{2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) ([0-9]{4}) "
    r"([0-9]{2}:[0-9]{2}:[0-9]{2}) (GMT|UT|UTC|[+-][0-9]{4})"
)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
ASP_NET = re.compile(r"/Date\((-?[0-9]+)\)/")


def instant(
    value: Any, limits: Bounds, arrived_at: datetime, zone: str | None, may_begin_later: bool = False
) -> datetime:
    milliseconds = since_1970(value, limits, zone)
    latest = LAST if may_begin_later else arrived_at + DAY
    if not (EARLIEST - EPOCH) / MILLISECOND <= milliseconds <= (latest - EPOCH) / MILLISECOND:
        raise RejectedError("wrong_instant")
    return EPOCH + milliseconds * MILLISECOND


def since_1970(value: Any, limits: Bounds, zone: str | None) -> float:
    """Whole milliseconds since 1970."""
    if isinstance(value, str):
        if found := EXTENDED.fullmatch(value) or BASIC.fullmatch(value):
            return of_a_calendar(found.groupdict(), zone)
        if found := RFC_1123.fullmatch(value):
            return of_a_letter(found, limits)
        if found := ASP_NET.fullmatch(value):
            return float(found[1]) if len(found[1]) > MOST_DIGITS else int(found[1])
    number = exactly(digits(value, limits), limits)
    milliseconds = (number * factor for least, factor in SCALES if number >= least)
    exact = next(milliseconds, number * 1000)
    return math.floor(exact) if isinstance(exact, Fraction) else exact


#: From which size on a number is what, as milliseconds.
SCALES = (
    (10**17, Fraction(1, 10**6)),
    (10**14, Fraction(1, 10**3)),
    (10**11, Fraction(1)),
)


def of_a_letter(found: re.Match[str], limits: Bounds) -> float:
    """Of a date as RFC 1123 has it, in which the weekday must be right."""
    weekday, day, month, year, clock, zone = found.groups()
    written = f"{year}-{MONTHS.index(month) + 1:02}-{day}"
    milliseconds = since_1970(f"{written}T{clock}{'Z' if zone.isalpha() else zone}", limits, None)
    if WEEKDAYS[date.fromisoformat(written).weekday()] != weekday:
        raise RejectedError("unreadable_value")
    return milliseconds


def of_a_calendar(part: dict[str, str | None], zone: str | None) -> int:
    hour, minute, second = (int(part[name] or 0) for name in ("hour", "minute", "second"))
    fraction = math.floor(Fraction(f"0.{part['fraction'] or 0}") * 1000)
    if hour == 24 and (minute or second or fraction):
        raise RejectedError("unreadable_value")
    if hour > 24 or minute > 59 or second > 60:
        raise RejectedError("unreadable_value")
    try:
        midnight = datetime(*(int(part[name] or 0) for name in ("year", "month", "day")))
    except ValueError:
        raise RejectedError("unreadable_value") from None
    local = midnight - EPOCH + timedelta(hours=hour, minutes=minute, seconds=second)
    return (local - ahead(part["zone"], local, zone)) // MILLISECOND + fraction


def ahead(written: str | None, local: timedelta, zone: str | None) -> timedelta:
    """How far the clock is ahead of UTC."""
    if written is None:
        if zone is None:
            raise RejectedError("unreadable_value")
        return ahead_in(ZoneInfo(zone), local)
    written = written.strip().replace("\u2212", "-")
    if written[0] not in "+-":
        return timedelta(0)
    figures = written[1:].replace(":", "").ljust(4, "0")
    size = timedelta(hours=int(figures[:2]), minutes=int(figures[2:]))
    return -size if written[0] == "-" else size


def ahead_in(zone: ZoneInfo, local: timedelta) -> timedelta:
    """The same in a zone, if the local time is there once."""
    try:
        clock = EPOCH + local
        offsets = {(clock.replace(tzinfo=zone, fold=fold)).utcoffset() for fold in (0, 1)}
    except OverflowError:
        raise RejectedError("unreadable_value") from None
    if len(offsets) > 1:
        raise RejectedError("unreadable_value")
    return offsets.pop()


# Identities


#: Unicode's property White_Space.
WHITE = {*"\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000", *map(chr, range(0x2000, 0x200B))}
#: Unicode's property Default_Ignorable_Code_Point.
IGNORABLE = (
    *((0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)),
    *((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF)),
    *((0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)),
)
MAILTO = re.compile(r"mailto:(?://)?([^?]*)(?:\?.*)?", re.DOTALL)
DISPLAYED = re.compile(r"([^<>]*)<+([^<>]*)>+")
#: Characters of an identity.
LONGEST = 1_000


def identity(value: Any) -> str:
    """Which device, however it is written; "" if nothing is left."""
    written = text(value, LIMITS)
    return without_end(folded(written)) if len(written) <= LONGEST or written.isascii() else written


def without_end(plain: str) -> str:
    return plain.rstrip(";,.")


@cache
def person(written: str) -> str:
    """Who, however it is written."""
    if len(written) > LONGEST:
        return written.lower() if written.isascii() else written
    while True:
        plain = with_domain_in_ascii(undressed(without_end(folded(written))))
        if plain == written:
            return plain
        written = plain


def undressed(plain: str) -> str:
    """Without what a mail program puts around an address."""
    if found := MAILTO.fullmatch(plain):
        plain = unquote(found[1])
    if found := DISPLAYED.fullmatch(plain):
        name, address = found.groups()
        if "@" not in name or person(name) == person(address):
            return address
    return plain


def with_domain_in_ascii(plain: str) -> str:
    local, at, domain = plain.partition("@")
    if not (local and at and domain) or "@" in domain:
        return plain
    domain = domain.replace("\u3002", ".")
    if len(domain) + sum(4 for label in domain.split(".") if not label.isascii()) > 253:
        return plain
    return f"{local}@" + ".".join(map(in_ascii, domain.split(".")))


def in_ascii(label: str) -> str:
    try:
        if label.startswith("xn--"):
            label = folded(idna.decode(label))
        return idna.encode(label, uts46=True, transitional=False).decode()
    except (idna.IDNAError, UnicodeError):
        return label


@cache
def folded(written: str) -> str:
    """NFKC_Casefold, without what is not seen. Folding can bring forth what is to be removed, and the reverse."""
    while True:
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", written).casefold())
        text = "".join(character for character in text if is_seen(character))
        text = unicodedata.normalize("NFKC", text.casefold())
        if text == written:
            return text
        written = text


def is_seen(character: str) -> bool:
    if character in WHITE or unicodedata.category(character) == "Cc":
        return False
    return not any(first <= ord(character) <= last for first, last in IGNORABLE)


ADDRESS = re.compile(r'[^@"<>()\[\]:;,\\]+@LABEL(?:\.LABEL)*'.replace("LABEL", r"[a-zA-Z0-9_\-\x80-\U0010ffff]+"))


def is_address(plain: str) -> bool:
    return len(plain) <= LONGEST and ADDRESS.fullmatch(plain) is not None and not any(map(is_typographic, plain))


def is_typographic(character: str) -> bool:
    code = ord(character)
    ranges = (
        *((0x2010, 0x205E), (0x25A0, 0x25FF), (0x275B, 0x2760), (0x2768, 0x2775), (0x27E6, 0x27EF)),
        *((0x3001, 0x3003), (0x3008, 0x301F), (0xFFF9, 0xFFFD)),
    )
    return character in "¡«»¿\u060c\u061b\u061f" or any(first <= code <= last for first, last in ranges)


#: Spacing accents, and several ASCII signs in one.
TAKEN_APART = (
    "\xa8\xaf\xb4\xb8\u02d8\u02d9\u02da\u02db\u02dc\u02dd\u037a\u0384\u0385\u1fbd\u1fbf\u1fc0\u1fc1\u1fcd\u1fce\u1fcf\u1fdd\u1fde\u1fdf"
    "\u1fed\u1fee\u1ffd\u1ffe\u2017\u203e\u309b\u309c\ufe49\ufe4a\ufe4b\ufe4c\uffe3\u2025\u2026\u203c\u2047\u2048\u2049\u2a74\u2a75\u2a76\ufe19\ufe30"
)


def there(plain: str) -> str:
    if not plain:
        raise RejectedError("missing_value")
    return plain


def serial(value: Any, limits: Bounds) -> str:
    return there(identity(text(value, limits)))


def user(value: Any, limits: Bounds) -> str:
    return there(person(text(value, limits)))


def address(value: Any, limits: Bounds) -> str:
    plain = user(value, limits)
    # Of a display name the punctuation does not matter.
    if not is_address(plain) or set(TAKEN_APART) & set(re.split("[<\uff1c\ufe64]", text(value, limits))[-1]):
        raise RejectedError("unreadable_value")
    return plain


# Records


Taken = Callable[[Any], Any]


def readers(source: str, arrived_at: datetime, limits: Bounds = LIMITS, zone: str | None = None) -> dict[str, Taken]:
    """How each column of a source is read, in the contract's order."""
    moment = partial(instant, arrived_at=arrived_at, zone=zone)
    of = {
        "customer": {
            "customername": text,
            "email": address,
            "phone": text,
            "birthday": day,
            "serialnumber": serial,
            "registrationdate": moment,
            "lastupdatedate": moment,
            CONSENT: partial(moment, may_begin_later=True),
            "sharewithpublicasofdate": partial(moment, may_begin_later=True),
            "sharewithfriendsasofdate": partial(moment, may_begin_later=True),
        },
        "accelerometer": {
            "user": user,
            "timestamp": moment,
            "x": double,
            "y": double,
            "z": double,
        },
        "step_trainer": {
            "sensorreadingtime": moment,
            "serialnumber": serial,
            "distancefromobject": integer,
        },
    }[source]
    return {column: partial(reader, limits=limits) for column, reader in of.items()}


SOURCE_COLUMNS = {source: tuple(readers(source, EPOCH)) for source in SOURCES}
#: The place of a customer's address.
EMAIL = SOURCE_COLUMNS["customer"].index("email")


def record(
    source: str, line: Line, arrived_at: datetime, limits: Bounds = LIMITS, zone: str | None = None
) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    """The typed values of a line, and the columns that are null because nobody can tell. Raises RejectedError."""
    columns = readers(source, arrived_at, limits, zone)
    given = parsed(line, limits)
    if source == "customer" and line.may_be_inner:
        record(source, line._replace(may_be_inner=False), arrived_at, limits, zone)
        raise RejectedError("broken_json", "")
    if source == "customer" and (twice := [c for c in SOURCE_COLUMNS[source] if len(occurrences(given, c)) > 1]):
        raise RejectedError("duplicate_key", twice[0])
    values, faults = understood(columns, given)
    for column, reason in faults.items():
        if source != "customer" or column in NEEDED_OF_A_CUSTOMER:
            raise RejectedError(reason, column)
    return values, tuple(column for column, reason in faults.items() if reason != "missing_value")


#: In JSON or not.
KEY = re.compile(r'("(?:[^"\\]|\\.)*+"[ \t\n\r]*+)(:?)', re.DOTALL)


def keys_in(text: str) -> int:
    """How many strings have a colon behind them, be it JSON or not."""
    return sum(bool(found[1]) for found in KEY.findall(text))


def depth(text: str) -> int:
    """How deep brackets lie in brackets, be it JSON or not."""
    deepest = now = 0
    for bracket in re.findall(r"[\[{\]}]", QUOTED.sub("", text)):
        now += 1 if bracket in "[{" else -1
        deepest = max(deepest, now)
    return deepest


def parsed(line: Line, limits: Bounds) -> Object:
    if line.flaw not in (None, "open"):
        raise RejectedError(line.flaw)
    try:
        text = line.content.decode()
        if depth(text) > limits.nesting:
            raise RejectedError("too_deep")
        if keys_in(text) > limits.keys:
            raise RejectedError("too_many_keys")
        value = Parser(text, limits).whole()
    except UnicodeDecodeError:
        raise RejectedError("invalid_utf8") from None
    except RejectedError as fault:
        is_truncated = line.flaw == "open" and fault.reason == "broken_json"
        raise RejectedError("truncated" if is_truncated else fault.reason) from None
    if not isinstance(value, Object):
        raise RejectedError("not_an_object")
    return value


def understood(columns: dict[str, Taken], given: Object) -> tuple[tuple[Any, ...], dict[str, str]]:
    """Every value, null where there is a fault, and the faults by column."""
    values, faults = [], {}
    for column, reader in columns.items():
        try:
            values.append(taken(given, column, reader))
        except RejectedError as fault:
            values.append(None)
            faults[column] = fault.reason
    return tuple(values), faults


def taken(given: Object, column: str, reader: Taken) -> Any:
    values = occurrences(given, column)
    if len(values) > 1:
        raise RejectedError("unreadable_value")
    value = trimmed(values[0]) if values else None
    if value is None or value == "":
        raise RejectedError("missing_value")
    return reader(value)


def occurrences(given: Object, column: str) -> list[Any]:
    return [value for key, value in given.pairs if lower(key) == column]


def trimmed(value: Any) -> Any:
    return value.strip(WHITE_SPACE) if isinstance(value, str) else value


def lower(key: str) -> str:
    """ASCII letters only: the Kelvin sign is not a k."""
    return "".join(character.lower() if character.isascii() else character for character in key)


# Doubtful lines


def doubts(
    line: Line, fault: RejectedError, arrived_at: datetime, limits: Bounds = LIMITS, zone: str | None = None
) -> list[tuple[str, tuple[Any, ...]]]:
    """What can be read of a customer's line that is no record: each address in it, with the typed values."""
    columns = readers("customer", arrived_at, limits, zone)
    # A fault of a column is one of a line that is an object.
    rows = (
        rows_of_object(columns, parsed(line, limits))
        if fault.column is not None
        else rows_of_text(columns, line.content)
    )
    return [(values[EMAIL], values) for values in rows]


def doubt(line: Line, fault: RejectedError, limits: Bounds = LIMITS) -> str:
    """Why a line is doubtful: if it may be about somebody whose address was not read, that is why."""
    if fault.reason.startswith(("too_long", "too_compressed", "corrupt_")):
        return fault.reason
    if fault.column is not None:
        is_read = all(
            is_nothing(said) or any(addresses_in(strings_in(said))) for said in emails(parsed(line, limits), limits)
        )
    else:
        quoted = behind_email(unescaped(line.content.decode("utf-8", "replace").replace("\0", "")))
        is_whole = fault.reason == "not_an_object" or bool(quoted)
        is_read = is_whole and all("\ufffd" not in each and any(addresses_in([each])) for each in quoted)
    return fault.reason if is_read else "unreadable_email"


def emails(given: Object, limits: Bounds) -> list[Any]:
    """What stands in `email`; if that is no address, also in the objects within. A list says several things."""
    objects = [given]
    with suppress(RejectedError):
        taken(given, "email", partial(address, limits=limits))
        return [each for value in occurrences(given, "email") for each in parts(value)]
    for each in objects:
        objects += [inner for inner in insides(each) if isinstance(inner, Object)]
    return [each for one in objects for value in occurrences(one, "email") for each in parts(value)]


def parts(value: Any) -> list[Any]:
    return [each for inner in value for each in parts(inner)] if isinstance(value, list) and value else [value]


def insides(value: Any) -> list[Any]:
    """What is within, at any depth."""
    inner = [each for _, each in value.pairs] if isinstance(value, Object) else value
    return [found for each in inner for found in (each, *insides(each))] if isinstance(inner, list) else []


def behind_email(text: str) -> list[str]:
    """What stands in quotes behind each key `email`; "" if there are none."""
    behind = [text[key.end() :] for key in re.finditer(r"""["']email\\*["']""", text, re.ASCII | re.IGNORECASE)]
    found = [re.match(r"""[ \t\r\n]*:[ \t\r\n]*\\*(?:"([^"]*)"|'([^']*)')""", each) for each in behind]
    return [(each[1] or each[2] or "").rstrip("\\") if each else "" for each in found]


def is_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not identity(value))


def is_incomplete(doubt: str) -> bool:
    """Whether a line may be about somebody whose address was not read."""
    return doubt.startswith(("too_long", "too_compressed", "corrupt_", "unreadable_email"))


def rows_of_object(columns: dict[str, Taken], given: Object) -> list[tuple[Any, ...]]:
    """A row for each address: the email, or else every string that is one."""
    values, _ = understood(columns, given)
    addresses = {values[EMAIL]} if values[EMAIL] else set(addresses_in(strings_in(given)))
    return [(*values[:EMAIL], each, *values[EMAIL + 1 :]) for each in sorted(addresses)]


def strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    inner = [each for _, each in value.pairs] if isinstance(value, Object) else value
    for each in inner if isinstance(inner, list) else ():
        yield from strings_in(each)


def addresses_in(strings: Iterable[str]) -> Iterator[str]:
    """The strings that are addresses, with a dot in the domain."""
    for string in strings:
        try:
            plain = address(trimmed(string), LIMITS)
        except RejectedError:
            continue
        if "." in plain.partition("@")[2]:
            yield plain


def rows_of_text(columns: dict[str, Taken], content: bytes) -> list[tuple[Any, ...]]:
    """A row for each address between two quotes: the address alone, and perhaps the consent."""
    text = unescaped(content.decode("utf-8", "replace").replace("\0", ""))
    between_quotes = [*text.split('"')[1:-1], *text.split("'")[1:-1]]
    quoted = (string.rstrip("\\") for string in between_quotes if "\ufffd" not in string)
    addresses = sorted(set(addresses_in(quoted)))
    consent = consent_in(columns, text) if len(addresses) == 1 else None
    return [
        tuple({"email": each, CONSENT: consent}.get(column) for column in SOURCE_COLUMNS["customer"])
        for each in addresses
    ]


QUOTED = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)
ESCAPES = re.compile(r'(?:\\u[0-9a-fA-F]{4})+|\\["\\/bfnrt]')


def unescaped(text: str) -> str:
    """The text with each JSON escape within quotes undone; so JSON within a JSON string has its own quotes."""
    return QUOTED.sub(lambda string: ESCAPES.sub(lambda found: json.loads(f'"{found[0]}"'), string[0]), text)


VALUE_BEHIND = re.compile(rf'"{CONSENT}"\s*:\s*({STRING.pattern}|{WORD.pattern})\s*[,}}]', re.IGNORECASE)


def consent_in(columns: dict[str, Taken], text: str) -> datetime | None:
    """The consent, if its key is there once with a whole value behind it that is understood."""
    if len(re.findall(f'"{CONSENT}"', text, re.IGNORECASE)) != 1 or not (found := VALUE_BEHIND.search(text)):
        return None
    written = found[1]
    value = json.loads(written) if written.startswith('"') else Number(written)
    try:
        return taken(Object(((CONSENT, value),)), CONSENT, columns[CONSENT])
    except RejectedError:
        return None


# Drift


def unknown_keys(source: str, lines: list[Line], key: bytes, limits: Bounds = LIMITS) -> Counter[str]:
    """Keys that no column has, with how many lines had them. Names that may say who somebody is are hashed."""
    shown = Counter[str]()
    for given in objects_of(lines, limits):
        names = {name for name, _ in given.pairs if lower(name) not in SOURCE_COLUMNS[source]}
        shown.update(hidden_name(name, key) if may_be_somebodys(name) else name for name in names)
    return shown


def may_be_somebodys(name: str) -> bool:
    return "@" in name or name.isdigit() or any(unicodedata.category(character) == "Cs" for character in name)


def hidden_name(name: str, key: bytes) -> str:
    return "#" + hmac.new(key, name.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()[:16]


def absent_columns(source: str, lines: list[Line], limits: Bounds = LIMITS) -> list[str]:
    """The nullable columns that no object of the file had."""
    present = {lower(name) for given in objects_of(lines, limits) for name, _ in given.pairs}
    return [column for column in SOURCE_COLUMNS[source] if source == "customer" and column not in {*present, "email"}]


def objects_of(lines: list[Line], limits: Bounds) -> Iterator[Object]:
    for line in lines:
        with suppress(RejectedError):
            yield parsed(line, limits)


# Hashes


def record_hash(values: Iterable[Any]) -> str:
    """Of a record. That of a doubtful line is unlike any other, and the engines' own."""
    written = json.dumps([plain(value) for value in values], separators=(",", ":"))
    return hashlib.sha256(written.encode()).hexdigest()


def plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value - EPOCH) // MILLISECOND
    # Not strftime, which writes the year 993 differently on every system.
    return value.isoformat() if isinstance(value, date) else value
