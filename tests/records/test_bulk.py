"""Rejected lines that become no row are counted in bulk. What is counted is what the definition says of each line."""

from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.whole_files import SOURCES, reader, together

from stedi_common.records import fast, repetition
from stedi_common.records.blocks import LINE, OBJECT, Block
from stedi_common.records.reader import LINES_AT_ONCE, Reader
from stedi_common.records.record import record

RECORDS = {
    "customer": b'{"email":"ada@x.org","phone":8015551212,"lastUpdateDate":1655564455341}',
    "accelerometer": b'{"user":"a@b.c","timestamp":1655564455341,"x":1.0,"y":0.0,"z":-1.0}',
    "step_trainer": b'{"sensorReadingTime":1655564172120.0,"serialNumber":"A-1","distanceFromObject":246}',
}
#: What replaces a part of a record, so that most are no records.
REPLACED = (
    *(
        (b"1655564455341", other)
        for other in (b"6655564455341", b"1", b"-5", b"-1.5", b'"soon"', b"null", b'""', b"1e3")
    ),
    *(
        (b"1655564455341", b'"%s"' % other)
        for other in (
            *(b"2022-06-18", b"2022-06-18T15:00:55Z", b" 2022-06-18 15:00:55+02:00 ", b"20220618T150055Z"),
            *(
                b"18/06/2022 15:00:55",
                b"Sat, 18 Jun 2022 15:00:55 GMT",
                b"/Date(1655564455341)/",
                b"+1",
                b" 1655564455 ",
            ),
            *(
                b"2022-06-18T15:00:55\xe2\x88\x9202",
                b"1990-01-01T00:00:00Z",
                b"2022-06-18T15:00:55",
                b"1655564455341.5",
            ),
        )
    ),
    *((b"1655564172120.0", other) for other in (b"99999999.9", b"100000000", b'"-5"', b"true")),
    *((b"1.0", other) for other in (b'"x"', b'"NaN"', b'" "', b"true", b"NaN", b'"1.0"', b"1e400", b'"_"', b"01")),
    *((b"246", other) for other in (b'"x"', b"2.5", b"null", b"[]", b"{}")),
    *((b'"a@b.c"', other) for other in (b'""', b'"  "', b"7", b"null", b'"\xc2\xa0"', b'"a,b"', b'"\\u0061"')),
    *(
        (b'"ada@x.org"', other)
        for other in (b'"ada at x"', b"null", b'""', b'"ada\\u0040x.org"', b'"ada\xef\xbc\xa0x.org"', b"5")
    ),
    *((b'"x":', other) for other in (b'"w":', b'"X":', b'"user":', b'"\\u0078":', b"x:")),
    *((b'"lastUpdateDate":', other) for other in (b'"updated":', b'"email":')),
    *((b"}", other) for other in (b"", b"]", b",}", b'},"', b" }", b"}}")),
)
TEXTS = (
    *(b"x", b":", b"[", b"]", b"{", b"}", b"}{", b"{}", b"{ }", b"{}{}", b"{x}", b'{"}', b'{"":1}', b"1,2", b"[1]"),
    *(
        b"",
        b" ",
        b",",
        b"[,",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf,\xef\xbb\xbf",
        b"\xef\xbb",
        b"\xff",
        b"\0",
        b"\x1e",
        b"\r",
    ),
    *(
        b"'d@e.f'",
        b'"d@e.f"',
        b"d@e.f",
        b'"d@e.f',
        b'"\\u0022d@e.f\\u0022',
        b"d@e.f'",
        b'"d\\u0040e.f"',
        b"'d\xef\xbc\xa0e.f'",
        b"a log line, at 3:15",
        b'"a":',
        b'"a":{"b":1}',
    ),
    *(b'{"a":1}', b'{"a":[{"b":2}]}', b' {"a":1}', b'\xef\xbb\xbf{"a":1}', b'{"a" : "b,c"}', b'{"a":"{"}', b"\0{\0}"),
)


