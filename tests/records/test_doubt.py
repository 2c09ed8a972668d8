"""Doubtful lines: docs/records.md, "Doubtful lines", and the law that no damage keeps a refusal from being heard."""

import json
import random
from collections import Counter
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.parsing import said_of

from stedi_common.records.doubt import MAX_ADDRESSES
from stedi_common.records.framing import unpadded

ADDRESS = "jane.doe@example.com"
MOMENT = 1655564376361
CONSENT = "sharewithresearchasofdate"
REFUSAL = {
    "customerName": "Jane Doe",
    "email": ADDRESS,
    "phone": "8015551212",
    "birthDay": "1990-01-01",
    "serialNumber": "50f7b4f3-7af5-4b07-a421-7b902c8d2b7c",
    "registrationDate": 1655564376361,
    "lastUpdateDate": MOMENT,
    "shareWithResearchAsOfDate": None,
    "shareWithPublicAsOfDate": 1655564376361,
    "shareWithFriendsAsOfDate": None,
}


def named(value):
    """Names of tests: not the lines, which are too long."""
    return value if isinstance(value, str) else "line"


def line(**changes):
    return json.dumps(REFUSAL | changes).encode() + b"\n"


def addresses(said):
    return [row["email"] for row in said.doubtful]


def consents(said):
    return [row[CONSENT] for row in said.doubtful]


# The law


def damaged(draw: random.Random, content: bytes) -> bytes:
    """The content, damaged in one place."""
    start = draw.randrange(len(content))
    length = draw.choice([1, 1, 1, draw.randrange(1, 20), draw.randrange(1, len(content))])
    some = draw.choice([draw.randbytes(length), bytes(length), bytes(draw.choices(content, k=length))])
    damages = (
        content[:start] + some + content[start + length :],
        content[:start] + some + content[start:],
        content[:start] + content[start + length :],
        content[:start],
        content[:start] + draw.choice(b'"\\{}[],:\n\r\0\x1e@. ').to_bytes() + content[start + draw.randrange(2) :],
    )
    return draw.choice(damages)


def read(content):
    """As `land` does: once more as objects, in which a line feed is a space, if objects are not lines."""
    said = said_of(content)
    if said.tally.is_objects:
        rest = content.removesuffix(b"\n")
        said = said_of(rest.replace(b"\n", b" ") + content[len(rest) :])
    return said


def outcome(content):
    """What becomes of the refusal."""
    said = read(content)
    if said.tally.without_address:
        return "counted"
    if ADDRESS in addresses(said):
        assert consents(said) == [None] * len(said.doubtful)
        return "heard"
    if said.doubtful:
        return "another address"
    if any(row["email"] == ADDRESS and row[CONSENT] is None for row in said.records):
        return "refusal"
    return "another record" if said.records else "nothing"


def is_well_formed(content):
    """Whether a line is a customer record, by Python's own JSON."""
    found = json.loads(unpadded(content), object_pairs_hook=list)
    keys = Counter(key.lower() for key, _ in found)
    values = {key.lower(): value for key, value in found}
    known = {key.lower() for key in REFUSAL}
    return values["email"].count("@") == 1 and values["lastupdatedate"] and max(keys[key] for key in known) == 1


def test_no_damage_keeps_a_refusal_from_being_heard_or_counted():
    draw = random.Random(16)
    found = Counter()
    for _ in range(10_000):
        content = damaged(draw, line())
        became = outcome(content)
        found[became] += 1
        if became == "another record":
            assert is_well_formed(content)
        elif became == "another address":
            assert f'"{ADDRESS}"'.encode() not in content
        elif became == "nothing":
            assert not unpadded(content)
    # What says something else as a whole, nobody can tell from the truth. All else is heard, or counted.
    assert found["another record"] + found["another address"] < 500
    assert found["nothing"] < 50
    assert min(found[kind] for kind in ("counted", "heard", "refusal", "another record")) > 50


