"""Objects are the same however they are set; damage to one loses no other; and nothing is lost but padding."""

import bz2
import codecs
import contextlib
import gzip
import json
import re
from datetime import datetime
from unittest import mock

import pytest
import zstandard
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from stedi_common.records import blocks as blocks_module
from stedi_common.records import framing
from stedi_common.records.blocks import blocks, holds_objects
from stedi_common.records.framing import MAY_BE_INNER, as_lines, cut, go_over_lines, looks_like_objects, unpadded
from stedi_common.records.storage import Drop
from stedi_common.records.structure import Walk
from stedi_common.settings import Limits

MARK = codecs.BOM_UTF8
PADDING = (b" ", b"\t", b"\n", b"\r", b"\v", b"\f", b"\0", b"\x1e", b",", b"[", b"]", MARK)
SOME = b'{"a":[1,{"b":"}{"}],"c":"\\"\xc3\xa9"}'


# What units are, once more: read aloud from docs/records.md, slow, and by a parser of its own


def expected_units(text):
    """(bytes, whether it is an object) for each unit of the whole text."""
    units, at = [], 0
    while (at := past_padding(text, at)) < len(text):
        start, end = at, object_end(text, at)
        places = (place for place in range(start + 1, len(text)) if begins_unit(text, start, place))
        at = end or next(places, len(text))
        units.append((text[start:at] if end else stripped(text[start:at]), bool(end)))
    return units


def begins_unit(text, start, place):
    before = text[start:place]
    content = stripped(before)
    run = before[len(content) :]
    return (content.endswith(b"}") or any(end in run for end in b"]\n\r\x1e")) and object_end(text, place) is not None


def past_padding(text, at):
    while size := next((len(pad) for pad in PADDING if text.startswith(pad, at)), 0):
        at += size
    return at


def stripped(text):
    while pad := next(filter(text.endswith, PADDING), b""):
        text = text[: -len(pad)]
    return text


def object_end(text, at):
    if text[at : at + 1] != b"{":
        return None
    try:
        return Parser(text).value(at)
    except (SyntaxError, IndexError, RecursionError):
        return None


class Parser:
    """JSON, with any bare words for values and any escapes, by recursive descent."""

    WORD = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_.+-")

    def __init__(self, text):
        self.text = text

    def value(self, at):
        at = self.space(at)
        if self.text[at] in b"{[":
            return self.inside(at)
        if self.text[at] == ord('"'):
            return self.string(at)
        start = at
        while at < len(self.text) and self.text[at] in self.WORD:
            at += 1
        if at == start:
            raise SyntaxError
        return at

    def inside(self, at):
        is_object = self.text[at] == ord("{")
        close = b"}" if is_object else b"]"
        at = self.space(at + 1)
        if self.text[at : at + 1] == close:
            return at + 1
        while True:
            if is_object:
                at = self.take(self.string(self.space(at)), b":")
            at = self.space(self.value(at))
            if self.text[at : at + 1] == close:
                return at + 1
            at = self.take(at, b",")

    def string(self, at):
        if self.text[at] != ord('"'):
            raise SyntaxError
        at += 1
        while self.text[at] != ord('"'):
            at += self.text[at] == ord("\\")
            if self.text[at] < 0x20:
                raise SyntaxError
            at += 1
        return at + 1

    def take(self, at, char):
        at = self.space(at)
        if self.text[at : at + 1] != char:
            raise SyntaxError
        return at + 1

    def space(self, at):
        while at < len(self.text) and self.text[at] in b" \t\n\r":
            at += 1
        return at


def units_of(text, size=None, limits=None):
    size = size or max(len(text), 1)
    lines = as_lines((text[at : at + size] for at in range(0, len(text), size)), limits or Limits())
    return [(line.removeprefix(MAY_BE_INNER), flaw) for line, flaw in lines]


def as_line(unit):
    return unit.replace(b"\n", b" ").replace(b"\r", b" ")


# Ways in which the same objects are set

keys = st.text(max_size=4)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8))
values = st.recursive(
    scalars, lambda some: st.one_of(st.lists(some, max_size=3), st.dictionaries(keys, some, max_size=3)), max_leaves=6
)
objects = st.lists(st.dictionaries(keys, values, max_size=4), max_size=6)

separators = {
    "one a line": "\n",
    "without a last line feed": None,
    "concatenated": "",
    "after a blank": " ",
    "trailing commas": ",\n",
    "CR": "\r",
    "CRLF": "\r\n",
    "RS": "\n\x1e",
    "marks between": "\n\ufeff",
    "NUL padding": "\n\0\0\0",
    "blank lines": "\n\n \n",
}


