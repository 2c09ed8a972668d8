"""Files that wait: the landing folder has them, no landing could read them, and they may hold a withdrawal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import narwhals as nw

from stedi_common.engines.protocol import Engine
from stedi_common.errors import StediError, WaitingFilesError
from stedi_common.landing.landed_files import LANDED_FILES
from stedi_common.records import shown

#: Reasons to skip a file of a source that somebody should make readable.
UNREAD = ("unreadable", "archived", "name_not_utf8", "unusable_key", "link_outside", "link_loop")


@dataclass(frozen=True)
class WaitingFile:
    """A file that waits.

    Attributes:
        file: its path below the landing folder, as it may be shown.
        reason: why it is skipped.
        since: when the landing began that found it first, UTC.
    """

    file: str
    reason: str
    since: datetime


@dataclass(frozen=True)
class Waiting:
    """The files that wait.

    Attributes:
        waiting: how many.
        files: each, the one that waits longest first.
    """

    waiting: int
    files: Sequence[WaitingFile]

    @property
    def errors(self) -> list[StediError]:
        """The error that somebody must look at."""
        return [WaitingFilesError(self.waiting, self.files[0].since)]


def waiting(engine: Engine) -> Waiting | None:
    """The files that wait in the landing folder; None if there are none.

    A file waits until it has landed, or a landing finds it gone. That counts only if the folder of its source has a
    file that has landed: else it may be another folder, or a volume that is not mounted.

    Args:
        engine: an open lake.
    """
    if not engine.exists(LANDED_FILES):
        return None
    rows = engine.read(LANDED_FILES, engine.head(LANDED_FILES)).select("source", "source_file", "skipped", "arrived_at")
    skipped = rows.filter(nw.col("skipped").is_in(UNREAD) & (nw.col("source") != ""))
    since = {row["source_file"]: row for row in engine.collect(skipped)}
    if not since:
        return None
    landed = rows.filter(nw.col("skipped").is_null() & nw.col("source_file").is_in(sorted(since)))
    for row in engine.collect(landed):
        if (file := since.get(row["source_file"])) and file["arrived_at"] < row["arrived_at"]:
            del since[row["source_file"]]
    files = sorted(since.values(), key=lambda row: (row["arrived_at"], row["source_file"]))
    found = [WaitingFile(shown(row["source_file"]), row["skipped"], row["arrived_at"]) for row in files]
    return Waiting(len(found), found) if found else None
