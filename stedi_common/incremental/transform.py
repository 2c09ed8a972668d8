"""Call the function of a job with the parameters that it takes: its sources, the policy and the pseudonyms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from stedi_common.contracts import contract
from stedi_common.engines.protocol import Engine
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.frames import DROPPED, Classified, Frame, distinct
from stedi_common.rules.lineage import Job
from stedi_common.rules.policy import Policy


def transform(  # noqa: PLR0913 - what a function needs, and of how many days
    engine: Engine,
    job: Job,
    sources: Mapping[str, Frame],
    policy: Policy,
    key: PseudonymKey | None,
    *,
    of_some_days: bool,
) -> Classified:
    """Classify the rows of the first source by the job's function.

    Args:
        engine: an open lake.
        job: the job.
        sources: the tables that its function takes, by name.
        policy: which readings count.
        key: the pseudonym key; not needed for tables without pseudonyms.
        of_some_days: whether the readings are of some days only. Then only the people with such readings get a
            pseudonym.

    Returns:
        The rows with the columns of the job's table, and `dropped`.
    """
    arguments: dict[str, Any] = dict(sources)
    if job.parameters.pseudonyms and key:
        arguments["pseudonyms"] = _pseudonyms(engine, job, sources, key, of_some_days=of_some_days)
    if job.parameters.policy:
        arguments["policy"] = policy
    classified = job.function(**arguments)
    return replace(classified, rows=classified.rows.select(*job.target.names, DROPPED))


def with_defective_rows(engine: Engine, policy: Policy) -> Policy:
    """The policy, with its defective serial numbers as rows of this engine.

    As literals they would be in every plan, and so in Spark's event logs.
    """
    # Some table's columns: those who ask have the customer records.
    table = contract("customer_landing")
    blank = dict.fromkeys(table.names)

    def defective_rows() -> Frame:
        rows = [blank | {"serialnumber": serial} for serial in sorted(policy.defective_serials)]
        return engine.frame(table, rows).select("serialnumber")

    return replace(policy, defective_rows=defective_rows)


def _pseudonyms(
    engine: Engine, job: Job, sources: Mapping[str, Frame], key: PseudonymKey, *, of_some_days: bool
) -> Frame:
    """The pseudonyms of the people of the job's source that has them: columns email, pseudonym."""
    # Others may have written there too. Who has no email has no readings.
    emails = sources[job.people].select("email").drop_nulls()
    if of_some_days and "accelerometer_trusted" in sources:
        # Only those who have readings then: a pseudonym takes longer to make than to look up.
        users = distinct(sources["accelerometer_trusted"].rename({"user": "email"}).select("email"))
        emails = emails.join(users, on="email", how="semi")
    return engine.derive(emails, "email", "pseudonym", key.pseudonym)
