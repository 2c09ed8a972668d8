"""The fast path may only take lines that the definition reads the same way."""

import json
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.whole_files import gained, no_fast_path, reader, together

from stedi_common.records.blocks import Block

KEYS = {
    "accelerometer": ("user", "timestamp", "x", "y", "z"),
    "step_trainer": ("sensorReadingTime", "serialNumber", "distanceFromObject"),
}
#: What a contract may gain: nullable columns, of every type that a source's column can have.
GAINED = {"note": "string", "seen": "timestamp", "worn": "date", "grip": "double", "steps": "int", "pulses": "long"}

ODD_VALUES = [
    '""',
    '" "',
    '" a"',
    '"a "',
    '"A@B.c"',
    '"a,b"',
    '"a\\"b"',
    r'"\u0041"',
    r'"\ud800"',
    r'"\ud83d\ude00"',
    '"É"',
    '"\u212a"',
    '"a\u0000b"',
    '"a\tb"',
    '"{"',
    '"\x7f"',
    "8015551212",
    "8015551212.0",
    "1e3",
    '"',
    "a",
    "0",
    "-0",
    "-0.0",
    "00",
    "01",
    "1.",
    ".5",
    "+1",
    "1e5",
    "1E+05",
    "1e-99",
    "1e99",
    "1e308",
    "1e309",
    "NaN",
    "Infinity",
    "-Infinity",
    "0x10",
    "1_0",
    "1 ",
    "1 2",
    '"1.5"',
    '" 1.5 "',
    '"1,5"',
    '"NaN"',
    "1e",
    "2147483647",
    "2147483648",
    "-2147483648.0",
    "9007199254740993",
    "123456789012345678901",
    "1" * 400,
    "946684799",
    "946684800",
    "946684799999",
    "946684800000",
    "99999999999",
    "100000000000",
    "1717286400000",
    "1717286400001",
    "1717286400",
    "1717286401",
    "999999999",
    "9999999999999",
    "1e12",
    "1655564455341.0",
    "1655564455.341",
    "1655564455341.9",
    '"1655564455341"',
    '"2022-06-18T15:00:55.3419Z"',
]

texts = st.one_of(
    st.sampled_from(ODD_VALUES),
    st.text(max_size=6).map(json.dumps),
    st.text(max_size=6).map(lambda text: json.dumps(text, ensure_ascii=False)),
)
numbers = st.one_of(
    st.sampled_from(ODD_VALUES),
    st.floats().map(json.dumps),
    st.integers().map(str),
    st.integers(-400, 400).map(lambda n: f"{n}.0"),
    st.from_regex(
        r"-?[0-9]{1,20}(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?",
        fullmatch=True,
        alphabet=st.characters(max_codepoint=127),
    ),
)
instants = st.one_of(
    st.sampled_from(ODD_VALUES),
    st.integers(900_000_000_000, 1_800_000_000_000).map(str),
    st.integers(900_000_000, 1_800_000_000).map(str),
)
others = st.sampled_from(["true", "false", "null", "[]", "{}", "[1,2]", '{"x":1}', "", '"a":1'])
plain = {
    "user": st.from_regex(r"[A-Za-z.]{1,8}@[a-z]{1,5}", fullmatch=True, alphabet=st.characters(max_codepoint=127)).map(
        json.dumps
    ),
    "timestamp": st.integers(1_600_000_000_000, 1_700_000_000_000).map(str),
    "distanceFromObject": st.integers(0, 300).map(str),
} | dict.fromkeys("xyz", st.floats(-20, 20).map(json.dumps))
plain |= {"serialNumber": plain["user"], "sensorReadingTime": plain["timestamp"]}
plain |= {"note": plain["user"], "seen": plain["timestamp"], "grip": plain["x"], "steps": plain["distanceFromObject"]}
plain |= {"worn": st.dates().map(str).map(json.dumps), "pulses": st.integers(-(10**16), 10**16).map(str)}
odd = {"user": texts, "serialNumber": texts, "timestamp": instants, "sensorReadingTime": instants}


def other_value(draw, members):
    member = draw(st.sampled_from(members))
    key = member[0].strip(' ":')
    member[1] = draw(st.one_of(odd.get(key, numbers), odd.get(key, numbers), others, texts, numbers, instants))
    return members


def other_key(draw, members):
    member = draw(st.sampled_from(members))
    key = member[0]
    member[0] = draw(
        st.sampled_from([key.upper(), key.lower(), key.replace("s", "\\u0073"), key.replace("e", "\u00e9")])
    )
    return members


def space(draw, members):
    member, at = draw(st.sampled_from(members)), draw(st.sampled_from([0, 1]))
    character = draw(st.sampled_from([" ", "  ", "\t", "\r", "\x0b", "\u00a0"]))
    member[at] = draw(st.sampled_from([member[at] + character, character + member[at]]))
    return members


def order(draw, members):
    return draw(st.permutations(members))


def twice(draw, members):
    key, value = draw(st.sampled_from(members))
    return [*members, [draw(st.sampled_from([key, key.upper()])), value]]


def unknown(draw, members):
    key = draw(st.sampled_from(['"q":', '"q_1": ', '"x ":', '"":', '"q,":', '"q[":', '" q-1.#:|":', '"\u00dc":', "q:"]))
    return [*members, [key, draw(st.one_of(texts, numbers, others))]]


