"""A fourth source: heart rates."""

import narwhals as nw

from stedi_common.rules.consent import made_before_consent
from stedi_common.rules.frames import Classified, Frame, classify
from stedi_common.rules.policy import Policy
from stedi_common.rules.tables import Lookup, people_admitted


def heart_rate_trusted(heart_rate_landing: Frame, customer_trusted: Frame, policy: Policy) -> Classified:
    """Heart rates of people who had consented when they were measured (rule 5)."""
    consent = customer_trusted.select(nw.col("email").alias("user"), "consent_start")
    readings = heart_rate_landing.join(consent, on="user", how="left")
    return classify(
        readings,
        no_consent=nw.col("consent_start").is_null(),
        before_consent=made_before_consent("timestamp", policy),
    )


LOOKUPS = {"heart_rate_trusted": (Lookup("people's consent", "heart_rate_landing", "user", people_admitted),)}
