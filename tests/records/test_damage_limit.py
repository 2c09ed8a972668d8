"""What takes long to read and is no record is bounded; what makes the reading quick changes nothing that is read."""

import re
from unicodedata import normalize
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.whole_files import rows_of, whole

from stedi_common.records import framing, record
from stedi_common.records.doubt import _may_be_address, addresses_in
from stedi_common.records.framing import are_objects, as_lines, cut, go_over_lines
from stedi_common.records.names import TOO_DAMAGED
from stedi_common.records.structure import Walk
from stedi_common.rules.identity import address
from stedi_common.settings import Limits

#: Parts of hostile text.
PARTS = (
    *('{"email":"a@b.c"}', '{"email":"a@b.c"', '{"a":[1,{"b":', '"', '\\"', "\\", "{}", "{", "}", "[", "]", ",", ":"),
    *("\n", "\n", "\r", " ", "x", "0x", '"}{"', '"]"', '{"k":', '"k"', "[]", '["', "\x1e", "\ufeff", "\0", "é", "1,2"),
)
texts = st.lists(st.sampled_from(PARTS), max_size=30).map("".join)
#: What stands in an object, mostly in its place.
MEMBERS = (
    '"k":1',
    '"k":NaN',
    '"k":"v"',
    '"k":01',
    '"k" "v"',
    '"k"x:1',
    '"k":1 "v"',
    '"k":[1]',
    '"k":x',
    '"k":{}',
    "'k':1",
)
#: The rest of an object, which begins with them.
members = st.lists(st.sampled_from((*MEMBERS * 3, *PARTS)), min_size=1, max_size=9).map(",".join).map("{0}}}".format)


def in_pieces(text, size):
    return [text[at : at + size] for at in range(0, len(text), size)]


def walked(text, size):
    walk, at = Walk(), 0
    for end in [*range(size, len(text), size), len(text)]:
        at = walk.go_on(text[:end], at, end == len(text))
        if walk.is_whole or walk.is_broken:
            break
    return walk.is_whole, walk.is_broken, at, walk.open_objects


@settings(deadline=None)
@given(text=texts.map("{".__add__), size=st.integers(1, 9))
@example(text='{"a":[1,{"b":\n{"c":0x', size=100)
@example(text='{"a":[1,2],"b":{}}', size=100)
def test_whole_tokens_are_walked_over_as_characters_are(text, size):
    with mock.patch.object(Walk, "_tokens", lambda _walk, _text, at: at):
        slow = walked(text, len(text))
    assert walked(text, size) == walked(text, len(text)) == slow


@settings(deadline=None, max_examples=1000)
@given(text=st.one_of(texts, members).map("{".__add__), is_most=st.booleans(), is_last=st.booleans())
@example(text='{"a" "b":1}, and many more characters behind', is_most=True, is_last=True)
@example(text='{"a":01, "b":1}, and many more characters behind', is_most=True, is_last=True)
@example(text='{"a":{"b":1 "c"}, and many more characters behind', is_most=True, is_last=True)
@example(text='{"a"', is_most=True, is_last=False)
def test_where_the_decoder_breaks_the_walk_breaks(text, is_most, is_last):
    tried = framing._Attempt().go_on(text, is_most, is_last)
    with mock.patch.object(framing, "_breaks_flat", return_value=False):
        assert comparable(framing._Attempt().go_on(text, is_most, is_last)) == comparable(tried)


def comparable(tried):
    return tried._replace(open_objects=list(tried.open_objects))


@settings(deadline=None, max_examples=1000)
@given(text=st.one_of(texts, members).map("{".__add__))
@example(text='{"a":01}')
@example(text='{"a":nobody,"b":1}')
@example(text='{"a":NaN,"b":Infinity "c":1}')
def test_where_no_word_breaks_a_line_none_is_replaced_in_vain(text):
    assert content(text, lambda line: record.parsed(line, Limits())) == content(text, with_each_word_replaced)


def content(text, read):
    try:
        return repr(read(text))
    except ValueError:
        return None


def with_each_word_replaced(text):
    try:
        return record._decode(text)
    except ValueError:
        return record._decode(record._WORD.sub(record._as_constant, text))


