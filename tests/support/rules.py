"""The rules of docs/rules.md, each with hand-written histories and the rows that must come of them.

No row here was computed: it is what the rule's sentence says. The oracle and both engines answer to the same list.
"""

import bz2
import gzip
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from support.drops import ARRIVED, at, customer, drop, landing, line_of, reading, step

from stedi_common.rules.policy import Policy

ANN, BOB, CLEO, DAN = "ann@example.org", "bob@example.org", "cleo@example.org", "dan@example.org"
SN1, SN2, SN3 = "sn-1", "sn-2", "sn-3"
KEY = bytes(range(32))
#: Rejected lines have a key of their own, so that no pseudonym can be made from a line. It is derived from the other:
#: printf 'stedi rejected content' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f
CONTENT_KEY = bytes.fromhex("787b16f495ba483ec331448beabddaba4c2ff30d1242eb8ee6220d134f7ffafa")

AS_OF, AS_OF_TIMESTAMP = Policy(), Policy(pairing="timestamp")
EVER, EVER_TIMESTAMP = Policy(consent="ever"), Policy(consent="ever", pairing="timestamp")

DAY, HOUR, MILLISECOND = timedelta(days=1), timedelta(hours=1), timedelta(milliseconds=1)


class Rows(NamedTuple):
    """What a table must hold, all of it, in some of its columns: a bag of tuples."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]

    @property
    def bag(self) -> Counter[tuple[Any, ...]]:
        return Counter(self.rows)


@dataclass(frozen=True)
class Rule:
    """A history, its policy, and the tables that must come of it. Tables not named may hold anything."""

    id: str
    sentence: str
    runs: Sequence[Mapping[str, bytes]]
    expected: dict[str, Rows]
    policy: Policy = field(default_factory=Policy)

    @property
    def arrived_at(self) -> list[datetime]:
        """When each run begins: a day apart."""
        return [ARRIVED + DAY * run for run in range(len(self.runs))]


def rows(columns: str, *found: Any) -> Rows:
    """`rows("user x", (ANN, 1.0))`, and of one column `rows("user", ANN)`."""
    return Rows(tuple(columns.split()), [row if isinstance(row, tuple) else (row,) for row in found])


def pseudonym(email: str) -> str:
    """What the pseudonyms below are under KEY. Rule 10 has one written out."""
    return hmac.new(KEY, email.encode(), hashlib.sha256).hexdigest()


def content_hash(line: bytes) -> str:
    return hmac.new(CONTENT_KEY, line, hashlib.sha256).hexdigest()


def consenting(email: str, serial: str | None = None, since: datetime = at("10:00")) -> dict[str, Any]:  # noqa: B008
    """A customer who consented when they registered."""
    return customer(email, since, since, serial)


def june(clock: str, day: int) -> datetime:
    """An instant in June 2024, on whose first day the first run begins, and each other a day later."""
    return at(clock, day) + 31 * DAY


WALK = [reading(ANN, at("12:00"))]


def all_one_person(rule: str, sentence: str, email: str, *spelled: str) -> Rule:
    """Spellings of one address, each by a customer's record and by a reading of its own."""
    numbers = range(len(spelled))
    return Rule(
        rule,
        sentence,
        [
            landing(
                [customer(spelling, at("10:00"), phone=number) for number, spelling in enumerate(spelled)],
                [reading(spelling, at("12:00"), float(number)) for number, spelling in enumerate(spelled)],
            )
        ],
        {
            "customer_landing": rows("email phone", *((email, str(number)) for number in numbers)),
            "accelerometer_landing": rows("user x", *((email, float(number)) for number in numbers)),
        },
    )


IDENTITY = [
    Rule(
        "1-spelling-does-not-matter",
        "email, user and serialnumber are normalised once, at landing: white space and letter case make no difference.",
        [
            landing(
                [customer(" Ann@Example.ORG\t", at("10:00"), at("10:00"), "\n SN-1")],
                [reading("ANN@example.org  ", at("12:00"))],
                [step("Sn-1\r", at("12:00"))],
            )
        ],
        {
            "customer_landing": rows("email serialnumber", (ANN, SN1)),
            "accelerometer_landing": rows("user", ANN),
            "step_trainer_landing": rows("serialnumber", SN1),
            "machine_learning_curated": rows("pseudonym distancefromobject", (pseudonym(ANN), 100)),
        },
    ),
    all_one_person(
        "1-letter-case-of-every-alphabet",
        "Letters beyond ASCII have a case too, and some are two letters in the other one.",
        "jürgen.strasse@example.org",
        *("JÜRGEN.STRASSE@EXAMPLE.ORG", "Jürgen.Straße@example.org", "JÜRGEN.STRA\u1e9eE@example.org"),
    ),
    all_one_person(
        "1-unicode-form-makes-no-difference",
        "Composed or not, in full width or not, a letter is one letter, and the Kelvin sign is a k.",
        "jürk@example.org",
        *("ju\u0308rk@example.org", "JU\u0308RK@example.org", "jürk\uff20example.org", "jür\u212a@example.org"),
        "\uff4a\u00fc\uff52\uff4b@example.org",
    ),
    all_one_person(
        "1-what-nobody-sees-makes-no-difference",
        "White space of Unicode, default-ignorable code points and control characters are no part of an address.",
        ANN,
        *("\u00a0ann@example.org", "ann\u2003@example.org", "ann@example.org\u3000", "an n@example .org"),
        *("ann\u200b@example.org", "\ufeffann@example.org", "ann@exam\u00adple.org", "a\u2060nn\u200d@example.org"),
        *("ann@example.org\u0000", "\u0007ann@example.org\u009f", "\u202eann@example.org\u202c"),
    ),
    all_one_person(
        "1-what-is-around-an-address",
        "mailto:, a display name with its angle brackets, and a separator at the end are no part of an address.",
        ANN,
        *("mailto:ann@example.org", "MAILTO:Ann@example.org?subject=leave", "<ann@example.org>"),
        *("Ann Walker <Ann@example.org>", '"Walker, Ann" <ann@example.org>'),
        *("ann@example.org;", "ann@example.org,", "ann@example.org."),
    ),
    all_one_person(
        "1-a-domain-is-written-in-ascii",
        "The domain of an address is written as IDNA writes it.",
        "ann@xn--bcher-kva.example",
        *("ann@bücher.example", "ANN@BÜCHER.EXAMPLE", "ann@bu\u0308cher.example", "ann@XN--BCHER-KVA.example"),
    ),
    Rule(
        "1-a-refusal-is-heard-however-the-address-is-spelled",
        "Whatever spelling consented and whatever spelling refuses, they are one person.",
        [
            landing(
                [consenting("jürgen@example.org"), consenting(ANN), consenting(BOB)],
                [
                    reading(person, at("12:00"))
                    for person in ("JÜRGEN@example.org", "Ann@Example.org", " bob@example.org")
                ],
            ),
            landing(
                [
                    customer("JU\u0308RGEN\uff20example.org", at("13:00")),
                    customer("an\u200bn@example.org", at("13:00")),
                ],
                name="2",
            ),
        ],
        {"customer_trusted": rows("email", BOB), "accelerometer_trusted": rows("user", BOB)},
    ),
    Rule(
        "1-serial-numbers-are-normalised-too",
        "A device is one however its number is spelled; what belongs to addresses only stays.",
        [
            landing(
                [consenting(ANN, "\uff33\uff2e-1")],
                WALK,
                [step("sn\u00ad-1", at("12:00"), 10), step("\u00a0SN-1", at("13:00"), 20), step(1.0, at("12:00"), 30)],
            )
        ],
        {
            "customer_landing": rows("email serialnumber", (ANN, SN1)),
            "step_trainer_landing": rows("serialnumber distancefromobject", (SN1, 10), (SN1, 20), ("1", 30)),
            "step_trainer_trusted": rows("serialnumber distancefromobject", (SN1, 10), (SN1, 20)),
        },
    ),
    Rule(
        "1-an-email-is-an-address",
        "An email has exactly one @, and something before and after it; a domain needs no dot. A user may be anything.",
        [
            landing(
                [customer(email, at("10:00")) for email in ("ann", "ann@", "@example.org", "a@b@c", "ann@localhost")],
                [reading("ann", at("12:00"))],
            )
        ],
        {
            "customer_landing": rows("email source_line", ("ann@localhost", 5)),
            "rejected_records": rows(
                "source_line reason rejected_column", *((line, "unreadable_value", "email") for line in (1, 2, 3, 4))
            ),
            "accelerometer_landing": rows("user", "ann"),
            "landed_files": rows("source landed without_address", ("customer", 1, 4), ("accelerometer", 1, 0)),
        },
    ),
    Rule(
        "1-empty-is-missing",
        "An identity in which nothing is left is missing; a missing device is nobody's.",
        [
            landing(
                [
                    customer(" ", at("10:00")),
                    consenting(ANN, " "),
                    consenting(BOB, ""),
                    consenting(CLEO, "\u00a0\u200b"),
                ],
                [reading("", at("12:00")), *WALK, reading(BOB, at("12:00")), reading("\u200b", at("12:00"))],
                [step("\t", at("12:00")), step(SN1, at("12:00")), step("\u3000", at("12:00"))],
            )
        ],
        {
            "customer_landing": rows("email serialnumber", (ANN, None), (BOB, None), (CLEO, None)),
            "rejected_records": rows(
                "source source_line reason rejected_column",
                ("customer", 1, "missing_value", "email"),
                ("accelerometer", 1, "missing_value", "user"),
                ("accelerometer", 4, "missing_value", "user"),
                ("step_trainer", 1, "missing_value", "serialnumber"),
                ("step_trainer", 3, "missing_value", "serialnumber"),
            ),
            "landed_files": rows("source nulled_values", ("customer", 0), ("accelerometer", 0), ("step_trainer", 0)),
            "step_trainer_trusted": rows("serialnumber"),
        },
    ),
    Rule(
        "1-a-changed-address-is-somebody-without-consent",
        "The new address has no consent until it gives it; the old one keeps its own.",
        [
            landing(
                [consenting(ANN), customer(BOB, at("11:00"))],
                [reading(ANN, at("12:00")), reading(BOB, at("12:00"))],
            ),
            landing([customer(BOB, at("13:00"), at("13:00"))], [reading(BOB, at("13:00"))], name="2"),
        ],
        {
            "customer_trusted": rows("email consent_start", (ANN, at("10:00")), (BOB, at("13:00"))),
            "accelerometer_trusted": rows("user timestamp", (ANN, at("12:00")), (BOB, at("13:00"))),
        },
    ),
]

NOON = datetime(2024, 5, 1, 12, 0, 0, 123000)


def all_read_as(rule: str, sentence: str, instant: datetime, *written: Any) -> Rule:
    """Spellings of one instant, each by a reading of its own."""
    return Rule(
        rule,
        sentence,
        [landing([], [reading(ANN, spelling, float(x)) for x, spelling in enumerate(written)])],
        {
            "accelerometer_landing": rows("timestamp x", *((instant, float(x)) for x in range(len(written)))),
            "rejected_records": rows("reason"),
        },
    )


