"""The reader and the oracle, two readings of docs/records.md, say the same of every file."""

import hashlib
import hmac
from collections import Counter, defaultdict
from unittest import mock

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support import oracle_records as oracle
from support.whole_files import ARRIVED, KEY, SOURCES, in_folder, reader, whole

from stedi_common.records import framing, rows, search
from stedi_common.settings import Limits

#: Limits that a small file exceeds.
SMALL = Limits(line_bytes=1024, nesting=4, keys=12, digits=40)

#: The column that says whose line it is.
NAMES = {"customer": "email", "accelerometer": "user", "step_trainer": "serialnumber"}

COUNTS = ("lines", "rejected", "blank", "nulled_values", "doubtful", "without_address")


def said_by_the_reader(content, source, limits, zone):
    read, tally = whole(content, source, limits=limits, zones={source: zone} if zone else {})
    columns = oracle.SOURCE_COLUMNS[source]
    return {
        "rows": [
            (
                *(row["source_line"], row["mark"], row["reason"] or row.get("doubt"), row["rejected_column"]),
                *(row["content_hash"], repr([row[column] for column in columns])),
            )
            for row in read
        ],
        **{count: getattr(tally, count) for count in COUNTS},
        "unit": tally.unit,
        "unknown": tally.unknown_keys,
        "nulled": tally.nulled_columns,
        "absent": [column for column in nullable(source) if column not in tally.present_columns],
    }


def said_by_the_oracle(content, source, limits, zone):
    unit, lines = oracle.lines("a.json", content, limits)
    counts, nulled, said = Counter(lines=len(lines)), Counter(), []
    for line in lines:
        if line.is_blank:
            counts["blank"] += 1
            continue
        try:
            values, of_line = oracle.record(source, line, ARRIVED, limits, zone)
        except oracle.RejectedError as fault:
            doubts = oracle.doubts(line, fault, ARRIVED, limits, zone) if source == "customer" else []
            reason = oracle.doubt(line, fault, limits) if doubts else ""
            counts.update(["doubtful" if doubts else "rejected"])
            counts["without_address"] += source == "customer" and (not doubts or oracle.is_incomplete(reason))
            said += [in_doubt(line, reason, values) for _, values in doubts] or [rejected(source, line, fault)]
        else:
            nulled.update(of_line)
            said.append((line.number, None, None, None, None, repr(list(values))))
    return {
        "rows": said,
        **{count: counts[count] for count in COUNTS},
        "nulled_values": nulled.total(),
        "unit": unit,
        "unknown": oracle.unknown_keys(source, lines, KEY, limits),
        "nulled": nulled,
        "absent": oracle.absent_columns(source, lines, limits),
    }


def nullable(source):
    return [column for column in oracle.SOURCE_COLUMNS[source] if source == "customer" and column != "email"]


def in_doubt(line, reason, values):
    return line.number, None, reason, None, None, repr(list(values))


def rejected(source, line, fault):
    content_hash = hmac.new(KEY, line.content, hashlib.sha256).hexdigest()
    nothing = repr([None] * len(oracle.SOURCE_COLUMNS[source]))
    return line.number, "rejected", fault.reason, fault.column, content_hash, nothing


def check(content, source, limits=SMALL, zone=None):
    assert said_by_the_reader(content, source, limits, zone) == said_by_the_oracle(content, source, limits, zone)


RECORDS = {
    "customer": b'{"customerName":"A B","email":"ada@x.org","phone":8015551212,"lastUpdateDate":1655564455341,'
    b'"shareWithResearchAsOfDate":1655564455341}',
    "accelerometer": b'{"user":"a@b.c","timestamp":1655564455341,"x":1.0,"y":0.0,"z":-1.0}',
    "step_trainer": b'{"sensorReadingTime":1655564172120.0,"serialNumber":"A-1","distanceFromObject":246}',
}
BITS = (
    *(
        b"\n",
        b"\r\n",
        b"\r",
        b" ",
        b"{",
        b"}",
        b"[",
        b"]",
        b",",
        b":",
        b'"',
        b"\\",
        b"\xff",
        b"\0",
        b"\x1e",
        b"\xc2\xa0",
    ),
    *(b"\xef\xbb\xbf", b"[]\n", b"7", b"NaN", b"null", b'{"a":1}', b'{"a":[1,{"b":2}],"c":NaN}', b'{"a":\n1}'),
    *(
        b'"d@e.f"',
        b'{"Email":"Q@e.f"}',
        b"[[[[[1]]]]]",
        b'{"a":[[[[[1]]]]]}',
        b'{"a":"x\ny"}',
        b'{"a":1,}',
        b'"email":"',
    ),
)
#: Of what objects are made that break, go over lines and lie in each other.
PIECES = (
    *(b"\n", b",", b",\n", b'"', b"[", b"]", b"{", b"}", b":", b"x", b'"k":', b'"[{"', b"\\", b" "),
    *(b'{"email":"a@b.c","lastUpdateDate":1655564376361}', b'{"a":1}', b'{"c":[{"d":1}]}'),
)
DAMAGE = st.one_of(st.sampled_from(b'"{}[],:\\\n\0 @'), st.integers(0, 255)).map(lambda byte: bytes([byte]))


