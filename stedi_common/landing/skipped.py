"""The rows of skipped files in `landed_files`, and which of them a landing removes because they are out of date.

An unread file may hold a withdrawal. So only a landing of its own folder removes its row, and in doubt the row stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from stedi_common.engines.protocol import Engine
from stedi_common.incremental.summary import landing_properties
from stedi_common.landing.landed_files import DISMISSED, LandedFiles, Row, skipped_entry
from stedi_common.records import UNREAD_REASONS, Drop, Found


def without_outdated(  # noqa: PLR0913, PLR0917 - what a landing is made of
    engine: Engine, landed_files: LandedFiles, source: str, found: Found, unchanged: Collection[str], began_at: datetime
) -> LandedFiles:
    """Remove the rows of skipped files of the source that are out of date before anything lands.

    A file that is skipped for another reason now gets another row in the same commit: it must not be forgotten if the
    landing is killed.

    Args:
        engine: an open lake.
        landed_files: the table.
        source: the source that lands.
        found: the files of the landing folder.
        unchanged: the names of the drops that have landed as they are now.
        began_at: when the landing began.

    Returns:
        The table after that.

    Raises:
        CommitConflictError: another run committed in between.
    """
    removed = outdated(landed_files, source, found, unchanged)
    if not removed:
        return landed_files
    since = {
        row["source_file"]: row["arrived_at"] if row["skipped"] in UNREAD_REASONS else began_at
        for row in removed
        if row is landed_files.skipped.get(row["source_file"])
    }
    rows = [skipped_entry(each, landed_files.folder, since[each.name]) for each in found.skipped if each.name in since]
    return landed_files.replaced(engine, removed, rows, landing_properties(source, 0, str(engine.choice)))


def outdated(landed_files: LandedFiles, source: str, found: Found, unchanged: Collection[str]) -> list[Row]:
    """The rows of skipped files of the source that are out of date before anything lands.

    Either the file is found again, as a drop or with another reason, or it is gone. It counts as gone only if the
    folder of its source has a file that has landed as it is now: else another volume may be mounted there, or none.
    The row of an unread file that can be read now is removed after the file has landed: see `readable`.
    """
    drops = found.drops[source]
    reasons = {each.name: each.reason for each in found.skipped}
    names, paths = {drop.name for drop in drops}, _paths(drops)

    def is_outdated(row: Row) -> bool:
        name, reason = row["source_file"], row["skipped"]
        now = reasons.get(name)
        is_found = now is not None or name in names
        if now in UNREAD_REASONS or (is_found and reason not in UNREAD_REASONS):
            return bool(now != reason)
        if reason == DISMISSED or name.rstrip("/") in paths:
            return False
        return bool(unchanged)

    def has_landed(row: Row) -> bool:
        versions = landed_files.versions.get(row["source_file"], ())
        return any(version["arrived_at"] > row["arrived_at"] for version in versions)

    of_folder = (row for row in landed_files.skipped.values() if row["source"] == source and is_outdated(row))
    of_unknown = (row for row in landed_files.of_unknown_folder if row["source"] == source and has_landed(row))
    return [*of_folder, *of_unknown]


def readable(landed_files: LandedFiles, source: str, drops: Sequence[Drop]) -> list[Row]:
    """The rows of skipped files of the source that can be read now. For a skipped folder, that is a drop below it.

    These rows are out of date as soon as all drops have landed.
    """
    rows = [row for row in landed_files.skipped.values() if row["source"] == source]
    paths = _paths(drops) if rows else set()
    return [row for row in rows if row["source_file"].rstrip("/") in paths]


def _paths(drops: Iterable[Drop]) -> set[str]:
    """The names of the drops, and of the folders that they lie in."""
    paths = set()
    for drop in drops:
        path = drop.name
        while path and path not in paths:
            paths.add(path)
            path = path.rpartition("/")[0]
    return paths
