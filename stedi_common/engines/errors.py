"""The errors that both engines raise."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from stedi_common.contracts import Contract
from stedi_common.errors import CHECK_NAMES_FILES, CommitConflictError, DamagedFileError, LakeError
from stedi_common.lake import local_path

if TYPE_CHECKING:
    from stedi_common.engines.storage.unknown_tables import UnknownTable


_FORBIDDEN = "one that this user may not read"


def missing_table(contract: Contract) -> LakeError:
    """The error for a table that does not exist."""
    return LakeError(
        f"lake: expected the table {contract.identifier}, got none",
        hint="land drops, and run the jobs before this one",
    )


def no_snapshot(contract: Contract) -> LakeError:
    """The error for a table without a snapshot: Terraform has created it, and no job has prepared it."""
    return LakeError(
        f"{contract.name}: expected a snapshot, got none", hint="land drops, and run the jobs before this one"
    )


def conflict(
    table: Contract | UnknownTable, expected: int | None = None, found: int | None = None
) -> CommitConflictError:
    """The error for a commit that was computed from a snapshot which is no longer the head.

    Args:
        table: the table, or its contract.
        expected: the id of the snapshot that the commit was computed from, if it is known.
        found: the id of the current head of the table, if it is known.
    """
    known = expected is not None and found is not None and expected != found
    ids = f": expected {expected}, found {found}" if known else " since this run read it"
    return CommitConflictError(f"{table.name}: snapshot changed{ids}", hint="run the job again")


def unreadable(table: str, file: str) -> DamagedFileError:
    """The error for a file of a table that is missing or damaged.

    Args:
        table: zone and name of the table.
        file: its path or `file:` URI.
    """
    if file.startswith("s3://"):
        return DamagedFileError(f"{table}: expected the table's file {file}, got none or a damaged one", hint_of(file))
    path = local_path(file)
    found = _found_at(path)
    return DamagedFileError(
        f"{table}: expected the table's file {path}, got {found}",
        hint="let this user read it"
        if found == _FORBIDDEN
        else f"{CHECK_NAMES_FILES}; stedi repair recomputes a trusted or curated table; other tables can be queried",
    )


def _found_at(path: Path) -> str:
    """What there is in the place of a file that cannot be read."""
    try:
        path.stat()
    except FileNotFoundError:
        return "none"
    except PermissionError:
        return _FORBIDDEN
    return "a damaged one" if os.access(path, os.R_OK) else _FORBIDDEN


def cannot_be_emptied(table: UnknownTable) -> DamagedFileError:
    """The error for a table without a contract whose metadata are missing or damaged."""
    return DamagedFileError(
        f"{table.identifier}: expected its metadata {local_path(table.metadata)}, got none or damaged ones",
        hint="run it with its project: stedi repair; if nobody needs the table, remove its folder from the lake",
    )


def hint_of(file: str) -> str:
    """What to do about a damaged file of a table, by its path or URI."""
    if file.startswith("s3://"):
        return (
            "if the bucket has versioning, restore the object; else stedi run --rebuild recomputes the table, "
            "if it is no landing table"
        )
    return CHECK_NAMES_FILES
