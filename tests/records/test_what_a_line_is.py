"""docs/records.md, sentence by sentence."""

import hashlib
import hmac
import json
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.whole_files import ARRIVED, KEY, gained, row_of, rows_of, whole

from stedi_common.records import values
from stedi_common.settings import Limits

READING = {"user": "a@b.c", "timestamp": 1655564455341, "x": 1.0, "y": 0.0, "z": -1.0}
CUSTOMER = {"email": "a@b.c", "lastUpdateDate": 1655564455341}


def written(record, key, value):
    """The record with the value, given as JSON, for its key."""
    members = {k: json.dumps(v) for k, v in record.items() if k != key} | {key: value}
    return ("{" + ", ".join(f'"{k}": {v}' for k, v in members.items()) + "}").encode()


def reading(key, value):
    row = row_of(written(READING, key, value))
    return (row["reason"], row["rejected_column"]) if row["mark"] else row[key.lower()]


def customer(key, value):
    (row,), tally = whole(written(CUSTOMER, key, value) + b"\n", "customer")
    return row["reason"] or (row[key.lower()], tally.nulled_values)


def step(key, value):
    record = {"sensorReadingTime": 1655564172120, "serialNumber": "A-1", "distanceFromObject": 246}
    row = row_of(written(record, key, value), "step_trainer")
    return row["reason"] or row[key.lower()]


def at(milliseconds):
    return datetime(1970, 1, 1) + timedelta(milliseconds=milliseconds)


UNREADABLE = (None, 1)  # of a customer: null, and counted
MISSING = (None, 0)


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ('"Santosh Clayton"', ("Santosh Clayton", 0)),
        (r'" \t\n\u000b\f\rÉ a\u00a0 "', ("É a\u00a0", 0)),
        ('"ABC"', ("ABC", 0)),
        ("8015551212", ("8015551212", 0)),
        ("8015551212.0", ("8015551212", 0)),
        ("8.015551212e9", ("8015551212", 0)),
        ("-0", ("0", 0)),
        ("0e999999", ("0", 0)),
        ("9007199254740993.0", ("9007199254740993", 0)),
        ("9" * 40, ("9" * 40, 0)),
        ("9" * 41, UNREADABLE),
        ("1" * 5000, UNREADABLE),
        ("0.5", UNREADABLE),
        ("1e999999", UNREADABLE),
        ("1e99999999999999999999", UNREADABLE),
        (r'"\ud800"', UNREADABLE),
        (r'"\ud83d\ude00"', ("\U0001f600", 0)),
        ("true", UNREADABLE),
        ("[]", UNREADABLE),
        ("{}", UNREADABLE),
        ("null", MISSING),
        ('""', MISSING),
        (r'" \n "', MISSING),
    ],
)
def test_text(text, understood):
    assert customer("phone", text) == understood


@pytest.mark.parametrize(
    ("key", "source"), [("user", reading), ("serialNumber", step), ("email", lambda *given: customer(*given)[0])]
)
def test_who_and_which_are_compared_as_unicode_identifiers(key, source):
    assert source(key, '" Craig.WU@Test.com "') == "craig.wu@test.com"
    assert source(key, '"\u00c9A\u212a@test.com"') == "\u00e9ak@test.com"
    assert source(key, '"\u00a0e\u0301ak\uff20test.com\u200b;"') == "\u00e9ak@test.com"


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("1", 1.0),
        ("-0.0", 0.0),
        ("1e-400", 0.0),
        ("0e99999999999999999999", 0.0),
        ("0.1", 0.1),
        ("1" * 300, float("1" * 300)),
        ('"1.5"', 1.5),
        ('" -1.5E+2 "', -150.0),
    ],
)
def test_double(text, understood):
    assert repr(reading("x", text)) == repr(understood)


@pytest.mark.parametrize(
    "text",
    ["1e999", "-1e999", '"1e999"', '"abc"', '"0x1"', '"1_0"', '"01"', '"\u0661"', "true", "[]", "{}", r'"\ud800"'],
)
def test_an_unreadable_double_rejects_the_reading(text):
    assert reading("x", text) == ("unreadable_value", "x")


