"""The fast path may take a name only if lower case is all that normalising makes of it."""

import json
import re
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.parsing import said_of

from stedi_common.records import fast
from stedi_common.rules import identity

SOURCES = {"accelerometer": "user", "step_trainer": "serialnumber"}
LINES = {
    "accelerometer": {"user": "", "timestamp": 1655564455341, "x": 1.0, "y": 0.0, "z": -1.0},
    "step_trainer": {"sensorreadingtime": 1655564455341, "serialnumber": "", "distancefromobject": 1},
}
ODD = [
    *("mailto:a@b.c", "Jane <a@b.c>", "<a@b.c>", "a@b.c;", "a@b.c.", "a@xn--mnchen-3ya.de", "a@xn--.de", "a--b@c", "-"),
    *("a@b..c", "a@b?x", "a b@c", "a@b.c?subject=x", "'a'@b.c", "%41@b.c", "a@@b", "@", "A@B.C", "a@-b-.c", "...", "="),
]


def line(source, name):
    return json.dumps(LINES[source] | {SOURCES[source]: name}, ensure_ascii=False).encode() + b"\n"


def slowly(content, source):
    with mock.patch.object(fast, "read", return_value=()):
        return said_of(content, source).rows


names = (
    st.sampled_from(ODD)
    | st.text(st.characters(max_codepoint=127), max_size=9)
    | st.text("aZ@.-;<>:x n?\\", max_size=12)
)


@pytest.mark.parametrize("source", SOURCES)
@settings(deadline=None)
@given(some=st.lists(names, min_size=1, max_size=9))
@example(some=ODD)
def test_a_name_is_the_same_on_both_paths(source, some):
    content = line(source, "plain") + b"".join(line(source, name) for name in some)
    rows = sorted(said_of(content, source).rows, key=lambda row: row["source_line"])
    assert rows == slowly(content, source)


@given(name=st.text(st.characters(max_codepoint=127), max_size=9) | st.from_regex(fast.IDENTITY, fullmatch=True))
def test_what_the_fast_path_takes_needs_lower_case_only(name):
    if re.fullmatch(fast.IDENTITY, name):
        assert identity.address(name) == identity.device(name) == name.lower()
        assert json.dumps(name) == f'"{name}"'


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", ["Jane.Doe+1@Example-1.co.uk", "50F7B4F3-7af5-4b07-a421-7b902c8d2b7c", "A_1", "o'b@c"])
def test_usual_names_are_fast(source, name):
    with mock.patch("stedi_common.records.reader.record", side_effect=AssertionError):
        (row,) = said_of(line(source, name), source).rows
    assert row[SOURCES[source]] == name.lower()
