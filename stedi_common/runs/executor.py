"""The executor: carries out a plan of `incremental`, in one commit for each table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from stedi_common.engines.errors import missing_table
from stedi_common.engines.protocol import Counts, Engine, Head
from stedi_common.engines.retry import retry_on_conflict
from stedi_common.errors import MultipliedRowsError
from stedi_common.incremental.plan import Action, Deletion, TablePlan, plan
from stedi_common.incremental.summary import RunSummary
from stedi_common.incremental.transform import transform, with_defective_rows
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.lineage import Job
from stedi_common.rules.policy import Policy


@dataclass(frozen=True)
class Outcome:
    """What a job did.

    Attributes:
        job: the name of the job.
        table: the name of the table that it builds.
        changed: whether it committed.
        days: how many days it recomputed; None for the whole table.
        rows_in: how many rows of its first source it read, of those days.
        rows_kept: how many rows it kept, of those days.
        dropped: how many rows it dropped, by reason, of those days.
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

    Returns:
        What the job did, with the counts of the recomputed days.

    Raises:
        LakeError: a source does not exist.
        PolicyError: a source was built with another policy (rule 11).
        RebuildRequiredError: the table has another build, and `rebuild` is false.
        CommitConflictError: other runs kept committing to the table in between.
    """
    for source in job.sources:
        if not engine.exists(source):
            raise missing_table(source)
    engine.prepare(job.target)
    policy = with_defective_rows(engine, policy)
    return retry_on_conflict(lambda: execute(engine, plan(engine, job, policy, key, rebuild=rebuild), policy, key))


def execute(engine: Engine, planned: TablePlan, policy: Policy, key: PseudonymKey) -> Outcome:
    """Carry out the plan of a table.

    Args:
        engine: the lake that it was planned for.
        planned: the plan.
        policy: the policy that it was planned with.
        key: the pseudonym key that it was planned with.

    Returns:
        What was done, with the counts of the recomputed days.

    Raises:
        CommitConflictError: another commit was made to the table since it was planned.
        MultipliedRowsError: the function classified more or fewer rows than its source has; nothing is committed.
    """
    job, days, summary = planned.job, planned.days, planned.summary
    if planned.action is Action.NOTHING:
        return _outcome(job, summary, planned.head, changed=False)
    if days == set():
        # The watermark is committed nevertheless, so that the next run starts from it.
        nothing = engine.read(job.target, planned.head, set())
        head = engine.replace_days(job.target, (), nothing, planned.head, summary.properties())
        return _outcome(job, summary, head, changed=True)
    classified = transform(engine, job, planned.sources, policy, key, of_some_days=days is not None)
    head = engine.replace_classified(
        job.target,
        days,
        classified,
        planned.rows_in,
        planned.head,
        summary.inputs(),
        lambda counts: _with_counts(planned, counts, one_to_one=classified.one_to_one).properties(),
    )
    return _outcome(job, RunSummary.parse(head.summary) or summary, head, changed=True)


def delete(engine: Engine, deletion: Deletion) -> int:
    """Carry out the deletion.

    Args:
        engine: the lake that it was planned for.
        deletion: the plan.

    Returns:
        How many rows were deleted.

    Raises:
        CommitConflictError: another commit was made to the table since it was planned.
    """
    table, summary = deletion.table, deletion.summary.properties()
    if deletion.days is None:
        engine.replace(table, deletion.rows, deletion.head, summary)
    else:
        engine.replace_days(table, deletion.days, deletion.rows, deletion.head, summary)
    return deletion.deleted


def _with_counts(planned: TablePlan, counts: Counts, *, one_to_one: bool) -> RunSummary:
    """The run's summary. Raises MultipliedRowsError if other rows were classified than its source has."""
    classified = sum(counts.values())
    if one_to_one and classified != planned.rows_in:
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