def framed(written, framing_name):
    separator = separators.get(framing_name, "\n")
    if framing_name == "array on one line":
        return "[" + ",".join(written) + "]"
    if framing_name == "array, one a line":
        return "[\n" + ",\n".join(written) + "\n]\n"
    if framing_name == "array, commas before":
        return "[\n" + "\n,".join(written) + "\n]\n"
    return "\n".join(written) if separator is None else "".join(one + separator for one in written)


FRAMINGS = [*separators, "array on one line", "array, one a line", "array, commas before"]
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]
PACKERS = {
    "plain": bytes,
    "gzip": lambda content: gzip.compress(content, mtime=0),
    "zstd": zstandard.ZstdCompressor(level=1, write_checksum=True).compress,
    "bzip2": bz2.compress,
}


def encoded(text, encoding):
    has_own_mark = encoding in {"utf-8", "utf-8-sig", "utf-16", "utf-32"}
    return text.encode(encoding) if has_own_mark else ("\ufeff" + text).encode(encoding)


def blocks_of(content, limits=None, as_objects=False, size=None):
    """The blocks of a file of this content, read in pieces of this size."""
    with stored_as(content, size) as drop:
        return list(blocks(drop, limits or Limits(), as_objects))


@contextlib.contextmanager
def stored_as(content, size=None):
    size = size or max(len(content), 1)
    pieces = (content[at : at + size] for at in range(0, len(content), size))
    with mock.patch.object(blocks_module, "stored", return_value=pieces):
        yield Drop("customer/a.json", "/nowhere", len(content), datetime(2024, 6, 1))


def lines_of(content, **options):
    """(number, line, flaw) of all lines, and the end."""
    *parts, end = blocks_of(content, **options)
    lines = []
    for part in parts:
        for line in [part.data] if part.flaw else split(part.data):
            lines.append((len(lines) + 1, line, part.flaw))
            assert part.line <= len(lines)
    assert end.line == len(lines)
    return lines, end


def split(data):
    *whole, rest = data.split(b"\n")
    return [line + b"\n" for line in whole] + ([rest] if rest else [])


def read(content, **options):
    """The objects of a file, as a reader finds them: in its lines, or else in the file read as objects."""
    with stored_as(content, options.get("size")) as drop:
        is_of_objects = holds_objects(drop, Limits())
    lines, end = lines_of(content, **{"as_objects": is_of_objects} | options)
    assert (is_of_objects or "as_objects" in options) == (end.unit == "object")
    return [json.loads(one) for _, line, _ in lines if (one := unpadded(line))]


@settings(deadline=None, max_examples=300)
@given(data=st.data(), some=objects, indent=st.sampled_from([None, None, 1]), is_ascii=st.booleans())
def test_objects_are_the_same_however_they_are_set(data, some, indent, is_ascii):
    written = [json.dumps(one, indent=indent, ensure_ascii=is_ascii) for one in some]
    text = framed(written, data.draw(st.sampled_from(FRAMINGS)))
    try:
        content = encoded(text, data.draw(st.sampled_from(ENCODINGS)))
    except UnicodeEncodeError:  # a lone surrogate
        content = encoded(framed([json.dumps(one) for one in some], "one a line"), "utf-8")
    packed = PACKERS[data.draw(st.sampled_from([*PACKERS]))](content)
    size = data.draw(st.integers(1, 300))
    assert read(packed, size=size) == some
    assert read(packed, size=size, as_objects=True) == some


# Exactly the units that are specified

fragments = st.sampled_from(
    [
        *PADDING,
        *(b"{", b"}", b'"', b":", b"\\", b"x", b"1", b"-", b"\xef", b"\xbb", b"\xbf", b"\xff"),
        *(
            b'{"a":1}',
            b"{}",
            b'"k":',
            b'{"k":',
            b'{"k":[',
            b'"}{"',
            b'":"',
            b'","',
            b'"}',
            b"NaN",
            b"0x1F",
            b"\n{",
            b"}{",
            b"]{",
        ),
        *(b'{"a":[{"b":1},\n{"b":2}]}', b'{"a":"b\n"}', SOME, b'{"a":"\\x"}', b'{"a":\n{"b":\n'),
    ]
)
anything = st.lists(fragments, max_size=25).map(b"".join)


