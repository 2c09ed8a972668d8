"""The deletion of withdrawn rows where the last run of a table is not known: by who consents now, and by nothing else.

A table may be missing, or the snapshot of its last run, or one that it consumed, may have expired. Then nothing says
what has changed since, so each table that is there is compared with the customer records as they are now. Rows of
people who do not consent are deleted, and rows of which nobody can say whose they are. Nothing is added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import narwhals as nw

from stedi_common.contracts import contract
from stedi_common.engines.protocol import Engine, Head
from stedi_common.incremental.diff import CUSTOMER_LANDING, days_in, last_build
from stedi_common.incremental.summary import Build, RemovalSummary
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.consent import device_claims
from stedi_common.rules.frames import DROPPED, Frame
from stedi_common.rules.lineage import MAKERS
from stedi_common.rules.policy import Policy


def shrink(engine: Engine, policy: Policy, key: PseudonymKey, removed: dict[str, int]) -> None:
    """Delete the rows of people who do not consent from every table that is there, downstream first.

    Args:
        engine: an open lake.
        policy: the policy of the run; a table is shrunk by the policy that it was built with, if that is known.
        key: the pseudonym key.
        removed: gets how many rows were deleted, by table.
    """
    customers = engine.head(CUSTOMER_LANDING)
    records = engine.read(CUSTOMER_LANDING, customers)
    with engine.materialized(MAKERS["customer_trusted"].function(records).kept(("email", "consent_start"))) as consents:
        staying = _staying(engine, records, consents.frame, policy, key)
        for name, job in reversed(MAKERS.items()):
            if engine.exists(job.target):
                engine.prepare(job.target)
                if rows := _shrink(engine, name, customers, staying[name]):
                    removed[name] = removed.get(name, 0) + rows


#: From how a table was built to the values of a column that stay in it; None if they cannot be told.
_Staying = tuple[str, Callable[[Build | None], Frame | None]]


def _staying(
    engine: Engine, records: Frame, consents: Frame, policy: Policy, key: PseudonymKey
) -> Mapping[str, _Staying]:
    people = consents.select("email")

    def devices(build: Build | None) -> Frame:
        built = policy.of(build.policy) if build else policy
        claims = device_claims(records, consents, built).filter(nw.col(DROPPED).is_null())
        return claims.group_by("serialnumber").agg(nw.len().alias("owners")).select("serialnumber")

    def pseudonyms(build: Build | None) -> Frame | None:
        if build is None or build.key != key.id:
            return None
        return engine.derive(people, "email", "pseudonym", key.pseudonym).select("pseudonym")

    return {
        "customer_trusted": ("email", lambda _: people),
        "accelerometer_trusted": ("user", lambda _: people.select(nw.col("email").alias("user"))),
        "customers_curated": ("email", lambda _: people),
        "step_trainer_trusted": ("serialnumber", devices),
        "machine_learning_curated": ("pseudonym", pseudonyms),
    }


def _shrink(engine: Engine, name: str, customers: Head, staying: _Staying) -> int:
    table, (column, values) = contract(name), staying
    head = engine.head(table)
    build, rows = last_build(engine, table, head), engine.read(table, head)
    stay = values(build)
    summary = RemovalSummary(build or Build.unknown(), customers.data_snapshot_id, None).properties()
    if stay is None:
        return head.rows and head.rows - engine.replace(table, engine.frame(table, ()), head, summary).rows
    gone = rows.join(stay, on=column, how="anti")
    if not engine.collect(gone.head(1)):
        return 0
    if table.partition is None:
        return head.rows - engine.replace(table, rows.join(stay, on=column, how="semi"), head, summary).rows
    days = days_in(engine, gone, table.partition.name)
    kept = engine.read(table, head, days).join(stay, on=column, how="semi")
    return head.rows - engine.replace_days(table, days, kept, head, summary).rows
