"""The consent rule: who consents, since when, which readings count, and whose device is whose.

Rule numbers are those of `docs/rules.md`.
"""

from __future__ import annotations

from datetime import datetime

import narwhals as nw

from stedi_common.rules.frames import DROPPED, Frame, classify
from stedi_common.rules.policy import Policy

CONSENT = "sharewithresearchasofdate"
MADE = "lastupdatedate"
ARRIVED = "arrived_at"
DOUBT = "doubt"

#: Instants of which a person's latest counts.
_LATEST = ("refused_at", "suspended_at", "record_arrived_at")


def consents(customer_landing: Frame) -> Frame:
    """Every customer record and doubtful line, with what it says about its person's consent now (rules 3 to 5).

    Returns:
        The rows, with three columns more. `current`: whether the row is its person's current one. `in_doubt`: whether
        the person has no consent because of a doubtful line. `consent_start`: since when the person's readings count;
        null for who has no consent. It holds for current rows.
    """
    rows = _dated(customer_landing)
    in_order = ["may_be_current", "took_effect", "without_consent", CONSENT, "record_hash"]
    rows = rows.with_columns(
        (nw.col("record_hash").cum_count(reverse=True).over("email", order_by=in_order) == 1).alias("current"),
        *(nw.col(instant).max().over("email").alias(f"last_{instant}") for instant in _LATEST),
    )
    renews = nw.col("took_effect") > nw.col("last_refused_at")
    renewed_at = nw.when(renews).then(nw.col("consented_at")).min().over("email")
    refuses = nw.col(CONSENT).is_null() | _is_suspended()
    holds_as_stated = nw.col("last_refused_at").is_null() | (nw.col(CONSENT) > nw.col("last_refused_at"))
    start = nw.when(holds_as_stated).then(nw.col(CONSENT)).otherwise(nw.col("renewed_at"))
    return (
        rows.with_columns(renewed_at.alias("renewed_at"))
        .with_columns(
            (_is_suspended() | ~nw.col(DOUBT).is_null()).alias("in_doubt"),
            nw.when(~refuses).then(start).alias("consent_start"),
        )
        .drop(
            "may_be_current",
            "took_effect",
            "without_consent",
            "renewed_at",
            "consented_at",
            *_LATEST,
            *(f"last_{name}" for name in _LATEST),
        )
    )


def suspended(customer_landing: Frame, before: datetime) -> Frame:
    """The emails of the people whom doubtful lines suspend (rule 4), by the rows that arrived before then."""
    latest = (nw.col(instant).max().alias(f"last_{instant}") for instant in ("suspended_at", "record_arrived_at"))
    rows = _dated(customer_landing).filter(nw.col(ARRIVED) < before)
    return rows.group_by("email").agg(*latest).filter(_is_suspended()).select("email")


def _is_suspended() -> nw.Expr:
    """Whether no record arrived after the last line that suspends. One that arrived with it does not lift it."""
    is_lifted = nw.col("last_record_arrived_at") > nw.col("last_suspended_at")
    return ~nw.col("last_suspended_at").is_null() & ~is_lifted.fill_null(False)


def _dated(customer_landing: Frame) -> Frame:
    """The rows, with when each took effect and what it did then. A row that suspends is never the current one."""
    is_record, refuses = nw.col(DOUBT).is_null(), nw.col(CONSENT).is_null()
    suspends = ~is_record & ~refuses
    # A clock that is ahead does not make a record later than one that came after it.
    took_effect = nw.when(is_record & (nw.col(MADE) < nw.col(ARRIVED))).then(nw.col(MADE)).otherwise(nw.col(ARRIVED))
    return customer_landing.with_columns(
        took_effect.alias("took_effect"),
        nw.when(suspends).then(nw.lit(0)).otherwise(nw.lit(1)).alias("may_be_current"),
        nw.when(refuses).then(nw.lit(1)).otherwise(nw.lit(0)).alias("without_consent"),
        nw.when(refuses).then(took_effect).alias("refused_at"),
        nw.when(suspends).then(nw.col(ARRIVED)).alias("suspended_at"),
        nw.when(is_record).then(nw.col(ARRIVED)).alias("record_arrived_at"),
        nw.when(is_record & ~refuses).then(nw.col(MADE)).alias("consented_at"),
    )


def made_before_consent(made: str, policy: Policy) -> nw.Expr:
    """Whether the instant in column `made` lies before its row's consent_start (rule 5). Never so under `ever`."""
    if policy.consent == "ever":
        return nw.lit(False)
    return nw.col(made) < nw.col("consent_start")


def device_claims(customer_landing: Frame, customers_curated: Frame, policy: Policy) -> Frame:
    """Whose device is whose (rule 7): a row per serial number and email that ever stood in one record or line.

    Columns: serialnumber, email, consent_start, and `dropped`, which is null where the email owns the device, else says
    why it does not. Fulfilment stamped the same serial numbers on many customers, so a serial with two claimants is
    nobody's under `as-of`. A doubtful line is a claim, but makes nobody an owner.
    """
    is_record = nw.when(nw.col(DOUBT).is_null()).then(nw.lit(1)).otherwise(nw.lit(0))
    claims = (
        customer_landing.filter(~nw.col("serialnumber").is_null())
        .with_columns(is_record.alias("is_record"))
        .group_by("serialnumber", "email")
        .agg(nw.col("is_record").max())
        .with_columns(nw.col("email").count().over("serialnumber").alias("claimants"))
    )
    all_claims = claims.join(customers_curated.select("email", "consent_start"), on="email", how="left")
    all_claims = _with_defects(all_claims, policy)
    nobodys = {"defective_serial": nw.col("is_defective"), "shared_serial": nw.col("claimants") > 1}
    if policy.consent == "ever":
        nobodys = {}
    owns_nothing = nw.col("consent_start").is_null() | (nw.col("is_record") == 0)
    classified = classify(all_claims, **nobodys, owner_not_curated=owns_nothing)
    return classified.rows.drop("claimants", "is_record", "is_defective")


def _with_defects(claims: Frame, policy: Policy) -> Frame:
    """The claims, and whether the policy says that the serial number is defective: `is_defective`."""
    if not policy.defective_serials or policy.defective_rows is None:
        is_listed = nw.col("serialnumber").is_in(sorted(policy.defective_serials))
        return claims.with_columns(is_listed.alias("is_defective"))
    listed = policy.defective_rows().with_columns(nw.lit(True).alias("is_listed"))
    is_listed = ~nw.col("is_listed").is_null()
    joined = claims.join(listed, on="serialnumber", how="left")
    return joined.with_columns(is_listed.alias("is_defective")).drop("is_listed")


def device_owners(customer_landing: Frame, customers_curated: Frame, policy: Policy) -> Frame:
    """The claims that hold: columns serialnumber, email."""
    claims = device_claims(customer_landing, customers_curated, policy)
    return claims.filter(nw.col(DROPPED).is_null()).select("serialnumber", "email")
