"""The rules of DESIGN ("What is true"), each with hand-written histories and the rows that must come of them.

No row here was computed: it is what the rule's sentence says. The oracle and both engines answer to the same list.
"""

import gzip
import hashlib
import hmac
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from drops import ARRIVED, at, customer, drop, landing, line_of, reading, step

from stedi_common.policy import Policy

ANN, BOB, CLEO = "ann@example.org", "bob@example.org", "cleo@example.org"
SN1, SN2, SN3 = "sn-1", "sn-2", "sn-3"
KEY = bytes(range(32))
#: Rejected lines have a key of their own, so that no pseudonym can be made from a line. It is derived from the other:
#: printf 'stedi rejected content' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102…1f
CONTENT_KEY = bytes.fromhex("787b16f495ba483ec331448beabddaba4c2ff30d1242eb8ee6220d134f7ffafa")

AS_OF, AS_OF_TIMESTAMP = Policy(), Policy(pairing="timestamp")
EVER, EVER_TIMESTAMP = Policy(consent="ever"), Policy(consent="ever", pairing="timestamp")

DAY, MILLISECOND = timedelta(days=1), timedelta(milliseconds=1)


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


WALK = [reading(ANN, at("12:00"))]

IDENTITY = [
    Rule(
        "1-spelling-does-not-matter",
        "email, user and serialnumber are trimmed and lower-cased once, at landing.",
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
    Rule(
        "1-only-ascii-is-folded",
        "Letters and spaces beyond ASCII are somebody's own.",
        [landing([customer("ÄNN@EXAMPLE.ORG", at("10:00"))], [reading("\u00a0\u212aIM@example.org", at("12:00"))])],
        {
            "customer_landing": rows("email", "Änn@example.org"),
            "accelerometer_landing": rows("user", "\u00a0\u212aim@example.org"),
        },
    ),
    Rule(
        "1-empty-is-missing",
        "An identity that is empty after trimming is missing; a missing device is nobody's.",
        [
            landing(
                [customer(" ", at("10:00")), consenting(ANN, " "), consenting(BOB, "")],
                [reading("", at("12:00")), *WALK, reading(BOB, at("12:00"))],
                [step("\t", at("12:00")), step(SN1, at("12:00"))],
            )
        ],
        {
            "customer_landing": rows("email serialnumber", (ANN, None), (BOB, None)),
            "rejected_records": rows(
                "source source_line reason rejected_column",
                ("customer", 1, "missing_value", "email"),
                ("accelerometer", 1, "missing_value", "user"),
                ("step_trainer", 1, "missing_value", "serialnumber"),
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
        "2-numbers-are-seconds-or-milliseconds",
        "A number below 1e11 is seconds, else milliseconds; as a text too.",
        NOON,
        *(1714564800123, 1714564800123.0, 1714564800.123, "1714564800123", "1714564800.123", "1.714564800123e12"),
    ),
    all_read_as(
        "2-kept-to-the-millisecond",
        "What is finer than a millisecond is cut, not rounded.",
        NOON,
        *(1714564800123.9, "1714564800.1239", "2024-05-01T12:00:00.123999Z", "2024-05-01T12:00:00.1239999999999Z"),
    ),
    all_read_as(
        "2-a-string-has-its-zone",
        "A string needs its zone, and is kept in UTC.",
        at("12:00"),
        *("2024-05-01T12:00Z", "2024-05-01 12:00:00Z", "2024-05-01T14:00:00.000+02:00", "2024-05-01T06:30:00-0530"),
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
        *("2024-05-01T12:00:00", "2024-05-01", "2024-05-01T12:00:00 UTC", "2024-02-30T12:00Z", "2024-05-01T12:60Z"),
        *("noon", True, [], {}, "1714564800123ms", "+1714564800"),
    ),
    all_rejected(
        "2-before-2000-is-wrong",
        "An instant before 2000 is wrong, one far in the future as well.",
        "wrong_instant",
        *(0, -1, 946684799, 946684799.999, 946684799999, "1999-12-31T23:59:59.999Z", "2000-01-01T00:00+00:01"),
        *(99999999999, 100000000000, 1e300),
    ),
    all_read_as(
        "2-the-year-2000-has-begun",
        "The first instant of 2000 is right.",
        datetime(2000, 1, 1),
        *(946684800, 946684800000, "2000-01-01T00:00Z", "1999-12-31T23:00:00-01:00"),
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

CUSTOMER_RECORDS = [
    Rule(
        "3-only-email-and-lastupdatedate-reject",
        "Only a missing email or lastupdatedate rejects a customer record.",
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
            "customer_landing": rows("email source_line", (ANN, 6)),
            "rejected_records": rows(
                "source_line reason rejected_column",
                (1, "missing_value", "email"),
                (2, "missing_value", "lastupdatedate"),
                (3, "unreadable_value", "lastupdatedate"),
                (4, "wrong_instant", "lastupdatedate"),
                (5, "unreadable_value", "email"),
            ),
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
        "The latest record per email by lastupdatedate, in whatever order they arrive.",
        [
            landing([customer(ANN, at("12:00"), at("09:00"), phone="new")]),
            landing([customer(ANN, at("11:00"), at("09:00"), phone="old")], name="2"),
        ],
        {"customer_trusted": rows("email phone lastupdatedate", (ANN, "new", at("12:00")))},
    ),
    Rule(
        "4-a-withdrawal-is-a-latest-record-without-consent",
        "A latest record without research consent is a withdrawal: of readings made under consent too.",
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
        "4-an-old-record-without-consent-is-no-withdrawal",
        "A record without consent that arrives late, but was made before the current one, withdraws nothing.",
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
        "5-a-renewed-consent-does-not-reach-behind-the-withdrawal",
        "Consent starts at the latest record without consent, if that is later than the as-of date.",
        [
            landing(
                [
                    consenting(ANN, SN1, since=at("10:00")),
                    customer(ANN, at("12:00"), None, SN1),
                    customer(ANN, at("14:00"), at("10:00"), SN1),
                ],
                [reading(ANN, at("11:00")), reading(ANN, at("11:59:59.999")), reading(ANN, at("12:00"))],
                [step(SN1, at("11:00")), step(SN1, at("12:00"))],
            )
        ],
        {
            "customer_trusted": rows("sharewithresearchasofdate consent_start", (at("10:00"), at("12:00"))),
            "accelerometer_trusted": rows("timestamp", at("12:00")),
            "step_trainer_trusted": rows("sensorreadingtime", at("12:00")),
        },
    ),
    Rule(
        "5-the-latest-of-several-withdrawals",
        "Of several records without consent the latest counts; a later as-of date counts above it.",
        [
            landing(
                [
                    *(customer(ANN, at(clock)) for clock in ("09:00", "11:00")),
                    customer(ANN, at("12:00"), at("08:00")),
                    customer(BOB, at("11:00")),
                    customer(BOB, at("12:00"), at("13:00")),
                ]
            )
        ],
        {"customer_trusted": rows("email consent_start", (ANN, at("11:00")), (BOB, at("13:00")))},
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
        "5-ever-ignores-instants-never-withdrawals",
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
]

CURATED = [
    Rule(
        "6-a-trusted-reading-makes-a-curated-customer",
        "Consenting customers with at least one trusted reading, once each.",
        [
            landing(
                [consenting(ANN), consenting(BOB), consenting(CLEO), customer("dan@example.org", at("10:00"))],
                [
                    *(reading(ANN, at(clock)) for clock in ("11:00", "12:00", "13:00")),
                    reading(BOB, at("09:00")),
                    reading("dan@example.org", at("12:00")),
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
        Policy.declared("as-of", "owner", frozenset({" SN-1", "sn-9"}), environment="dev"),
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

FIRST, SECOND = reading(ANN, at("12:00"), 1.0), reading(ANN, at("12:00"), 2.0)
CUT_OFF = b'{"user":"ann@exam'
COUNTS = "source_file lines landed rejected duplicate suppressed blank nulled_values"
WHAT = "source_file source_line reason rejected_column content_hash"


def rejected(name: str, number: int, reason: str, line: bytes, column: str | None = None) -> tuple[Any, ...]:
    return (name, number, reason, column, content_hash(line))


NOTHING_VANISHES = [
    Rule(
        "12-every-line-is-accounted-for",
        "Per file, lines = landed + rejected + duplicate + suppressed + blank.",
        [
            {
                "customer/a.json": drop(consenting(ANN), customer(ANN, None), consenting(ANN)),
                "accelerometer/deep/er/a.json": drop(FIRST, "", " \t", SECOND, FIRST, "nonsense"),
                "step_trainer/empty.json": b"",
                "step_trainer/_SUCCESS": b"not a drop",
            }
        ],
        {
            "landed_files": rows(
                COUNTS,
                ("customer/a.json", 3, 1, 1, 1, 0, 0, 0),
                ("accelerometer/deep/er/a.json", 6, 2, 1, 1, 0, 2, 0),
                ("step_trainer/empty.json", 0, 0, 0, 0, 0, 0, 0),
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
        "12-a-rejected-line-leaves-its-place-its-reason-and-a-hash",
        "A rejected record keeps its file, line, reason, column and a keyed hash; never its content.",
        [
            {
                "step_trainer/a.json": drop(
                    b"{",
                    b"\xff{}",
                    b"[]",
                    b'{"distanceFromObject":NaN}',
                    step(SN1, at("12:00"), 2**31),
                    step(SN1, at("12:00"), 1.5),
                    step(SN1, at("12:00"), None),
                    step(SN1, at("12:00"), "-5"),
                    b'{"sensorReadingTime":1714564800,"serialNumber":"a","SERIALNUMBER":"a","distanceFromObject":1}',
                    b"{}",
                    line_of(step(SN1, at("12:00"), 7)) + b" trailing",
                    b"\xef\xbb\xbf{}",
                    b"[" * 100 + b"]" * 100,
                    b"[" * 101 + b"]" * 101,
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
                (12, "broken_json", None),
                (13, "not_an_object", None),
                (14, "broken_json", None),
            ),
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
            "landed_files": rows(COUNTS, ("accelerometer/dos.json", 3, 2, 0, 0, 0, 1, 0)),
        },
    ),
    Rule(
        "12-gzip-files-are-files",
        "A gzip file is read; of one that breaks off the whole lines, what is left is one line rejected.",
        [
            {
                "accelerometer/a.json.gz": gzip.compress(drop(FIRST), mtime=0),
                "accelerometer/b.json.gz": gzip.compress(drop(SECOND, "{"), mtime=0)[:-8],
                "accelerometer/c.json.gz": b"not gzip at all",
                "accelerometer/d.json.gz": gzip.compress(CUT_OFF, mtime=0)[:-8],
            }
        ],
        {
            "accelerometer_landing": rows(
                "x source_file", (1.0, "accelerometer/a.json.gz"), (2.0, "accelerometer/b.json.gz")
            ),
            "rejected_records": rows(
                WHAT,
                rejected("accelerometer/b.json.gz", 2, "broken_json", b"{"),
                rejected("accelerometer/b.json.gz", 3, "corrupt_gzip", b""),
                rejected("accelerometer/c.json.gz", 1, "corrupt_gzip", b""),
                rejected("accelerometer/d.json.gz", 1, "corrupt_gzip", CUT_OFF),
            ),
            "landed_files": rows(
                COUNTS,
                ("accelerometer/a.json.gz", 1, 1, 0, 0, 0, 0, 0),
                ("accelerometer/b.json.gz", 3, 1, 2, 0, 0, 0, 0),
                ("accelerometer/c.json.gz", 1, 0, 1, 0, 0, 0, 0),
                ("accelerometer/d.json.gz", 1, 0, 1, 0, 0, 0, 0),
            ),
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
