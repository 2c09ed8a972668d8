"""A withdrawal that did not come from a producer: a drop with a refusal, so that it lands as every other one."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path

from stedi_common.contracts import contract
from stedi_common.engines.protocol import Engine
from stedi_common.engines.storage import s3
from stedi_common.errors import SubjectError
from stedi_common.files import write_new
from stedi_common.records import shown
from stedi_common.subjects.subject import Subject
from stedi_common.subjects.tables import current_rows

_CUSTOMERS = contract("customer_landing")
#: The folder of these drops, below that of the customers.
FOLDER = "withdrawals"
_ZONES_OF_RESEARCH = ("trusted", "curated")


def expect_customer(engine: Engine, subject: Subject) -> None:
    """Raise SubjectError if no customer record of the person has landed: the address may be misspelled."""
    if not current_rows(engine, subject, [_CUSTOMERS.zone]).get(_CUSTOMERS.identifier):
        raise SubjectError(
            "subject: expected a person of whom a customer record has landed, got another one",
            hint="check the address; if the record has not landed yet, land it first: stedi land",
        )


def write_refusal(subject: Subject, landing: str, now: datetime) -> str:
    """Write a drop with one customer record, which is a refusal of the person (rule 4). Nothing lands.

    Args:
        subject: the person, whose address is known.
        landing: the landing folder or its S3 URI.
        now: when the person withdraws, in UTC without zone.

    Returns:
        The name of the drop: its path below the landing folder. It does not have the address.

    Raises:
        SubjectError: the address is not known, or the drop cannot be written.
    """
    if subject.address is None:
        raise SubjectError(
            "subject: expected a pseudonym whose address has landed, got another one", hint="give the address instead"
        )
    # A name of its own for each: the file of an earlier withdrawal stays.
    name = f"customer/{FOLDER}/{now:%Y-%m-%d}-{secrets.token_hex(8)}.json"
    try:
        _write(landing, name, _refusal(subject.address, now))
    except OSError as error:
        raise SubjectError(
            f"{shown(landing)}: expected to write the refusal into {name}, got: {error.strerror}",
            hint="let this user write into the landing folder, or name another one by --landing",
        ) from None
    return name


def expect_no_rows(engine: Engine, subject: Subject) -> None:
    """Raise SubjectError if a trusted or curated table still has rows about the person."""
    if left := current_rows(engine, subject, _ZONES_OF_RESEARCH):
        named = ", ".join(f"{rows:,} of {table}" for table, rows in left.items())
        raise SubjectError(
            f"subject: expected no rows of the person in trusted and curated tables, got {named}",
            hint="run the command again; if they stay, the function of that table does not ask for consent",
        )


def _refusal(address: str, now: datetime) -> str:
    """A line in which every value is missing except the address and the time. A missing key would be drift."""
    line = {column.name: None for column in _CUSTOMERS.source_columns}
    instant = round(now.replace(tzinfo=UTC).timestamp() * 1000)
    return json.dumps({**line, "email": address, "lastupdatedate": instant}, ensure_ascii=False) + "\n"


def _write(landing: str, name: str, text: str) -> None:
    if landing.startswith(s3.SCHEME):
        client, bucket, key = s3.object_client(f"{landing.rstrip('/')}/{name}")
        client.put_object(Bucket=bucket, Key=key, Body=text.encode())
        return
    file = Path(landing) / name
    Path(landing).stat()  # a misspelled folder is not made
    file.parent.mkdir(parents=True, exist_ok=True)
    write_new(file, text)