@settings(deadline=None, max_examples=1500)
@given(text=anything, size=st.integers(1, 40), window=st.sampled_from([1, 5, 4096]))
@example(text=b'}{"":1', size=1, window=1)
@example(text=b'"\n' + MARK + b"{}", size=4, window=1)
def test_units_are_those_of_the_specification(text, size, window):
    with mock.patch.object(framing, "_WINDOW", window):
        lines = units_of(text, size)
    units = expected_units(text)
    assert [(line.removesuffix(b"\n"), flaw) for line, flaw in lines] == [(as_line(unit), None) for unit, _ in units]
    assert all(line.endswith(b"\n") for line, _ in lines[:-1])


@settings(deadline=None, max_examples=300)
@given(text=anything)
def test_all_but_padding_is_in_some_unit(text):
    at = 0
    for unit, _ in expected_units(text):  # the units are these, as the test above shows
        at = past_padding(text, at)
        assert text.startswith(unit, at)
        at += len(unit)
    assert past_padding(text, at) == len(text)


@settings(deadline=None, max_examples=500)
@given(text=anything, limit=st.integers(1, 30), sizes=st.tuples(st.integers(1, 40), st.integers(1, 40)))
def test_long_units_are_the_same_however_the_file_is_cut(text, limit, sizes):
    one, other = (units_of(text, size, Limits(line_bytes=limit)) for size in sizes)
    assert one == other
    for line, flaw in one:
        assert len(line) == limit if flaw else len(line) <= limit + 1


@settings(deadline=None, max_examples=500)
@given(
    text=anything, limit=st.sampled_from([5, 20, 100, 2**24]), sizes=st.tuples(st.integers(1, 40), st.integers(1, 40))
)
def test_lines_are_the_same_however_the_file_is_cut(text, limit, sizes):
    with mock.patch.object(blocks_module, "BLOCK_BYTES", 16), mock.patch.object(blocks_module, "_LOOK_BYTES", 8):
        one, other = (lines_of(text, size=size, limits=Limits(line_bytes=limit)) for size in sizes)
    assert one == other


# Damage

flat = st.dictionaries(keys, scalars, min_size=1, max_size=4)


@settings(deadline=None, max_examples=500)
@given(
    data=st.data(),
    some=st.lists(flat, min_size=4, max_size=7),
    way=st.sampled_from(FRAMINGS),
    indent=st.sampled_from([None, 1]),
)
def test_damage_to_an_object_loses_no_other_but_its_neighbours(data, some, way, indent):
    """Of objects that are flat: a byte is changed, or lost, or bytes are put in its place; or a part is lost."""
    written = [json.dumps(one | {"n": n}, indent=indent) for n, one in enumerate(some)]
    hit = data.draw(st.integers(0, len(some) - 1))
    target = written[hit].encode()
    start = data.draw(st.integers(0, len(target) - 1))
    end = data.draw(st.one_of(st.just(start + 1), st.integers(start, len(target))))
    new = data.draw(
        st.one_of(st.just(b""), st.binary(min_size=1, max_size=1), st.sampled_from([b'"', b"{", b"}", b"\\", b"\n"]))
    )
    text = framed(written, way).encode()
    place = framed([*written[:hit], "\ufffe", *written[hit + 1 :]], way).encode().index("\ufffe".encode())
    damaged = text[: place + start] + new + text[place + end :]
    numbers = set()
    for line, _ in units_of(damaged):
        numbers.add(numbered(line))
    assert numbers >= set(range(len(some))) - {hit - 1, hit, hit + 1}


def numbered(one):
    try:
        return json.loads(one).get("n")
    except (ValueError, AttributeError):
        return None


@settings(deadline=None, max_examples=300)
@given(
    some=st.lists(flat, min_size=4, max_size=6),
    data=st.data(),
    way=st.sampled_from(["concatenated", "array on one line", "CR"]),
)
def test_a_file_of_one_line_is_read_as_objects_though_one_of_them_is_damaged(some, data, way):
    written = [json.dumps(one) for one in some]
    hit = data.draw(st.integers(0, len(some) - 1))
    written[hit] = written[hit][:-1] + "!}"
    text = framed(written, way).encode()
    assert looks_like_objects(text, True, Limits())
    lines, end = lines_of(text)
    assert (end.unit, len(lines)) == ("object", len(some))


