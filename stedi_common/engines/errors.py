"""The errors that both engines raise."""

from __future__ import annotations

from stedi_common.contracts import Contract
from stedi_common.errors import CommitConflictError, LakeError


def missing_table(contract: Contract) -> LakeError:
    """The error for a table that is not there."""
    return LakeError(
        f"lake: expected the table {contract.identifier}, got none",
        hint="land drops, and run the jobs before this one",
    )


def no_snapshot(contract: Contract) -> LakeError:
    """The error for a table that has not been written to: Terraform has made it, and no job."""
    return LakeError(
        f"{contract.name}: expected a snapshot, got none", hint="land drops, and run the jobs before this one"
    )


def conflict(contract: Contract) -> CommitConflictError:
    """The error for who comes second."""
    return CommitConflictError(
        f"{contract.name}: expected the head this run had read, got a newer one", hint="run the job again"
    )
