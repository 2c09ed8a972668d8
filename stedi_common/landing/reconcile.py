"""Reconciliation of a landing: whether it has added the rows that it has read, before `landed_files` says so."""

from __future__ import annotations

from stedi_common.contracts import Contract
from stedi_common.engines.protocol import Head, Materialized, Staged
from stedi_common.errors import EngineError


def expect_added(table: Contract, before: Head, after: Head, staged: Staged, left_out: Materialized | None) -> None:
    """Raise EngineError unless the commit has added the staged records that are not left out.

    Args:
        table: the landing table.
        before: the head that the commit was made onto.
        after: the head that it has made.
        staged: the staged records.
        left_out: the places of those that were left out; None if there are none.
    """
    tallies = staged.tallies.values()
    if left_out is not None and any(tally.doubtful for tally in tallies):
        return  # a doubtful line has a record for each address, so a place may be of several
    expected = sum(tally.records for tally in tallies) - (left_out.rows if left_out else 0)
    added = after.rows - before.rows
    if added != expected:
        raise EngineError(
            f"{table.name}: expected {expected:,} rows to land, got {added:,}",
            hint="land again: the files are read again, and the rows that are missing are added",
        )