@pytest.mark.parametrize(
    ("text", "units"),
    [
        (b'{"a":"x,"b":1}{"c":2}', [b'{"a":"x,"b":1}', b'{"c":2}']),
        (b'{"a":1\n{"c":2}', [b'{"a":1', b'{"c":2}']),
        (b'{"a":1{"b":2}{"c":3}', [b'{"a":1{"b":2}', b'{"c":3}']),
        (b'[{"a":1},xyz,{"b":2},{"c":3}]', [b'{"a":1}', b'xyz,{"b":2}', b'{"c":3}']),
        (b'{"a":NaN,"b":0x1F,"c":-Infinity,"d":01}{"c":2}', [b'{"a":NaN,"b":0x1F,"c":-Infinity,"d":01}', b'{"c":2}']),
        (b'{"path":"C:\\users"}{"c":2}', [b'{"path":"C:\\users"}', b'{"c":2}']),
        (b'1 2 {"a":1}', [b'1 2 {"a":1}']),
        (b'{"a":\r\n1}', [b'{"a":  1}']),
    ],
)
def test_examples_of_units(text, units):
    assert [line.removesuffix(b"\n") for line, _ in units_of(text)] == units


# How the unit of a file is recognised

UNITS = [
    (b'{"a":1}\n{"b":2}\n', "line"),
    (b'\n \n{"a":1}\n{"b":2}{"c":3}\n', "line"),  # the reader sees that
    (b'{"a":1}{"b":2}\n', "object"),
    (b'{"a":1},{"b":2}', "object"),
    (b'[{"a":1}]\n', "line"),
    (b'[\n{"a":1},\n{"b":2}\n]', "line"),
    (b'{\n"a":1}\n', "object"),
    (b'[\n  {\n"a":1}\n', "object"),
    (b'{\n"a" 1}\n{\n"a":1}\n', "object"),
    (b'{"a":1}\r{"b":2}\r', "object"),
    (b'{"a":1}x{"b":2}', "line"),
    (b'{"a":1}{"b":2}x', "object"),
    (b'{"a" "b":[{"c":1},{"c":2}]}\n{"a":1}\n', "line"),
    (b'{"a" "b":[{"c":1},{"c":2},{"c":3}]}\n{"a":1}\n', "object"),
    (b'{"a":\n{"b":1}\nx', "object"),
    (b'{"a":\n{"b":1}\n{"c":1}\n', "line"),
    (b'{"a" [\n{"b":1}\n', "object"),
    (b'{"a":1\n{"b":1}\n', "line"),
    (b"a,b\n1,2\n", "line"),
    (b"", "line"),
    (b"\n\n", "line"),
]


@pytest.mark.parametrize("look", [1, 64 * 2**10])
@pytest.mark.parametrize(("text", "unit"), UNITS)
def test_the_beginning_of_a_file_tells_what_its_units_are(text, unit, look):
    with mock.patch.object(blocks_module, "_LOOK_BYTES", look):
        assert blocks_of(text)[-1].unit == unit


def test_read_as_objects_it_has_objects():
    assert blocks_of(b"", as_objects=True)[-1].unit == "object"
    assert [line for _, line, _ in lines_of(b'{"a":1}\n\n\n{"b":2}', as_objects=True)[0]] == [
        b'{"a":1}\n',
        b'{"b":2}\n',
    ]


def test_every_block_has_the_version_of_the_file():
    assert {block.version for block in blocks_of(b"{}\n")} == {"3:2024-06-01T00:00:00"}


def test_from_a_line_that_is_too_long_on_a_file_is_read_as_objects():
    limits = Limits(line_bytes=20)
    lines, end = lines_of(b'\n{"a":1}\n' + b'{"b":2}' * 4 + b"\n\n" + b"x" * 30 + b'\n{"c":3}\n', limits=limits)
    objects = [(n, b'{"b":2}\n', None) for n in range(3, 7)]
    assert lines == [
        (1, b"\n", None),
        (2, b'{"a":1}\n', None),
        *objects,
        (7, b"x" * 20, "too_long"),
        (8, MAY_BE_INNER + b'{"c":3}\n', None),  # what was cut off may be anything
    ]
    assert end.unit == "object"


def test_a_line_as_long_as_is_allowed_is_a_line():
    text = b"x" * 20 + b"\n" + b"y" * 20
    assert blocks_of(text, limits=Limits(line_bytes=20))[-1][1:2] == (2,)
    assert blocks_of(text, limits=Limits(line_bytes=20))[-1].unit == "line"
    assert blocks_of(text, limits=Limits(line_bytes=19))[-1].unit == "object"