def all_rejected(rule: str, sentence: str, reason: str, *written: Any) -> Rule:
    """Instants that nobody can take, each in a reading of its own."""
    lines = range(1, len(written) + 1)
    return Rule(
        rule,
        sentence,
        [landing([], [], [step(SN1, spelling) for spelling in written])],
        {
            "step_trainer_landing": rows("serialnumber"),
            "rejected_records": rows(
                "source_line reason rejected_column", *((line, reason, "sensorreadingtime") for line in lines)
            ),
        },
    )


TIME = [
    all_read_as(
        "2-a-number-is-read-by-its-size",
        "Below 1e11 it is seconds, below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds; as a text too.",
        NOON,
        *(1714564800123, 1714564800123.0, 1714564800.123, "1714564800123", "1714564800.123", "1.714564800123e12"),
        *(1714564800123000, "1714564800123000", 1714564800123000000, "1.714564800123e18"),
    ),
    all_read_as(
        "2-kept-to-the-millisecond",
        "What is finer than a millisecond is cut, not rounded.",
        NOON,
        *(1714564800123.9, "1714564800.1239", "2024-05-01T12:00:00.123999Z", "2024-05-01T12:00:00.1239999999999Z"),
        *(1714564800123999, 1714564800123999999),
    ),
    all_read_as(
        "2-a-string-has-its-zone",
        "A string needs its zone, and is kept in UTC.",
        at("12:00"),
        *("2024-05-01T12:00Z", "2024-05-01 12:00:00Z", "2024-05-01T14:00:00.000+02:00", "2024-05-01T06:30:00-0530"),
    ),
    all_read_as(
        "2-zones-have-many-spellings",
        "Z and UTC and GMT, hours alone, a blank before, and the minus sign of Unicode.",
        at("12:00"),
        *("2024-05-01t12:00:00z", "2024-05-01T12:00:00 UTC", "2024-05-01T12:00:00GMT", "2024-05-01T12:00:00Z[UTC]"),
        *("2024-05-01T14:00:00+02", "2024-05-01 14:00:00 +02", "2024-05-01T10:00:00\u221202:00"),
    ),
    all_read_as(
        "2-instants-of-other-standards",
        "The basic form of ISO 8601, a comma before the fraction, RFC 1123, and what .NET writes.",
        at("12:00"),
        *("20240501T1200Z", "20240501T120000+0000", "2024-05-01T12:00:00,000Z", "Wed, 01 May 2024 12:00:00 GMT"),
        "/Date(1714564800000)/",
    ),
    all_read_as(
        "2-a-day-and-a-minute-may-be-written-by-their-end",
        "24:00 is the next day's midnight, second 60 the next minute's.",
        at("00:00"),
        *("2024-04-30T24:00Z", "2024-04-30T24:00:00Z", "2024-04-30T23:59:60Z", "2024-05-01T00:00Z"),
    ),
    all_read_as(
        "2-a-zone-can-change-the-day",
        "The instant is UTC's, whatever day it is where it was written.",
        datetime(2024, 4, 30, 22, 30),
        *("2024-05-01T00:30:00+02:00", "2024-04-30T22:30:00Z", "2024-04-30T12:00-10:30"),
    ),
    all_rejected(
        "2-a-string-without-a-zone-is-unreadable",
        "Nobody knows which instant it is.",
        "unreadable_value",
        *("2024-05-01T12:00:00", "2024-05-01", "2024-05-01T12:00:00 Paris", "2024-02-30T12:00Z", "2024-05-01T12:60Z"),
        *("2024-05-01T24:01Z", "2024-05-01T12:00:61Z"),
        *("noon", True, [], {}, "1714564800123ms", "+1714564800"),
    ),
    all_rejected(
        "2-before-2000-is-wrong",
        "An instant before 2000 is wrong, one far in the future as well.",
        "wrong_instant",
        *(0, -1, 946684799, 946684799.999, 946684799999, "1999-12-31T23:59:59.999Z", "2000-01-01T00:00+00:01"),
        *(99999999999, 100000000000, 10**14, 10**17, 1e300),
    ),
    all_read_as(
        "2-the-year-2000-has-begun",
        "The first instant of 2000 is right.",
        datetime(2000, 1, 1),
        *(946684800, 946684800000, 946684800000000, 946684800000000000),
        *("2000-01-01T00:00Z", "1999-12-31T23:00:00-01:00"),
    ),
    Rule(
        "2-a-day-after-arrival-is-the-last-right-instant",
        "An instant more than a day after its recorded arrival is wrong. A later arrival can take it.",
        [
            landing([], [reading(ANN, ARRIVED + DAY, 1.0), reading(ANN, ARRIVED + DAY + MILLISECOND, 2.0)]),
            landing([], [reading(ANN, ARRIVED + DAY + MILLISECOND, 3.0)], name="2"),
        ],
        {
            "accelerometer_landing": rows("timestamp x", (ARRIVED + DAY, 1.0), (ARRIVED + DAY + MILLISECOND, 3.0)),
            "rejected_records": rows(
                "source_file source_line reason rejected_column",
                ("accelerometer/1.json", 2, "wrong_instant", "timestamp"),
            ),
        },
    ),
]

#: The last millisecond of the year 9999, and the one after it: in nanoseconds, for smaller numbers are of another unit.
LAST, AFTER_LAST = 253402300799_999 * 10**6, 253402300800_000 * 10**6

TIME += [
    Rule(
        "2-a-consent-may-begin-later",
        "A consent of the future is kept and begins then, until the year 9999. Another instant of the future is wrong.",
        [
            landing(
                [
                    customer(ANN, at("10:00"), june("06:00", 2), registrationDate=june("06:00", 9)),
                    customer(BOB, at("10:00"), LAST),
                    customer(CLEO, at("10:00"), AFTER_LAST),
                ],
                [reading(ANN, at("12:00"))],
            ),
            landing([], [reading(ANN, june("05:59:59.999", 2)), reading(ANN, june("06:00", 2))], name="2"),
        ],
        {
            "customer_landing": rows(
                "email sharewithresearchasofdate registrationdate",
                (ANN, june("06:00", 2), None),
                (BOB, datetime(9999, 12, 31, 23, 59, 59, 999000), None),
                (CLEO, None, None),
            ),
            "landed_files": rows(
                "source_file nulled_values",
                ("customer/1.json", 2),
                ("accelerometer/1.json", 0),
                ("accelerometer/2.json", 0),
            ),
            "customer_trusted": rows(
                "email consent_start", (ANN, june("06:00", 2)), (BOB, datetime(9999, 12, 31, 23, 59, 59, 999000))
            ),
            "accelerometer_trusted": rows("timestamp", june("06:00", 2)),
        },
    ),
]