@pytest.mark.parametrize("text", ["null", '""', '" "'])
def test_a_missing_value_rejects_the_reading(text):
    assert reading("y", text) == ("missing_value", "y")


@pytest.mark.parametrize(
    ("text", "understood"), [("21.5", (21.5, 0)), ("null", MISSING), ('""', MISSING), ('"warm"', UNREADABLE)]
)
def test_a_reading_needs_no_value_that_its_contract_does_not_require(text, understood):
    with gained("accelerometer", {"temperature": "double"}):
        both = [whole(line + b"\n") for line in (written(READING, "temperature", text), json.dumps(READING).encode())]
    found = [(row["mark"], row["temperature"], tally.nulled_values) for (row,), tally in both]
    assert found == [(None, *understood), (None, *MISSING)]


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("246", 246),
        ("246.0", 246),
        ('"246"', 246),
        ("2.46e2", 246),
        ("-2147483648", -(2**31)),
        ("2147483647", 2**31 - 1),
        ("2147483648", "unreadable_value"),
        ("0.5", "unreadable_value"),
        ("246.0000000000000000000000001", "unreadable_value"),
        ("1e999999999", "unreadable_value"),
        ("1e-999999999", "unreadable_value"),
        ("false", "unreadable_value"),
    ],
)
def test_int(text, understood):
    assert step("distanceFromObject", text) == understood


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("246", (246, 0)),
        ("9007199254740993", (2**53 + 1, 0)),
        ('"-9223372036854775808"', (-(2**63), 0)),
        ("9223372036854775807", (2**63 - 1, 0)),
        ("9223372036854775808", UNREADABLE),
        ("0.5", UNREADABLE),
        ("null", MISSING),
    ],
)
def test_long(text, understood):
    with gained("accelerometer", {"pulses": "long"}):
        (row,), tally = whole(written(READING, "pulses", text) + b"\n")
    assert (row["pulses"], tally.nulled_values) == understood


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ("1655564455341", at(1655564455341)),
        ("1655564455341.0", at(1655564455341)),
        ("1.655564455341e12", at(1655564455341)),
        ("1655564455341.9999999999999999999999999999999", at(1655564455341)),
        ("1655564455", at(1655564455000)),
        ("1655564455.341", at(1655564455341)),
        ("1655564455.3419999999999999999999999999999999", at(1655564455341)),
        ('"1655564455341"', at(1655564455341)),
        ('"2022-06-18T15:00:55.341Z"', at(1655564455341)),
        ('"2022-06-18 15:00:55.3419999Z"', at(1655564455341)),
        ('"2022-06-18T15:00:55.3Z"', at(1655564455300)),
        ('"2022-06-18T15:00Z"', at(1655564400000)),
        ('"2022-06-18T17:00+02:00"', at(1655564400000)),
        ('"2022-06-18T12:30-0230"', at(1655564400000)),
        ('"2022-06-18T12:30\u22120230"', at(1655564400000)),
        ('"2022-06-18 15:00 Z"', at(1655564400000)),
        ('"2022-06-18t15:00:00,5z"', at(1655564400500)),
        ('"2022-06-18T15:00UTC"', at(1655564400000)),
        ('"2022-06-18T17:00:00+02"', at(1655564400000)),
        ('"2022-06-18T15:00Z[UTC]"', at(1655564400000)),
        ('"20220618T150055Z"', at(1655564455000)),
        ('"2022-06-18T14:59:60Z"', at(1655564400000)),
        ('"2022-06-18T24:00Z"', datetime(2022, 6, 19)),
        ('"Sat, 18 Jun 2022 15:00:55 GMT"', at(1655564455000)),
        ('"/Date(1655564455341)/"', at(1655564455341)),
        ("1655564455341999", at(1655564455341)),
        ("1655564455341999999", at(1655564455341)),
        ("946684800000", datetime(2000, 1, 1)),
        ('"2000-01-01T00:00Z"', datetime(2000, 1, 1)),
        ('"2024-06-02T00:00Z"', ARRIVED + timedelta(days=1)),
        ('"2024-06-02T00:00:00.0009Z"', ARRIVED + timedelta(days=1)),
    ],
)
def test_instant(text, understood):
    assert reading("timestamp", text) == understood


