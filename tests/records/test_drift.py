"""docs/records.md, "Drift": what keys a file had, by name only, and in whatever order it is read."""

import hashlib
import hmac
import json
from collections import Counter
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.parsing import KEY, said_of

from stedi_common.contracts import contract
from stedi_common.records import fast
from stedi_common.records.tally import MAX_UNKNOWN_KEYS, OTHER_KEYS, Tally

READING = {"user": "a@b.c", "timeStamp": 1655564455341, "x": 1.0, "y": 0.0, "z": -1.0}
CUSTOMER = {"email": "a@b.c", "lastUpdateDate": 1655564455341}


def lines(*objects):
    return b"".join(json.dumps(each).encode() + b"\n" for each in objects)


def hidden(name):
    return "#" + hmac.new(KEY, name.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()[:16]


def test_unknown_keys_are_counted_by_line_as_they_are_written():
    said = said_of(lines(CUSTOMER | {"Ab": 1, "ab": {"c": 2}}, CUSTOMER | {"ab": None}, CUSTOMER))
    assert said.tally.unknown_keys == {"Ab": 1, "ab": 2}


def test_a_key_that_occurs_twice_is_one():
    said = said_of(b'{"q":1,"q":2,"email":"a@b.c","EMAIL":"a@b.c"}\n')
    assert (said.tally.unknown_keys, said.tally.present_columns) == ({"q": 1}, {"email"})


def test_lines_that_are_no_record_have_keys_too_if_they_are_objects():
    content = lines({"time_stamp": 1, "user": "a"}, [{"no": 1}, 2]) + b'{"no":1'
    said = said_of(content, "accelerometer")
    assert (said.tally.unknown_keys, said.tally.present_columns) == ({"time_stamp": 1}, {"user"})
    assert said.tally.rejected == 3


@pytest.mark.parametrize("name", ["a@b.c", "8015551212", "\u0663", "a\uff20b.c", "n" * 101, "ü@b", "a\ud800b"])
def test_a_key_that_may_be_personal_data_is_hashed(name):
    for source, plain in (("customer", CUSTOMER), ("accelerometer", READING)):
        said = said_of(lines(plain | {name: 1}) * 3, source)
        assert said.tally.unknown_keys == {hidden(name): 3}


@pytest.mark.parametrize("name", ["n" * 100, "", "a8015551212", "\u212a", "née"])
def test_any_other_key_is_not_hashed(name):
    assert said_of(lines(CUSTOMER | {name: 1})).tally.unknown_keys == {name: 1}


def test_a_column_is_present_if_an_object_has_its_key():
    said = said_of(lines(CUSTOMER, {"PHONE": None}, {"birthDay": []}))
    assert said.tally.present_columns == {"email", "lastupdatedate", "phone", "birthday"}


def test_values_of_records_that_land_as_null_are_counted_by_column():
    said = said_of(lines(CUSTOMER | {"phone": [], "birthDay": "never"}, CUSTOMER | {"phone": {}}, {"phone": []}))
    assert (said.tally.nulled_columns, said.tally.nulled_values) == ({"phone": 2, "birthday": 1}, 3)


def test_missing_values_are_not_counted_as_nulled():
    said = said_of(lines(CUSTOMER | {"phone": None, "birthDay": " "}))
    assert (said.tally.nulled_columns, said.tally.nulled_values) == ({}, 0)


# The fast path


def slowly(content, source):
    with mock.patch.object(fast, "read", return_value=()):
        return said_of(content, source)


keys = st.sampled_from(["steps", "Q", "42", "x_1", "a@b", "version", "timestamp", "USER", ""])
members = st.dictionaries(keys, st.sampled_from([1, "a", None, "a,b", {}]), max_size=3)
objects = st.builds(lambda more: READING | more, members) | st.builds(
    lambda more, gone: {key: value for key, value in (READING | more).items() if key != gone}, members, keys
)


@settings(deadline=None)
@given(files=st.lists(st.builds(lambda each, count: lines(each) * count, objects, st.integers(1, 3)), min_size=1))
def test_the_fast_path_counts_what_the_definition_counts(files):
    content = b"".join(files)
    assert said_of(content, "accelerometer").tally == slowly(content, "accelerometer").tally


def test_the_fast_path_counts_without_reading_lines_one_by_one():
    content = lines(READING | {"q": 1}) * 1000
    with mock.patch("stedi_common.records.reader.record", side_effect=AssertionError):
        tally = said_of(content, "accelerometer").tally
    names = {column.name for column in contract("accelerometer_landing").source_columns}
    assert (tally.unknown_keys, tally.present_columns) == ({"q": 1000}, names)


# Tallies

counters = st.dictionaries(st.text(max_size=2), st.integers(1, 9), max_size=9).map(Counter)
tallies = st.builds(
    Tally,
    *[st.integers(0, 9)] * 6,
    unknown_keys=counters,
    nulled_columns=counters,
    present_columns=st.sets(st.text(max_size=2), max_size=3),
    is_objects=st.booleans(),
)


@given(given_tallies=st.lists(tallies, max_size=6), data=st.data())
def test_tallies_add_up_in_any_order(given_tallies, data):
    with mock.patch("stedi_common.records.tally.MAX_UNKNOWN_KEYS", 3):
        totals = []
        for some in (given_tallies, data.draw(st.permutations(given_tallies))):
            total = Tally()
            for each in some:
                total.add(each)
            totals.append(total)
    assert totals[0] == totals[1]
    assert len(totals[0].unknown_keys.keys() - {OTHER_KEYS}) <= 3
    assert totals[0].unknown_keys.total() == sum(each.unknown_keys.total() for each in given_tallies)


def test_only_so_many_keys_are_named():
    names = [f"k{number:04}" for number in range(MAX_UNKNOWN_KEYS + 50)]
    said = said_of(lines(*({name: 1} for name in reversed(names)), dict.fromkeys(names)))
    assert said.tally.unknown_keys == dict.fromkeys(names[:MAX_UNKNOWN_KEYS], 2) | {OTHER_KEYS: 100}


@given(tally=tallies)
def test_a_tally_is_the_same_after_json(tally):
    assert Tally.from_json(tally.as_json()) == tally


def test_the_end_of_the_file_tells_its_hash_and_unit():
    said = said_of(b"", line=7, sha256="ab", unit="object")
    assert (said.rows, said.tally) == ([], Tally(lines=7, sha256="ab", unit="object"))
    total = Tally(sha256="ab", unit="object")
    total.add(Tally(rejected=1))
    assert (total.sha256, total.unit) == ("ab", "object")
