"""Unread files: the landing folder has them, no landing could read them, and they may hold a withdrawal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from stedi_common.engines.protocol import Engine
from stedi_common.errors import StediError, UnreadFilesRemainError
from stedi_common.landing.landed_files import LANDED_FILES, Row
from stedi_common.records import TOO_DAMAGED, shown

#: Skipped files of a source with one of these reasons are unread: somebody must make them readable.
UNREAD_REASONS = (
    *("unreadable", "archived", "name_not_utf8", "unusable_key", "link_outside", "link_loop"),
    TOO_DAMAGED,
)


@dataclass(frozen=True)
class UnreadFile:
    """A file that no landing could read.

    Attributes:
        file: its path below the landing folder, as it may be shown.
        reason: why it is skipped.
        since: when the landing began that found it first, UTC.
    """

    file: str
    reason: str
    since: datetime


@dataclass(frozen=True)
class UnreadFiles:
    """The files that no landing could read.

    Attributes:
        unread: how many.
        files: each, the one that was found first comes first.
    """

    unread: int
    files: Sequence[UnreadFile]

    @property
    def errors(self) -> list[StediError]:
        """The error that somebody must look at."""
        return [UnreadFilesRemainError(self.unread, self.files[0].since)]


def unread_files(engine: Engine) -> UnreadFiles | None:
    """The unread files of the landing folder; None if there are none: see `unread_in`."""
    return unread_in(landed_rows(engine))


def landed_rows(engine: Engine) -> Sequence[Row]:
    """The rows of `landed_files`, with what is needed to find unread files and missing lines.

    Args:
        engine: an open lake.
    """
    if not engine.exists(LANDED_FILES):
        return []
    columns = ("source", "source_file", "skipped", "landed", "arrived_at")
    return engine.collect(engine.read(LANDED_FILES, engine.head(LANDED_FILES)).select(*columns))


def unread_in(rows: Sequence[Row]) -> UnreadFiles | None:
    """The unread files of the landing folder; None if there are none.

    A file is unread until it has landed, or a landing finds it gone. That counts only if the folder of its source has a
    file that has landed: else it may be another folder, or a volume that is not mounted.

    Args:
        rows: the rows of `landed_files`.
    """
    since = {row["source_file"]: row for row in rows if row["skipped"] in UNREAD_REASONS and row["source"]}
    for row in rows:
        file = None if row["skipped"] else since.get(row["source_file"])
        if file and file["arrived_at"] < row["arrived_at"]:
            del since[row["source_file"]]
    files = sorted(since.values(), key=lambda row: (row["arrived_at"], row["source_file"]))
    found = [UnreadFile(shown(row["source_file"]), row["skipped"], row["arrived_at"]) for row in files]
    return UnreadFiles(len(found), found) if found else None