@pytest.mark.parametrize(
    "text",
    [
        "0",
        "-1",
        "946684799",
        "946684799999",
        "99999999999",
        "1e999",
        "1e999999999",
        "1717286400001",
        '"1999-12-31T23:59Z"',
        '"2024-06-02T00:00:00.001Z"',
        '"0001-01-01T00:00+23:59"',
        '"9999-12-31T23:59:59-23:59"',
        "1e99999999999999999999",
    ],
)
def test_an_instant_before_2000_or_a_day_after_the_arrival_is_wrong(text):
    assert reading("timestamp", text) == ("wrong_instant", "timestamp")
    assert customer("registrationDate", text) == UNREADABLE


@pytest.mark.parametrize(
    "text",
    [
        '"2022-06-18T15:00:55"',
        '"2022-06-18"',
        '"2022-06-18T24:00:01Z"',
        '"2022-06-18T15:00:61Z"',
        '"2022-06-18T15:00  Z"',
        '"Sun, 18 Jun 2022 15:00:55 GMT"',
        '"2022-06-18T15Z"',
        '"2022-02-30T15:00Z"',
        '"soon"',
        '"2022-06-18T15:00:55.Z"',
        '"2022-06-18T15:00+24:00"',
        '"0000-01-01T00:00Z"',
        "true",
        "[0]",
        '"\u0662022-06-18T15:00Z"',
    ],
)
def test_an_instant_without_a_zone_or_sense_is_unreadable(text):
    assert reading("timestamp", text) == ("unreadable_value", "timestamp")


@pytest.mark.parametrize(
    ("text", "understood"),
    [
        ('"1900-01-01"', (date(1900, 1, 1), 0)),
        ('"993-01-01"', (date(993, 1, 1), 0)),
        ('"1-12-31"', (date(1, 12, 31), 0)),
        ('" 0967-02-28 "', (date(967, 2, 28), 0)),
        ('"0000-01-01"', UNREADABLE),
        ('"2023-02-29"', UNREADABLE),
        ('"2023-2-1"', UNREADABLE),
        ('"12023-02-01"', UNREADABLE),
        ("1655564455341", UNREADABLE),
        ("null", MISSING),
    ],
)
def test_date(text, understood):
    assert customer("birthDay", text) == understood


def nested(depth):
    return b'{"a":' * depth + b"1" + b"}" * depth


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\xff", "invalid_utf8"),
        (b'{"user":"\xed\xa0\x80"}', "invalid_utf8"),
        (b"{", "broken_json"),
        (b"NaN", "broken_json"),
        (b'{"user":-1_0 0}', "broken_json"),
        (b"{'user':1}", "broken_json"),
        (b'{"user":1} x', "broken_json"),
        (b'{"user":1,}', "broken_json"),
        (b'{"user":"\t"}', "broken_json"),
        (b'{"user":\x0b1}', "broken_json"),
        ("\u00a0".encode(), "broken_json"),
        (nested(100_000), "too_deep"),
        (nested(Limits().nesting + 1), "too_deep"),
        (b"7" + b",[]" * 1000 + b",8", "broken_json"),
        (b'"' + b"[" * 1000 + b'\\""', "not_an_object"),
        (b"null", "not_an_object"),
        (b"1" * 5000, "not_an_object"),
        (b"1, 2", "broken_json"),
    ],
)
def test_what_is_no_record(line, reason):
    row = row_of(line)
    assert (row["mark"], row["reason"], row["rejected_column"]) == ("rejected", reason, None)
    assert row["content_hash"] == hmac.new(KEY, line, hashlib.sha256).hexdigest()


def test_a_line_of_escaped_quotes_takes_no_time():
    assert row_of(b'{"q":' + b"[" * 200 + b'\\"' * 2_000_000)["reason"] == "too_deep"