CUSTOMER_RECORDS = [
    Rule(
        "3-without-an-email-or-its-date-a-line-is-no-record",
        "A line that is no record is doubtful if it has an address, else rejected: nobody knows whose refusal it was.",
        [
            landing(
                [
                    customer(None, at("10:00")),
                    customer(ANN, None),
                    customer(ANN, "yesterday"),
                    customer(ANN, 0),
                    customer(["ann"], None),
                    customer(ANN, at("10:00")),
                ]
            )
        ],
        {
            "customer_landing": rows(
                "email doubt source_line lastupdatedate",
                (ANN, "missing_value", 2, None),
                (ANN, "unreadable_value", 3, None),
                (ANN, "wrong_instant", 4, None),
                (ANN, None, 6, at("10:00")),
            ),
            "rejected_records": rows(
                "source_line reason rejected_column", (1, "missing_value", "email"), (5, "unreadable_value", "email")
            ),
            "landed_files": rows("lines landed rejected doubtful without_address", (6, 4, 2, 3, 2)),
        },
    ),
    Rule(
        "3-a-key-that-occurs-twice-is-doubt",
        "A known key that occurs twice, in any case, is doubt, whatever its values. An unknown one is not.",
        [
            landing(
                [
                    '{"email":"ann@example.org","Email":"ann@example.org","lastUpdateDate":1714557600}',
                    '{"email":"ann@example.org","EMAIL":"bob@example.org","lastUpdateDate":1714557600}',
                    '{"email":"cleo@example.org","phone":"1","PHONE":"1","lastUpdateDate":1714557600}',
                    '{"email":"dan@example.org","lastUpdateDate":1714557600,"lastupdatedate":1714557600}',
                    '{"email":"ann","lastUpdateDate":1714557600,"phone":"1","Phone":"2","EMAIL":null}',
                    '{"lastUpdateDate":1714557600,"LASTUPDATEDATE":1714557600,"phone":"1","Phone":"2"}',
                    '{"email":"ann@example.org","lastUpdateDate":1714557600,"pet":1,"pet":2}',
                ]
            )
        ],
        {
            "customer_landing": rows(
                "email doubt source_line phone lastupdatedate",
                (ANN, "duplicate_key", 1, None, at("10:00")),
                (ANN, "duplicate_key", 2, None, at("10:00")),
                (BOB, "duplicate_key", 2, None, at("10:00")),
                (CLEO, "duplicate_key", 3, None, at("10:00")),
                (DAN, "duplicate_key", 4, None, None),
                (ANN, None, 7, None, at("10:00")),
            ),
            "rejected_records": rows(
                "source_line reason rejected_column", (5, "duplicate_key", "email"), (6, "duplicate_key", "phone")
            ),
            # Of Bob, Cleo and Dan there is no record. Line 2 is about Ann as well, who is known.
            "landed_files": rows("lines landed rejected doubtful without_address", (7, 5, 2, 4, 4)),
        },
    ),
    Rule(
        "3-a-doubtful-object-lands-with-what-was-understood",
        "A doubtful line that is an object has all values that were understood. What was not is not counted as nulled.",
        [
            landing(
                [
                    customer(
                        *(" Ann@example.org", "soon", at("09:00"), "SN-1"),
                        phone=5550100,
                        birthDay="1.5.1990",
                        registrationDate=at("08:00"),
                    )
                ]
            )
        ],
        {
            "customer_landing": rows(
                "email phone birthday serialnumber registrationdate lastupdatedate sharewithresearchasofdate doubt",
                (ANN, "5550100", None, SN1, at("08:00"), None, at("09:00"), "unreadable_value"),
            ),
            "landed_files": rows("lines landed nulled_values doubtful without_address", (1, 1, 0, 1, 1)),
        },
    ),
    Rule(
        "3-an-address-under-any-key",
        "Without an email that is understood, every string that is an address counts, if its domain has a dot.",
        [
            landing(
                [
                    {"user": "Ann@Example.org", "lastUpdateDate": at("10:00")},
                    {"e-mail": {"of": [["mailto:ann@example.org"], "bob@example.org", "x@localhost", "no address"]}},
                    customer("ann", at("10:00"), None, customerName="Ann <ann@example.org>", phone="ANN@example.org"),
                    customer(ANN, None, None, customerName=BOB),
                    {"user": "x@localhost", "lastUpdateDate": at("10:00"), "ann@example.org": "a key"},
                ]
            )
        ],
        {
            "customer_landing": rows(
                "email doubt source_line",
                (ANN, "missing_value", 1),
                (ANN, "missing_value", 2),
                (BOB, "missing_value", 2),
                (ANN, "unreadable_email", 3),
                (ANN, "missing_value", 4),
            ),
            "rejected_records": rows("source_line reason rejected_column", (5, "missing_value", "email")),
            "landed_files": rows("lines landed rejected doubtful without_address", (5, 4, 1, 4, 5)),
        },
    ),
    Rule(
        "3-an-email-that-cannot-be-read",
        "If the email cannot be read, nobody knows whose line it is, whoever else is named in it.",
        [
            {"customer/1.json": drop(customer(ANN, at("10:00"), at("10:00")))},
            {
                "customer/2.json": drop(
                    customer("bob#example.org", at("11:00"), None, customerName="ann@example.org"),
                    b'{"email":"bob\xff@example.org","customerName":"ann@example.org"}',
                    b'{"customerName":"ann@example.org","em',
                    {"customers": [{"email": ANN}, {"email": "bob#example.org"}]},
                    {"email": [ANN, "bob#example.org"]},
                )
            },
        ],
        {
            "customer_landing": rows(
                "email doubt source_file source_line",
                (ANN, None, "customer/1.json", 1),
                *((ANN, "unreadable_email", "customer/2.json", line) for line in (1, 2, 3, 4, 5)),
            ),
            "customer_trusted": rows("email"),
            "landed_files": rows(
                "source_file lines landed rejected doubtful without_address",
                ("customer/1.json", 1, 1, 0, 0, 0),
                ("customer/2.json", 5, 5, 0, 5, 5),
            ),
        },
    ),
    Rule(
        "3-an-address-in-a-line-that-is-no-json",
        "In a line that is no object an address is a string between two quotes, with nothing else in it.",
        [
            {
                "customer/1.json": drop(
                    b'{"email":"Ann@Example.org","lastUpdateDate":17145',
                    b'{"email":"ann@example.org","phone":"\xff"}',
                    b'{"email":"bob@example.org","was":" ann@example.org ",}',
                    b'"ann@example.org"',
                    b'{"em\0ail":"a\0nn@example.org",}',
                    b'{"email":"\\u0061nn\\u0040example.org",}',
                    b'{"email":"ann at example.org","phone":}',
                    b'{"email":"x@localhost","phone":}',
                    b'{"email":"a\xffnn@example.org"}',
                    b"ann@example.org",
                )
                + b'{"email":"ann@example.org","phone":"555',
                "customer/2.json": b'{"email":"ann@exam',
            }
        ],
        {
            "customer_landing": rows(
                "email doubt source_file source_line",
                *((ANN, "broken_json", "customer/1.json", line) for line in (1, 3, 5, 6)),
                (BOB, "broken_json", "customer/1.json", 3),
                (ANN, "invalid_utf8", "customer/1.json", 2),
                (ANN, "not_an_object", "customer/1.json", 4),
                (ANN, "truncated", "customer/1.json", 11),
            ),
            "rejected_records": rows(
                "source_file source_line reason rejected_column",
                ("customer/1.json", 7, "broken_json", None),
                ("customer/1.json", 8, "broken_json", None),
                ("customer/1.json", 9, "invalid_utf8", None),
                ("customer/1.json", 10, "broken_json", None),
                ("customer/2.json", 1, "truncated", None),
            ),
            "landed_files": rows(
                "source_file lines landed rejected doubtful without_address",
                ("customer/1.json", 11, 7, 4, 7, 11),
                ("customer/2.json", 1, 0, 1, 0, 1),
            ),
        },
    ),
    Rule(
        "3-a-consent-in-a-line-that-is-no-json",
        "It is read if the line has one address, and the key once with a whole value behind it.",
        [
            {
                "customer/1.json": drop(
                    b'{"email":"ann@example.org","shareWithResearchAsOfDate":1714557600000,"phone"}',
                    b'{"email":"ann@example.org","SHAREWITHRESEARCHASOFDATE" : "2024-05-01T10:00Z" } and more',
                    b'{"email":"ann@example.org","shareWithResearchAsOfDate":1714557600',
                    b'{"email":"ann@example.org","shareWithResearchAsOfDate":null,"phone":}',
                    b'{"email":"ann@example.org","shareWithResearchAsOfDate":"yes","phone":}',
                    b'{"email":"ann@example.org","shareWithResearchAsOfDate":1714557600,"SHAREWITHRESEARCHASOFDATE":"",}',
                    b'{"email":"ann@example.org","was":"bob@example.org","shareWithResearchAsOfDate":1714557600,}',
                    b'{"email":"ann@example.org",shareWithResearchAsOfDate:1714557600,}',
                )
            }
        ],
        {
            "customer_landing": rows(
                "email sharewithresearchasofdate source_line",
                (ANN, at("10:00"), 1),
                (ANN, at("10:00"), 2),
                *((ANN, None, line) for line in (3, 4, 5, 6, 7, 8)),
                (BOB, None, 7),
            )
        },
    ),
    Rule(
        "3-a-doubtful-line-about-nobody-known",
        "Whose addresses have no record once its run has landed may be about somebody else: it is counted.",
        [
            {
                "customer/1.json": drop(customer(ANN, None), customer(BOB, None), customer(CLEO, None)),
                "customer/2.json": drop(consenting(ANN)),
            },
            landing([consenting(BOB)], name="3"),
            landing(
                [customer(BOB, None, at("10:00")), '{"email":"bob@example.org","was":"cleo@example.org",}'], name="4"
            ),
        ],
        {
            "landed_files": rows(
                "source_file landed doubtful without_address",
                ("customer/1.json", 3, 3, 2),
                ("customer/2.json", 1, 0, 0),
                ("customer/3.json", 1, 0, 0),
                ("customer/4.json", 2, 2, 0),
            )
        },
    ),
    Rule(
        "3-what-cannot-be-understood-is-null-and-counted",
        "Any other value that cannot be understood lands as null and is counted; a missing one is not counted.",
        [
            landing(
                [
                    customer(
                        *(ANN, at("10:00"), "maybe", {"is": "an object"}),
                        customerName=1.5,
                        phone=True,
                        birthDay="01.05.1990",
                        registrationDate=0,
                        shareWithPublicAsOfDate=None,
                        shareWithFriendsAsOfDate=" ",
                    )
                ]
            )
        ],
        {
            "customer_landing": rows(
                "customername email phone birthday serialnumber registrationdate lastupdatedate"
                " sharewithresearchasofdate sharewithpublicasofdate sharewithfriendsasofdate",
                (None, ANN, None, None, None, None, at("10:00"), None, None, None),
            ),
            "landed_files": rows("lines landed nulled_values", (1, 1, 6)),
        },
    ),
    Rule(
        "3-an-unreadable-consent-is-no-consent",
        "Unreadable or wrong, as a first record it is no consent, as a later one a withdrawal.",
        [
            landing(
                [
                    customer(ANN, at("10:00"), "yes"),
                    consenting(BOB),
                    customer(BOB, at("11:00"), 1),
                    consenting(CLEO),
                ],
                [reading(person, at("12:00")) for person in (ANN, BOB, CLEO)],
            )
        ],
        {"customer_trusted": rows("email", CLEO), "accelerometer_trusted": rows("user", CLEO)},
    ),
    Rule(
        "3-what-is-null-is-counted-by-line",
        "A duplicate's values are counted too; those of a rejected record are not, for they land nowhere.",
        [
            landing(
                [
                    customer(ANN, at("10:00"), "yes"),
                    customer(ANN, at("10:00"), "no", phone=True),
                    customer(None, at("10:00"), "yes"),
                ]
            )
        ],
        {"landed_files": rows("lines landed rejected duplicate nulled_values", (3, 1, 1, 1, 3))},
    ),
    Rule(
        "3-birthdays-have-no-lower-bound",
        "Years have one to four digits, from year 1 on.",
        [
            landing(
                [
                    customer(f"p{n}@example.org", at("10:00"), birthDay=birthday)
                    for n, birthday in enumerate(["993-01-01", "1-02-03", "0967-01-01", "0-01-01", "2024-02-30", 1990])
                ]
            )
        ],
        {
            "customer_landing": rows(
                "email birthday",
                ("p0@example.org", date(993, 1, 1)),
                ("p1@example.org", date(1, 2, 3)),
                ("p2@example.org", date(967, 1, 1)),
                ("p3@example.org", None),
                ("p4@example.org", None),
                ("p5@example.org", None),
            ),
            "landed_files": rows("landed nulled_values", (6, 3)),
        },
    ),
    Rule(
        "3-a-number-is-its-digits",
        "A number without a fraction becomes its digits in a text column, at most 40.",
        [
            landing(
                [
                    customer(ANN, at("10:00"), phone=8015551212.0),
                    customer(BOB, at("10:00"), phone=8015551212),
                    customer(CLEO, at("10:00"), customerName=-(10**40) + 1, phone=10**40),
                ]
            )
        ],
        {
            "customer_landing": rows(
                "email customername phone",
                (ANN, None, "8015551212"),
                (BOB, None, "8015551212"),
                (CLEO, "-" + "9" * 40, None),
            ),
            "landed_files": rows("nulled_values", 1),
        },
    ),
    Rule(
        "3-a-record-is-known-by-its-hash",
        "The hash is SHA-256 of the JSON array of the ten typed columns.",
        [landing([customer(ANN, at("10:00"), at("09:00"), phone="2")])],
        {
            # printf '[null,"ann@example.org","2",null,null,null,1714557600000,1714554000000,null,null]' | sha256sum
            "customer_landing": rows("record_hash", "833e3e0db78cb7193edf323abc890732ad070c713a0f29ddafa30d1d9193bc67"),
        },
    ),
]