@st.composite
def lines(draw, source):
    if draw(st.booleans()):
        return draw(st.sampled_from(TEXTS)) + b"\n"
    line = RECORDS[source]
    for old, new in draw(st.lists(st.sampled_from(REPLACED), max_size=2)):
        line = line.replace(old, new)
    return line + draw(st.sampled_from([b"\n", b"\n", b"\r\n", b" \n", b"\n\n"]))


@st.composite
def files(draw, source):
    """Lines, most of which come several times."""
    content = b"".join(
        line * draw(st.sampled_from([1, 1, 2, 5, 20])) for line in draw(st.lists(lines(source), max_size=8))
    )
    return content[: len(content) - draw(st.sampled_from([0, 0, 1]))] or b"\n"


def parsed(content, source, rejected_rows, unit=LINE):
    return together(
        reader(source).parse(Block("a.json", 7, content, unit=unit, version="9:2024", rejected_rows=rejected_rows))
    )


def check(content, source, rejected_rows=0, unit=LINE):
    """The counts and all rows but the rejected ones are the same."""
    with mock.patch.object(fast, "MIN_LINES", 1), mock.patch("stedi_common.records.reader.LINES_AT_ONCE", 2):
        counted = parsed(content, source, rejected_rows, unit)
    exact = parsed(content, source, len(content), unit)
    assert counted.tally == exact.tally
    rejected = [row for row in exact.rows if row["mark"]]
    assert [row for row in counted.rows if not row["mark"]] == [row for row in exact.rows if not row["mark"]]
    assert [row for row in counted.rows if row["mark"]] == rejected[:rejected_rows]


@pytest.mark.parametrize("unit", [LINE, OBJECT])
@pytest.mark.parametrize("source", SOURCES)
@settings(deadline=None)
@given(data=st.data())
def test_what_is_counted_in_bulk_is_what_the_definition_says(source, unit, data):
    check(data.draw(files(source)), source, data.draw(st.integers(0, 3)), unit)


@pytest.mark.parametrize("source", SOURCES)
def test_no_odd_line_is_counted_in_two_ways(source):
    records = [RECORDS[source].replace(old, new) for old, new in REPLACED]
    for line in (*TEXTS, *records):
        for others in (b"", RECORDS[source] + b"\n", b"x\n"):
            check(others + (line + b"\n") * 5 + others, source)


#: Lines that differ in a number.
COUNTED = (
    *(b"x%d", b"{%d", b'{"a":%d}', b"[%d]", b"a log line, at 3:%d", b'{"a":"b, c%d"}', b"{x%d}"),
    b'{"user":"a at %d","timestamp":1655564455341,"x":1.0,"y":0.0,"w":-1.0}',
    b'{"user":"a at %d","timestamp":1655564455341,"x":"x","y":0.0,"z":-1.0}',
    b'{"user":"a at %d","timestamp":null,"x":1.0,"y":0.0,"z":-1.0}',
    b'{"user":"a","timestamp":6655564%d,"x":1.0,"y":0.0,"z":-1.0}',
    b'{"user":"a","timestamp":-%d,"x":1.0,"y":0.0,"z":-1.0}',
    b'{"user":"a","timestamp":"yesterday %d","x":1.0,"y":0.0,"z":-1.0}',
    b'{"user":"a","timestamp":"18/06/%d 15:00:55","x":1.0,"y":0.0,"z":-1.0}',
    b'{"user":"a","timestamp":1655564455341,"x":"1,%d","y":0.0,"z":-1.0}',
    b'{"usr ":"a","timestamp":16555644%d,"x":1.0}',
    b'{"user-id":"a","#.(:":16555644%d,"x":1.0}',
)