@pytest.mark.parametrize(
    "line", [b"", b" ", b"\t\x0b\x0c\r", b"\r", b"\0\0", b"[", b"],", b"\x1e", b"\xef\xbb\xbf", b"[]"]
)
def test_padding_is_blank(line):
    rows, tally = whole(line + b"\n")
    assert (rows, tally.lines, tally.blank) == ([], 1, 1)


@pytest.mark.parametrize("padded", [b"[%s,", b"%s]", b"\xef\xbb\xbf%s", b"\x1e%s", b"\0\0%s\0", b" , %s ,\r"])
def test_padding_belongs_to_no_line(padded):
    rows = rows_of(padded % json.dumps(READING).encode() + b"\n" + padded % b"{" + b"\n")
    assert [row["reason"] for row in rows] == [None, "broken_json"]
    assert rows[1]["content_hash"] == hmac.new(KEY, b"{", hashlib.sha256).hexdigest()


@pytest.mark.parametrize("word", ["NaN", "-Infinity", "0x1F", "01", "None", "1_0", "+1", ".5"])
def test_a_bare_word_spoils_its_key_and_no_other(word):
    assert row_of(written(READING, "q", word))["mark"] is None
    assert row_of(written(READING, "q", f'[{{"r": {word}}}]'))["mark"] is None
    assert reading("x", word) == ("unreadable_value", "x")
    assert customer("phone", word) == UNREADABLE


def test_only_the_last_line_can_be_truncated():
    first, second = rows_of(b'{"user":\n{"user":')
    assert (first["reason"], second["reason"]) == ("broken_json", "truncated")


def test_a_whole_last_line_needs_no_ending():
    assert rows_of(json.dumps(READING).encode())[0]["mark"] is None


def test_the_hash_of_a_rejected_line_leaves_out_its_ending_and_the_byte_order_mark():
    contents = (b"7", b"7\n", b"7\r\n", b"\xef\xbb\xbf7\r\n", b"7\r")
    assert len({rows_of(content)[0]["content_hash"] for content in contents}) == 1


def test_the_first_column_in_the_contracts_order_is_at_fault():
    row = row_of(b'{"z": "", "y": [], "x": true, "timestamp": 1655564455341, "user": "a"}')
    assert (row["reason"], row["rejected_column"]) == ("unreadable_value", "x")


@pytest.mark.parametrize("again", ["user", "USER", r"us\u0065r"])
def test_a_key_that_occurs_twice_is_unreadable(again):
    row = row_of(written(READING, again, "null") if again != "user" else b'{"user": "a", "user": "a"}')
    assert (row["reason"], row["rejected_column"]) == ("unreadable_value", "user")


def test_unknown_keys_are_ignored_and_the_kelvin_sign_is_no_k():
    assert row_of(written(READING, "q", '{"user": [1, 2], "x": "\\ud800"}'))["mark"] is None
    assert row_of(written(READING, "\u017fer", "1"))["mark"] is None
    assert row_of(b'{"phone": 1}', "customer")["rejected_column"] == "email"


@pytest.mark.parametrize("key", ["timestamp", "timeStamp", "TIMESTAMP"])
def test_keys_match_in_any_case(key):
    record = {k: v for k, v in READING.items() if k != "timestamp"} | {key: 1655564455341}
    assert row_of(json.dumps(record).encode())["timestamp"] == at(1655564455341)


@pytest.mark.parametrize(
    ("record", "reason", "column"),
    [
        ({"lastUpdateDate": 1655564455341}, "missing_value", "email"),
        ({"email": " ", "lastUpdateDate": 1655564455341}, "missing_value", "email"),
        ({"email": True, "lastUpdateDate": 1655564455341}, "unreadable_value", "email"),
        ({"email": "nobody", "lastUpdateDate": 1655564455341}, "unreadable_value", "email"),
        ({}, "missing_value", "email"),
    ],
)
def test_a_customer_without_an_address_is_rejected(record, reason, column):
    row = row_of(json.dumps(record).encode(), "customer")
    assert (row["mark"], row["reason"], row["rejected_column"]) == ("rejected", reason, column)


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"email": "a@b.c"}, "missing_value"),
        ({"email": "a@b.c", "lastUpdateDate": "soon"}, "unreadable_value"),
        ({"email": "a@b.c", "lastUpdateDate": 1}, "wrong_instant"),
        (CUSTOMER | {"EMAIL": "a@b.c"}, "duplicate_key"),
        (CUSTOMER | {"PHONE": 1, "phone": 1}, "duplicate_key"),
    ],
)
def test_a_customer_that_is_no_record_but_has_an_address_is_doubtful(record, reason):
    row = row_of(json.dumps(record).encode(), "customer")
    assert (row["mark"], row["doubt"], row["email"]) == (None, reason, "a@b.c")