CURRENT_CUSTOMER = [
    Rule(
        "4-the-latest-record-is-current",
        "The current record of an email is the one that took effect last, in whatever order they arrive.",
        [
            landing([customer(ANN, at("12:00"), at("09:00"), phone="new")]),
            landing([customer(ANN, at("11:00"), at("09:00"), phone="old")], name="2"),
        ],
        {"customer_trusted": rows("email phone lastupdatedate", (ANN, "new", at("12:00")))},
    ),
    Rule(
        "4-a-refusal-is-a-current-record-without-consent",
        "A current record without research consent is a refusal: of readings made under consent too.",
        [
            landing(
                [consenting(ANN, SN1), consenting(BOB)], [*WALK, reading(BOB, at("12:00"))], [step(SN1, at("12:00"))]
            ),
            landing([customer(ANN, at("13:00"), None, SN1)], name="2"),
        ],
        {
            "customer_trusted": rows("email", BOB),
            "accelerometer_trusted": rows("user", BOB),
            "customers_curated": rows("email", BOB),
            "step_trainer_trusted": rows("serialnumber"),
            "machine_learning_curated": rows("pseudonym"),
        },
    ),
    Rule(
        "4-an-old-record-without-consent-is-not-current",
        "A record without consent that arrives late, but was made before the current one, takes nobody out.",
        [
            landing([consenting(ANN, since=at("10:00"))], WALK),
            landing([customer(ANN, at("09:00"))], name="2"),
        ],
        {
            "customer_trusted": rows("email consent_start", (ANN, at("10:00"))),
            "accelerometer_trusted": rows("user", ANN),
        },
    ),
    Rule(
        "4-at-a-tie-the-one-without-consent",
        "At a tie the one without consent is current.",
        [landing([consenting(ANN), customer(ANN, at("10:00")), consenting(BOB)])],
        {"customer_trusted": rows("email", BOB)},
    ),
    Rule(
        "4-at-a-tie-a-later-stated-date-does-not-help",
        "At a tie the one without consent is current, even if the other one states a later date.",
        [landing([customer(ANN, at("10:00"), at("11:00")), customer(ANN, at("10:00")), consenting(BOB)])],
        {"customer_trusted": rows("email", BOB)},
    ),
    Rule(
        "4-then-the-later-consent",
        "At a tie of two with consent the later consent is current, whose hash here is the smaller: 0b6b…, not f349….",
        [
            landing(
                [
                    customer(ANN, at("12:00"), at("11:00"), phone="new"),
                    customer(ANN, at("12:00"), at("10:00"), phone="old"),
                ],
                [reading(ANN, at("10:30")), reading(ANN, at("11:30"))],
            )
        ],
        {
            "customer_trusted": rows("phone consent_start", ("new", at("11:00"))),
            "accelerometer_trusted": rows("timestamp", at("11:30")),
        },
    ),
    Rule(
        "4-then-the-greater-record-hash",
        "At a tie in all of it the greater hash is current: 833e… of phone 2 beats 7c20… of 3 and 6c9c… of 1.",
        [landing([customer(ANN, at("10:00"), at("09:00"), phone=phone) for phone in "123"])],
        {"customer_trusted": rows("phone", "2")},
    ),
]

EVERYBODY = [consenting(person) for person in (ANN, BOB, CLEO, DAN)]

#: Lines that are no records, in which Ann can be read, but no consent.
REFUSALS = {
    "without-a-date": line_of(customer(ANN, None)),
    "with-an-unreadable-date": line_of(customer(ANN, "yesterday")),
    "with-a-wrong-date": line_of(customer(ANN, 0)),
    "with-a-date-without-a-zone": line_of(customer(ANN, "2024-05-01T13:00:00")),
    "with-a-key-that-occurs-twice": line_of(customer(ANN, at("13:00")))[:-1] + b',"Email":"ann@example.org"}',
    "with-two-consents": line_of(customer(ANN, at("13:00"), at("10:00")))[:-1] + b',"sharewithresearchasofdate":null}',
    "with-an-unreadable-consent": line_of(customer(ANN, None, "yes")),
    "of-broken-json": b'{"email":"ann@example.org","lastUpdateDate":1714568400,}',
    "that-is-cut-off": b'{"email":"ann@example.org","lastUpdateDate":1714',
    "not-in-utf-8": b'{"customerName":"J\xfcrgen","email":"ann@example.org","lastUpdateDate":1714568400}',
    "in-an-array-of-values": b'["ann@example.org", 1714568400]',
    "about-two-people": b'{"email":"ann@example.org","was":"dan@example.org","shareWithResearchAsOfDate":1714557600,}',
    "under-another-key": line_of({"mail": ANN, "lastUpdateDate": at("13:00")}),
}


def refused(kind: str, line: bytes) -> Rule:
    return Rule(
        f"4-a-refusal-{kind}",
        "A doubtful line in which no consent can be read is a refusal: whoever it is about is out, and nobody else.",
        [landing([consenting(ANN), consenting(BOB)], [*WALK, reading(BOB, at("12:00"))]), {"customer/2.json": line}],
        {
            "customer_trusted": rows("email", BOB),
            "accelerometer_trusted": rows("user", BOB),
            "customers_curated": rows("email", BOB),
        },
    )


#: A line about somebody whose consent can be read, but not when the record was made: it suspends.
def suspension(email: str) -> dict[str, Any]:
    return customer(email, "soon", at("10:00"))


CURRENT_CUSTOMER += [
    *(refused(kind, line) for kind, line in REFUSALS.items()),
    Rule(
        "4-a-doubtful-refusal-took-effect-at-its-arrival",
        "Only a record that took effect later ends it: one that arrives later, but was made before, does not.",
        [
            landing([consenting(ANN), consenting(BOB), consenting(CLEO)]),
            landing([customer(ANN, None), customer(BOB, None), customer(CLEO, None)], name="2"),
            landing(
                [
                    customer(ANN, june("00:00", 2) + MILLISECOND, at("10:00")),
                    customer(BOB, june("00:00", 2), at("10:00")),
                    customer(CLEO, june("23:00", 1), at("10:00")),
                ],
                [
                    reading(person, june(clock, day))
                    for person in (ANN, BOB, CLEO)
                    for clock, day in (("12:00", 1), ("00:00", 2), ("00:00:00.001", 2))
                ],
                name="3",
            ),
        ],
        {
            "customer_trusted": rows("email consent_start", (ANN, june("00:00:00.001", 2))),
            "accelerometer_trusted": rows("user timestamp", (ANN, june("00:00:00.001", 2))),
        },
    ),
    Rule(
        "4-a-doubtful-line-with-a-consent-suspends",
        "Until a record of theirs arrives later. One that came before or with the line does not end it.",
        [
            landing(EVERYBODY, [reading(person, at("12:00")) for person in (ANN, BOB, CLEO)]),
            landing(
                [suspension(ANN), suspension(BOB), customer(BOB, at("11:00"), at("10:00")), suspension(CLEO)], name="2"
            ),
        ],
        {"customer_trusted": rows("email", DAN), "accelerometer_trusted": rows("user")},
    ),
    Rule(
        "4-a-record-that-comes-again-ends-a-suspension",
        "A record of somebody who is suspended is equal to none that landed before, so it lands again, once.",
        [
            landing([consenting(ANN)], [reading(ANN, at("12:00"))]),
            landing([suspension(ANN)], name="2"),
            landing([consenting(ANN), consenting(ANN)], name="3"),
        ],
        {
            "customer_trusted": rows("email consent_start", (ANN, at("10:00"))),
            "accelerometer_trusted": rows("user timestamp", (ANN, at("12:00"))),
            "landed_files": rows(
                "source_file landed duplicate",
                ("accelerometer/1.json", 1, 0),
                ("customer/1.json", 1, 0),
                ("customer/2.json", 1, 0),
                ("customer/3.json", 1, 1),
            ),
        },
    ),
    Rule(
        "4-a-suspension-leaves-no-trace",
        "Once any record of theirs arrives later, even one that does not become current, the line has no effect.",
        [
            landing([consenting(ANN), consenting(BOB), consenting(CLEO)]),
            landing(
                [suspension(ANN), suspension(BOB), suspension(CLEO)],
                [reading(person, june("12:00", 2)) for person in (ANN, BOB, CLEO)],
                name="2",
            ),
            landing(
                [
                    customer(ANN, june("12:00", 3), at("10:00")),
                    customer(BOB, at("09:00")),
                    customer(CLEO, at("13:00")),
                ],
                [reading(ANN, at("12:00"))],
                name="3",
            ),
        ],
        {
            "customer_trusted": rows("email consent_start", (ANN, at("10:00")), (BOB, at("10:00"))),
            "accelerometer_trusted": rows(
                "user timestamp", (ANN, at("12:00")), (ANN, june("12:00", 2)), (BOB, june("12:00", 2))
            ),
        },
    ),
    Rule(
        "4-a-broken-line-with-a-consent-suspends-too",
        "Broken JSON in which a consent can be read suspends until a record arrives; one without stays a refusal.",
        [
            landing([consenting(ANN), consenting(BOB), consenting(CLEO)]),
            landing(
                [
                    '{"email":"ann@example.org","shareWithResearchAsOfDate":1714557600,"phone":}',
                    '{"email":"bob@example.org","shareWithResearchAsOfDate":1714557600,"phone":}',
                    '{"email":"cleo@example.org","shareWithResearchAsOfDate":,"phone":}',
                ],
                name="2",
            ),
            landing([customer(person, at("11:00"), at("10:00")) for person in (ANN, CLEO)], name="3"),
        ],
        {"customer_trusted": rows("email consent_start", (ANN, at("10:00")))},
    ),
    Rule(
        "4-a-doubtful-line-never-gives-consent",
        "A consent in a doubtful line makes nobody consent: who has no record, or refused, stays out.",
        [
            landing([customer(ANN, at("10:00"))], [*WALK, reading(BOB, at("12:00"))]),
            landing([suspension(ANN), suspension(BOB)], name="2"),
            landing([customer(ANN, at("09:00"), at("09:00"))], name="3"),
        ],
        {
            "customer_trusted": rows("email"),
            "accelerometer_trusted": rows("user"),
            "landed_files": rows(
                "source_file doubtful without_address",
                ("customer/1.json", 0, 0),
                ("accelerometer/1.json", 0, 0),
                ("customer/2.json", 2, 1),
                ("customer/3.json", 0, 0),
            ),
        },
    ),
    Rule(
        "4-a-record-of-the-future-took-effect-at-its-arrival",
        "A clock 20 hours ahead does not outrank the refusal that was made, and arrived, after it.",
        [
            landing(
                [
                    customer(ANN, ARRIVED + 20 * HOUR, at("10:00")),
                    customer(BOB, ARRIVED + 20 * HOUR),
                    customer(CLEO, ARRIVED + 20 * HOUR, at("10:00")),
                ],
                WALK,
            ),
            landing(
                [
                    customer(ANN, ARRIVED + 10 * HOUR),
                    customer(BOB, ARRIVED + 10 * HOUR, at("10:00")),
                    customer(CLEO, at("12:00")),
                ],
                name="2",
            ),
        ],
        {
            "customer_trusted": rows("email consent_start", (BOB, ARRIVED + 10 * HOUR), (CLEO, ARRIVED + 20 * HOUR)),
            "accelerometer_trusted": rows("user"),
        },
    ),
    Rule(
        "4-two-of-the-future-took-effect-together",
        "Records from clocks ahead that arrive together are a tie: one without consent is current, doubtful or not.",
        [
            landing(
                [
                    customer(ANN, ARRIVED + 20 * HOUR, at("10:00")),
                    customer(ANN, ARRIVED + 2 * HOUR),
                    customer(BOB, ARRIVED + 20 * HOUR, at("10:00")),
                    customer(BOB, None),
                    customer(CLEO, ARRIVED + 20 * HOUR, at("10:00")),
                ]
            )
        ],
        {"customer_trusted": rows("email consent_start", (CLEO, at("10:00")))},
    ),
]