@pytest.mark.parametrize("line", COUNTED, ids=repr)
@pytest.mark.parametrize("source", ["accelerometer", "customer"])
def test_rejected_lines_without_a_row_are_not_read_one_by_one(source, line):
    content = b"".join(line % n + b"\n" for n in range(100_000, 120_000))
    with mock.patch("stedi_common.records.reader.record", wraps=record) as read:
        said = parsed(content, source, 100)
    assert (said.tally.rejected, len(said.rows)) == (20_000, 100)
    assert read.call_count == LINES_AT_ONCE


@pytest.mark.parametrize("unit", [LINE, OBJECT])
@pytest.mark.parametrize("source", SOURCES)
@settings(deadline=None)
@given(data=st.data())
def test_of_equal_lines_some_are_read(source, unit, data):
    """And the others are counted as they are."""
    parts = data.draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3))
    line = b" ".join(parts) if data.draw(st.booleans()) else data.draw(lines(source)).rstrip(b"\n")
    content = (line + b"\n") * data.draw(st.integers(3, 60)) + data.draw(st.sampled_from([b"", line, b"x\n"]))
    with mock.patch.multiple(repetition, BYTES_READ=1, LINES_READ=4):
        check(content, source, 0, unit)


@pytest.mark.parametrize(("line", "is_read_in_part"), [(b"{}", True), (b"{}{}", False), (b'{"a":{"b":1}}', False)])
def test_lines_that_may_hold_several_objects_are_all_read(line, is_read_in_part):
    found = repetition.repetition(Block("a.json", 1, (line + b"\n") * 20_000))
    assert (found is not None) == is_read_in_part


def test_of_many_equal_lines_few_are_looked_at():
    content = b"[1]\n" * 200_000
    with mock.patch.object(Reader, "_pieces", autospec=True, side_effect=Reader._pieces) as read:
        assert parsed(content, "accelerometer", 0).tally.rejected == 200_000
    assert sum(len(call.args[1].data) for call in read.call_args_list) == repetition.BYTES_READ


def test_equal_lines_are_read_once():
    content = b'{"a":[1]}\n' * 20_000
    with mock.patch("stedi_common.records.reader.record", wraps=record) as read:
        said = parsed(content, "accelerometer", 0)
    assert (said.tally.rejected, said.tally.unknown_keys) == (20_000, {"a": 20_000})
    assert read.call_count == 1


@pytest.mark.parametrize("address", [b'"a@b.c"', b"'a@b.c'", b'"a\\u0040b.c"', b'"a\xef\xbc\xa0b.c"', b'{"q":"a@b.c"}'])
def test_no_address_among_rejected_lines_is_lost(address):
    said = parsed((b"x\n" * 20_000 + address + b"\n") * 3, "customer", 10)
    assert [(row["email"], row["source_line"]) for row in said.rows if row["doubt"]] == [
        ("a@b.c", 7 + 20_000 + 20_001 * n) for n in range(3)
    ]
    assert (said.tally.rejected, said.tally.doubtful) == (60_000, 3)


def test_no_email_with_an_encoded_sign_is_counted_in_bulk():
    """It is the only address without an `@`, a backslash or anything but ASCII."""
    line = b'{"email":"mailto:ada%d%%40x.org","lastUpdateDate":1655564455341}\n'
    said = parsed(b"x\n" * 20_000 + b"".join(line % n for n in range(2_000)), "customer", 10)
    assert [row["email"] for row in said.rows if not row["mark"]] == [f"ada{n}@x.org" for n in range(2_000)]
    assert (said.tally.rejected, said.tally.without_address) == (20_000, 20_000)


def test_several_layouts_in_a_file_are_fast():
    one, other = RECORDS["accelerometer"], b'{"timestamp":1655564455341,"user":"a@b.c","z":1,"y":0,"x":-1.0,"q":7}'
    content = (one + b"\n" + other + b"\n") * 5_000
    with mock.patch("stedi_common.records.reader.record", side_effect=AssertionError):
        said = parsed(content, "accelerometer", 0)
    assert [row["source_line"] for row in said.rows] == list(range(7, 10_007))
    assert said.tally.unknown_keys == {"q": 5_000}
