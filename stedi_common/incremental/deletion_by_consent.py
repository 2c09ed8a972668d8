"""The deletion of withdrawn rows if the last runs do not show what has changed: by the current consents alone.

A table may be missing or damaged, or the snapshot of its last run, or one that it consumed, may have expired. Then each
table is compared with the customer records as they are now. Rows of people who do not consent are deleted, under
`as-of` also those from before their consent, and rows whose person is not known. No row is added.

Each table is planned on its own: if one cannot be read, rows are deleted from the others all the same.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

import narwhals as nw

from stedi_common.contracts import Contract
from stedi_common.engines.protocol import Engine
from stedi_common.incremental.diff import CUSTOMER_LANDING, count, days_in, last_build
from stedi_common.incremental.plan import Deletion, person_column
from stedi_common.incremental.summary import Build, DeletionSummary
from stedi_common.incremental.transform import with_defective_rows
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.consent import device_claims
from stedi_common.rules.frames import DROPPED, Frame
from stedi_common.rules.lineage import JOBS_BY_TABLE
from stedi_common.rules.policy import Policy

#: Since when the person of a row consents. No column of a contract begins with an underscore.
SINCE = "_since"
#: The column of a table of people that says since when they consent.
CONSENT_START = "consent_start"


@dataclass(frozen=True)
class Consents:
    """The people who consent, and the values by which their rows are found.

    Attributes:
        engine: the open lake.
        snapshot: the id of the snapshot of the customer records.
        records: the customer records.
        people: who consents, in the column email, and since when, in the column consent_start.
        policy: the policy of the run. A table is classified by the policy that it was built with, if that is known.
        key: the pseudonym key.
    """

    engine: Engine
    snapshot: int
    records: Frame
    people: Frame
    policy: Policy
    key: PseudonymKey

    @classmethod
    def now(cls, engine: Engine, policy: Policy, key: PseudonymKey, stack: ExitStack) -> Consents:
        """The current consents.

        Args:
            engine: an open lake that has the customer records.
            policy: the policy of the run.
            key: the pseudonym key.
            stack: closed by the caller after the plans are carried out; their rows can be read until then.
        """
        head = engine.head(CUSTOMER_LANDING)
        records = engine.read(CUSTOMER_LANDING, head)
        people = JOBS_BY_TABLE["customer_trusted"].function(records).kept(("email", "consent_start"))
        kept = stack.enter_context(engine.materialized(people)).frame
        return cls(engine, head.data_snapshot_id, records, kept, with_defective_rows(engine, policy), key)

    def deletion(self, table: Contract) -> Deletion | None:
        """The deletion from a table; None if no row is withdrawn."""
        engine, head, person = self.engine, self.engine.head(table), person_column(table)
        build = last_build(engine, table, head)
        if person is None:
            return emptying(engine, table, self.snapshot)
        stay = self._since(person, build)
        time = table.partition.name if table.partition else None
        withdrawn = nw.col(SINCE).is_null()
        # Of a table of people, readings from before the later start of a consent would be counted by it.
        instant = time or (CONSENT_START if starts_consent(table) else None)
        if instant and self._policy_of(build).consent == "as-of":
            withdrawn |= nw.col(instant) < nw.col(SINCE)
        gone = engine.read(table, head).join(stay, on=person, how="left").filter(withdrawn)
        if not (deleted := count(engine, gone)):
            return None
        days = days_in(engine, gone, time) if time else None
        kept = engine.read(table, head, days).join(stay, on=person, how="left").filter(~withdrawn).select(*table.names)
        return Deletion(table, days, kept, deleted, head, _summary(build, self.snapshot, self.engine))

    def _since(self, column: str, build: Build | None) -> Frame:
        """The values of the column that a table of this build keeps, and since when.

        Pseudonyms of another key are nobody's here, so no row of such a table is kept.
        """
        since = nw.col("consent_start").alias(SINCE)
        if column in {"email", "user"}:
            return self.people.select(nw.col("email").alias(column), since)
        if column == "serialnumber":
            claims = device_claims(self.records, self.people, self._policy_of(build))
            return claims.filter(nw.col(DROPPED).is_null()).group_by(column).agg(since.min())
        return self.engine.derive(self.people, "email", column, self.key.pseudonym).select(column, since)

    def _policy_of(self, build: Build | None) -> Policy:
        return self.policy.built_with(build.policy) if build else self.policy


def starts_consent(table: Contract) -> bool:
    """Whether it is a table of people that says since when they consent."""
    return table.partition is None and any(each.name == CONSENT_START and each.required for each in table.columns)


def emptying(engine: Engine, table: Contract, customers: int | None = None) -> Deletion | None:
    """The deletion of all rows of a table. None if it has none.

    Args:
        engine: an open lake that has the table.
        table: the contract of the table.
        customers: the id of the snapshot of the customer records; None if they cannot be read.
    """
    head = engine.head(table)
    if not head.rows:
        return None
    summary = _summary(last_build(engine, table, head), customers, engine)
    return Deletion(table, None, engine.frame(table, ()), head.rows, head, summary)


def _summary(build: Build | None, customers: int | None, engine: Engine) -> DeletionSummary:
    return DeletionSummary(build or Build.unknown(), customers, None, str(engine.choice))