CONSENT_AS_OF = [
    Rule(
        "5-from-the-very-start-on",
        "A reading counts when its own instant is at or after the start, to the millisecond.",
        [
            landing(
                [consenting(ANN, SN1, since=at("10:00"))],
                [reading(ANN, at("09:59:59.999")), reading(ANN, at("10:00")), reading(ANN, at("10:00:00.001"))],
                [step(SN1, at("09:59:59.999")), step(SN1, at("10:00")), step(SN1, at("10:00:00.001"))],
            )
        ],
        {
            "accelerometer_trusted": rows("timestamp", at("10:00"), at("10:00:00.001")),
            "step_trainer_trusted": rows("sensorreadingtime", at("10:00"), at("10:00:00.001")),
            "machine_learning_curated": rows("timestamp", at("10:00"), at("10:00:00.001")),
        },
    ),
    Rule(
        "5-a-renewal-starts-when-it-was-made",
        "What was read between a refusal and the record that ends it never counts, nor what was read before.",
        [
            landing(
                [
                    consenting(ANN, SN1, since=at("10:00")),
                    customer(ANN, at("12:00"), None, SN1),
                    customer(ANN, at("14:00"), at("10:00"), SN1),
                ],
                [reading(ANN, at(clock)) for clock in ("11:00", "12:00", "13:00", "13:59:59.999", "14:00")],
                [step(SN1, at(clock)) for clock in ("11:00", "12:00", "13:00", "13:59:59.999", "14:00")],
            )
        ],
        {
            "customer_trusted": rows("sharewithresearchasofdate consent_start", (at("10:00"), at("14:00"))),
            "accelerometer_trusted": rows("timestamp", at("14:00")),
            "step_trainer_trusted": rows("sensorreadingtime", at("14:00")),
        },
    ),
    Rule(
        "5-a-stated-date-after-the-refusal-counts",
        "If the stated date is later than every refusal, consent starts there, before or after the record was made.",
        [
            landing(
                [
                    *(consenting(person) for person in (ANN, BOB, CLEO, DAN)),
                    *(customer(person, at("12:00")) for person in (ANN, BOB, CLEO, DAN)),
                    customer(ANN, at("14:00"), at("13:00")),
                    customer(BOB, at("14:00"), at("16:00")),
                    customer(CLEO, at("14:00"), at("12:00")),
                    customer(DAN, at("14:00"), at("12:00:00.001")),
                ],
            )
        ],
        {
            "customer_trusted": rows(
                "email consent_start",
                (ANN, at("13:00")),
                (BOB, at("16:00")),
                (CLEO, at("14:00")),
                (DAN, at("12:00:00.001")),
            )
        },
    ),
    Rule(
        "5-the-first-record-that-consents-again-counts",
        "Consent starts at the earliest lastupdatedate of the consenting records after it, in any order of arrival.",
        [
            landing([customer(ANN, at("15:00"), at("10:00"), phone="new"), consenting(ANN)]),
            landing([customer(ANN, at("12:00"))], name="2"),
            landing([customer(ANN, at("14:00"), at("10:00"))], name="3"),
        ],
        {"customer_trusted": rows("email phone consent_start", (ANN, "new", at("14:00")))},
    ),
    Rule(
        "5-a-record-of-the-refusals-own-instant-renews-nothing",
        "A record that took effect at the instant of the refusal is not after it.",
        [landing([customer(ANN, at("12:00")), *(customer(ANN, at(hour), at("10:00")) for hour in ("12:00", "14:00"))])],
        {"customer_trusted": rows("email consent_start", (ANN, at("14:00")))},
    ),
    Rule(
        "5-a-first-record-without-consent-is-a-refusal",
        "Who had a record without consent did not consent before it, whatever date they state later.",
        [
            landing(
                [customer(ANN, at("09:00")), customer(ANN, at("10:00"), at("08:00"))],
                [reading(ANN, at("09:30")), *WALK],
            )
        ],
        {
            "customer_trusted": rows("email consent_start", (ANN, at("10:00"))),
            "accelerometer_trusted": rows("timestamp", at("12:00")),
        },
    ),
    Rule(
        "5-a-renewal-from-a-clock-ahead-starts-at-its-own-date",
        "A consenting record took effect at its arrival, but the consent starts when the record says it was made.",
        [landing([consenting(ANN), customer(ANN, at("12:00")), customer(ANN, ARRIVED + 20 * HOUR, at("10:00"))])],
        {"customer_trusted": rows("consent_start", ARRIVED + 20 * HOUR)},
    ),
    Rule(
        "5-a-doubtful-refusal-is-a-refusal",
        "After a doubtful refusal, too, consent starts at a later stated date, or when it was renewed.",
        [
            landing([consenting(ANN), consenting(BOB)]),
            landing([customer(ANN, None), customer(BOB, None)], name="2"),
            landing(
                [customer(ANN, june("12:00", 2), at("10:00")), customer(BOB, june("12:00", 2), june("11:00", 2))],
                name="3",
            ),
        ],
        {"customer_trusted": rows("email consent_start", (ANN, june("12:00", 2)), (BOB, june("11:00", 2)))},
    ),
    Rule(
        "5-the-latest-of-several-refusals",
        "Of several refusals the last one counts: what was consented to between them does not.",
        [
            landing(
                [
                    *(customer(ANN, at(clock)) for clock in ("09:00", "11:00")),
                    customer(ANN, at("10:00"), at("08:00")),
                    customer(ANN, at("12:00"), at("08:00")),
                    *(customer(BOB, at(clock)) for clock in ("09:00", "11:00")),
                    customer(BOB, at("12:00"), at("13:00")),
                    *(customer(CLEO, at(clock)) for clock in ("09:00", "11:00")),
                    customer(CLEO, at("10:00"), at("10:00")),
                    customer(CLEO, at("12:00"), at("10:00")),
                ]
            )
        ],
        {"customer_trusted": rows("email consent_start", (ANN, at("12:00")), (BOB, at("13:00")), (CLEO, at("12:00")))},
    ),
    Rule(
        "5-a-moved-consent-moves-the-readings",
        "Only the current as-of date counts: moved forward it drops readings, moved back it adds some.",
        [
            landing(
                [consenting(ANN), consenting(BOB)],
                [reading(person, at(clock)) for person in (ANN, BOB) for clock in ("09:30", "10:30", "11:30")],
            ),
            landing([customer(ANN, at("12:00"), at("11:00")), customer(BOB, at("12:00"), at("09:00"))], name="2"),
        ],
        {
            "accelerometer_trusted": rows(
                "user timestamp",
                (ANN, at("11:30")),
                (BOB, at("09:30")),
                (BOB, at("10:30")),
                (BOB, at("11:30")),
            )
        },
    ),
    Rule(
        "5-ever-ignores-instants-never-refusals",
        "consent=ever takes readings from before the start, of those who consent now.",
        [
            landing(
                [consenting(ANN, SN1), consenting(BOB, SN2), customer(BOB, at("11:00"), None, SN2)],
                [reading(ANN, at("09:00")), reading(BOB, at("10:30"))],
                [step(SN1, at("09:00")), step(SN2, at("10:30"))],
            )
        ],
        {
            "customer_trusted": rows("email consent_start", (ANN, at("10:00"))),
            "accelerometer_trusted": rows("user timestamp", (ANN, at("09:00"))),
            "step_trainer_trusted": rows("serialnumber sensorreadingtime", (SN1, at("09:00"))),
            "machine_learning_curated": rows("pseudonym timestamp", (pseudonym(ANN), at("09:00"))),
        },
        EVER,
    ),
    Rule(
        "5-ever-ignores-no-doubt",
        "consent=ever knows doubtful refusals and suspensions.",
        [
            landing(
                [consenting(ANN), consenting(BOB), consenting(CLEO)],
                [reading(p, at("09:00")) for p in (ANN, BOB, CLEO)],
            ),
            landing([customer(ANN, None), suspension(BOB)], name="2"),
        ],
        {"customer_trusted": rows("email", CLEO), "accelerometer_trusted": rows("user", CLEO)},
        EVER,
    ),
]

CURATED = [
    Rule(
        "6-a-trusted-reading-makes-a-curated-customer",
        "Consenting customers with at least one trusted reading, once each.",
        [
            landing(
                [consenting(ANN), consenting(BOB), consenting(CLEO), customer(DAN, at("10:00"))],
                [
                    *(reading(ANN, at(clock)) for clock in ("11:00", "12:00", "13:00")),
                    reading(BOB, at("09:00")),
                    reading(DAN, at("12:00")),
                    reading("nobody@example.org", at("12:00")),
                ],
            )
        ],
        {
            "customer_trusted": rows("email", ANN, BOB, CLEO),
            "customers_curated": rows("email consent_start", (ANN, at("10:00"))),
        },
    ),
    Rule(
        "6-under-ever-an-early-reading-is-enough",
        "Under ever any reading of a consenting customer is trusted.",
        [landing([consenting(ANN), consenting(BOB)], [reading(ANN, at("09:00"))])],
        {"customers_curated": rows("email", ANN)},
        EVER,
    ),
]

TWO_CLAIMANTS = landing(
    [consenting(ANN, SN1), consenting(BOB, SN1), consenting(CLEO, SN2)],
    [reading(person, at("12:00"), x) for person, x in ((ANN, 1.0), (BOB, 2.0), (CLEO, 3.0))],
    [step(SN1, at("12:00"), 10), step(SN2, at("12:00"), 20)],
)
ANN_AND_CLEO_WALK = landing(
    [consenting(ANN, SN1), consenting(CLEO, SN2)],
    [reading(ANN, at("12:00"), 1.0), reading(CLEO, at("12:00"), 3.0)],
    [step(SN1, at("12:00"), 10), step(SN2, at("12:00"), 20)],
)
ONLY_CLEO = {
    "step_trainer_trusted": rows("serialnumber", SN2),
    "machine_learning_curated": rows("pseudonym distancefromobject x", (pseudonym(CLEO), 20, 3.0)),
}