# Lines that are objects


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lastUpdateDate": None}, "missing_value"),
        ({"lastUpdateDate": "soon"}, "unreadable_value"),
        ({"lastUpdateDate": 1}, "wrong_instant"),
        ({"LASTUPDATEDATE": MOMENT}, "duplicate_key"),
        ({"EMAIL": "other@example.com", "email": "jane.doe@example.com"}, "duplicate_key"),
    ],
)
def test_an_object_that_is_no_record_is_doubtful(changes, reason):
    said = said_of(line(**changes))
    assert {row["doubt"] for row in said.doubtful} == {reason}
    assert ADDRESS in addresses(said)
    assert (said.tally.doubtful, said.tally.rejected, said.tally.without_address) == (1, 0, 0)


def test_a_doubtful_object_keeps_what_was_understood():
    (row,) = said_of(line(lastUpdateDate="soon", shareWithResearchAsOfDate=MOMENT, phone=[])).doubtful
    moment = datetime(2022, 6, 18, 14, 59, 36, 361000)
    assert (row["customername"], row["phone"], row["lastupdatedate"], row[CONSENT]) == ("Jane Doe", None, None, moment)
    assert (row["source_line"], row["mark"], row["reason"], row["content_hash"]) == (1, None, None, None)


def test_a_consent_that_occurs_twice_is_not_read():
    content = line(shareWithResearchAsOfDate=MOMENT, SHAREWITHRESEARCHASOFDATE=MOMENT)
    (row,) = said_of(content).doubtful
    assert (row["doubt"], row[CONSENT]) == ("duplicate_key", None)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"email": None, "contact": {"mails": [" Jane.Doe@example.com", "Jane <b@c.d>"]}}, ["b@c.d", ADDRESS]),
        ({"email": None, "mail": "no-dot@domain", "also": "x@y.z "}, ["x@y.z"]),
        ({"email": ["a@b.c", ["a@b.c"]]}, ["a@b.c"]),
        ({"email": "\xa0", "phone": "a@b.c"}, ["a@b.c"]),
        ({"email": None, "\ud800": "\ud800@b.c", "a@b.c": ""}, []),
    ],
)
def test_without_an_email_every_value_of_an_object_may_be_the_address(changes, found):
    said = said_of(line(**changes))
    assert addresses(said) == found
    assert (said.tally.doubtful, said.tally.without_address) == (bool(found), not found)


@pytest.mark.parametrize("written", [f"\xb4{ADDRESS}\xb4", f"\u02dc{ADDRESS}", ADDRESS.replace("@", "\xaf@")])
@pytest.mark.parametrize(
    "damaged", [lambda content: content[:-2] + b"\n", lambda content: content], ids=["torn", "whole"]
)
def test_punctuation_that_normalisation_takes_apart_makes_no_stranger(written, damaged):
    said = said_of(damaged(line(email=written, lastUpdateDate=None)))
    assert addresses(said) == []
    assert (said.tally.rejected, said.tally.without_address) == (1, 1)


def test_an_email_that_is_understood_is_the_only_address():
    assert addresses(said_of(line(lastUpdateDate=None, phone="other@example.com"))) == [ADDRESS]


# Lines that are none

WHOLE = line().rstrip()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (WHOLE[:-1], "truncated"),
        (WHOLE[:-1], "broken_json"),
        (WHOLE.replace(b"Jane", b"J\xe4ne"), "invalid_utf8"),
        (WHOLE.replace(b'"Jane Doe"', b'"Jane "the" Doe"'), "broken_json"),
        (WHOLE.replace(b'"Jane Doe"', b'5" pipe'), "broken_json"),
        (WHOLE.replace(ADDRESS.encode(), rb" jane\u002edoe\u0040EXAMPLE.com ") + b"x", "broken_json"),
        (WHOLE.replace(b"ane", b"a\0n\0e\0") + b"x", "broken_json"),
        (b"x" + json.dumps({"message": line().decode()}).encode(), "truncated"),
        (b'"' + ADDRESS.encode() + b'"', "not_an_object"),
        (WHOLE.replace(b'"', b'\\"'), "broken_json"),
        (b'"x" ' + WHOLE.replace(b'"', b'\\"'), "broken_json"),
        (WHOLE.replace(b'"', b'\\\\"'), "broken_json"),
        (WHOLE.replace(b'"', b"'"), "broken_json"),
        (b"{" + b'"a":{' * 101 + WHOLE, "too_deep"),
        (b"{" + b'"a":1,' * 1001 + WHOLE[1:], "too_many_keys"),
    ],
    ids=named,
)
def test_an_address_between_two_quotes_is_read(content, reason):
    said = said_of(content if reason == "truncated" else content + b"\n")
    assert [(row["email"], row["doubt"]) for row in said.doubtful] == [(ADDRESS, reason)]
    assert (said.tally.doubtful, said.tally.without_address, said.tally.rejected) == (1, 0, 0)


