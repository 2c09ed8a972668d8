"""The consent rule: who consents, since when, which readings that admits, and whose device is whose.

Rule numbers are those of `docs/rules.md`.
"""

from __future__ import annotations

import narwhals as nw

from stedi_common.frames import DROPPED, Frame, distinct, judged
from stedi_common.policy import Policy

CONSENT = "sharewithresearchasofdate"
MADE = "lastupdatedate"


def consents(customer_landing: Frame) -> Frame:
    """Every customer record, with whether it is its person's `current` one and since when their readings count.

    Current is the latest record (rule 4); at a tie the one without consent, then the one of the later consent, then the
    one of the greater hash. `consent_start` (rule 5) holds for current records, and is null without consent. A person
    who had withdrawn and consents again starts anew: what they had not consented to does not come back.
    """
    refuses = nw.col(CONSENT).is_null()
    in_order = [MADE, "withheld", CONSENT, "record_hash"]
    from_the_last = nw.col("record_hash").cum_count(reverse=True).over("email", order_by=in_order)
    last_refusal = nw.col("refused").max().over("email")
    # The maximum of a date and of nothing is the date: only a current consent makes a start.
    start = nw.when(~refuses).then(nw.max_horizontal(CONSENT, last_refusal))
    return (
        customer_landing.with_columns(
            nw.when(refuses).then(nw.lit(1)).otherwise(nw.lit(0)).alias("withheld"),
            nw.when(refuses).then(nw.col(MADE)).alias("refused"),
        )
        .with_columns((from_the_last == 1).alias("current"), start.alias("consent_start"))
        .drop("withheld", "refused")
    )


def made_before_consent(made: str, policy: Policy) -> nw.Expr:
    """Whether the instant in column `made` lies before its row's consent_start (rule 5). Never so under `ever`."""
    if policy.consent == "ever":
        return nw.lit(False)
    return nw.col(made) < nw.col("consent_start")


def device_claims(customer_landing: Frame, customers_curated: Frame, policy: Policy) -> Frame:
    """Whose device is whose (rule 7): one row per serial number and email that ever stood in one record.

    Columns: serialnumber, email, consent_start, and `dropped`, which is null where the email owns the device, else says
    why it does not. Fulfilment stamped the same serial numbers on many customers, so a serial with two claimants is
    nobody's under `as-of`.
    """
    claims = distinct(customer_landing.filter(~nw.col("serialnumber").is_null()).select("serialnumber", "email"))
    claims = claims.with_columns(nw.col("email").count().over("serialnumber").alias("claimants"))
    all_claims = claims.join(customers_curated.select("email", "consent_start"), on="email", how="left")
    nobodys = {
        "defective_serial": nw.col("serialnumber").is_in(sorted(policy.defective_serials)),
        "shared_serial": nw.col("claimants") > 1,
    }
    if policy.consent == "ever":
        nobodys = {}
    return judged(all_claims, **nobodys, owner_not_curated=nw.col("consent_start").is_null()).rows.drop("claimants")


def device_owners(customer_landing: Frame, customers_curated: Frame, policy: Policy) -> Frame:
    """The claims that hold: columns serialnumber, email."""
    claims = device_claims(customer_landing, customers_curated, policy)
    return claims.filter(nw.col(DROPPED).is_null()).select("serialnumber", "email")