WHOSE_DEVICE = [
    Rule(
        "7-two-claimants-admit-nothing",
        "Under as-of a serial with more than one claimant admits nothing.",
        [TWO_CLAIMANTS],
        ONLY_CLEO,
    ),
    Rule(
        "7-a-claimant-without-consent-is-one",
        "Claimants are all emails with any customer record, consenting or not.",
        [ANN_AND_CLEO_WALK, landing([customer(BOB, at("09:00"), None, "SN-1 ")], name="2")],
        ONLY_CLEO,
    ),
    Rule(
        "7-a-past-claimant-is-one",
        "A serial that somebody's past record carried has that claimant still.",
        [
            ANN_AND_CLEO_WALK,
            landing(
                [customer(BOB, at("08:00"), at("08:00"), SN1), customer(BOB, at("09:00"), at("08:00"), SN3)], name="2"
            ),
        ],
        ONLY_CLEO,
    ),
    Rule(
        "7-ones-own-past-device-stays-ones-own",
        "A customer who changed devices owns both.",
        [
            landing(
                [consenting(ANN, SN1), customer(ANN, at("11:00"), at("10:00"), SN2)],
                [reading(ANN, at("10:30")), reading(ANN, at("12:00"))],
                [step(SN1, at("10:30"), 10), step(SN2, at("12:00"), 20), step(SN3, at("12:00"), 30)],
            )
        ],
        {
            "step_trainer_trusted": rows("serialnumber", SN1, SN2),
            "machine_learning_curated": rows(
                "pseudonym distancefromobject", (pseudonym(ANN), 10), (pseudonym(ANN), 20)
            ),
        },
    ),
    Rule(
        "7-a-defective-serial-admits-nothing",
        "Under as-of a serial on the policy's list admits nothing, however it is spelled there.",
        [ANN_AND_CLEO_WALK],
        ONLY_CLEO,
        Policy.checked("as-of", "owner", frozenset({" SN-1", "sn-9"}), environment="dev"),
    ),
    Rule(
        "7-ever-asks-for-any-curated-claimant",
        "Under ever any curated claimant admits it, the list of defective serials says nothing, and no row multiplies.",
        [TWO_CLAIMANTS],
        {
            "step_trainer_trusted": rows("serialnumber distancefromobject", (SN1, 10), (SN2, 20)),
            "machine_learning_curated": rows(
                "pseudonym distancefromobject x",
                (pseudonym(ANN), 10, 1.0),
                (pseudonym(BOB), 10, 2.0),
                (pseudonym(CLEO), 20, 3.0),
            ),
        },
        Policy(consent="ever", defective_serials=frozenset({SN1})),
    ),
    Rule(
        "7-ever-does-not-bring-back-a-withdrawn-claimant",
        "Under ever a device of two claimants pairs with the curated one only.",
        [TWO_CLAIMANTS, landing([customer(ANN, at("13:00"), None, SN1)], name="2")],
        {
            "step_trainer_trusted": rows("serialnumber distancefromobject", (SN1, 10), (SN2, 20)),
            "machine_learning_curated": rows(
                "pseudonym distancefromobject x", (pseudonym(BOB), 10, 2.0), (pseudonym(CLEO), 20, 3.0)
            ),
        },
        EVER,
    ),
    Rule(
        "7-a-doubtful-line-makes-a-device-shared",
        "A doubtful line is a claim too, so nobody knows whose readings they are.",
        [ANN_AND_CLEO_WALK, landing([customer(BOB, None, at("10:00"), SN1), customer(BOB, at("09:00"))], name="2")],
        {"step_trainer_trusted": rows("serialnumber", SN2)},
    ),
    Rule(
        "7-a-doubtful-line-makes-nobody-an-owner",
        "Only a record makes its person the owner: Cleo is curated, but what her doubtful line claims is not hers.",
        [
            landing([customer(CLEO, None, at("10:00"), SN3)], [], [step(SN3, at("12:00"))], name="0"),
            ANN_AND_CLEO_WALK,
        ],
        {
            "customers_curated": rows("email", ANN, CLEO),
            "step_trainer_trusted": rows("serialnumber", SN1, SN2),
        },
        EVER,
    ),
]

STEPS = [
    Rule(
        "8-devices-of-curated-customers-only",
        "A device of a consenting customer without a trusted reading, or of nobody, admits nothing.",
        [
            landing(
                [consenting(ANN, SN1), consenting(BOB, SN2), customer(CLEO, at("10:00"), None, SN3)],
                [*WALK, reading(BOB, at("09:00")), reading(CLEO, at("12:00"))],
                [step(serial, at("12:00")) for serial in (SN1, SN2, SN3, "sn-4")],
            )
        ],
        {"step_trainer_trusted": rows("sensorreadingtime serialnumber distancefromobject", (at("12:00"), SN1, 100))},
    ),
    Rule(
        "8-a-step-needs-no-accelerometer-reading-of-its-instant",
        "A step counts by its own instant, whether anything pairs with it or not.",
        [
            landing(
                [consenting(ANN, SN1)], WALK, [step(SN1, at("10:00")), step(SN1, at("09:59")), step(SN1, at("15:00"))]
            )
        ],
        {
            "step_trainer_trusted": rows("sensorreadingtime", at("10:00"), at("15:00")),
            "machine_learning_curated": rows("pseudonym"),
        },
    ),
]

STRANGERS = landing(
    [consenting(ANN, SN1), consenting(BOB, SN2)],
    [reading(ANN, at("12:00"), 1.0), reading(BOB, at("12:00"), 2.0), reading(BOB, at("13:00"), 3.0)],
    [step(SN1, at("12:00"), 10), step(SN1, at("13:00"), 11)],
)

PAIRS = [
    Rule(
        "9-each-step-with-each-reading-of-its-owner",
        "Two steps and three readings of one instant are six pairs; another instant pairs with none of them.",
        [
            landing(
                [consenting(ANN, SN1)],
                [*(reading(ANN, at("12:00"), x) for x in (1.0, 2.0, 3.0)), reading(ANN, at("12:00:00.001"), 9.0)],
                [step(SN1, at("12:00"), 10), step(SN1, at("12:00"), 20)],
            )
        ],
        {
            "machine_learning_curated": rows(
                "pseudonym timestamp distancefromobject x y z",
                *((pseudonym(ANN), at("12:00"), d, x, 0.0, 0.0) for d in (10, 20) for x in (1.0, 2.0, 3.0)),
            )
        },
    ),
    Rule(
        "9-a-bag-not-a-set",
        "Two devices of one person that measured the same at the same instant are two equal rows.",
        [
            landing(
                [consenting(ANN, SN1), customer(ANN, at("11:00"), at("10:00"), SN2)],
                WALK,
                [step(SN1, at("12:00"), 10), step(SN2, at("12:00"), 10)],
            )
        ],
        {
            "machine_learning_curated": rows(
                "pseudonym timestamp distancefromobject", *[(pseudonym(ANN), at("12:00"), 10)] * 2
            )
        },
    ),
    Rule(
        "9-owner-pairs-no-strangers",
        "By default a device's reading pairs with its owner's only.",
        [STRANGERS],
        {
            "machine_learning_curated": rows(
                "pseudonym timestamp distancefromobject x", (pseudonym(ANN), at("12:00"), 10, 1.0)
            )
        },
    ),
    Rule(
        "9-timestamp-pairs-strangers",
        "pairing=timestamp asks for the instant only, and names the accelerometer's user.",
        [STRANGERS],
        {
            "machine_learning_curated": rows(
                "pseudonym timestamp distancefromobject x",
                (pseudonym(ANN), at("12:00"), 10, 1.0),
                (pseudonym(BOB), at("12:00"), 10, 2.0),
                (pseudonym(BOB), at("13:00"), 11, 3.0),
            )
        },
        AS_OF_TIMESTAMP,
    ),
    Rule(
        "9-pairs-are-trusted-on-both-sides",
        "A reading of the right instant and person that is not trusted pairs with nothing.",
        [
            landing(
                [consenting(ANN, SN1), customer(BOB, at("10:00"), None, SN2)],
                [reading(ANN, at("09:00")), *WALK, reading(BOB, at("12:00"))],
                [step(SN1, at("09:00")), step(SN2, at("12:00"))],
            )
        ],
        {"machine_learning_curated": rows("pseudonym")},
        AS_OF_TIMESTAMP,
    ),
]

PSEUDONYM = [
    Rule(
        "10-hmac-sha-256-of-the-email-as-it-landed",
        "The same person has the same pseudonym, however the address was spelled.",
        [
            landing(
                [consenting(ANN, SN1)],
                [reading("Ann@Example.org", at("12:00")), reading(" ANN@EXAMPLE.ORG ", at("13:00"))],
                [step(SN1, at("12:00")), step(SN1, at("13:00"))],
            )
        ],
        {
            # printf ann@example.org | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f
            "machine_learning_curated": rows(
                "pseudonym timestamp",
                ("824fe6c7fa82cc7d2729cb65bf8b6eaed7442beba8dcaa61e830f4f0845b1b25", at("12:00")),
                ("824fe6c7fa82cc7d2729cb65bf8b6eaed7442beba8dcaa61e830f4f0845b1b25", at("13:00")),
            )
        },
    )
]

EARLY_AND_STRANGE = landing(
    [consenting(ANN, SN1), consenting(BOB, SN2, since=at("12:00"))],
    [reading(ANN, at("09:00"), 1.0), reading(ANN, at("12:00"), 2.0), reading(BOB, at("12:00"), 3.0)],
    [step(SN1, at("09:00"), 10), step(SN1, at("12:00"), 20), step(SN2, at("11:00"), 30)],
)
EARLY = (pseudonym(ANN), 10, 1.0)
NOONS = (pseudonym(ANN), 20, 2.0)
STRANGE = (pseudonym(BOB), 20, 3.0)


def under(policy: Policy, steps: list[int], *pairs: tuple[Any, ...]) -> Rule:
    return Rule(
        f"11-{policy.consent}-{policy.pairing}",
        "The same landing zone under each policy: a rebuild under another one changes the tables.",
        [EARLY_AND_STRANGE],
        {
            "step_trainer_trusted": rows("distancefromobject", *steps),
            "machine_learning_curated": rows("pseudonym distancefromobject x", *pairs),
        },
        policy,
    )


POLICY = [
    under(AS_OF, [20], NOONS),
    under(AS_OF_TIMESTAMP, [20], NOONS, STRANGE),
    under(EVER, [10, 20, 30], EARLY, NOONS),
    under(EVER_TIMESTAMP, [10, 20, 30], EARLY, NOONS, STRANGE),
]

FIRST, SECOND, THIRD = (reading(ANN, at("12:00"), x) for x in (1.0, 2.0, 3.0))
ONE, TWO, BOM = line_of(FIRST), line_of(SECOND), b"\xef\xbb\xbf"
CUT_OFF = b'{"user":"ann@exam'
COUNTS = (
    "source_file lines landed rejected duplicate suppressed blank nulled_values doubtful without_address unit skipped"
)
WHAT = "source_file source_line reason rejected_column content_hash"


def rejected(name: str, number: int, reason: str, line: bytes, column: str | None = None) -> tuple[Any, ...]:
    return (name, number, reason, column, content_hash(line))


def nested(depth: int) -> bytes:
    """An object so deep, itself included."""
    return b'{"x":' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


def framed(kind: str, raw: bytes, unit: str, *numbers: int, blank: int = 0) -> Rule:
    """The same two readings in a file, however they are set."""
    return Rule(
        f"12-objects-{kind}",
        "A drop is a file of JSON objects, however they are set. What is not an object a line is counted in objects.",
        [{"accelerometer/a.json": raw}],
        {
            "accelerometer_landing": rows("x source_line", *zip((1.0, 2.0), numbers, strict=True)),
            "landed_files": rows("lines landed rejected blank unit", (2 + blank, 2, 0, blank, unit)),
        },
    )


