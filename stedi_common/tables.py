"""One function per table, named after it; its parameters are the tables it is made from. The signature is the lineage.

Each returns `Judged` rows: every row of its first source, with the reason it is dropped for in `dropped`, or null. The
pipeline keeps the rows without a reason, with the columns of the table's contract, and counts the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import narwhals as nw

from stedi_common.consent import (
    consents,
    device_claims,
    device_owners,
    made_before_consent,
)
from stedi_common.frames import DROPPED, Frame, Judged, distinct, judged
from stedi_common.policy import Policy


def customer_trusted(customer_landing: Frame) -> Judged:
    """The current record of every customer who consents (rules 3 to 5)."""
    records = consents(customer_landing)
    return judged(
        records,
        superseded=~nw.col("current"),
        doubtful=nw.col("in_doubt"),
        no_consent=nw.col("consent_start").is_null(),
    )


def accelerometer_trusted(accelerometer_landing: Frame, customer_trusted: Frame, policy: Policy) -> Judged:
    """Readings their owner had consented to when they were made (rule 5)."""
    consent = customer_trusted.select(nw.col("email").alias("user"), "consent_start")
    readings = accelerometer_landing.join(consent, on="user", how="left")
    return judged(
        readings,
        no_consent=nw.col("consent_start").is_null(),
        before_consent=made_before_consent("timestamp", policy),
    )


def customers_curated(customer_trusted: Frame, accelerometer_trusted: Frame) -> Judged:
    """Consenting customers with at least one trusted accelerometer reading (rule 6)."""
    users = distinct(accelerometer_trusted.select(nw.col("user").alias("email")))
    customers = customer_trusted.join(users.with_columns(nw.lit(1).alias("has_readings")), on="email", how="left")
    return judged(customers, no_readings=nw.col("has_readings").is_null())


def step_trainer_trusted(
    step_trainer_landing: Frame, customers_curated: Frame, customer_landing: Frame, policy: Policy
) -> Judged:
    """Readings of devices a curated customer owns, made under their consent (rules 7 and 8)."""
    devices = _devices(customers_curated, customer_landing, policy)
    readings = step_trainer_landing.join(devices, on="serialnumber", how="left")
    return judged(
        readings,
        unclaimed_serial=nw.col("claims").is_null(),
        defective_serial=nw.col("not_owned") == "defective_serial",
        shared_serial=nw.col("not_owned") == "shared_serial",
        owner_not_curated=nw.col("consent_start").is_null(),
        before_consent=made_before_consent("sensorreadingtime", policy),
    )


def machine_learning_curated(
    step_trainer_trusted: Frame,
    accelerometer_trusted: Frame,
    customers_curated: Frame,
    customer_landing: Frame,
    pseudonyms: Frame,
    policy: Policy,
) -> Judged:
    """Each trusted step reading with each trusted accelerometer reading of the owner at that instant (rule 9).

    `pseudonyms` has the columns email and pseudonym, a row for each curated customer who has such readings (rule 10).
    """
    curated = customers_curated.select(nw.col("email").alias("user"))
    accelerations = accelerometer_trusted.join(curated, on="user", how="semi")
    at = ["sensorreadingtime"]
    if policy.pairing == "owner":
        owners = device_owners(customer_landing, customers_curated, policy)
        # A person's readings, once for each of their devices.
        accelerations = accelerations.join(owners, left_on="user", right_on="email", how="inner")
        at = ["sensorreadingtime", "serialnumber"]
    accelerations = accelerations.with_columns(nw.col("timestamp").alias("sensorreadingtime"))
    pairs = step_trainer_trusted.join(accelerations, on=at, how="left", suffix="_accelerometer")
    # Last, because a pseudonym is long: the pairing moves readings about.
    named = pairs.join(pseudonyms.select(nw.col("email").alias("user"), "pseudonym"), on="user", how="left")
    return judged(named, no_reading_at_that_instant=nw.col("pseudonym").is_null())


def _devices(customers_curated: Frame, customer_landing: Frame, policy: Policy) -> Frame:
    """One row per claimed serial number, so that a join with it multiplies nothing, whoever claims it."""
    owned_since = nw.when(nw.col(DROPPED).is_null()).then(nw.col("consent_start"))
    return (
        device_claims(customer_landing, customers_curated, policy)
        .with_columns(owned_since.alias("owned_since"))
        .group_by("serialnumber")
        .agg(
            nw.len().alias("claims"),
            nw.col("owned_since").min().alias("consent_start"),
            nw.col(DROPPED).min().alias("not_owned"),
        )
    )


# What the rows of a day depend on beside the readings of that day


@dataclass(frozen=True)
class Decision:
    """Decisions about people or devices, which a table of readings is a function of.

    about: the table of readings that has them.
    function: from the tables it names to the decisions, one row each: first the column that the readings have too,
        then what is decided; a column `since`, if there is one, says that earlier readings are not concerned.
    follows: the policies of consent under which it says no more than whose readings `about` has, as long as one was
        made from the other. Then what it changes is in the days that `about` has changed.
    """

    about: str
    function: Callable[..., Frame]
    follows: Collection[str] = ()


def _people_admitted(customer_trusted: Frame, policy: Policy) -> Frame:
    return _since(customer_trusted.select(nw.col("email").alias("user"), "consent_start"), policy)


def _devices_admitted(customers_curated: Frame, customer_landing: Frame, policy: Policy) -> Frame:
    devices = _devices(customers_curated, customer_landing, policy).filter(~nw.col("consent_start").is_null())
    return _since(devices.select("serialnumber", "consent_start"), policy)


def _devices_owned(customer_landing: Frame, customers_curated: Frame, policy: Policy) -> Frame:
    return device_owners(customer_landing, customers_curated, policy)


def _people_curated(customers_curated: Frame) -> Frame:
    return customers_curated.select(nw.col("email").alias("user"))


def _since(decided: Frame, policy: Policy) -> Frame:
    """Under `ever` it does not matter since when somebody consents."""
    return decided.drop("consent_start") if policy.consent == "ever" else decided.rename({"consent_start": "since"})


#: By table of readings. A day of it is a function of its sources' same day and of the decisions that concern the day.
DECISIONS: Mapping[str, tuple[Decision, ...]] = {
    "accelerometer_trusted": (Decision("accelerometer_landing", _people_admitted),),
    "step_trainer_trusted": (Decision("step_trainer_landing", _devices_admitted),),
    "machine_learning_curated": (
        # Under `ever` a device of two owners has its readings when one of them goes.
        Decision("step_trainer_trusted", _devices_owned, follows={"as-of"}),
        Decision("accelerometer_trusted", _people_curated, follows={"as-of", "ever"}),
    ),
}
