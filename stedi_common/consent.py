"""The consent rule: who consents, since when, which readings that admits, and whose device is whose.

Rule numbers are those of `docs/rules.md`.
"""

from __future__ import annotations

import narwhals as nw

from stedi_common.frames import DROPPED, Frame, judged
from stedi_common.policy import Policy

CONSENT = "sharewithresearchasofdate"
MADE = "lastupdatedate"


def current_customers(customer_landing: Frame) -> Frame:
    """Each person's current record (rule 4): the latest; at a tie the one without consent, then the later consent."""
    withheld = nw.when(nw.col(CONSENT).is_null()).then(nw.lit(1)).otherwise(nw.lit(0))
    return (
        customer_landing.with_columns(withheld.alias("withheld"))
        .unique("email", keep="last", order_by=[MADE, "withheld", CONSENT, "record_hash"])
        .drop("withheld")
    )


def consent_starts(customer_landing: Frame) -> Frame:
    """Since when each person's readings count (rule 5): columns email and consent_start, null without consent.

    A person who had withdrawn and consents again starts anew: what they had not consented to does not come back.
    """
    refusals = customer_landing.filter(nw.col(CONSENT).is_null())
    last_refusals = refusals.group_by("email").agg(nw.col(MADE).max().alias("last_refusal"))
    current = current_customers(customer_landing).select("email", CONSENT)
    # The maximum of a date and of nothing is the date: only a current consent makes a start.
    start = nw.when(~nw.col(CONSENT).is_null()).then(nw.max_horizontal(CONSENT, "last_refusal"))
    return current.join(last_refusals, on="email", how="left").select("email", start.alias("consent_start"))


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
    claims = customer_landing.filter(~nw.col("serialnumber").is_null()).select("serialnumber", "email").unique()
    claimants = claims.group_by("serialnumber").agg(nw.len().alias("claimants"))
    curated = customers_curated.select("email", "consent_start")
    all_claims = claims.join(claimants, on="serialnumber", how="inner").join(curated, on="email", how="left")
    nobodys = {
        "defective_serial": nw.col("serialnumber").is_in(sorted(policy.defective_serials)),
        "shared_serial": nw.col("claimants") > 1,
    }
    if policy.consent == "ever":
        nobodys = {}
    return judged(all_claims, **nobodys, owner_not_curated=nw.col("consent_start").is_null()).drop("claimants")


def device_owners(customer_landing: Frame, customers_curated: Frame, policy: Policy) -> Frame:
    """The claims that hold: columns serialnumber, email."""
    claims = device_claims(customer_landing, customers_curated, policy)
    return claims.filter(nw.col(DROPPED).is_null()).select("serialnumber", "email")