NOTHING_VANISHES = [
    Rule(
        "12-every-file-and-every-line-is-accounted-for",
        "Per file, lines = landed + rejected + duplicate + suppressed + blank. A file that is not read has its reason.",
        [
            {
                "customer/a.json": drop(
                    consenting(ANN), customer(ANN, None), consenting(ANN), customer(None, at("10:00"))
                ),
                "accelerometer/deep/er/a.json": drop(FIRST, "", " \t", SECOND, FIRST, "nonsense"),
                "step_trainer/empty.json": b"",
                "step_trainer/_SUCCESS": b"not a drop",
            }
        ],
        {
            "landed_files": rows(
                COUNTS,
                ("customer/a.json", 4, 2, 1, 1, 0, 0, 0, 1, 1, "line", None),
                ("accelerometer/deep/er/a.json", 6, 2, 1, 1, 0, 2, 0, 0, 0, "line", None),
                ("step_trainer/empty.json", 0, 0, 0, 0, 0, 0, 0, 0, 0, "line", None),
                ("step_trainer/_SUCCESS", 0, 0, 0, 0, 0, 0, 0, 0, 0, None, "hidden"),
            ),
            "accelerometer_landing": rows(
                "x source_file source_line",
                (1.0, "accelerometer/deep/er/a.json", 1),
                (2.0, "accelerometer/deep/er/a.json", 4),
            ),
        },
    ),
    Rule(
        "12-the-first-to-land-stays",
        "Of equal records the one that landed first stays; within a run the least file name, then the least line.",
        [
            {"accelerometer/m.json": drop(FIRST), "accelerometer/z.json": drop(SECOND, SECOND, FIRST)},
            {"accelerometer/a.json": drop(SECOND, FIRST)},
        ],
        {
            "accelerometer_landing": rows(
                "x source_file source_line", (1.0, "accelerometer/m.json", 1), (2.0, "accelerometer/z.json", 1)
            ),
            "landed_files": rows(
                "source_file landed duplicate",
                ("accelerometer/m.json", 1, 0),
                ("accelerometer/z.json", 1, 2),
                ("accelerometer/a.json", 0, 2),
            ),
        },
    ),
    Rule(
        "12-a-file-lands-once",
        "A file found again is not read again; under another name all its records are duplicates.",
        [
            {"accelerometer/a.json": drop(FIRST)},
            {"accelerometer/a.json": drop(FIRST), "accelerometer/b.json": drop(FIRST)},
        ],
        {
            "landed_files": rows(
                "source_file landed duplicate", ("accelerometer/a.json", 1, 0), ("accelerometer/b.json", 0, 1)
            )
        },
    ),
    Rule(
        "12-other-content-is-a-new-version",
        "A file whose content has changed lands again: what it repeats is duplicate, what is new lands.",
        [
            {"accelerometer/a.json": b"", "accelerometer/b.json": drop(FIRST)},
            {"accelerometer/a.json": drop(FIRST, SECOND), "accelerometer/b.json": drop(THIRD)},
            {"accelerometer/a.json": drop(SECOND, SECOND, "{"), "accelerometer/b.json": drop(FIRST)},
            {"accelerometer/a.json": b""},
        ],
        {
            "accelerometer_landing": rows(
                "x source_file source_line",
                (1.0, "accelerometer/b.json", 1),
                (2.0, "accelerometer/a.json", 2),
                (3.0, "accelerometer/b.json", 1),
            ),
            "landed_files": rows(
                "source_file lines landed rejected duplicate",
                ("accelerometer/a.json", 0, 0, 0, 0),
                ("accelerometer/b.json", 1, 1, 0, 0),
                ("accelerometer/a.json", 2, 1, 0, 1),
                ("accelerometer/b.json", 1, 1, 0, 0),
                ("accelerometer/a.json", 3, 0, 1, 2),
            ),
        },
    ),
    Rule(
        "12-a-new-version-has-rejected-lines-of-its-own",
        "A line of a new version is rejected though the same line of an earlier version was.",
        [{"accelerometer/a.json": drop("{")}, {"accelerometer/a.json": drop("[7]")}],
        {
            "rejected_records": rows(
                "source_file source_line reason rejected_column content_hash",
                rejected("accelerometer/a.json", 1, "broken_json", b"{"),
                rejected("accelerometer/a.json", 1, "not_an_object", b"7"),
            ),
        },
    ),
    Rule(
        "12-the-dump-of-today-over-yesterdays",
        "A refusal in a new version of a file is heard.",
        [landing([consenting(ANN), consenting(BOB)], WALK), landing([customer(ANN, at("13:00")), consenting(BOB)])],
        {"customer_trusted": rows("email", BOB), "accelerometer_trusted": rows("user")},
    ),
    Rule(
        "12-doubtful-lines-are-never-equal",
        "A doubtful line that stands twice lands twice, and one that comes again in a new version counts again.",
        [
            {"customer/a.json": drop(consenting(ANN), customer(BOB, None), customer(BOB, None))},
            {"customer/b.json": drop(customer(BOB, june("12:00", 1), june("12:00", 1)))},
            {"customer/a.json": drop(consenting(ANN), customer(BOB, None))},
        ],
        {
            "customer_landing": rows(
                "email doubt source_file source_line",
                (ANN, None, "customer/a.json", 1),
                (BOB, "missing_value", "customer/a.json", 2),
                (BOB, "missing_value", "customer/a.json", 3),
                (BOB, None, "customer/b.json", 1),
                (BOB, "missing_value", "customer/a.json", 2),
            ),
            "landed_files": rows(
                "source_file lines landed duplicate doubtful without_address",
                ("customer/a.json", 3, 3, 0, 2, 2),
                ("customer/b.json", 1, 1, 0, 0, 0),
                ("customer/a.json", 2, 1, 1, 1, 0),
            ),
            "customer_trusted": rows("email", ANN),
        },
    ),
    Rule(
        "12-a-refusal-that-is-not-read-again-can-be-renewed",
        "The same lines without the last version: whoever consents after the doubtful line is back.",
        [
            {"customer/a.json": drop(consenting(ANN), customer(BOB, None), customer(BOB, None))},
            {"customer/b.json": drop(customer(BOB, june("12:00", 1), june("12:00", 1)))},
            {"customer/a.json": drop(consenting(ANN), customer(BOB, None), customer(BOB, None))},
        ],
        {"customer_trusted": rows("email consent_start", (ANN, at("10:00")), (BOB, june("12:00", 1)))},
    ),
    Rule(
        "12-equal-in-typed-columns",
        "Records equal in all typed source columns are one, however they were written.",
        [
            {
                "accelerometer/a.json": drop(
                    reading(ANN, 1714564800000, 0, 1, 2),
                    reading("ANN@example.org", 1714564800, -0.0, "1", 2.0),
                    reading(" ann@example.org", " 2024-05-01T14:00+02:00", "0e5\t", 1e0, "2.0"),
                    '{"Z":2,"y":1.00,"X":-0,"extra":[1],"TimeStamp":"1714564800000.5","USER":"ann@example.org"}',
                    reading(ANN, 1714564800001, 0, 1, 2),
                )
            }
        ],
        {
            "accelerometer_landing": rows(
                "user timestamp x y z",
                (ANN, at("12:00"), 0.0, 1.0, 2.0),
                (ANN, at("12:00:00.001"), 0.0, 1.0, 2.0),
            ),
            "landed_files": rows("lines landed duplicate", (5, 2, 3)),
        },
    ),
    Rule(
        "12-customers-equal-in-all-ten-columns",
        "A customer record is a duplicate only if all ten columns are equal, nulls among them.",
        [
            landing(
                [
                    customer(ANN, at("10:00")),
                    customer("ANN@example.org", at("10:00"), serialNumber=None, phone=""),
                    customer(ANN, at("10:00"), phone="1"),
                    customer(ANN, at("10:00"), phone=1),
                ]
            )
        ],
        {
            "customer_landing": rows("phone source_line", (None, 1), ("1", 3)),
            "landed_files": rows("lines landed duplicate", (4, 2, 2)),
        },
    ),
    Rule(
        "12-a-rejected-line-leaves-its-place-and-its-reason",
        "A rejected record keeps its file, line, reason and column; never its content.",
        [
            {
                "step_trainer/a.json": drop(
                    b"{",
                    b"\xff{}",
                    b"7",
                    b'{"distanceFromObject":nonsense here}',
                    step(SN1, at("12:00"), 2**31),
                    step(SN1, at("12:00"), 1.5),
                    step(SN1, at("12:00"), None),
                    step(SN1, at("12:00"), "-5"),
                    b'{"sensorReadingTime":1714564800,"serialNumber":"a","SERIALNUMBER":"a","distanceFromObject":1}',
                    b"{}",
                    line_of(step(SN1, at("12:00"), 7)) + b" trailing",
                    b'{"sensorReadingTime":1714564800,"serialNumber":"a","distanceFromObject":NaN}',
                    nested(100),
                    nested(101),
                ),
            }
        ],
        {
            "step_trainer_landing": rows("distancefromobject source_line", (-5, 8)),
            "rejected_records": rows(
                "source_line reason rejected_column",
                (1, "broken_json", None),
                (2, "invalid_utf8", None),
                (3, "not_an_object", None),
                (4, "broken_json", None),
                (5, "unreadable_value", "distancefromobject"),
                (6, "unreadable_value", "distancefromobject"),
                (7, "missing_value", "distancefromobject"),
                (9, "unreadable_value", "serialnumber"),
                (10, "missing_value", "sensorreadingtime"),
                (11, "broken_json", None),
                (12, "unreadable_value", "distancefromobject"),
                (13, "missing_value", "sensorreadingtime"),
                (14, "too_deep", None),
            ),
        },
    ),
    Rule(
        "12-a-word-that-is-no-json-spoils-its-key-only",
        "NaN under a key that nobody asked for rejects nothing; under a column it is unreadable.",
        [
            landing(
                [line_of(customer(ANN, at("10:00"), at("10:00")))[:-1] + b',"phone":None,"customerName":0x1F}'],
                [line_of(FIRST)[:-1] + b',"battery":NaN,"ids":[0x1F,-Infinity,01]}'],
            )
        ],
        {
            "customer_landing": rows(
                "email phone customername sharewithresearchasofdate", (ANN, None, None, at("10:00"))
            ),
            "accelerometer_landing": rows("x", 1.0),
            "landed_files": rows("source landed nulled_values", ("customer", 1, 2), ("accelerometer", 1, 0)),
        },
    ),
    Rule(
        "12-equal-lines-have-equal-hashes",
        "The hash is keyed, and of the line's bytes without its ending.",
        [{"customer/a.json": b"{\n{\r\n"}],
        {
            # printf '{' | openssl dgst -sha256 -mac HMAC -macopt hexkey:787b…fa (CONTENT_KEY)
            "rejected_records": rows(
                "source source_file source_line reason rejected_column content_hash",
                *(
                    (
                        *("customer", "customer/a.json", line, "broken_json", None),
                        "552fa67973cae069256ec8cf3014c28e3164ec61112f5b927b411e8dfdb30472",
                    )
                    for line in (1, 2)
                ),
            )
        },
    ),
    Rule(
        "12-a-truncated-last-line",
        "A last line without an ending that is not JSON is truncated; one that is JSON is a record.",
        [
            {
                "accelerometer/cut.json": drop(FIRST) + CUT_OFF,
                "accelerometer/mid.json": drop(CUT_OFF) + line_of(SECOND),
            }
        ],
        {
            "accelerometer_landing": rows(
                "x source_file source_line", (1.0, "accelerometer/cut.json", 1), (2.0, "accelerometer/mid.json", 2)
            ),
            "rejected_records": rows(
                WHAT,
                rejected("accelerometer/cut.json", 2, "truncated", CUT_OFF),
                rejected("accelerometer/mid.json", 1, "broken_json", CUT_OFF),
            ),
        },
    ),
    Rule(
        "12-a-byte-order-mark-and-dos-endings",
        "A byte-order mark is not part of the first line, a carriage return belongs to the ending.",
        [{"accelerometer/dos.json": b"\xef\xbb\xbf" + line_of(FIRST) + b"\r\n\r\n" + line_of(SECOND) + b"\r\n"}],
        {
            "accelerometer_landing": rows("x source_line", (1.0, 1), (2.0, 3)),
            "landed_files": rows(COUNTS, ("accelerometer/dos.json", 3, 2, 0, 0, 0, 1, 0, 0, 0, "line", None)),
        },
    ),
    Rule(
        "12-compression-is-recognised-by-content",
        "A compressed file is read, whatever its name. Of one that breaks off what is left is one line, rejected.",
        [
            {
                "accelerometer/a.json": gzip.compress(drop(FIRST), mtime=0),
                "accelerometer/b.json.gz": gzip.compress(drop(SECOND, "{"), mtime=0)[:-8],
                "accelerometer/c.json.gz": b"not gzip at all",
                "accelerometer/d.json.gz": gzip.compress(CUT_OFF, mtime=0)[:-8],
                "accelerometer/e.json.bz2": bz2.compress(drop(THIRD)),
                "accelerometer/f.json.gz": drop(FIRST),
            }
        ],
        {
            "accelerometer_landing": rows(
                "x source_file",
                (1.0, "accelerometer/a.json"),
                (2.0, "accelerometer/b.json.gz"),
                (3.0, "accelerometer/e.json.bz2"),
            ),
            "rejected_records": rows(
                WHAT,
                rejected("accelerometer/b.json.gz", 2, "broken_json", b"{"),
                rejected("accelerometer/b.json.gz", 3, "corrupt_gzip", b""),
                rejected("accelerometer/c.json.gz", 1, "truncated", b"not gzip at all"),
                rejected("accelerometer/d.json.gz", 1, "corrupt_gzip", CUT_OFF),
            ),
            "landed_files": rows(
                "source_file lines landed rejected duplicate unit",
                ("accelerometer/a.json", 1, 1, 0, 0, "line"),
                ("accelerometer/b.json.gz", 3, 1, 2, 0, "line"),
                ("accelerometer/c.json.gz", 1, 0, 1, 0, "line"),
                ("accelerometer/d.json.gz", 1, 0, 1, 0, "line"),
                ("accelerometer/e.json.bz2", 1, 1, 0, 0, "line"),
                ("accelerometer/f.json.gz", 1, 0, 0, 1, "line"),
            ),
        },
    ),
    Rule(
        "12-what-is-left-of-a-customer-file-may-be-a-refusal",
        "The rest of a compressed file that breaks off is a line like any other: an address in it makes it doubtful.",
        [
            landing([consenting(ANN), consenting(BOB)]),
            {
                "customer/2.json.gz": gzip.compress(b'{"email":"ann@example.org","phone":"555', mtime=0)[:-8],
                "customer/3.json.gz": gzip.compress(drop(customer(ANN, at("09:00"))), mtime=0)[:-8],
            },
        ],
        {
            "customer_trusted": rows("email", BOB),
            "landed_files": rows(
                "source_file lines landed rejected doubtful without_address",
                ("customer/1.json", 2, 2, 0, 0, 0),
                ("customer/2.json.gz", 1, 1, 0, 1, 1),
                ("customer/3.json.gz", 2, 1, 1, 0, 1),
            ),
        },
    ),
    Rule(
        "12-files-that-are-read",
        "Endings .json, .jsonl, .ndjson, .txt or none, in any case, before the ending of a compression or not.",
        [
            {
                f"accelerometer/{name}": drop(reading(ANN, at("12:00"), float(x)))
                for x, name in enumerate(
                    (
                        "a.json",
                        "b.jsonl",
                        "c.NDJSON",
                        "d.txt",
                        "e",
                        "f.JSON.GZ",
                        "g.zst",
                        "day=1/h.Txt.bz2",
                        "i.gzip",
                        "j k+%#.json",
                    )
                )
            }
        ],
        {
            "accelerometer_landing": rows("x", *(float(x) for x in range(10))),
            "landed_files": rows("lines landed unit skipped", *[(1, 1, "line", None)] * 10),
        },
    ),
    Rule(
        "12-files-that-are-skipped",
        "A file that is not read has a row with the first reason that is true of it.",
        [
            dict.fromkeys(
                (
                    *("accelerometer/.a.json", "accelerometer/_b.json", "accelerometer/_temporary/0/c.json"),
                    *("customer/.ipynb_checkpoints/d.json", "__MACOSX/customer/e.json", "other/.f.tmp"),
                    *("accelerometer/~g.json", "accelerometer/h.json~", "customer/i.json.tmp", "customer/j.json.part"),
                    *("k.json", "customers/l.json", "accelerometer/m.csv", "step_trainer/n.parquet"),
                    *("accelerometer/o.json.zip", "accelerometer/p.2024"),
                ),
                drop(FIRST),
            )
        ],
        {
            "accelerometer_landing": rows("x"),
            "landed_files": rows(
                "source source_file lines landed unit skipped",
                ("accelerometer", "accelerometer/.a.json", 0, 0, None, "hidden"),
                ("accelerometer", "accelerometer/_b.json", 0, 0, None, "hidden"),
                ("accelerometer", "accelerometer/_temporary/0/c.json", 0, 0, None, "hidden"),
                ("customer", "customer/.ipynb_checkpoints/d.json", 0, 0, None, "hidden"),
                ("", "__MACOSX/customer/e.json", 0, 0, None, "hidden"),
                ("", "other/.f.tmp", 0, 0, None, "hidden"),
                ("accelerometer", "accelerometer/~g.json", 0, 0, None, "temporary"),
                ("accelerometer", "accelerometer/h.json~", 0, 0, None, "temporary"),
                ("customer", "customer/i.json.tmp", 0, 0, None, "temporary"),
                ("customer", "customer/j.json.part", 0, 0, None, "temporary"),
                ("", "k.json", 0, 0, None, "outside_sources"),
                ("", "customers/l.json", 0, 0, None, "outside_sources"),
                ("accelerometer", "accelerometer/m.csv", 0, 0, None, "unknown_ending"),
                ("step_trainer", "step_trainer/n.parquet", 0, 0, None, "unknown_ending"),
                ("accelerometer", "accelerometer/o.json.zip", 0, 0, None, "unknown_ending"),
                ("accelerometer", "accelerometer/p.2024", 0, 0, None, "unknown_ending"),
            ),
        },
    ),
    Rule(
        "12-a-skipped-file-has-one-row",
        "A file that is skipped in every run is named once.",
        [{"accelerometer/a.csv": b"x"}, {"accelerometer/a.csv": b"x,y"}],
        {"landed_files": rows("source_file skipped", ("accelerometer/a.csv", "unknown_ending"))},
    ),
    framed("one-line-each", drop(FIRST, SECOND), "line", 1, 2),
    framed("in-an-array-of-lines", b"[\n" + ONE + b",\n" + TWO + b"\n]\n", "line", 2, 3, blank=2),
    framed("with-a-comma-after-each", ONE + b",\n" + TWO + b",\n", "line", 1, 2),
    framed("with-nul-after-a-crash", ONE + b"\n" + b"\0" * 9 + TWO + b"\n" + b"\0" * 9, "line", 1, 2, blank=1),
    framed("of-joined-files-with-their-marks", BOM + ONE + b"\n" + BOM + TWO + b"\n", "line", 1, 2),
    framed("in-utf-16", (ONE + b"\n" + TWO + b"\n").decode().encode("utf-16"), "line", 1, 2),
    framed("as-a-json-text-sequence", b"\x1e" + ONE + b"\n\x1e" + TWO + b"\n", "line", 1, 2),
    framed("in-an-array-of-one-line", b"[" + ONE + b"," + TWO + b"]", "object", 1, 2),
    framed("one-behind-the-other", ONE + TWO, "object", 1, 2),
    framed("with-carriage-returns-only", ONE + b"\r" + TWO + b"\r", "object", 1, 2),
    framed("pretty-printed", json.dumps([json.loads(ONE), json.loads(TWO)], indent=2).encode(), "object", 1, 2),
    Rule(
        "12-what-is-no-object-between-objects-is-a-unit",
        "Where objects are not lines, each stretch is like a line. A customer behind a broken one is doubtful.",
        [
            {
                "accelerometer/a.json": ONE + TWO + b"\noops\n" + b'{"user":\n"ann@exam\n' + line_of(THIRD),
                "customer/a.json": line_of(consenting(ANN))
                + line_of(consenting(BOB))
                + b'\n{"email":\n"ann@example.org","phone":\n}\n'
                + line_of(consenting(CLEO)),
            }
        ],
        {
            "accelerometer_landing": rows("x source_line", (1.0, 1), (2.0, 2), (3.0, 4)),
            "rejected_records": rows("source_line reason", (3, "broken_json")),
            "customer_landing": rows(
                "email doubt source_line",
                (ANN, None, 1),
                (BOB, None, 2),
                (ANN, "broken_json", 3),
                (CLEO, "broken_json", 4),
            ),
            "landed_files": rows(
                "source lines landed rejected blank unit",
                ("accelerometer", 4, 3, 1, 0, "object"),
                ("customer", 4, 4, 0, 0, "object"),
            ),
            "customer_trusted": rows("email", BOB),
        },
    ),
]

RULES = [
    *IDENTITY,
    *TIME,
    *CUSTOMER_RECORDS,
    *CURRENT_CUSTOMER,
    *CONSENT_AS_OF,
    *CURATED,
    *WHOSE_DEVICE,
    *STEPS,
    *PAIRS,
    *PSEUDONYM,
    *POLICY,
    *NOTHING_VANISHES,
]