def test_anything_else_of_a_customer_that_cannot_be_read_is_null_and_counted():
    consent = {"shareWithResearchAsOfDate": "yes", "shareWithPublicAsOfDate": 1, "shareWithFriendsAsOfDate": None}
    line = json.dumps(CUSTOMER | consent | {"phone": [], "birthDay": "never"}).encode() + b"\n"
    (row,), tally = whole(line, "customer")
    assert (row["mark"], tally.nulled_values, row["sharewithresearchasofdate"]) == (None, 4, None)
    columns = ("birthday", "phone", "sharewithpublicasofdate", "sharewithresearchasofdate")
    assert tally.nulled_columns == dict.fromkeys(columns, 1)


def test_the_record_hash_is_of_the_typed_columns():
    record = CUSTOMER | {"customerName": " Zoë ", "birthDay": "993-01-01", "phone": 801.0, "serialNumber": "A-1"}
    row = row_of(json.dumps(record | {"shareWithResearchAsOfDate": "2022-06-18T15:00Z"}).encode(), "customer")
    typed = '["Zo\\u00eb","a@b.c","801","0993-01-01","a-1",null,1655564455341,1655564400000,null,null]'
    assert row["record_hash"] == hashlib.sha256(typed.encode()).hexdigest()


def test_the_dialects_of_the_published_data():
    customers = (
        b'{"customerName": "A B", "email": "A.B@test.com", "phone": 8015551212, "birthDay": "993-01-01", '
        b'"serialNumber": "50F7", "registrationDate": 1655564376361.0, "lastUpdateDate": 1655564376361.0, '
        b'"shareWithResearchAsOfDate": null, "shareWithFriendsAsOfDate": 1655564376361.0}\r\n'
    )
    (row,), tally = whole(b"\xef\xbb\xbf" + customers, "customer")
    assert (row["phone"], row["birthday"], row["serialnumber"]) == ("8015551212", date(993, 1, 1), "50f7")
    assert (row["sharewithresearchasofdate"], tally.nulled_values) == (None, 0)
    assert row["sharewithfriendsasofdate"] == row["lastupdatedate"] == at(1655564376361)


# What must never be revealed


@contextmanager
def suppress_and_keep(kind):
    kept = []
    try:
        yield kept
    except kind as error:
        kept.append(error)


@settings(deadline=None)
@given(data=st.data())
def test_a_rejected_row_holds_nothing_of_the_line(data):
    canary = data.draw(st.sampled_from(["canary", "7777777.5"]))
    value = data.draw(st.sampled_from(["%s", '"%s"', "[%s]", '"%s', '["%s"]', '{"%s": 1}']))
    value = value % canary
    key = data.draw(st.sampled_from(["user", "timestamp", "x", canary]))
    row = row_of(written(READING | {"z": "?"}, key, value))
    assert row["mark"] == "rejected"
    assert canary not in str(row)
    assert [row[column] for column in ("user", "timestamp", "x", "y", "z")] == [None] * 5


@settings(deadline=None)
@given(text=st.one_of(st.text(), st.sampled_from(["1999-02-30", "2022-02-30T00:00Z", "canary", "1e999", "\ud800"])))
def test_a_fault_tells_its_reason_only(text):
    for conversion in (
        values.text,
        values.double,
        partial(values.integer, bits=64),
        values.day,
        partial(values.instant, latest=0),
    ):
        with suppress_and_keep(values.ValueFaultError) as kept:
            conversion(text)
        assert [str(fault) for fault in kept] in ([], ["unreadable_value"], ["wrong_instant"])