@pytest.mark.parametrize(
    "content",
    [
        WHOLE[: WHOLE.index(b".com") + 4],
        WHOLE.replace(b'"jane', b"jane"),
        WHOLE.replace(b".doe@", b"\xffdoe@"),
        WHOLE.replace(b".com", b"")[:-1],
        WHOLE.replace(b"@", b"@@")[:-1],
        b'{"email": "jane',
        b"[1, 2",
        b"email,jane.doe@example.com,8015551212",
    ],
    ids=named,
)
def test_a_customer_line_without_a_readable_address_is_rejected_and_counted(content):
    said = said_of(content)
    assert (len(said.rejected), said.tally.rejected, said.tally.without_address) == (1, 1, 1)
    assert (said.doubtful, said.tally.doubtful) == ([], 0)
    assert not [value for key, value in said.rows[0].items() if value and key in {*map(str.lower, REFUSAL), "doubt"}]


def test_of_two_addresses_each_gets_a_row_in_their_order():
    said = said_of(b'{"email": "b@c.d" "a@b.c"} "b@c.d"\n')
    assert [(row["email"], row["source_line"]) for row in said.doubtful] == [("a@b.c", 1), ("b@c.d", 1)]
    assert said.tally.doubtful == 1


CONSENTING = line(shareWithResearchAsOfDate=MOMENT).rstrip()
KEY = b'"shareWithResearchAsOfDate"'


@pytest.mark.parametrize(
    ("content", "is_read"),
    [
        (CONSENTING[:-1], True),
        (CONSENTING.replace(KEY, KEY.upper())[:-1], True),
        (CONSENTING.replace(KEY + b": 1655564376361", KEY + b':"2022-06-18T15:00:00Z" ')[:-1], True),
        (CONSENTING.replace(KEY + b": 1655564376361", KEY + b': "\\/Date(1655564376361)\\/"')[:-1], True),
        (CONSENTING[: CONSENTING.index(KEY) + 40], False),
        (CONSENTING.replace(KEY + b": 1655564376361", KEY + b": 16")[:-1], False),
        (CONSENTING.replace(KEY + b": 1655564376361", KEY + b": 1655564376361 5")[:-1], False),
        (CONSENTING.replace(KEY, KEY[1:])[:-1], False),
        (CONSENTING.replace(KEY, b"'shareWithResearchAsOfDate'")[:-1], False),
        (CONSENTING + CONSENTING[:-1], False),
        (CONSENTING[:-1] + b', "b@c.d"', False),
        (WHOLE[:-1], False),
    ],
    ids=named,
)
def test_a_whole_consent_is_read_if_it_is_there_once_and_about_one_person(content, is_read):
    said = said_of(content)
    assert ADDRESS in addresses(said)
    assert [consent is not None for consent in consents(said)] == [is_read] * len(said.doubtful)


def test_equal_doubtful_lines_have_unlike_hashes():
    content = WHOLE[:-1] + b', "b@c.d"\n'
    said = [
        said_of(content + content),
        said_of(content, version="9:2024-05-02"),
        said_of(content, name="customer/b.json"),
        said_of(WHOLE + b"\n"),
    ]
    hashes = [row["record_hash"] for each in said for row in each.rows]
    assert len(hashes) == len(set(hashes)) == 9
    assert said[0] == said_of(content + content)


# Flaws


@pytest.mark.parametrize("flaw", ["corrupt_gzip", "corrupt_zstd", "corrupt_bzip2", "too_long", "too_compressed"])
def test_what_is_cut_off_is_doubtful_and_counted_as_without_address(flaw):
    said = said_of(WHOLE[:-9], flaw=flaw)
    assert [(row["email"], row["doubt"]) for row in said.doubtful] == [(ADDRESS, flaw)]
    assert (said.tally.doubtful, said.tally.without_address, said.tally.rejected) == (1, 1, 0)
    said = said_of(b"", flaw=flaw)
    assert [row["reason"] for row in said.rejected] == [flaw]
    assert (said.tally.doubtful, said.tally.without_address, said.tally.rejected) == (0, 1, 1)