@pytest.mark.parametrize("ending", [b"", b"\n"])
def test_only_a_unit_that_the_end_of_the_file_tears_has_no_line_ending(ending):
    assert units_of(b'{"a":1}{"b":' + ending)[-1][0] == b'{"b":' + ending


# Padding


@settings(deadline=None)
@given(
    before=st.lists(st.sampled_from(PADDING)), after=st.lists(st.sampled_from(PADDING)), content=st.binary(max_size=5)
)
def test_padding_is_taken_from_both_ends(before, after, content):
    line = b"".join(before) + content + b"".join(after)
    assert unpadded(line) == stripped(line[past_padding(line, 0) :])


def test_a_part_of_a_mark_is_no_padding():
    assert unpadded(MARK[1:] + b"{}" + MARK[:2]) == MARK[1:] + b"{}" + MARK[:2]


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        ([b"{\n", b'"a":1\n', b"}\n"], True),
        ([b"{", b'"a":1', b"}"], True),
        ([b"x", b'{"a":', b"1}"], True),
        ([b'{"a":1', b'{"b":2', b"}"], True),
        ([b'{"a":1', b'{"b":2'], False),
        ([b'{"a":"', b'"}'], False),
        # Two objects in a line, whatever else is there.
        ([b'{"a":1},{"b":2}'], True),
        ([b'{"a":1}{"b":2}{"c":'], True),
        ([b'x{"a":1}{"b":2}},{"c":3}'], True),
        ([b'{"a":1}x{"b":2}'], False),
        ([b'{"a":1}x'], False),
        # An object by itself, where a value of the one before may stand.
        ([b'{"a":', b'{"b":1}', b"}"], True),
        ([b'{"a":', b'{"b":1}', b'"x"'], True),
        ([b'{"a":', b'{"b":1}', b'{"c":1}'], False),
        ([b'{"a":', b'{"b":1}', b'{"c":1'], False),
        ([b'{"a" 1,"b":[', b'{"b":1}'], True),
        ([b'{"a":[1', b',{"b":1}'], True),
        ([b'{"a":[1],', b'{"b":1}'], False),
        ([b'{"a":1,', b'{"b":1}'], False),
        ([b"[", b'{"a" 1},', b'{"b":1}'], False),
        ([], False),
    ],
)
def test_when_lines_are_read_as_objects(lines, answer):
    assert go_over_lines(lines) is answer


@pytest.mark.parametrize(
    ("lines", "answer"),
    [
        ([b"{"], True),
        ([b'{"a":1'], True),
        ([b"x", b'{"a":['], True),
        ([b'{"a" 1'], True),
        ([b"{}"], False),
        ([b'{"a" 1}'], False),
        ([b'{"a" }'], True),
    ],
)
def test_when_an_object_may_go_on_behind_lines(lines, answer):
    assert cut(lines).is_open is answer


# What may be an inner object

OUTER = {"email": "ada@x.org", "a": {"c": 1}, "b": [{"c": 2}, {"c": [{"c": 3}]}, {"c": 4}], "d": {"e": {"c": 5}}}

SEPARATORS = [(",", ":"), (", ", ": "), (",\n", ":\n"), ("\n,", ": "), (" , ", " :\t")]


@settings(deadline=None, max_examples=1000)
@given(
    style=st.tuples(st.sampled_from([None, 0, 2]), st.sampled_from(SEPARATORS)),
    place=st.integers(0, 200),
    new=st.sampled_from([b"", *(bytes([byte]) for byte in b'"{}[]:,\\x \n')]),
    between=st.sampled_from([b",\n", b"\n", b"", b","]),
    size=st.integers(1, 100),
)
@example(style=(0, (",", ":")), place=180, new=b"\n", between=b",\n", size=1)
@example(style=(None, (", ", ": ")), place=71, new=b"", between=b",\n", size=1)
@example(style=(None, (",", ":")), place=74, new=b"}", between=b",\n", size=1)
@example(style=(None, (",\n", ":\n")), place=42, new=b'"', between=b",\n", size=1)
def test_no_inner_object_of_a_damaged_one_passes_for_one_of_its_own(style, place, new, between, size):
    """One byte is lost, or another. That a bracket opened where one closes now, somebody may not be able to tell."""
    outer = json.dumps(OUTER, indent=style[0], separators=style[1]).encode()
    place %= len(outer)
    assume(not (outer[place] in b"{[" and new in {b"]", b"}"}))
    damaged = outer[:place] + new + outer[place + 1 :]
    others = [b'{"n":1}', b'{"n":2}', b'{"n":3}', b'{"n":4}']
    text = between.join([others[0], damaged, *others[1:]])
    lines = as_lines((text[at : at + size] for at in range(0, len(text), size)), Limits())
    alone = [line for line, _ in lines if not line.startswith(MAY_BE_INNER)]
    assert not [line for line in alone if re.fullmatch(rb'\{\s*"[ce]"\s*:.*\}\s*', line) and is_json(line)]
    assert others[0] + b"\n" in alone


