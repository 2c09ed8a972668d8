"""Carry out the deletion of withdrawn rows, before a run computes its tables. `incremental.deletion` plans it.

If the plan of all tables fails, because a file is damaged for instance, each table has a plan of its own. A table whose
rows cannot be classified is emptied, because people in it may have withdrawn. If the customer records are missing or
cannot be read, or lines of them are missing, every table is emptied. A table that has no contract, or another column
type than in its contract, is emptied as soon as a table that it was built from has changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field

from stedi_common.contracts import Contract
from stedi_common.engines.errors import cannot_be_emptied
from stedi_common.engines.protocol import Engine
from stedi_common.engines.retry import retry_on_conflict
from stedi_common.engines.storage.unknown_tables import UnknownTable
from stedi_common.errors import (
    CommitConflictError,
    DamagedFileError,
    LakeError,
    StediError,
    UnknownTablesError,
    as_stedi_error,
)
from stedi_common.incremental import unknown
from stedi_common.incremental.deletion import computed_tables, plan_deletion
from stedi_common.incremental.deletion_by_consent import Consents, emptying
from stedi_common.incremental.plan import Deletion
from stedi_common.incremental.summary import Build, DeletionSummary
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.lineage import JOBS
from stedi_common.rules.policy import Policy
from stedi_common.runs import executor


@dataclass(frozen=True)
class Deleted:
    """What a deletion of withdrawn rows did.

    Attributes:
        deleted: how many rows were deleted, by table, downstream first.
        emptied: the tables from which all rows were deleted, because they could not be classified. Their jobs recompute
            them.
        unknown: zone and name of the trusted and curated tables that have no contract, and have or had rows.
        failures: the errors of the tables that could neither be read nor emptied.
    """

    deleted: Mapping[str, int]
    emptied: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    failures: tuple[StediError, ...] = field(default=(), compare=False)

    @property
    def errors(self) -> list[StediError]:
        """What somebody must look at, although the deletion is done."""
        return [*self.failures, *([UnknownTablesError(self.unknown)] if self.unknown else [])]


def delete_withdrawn(engine: Engine, policy: Policy, key: PseudonymKey, *, lacks_lines: bool = False) -> Deleted | None:
    """Delete withdrawn rows from the trusted and curated tables, in one commit for each table.

    Args:
        engine: an open lake.
        policy: the policy of the run.
        key: the pseudonym key of the run.
        lacks_lines: whether customer lines are missing. Each may be a withdrawal, so every table is emptied.

    Returns:
        How many rows were deleted, and the errors of tables that can neither be read nor emptied; None if there is
        nothing to say.

    Raises:
        CommitConflictError: other runs kept committing in between.
        StediError: the machine is out of resources.
    """
    unusable = _prepare(engine)
    failed: dict[str, StediError] = {}
    run = _DeletionRun(engine, policy, key, unusable)
    if lacks_lines:
        failed = run.delete_from_each_table(lacks_lines=True)
    else:
        try:
            retry_on_conflict(run.delete)
        except Exception as error:
            _raise_if_temporary(error)
            failed = run.delete_from_each_table()
    failed |= run.empty_unknown_tables(lacks_lines=lacks_lines)
    return run.result(tuple((failed | unusable).values()))


class _DeletionRun:
    """A deletion from the tables that can be written to."""

    def __init__(self, engine: Engine, policy: Policy, key: PseudonymKey, without: Mapping[str, StediError]) -> None:
        self._engine, self._policy, self._key, self._without = engine, policy, key, without
        self._deleted: dict[str, int] = {}
        self._emptied: list[str] = []
        self._unknown: list[str] = []

    def result(self, failures: tuple[StediError, ...]) -> Deleted | None:
        """What was done; None if there is nothing to say."""
        done = Deleted(self._deleted, tuple(self._emptied), tuple(self._unknown), failures)
        return done if self._deleted or self._unknown or failures else None

    def delete(self) -> None:
        """Carry out the plan of all tables."""
        with plan_deletion(self._engine, self._policy, self._key, without=self._without) as deletions:
            for deletion in deletions:
                self._carry_out(deletion)

    def delete_from_each_table(self, *, lacks_lines: bool = False) -> dict[str, StediError]:
        """Delete from each table by the current consents, and empty the tables whose rows cannot be classified.

        Args:
            lacks_lines: whether the current consents are not known, because customer lines are missing.

        Returns:
            The errors of the tables that could not be emptied, by name.
        """
        errors: dict[str, StediError] = {}
        with ExitStack() as stack:
            consents = None if lacks_lines else self._consents(stack)
            for table in computed_tables(self._engine, self._without):
                try:
                    self._delete_or_empty(table, consents)
                except Exception as error:
                    errors[table.name] = as_stedi_error(error)
        return errors

    def empty_unknown_tables(self, *, lacks_lines: bool) -> dict[str, StediError]:
        """Empty tables that have no contract, or other column types, if a table that they were built from has changed.

        Args:
            lacks_lines: whether customer lines are missing. Then all of them are emptied.

        Returns:
            The errors of the tables that could not be emptied, by name.
        """
        errors: dict[str, StediError] = {}
        differing = [name for name, error in self._without.items() if _says_other_types(error)]
        tables = self._engine.unknown_tables(differing)
        computed = [table for table in tables if table.zone != "landing"]
        to_empty = computed if lacks_lines else unknown.out_of_date(self._engine, tables)
        for table in sorted(to_empty, key=lambda each: each.zone):  # curated ones first: people read them
            if table.rows != 0:
                try:
                    self._empty(table)
                except Exception as error:
                    errors[table.identifier] = as_stedi_error(error)
        self._unknown = [
            table.identifier for table in computed if table.has_old_rows and table.name not in self._without
        ]
        return errors

    def _empty(self, table: UnknownTable) -> None:
        if table.rows is None:
            raise cannot_be_emptied(table)
        summary = DeletionSummary(Build.unknown(), None, None, str(self._engine.choice))
        retry_on_conflict(lambda: self._engine.empty(table, summary.properties()))
        self._record(table.name, table.rows, empties=True)

    def _consents(self, stack: ExitStack) -> Consents | None:
        """The current consents; None if they cannot be read."""
        try:
            return Consents.now(self._engine, self._policy, self._key, stack)
        except Exception as error:
            _raise_if_temporary(error)
            return None

    def _delete_or_empty(self, table: Contract, consents: Consents | None) -> None:
        if consents:
            try:
                retry_on_conflict(lambda: self._carry_out(consents.deletion(table)))
            except Exception as error:
                _raise_if_temporary(error)
            else:
                return
        retry_on_conflict(lambda: self._carry_out(emptying(self._engine, table), empties=True))

    def _carry_out(self, deletion: Deletion | None, *, empties: bool = False) -> None:
        if deletion is None:
            return
        self._record(deletion.table.name, executor.delete(self._engine, deletion), empties=empties)

    def _record(self, name: str, rows: int, *, empties: bool) -> None:
        self._deleted[name] = self._deleted.get(name, 0) + rows
        if empties:
            self._emptied.append(name)


def _says_other_types(error: StediError) -> bool:
    """Whether a table cannot be prepared because its columns have other types than in its contract."""
    return isinstance(error, LakeError) and not isinstance(error, DamagedFileError)


def _raise_if_temporary(error: Exception) -> None:
    """Raise the error of a commit conflict or of a machine that is out of resources: the next run can succeed."""
    known = as_stedi_error(error)
    if isinstance(known, CommitConflictError) or known.is_out_of_resources:
        raise error


def _prepare(engine: Engine) -> dict[str, StediError]:
    """Prepare the tables that are there. Returns the errors of those that cannot be, by the name of the table."""
    errors: dict[str, StediError] = {}
    for job in JOBS.values():
        try:
            if engine.exists(job.target):
                engine.prepare(job.target)
        except CommitConflictError:
            raise
        except Exception as error:
            errors[job.target.name] = as_stedi_error(error)
    return errors
