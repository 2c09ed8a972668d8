"""The plan of the deletion of withdrawn rows if the last run of a table is not known: by the present consents alone.

A table may be missing, or the snapshot of its last run, or one that it consumed, may have expired. Then the changes
since are not known, so each table that exists is compared with the customer records as they are now. Rows of people who
do not consent are deleted, and rows whose person is not known. No row is added.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import narwhals as nw

from stedi_common.contracts import Contract
from stedi_common.engines.protocol import Engine, Head
from stedi_common.incremental.diff import CUSTOMER_LANDING, count, days_in, last_build
from stedi_common.incremental.plan import Deletion, person_column
from stedi_common.incremental.summary import Build, DeletionSummary
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.consent import device_claims
from stedi_common.rules.frames import DROPPED, Frame
from stedi_common.rules.lineage import JOBS_BY_TABLE
from stedi_common.rules.policy import Policy


def plan_deletion_by_consent(
    engine: Engine, policy: Policy, key: PseudonymKey, stack: ExitStack, without: Container[str]
) -> Sequence[Deletion]:
    """Plan the deletion from the tables that exist.

    Args:
        engine: an open lake that has the customer records.
        policy: the policy of the run; a table is classified by the policy that it was built with, if that is known.
        key: the pseudonym key.
        stack: closed by the caller after the plan is carried out; the rows of the plan can be read until then.
        without: names of tables that cannot be written to.

    Returns:
        A deletion for each table with such rows, downstream first.
    """
    customers = engine.head(CUSTOMER_LANDING)
    records = engine.read(CUSTOMER_LANDING, customers)
    consents = JOBS_BY_TABLE["customer_trusted"].function(records).kept(("email", "consent_start"))
    people = _People(engine, records, stack.enter_context(engine.materialized(consents)).frame, policy, key)
    deletions = []
    for job in reversed(JOBS_BY_TABLE.values()):
        if job.target.name in without or not engine.exists(job.target):
            continue
        if found := _deletion(engine, job.target, customers, people):
            deletions.append(found)
    return deletions


@dataclass(frozen=True)
class _People:
    """The people who consent, and the values by which their rows are found."""

    engine: Engine
    records: Frame
    consents: Frame
    policy: Policy
    key: PseudonymKey

    def values(self, column: str, build: Build | None) -> Frame | None:
        """The values of the column that a table of this build keeps; None if they are not known."""
        if column in {"email", "user"}:
            return self.consents.select(nw.col("email").alias(column))
        if column == "serialnumber":
            return self._devices(build)
        if build is None or build.key != self.key.id:
            return None
        emails = self.consents.select("email")
        return self.engine.derive(emails, "email", "pseudonym", self.key.pseudonym).select("pseudonym")

    def _devices(self, build: Build | None) -> Frame:
        built = self.policy.built_with(build.policy) if build else self.policy
        claims = device_claims(self.records, self.consents, built).filter(nw.col(DROPPED).is_null())
        return claims.group_by("serialnumber").agg(nw.len().alias("owners")).select("serialnumber")


def _deletion(engine: Engine, table: Contract, customers: Head, people: _People) -> Deletion | None:
    head = engine.head(table)
    build, rows, column = last_build(engine, table, head), engine.read(table, head), person_column(table)
    summary = DeletionSummary(build or Build.unknown(), customers.data_snapshot_id, None)
    stay = people.values(column, build) if column else None
    if stay is None or column is None:
        return Deletion(table, None, engine.frame(table, ()), head.rows, head, summary) if head.rows else None
    gone = rows.join(stay, on=column, how="anti")
    deleted = count(engine, gone)
    if not deleted:
        return None
    days = days_in(engine, gone, table.partition.name) if table.partition else None
    kept = engine.read(table, head, days).join(stay, on=column, how="semi")
    return Deletion(table, days, kept, deleted, head, summary)
