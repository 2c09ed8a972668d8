"""The lake in plain Python: DESIGN's rules as nested loops, slow and simple, the judge of both engines."""

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from oracle_records import (
    EPOCH,
    SOURCES,
    RejectedError,
    identity,
    is_drop,
    lines,
    readers,
    record,
    record_hash,
    trimmed,
)

from stedi_common.policy import Policy

Row = dict[str, Any]
Runs = Sequence[Mapping[str, bytes]]

SOURCE_COLUMNS = {source: tuple(readers(source, EPOCH)) for source in SOURCES}

#: The columns of the rows in `Tables`: the contracts' own, without when and how a file arrived.
COLUMNS: dict[str, tuple[str, ...]] = {
    "customer_landing": (*SOURCE_COLUMNS["customer"], "record_hash", "source_file", "source_line"),
    "accelerometer_landing": (*SOURCE_COLUMNS["accelerometer"], "source_file", "source_line"),
    "step_trainer_landing": (*SOURCE_COLUMNS["step_trainer"], "source_file", "source_line"),
    "rejected_records": ("source", "source_file", "source_line", "reason", "rejected_column", "content_hash"),
    "landed_files": (
        *("source", "source_file", "lines", "landed", "rejected", "duplicate", "suppressed", "blank", "nulled_values"),
    ),
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


@dataclass
class Landing:
    """What landed so far. A record is its typed values, so equal records are one; each has the place it came from."""

    records: dict[str, dict[tuple[Any, ...], tuple[str, int]]] = field(default_factory=lambda: {s: {} for s in SOURCES})
    rejected: list[Row] = field(default_factory=list)
    files: dict[str, Row] = field(default_factory=dict)

    def of(self, source: str) -> list[Row]:
        return [dict(zip(SOURCE_COLUMNS[source], values, strict=True)) for values in self.records[source]]


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
        for name in sorted(drops):
            if is_drop(name) and name not in landing.files:
                landing.files[name] = land_file(landing, name, drops[name], began_at, key)
    return landing


def land_file(landing: Landing, name: str, raw: bytes, arrived_at: datetime, key: bytes) -> Row:
    source = name.split("/", maxsplit=1)[0]
    records, counts = landing.records[source], Counter[str]()
    for line in lines(name, raw):
        counts["lines"] += 1
        if line.is_blank:
            counts["blank"] += 1
            continue
        try:
            values, nulled = record(source, line, arrived_at)
        except RejectedError as fault:
            counts["rejected"] += 1
            landing.rejected.append(rejection(source, name, line.number, fault, content_hash(line.content, key)))
            continue
        counts["nulled_values"] += nulled
        counts["duplicate" if values in records else "landed"] += 1
        records.setdefault(values, (name, line.number))
    return {"source": source, "source_file": name} | {c: counts[c] for c in COLUMNS["landed_files"][2:]}


def rejection(source: str, name: str, number: int, fault: RejectedError, content: str) -> Row:
    return {
        "source": source,
        "source_file": name,
        "source_line": number,
        "reason": fault.reason,
        "rejected_column": fault.column,
        "content_hash": content,
    }


def content_hash(content: bytes, key: bytes) -> str:
    return hmac.new(key, content, hashlib.sha256).hexdigest()


def landing_zone(landing: Landing) -> Tables:
    def records(source: str) -> Counter[tuple[Any, ...]]:
        return Counter((*values, *place) for values, place in landing.records[source].items())

    customers = landing.records["customer"].items()
    return Tables(
        {
            "customer_landing": Counter((*values, record_hash(values), *place) for values, place in customers),
            "accelerometer_landing": records("accelerometer"),
            "step_trainer_landing": records("step_trainer"),
            "rejected_records": bag("rejected_records", landing.rejected),
            "landed_files": bag("landed_files", landing.files.values()),
        }
    )


# Trusted and curated


def governed(landing: Landing, policy: Policy, pseudonym: Callable[[str], str]) -> Tables:
    """The five governed tables of what has landed."""
    customers, readings, steps = (landing.of(source) for source in SOURCES)

    consenting = customer_trusted(customers)
    moves = accelerometer_trusted(readings, consenting, policy)
    curated = customers_curated(consenting, moves)
    owners = owners_of_devices(customers, curated, policy)
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


def customer_trusted(customers: list[Row]) -> dict[str, Row]:
    """Rules 4 and 5: by email, whoever shares with research now, and from when on."""
    people: dict[str, list[Row]] = {}
    for customer in customers:
        people.setdefault(customer["email"], []).append(customer)

    trusted = {}
    for email, records in people.items():
        current = current_customer(records)
        if current["sharewithresearchasofdate"] is not None:
            trusted[email] = current | {"consent_start": consent_start(current, records)}
    return trusted


def current_customer(records: list[Row]) -> Row:
    """Rule 4: the latest; at a tie the one without consent, then the later consent, then the greater hash."""
    return max(records, key=how_current)


def how_current(customer: Row) -> tuple[Any, ...]:
    consent = customer["sharewithresearchasofdate"]
    values = [customer[column] for column in SOURCE_COLUMNS["customer"]]
    return customer["lastupdatedate"], consent is None, consent or EPOCH, record_hash(values)


def consent_start(current: Row, records: list[Row]) -> datetime:
    """Rule 5: the consent as of, but never before the person last had none."""
    without = [record["lastupdatedate"] for record in records if record["sharewithresearchasofdate"] is None]
    return max([current["sharewithresearchasofdate"], *without])


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


def owners_of_devices(customers: list[Row], curated: dict[str, Row], policy: Policy) -> dict[str, set[str]]:
    """Rule 7: by serial number, the curated people whose readings the device's readings are."""
    owners = {}
    for serial, claimants in claimants_of_devices(customers).items():
        if policy.consent == "as-of" and (len(claimants) > 1 or is_defective(serial, policy)):
            continue
        owners[serial] = {email for email in claimants if email in curated}
    return owners


def claimants_of_devices(customers: list[Row]) -> dict[str, set[str]]:
    """By serial number, everybody with any record, past or present, that carries it."""
    claimants: dict[str, set[str]] = {}
    for customer in customers:
        if customer["serialnumber"] is not None:
            claimants.setdefault(customer["serialnumber"], set()).add(customer["email"])
    return claimants


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
