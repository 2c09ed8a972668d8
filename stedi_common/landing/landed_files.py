"""The table `landed_files`: which version of which file has landed, and what became of its lines."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import narwhals as nw

from stedi_common.contracts import contract
from stedi_common.engines.protocol import Engine, Head
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.records import Drop, Found, Reader, Skipped, Tally, sha256
from stedi_common.rules.frames import Frame

LANDED_FILES = contract("landed_files")

#: The counts of a file in its row.
COUNTS = (
    *("lines", "landed", "rejected", "duplicate", "suppressed", "blank", "nulled_values"),
    *("doubtful", "without_address"),
)

#: What a digest begins with. Before 0.3 the table had the SHA-256 itself.
_KEYED = "hmac:"

Row = Mapping[str, Any]


@dataclass(frozen=True)
class LandedFiles:
    """The rows of `landed_files` at a snapshot.

    Attributes:
        head: the snapshot.
        versions: by file name, a row for each version that has landed.
        skipped: by file name, the row of a skipped file.
        has_doubt: whether a customer line that landed is doubtful.
        key: the pseudonym key, for the digests.
    """

    head: Head
    versions: Mapping[str, Sequence[Row]]
    skipped: Mapping[str, Row]
    has_doubt: bool
    key: PseudonymKey = field(repr=False)

    @classmethod
    def read(cls, engine: Engine, head: Head, key: PseudonymKey) -> LandedFiles:
        """Read the table at this snapshot."""
        columns = (
            *("source", "source_file", "sha256", "bytes", "modified_at"),
            *("doubtful", "skipped", "absent_columns", "arrived_at"),
        )
        versions: dict[str, list[Row]] = {}
        skipped: dict[str, Row] = {}
        for row in engine.collect(engine.read(LANDED_FILES, head).select(*columns)):
            if row["skipped"]:
                skipped[row["source_file"]] = row
            else:
                versions.setdefault(row["source_file"], []).append(row)
        has_doubt = any(row["doubtful"] for rows in versions.values() for row in rows)
        return cls(head, versions, skipped, has_doubt, key)

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
        return self.read(engine, head, self.key)

    def outdated(self, source: str, found: Found) -> set[str]:
        """The skipped files of the source whose row is out of date: they are gone, or have landed since.

        A file that is skipped for another reason now is one of them, too.
        """
        drops, reasons = found.drops[source], {each.name: each.reason for each in found.skipped}
        there = {drop.name for drop in drops} | reasons.keys()
        # A folder without a known file is another one, or a volume that is not mounted.
        is_known = any(drop.name in self.versions for drop in drops)

        def is_outdated(name: str, row: Row) -> bool:
            is_gone = is_known and name not in there
            has_landed = any(version["arrived_at"] > row["arrived_at"] for version in self.versions.get(name, ()))
            return is_gone or has_landed or reasons.get(name, row["skipped"]) != row["skipped"]

        of_source = ((name, row) for name, row in self.skipped.items() if row["source"] == source)
        return {name for name, row in of_source if is_outdated(name, row)}

    def without(self, engine: Engine, skipped: Collection[str], summary: Mapping[str, str]) -> LandedFiles:
        """The table without the rows of these skipped files, which it then has. Raises CommitConflictError."""
        are_these = ~nw.col("skipped").is_null() & nw.col("source_file").is_in(sorted(skipped))
        rows = engine.read(LANDED_FILES, self.head).filter(~are_these)
        head = engine.replace(LANDED_FILES, rows, self.head, summary)
        return self.read(engine, head, self.key)

    def new(self, found: Sequence[Drop]) -> list[Drop]:
        """The drops of which no version with their content has landed."""
        return [drop for drop in found if not self._has(drop)]

    def new_skipped(self, skipped: Sequence[Skipped]) -> list[Skipped]:
        """The skipped files that have no row yet."""
        return [each for each in skipped if each.name not in self.skipped]

    def earlier_versions(self, drops: Sequence[Drop]) -> dict[str, datetime]:
        """Of the drops that had landed with other content, when the last version of each arrived."""
        return {
            drop.name: max(row["arrived_at"] for row in self.versions[drop.name])
            for drop in drops
            if drop.name in self.versions
        }

    def once_had(self, source: str, column: str) -> bool:
        """Whether a file of the source has had this column."""
        rows = (row for versions in self.versions.values() for row in versions if row["source"] == source)
        return any(row["absent_columns"] is not None and column not in row["absent_columns"].split() for row in rows)

    def _has(self, drop: Drop) -> bool:
        versions = self.versions.get(drop.name, ())
        if any((row["bytes"], row["modified_at"]) == (drop.bytes, drop.modified_at) for row in versions):
            return True
        # The time of change differs; the content may be the same. A digest under an earlier key is equal to none, so
        # such a file is read again.
        same_size = [row["sha256"] for row in versions if row["bytes"] == drop.bytes]
        return bool(same_size) and digest(sha256(drop), self.key) in same_size


def digest(sha256: str, key: PseudonymKey) -> str:
    """The digest of a file, from its SHA-256."""
    return f"{_KEYED}{key.file_digest(sha256)}"


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


def skipped_entry(skipped: Skipped, arrived_at: datetime) -> dict[str, Any]:
    """The row of a file that was not read."""
    return {
        **dict.fromkeys(COUNTS, 0),
        "source": skipped.source,
        "source_file": skipped.name,
        "sha256": "",
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