def is_json(line):
    with contextlib.suppress(ValueError):
        json.loads(line)
        return True
    return False


def test_doubt_ends_where_nothing_is_open():
    text = b'[{"a" [{"c":1},{"c":2}]},{"n":1}]{"a":[{"c":1}{"c":2}{"n":2}'
    lines = [line.removesuffix(b"\n") for line, _ in as_lines([text], Limits())]
    assert lines == [
        *(b'{"a" [{"c":1}', MAY_BE_INNER + b'{"c":2}', MAY_BE_INNER + b"}", b'{"n":1}'),
        *(b'{"a":[{"c":1}', MAY_BE_INNER + b'{"c":2}', b'{"n":2}'),
    ]


# The walk says what the decoder says


@settings(deadline=None, max_examples=500)
@given(
    one=st.dictionaries(keys, values, max_size=4),
    indent=st.sampled_from([None, 2]),
    cuts=st.integers(1, 9),
    rest=st.binary(max_size=3),
)
def test_the_walk_ends_where_the_decoder_does(one, indent, cuts, rest):
    written = json.dumps(one, indent=indent)
    assert walked(written + rest.decode("latin-1"), cuts) == (True, len(written))


@settings(deadline=None, max_examples=1000)
@given(text=anything.map(lambda text: b"{" + text), cuts=st.integers(1, 9))
def test_the_walk_is_the_same_however_the_text_is_cut(text, cuts):
    text = text.decode("latin-1")
    assert walked(text, cuts) == walked(text, len(text))
    assert walked(text, cuts)[0] == (object_end(text.encode("latin-1"), 0) is not None)


def walked(text, size):
    walk, at, end = Walk(), 0, 0
    while not (walk.is_whole or walk.is_broken):
        end = min(end + size, len(text))
        at = walk.go_on(text[:end], at, end == len(text))
    return walk.is_whole, at


# Hostile input


def hostile():
    many = 10**5
    yield "a string without end", b'{"a":"' + b"x" * 200 * many
    yield "brackets", b'{"a":' + b"[" * 4 * many
    yield "objects without end", b'{"a":' * many
    yield "objects without end, one a line", b'{"a":[\n' * 100_000
    yield "whole objects in objects without end", b'{"b":[\n{},' * 30_000
    yield "empty objects", b"}{" * 100_000
    yield "braces", b"{" * 4 * many
    yield "braces on lines", b"\n{" * many
    yield "keys without values", b'}{"a"x' * 200_000
    yield "line feeds in a stretch", b"x" + b"\n" * 4 * many + b"y"
    yield "marks", b"x" + MARK * many + b"\n" + MARK * many
    yield "a string with objects in it", b'{"}{":"}{",' * 200_000
    yield "numbers in an object without end", b'{"a":\n{"a":\n{"a":\n[' + b"1," * 2 * many
    yield "deep, then long", b'{"k":\n' * 900 + b"[" + b"1," * many
    yield "words", b'{"a":[0x1' + b",0x1" * many + b"]}"
    yield "a number", b'{"a":' + b"1" * 100 * many + b"}"


@pytest.mark.parametrize(("kind", "text"), [pytest.param(*one, id=one[0]) for one in hostile()])
def test_hostile_input_takes_linear_time(kind, text):
    """Steps are counted, not seconds: how many characters the decoder and the walk are given."""
    given_chars = 0

    def counted(function):
        def counting(attempt, window, *rest, **options):
            nonlocal given_chars
            given_chars += len(window)
            return function(attempt, window, *rest, **options)

        return counting

    with mock.patch.object(framing._Attempt, "go_on", counted(framing._Attempt.go_on)):
        pieces = [text[at : at + 2**20] for at in range(0, len(text), 2**20)]
        lines = sum(1 for _ in as_lines(pieces, Limits(damage=10**9)))
    assert lines
    # A window of 4 KiB for each object tried, and the doubling.
    tried = text.count(b"{") + 1
    assert given_chars < 12 * len(text) + tried * 4096
