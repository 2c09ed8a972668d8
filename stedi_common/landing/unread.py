"""Unread files: a landing folder has them, no landing could read them, and they may hold a withdrawal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stedi_common.engines.protocol import Engine
from stedi_common.engines.retry import retry_on_conflict
from stedi_common.errors import StediError, UnreadFilesRemainError
from stedi_common.instants import utc_now
from stedi_common.landing.landed_files import DISMISSED, LANDED_FILES, Row
from stedi_common.records import UNREAD_REASONS, shown


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
        unread: how many; 0 if they were dismissed now.
        files: each, the one that was found first comes first.
        is_dismissed: whether the files were dismissed now.
    """

    unread: int
    files: Sequence[UnreadFile]
    is_dismissed: bool = False

    @property
    def errors(self) -> list[StediError]:
        """The error that somebody must look at."""
        return [UnreadFilesRemainError(self.unread, self.files[0].since)] if self.unread else []


def unread_files(engine: Engine) -> UnreadFiles | None:
    """The unread files of all landing folders; None if there are none: see `unread_in`."""
    return unread_in(landed_rows(engine))


def landed_rows(engine: Engine) -> Sequence[Row]:
    """The rows of `landed_files`, with the columns that are needed to find unread files and missing lines.

    Args:
        engine: an open lake.
    """
    if not engine.exists(LANDED_FILES):
        return []
    columns = ("source", "source_file", "sha256", "skipped", "landed", "arrived_at")
    return engine.collect(engine.read(LANDED_FILES, engine.head(LANDED_FILES)).select(*columns))


def unread_in(rows: Sequence[Row]) -> UnreadFiles | None:
    """The unread files of all landing folders; None if there are none.

    A file is unread as long as it has a row. A landing of its folder removes the row when the file has landed or is
    gone. A row that an earlier version of this package wrote has no folder: its file is unread until a file of its name
    has landed.

    Args:
        rows: the rows of `landed_files`.
    """
    files = _files(_unread(rows))
    return UnreadFiles(len(files), files) if files else None


def dismiss_unread(engine: Engine) -> UnreadFiles | None:
    """Dismiss all unread files. Whoever does that takes responsibility: a withdrawal in them is lost.

    Their rows stay, with the reason `dismissed` and the time. A landing that finds such a file again reads it; if
    it cannot, the file is unread again.

    Args:
        engine: an open lake.

    Returns:
        What was dismissed; None if nothing was unread.

    Raises:
        CommitConflictError: other runs kept committing in between.
    """
    files = _files(retry_on_conflict(lambda: _dismiss(engine)) if engine.exists(LANDED_FILES) else [])
    return UnreadFiles(0, files, is_dismissed=True) if files else None


def _dismiss(engine: Engine) -> list[Row]:
    head = engine.head(LANDED_FILES)
    rows = engine.collect(engine.read(LANDED_FILES, head))
    unread = _unread(rows)
    if unread:
        keys, dismissed = {_key(row) for row in unread}, {"skipped": DISMISSED, "modified_at": utc_now()}
        changed = [row | dismissed if _key(row) in keys else row for row in rows]
        engine.replace(LANDED_FILES, engine.frame(LANDED_FILES, changed), head, {})
    return unread


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in LANDED_FILES.keys)


def _unread(rows: Sequence[Row]) -> list[Row]:
    """The rows of unread files, the one that was found first comes first."""
    unread = [row for row in rows if row["skipped"] in UNREAD_REASONS and row["source"]]
    arrivals: dict[str, datetime] = {}
    if any(not row["sha256"] for row in unread):
        for row in rows:
            if not row["skipped"]:
                name = row["source_file"]
                arrivals[name] = max(row["arrived_at"], arrivals.get(name, row["arrived_at"]))
    has_landed = [
        not row["sha256"] and arrivals.get(row["source_file"], row["arrived_at"]) > row["arrived_at"] for row in unread
    ]
    found = [row for row, landed in zip(unread, has_landed, strict=True) if not landed]
    return sorted(found, key=lambda row: (row["arrived_at"], row["source_file"]))


def _files(rows: Sequence[Row]) -> list[UnreadFile]:
    return [UnreadFile(shown(row["source_file"]), row["skipped"], row["arrived_at"]) for row in rows]
