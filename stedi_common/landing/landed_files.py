"""The table `landed_files`: which version of which file has landed, and what became of its lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import narwhals as nw

from stedi_common.contracts import contract
from stedi_common.engines.protocol import Engine, Head
from stedi_common.errors import StediError
from stedi_common.instants import utc_now
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.records import UNREAD_REASONS, Drop, Reader, Skipped, Tally, sha256, why_unreadable
from stedi_common.rules.frames import Frame

LANDED_FILES = contract("landed_files")

#: The counts of a file in its row.
COUNTS = (
    *("lines", "landed", "rejected", "duplicate", "suppressed", "blank", "nulled_values"),
    *("doubtful", "without_address"),
)

#: The reason in the row of an unread file that somebody has dismissed. The row stays, so that this can be seen.
DISMISSED = "dismissed"

#: What a digest begins with. Before 0.3 the table had the SHA-256 itself.
_KEYED = "hmac:"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class LandedFiles:
    """The rows of `landed_files` at a snapshot, as a landing of one folder sees them.

    Attributes:
        head: the snapshot.
        folder: the digest of the landing folder.
        versions: by file name, a row for each version that has landed, from any folder.
        skipped: by file name, the row of a skipped file of this folder.
        of_unknown_folder: the rows of unread files that an earlier version of this package wrote, without a folder.
        has_doubt: whether a customer line that landed is doubtful.
        key: the pseudonym key, for the digests.
    """

    head: Head
    folder: str
    versions: Mapping[str, Sequence[Row]]
    skipped: Mapping[str, Row]
    of_unknown_folder: Sequence[Row]
    has_doubt: bool
    key: PseudonymKey = field(repr=False)

    @classmethod
    def read(cls, engine: Engine, head: Head, key: PseudonymKey, folder: str) -> LandedFiles:
        """Read the table at this snapshot, for a landing of the folder with this digest: see `folder_digest`."""
        columns = (
            *("source", "source_file", "sha256", "bytes", "modified_at", "landed"),
            *("doubtful", "skipped", "absent_columns", "arrived_at"),
        )
        versions: dict[str, list[Row]] = {}
        skipped: dict[str, Row] = {}
        of_unknown_folder: list[Row] = []
        for row in engine.collect(engine.read(LANDED_FILES, head).select(*columns)):
            if not row["skipped"]:
                versions.setdefault(row["source_file"], []).append(row)
            elif row["sha256"] == folder:
                skipped[row["source_file"]] = row
            elif not row["sha256"] and row["skipped"] in UNREAD_REASONS:
                of_unknown_folder.append(row)
            elif not row["sha256"]:  # not unread, so no withdrawal depends on it: taken for a row of this folder
                skipped.setdefault(row["source_file"], row)
        has_doubt = any(row["doubtful"] for rows in versions.values() for row in rows)
        return cls(head, folder, versions, skipped, of_unknown_folder, has_doubt, key)

    def arrivals(self) -> Iterator[datetime]:
        """When the files have arrived."""
        return (row["arrived_at"] for rows in self.versions.values() for row in rows)

    def landed(self, source: str) -> int:
        """How many lines of the source have landed: see `landed_lines`."""
        return landed_lines(self.of_source(source), source)

    def lacks_entries(self, source: str, head: Head) -> bool:
        """Whether the landing table may have rows of files without a row here, as after a killed landing."""
        return head.rows > self.landed(source)

    @property
    def has_unkeyed(self) -> bool:
        """Whether a row has the SHA-256 of its file."""
        return any(not row["sha256"].startswith(_KEYED) for rows in self.versions.values() for row in rows)

    def keyed(self, engine: Engine, summary: Mapping[str, str]) -> LandedFiles:
        """The table with digests under the key in all rows, which it then has. Raises CommitConflictError."""
        rows = engine.collect(engine.read(LANDED_FILES, self.head))
        for row in rows:
            if row["sha256"] and not row["sha256"].startswith(_KEYED):
                row["sha256"] = digest(row["sha256"], self.key)
        head = engine.replace(LANDED_FILES, engine.frame(LANDED_FILES, rows), self.head, summary)
        return self.at(engine, head)

    def at(self, engine: Engine, head: Head) -> LandedFiles:
        """The table at this snapshot, for the same folder."""
        return self.read(engine, head, self.key, self.folder)

    def replaced(
        self, engine: Engine, removed: Sequence[Row], added: Sequence[Row], summary: Mapping[str, str]
    ) -> LandedFiles:
        """The table after rows of skipped files were removed and others added. Raises CommitConflictError."""
        frame = engine.read(LANDED_FILES, self.head)
        for folder in {row["sha256"] for row in removed}:
            names = sorted({row["source_file"] for row in removed if row["sha256"] == folder})
            is_removed = (nw.col("sha256") == folder) & nw.col("source_file").is_in(names)
            frame = frame.filter(nw.col("skipped").is_null() | ~is_removed)
        if added:
            frame = nw.concat([frame, engine.frame(LANDED_FILES, added)])
        return self.at(engine, engine.replace(LANDED_FILES, frame, self.head, summary))

    def new(self, found: Sequence[Drop]) -> tuple[list[Drop], list[Skipped]]:
        """The drops of which no version with their content has landed, and those that cannot be read to find out."""
        unknown = self.unknown(found)
        # The time of change differs; the content may be the same. A digest under an earlier key is equal to none, so
        # such a file is read again.
        digests, skipped = read_digests([drop for drop in unknown if self._of_same_size(drop)], self.key)
        unreadable = {each.name for each in skipped}
        landed = {drop for drop, of in digests.items() if of in self._of_same_size(drop)}
        return [drop for drop in unknown if drop not in landed and drop.name not in unreadable], skipped

    def unknown(self, found: Sequence[Drop]) -> list[Drop]:
        """The drops that have not landed with their size and time, so that only their content can tell."""
        return [drop for drop in found if not self._is_unchanged(drop)]

    def new_skipped(self, skipped: Sequence[Skipped]) -> list[Skipped]:
        """The skipped files that have no row yet."""
        return [each for each in skipped if each.name not in self.skipped]

    def earlier_versions(self, drops: Sequence[Drop], before: datetime | None = None) -> dict[str, datetime]:
        """When the last version of each drop arrived, for drops that have landed with other content.

        Args:
            drops: the drops.
            before: only versions that arrived before then count; None for all.
        """
        arrivals = {drop.name: [row["arrived_at"] for row in self.versions.get(drop.name, ())] for drop in drops}
        counted = {name: [at for at in all_ if before is None or at < before] for name, all_ in arrivals.items()}
        return {name: max(all_) for name, all_ in counted.items() if all_}

    def of_source(self, source: str) -> Iterator[Row]:
        """The rows of the versions of a source's files."""
        return (row for versions in self.versions.values() for row in versions if row["source"] == source)

    def once_had(self, source: str, column: str) -> bool:
        """Whether a file of the source has had this column."""
        rows = self.of_source(source)
        return any(row["absent_columns"] is not None and column not in row["absent_columns"].split() for row in rows)

    def _is_unchanged(self, drop: Drop) -> bool:
        # A file that was skipped must be read: the version with its name, size and time may be from another folder.
        # A time in the future was set by a program, and may stay the same when the content changes.
        return (
            drop.name not in self.skipped
            and drop.modified_at <= utc_now()
            and any(
                (row["bytes"], row["modified_at"]) == (drop.bytes, drop.modified_at)
                for row in self.versions.get(drop.name, ())
            )
        )

    def _of_same_size(self, drop: Drop) -> list[str]:
        """The digests of the versions of a drop that have its size."""
        return [row["sha256"] for row in self.versions.get(drop.name, ()) if row["bytes"] == drop.bytes]


