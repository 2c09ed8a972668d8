"""Who a request is about: the address, the pseudonym, and the devices of a person."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import narwhals as nw

from stedi_common.contracts import contract
from stedi_common.engines.protocol import Engine
from stedi_common.errors import SubjectError
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.frames import distinct
from stedi_common.rules.identity import SPACE, address, is_address

_CUSTOMERS = contract("customer_landing")
#: The landing tables that have addresses, and the column of these.
_ADDRESSES = {"customer_landing": "email", "accelerometer_landing": "user"}
_BATCH_ROWS = 2**16


@dataclass(frozen=True)
class Subject:
    """The person whom a request is about.

    Attributes:
        address: the normalised address; None if only the pseudonym is known.
        pseudonym: the pseudonym under the key of the lake.
        devices: the serial numbers that nobody else claims (rule 7).
        shared_devices: those that others claim, too. Nobody can tell whose their readings are.
    """

    address: str | None
    pseudonym: str
    devices: tuple[str, ...] = ()
    shared_devices: tuple[str, ...] = ()

    def names_in(self, source: str) -> tuple[str, ...]:
        """The names that the person has in the lines of a source: the address, or the devices."""
        if source == "step_trainer":
            return self.devices
        return (self.address,) if self.address else ()


def subject_of(
    engine: Engine, key: PseudonymKey, *, address_: str | None = None, pseudonym: str | None = None
) -> Subject:
    """The person with this address or this pseudonym.

    Args:
        engine: an open lake.
        key: the pseudonym key of the lake.
        address_: an address, however it is spelled. Either this or the pseudonym is given.
        pseudonym: a pseudonym; its address is searched in the landing tables.

    Raises:
        SubjectError: it is no address or no pseudonym.
    """
    if address_ is None:
        known = _expect_pseudonym(pseudonym or "")
        found = _address_of(engine, key, known)
        return _with_devices(engine, Subject(found, known)) if found else Subject(None, known)
    name = address(address_.strip(SPACE))
    if not is_address(name):
        raise SubjectError("subject: expected an address such as ann@example.org, got another text")
    return _with_devices(engine, Subject(name, key.pseudonym(name)))


def _expect_pseudonym(text: str) -> str:
    pseudonym = text.strip(SPACE).lower()
    if len(pseudonym) != 64 or set(pseudonym) - set("0123456789abcdef"):
        raise SubjectError("subject: expected a pseudonym of 64 hex digits, got another text")
    return pseudonym


def _address_of(engine: Engine, key: PseudonymKey, pseudonym: str) -> str | None:
    """The address that has the pseudonym, among those that have landed."""
    for name, column in _ADDRESSES.items():
        table = contract(name)
        if not engine.exists(table):
            continue
        addresses = distinct(engine.read(table, engine.head(table)).select(column))
        for batch in engine.batches(addresses, _BATCH_ROWS):
            for each in batch.column(column).to_pylist():
                if key.pseudonym(each) == pseudonym:
                    return str(each)
    return None


def _with_devices(engine: Engine, subject: Subject) -> Subject:
    """The subject with the devices in its customer records and doubtful lines."""
    if not engine.exists(_CUSTOMERS):
        return subject
    claims = engine.read(_CUSTOMERS, engine.head(_CUSTOMERS)).select("email", "serialnumber")
    claims = claims.filter(~nw.col("serialnumber").is_null())
    claimed = claims.filter(nw.col("email") == subject.address).select("serialnumber")
    claimants = defaultdict[str, set[str]](set)
    for claim in engine.collect(distinct(claims.join(distinct(claimed), on="serialnumber", how="inner"))):
        claimants[claim["serialnumber"]].add(claim["email"])
    alone = {serial for serial, people in claimants.items() if len(people) == 1}
    return Subject(subject.address, subject.pseudonym, tuple(sorted(alone)), tuple(sorted(claimants.keys() - alone)))
