"""The executor: carries out what `incremental.plan` has planned, in one commit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import narwhals as nw

from stedi_common.engines.errors import missing_table
from stedi_common.engines.protocol import Counts, Engine, Head
from stedi_common.engines.retry import retry_on_conflict
from stedi_common.errors import MultipliedRowsError
from stedi_common.incremental.plan import Action, TablePlan, plan
from stedi_common.incremental.summary import RunSummary
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules import tables
from stedi_common.rules.frames import DROPPED, Classified, Frame, distinct
from stedi_common.rules.lineage import Job
from stedi_common.rules.policy import Policy


@dataclass(frozen=True)
class Outcome:
    """What a job did.

    days: how many days it recomputed; None for the whole table.
    rows_in, rows_kept, dropped: of those days, the rows of its first source, those of its table, and those dropped by
        reason.
    rows: how many rows the table has now, in all.
    """

    job: str
    table: str
    changed: bool
    days: int | None
    rows_in: int
    rows_kept: int
    dropped: Mapping[str, int]
    rows: int


def run(engine: Engine, job: Job, policy: Policy, key: PseudonymKey, *, rebuild: bool = False) -> Outcome:
    """Recompute the days of the job's table that its sources changed, in one commit; none if nothing has changed.

    Args:
        engine: an open lake.
        job: which job.
        policy: which readings count.
        key: the pseudonym key.
        rebuild: whether a table of another build may be rebuilt in full.

    Raises:
        LakeError: a source is not there.
        PolicyError: a source is of another policy (rule 11).
        RebuildRequiredError: the table is of another build, and `rebuild` is false.
        CommitConflictError: other runs kept committing to the table in between.
    """
    for source in job.sources:
        if not engine.exists(source):
            raise missing_table(source)
    engine.prepare(job.target)
    return retry_on_conflict(lambda: execute(engine, plan(engine, job, policy, key, rebuild=rebuild), policy, key))


def execute(engine: Engine, planned: TablePlan, policy: Policy, key: PseudonymKey) -> Outcome:
    """Carry out the plan, with its policy and key. Raises CommitConflictError if the table has moved since."""
    job, days, summary = planned.job, planned.days, planned.summary
    if planned.action is Action.NOTHING:
        return _outcome(job, summary, planned.head, changed=False)
    if days == set():
        # The consumed snapshots are committed all the same: the next run need not look at them again.
        nothing = engine.read(job.target, planned.head, set())
        head = engine.replace_days(job.target, (), nothing, planned.head, summary.properties())
        return _outcome(job, summary, head, changed=True)
    classified = classify(engine, job, planned.sources, policy, key, of_some_days=days is not None)
    head = engine.replace_classified(
        job.target,
        days,
        classified,
        planned.rows_in,
        planned.head,
        summary.inputs(),
        lambda counts: _with_counts(planned, counts).properties(),
    )
    return _outcome(job, RunSummary.parse(head.summary) or summary, head, changed=True)


def classify(  # noqa: PLR0913 - what a function needs, and of how many days
    engine: Engine,
    job: Job,
    sources: Mapping[str, Frame],
    policy: Policy,
    key: PseudonymKey | None,
    *,
    of_some_days: bool,
) -> Classified:
    """The rows of the first source as the job's function classifies them.

    Args:
        engine: an open lake.
        job: whose function.
        sources: its tables, by name.
        policy: which readings count.
        key: the pseudonym key; not needed for tables without pseudonyms.
        of_some_days: whether the readings are of some days only, so that few people need a pseudonym.
    """
    arguments: dict[str, Any] = dict(sources)
    if job.parameters.pseudonyms and key:
        # Others may have written there too. Who has no email has no readings.
        emails = arguments["customers_curated"].select("email").drop_nulls()
        if of_some_days:
            # Only those who have readings then: a pseudonym takes longer to make than to look up.
            users = distinct(arguments["accelerometer_trusted"].select(nw.col("user").alias("email")))
            emails = emails.join(users, on="email", how="semi")
        arguments["pseudonyms"] = engine.derive(emails, "email", "pseudonym", key.pseudonym)
    if job.parameters.policy:
        arguments["policy"] = policy
    classified = job.function(**arguments)
    return replace(classified, rows=classified.rows.select(*job.target.names, DROPPED))


def _with_counts(planned: TablePlan, counts: Counts) -> RunSummary:
    """The run's summary. Raises MultipliedRowsError if other rows were classified than its source has."""
    classified = sum(counts.values())
    # Pairs are many to many by rule 9; everything else classifies each row of its source once.
    if planned.job.function is not tables.machine_learning_curated and classified != planned.rows_in:
        raise MultipliedRowsError(
            f"{planned.job.name}: expected {planned.rows_in} classified rows, got {classified}; nothing committed"
        )
    dropped = {reason: n for reason, n in counts.items() if reason}
    return replace(planned.summary, rows_kept=counts.get(None, 0), dropped=dropped)


def _outcome(job: Job, summary: RunSummary, head: Head, *, changed: bool) -> Outcome:
    return Outcome(
        job=job.name,
        table=job.target.name,
        changed=changed,
        days=summary.days,
        rows_in=summary.rows_in,
        rows_kept=summary.rows_kept,
        dropped=summary.dropped,
        rows=head.rows,
    )