def landed_lines(rows: Iterable[Row], source: str) -> int:
    """How many lines of the source have landed, by these rows. Each has a row in the landing table, or several."""
    return sum(row["landed"] for row in rows if row["source"] == source)


def digest(sha256: str, key: PseudonymKey) -> str:
    """The digest of a file, from its SHA-256."""
    return f"{_KEYED}{key.file_digest(sha256)}"


def folder_digest(location: str, key: PseudonymKey) -> str:
    """The digest of a landing folder, from its location."""
    return f"{_KEYED}{key.folder_digest(location)}"


def read_digests(drops: Sequence[Drop], key: PseudonymKey) -> tuple[dict[Drop, str], list[Skipped]]:
    """Read the drops. Returns their digests, and the drops that cannot be read."""
    digests: dict[Drop, str] = {}
    skipped: list[Skipped] = []
    for drop in drops:
        try:
            digests[drop] = digest(sha256(drop), key)
        except (OSError, StediError):
            reason = why_unreadable(drop)
            if reason is None:
                raise
            skipped.append(Skipped(drop.name, reason, drop.name.split("/", 1)[0]))
    return digests, skipped


def entry(  # noqa: PLR0913, PLR0917 - a row is all of this
    reader: Reader, key: PseudonymKey, drop: Drop, tally: Tally, duplicate: int, about_unknown: int
) -> dict[str, Any]:
    """The row of a file version that was read.

    Args:
        reader: what it was read with.
        key: the pseudonym key, for the digest.
        drop: the file.
        tally: the counts that reading it gives.
        duplicate: how many of its records are equal to one that had landed before.
        about_unknown: how many of its doubtful lines have only addresses without a customer record.
    """
    nullable = [c.name for c in contract(f"{reader.source}_landing").source_columns if not c.required]
    absent = [name for name in nullable if name not in tally.present_columns] if tally.present_columns else nullable
    return {
        "source": reader.source,
        "source_file": drop.name,
        "sha256": digest(tally.sha256, key),
        "bytes": drop.bytes,
        "modified_at": drop.modified_at,
        "lines": tally.lines,
        "landed": tally.lines - tally.rejected - tally.blank - duplicate,
        "rejected": tally.rejected,
        "duplicate": duplicate,
        "suppressed": 0,
        "blank": tally.blank,
        "nulled_values": tally.nulled_values,
        "doubtful": tally.doubtful,
        "without_address": tally.without_address + about_unknown,
        "unit": tally.unit,
        "skipped": None,
        "unknown_keys": _json(tally.unknown_keys),
        "nulled_columns": _json(tally.nulled_columns),
        "absent_columns": " ".join(absent),
        "arrived_at": reader.arrived_at,
    }


def skipped_entry(skipped: Skipped, folder: str, arrived_at: datetime) -> dict[str, Any]:
    """The row of a file that was not read.

    Args:
        skipped: the file.
        folder: the digest of the landing folder.
        arrived_at: when the landing began that found it first.
    """
    return {
        **dict.fromkeys(COUNTS, 0),
        "source": skipped.source,
        "source_file": skipped.name,
        "sha256": folder,
        "bytes": 0,
        "modified_at": arrived_at,
        "unit": None,
        "skipped": skipped.reason,
        "unknown_keys": None,
        "nulled_columns": None,
        "absent_columns": None,
        "arrived_at": arrived_at,
    }


def arrivals(engine: Engine, earlier: Mapping[str, datetime]) -> Frame:
    """The earlier versions as rows: columns source_file, done_at."""
    blank = dict.fromkeys(LANDED_FILES.names)
    rows = [blank | {"source_file": name, "arrived_at": arrived_at} for name, arrived_at in earlier.items()]
    return engine.frame(LANDED_FILES, rows).select("source_file", nw.col("arrived_at").alias("done_at"))


def _json(counts: Mapping[str, int]) -> str:
    return json.dumps(dict(sorted(counts.items())), ensure_ascii=False)
