"""One function per table, named after it; its parameters are the tables it is made from. The signature is the lineage.

Each returns `Classified` rows: every row of its first source, with the reason it is dropped for in `dropped`, or null.
A run keeps the rows without a reason, with the columns of the table's contract, and counts the others.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

import narwhals as nw

from stedi_common.rules.consent import (
    consents,
    device_claims,
    device_owners,
    made_before_consent,
)
from stedi_common.rules.frames import DROPPED, Classified, Frame, classify, distinct
from stedi_common.rules.policy import Policy


def customer_trusted(customer_landing: Frame) -> Classified:
    """The current record of every customer who consents (rules 3 to 5)."""
    records = consents(customer_landing)
    return classify(
        records,
        superseded=~nw.col("current"),
        doubtful=nw.col("in_doubt"),
        no_consent=nw.col("consent_start").is_null(),
    )


def accelerometer_trusted(accelerometer_landing: Frame, customer_trusted: Frame, policy: Policy) -> Classified:
    """Readings their owner had consented to when they were made (rule 5)."""
    consent = customer_trusted.select(nw.col("email").alias("user"), "consent_start")
    readings = accelerometer_landing.join(consent, on="user", how="left")
    return classify(
        readings,
        no_consent=nw.col("consent_start").is_null(),
        before_consent=made_before_consent("timestamp", policy),
    )


def customers_curated(customer_trusted: Frame, accelerometer_trusted: Frame) -> Classified:
    """Consenting customers with at least one trusted accelerometer reading (rule 6)."""
    users = distinct(accelerometer_trusted.select(nw.col("user").alias("email")))
    customers = customer_trusted.join(users.with_columns(nw.lit(1).alias("has_readings")), on="email", how="left")
    return classify(customers, no_readings=nw.col("has_readings").is_null())


def step_trainer_trusted(
    step_trainer_landing: Frame, customers_curated: Frame, customer_landing: Frame, policy: Policy
) -> Classified:
    """Readings of devices a curated customer owns, made under their consent (rules 7 and 8)."""
    devices = _devices(customers_curated, customer_landing, policy)
    readings = step_trainer_landing.join(devices, on="serialnumber", how="left")
    return classify(
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
) -> Classified:
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
    classified = classify(named, no_reading_at_that_instant=nw.col("pseudonym").is_null())
    return replace(classified, one_to_one=False)


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


def people_admitted(customer_trusted: Frame, policy: Policy) -> Frame:
    """Who consents, in the column user; since when, in the column since."""
    return _since(customer_trusted.select(nw.col("email").alias("user"), "consent_start"), policy)


def devices_admitted(customers_curated: Frame, customer_landing: Frame, policy: Policy) -> Frame:
    """The devices of curated customers, in the column serialnumber; since when they count, in the column since."""
    devices = _devices(customers_curated, customer_landing, policy).filter(~nw.col("consent_start").is_null())
    return _since(devices.select("serialnumber", "consent_start"), policy)


def devices_owned(customer_landing: Frame, customers_curated: Frame, policy: Policy) -> Frame:
    """Which device is whose: the columns serialnumber and email."""
    return device_owners(customer_landing, customers_curated, policy)


def people_curated(customers_curated: Frame) -> Frame:
    """The curated customers, in the column user."""
    return customers_curated.select(nw.col("email").alias("user"))


def _since(decided: Frame, policy: Policy) -> Frame:
    """Under `ever` it does not matter since when somebody consents."""
    return decided.drop("consent_start") if policy.consent == "ever" else decided.rename({"consent_start": "since"})


@dataclass(frozen=True)
class Lookup:
    """People or devices that a table of readings is joined with. It affects whole days of that table.

    Attributes:
        about: what its rows are, in words.
        fact_table: the table of readings that it is joined with.
        on: the column that both have.
        function: from the tables that it names to the rows. A column `since`, if there is one, says that earlier
            readings are not concerned.
        implied_under: the policies of consent under which its rows say no more than whose readings the fact table has,
            as long as one was computed from the other. Then its changes are in the days that the fact table has
            changed.
    """

    about: str
    fact_table: str
    on: str
    function: Callable[..., Frame]
    implied_under: Collection[str] = ()


#: By the name of the table. A day of it is a function of its sources' same day and of the lookups' rows for that day.
LOOKUPS: Mapping[str, tuple[Lookup, ...]] = {
    "accelerometer_trusted": (Lookup("people's consent", "accelerometer_landing", "user", people_admitted),),
    "step_trainer_trusted": (Lookup("devices' owners", "step_trainer_landing", "serialnumber", devices_admitted),),
    "machine_learning_curated": (
        # Under `ever` a device of two owners has its readings when one of them goes.
        Lookup("devices' owners", "step_trainer_trusted", "serialnumber", devices_owned, implied_under={"as-of"}),
        Lookup("curated people", "accelerometer_trusted", "user", people_curated, implied_under={"as-of", "ever"}),
    ),
}

#: A table of people, and the table of readings of which a person needs one to be in it.
NEEDS_READING: Mapping[str, str] = {"customers_curated": "accelerometer_trusted"}
