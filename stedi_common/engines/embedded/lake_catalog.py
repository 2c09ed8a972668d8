"""The catalog of a lake, as the engine knows it: PyIceberg's, with what it needs besides. Which one, the lake says."""

from __future__ import annotations

from typing import Any, Protocol

from pyiceberg.table import CommitTableResponse, Table

from stedi_common.engines.storage import s3
from stedi_common.lake import Lake


class LakeCatalog(Protocol):
    """A catalog of PyIceberg. A commit is compare-and-swap: it is refused if another was made in between.

    Attributes:
        unknown_state: errors after which it is not known whether the catalog has made a change.
        may_commit_late: whether a change that is not found after CommitStateUnknownException may still be made: its
            request is on the way. Then its files must stay.
    """

    unknown_state: tuple[type[Exception], ...]
    may_commit_late: bool

    def metadata_location(self, identifier: str) -> str | None:
        """Where the metadata of a table lie; None if there is no such table."""

    def load_table(self, identifier: str) -> Table:
        """The table with its current metadata. Raises NoSuchTableError."""

    def create_table(self, identifier: str, *args: Any, **named: Any) -> Table:
        """Create a table. Raises TableAlreadyExistsError."""

    def drop_table(self, identifier: str) -> None:
        """Remove a table from the catalog; its files stay. Raises NoSuchTableError."""

    def commit_table(self, *args: Any, **named: Any) -> CommitTableResponse:
        """Commit updates to a table. Raises CommitFailedException if another commit was made in between."""

    def close(self) -> None:
        """Close the connections."""


def open_catalog(lake: Lake) -> LakeCatalog:
    """The catalog of the lake.

    Raises:
        LakeError: it cannot be opened.
    """
    # Each catalog needs libraries of its own.
    if lake.is_local:
        from stedi_common.engines.embedded import sqlite_catalog  # noqa: PLC0415

        return sqlite_catalog.open_catalog(lake)
    try:
        from stedi_common.engines.embedded import glue_catalog  # noqa: PLC0415
    except ModuleNotFoundError:
        raise s3.missing_library() from None
    return glue_catalog.open_catalog(lake)