def signs_line_by_line(text):
    """What `_signs` says, read aloud from docs/records.md."""
    outside, is_torn = "", False
    for line in text.split("\n"):
        tokens = re.findall(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', line, re.DOTALL)
        outside += "".join(each for each in tokens if each in "[]{}")
        if any(each[0] == '"' and not re.fullmatch(r'"(?:[^"\\]|\\.)*+"', each, re.DOTALL) for each in tokens):
            is_torn |= any(re.search(r"[\[{]", each[1:]) for each in tokens)
    return outside, is_torn


@settings(deadline=None)
@given(text=texts)
@example(text='"a{"\n"')
@example(text='"a{" "\n')
@example(text='""{"\n')
@example(text='"{"\n{"x"')
@example(text='"\\\n{"')
def test_brackets_and_torn_quotes_are_those_of_each_line(text):
    text = text.encode().decode("latin-1")
    signs = framing._signs(text)
    assert (signs.brackets, signs.has_torn_opening) == signs_line_by_line(text)


@settings(deadline=None)
@given(text=st.text(st.sampled_from("aä@%4:0mailto.\ufe6b\uff20\uff05")).map("mailto:".__add__) | st.text())
@example(text="mailto:ä%40b.c")
@example(text="mailto:ä\uff0540b.c")
def test_what_is_passed_over_is_no_address(text):
    if "@" in address(text) and not text.isascii():
        assert _may_be_address(text) or addresses_in([text]) == []


def test_unicode_has_no_other_signs_that_normalise_to_those_of_an_address():
    def normalised(character):
        return normalize("NFKC", normalize("NFKC", character).casefold())

    others = {each for each in map(chr, range(0x80, 0x110000)) if set("@%") & set(normalised(each))}
    assert others == set("\ufe6b\uff20\ufe6a\uff05")


# The limit


def units(text, size, damage):
    return list(as_lines(in_pieces(text.encode(), size), Limits(damage=damage)))


@settings(deadline=None)
@given(text=texts, size=st.integers(1, 200), damage=st.integers(1, 9))
def test_where_a_file_is_too_damaged_does_not_depend_on_the_pieces(text, size, damage):
    units_of_all = units(text, max(len(text.encode()), 1), damage)
    assert units(text, size, damage) == units_of_all
    is_too_damaged = bool(units_of_all) and units_of_all[-1][1] == TOO_DAMAGED
    unlimited = units(text, size, 10**9)
    assert (units_of_all[:-1] if is_too_damaged else units_of_all) == unlimited[: len(units_of_all) - is_too_damaged]
    limits = Limits(damage=damage)
    assert are_objects(in_pieces(text.encode(), size), limits) == are_objects([text.encode()], limits)


@settings(deadline=None)
@given(text=texts)
def test_lines_with_much_damage_are_looked_at_whole(text):
    """Never is less told than the exact look tells."""
    lines = text.encode().split(b"\n")
    exact = go_over_lines(lines), cut(lines)
    with mock.patch.object(framing, "_MAX_DAMAGE_OF_LINES", 1):
        assert go_over_lines(lines) >= exact[0]
        assert all(told >= known for told, known in zip(cut(lines), exact[1], strict=True))


DAMAGED = (b'{"email":"a@b.c"\n', b'{}"@\n{"\n', b'"a@b.c"\n', b'{"a":1}\n', b'{"email":"a@b.c"}{"email"\n')


@pytest.mark.parametrize("line", DAMAGED, ids=repr)
def test_short_damaged_lines_of_customers_are_damage(line):
    assert whole(line * 40, "customer").tally.damage >= 40


def long_line(rest):
    return b'{"email":"a@b.c","customerName":"' + b"A B " * 80 + b'"' + rest + b"\n"


@pytest.mark.parametrize(
    ("line", "source"),
    [
        (long_line(b',"lastUpdateDate":"soon"}'), "customer"),
        (long_line(b""), "customer"),
        (long_line(b',"lastUpdateDate":1655564455341}'), "customer"),
        (b'{"email":"a@b.c","lastUpdateDate":1655564455341}\n', "customer"),
        (b"x\n", "customer"),
        (b"\n", "customer"),
        (b'{"a":1}\n', "accelerometer"),
    ],
)
def test_other_lines_are_no_damage(line, source):
    assert whole(line * 40, source).tally.damage == 0


def test_a_long_line_with_many_addresses_is_damage():
    many = b",".join(b'"a%d@b.c"' % number for number in range(900))
    assert whole(long_line(b"," + many), "customer").tally.damage > 300


@pytest.mark.parametrize("unit", [b'"x"\n{"a":1}', b"{}", b'{"a":{"b":{"c":'])
@pytest.mark.parametrize("source", ["customer", "accelerometer"])
def test_short_units_are_damage(unit, source):
    tally = whole(b"{}{}" + unit * 50, source, limits=Limits(damage=20)).tally
    assert tally.damage > 20


def test_each_line_within_the_limit_is_read():
    assert len(rows_of(b'{"email":"a@b.c"\n' * 50, "customer", limits=Limits(damage=100))) == 50
