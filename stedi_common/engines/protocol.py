"""What a lake can do, whichever engine does it: `Engine` and `Maintenance`, and what they take and return."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from stedi_common.contracts import Contract
from stedi_common.rules.frames import Classified, Frame

if TYPE_CHECKING:
    from stedi_common.engines.retention import Expired
    from stedi_common.engines.storage.parquet import DataFile
    from stedi_common.records import Drop, Reader
    from stedi_common.records.tally import Tally


@dataclass(frozen=True)
class Head:
    """The snapshot a table is at: what a reader pins and what a writer commits onto.

    data_snapshot_id: the snapshot that its rows are of; committed_at and summary are of it. Later ones, as compaction
        makes, hold the same rows in other files.
    """

    table: str
    snapshot_id: int
    data_snapshot_id: int
    committed_at: datetime
    summary: Mapping[str, str]

    @property
    def rows(self) -> int:
        """How many rows the table has."""
        return int(self.summary.get("total-records", 0))


@dataclass(frozen=True)
class Staged:
    """What drops hold: the records, with `fingerprint`; the rejected lines; the tally of each drop by its name.

    distinct: no two records can be equal.
    files: where the records lie, as data files of the landing table.
    """

    records: Frame
    rejected: Frame
    tallies: Mapping[str, Tally]
    distinct: bool
    files: Sequence[DataFile]


@dataclass(frozen=True)
class Materialized:
    """Rows that are computed, and how many there are."""

    frame: Frame
    rows: int


#: How many classified rows there are by the reason they are dropped for; of None, those that are kept.
Counts: TypeAlias = Mapping[str | None, int]


@dataclass(frozen=True)
class Extent:
    """The data files that a table has: how many, and their bytes."""

    files: int
    bytes: int

    @classmethod
    def of(cls, summary: Mapping[str, str]) -> Extent:
        """As the summary of a snapshot tells it."""
        return cls(int(summary.get("total-data-files") or 0), int(summary.get("total-files-size") or 0))


class Maintenance(Protocol):
    """What keeps tables small and their past short. A step that somebody else has overtaken raises CommitConflictError.

    No step changes a row, and each may be repeated, or left for another time.
    """

    def extent(self, contract: Contract) -> Extent | None:
        """The data files that the table has now; None if it is not there or was never written to."""

    def compact(self, contract: Contract) -> None:
        """Put one file in the place of many small ones of a day, or of a table without days."""

    def rewrite_manifests(self, contract: Contract) -> None:
        """Put few manifests in the place of many."""

    def expire(self, contract: Contract, now: datetime) -> Expired:
        """Let go of snapshots, branches and tags that have had their time. Their files are orphans then."""

    def remove_orphans(self, contract: Contract, older_than: datetime) -> int:
        """Remove files that no snapshot knows and that were written before then. Returns how many."""

    def remove_staged(self, older_than: datetime) -> int:
        """Remove what killed runs had staged, if it was written before then. Returns how many files."""


class Engine(Protocol):
    """What a pipeline needs. A commit lands only on the head it names, or raises CommitConflictError."""

    name: str

    @property
    def maintenance(self) -> Maintenance:
        """What may be done to its tables without a change of rows."""

    def prepare(self, contract: Contract) -> None:
        """Make the table what its contract wants, if it is not: columns, partition, order, properties, a snapshot."""

    def exists(self, contract: Contract) -> bool:
        """Whether the table is there."""

    def head(self, contract: Contract) -> Head:
        """The table's current snapshot."""

    def snapshot(self, contract: Contract, snapshot_id: int) -> Head | None:
        """A snapshot of the table; None if it is no longer kept."""

    def history(self, contract: Contract, head: Head) -> Iterator[Head]:
        """The snapshot and those it came from, newest first, as far as they are kept."""

    def changed_days(self, contract: Contract, since: Head, head: Head) -> set[date] | None:
        """The days whose rows may differ between a snapshot and the later `head`.

        Compaction moves no row and changes no day. None if that cannot be told: the way from the head back to the
        snapshot is no longer kept, or does not lead there, or rows of a table without days have changed.
        """

    def read(
        self, contract: Contract, head: Head, days: Collection[date] | None = None, since: date | None = None
    ) -> Frame:
        """The rows at that snapshot; of these days only, or from that one on, if the table has days."""

    def append(self, contract: Contract, rows: Frame, onto: Head, summary: Mapping[str, str]) -> Head:
        """Add rows, in one snapshot that carries the summary."""

    def replace(self, contract: Contract, rows: Frame, onto: Head, summary: Mapping[str, str]) -> Head:
        """Put these rows in the place of all, in one snapshot that carries the summary."""

    def replace_days(
        self, contract: Contract, days: Collection[date], rows: Frame, onto: Head, summary: Mapping[str, str]
    ) -> Head:
        """Put these rows, all of them of these days, in the place of all rows of these days, in one snapshot.

        Files of other days stay the files they are. Without days the snapshot carries the summary and no change.
        """

    def replace_classified(  # noqa: PLR0913, PLR0917 - a commit is all of this
        self,
        contract: Contract,
        days: Collection[date] | None,
        classified: Classified,
        rows_in: int,
        onto: Head,
        summary: Mapping[str, str],
        summarize: Callable[[Counts], Mapping[str, str]],
    ) -> Head:
        """Overwrite all rows of these days, or of all for None, with those of the rows that are kept.

        They are classified from about `rows_in` rows. The snapshot carries the summary, and what `summarize` makes of
        the counts. If it raises, nothing is committed.
        """

    def stage(self, reader: Reader, drops: Sequence[Drop], contract: Contract) -> AbstractContextManager[Staged]:
        """The drops as `reader` reads them, for the landing table of this contract; held until the block ends."""

    def append_staged(self, contract: Contract, staged: Staged, onto: Head, summary: Mapping[str, str]) -> Head:
        """Add all staged records, in one snapshot that carries the summary. Their files become the table's."""

    def fingerprint(self, rows: Frame, keys: Sequence[str]) -> Frame:
        """The rows with `fingerprint`, a 64-bit hash of the keys, as staged records have it."""

    def materialized(self, rows: Frame) -> AbstractContextManager[Materialized]:
        """The rows, computed once and held until the block ends. For few rows."""

    def derive(self, rows: Frame, column: str, name: str, function: Callable[[str], str]) -> Frame:
        """The rows with the column `name`: the Python function of the text in `column`. For few rows."""

    def collect(self, rows: Frame) -> list[dict[str, Any]]:
        """The rows, here. For few rows."""

    def frame(self, contract: Contract, rows: Sequence[Mapping[str, Any]]) -> Frame:
        """Rows from here, with the contract's columns and types. For few rows."""

    def close(self) -> None:
        """Let go of everything."""
