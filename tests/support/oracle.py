"""The lake in plain Python: the rules as nested loops, slow and simple, the reference for both engines."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from support.oracle_records import (
    EPOCH,
    SOURCE_COLUMNS,
    SOURCES,
    Line,
    RejectedError,
    doubt,
    doubts,
    identity,
    is_incomplete,
    lines,
    record,
    record_hash,
    skipped,
    source_of,
    trimmed,
)

from stedi_common.rules.policy import Policy

Row = dict[str, Any]
Runs = Sequence[Mapping[str, bytes]]

#: How many lines of a file became what.
COUNTS = (
    *("lines", "landed", "rejected", "duplicate", "suppressed", "blank"),
    *("nulled_values", "doubtful", "without_address"),
)

#: Rule 12: so many rejected lines of a file have a row, the first ones.
REJECTED_ROWS = 10_000

#: The columns of the rows in `Tables`: the contracts' own, without when and how a file arrived and what keys it had.
COLUMNS: dict[str, tuple[str, ...]] = {
    "customer_landing": (*SOURCE_COLUMNS["customer"], "record_hash", "doubt", "source_file", "source_line"),
    "accelerometer_landing": (*SOURCE_COLUMNS["accelerometer"], "source_file", "source_line"),
    "step_trainer_landing": (*SOURCE_COLUMNS["step_trainer"], "source_file", "source_line"),
    "rejected_records": ("source", "source_file", "source_line", "reason", "rejected_column", "content_hash"),
    "landed_files": ("source", "source_file", *COUNTS, "unit", "skipped"),
    "customer_trusted": (*SOURCE_COLUMNS["customer"], "consent_start"),
    "accelerometer_trusted": SOURCE_COLUMNS["accelerometer"],
    "customers_curated": (*SOURCE_COLUMNS["customer"], "consent_start"),
    "step_trainer_trusted": SOURCE_COLUMNS["step_trainer"],
    "machine_learning_curated": ("pseudonym", "timestamp", "distancefromobject", "x", "y", "z"),
}


@dataclass
class Tables:
    """Every table as a bag of tuples, in the order of COLUMNS."""

    rows: dict[str, Counter[tuple[Any, ...]]]

    def __getitem__(self, table: str) -> Counter[tuple[Any, ...]]:
        return self.rows[table]


class Place(NamedTuple):
    """Where a line lies, and when the run that read it began."""

    source_file: str
    source_line: int
    arrived_at: datetime


@dataclass
class Landing:
    """What landed so far. A record is its typed values, so equal records are one; each has the place it came from.

    A record of somebody who was suspended is its values and its arrival, so it is equal to none that landed before.

    doubtful: the rows of doubtful lines, of which none equals another.
    files: by name and content (its SHA-256), what became of the lines; a skipped file has no content.
    """

    records: dict[str, dict[tuple[tuple[Any, ...], datetime | None], Place]] = field(
        default_factory=lambda: {s: {} for s in SOURCES}
    )
    doubtful: list[Row] = field(default_factory=list)
    rejected: list[Row] = field(default_factory=list)
    files: dict[tuple[str, str], Row] = field(default_factory=dict)

    def of(self, source: str) -> list[Row]:
        """The records of a source, with their places."""
        return [
            dict(zip(SOURCE_COLUMNS[source], values, strict=True))
            | place._asdict()
            | {"doubt": None, "answered_at": answered_at}
            for (values, answered_at), place in self.records[source].items()
        ]


def lake(
    runs: Runs, arrived_at: Sequence[datetime], policy: Policy, key: bytes, pseudonym: Callable[[str], str]
) -> Tables:
    """All tables after these landings, of which each began at its `arrived_at` (UTC, without a zone).

    `key` is the one of the rejected lines' hashes, which is not the pseudonyms'.
    """
    landing = land(runs, arrived_at, key)
    return Tables(landing_zone(landing).rows | governed(landing, policy, pseudonym).rows)


# Landing


def land(runs: Runs, arrived_at: Sequence[datetime], key: bytes) -> Landing:
    landing = Landing()
    for drops, began_at in zip(runs, arrived_at, strict=True):
        before = len(landing.doubtful)
        for name in sorted(drops):
            reason = skipped(name)
            version = name, "" if reason else content_of(drops[name])
            if version not in landing.files:
                unit, counts = (None, Counter()) if reason else land_file(landing, name, drops[name], began_at, key)
                landing.files[version] = file_row(name, counts, unit, reason)
        count_strangers(landing, drops, landing.doubtful[before:])
    return landing


def land_file(landing: Landing, name: str, raw: bytes, arrived_at: datetime, key: bytes) -> tuple[str, Counter[str]]:
    """Lands a version of a file: what counted as its lines, and how many of them became what."""
    source, counts = source_of(name), Counter[str]()
    records = landing.records[source]
    unit, found = lines(name, raw)
    for line in found:
        counts["lines"] += 1
        if line.is_blank:
            counts["blank"] += 1
            continue
        place = Place(name, line.number, arrived_at)
        try:
            values, nulled = record(source, line, arrived_at)
        except RejectedError as fault:
            in_doubt = doubtful_rows(line, fault, place) if source == "customer" else []
            landing.doubtful += in_doubt
            if not in_doubt and counts["rejected"] < REJECTED_ROWS:
                landing.rejected.append(rejection(source, place, fault, content_hash(line.content, key)))
            counts += fate(source, [row["doubt"] for row in in_doubt])
            continue
        counts["nulled_values"] += len(nulled)
        of = values, (arrived_at if source == "customer" and was_suspended(landing, values, arrived_at) else None)
        counts["duplicate" if of in records else "landed"] += 1
        records.setdefault(of, place)
    return unit, counts


def was_suspended(landing: Landing, values: tuple[Any, ...], arrived_at: datetime) -> bool:
    """Rule 4: whether the record's person was suspended when it arrived."""
    email = dict(zip(SOURCE_COLUMNS["customer"], values, strict=True))["email"]
    if all(row["email"] != email for row in landing.doubtful):
        return False
    rows = [row for row in [*landing.of("customer"), *landing.doubtful] if row["email"] == email]
    return is_suspended([row for row in rows if row["arrived_at"] < arrived_at])


