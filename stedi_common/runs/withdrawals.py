"""Carry out the deletion of withdrawn rows, before a run computes its tables. `incremental.deletion` plans it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stedi_common.engines.protocol import Engine
from stedi_common.engines.retry import retry_on_conflict
from stedi_common.errors import LakeError
from stedi_common.incremental.deletion import plan_deletion
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.lineage import JOBS
from stedi_common.rules.policy import Policy
from stedi_common.runs import executor


@dataclass(frozen=True)
class Deleted:
    """What a deletion of withdrawn rows did.

    Attributes:
        deleted: how many rows were deleted, by table, downstream first.
    """

    deleted: Mapping[str, int]


def delete_withdrawn(engine: Engine, policy: Policy, key: PseudonymKey) -> Deleted | None:
    """Delete withdrawn rows from the trusted and curated tables, in one commit for each table.

    Args:
        engine: an open lake.
        policy: the policy of the run.
        key: the pseudonym key of the run.

    Returns:
        How many rows were deleted; None if there were none.

    Raises:
        CommitConflictError: other runs kept committing in between.
        LakeError: a table cannot be what its contract wants. The rows of all others are deleted.
    """
    deleted: dict[str, int] = {}
    errors = _prepare(engine)

    def attempt() -> None:
        with plan_deletion(engine, policy, key, without=errors) as deletions:
            for deletion in deletions:
                rows = executor.delete(engine, deletion)
                deleted[deletion.table.name] = deleted.get(deletion.table.name, 0) + rows

    retry_on_conflict(attempt)
    for error in errors.values():
        raise error
    return Deleted(deleted) if deleted else None


def _prepare(engine: Engine) -> Mapping[str, LakeError]:
    """Prepare the tables that are there. Returns the errors of those that cannot be, by the name of the table."""
    errors = {}
    for job in JOBS.values():
        try:
            if engine.exists(job.target):
                engine.prepare(job.target)
        except LakeError as error:
            errors[job.target.name] = error
    return errors
