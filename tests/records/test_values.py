"""What a value is understood as: docs/records.md, "Values", sentence by sentence."""

import json
import string
import time
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from email.utils import format_datetime
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stedi_common.records import values
from stedi_common.records.values import (
    END_OF_9999,
    UNREADABLE,
    WRONG,
    Number,
    ValueFaultError,
    address,
    day,
    device,
    double,
    email,
    instant,
    integer,
    text,
)
from stedi_common.rules import identity

LATEST = datetime(2024, 6, 2, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TEN = datetime(2024, 3, 5, 10, tzinfo=UTC)


def milliseconds(moment):
    return (moment - EPOCH) // timedelta(milliseconds=1)


def outcome(understand, value):
    """What the value is understood as, or the reason why not."""
    try:
        return understand(value)
    except ValueFaultError as fault:
        return fault.reason


def read(value, latest=LATEST, **options):
    understood = outcome(partial(instant, latest=milliseconds(latest), **options), value)
    return EPOCH + timedelta(milliseconds=understood) if isinstance(understood, int) else understood


def decoded(line):
    return json.loads(line, parse_int=Number, parse_float=Number)


ALL = {
    "text": text,
    "address": address,
    "email": email,
    "device": device,
    "double": double,
    "integer": partial(integer, bits=64),
    "instant": partial(instant, latest=END_OF_9999),
    "day": day,
}
of_every_type = pytest.mark.parametrize("understand", ALL.values(), ids=ALL)


@of_every_type
@pytest.mark.parametrize("value", [None, "", " \t\n\v\f\r"])
def test_null_and_a_string_with_nothing_left_are_missing(understand, value):
    assert understand(value) is None


@of_every_type
@pytest.mark.parametrize("value", [True, False, [], ["1"], (), (("$date", "2024-03-05T10:00:00Z"),)])
def test_true_false_arrays_and_objects_are_unreadable(understand, value):
    assert outcome(understand, value) == UNREADABLE


@of_every_type
@pytest.mark.parametrize(
    "value",
    [
        Number("1" * 1001),
        Number("-" + "1" * 1001),
        Number("1." + "0" * 1000),
        Number("0." + "0" * 990 + "e+1000000000"),
        Number("1" * 1_000_000),
    ],
    ids=["whole", "negative", "fraction", "exponent", "a million"],
)
def test_a_number_with_too_many_digits_is_unreadable(understand, value):
    assert outcome(understand, value) == UNREADABLE


@pytest.mark.parametrize("understand", [ALL["double"], ALL["integer"], ALL["instant"]])
def test_a_string_of_a_number_with_too_many_digits_is_unreadable(understand):
    assert outcome(understand, "0." + "1" * 1_000_000) == UNREADABLE


def test_a_text_of_many_digits_is_a_text():
    assert text("1" * 5000) == "1" * 5000


def test_the_limit_of_digits_can_be_set():
    number = Number("1." + "0" * 1000)
    assert double(number, digits=1001) == 1.0
    assert outcome(partial(double, digits=49), Number("1" * 50)) == UNREADABLE
    assert double(Number("-" + "1" * 25 + "." + "1" * 22 + "e-10"), digits=49) == -1.1111111111111111e14
    assert instant(Number("1709632800." + "0" * 5000), END_OF_9999, digits=6000) == milliseconds(TEN)
    assert outcome(partial(integer, bits=32, digits=10**6), Number("1" * 10**6)) == UNREADABLE


@of_every_type
@pytest.mark.parametrize("unit", ["1", "ö", "a\u0316\u0300", "<", "-", "mailto:", "2024-03-05T10:00:00.0"])
def test_a_long_value_takes_little_time(understand, unit):
    """A second is far beyond what it takes, and far below what quadratic time would take."""
    before = time.process_time()
    outcome(understand, unit * (1_000_000 // len(unit)))
    assert time.process_time() - before < 1


@pytest.mark.parametrize(
    ("value", "understood"),
    [
        ("Ada.Finch@STEPS.example\u00a0", "ada.finch@steps.example"),
        ('"Ada" <ada.finch＠steps.example>', "ada.finch@steps.example"),  # noqa: RUF001
        ("\u200b", None),
        ("<>", None),
        ("ada", UNREADABLE),
        ("@steps.example", UNREADABLE),
        ("ada@", UNREADABLE),
        ("ada@steps.example, bob@steps.example", UNREADABLE),
        ("ada@\ud800.example", UNREADABLE),
        ("…ada@steps.example", UNREADABLE),
        ("ada.fin…@steps.example", UNREADABLE),
        ("ada@steps…", UNREADABLE),
        ("\u00b4ada@steps.example", UNREADABLE),
        ("ada@steps.example\u00b4", UNREADABLE),
        ("Ada <ada@steps.example\u00b8>", UNREADABLE),
        ("\u00b4Ada\u00b4 … <ada@steps.example>", "ada@steps.example"),
        ("\u00b4Ada\u00b4 … \uff1cada@steps.example\uff1e", "ada@steps.example"),
        (Number("12"), UNREADABLE),
    ],
)
def test_an_email_is_an_address_or_unreadable(value, understood):
    assert outcome(email, value) == understood


def test_an_email_has_no_sign_that_folding_takes_apart():
    """A space with a mark, or several signs of ASCII, would make another address of it, which is a stranger's."""
    for sign in map(chr, range(0x80, 0xD800)):
        folded = unicodedata.normalize("NFKC", sign)
        is_accent = folded[0] == " " and folded != " "
        is_punctuation = len(folded) > 1 and all(each in string.punctuation for each in folded)
        if is_accent or is_punctuation:
            assert outcome(email, f"ada{sign}@steps.example") == UNREADABLE, ascii(sign)


@pytest.mark.parametrize(
    ("value", "understood"),
    [
        (" ADA@x.example", "ada@x.example"),
        ("mailto:ada@x.example", "ada@x.example"),
        ("ADA", "ada"),
        (Number("12.0"), "12"),
        ("\u00ad", None),
    ],
)
def test_a_user_is_normalised_like_an_email(value, understood):
    assert address(value) == understood


@pytest.mark.parametrize(
    ("value", "understood"),
    [
        (Number("12"), "12"),
        ("12", "12"),
        (Number("12.0"), "12"),
        ("0007", "0007"),
        (Number("7"), "7"),
        (" SN-1\u00a0", "sn-1"),
        ("\ufeff", None),
    ],
)
def test_a_serial_number(value, understood):
    assert device(value) == understood


# Instants.

SPELLINGS_OF_TEN = [
    *("1709632800", "1709632800000", "1709632800000000", "1709632800000000000"),
    *("1709632800.0", "1.7096328e9", "1.7096328E12", "17096328e5", "1709632800000.9", "1709632800000999.9"),
    *("2024-03-05T10:00Z", "2024-03-05 10:00:00Z", "2024-03-05t10:00:00z", "2024-03-05T10:00:00.0Z"),
    *("2024-03-05T10:00:00.0009Z", "2024-03-05T10:00:00,000Z", "2024-03-05T10:00:00." + "0" * 10_000 + "Z"),
    *("2024-03-05T10:00:00UTC", "2024-03-05 10:00:00 UTC", "2024-03-05 10:00 GMT", "2024-03-05T10:00:00Z[UTC]"),
    *("2024-03-05 10:00:00+00", "2024-03-05 10:00:00 +0000", "2024-03-05T10:00:00-00:00", "2024-03-05T15:30+05:30"),
    *("2024-03-05T08:00:00\u221202:00", "2024-03-05T08:00:00-02", "2024-03-06T00:00:00+14:00", "2024-03-05T09:59:60Z"),
    *("20240305T1000Z", "20240305T100000Z", "20240305T110000+01", "20240305T110000 +0100"),
    *("Tue, 05 Mar 2024 10:00:00 GMT", "Tue, 5 Mar 2024 10:00 UT", "Tue, 05 Mar 2024 12:00:00 +0200"),
    *("/Date(1709632800000)/", " 2024-03-05T10:00Z\n", " 1709632800 "),
]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS_OF_TEN, ids=lambda spelling: ascii(spelling)[:40])
def test_a_spelling_of_an_instant(spelling):
    assert read(spelling) == TEN
    assert read(spelling, zone="Asia/Tokyo") == TEN


@pytest.mark.parametrize(
    ("spelling", "moment"),
    [
        ("2024-03-04T24:00Z", datetime(2024, 3, 5, tzinfo=UTC)),
        ("2024-02-28T24:00:00.000Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("20231231T240000Z", datetime(2024, 1, 1, tzinfo=UTC)),
        ("2016-12-31T23:59:60Z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("2016-12-31T23:59:60.25Z", datetime(2017, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC)),
        ("2024-02-29T00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2024-03-05T10:00:00,2509Z", TEN + timedelta(milliseconds=250)),
        ("2024-03-05T10:00:00.1Z", TEN + timedelta(milliseconds=100)),
        ("2024-03-05T10:00:00.999999999999Z", TEN + timedelta(milliseconds=999)),
        ("2000-01-01T00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
        ("1999-12-31T24:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
        ("946684800", datetime(2000, 1, 1, tzinfo=UTC)),
        ("946684800000000", datetime(2000, 1, 1, tzinfo=UTC)),
        ("2024-06-02T00:00:00.000999Z", LATEST),
        ("1717286400000999999", LATEST),
    ],
)
def test_an_instant(spelling, moment):
    assert read(spelling) == moment


# fmt: off
NO_INSTANTS = [
    "2024-03-05T10:00:00", "2024-03-05 10:00", "20240305T100000", "2024-03-05", "20240305Z", "2024-03-05Z",
    "2024-03-05T10Z", "10:00Z", "2024-03Z", "03/05/2024 10:00:00", "05.03.2024 10:00Z",
    "Mar 5 2024 10:00 UTC", "2024-3-5T10:00Z", "2024-W10-2T10:00Z", "2024-02-30T10:00Z", "2023-02-29T10:00Z",
    "2024-13-01T10:00Z", "0000-01-01T00:00Z", "20240230T1000Z", "2024-03-05T25:00Z", "2024-03-05T24:01Z",
    "2024-03-05T24:00:01Z", "2024-03-05T24:00:00.1Z", "2024-03-05T24:00:60Z", "2024-03-05T10:60Z",
    "2024-03-05T10:00:61Z", "2024-03-05T10:00:00.Z", "2024-03-05T10:00.5Z", "2024-03-05T1000Z",
    "2024-03-05T10:00+24:00", "2024-03-05T10:00+01:60", "2024-03-05T10:00+1", "2024-03-05T10:00+010",
    "2024-03-05T10:00+01:", "2024-03-05T10:00  Z", "2024-03-05T10:00 Z[UTC]]", "2024-03-05T10:00[UTC]",
    "2024-03-05T10:00Z[Europe/Berlin]", "2024-03-05T10:00 CET", "2024-03-05T10:00utc",
    "2024-03-05T10:00 Zulu", "2024-03-05T10:00UTC+1", "2024-03-05T10:00\u201302:00", "2024-03-05  10:00Z",
    "2024-03-05_10:00Z", "+2024-03-05T10:00Z", "\u0662024-03-05T10:00Z", "2024-03-05T10:00Z\u00a0",
    "Mon, 05 Mar 2024 10:00:00 GMT", "Tue, 05 Mär 2024 10:00:00 GMT", "Tue, 05 Mar 24 10:00:00 GMT",
    "Tue, 05 Mar 2024 10:00:00", "Tue, 05 Mar 2024 10:00:00 EST", "05 Mar 2024 10:00:00 GMT",
    "Fri, 30 Feb 2024 10:00:00 GMT", "tue, 05 mar 2024 10:00:00 gmt", "/Date(soon)/", "/Date()/",
    "Date(1709632800000)", "/Date(1709632800000+0100)/", "/Date(1709632800.5)/", "soon", "null", "None",
    "NaN", "true", "1_709_632_800", "01709632800", "0x65e6e2a0", "1709632800 s", "+1709632800",
]
WRONG_NUMBERS = [
    "0", "-1", "-1709632800000", "1", "946684799", "946684799.9999999999999999999999", "946684799999",
    "946684799999999", "1717286400001", "1717286400.001", "1717286400001000", "99999999999.99999999",
    "99999999999999.9999", "1e999", "-1e999", "253402300800000000000", "1e400000000", "1e-400000000",
    "1e99999999999999999999", "9" * 1000,
]
WRONG_STRINGS = [
    "1999-12-31T23:59:59.999Z", "2024-06-02T00:00:00.001Z", "0001-01-01T00:00+23:59",
    "9999-12-31T23:59:59-23:59", "9999-12-31T24:00Z", "Thu, 01 Jan 1970 00:00:00 GMT", "/Date(0)/",
    "/Date(-1709632800000)/", "/Date(1709632800)/", "/Date(1709632800000000)/", f"/Date({'9' * 1000})/",
]
# fmt: on


@pytest.mark.parametrize("spelling", NO_INSTANTS)
def test_an_instant_without_a_zone_or_sense_is_unreadable(spelling):
    assert read(spelling) == UNREADABLE


@pytest.mark.parametrize("value", WRONG_NUMBERS, ids=lambda value: value[:30])
def test_a_number_before_2000_or_more_than_a_day_after_the_arrival_is_wrong(value):
    assert read(value) == read(Number(value)) == WRONG


@pytest.mark.parametrize("value", WRONG_STRINGS, ids=lambda value: value[:30])
def test_a_string_before_2000_or_more_than_a_day_after_the_arrival_is_wrong(value):
    assert read(value) == WRONG


def test_a_number_of_microsoft_is_milliseconds_whatever_its_size():
    assert read("/Date(946684800000)/") == datetime(2000, 1, 1, tzinfo=UTC)
    assert read(f"/Date({'0' * 500}1709632800000)/") == TEN
    assert read(f"/Date({'0' * 1000}1709632800000)/") == UNREADABLE  # digits are limited here too


@pytest.mark.parametrize(
    ("spelling", "understood"),
    [
        ("9999-12-31T23:59:59.999Z", END_OF_9999),
        ("9999-12-31T24:00Z", WRONG),
        ("9999-12-31T23:59-00:01", WRONG),
        ("253402300799999999999", END_OF_9999),
        ("253402300800000000000", WRONG),
        ("/Date(253402300799999)/", END_OF_9999),
        ("1999-12-31T23:59Z", WRONG),
        ("1796521034568", 1796521034568),
        # A number is of the next unit from here on.
        ("99999999999", 99_999_999_999_000),
        ("99999999999.9999", 99_999_999_999_999),
        ("100000000000", WRONG),
        ("99999999999999.9999", 99_999_999_999_999),
        ("100000000000000", WRONG),
        ("99999999999999999.9999", 99_999_999_999_999),
        ("100000000000000000", WRONG),
        ("1e18", 1_000_000_000_000),
    ],
)
def test_what_may_begin_later_may_do_so_up_to_the_year_9999(spelling, understood):
    assert outcome(partial(instant, latest=END_OF_9999), spelling) == understood


MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2024, 6, 1), timezones=st.just(UTC))


@given(MOMENTS, st.sampled_from([1, 1000, 10**6, 10**9]), st.decimals(0, Decimal("0.999"), places=3))
def test_a_number_is_exact_in_every_unit(moment, per_second, rest):
    microseconds = (moment - EPOCH) // timedelta(microseconds=1)
    amount = Decimal(microseconds) * per_second / 10**6 + rest * (per_second == 10**9)
    cut = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    plain, scientific = f"{amount:f}", f"{amount:E}"
    assert {read(Number(plain)), read(plain), read(Number(scientific)), read(f" {scientific}\n")} == {cut}


OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@st.composite
def written(draw, moment):
    """The moment as some system writes it, and what it is cut to."""
    there = moment.astimezone(draw(OFFSETS))
    sign, hours, minutes = there.strftime("%z")[0], there.strftime("%z")[1:3], there.strftime("%z")[3:5]
    zones = [f"{sign}{hours}{minutes}", f"{sign}{hours}:{minutes}"] + ([f"{sign}{hours}"] if minutes == "00" else [])
    zone = draw(st.sampled_from(zones)).replace("-", draw(st.sampled_from("-\u2212")))
    if draw(st.booleans()):
        there, zone = moment, draw(st.sampled_from(["Z", "z", "UTC", "GMT", "Z[UTC]"]))
    space = draw(st.sampled_from(["", " "]))
    if draw(st.booleans()):
        return f"{there:%Y%m%dT%H%M%S}{space}{zone}", moment.replace(microsecond=0)
    clock = f"{there:%Y-%m-%d}{draw(st.sampled_from('Tt '))}{there:%H:%M:%S}"
    point = draw(st.sampled_from(".,"))
    nanoseconds = f"{there.microsecond:06d}{draw(st.integers(0, 999)):03d}"
    return f"{clock}{point}{nanoseconds}{space}{zone}", moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@given(st.data(), MOMENTS)
def test_every_spelling_with_a_zone_is_the_same_instant(data, moment):
    spelling, expected = data.draw(written(moment))
    assert read(spelling) == expected
    assert read(spelling, zone="Pacific/Auckland") == expected


@given(MOMENTS, OFFSETS)
def test_an_rfc_1123_date(moment, offset):
    expected = moment.replace(microsecond=0)
    assert read(format_datetime(moment, usegmt=True)) == expected
    assert read(format_datetime(moment.astimezone(offset))) == expected


@pytest.mark.parametrize(
    ("spelling", "understood"),
    [
        ("2024-03-05T11:00:00", TEN),
        ("2024-03-05 11:00", TEN),
        ("20240305T1100", TEN),
        ("2024-05-05T12:00:00,25", datetime(2024, 5, 5, 10, 0, 0, 250_000, tzinfo=UTC)),
        ("2024-03-05T24:00", datetime(2024, 3, 5, 23, tzinfo=UTC)),
        ("2024-03-31T01:59:60", UNREADABLE),  # the minute after is the first that never was
        ("2024-03-31T01:59:59", datetime(2024, 3, 31, 0, 59, 59, tzinfo=UTC)),
        ("2024-03-31T02:00:00", UNREADABLE),
        ("2024-03-31T02:59:59.999", UNREADABLE),
        ("2024-03-31T03:00:00", datetime(2024, 3, 31, 1, tzinfo=UTC)),
        ("2023-10-29T01:59:59.999", datetime(2023, 10, 28, 23, 59, 59, 999_000, tzinfo=UTC)),
        ("2023-10-29T02:00:00", UNREADABLE),  # twice
        ("2023-10-29T02:59:59.999", UNREADABLE),
        ("2023-10-29T03:00:00", datetime(2023, 10, 29, 2, tzinfo=UTC)),
        ("1999-12-31T23:00", WRONG),
        ("2000-01-01T01:00", datetime(2000, 1, 1, tzinfo=UTC)),
        ("0001-01-01T00:00", WRONG),
        ("9999-12-31T24:00", WRONG),
        ("2024-03-05", UNREADABLE),
        ("Tue, 05 Mar 2024 11:00:00", UNREADABLE),
    ],
)
def test_a_local_time_is_of_the_zone_of_its_source(spelling, understood):
    assert read(spelling, zone="Europe/Berlin") == understood


#: Half hours, a change of the zone itself (a day that never was, and one that was twice), a change at midnight.
ZONES = [
    "America/New_York",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Beirut",
    "America/Caracas",
    "UTC",
]


MIDNIGHTS = st.dates(date(2000, 1, 2), date(2024, 6, 1)).map(lambda day: datetime(*day.timetuple()[:3], tzinfo=UTC))


@given(st.sampled_from(ZONES), st.one_of(MOMENTS, MIDNIGHTS), st.integers(-240, 240))
def test_a_local_time_is_read_if_it_occurred_once(zone, moment, shift):
    region = ZoneInfo(zone)
    clock = (moment.astimezone(region).replace(tzinfo=None) + timedelta(minutes=shift)).replace(microsecond=0)
    around = (clock.replace(tzinfo=UTC) + timedelta(hours=hours) for hours in range(-40, 41))
    offsets = {there.astimezone(region).utcoffset() for there in around}
    occurrences = [
        there
        for there in (clock.replace(tzinfo=UTC) - offset for offset in offsets)
        if there.astimezone(region).replace(tzinfo=None) == clock
    ]
    expected = occurrences[0] if len(occurrences) == 1 else UNREADABLE
    if expected != UNREADABLE and expected < datetime(2000, 1, 1, tzinfo=UTC):
        expected = WRONG
    assert read(clock.isoformat(), zone=zone) == expected


CLOCKS = st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2})?(Z|[+-][0-9]{2})?", fullmatch=True)


@given(st.one_of(st.text(), CLOCKS))
def test_whatever_a_string_holds_it_is_understood_or_has_a_reason(string):
    for understand in (*ALL.values(), partial(instant, latest=END_OF_9999, zone="Europe/Berlin")):
        understood = outcome(understand, string)
        assert understood is None or isinstance(understood, str | float | int | date)


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?([eE][+-]?[0-9]{1,12})?", fullmatch=True))
def test_whatever_a_number_is_it_is_understood_or_has_a_reason(number):
    for understand in ALL.values():
        for value in (decoded(number), number):
            understood = outcome(understand, value)
            assert understood is None or isinstance(understood, str | float | int | date)


# The other types.


@pytest.mark.parametrize(
    ("value", "understood"),
    [
        (" É a\u00a0\n", "É a\u00a0"),
        ("A\x00da", "A\x00da"),
        (Number("8015551212"), "8015551212"),
        (Number("8015551212.0"), "8015551212"),
        (Number("8.015551212e9"), "8015551212"),
        (Number("-0"), "0"),
        (Number("0e999999"), "0"),
        (Number("9" * 40), "9" * 40),
        (Number("9" * 41), UNREADABLE),
        (Number("0.5"), UNREADABLE),
        (Number("1e999999"), UNREADABLE),
        ("\ud83d", UNREADABLE),  # half of a pair
    ],
)
def test_text(value, understood):
    assert outcome(text, value) == understood


@pytest.mark.parametrize(
    ("value", "understood"),
    [
        ("-1.5E+2", -150.0),
        ("-0.0", 0.0),
        ("1e-400", 0.0),
        ("1e999", UNREADABLE),
        ("1e", UNREADABLE),
        ("NaN", UNREADABLE),
    ],
)
def test_double(value, understood):
    assert repr(outcome(double, value)) == repr(understood)
    if understood != UNREADABLE:
        assert repr(double(Number(value))) == repr(understood)


@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("excess", [0, 1])
def test_int_and_long(bits, excess):
    for edge in (2 ** (bits - 1) - 1 + excess, -(2 ** (bits - 1)) - excess):
        expected = UNREADABLE if excess else edge
        for value in (str(edge), Number(edge), Number(f"{edge}.000"), f"{edge}0e-1"):
            assert outcome(partial(integer, bits=bits), value) == expected
    assert outcome(partial(integer, bits=bits), "1.0000000000000000000000000001") == UNREADABLE


@pytest.mark.parametrize(
    ("value", "understood"),
    [
        ("1980-02-03", date(1980, 2, 3)),
        ("993-01-01", date(993, 1, 1)),
        ("1-01-01", date(1, 1, 1)),
        ("0-01-01", UNREADABLE),
        ("10000-01-01", UNREADABLE),
        ("1980-2-3", UNREADABLE),
        ("1980-02-30", UNREADABLE),
        ("1980-02-03T00:00Z", UNREADABLE),
        (Number("1980"), UNREADABLE),
    ],
)
def test_date(value, understood):
    assert outcome(day, value) == understood


@given(st.from_regex(values._USUAL_EMAIL, fullmatch=True), st.from_regex(values._USUAL_DEVICE, fullmatch=True))
def test_what_is_written_as_usual_is_normalised_by_lower_casing_alone(an_email, a_device):
    assert email(an_email) == identity.address(an_email) == an_email.lower()
    assert identity.is_address(an_email.lower())
    assert device(a_device) == identity.device(a_device) == a_device.lower()