def doubtful_rows(line: Line, fault: RejectedError, place: Place) -> list[Row]:
    """Rule 3: a row for each address that can be read in a customer's line that is no record."""
    return [
        dict(zip(SOURCE_COLUMNS["customer"], values, strict=True)) | place._asdict() | {"doubt": doubt(line, fault)}
        for _, values in doubts(line, fault, place.arrived_at)
    ]


def fate(source: str, in_doubt: list[str]) -> Counter[str]:
    """What a line that is no record counts as; `in_doubt` says why it is doubtful, if it is."""
    is_about_anybody = source == "customer" and (not in_doubt or is_incomplete(in_doubt[0]))
    counted = ("landed", "doubtful") if in_doubt else ("rejected",)
    return Counter((*counted, *["without_address"] * is_about_anybody))


def count_strangers(landing: Landing, drops: Mapping[str, bytes], doubtful: list[Row]) -> None:
    """Rule 3: a doubtful line of this run that is about nobody who has a record may be about anybody."""
    known = {row["email"] for row in landing.of("customer")}
    people: dict[tuple[str, int], set[str]] = {}
    for row in doubtful:
        if not is_incomplete(row["doubt"]):
            people.setdefault((row["source_file"], row["source_line"]), set()).add(row["email"])
    for (name, _), emails in people.items():
        if not emails & known:
            landing.files[name, content_of(drops[name])]["without_address"] += 1


def file_row(name: str, counts: Counter[str], unit: str | None, reason: str | None) -> Row:
    counted = {count: counts[count] for count in COUNTS}
    return {"source": source_of(name), "source_file": name} | counted | {"unit": unit, "skipped": reason}