@pytest.mark.parametrize(
    "content",
    [
        b'{"email": "jane.doe#example.com", "agent": "bob@b.c"}',
        b'{"email": ["jane.doe"], "agent": "bob@b.c"}',
        b'{"email": "jane.doe#example.com", "EMAIL": "bob@b.c", "lastUpdateDate": 1655564376361}',
        b'{"email": "jane.doe\xff@example.com", "agent": "bob@b.c"}',
        b'{"email": ["bob@b.c", ["jane.doe"]]}',
        b'{"email": ["bob@b.c", 5]}',
        b'{"customers": [{"email": "bob@b.c"}, {"email": "jane.doe#example.com"}]}',
        b'{"customers": {"1": [[{"Email": "jane.doe"}]]}, "agent": "bob@b.c"}',
        b'{"email": null, "customer": {"email": ["jane.doe"]}, "agent": "bob@b.c"}',
        b'{"email": , "agent": "bob@b.c"}',
        b'{"email": 5, "agent": "bob@b.c"}',
        b'{"agent": "bob@b.c", "em',
        b"{'email': 'jane.doe', 'agent': 'bob@b.c'}",
    ],
)
def test_so_is_a_line_whose_email_cannot_be_read_whoever_else_it_names(content):
    said = said_of(content)
    assert [(row["email"], row["doubt"]) for row in said.doubtful] == [("bob@b.c", "unreadable_email")]
    assert (said.tally.doubtful, said.tally.without_address, said.tally.rejected) == (1, 1, 0)


@pytest.mark.parametrize(
    "content",
    [
        b'{"mail": "bob@b.c"}',
        b'{"email": null, "agent": "bob@b.c"}',
        b'{"email": ["bob@b.c"]}',
        b'{"email": [["bob@b.c"], "", null, {"of": ["Bob", "bob@b.c"]}]}',
        b'{"customers": [{"email": "bob@b.c"}, {"email": null}, {"email": " "}]}',
        b'{"email": "bob@b.c", "agent": {"email": "none"}}',
        b'{"email": "bob@b.c", "Email": "Bob <bob@b.c>"}',
        b"{'email': 'bob@b.c'}",
        b'{"Email" : "bob@b.c"',
        b'{"raw": "{\\"email\\": \\"bob@b.c\\"}"',
    ],
)
def test_a_line_whose_email_can_be_read_is_about_nobody_else(content):
    said = said_of(content)
    assert addresses(said) == ["bob@b.c"]
    assert said.doubtful[0]["doubt"] != "unreadable_email"
    assert said.tally.without_address == 0


def test_so_are_more_addresses_than_anybody_has():
    content = json.dumps({"mails": [f"{number:04}@b.c" for number in range(MAX_ADDRESSES + 1)]}).encode()
    said = said_of(content)
    assert addresses(said) == [f"{number:04}@b.c" for number in range(MAX_ADDRESSES)]
    assert (said.tally.doubtful, said.tally.without_address) == (1, 1)


@pytest.mark.parametrize("source", ["accelerometer", "step_trainer"])
def test_a_reading_is_never_doubtful(source):
    said = said_of(b'{"user": "a@b.c"\n{"user": "a@b.c"}\n', source)
    assert (len(said.rejected), said.tally.doubtful, said.tally.without_address) == (2, 0, 0)
    assert "doubt" not in said.rows[0]


some_lines = st.lists(st.binary(max_size=40) | st.text('"\\ua@b.c,:{}\0 \n', max_size=40).map(str.encode), max_size=5)


@settings(deadline=None, max_examples=50)
@given(content=some_lines.map(b"\n".join))
def test_every_customer_line_is_a_record_doubtful_rejected_or_blank(content):
    said = said_of(content)
    counted = len(said.records) + said.tally.doubtful + said.tally.rejected + said.tally.blank
    lines = content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
    assert (counted, said.tally.without_address) == (lines, said.tally.rejected)
    assert len({row["source_line"] for row in said.doubtful}) == said.tally.doubtful