def missing(draw, members):
    return members[:-1] or members


@st.composite
def lines(draw, source):
    """A plain line, or one with an oddity or two."""
    also = draw(st.sampled_from([(), (), tuple(GAINED), ("note",), ("steps", "grip")]))
    members = [[f'"{key}":', draw(plain[key])] for key in (*KEYS[source], *also)]
    oddities = [other_value, other_value, other_key, space, order, twice, unknown, missing]
    for oddity in draw(st.lists(st.sampled_from(oddities), max_size=2)):
        members = oddity(draw, members)
    line = "{" + ",".join(key + value for key, value in members) + "}"
    ending = draw(st.sampled_from([b"\n"] * 6 + [b"\r\n", b" \n", b"\r\r\n", b"}\n", b",\n", b"\xff\n"]))
    return line.encode().replace(b"\n", b"") + ending


@st.composite
def files(draw, source):
    """Lines of one or two producers, the last one perhaps torn."""
    anything = st.binary(max_size=9).map(lambda line: line.replace(b"\n", b"") + b"\n")
    content = b"".join(draw(st.lists(st.one_of(lines(source), lines(source), anything), min_size=1, max_size=8)))
    return content[: len(content) - draw(st.sampled_from([0, 0, 1, 5]))] or b"\n"


def both_ways(content, source):
    block = Block("a.json", 7, content)
    fast = together(reader(source).parse(block))
    with no_fast_path():
        return fast, together(reader(source).parse(block))


def assert_same(fast, slow):
    assert repr(fast.rows) == repr(slow.rows)  # repr, as -0.0 == 0.0
    assert fast.tally == slow.tally


@pytest.mark.parametrize("source", KEYS)
@settings(deadline=None)
@given(data=st.data())
def test_the_fast_path_says_what_the_definition_says(source, data):
    fast, slow = both_ways(data.draw(files(source)), source)
    assert_same(fast, slow)


@pytest.mark.parametrize("types", [GAINED, {"note": "string"}, {"grip": "double", "steps": "int", "pulses": "long"}])
@pytest.mark.parametrize("source", KEYS)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_nor_otherwise_when_the_contract_has_gained_nullable_columns(source, types, data):
    content = data.draw(files(source))
    with gained(source, types):
        fast, slow = both_ways(content, source)
    assert_same(fast, slow)


@pytest.mark.parametrize("source", KEYS)
def test_no_odd_value_is_read_in_two_ways(source):
    values = {"user": '"a"', "serialNumber": '"a"', "distanceFromObject": "1"} | dict.fromkeys("xyz", "1.0")
    ordinary = {key: values.get(key, "1655564455341") for key in KEYS[source]}
    odd_ones = [ordinary | {key: value} for key in ordinary for value in ODD_VALUES]
    members = (",".join(f'"{key}":{value}' for key, value in line.items()) for line in [ordinary, *odd_ones])
    fast, slow = both_ways("".join(f"{{{line}}}\n" for line in members).encode(), source)
    assert_same(fast, slow)


@pytest.mark.parametrize("key", ["timestamp", "timeStamp", "TIMESTAMP"])
@pytest.mark.parametrize("colon", [":", ": "])
@pytest.mark.parametrize("ending", ["\n", "\r\n", " \n"])
@pytest.mark.parametrize("extra", ["", ',"version":"1.2"', ',"steps":null'])
def test_every_usual_spelling_is_fast(key, colon, ending, extra):
    line = f'{{"user":"A@b.c","{key}":1655564455341,"x":1.0,"y":-0.5,"z":1e-3{extra}}}'.replace(":", colon)
    assert_fast("accelerometer", line.replace("}", "}" + ending if ending != " \n" else " }\n"))


def test_step_readings_are_fast():
    assert_fast("step_trainer", '{"sensorReadingTime":1655564172120.0,"serialNumber":"A-1","distanceFromObject":246}\n')


def test_numbers_in_quotes_are_fast():
    assert_fast("accelerometer", '{"x":"1.0","y":"2","z":"-0.0","user":"a@b.c","timestamp":"1655564455341"}\n')


@pytest.mark.parametrize("also", ["", ',"grip":1.5', ',"grip":1.5,"note":"a b"'])
def test_readings_that_lack_what_the_contract_has_gained_are_fast(also):
    with gained("accelerometer", {"grip": "double", "note": "string"}):
        assert_fast("accelerometer", f'{{"user":"a@b.c","timestamp":1655564455341,"x":1,"y":0,"z":-1{also}}}\n')


def assert_fast(source, line):
    content = line.encode() * 3
    with mock.patch("stedi_common.records.reader.record", side_effect=AssertionError):
        fast = together(reader(source).parse(Block("a.json", 7, content)))
    assert_same(fast, both_ways(content, source)[1])
    assert [row["source_line"] for row in fast.rows] == [7, 8, 9]


def test_odd_lines_do_not_slow_the_others():
    plain = b'{"user":"a@b.c","timestamp":1655564455341,"x":1.0,"y":0.0,"z":-1.0}\n'
    content = b"\n" + b"[]\n" + plain * 100 + b'{"user":"a\\u0062"}\n'
    with mock.patch("stedi_common.records.reader.record", return_value=None) as record:
        together(reader().parse(Block("a.json", 1, content)))
    assert record.call_count == 2