def rejection(source: str, place: Place, fault: RejectedError, content: str) -> Row:
    return {
        "source": source,
        "source_file": place.source_file,
        "source_line": place.source_line,
        "reason": fault.reason,
        "rejected_column": fault.column,
        "content_hash": content,
    }


def content_of(raw: bytes) -> str:
    """Rule 12: what tells one version of a file from another."""
    return hashlib.sha256(raw).hexdigest()


def content_hash(content: bytes, key: bytes) -> str:
    return hmac.new(key, content, hashlib.sha256).hexdigest()


def landing_zone(landing: Landing) -> Tables:
    def hashed(row: Row) -> Row:
        """A doubtful line's hash is of the place where it lies, which no oracle knows."""
        if row["doubt"]:
            return row | {"record_hash": None}
        digest = record_hash([row[column] for column in SOURCE_COLUMNS["customer"]])
        if row["answered_at"]:
            digest = hashlib.sha256(f"{digest} {row['answered_at'].isoformat()}".encode()).hexdigest()
        return row | {"record_hash": digest}

    customers = [hashed(row) for row in [*landing.of("customer"), *landing.doubtful]]
    return Tables(
        {
            "customer_landing": bag("customer_landing", customers),
            "accelerometer_landing": bag("accelerometer_landing", landing.of("accelerometer")),
            "step_trainer_landing": bag("step_trainer_landing", landing.of("step_trainer")),
            "rejected_records": bag("rejected_records", landing.rejected),
            "landed_files": bag("landed_files", landing.files.values()),
        }
    )


# Trusted and curated


def governed(landing: Landing, policy: Policy, pseudonym: Callable[[str], str]) -> Tables:
    """The five governed tables of what has landed."""
    customers, readings, steps = (landing.of(source) for source in SOURCES)

    consenting = customer_trusted(customers, landing.doubtful)
    moves = accelerometer_trusted(readings, consenting, policy)
    curated = customers_curated(consenting, moves)
    owners = owners_of_devices(customers, landing.doubtful, curated, policy)
    trusted_steps = step_trainer_trusted(steps, owners, curated, policy)
    pairs = machine_learning_curated(trusted_steps, moves, owners, policy, pseudonym)

    return Tables(
        {
            "customer_trusted": bag("customer_trusted", consenting.values()),
            "accelerometer_trusted": bag("accelerometer_trusted", moves),
            "customers_curated": bag("customers_curated", curated.values()),
            "step_trainer_trusted": bag("step_trainer_trusted", trusted_steps),
            "machine_learning_curated": bag("machine_learning_curated", pairs),
        }
    )


def customer_trusted(customers: list[Row], doubtful: list[Row]) -> dict[str, Row]:
    """Rules 4 and 5: by email, whoever shares with research now, and from when on."""
    people: dict[str, list[Row]] = {}
    for row in [*customers, *doubtful]:
        people.setdefault(row["email"], []).append(row)

    trusted = {}
    for email, rows in people.items():
        statements = [row for row in rows if is_statement(row)]
        if not statements or is_suspended(rows):
            continue
        current = current_customer(statements)
        if not is_refusal(current):
            trusted[email] = current | {"consent_start": consent_start(current, statements)}
    return trusted


def is_refusal(row: Row) -> bool:
    return row["sharewithresearchasofdate"] is None


def is_statement(row: Row) -> bool:
    """Rule 4: whether the row says anything about consent. A doubtful line with a consent does not, it suspends."""
    return row["doubt"] is None or is_refusal(row)


def is_suspended(rows: list[Row]) -> bool:
    """Rule 4: whether no record arrived later than some doubtful line in which a consent can be read."""
    arrivals = [row["arrived_at"] for row in rows if row["doubt"] is None]
    return any(not is_statement(row) and not any(arrival > row["arrived_at"] for arrival in arrivals) for row in rows)


def took_effect(row: Row) -> datetime:
    """Rule 4: a record at the earlier of its date and its arrival, a doubtful line at its arrival."""
    return row["arrived_at"] if row["doubt"] else min(row["lastupdatedate"], row["arrived_at"])