@st.composite
def contents(draw, source):
    """Records and bits of others, some bytes of which are damaged."""
    lines = st.sampled_from([RECORDS[source] + b"\n"] * 5 + [RECORDS[source]] * 3)
    content = b"".join(draw(st.lists(lines | st.sampled_from(BITS), max_size=10)))
    for place in draw(st.lists(st.integers(0, max(0, len(content) - 1)), max_size=2)):
        cut = draw(st.integers(0, 1))
        content = content[:place] + draw(DAMAGE | st.just(b"")) + content[place + cut :]
    return content


@pytest.mark.parametrize("source", SOURCES)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_of_any_content(source, data):
    check(data.draw(contents(source)), source)


def named_by_the_oracle(content, source):
    """The numbers of the lines by each name that they have. Of a line that is no record each text counts."""
    column = oracle.SOURCE_COLUMNS[source].index(NAMES[source])
    normalised = oracle.identity if source == "step_trainer" else oracle.person
    found = defaultdict(set)
    for line in oracle.lines("a.json", content, SMALL)[1]:
        if line.is_blank:
            continue
        try:
            names = {oracle.record(source, line, ARRIVED, SMALL)[0][column]}
        except oracle.RejectedError as fault:
            doubts = oracle.doubts(line, fault, ARRIVED, SMALL) if source == "customer" else []
            text = oracle.unescaped(line.content.decode("utf-8", "replace").replace("\0", ""))
            texts = [*text.split('"')[1:-1], *text.split("'")[1:-1]]
            names = {name for name, _ in doubts} or {normalised(oracle.trimmed(each.rstrip("\\"))) for each in texts}
        for name in names:
            found[name].add(line.number)
    return found


@pytest.mark.parametrize("source", SOURCES)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_search_finds_each_line_of_everybody(source, data):
    content = data.draw(contents(source))
    expected = named_by_the_oracle(content, source)
    with in_folder(content, source) as drop:
        for name, numbers in expected.items():
            assert {line.number for line in search(reader(source, limits=SMALL), drop, [name]).lines} == numbers, name


@settings(deadline=None, max_examples=1000)
@given(pieces=st.lists(st.sampled_from([*PIECES, *(one + b"\n" for one in PIECES[-3:])]), max_size=14))
@example(pieces=[PIECES[-2], b"\n", b"x", PIECES[-2], b"\n", b"[", PIECES[-2]])
@example(pieces=[b'"', PIECES[-2], b"\n", PIECES[-1], b",\n", b"[", PIECES[-3], b",\n", b"]"])
def test_of_objects_in_pieces(pieces):
    check(b"".join(pieces), "customer")


#: What cheap hostile files repeat.
HOSTILE = (
    *(b'{"email":"a@b.c"}{"email"\n', b'{"a":[1,{"b":\n', b"{}{\n", b"x{}\n{\n", b'"@', b'{"email":"d@e.f"\n', b"{}{}"),
    *(b'"email":"a@b.c"}\n', b'{"email":["a@b.c"}\n', b'{"a\\":\\"d@e.f\\"\n', '{"email":"é@b.c"\n'.encode(), b'""{\n'),
)


@settings(deadline=None)
@given(
    pieces=st.lists(st.sampled_from([*HOSTILE, *PIECES]), max_size=6).map(b"".join),
    times=st.integers(1, 5),
    end=st.sampled_from([b"", *PIECES]),
)
def test_content_that_is_repeated(pieces, times, end):
    """Also where the exact look at lines ends early, so that the whole file is looked at."""
    with mock.patch.object(framing, "_MAX_DAMAGE_OF_LINES", 2), mock.patch.object(rows, "_MAX_LOOKS", 1):
        check(pieces * times + end, "customer")


VALUES = st.one_of(
    st.sampled_from(["1", "1.0", "1e3", "-0.0", "0x1F", "NaN", "01", "null", "true", "[1]", '""', '" "']),
    st.integers(-(10**20), 10**20).map(str),
    st.floats().map(repr),
    st.text(max_size=8).map(lambda text: f'"{text}"'),
    st.from_regex(r'"-?[0-9]{1,12}(\.[0-9]{1,3})?(e[+-]?[0-9]{1,2})?"', fullmatch=True),
    st.from_regex(
        r'"(19|20)[0-9]{2}-(0[1-9]|1[0-3])-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9](:[0-6][0-9]([.,][0-9]{1,4})?)?'
        r'( ?(Z|z|UTC|GMT|[+-\u2212][0-2][0-9](:?[0-6][0-9])?|Z\[UTC\]))?"',
        fullmatch=True,
    ),
    st.from_regex(
        r'"[\u00a0 ]?(mailto:|Ada <|<)?[A-Za-z\u00e9\u0130.]{1,5}\u200b?[@\uff20]'
        r'[a-z\u00df\u3002.-]{1,8}[;,.>]{0,2}(\?x)?"',
        fullmatch=True,
    ),
)  # fmt: skip


@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
@pytest.mark.parametrize("source", SOURCES)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_of_any_value(source, zone, data):
    keys = [*oracle.SOURCE_COLUMNS[source], "Email", "a", "1", "p@q"]
    fields = data.draw(st.lists(st.tuples(st.sampled_from(keys), VALUES), max_size=4))
    record = RECORDS[source].decode()[:-1] + "".join(f',"{key}":{value}' for key, value in fields[2:]) + "}"
    for key, value in fields[:2]:
        record = (
            record.replace("1655564455341", value, 1)
            if "date" in key or "time" in key
            else record + f'\n{{"{key}":{value}}}'
        )
    check((record + "\n").encode("utf-8", "surrogatepass"), source, zone=zone)
