"""Hostile and irregular lines: bounded time and memory, and files whose objects are not lines."""

import json
import time
import tracemalloc
from unittest import mock

import pytest
from support.parsing import said_of

from stedi_common.errors import EngineError
from stedi_common.records.reader import Reader
from stedi_common.records.tally import Tally

READING = b'{"user":"a@b.c","timestamp":1655564455341,"x":1.0,"y":0.0,"z":-1.0}'
CUSTOMER = b'{"email":"a@b.c","lastUpdateDate":1655564455341}'
WHOLE = {"accelerometer": READING, "customer": CUSTOMER}
MILLION = 10**6


def reasons(value):
    """Names of tests: not the lines, which are too long."""
    return value if isinstance(value, str) else "line"


def timed(content, source, most):
    start = time.process_time()
    said = said_of(content, source)
    assert time.process_time() - start < most
    return said


@pytest.mark.parametrize("source", WHOLE)
@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b",\n", b"\0\x1e\r\n"])
def test_blank_lines_cost_nearly_nothing(source, blank):
    said = timed(blank * (10 * MILLION // len(blank)) + WHOLE[source] + b"\n", source, 2)
    assert (said.tally.blank, [row["source_line"] for row in said.rows]) == (
        10 * MILLION // len(blank),
        [10 * MILLION // len(blank) + 1],
    )


def test_blank_lines_do_not_fill_the_memory():
    content = b"\n" * 10 * MILLION
    tracemalloc.start()
    said_of(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60 * MILLION


def test_a_million_numbers_in_one_line_do_not_fill_the_memory():
    content = CUSTOMER[:-1] + b',"q":[' + b"1," * MILLION + b"1]}\n"
    tracemalloc.start()
    said = said_of(content)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(said.records) == 1
    assert peak < 40 * MILLION


@pytest.mark.parametrize(
    "blank",
    [
        b" " * 9,
        b"\xef\xbb\xbf",
        b"[",
        b"],",
        b"\0" * MILLION,
        b"\x1e\x1e\x1e\x1e\x1e",
        b"\xef\xbb\xbf\xef\xbb\xbf[",
        b"",
    ],
    ids=reasons,
)
def test_padding_is_blank(blank):
    said = said_of(blank + b"\n" + READING + b"\n", "accelerometer")
    assert (said.tally.blank, len(said.records)) == (1, 1)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"{" + b",".join(b'"%d":1' % n for n in range(MILLION)) + b"}", "too_many_keys"),
        (b'{"a":' * MILLION, "too_deep"),
        (b'{"a":' + b"[" * MILLION + b"]" * MILLION + b"}", "too_deep"),
        (b'{"a":' + b'"\\"' * MILLION, "broken_json"),
        (b'{"a":' + b"'" * MILLION, "broken_json"),
        (b'{"a":' + b"01 " * MILLION, "broken_json"),
        (b'{"a":' + b'"@",' * MILLION, "broken_json"),
        (b'{"a":' + b'"\xff' * MILLION, "invalid_utf8"),
        (b'{"x":' + b"1" * MILLION + b"}", "missing_value"),
    ],
    ids=reasons,
)
@pytest.mark.parametrize("source", WHOLE)
def test_no_line_takes_long(source, content, reason):
    said = timed(content + b"\n", source, 10)
    assert [row["reason"] for row in said.rows] == [reason]


@pytest.mark.parametrize(
    "digits", [b"1" * MILLION, b'"' + b"1" * MILLION + b'"', b"0." + b"1" * MILLION, b"1" * 1001], ids=reasons
)
def test_a_number_with_too_many_digits_spoils_its_value(digits):
    said = timed(READING.replace(b"1.0,", digits + b",") + b"\n", "accelerometer", 2)
    assert [(row["reason"], row["rejected_column"]) for row in said.rows] == [("unreadable_value", "x")]
    said = timed(CUSTOMER[:-1] + b',"phone":' + digits.strip(b'"') + b"}\n", "customer", 2)
    assert (said.tally.nulled_columns, len(said.records)) == ({"phone": 1}, 1)


def test_many_rows_come_in_chunks():
    with mock.patch("stedi_common.records.rows.MAX_ROWS", 10), mock.patch("stedi_common.records.pieces.MAX_LINES", 25):
        sizes = []
        parse = Reader.parse

        def counting(self, block):
            for each in parse(self, block):
                sizes.append(len(each.lines))
                yield each

        with mock.patch.object(Reader, "parse", counting):
            said = said_of((b"x\n" + READING + b"\n") * 40 + b"y", "accelerometer")
    assert said.tally.rejected == 41
    assert sorted(row["source_line"] for row in said.rows) == list(range(1, 82))
    assert max(sizes) <= 25


def test_an_error_says_where_but_never_quotes():
    def fails(*_, **__):
        raise ValueError("canary")

    content = b'{"user":"canary"}\n'
    with (
        mock.patch("stedi_common.records.reader.record", fails),
        pytest.raises(EngineError, match=r"a\.json: expected to read the lines from 7 on, got ValueError") as caught,
    ):
        said_of(content, line=7)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


# Objects that are not lines

PRETTY = json.dumps(json.loads(READING), indent=2).encode()


@pytest.mark.parametrize(
    "content",
    [
        READING * 2,
        READING + b", \x1e" + READING + b"]",
        b"[" + READING + b"," + READING,
        PRETTY,
        b"[\n" + PRETTY + b",\n" + PRETTY + b"\n]",
        READING + b"\n" + PRETTY.replace(b"{", b"{\n\n\n") + b"\n" + READING,
        PRETTY.replace(b"\n", b"\r\n"),
        PRETTY.replace(b"\n  ", b"\n" + b" " * 9 + b"\n"),
    ],
)
def test_objects_that_are_not_lines_are_noticed(content):
    said = said_of(content + b"\n", "accelerometer")
    assert said.tally.is_objects
    assert not said_of(content + b"\n", "accelerometer", unit="object").tally.is_objects


@pytest.mark.parametrize(
    "content",
    [
        READING,
        b"[\n" + READING + b",\n" + READING + b"\n]",
        READING + b" x",
        READING + READING[:-1],
        READING + b"\n" + READING[:-9] + b"\n" + READING,
        READING[:20] + b"\n" + READING + b"\n" + READING[20:],
        b"1\n2\n[3]\n\n{\n",
        b"{\n" + READING + b"\n}",
    ],
)
def test_damaged_lines_are_lines(content):
    assert not said_of(content + b"\n", "accelerometer").tally.is_objects


@pytest.mark.parametrize("is_mixed", [True, False])
def test_a_file_with_a_line_that_is_too_long_is_looked_at_whole(is_mixed):
    end = {"data": b"", "sha256": "ab", "unit": "object", "is_mixed": is_mixed}
    assert said_of(b"", "accelerometer", **end).tally.is_objects is is_mixed


def test_a_torn_line_may_hold_several_objects():
    assert said_of(READING + READING, "accelerometer", flaw="corrupt_gzip").tally == Tally(rejected=1, is_objects=True)
    assert said_of(READING, "accelerometer", flaw="corrupt_gzip").tally == Tally(rejected=1)