def current_customer(statements: list[Row]) -> Row:
    """Rule 4: the last to take effect; at a tie the one without consent, the later consent, the greater hash."""
    return max(statements, key=how_current)


def how_current(row: Row) -> tuple[Any, ...]:
    consent = row["sharewithresearchasofdate"]
    values = [row[column] for column in SOURCE_COLUMNS["customer"]]
    return took_effect(row), is_refusal(row), consent or EPOCH, record_hash(values)


def consent_start(current: Row, statements: list[Row]) -> datetime:
    """Rule 5: the stated date, unless they refused at or after it: then when they first consented again."""
    stated: datetime = current["sharewithresearchasofdate"]
    refusals = [took_effect(row) for row in statements if is_refusal(row)]
    if not refusals or max(refusals) < stated:
        return stated
    renewals = [row for row in statements if not is_refusal(row) and took_effect(row) > max(refusals)]
    return min(row["lastupdatedate"] for row in renewals)


def is_admitted(at: datetime, person: Row, policy: Policy) -> bool:
    """Rule 5: whether a reading of this person counts."""
    return policy.consent == "ever" or at >= person["consent_start"]


def accelerometer_trusted(readings: list[Row], trusted: dict[str, Row], policy: Policy) -> list[Row]:
    return [
        reading
        for reading in readings
        if reading["user"] in trusted and is_admitted(reading["timestamp"], trusted[reading["user"]], policy)
    ]


def customers_curated(trusted: dict[str, Row], moves: list[Row]) -> dict[str, Row]:
    """Rule 6: consenting customers with a trusted reading."""
    users = {move["user"] for move in moves}
    return {email: customer for email, customer in trusted.items() if email in users}


def owners_of_devices(
    customers: list[Row], doubtful: list[Row], curated: dict[str, Row], policy: Policy
) -> dict[str, set[str]]:
    """Rule 7: by serial number, the curated people whose readings the device's readings are."""
    owners = {}
    on_record = emails_by_device(customers)
    for serial, claimants in emails_by_device([*customers, *doubtful]).items():
        if policy.consent == "as-of" and (len(claimants) > 1 or is_defective(serial, policy)):
            continue
        owners[serial] = {email for email in on_record.get(serial, ()) if email in curated}
    return owners


def emails_by_device(rows: list[Row]) -> dict[str, set[str]]:
    """By serial number, everybody with any of these rows, past or present, that carries it."""
    emails: dict[str, set[str]] = {}
    for row in rows:
        if row["serialnumber"] is not None:
            emails.setdefault(row["serialnumber"], set()).add(row["email"])
    return emails


def is_defective(serial: str, policy: Policy) -> bool:
    return serial in {identity(trimmed(defective)) for defective in policy.defective_serials}


def step_trainer_trusted(
    steps: list[Row], owners: dict[str, set[str]], curated: dict[str, Row], policy: Policy
) -> list[Row]:
    """Rule 8: each step once, when any owner of its device admits it."""
    return [
        step
        for step in steps
        if any(
            is_admitted(step["sensorreadingtime"], curated[email], policy)
            for email in owners.get(step["serialnumber"], ())
        )
    ]


def machine_learning_curated(
    steps: list[Row], moves: list[Row], owners: dict[str, set[str]], policy: Policy, pseudonym: Callable[[str], str]
) -> list[Row]:
    """Rule 9: each trusted step with each trusted move of one instant (and, by default, one person)."""
    moves_at: dict[datetime, list[Row]] = {}
    for move in moves:
        moves_at.setdefault(move["timestamp"], []).append(move)

    return [
        step | move | {"pseudonym": pseudonym(move["user"])}
        for step in steps
        for move in moves_at.get(step["sensorreadingtime"], ())
        if policy.pairing == "timestamp" or move["user"] in owners[step["serialnumber"]]
    ]


def bag(table: str, rows: Iterable[Row]) -> Counter[tuple[Any, ...]]:
    return Counter(tuple(row[column] for column in COLUMNS[table]) for row in rows)
