"""The protocols `Engine` and `Maintenance`, and the types of their arguments and results."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from stedi_common.contracts import Contract
from stedi_common.engines.choice import Choice
from stedi_common.rules.frames import Classified, Frame

if TYPE_CHECKING:
    import pyarrow as pa

    from stedi_common.engines.retention import Expired
    from stedi_common.engines.storage.parquet import DataFile
    from stedi_common.engines.storage.unknown_tables import UnknownTable
    from stedi_common.records import Drop, Reader
    from stedi_common.records.tally import Tally


@dataclass(frozen=True)
class Head:
    """The snapshot that a table is at: readers read it, and a writer commits onto it.

    Attributes:
        table: the table's name.
        snapshot_id: the id of the snapshot.
        data_snapshot_id: the id of the last snapshot that changed rows. Later ones, such as those of compaction, have
            the same rows in other files.
        committed_at: when the data snapshot was committed, UTC without zone.
        summary: the summary of the data snapshot.
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
    """The records and rejected lines of drops, read and staged.

    Attributes:
        records: the records, with `fingerprint`.
        rejected: the rejected lines.
        tallies: the tally of each drop, by its name.
        distinct: whether all fingerprints differ, so that no two records are equal.
        files: the staged records as data files of the landing table.
    """

    records: Frame
    rejected: Frame
    tallies: Mapping[str, Tally]
    distinct: bool
    files: Sequence[DataFile]


@dataclass(frozen=True)
class Materialized:
    """Rows that are computed and cached.

    Attributes:
        frame: the rows.
        rows: how many there are.
    """

    frame: Frame
    rows: int


#: The number of classified rows by drop reason; under None, the number of kept rows.
Counts: TypeAlias = Mapping[str | None, int]


@dataclass(frozen=True)
class TableSize:
    """The data files that a table has: how many, and their bytes."""

    files: int
    bytes: int

    @classmethod
    def of(cls, summary: Mapping[str, str]) -> TableSize:
        """The size in the summary of a snapshot."""
        return cls(int(summary.get("total-data-files") or 0), int(summary.get("total-files-size") or 0))


@dataclass(frozen=True)
class OrphanRemoval:
    """What became of a table's orphan files.

    Attributes:
        removed: how many were removed.
        recent_unknown_files: how many were left because they are newer than the table's last commit, and no snapshot
            ever named them.
        unknown_bytes: the bytes of the orphan files that no snapshot ever named, if they are most of the table or
            another history. Then none was removed.
        table_bytes: the bytes of all files of the table then.
    """

    removed: int
    recent_unknown_files: int = 0
    unknown_bytes: int = 0
    table_bytes: int = 0


@dataclass(frozen=True)
class Damage:
    """A file of a table that is missing or damaged.

    Attributes:
        kind: `metadata`, `manifest list`, `manifest` or `data file`.
        file: its path.
        problem: what was expected and what it is.
        snapshots: the ids of the snapshots that need it; none if the whole table does.
    """

    kind: str
    file: str
    problem: str
    snapshots: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Verified:
    """What was verified of a table.

    Attributes:
        table: zone and name.
        snapshots: how many snapshots it keeps.
        files: how many data files they have, and `bytes` the bytes of these.
        current: the id of the current snapshot; None if it is not known.
        damages: the files that are missing or damaged.
    """

    table: str
    snapshots: int = 0
    files: int = 0
    bytes: int = 0
    current: int | None = None
    damages: Sequence[Damage] = ()

    def is_needed_now(self, damage: Damage) -> bool:
        """Whether the current rows need the file, and not only older snapshots."""
        return not damage.snapshots or self.current in damage.snapshots


class Maintenance(Protocol):
    """Compaction, snapshot expiry and orphan file removal. No step changes a row, and each may be repeated or left out.

    A step raises CommitConflictError if another commit is made while it works.
    """

    def size(self, contract: Contract) -> TableSize | None:
        """The data files that the table has now; None if it does not exist or has no snapshot."""

    def compact(self, contract: Contract) -> None:
        """Replace many small files of a day, or of a table without days, by one."""

    def rewrite_manifests(self, contract: Contract) -> None:
        """Replace many manifests by few."""

    def expire(self, contract: Contract, now: datetime) -> Expired:
        """Expire snapshots, branches and tags that are too old. Their files become orphans.

        Args:
            contract: the table's, which says for how many days snapshots are kept.
            now: UTC without zone.

        Returns:
            What has expired.
        """

    def remove_orphans(self, contract: Contract, older_than: datetime, *, unknown: bool = False) -> OrphanRemoval:
        """Remove files below the table's folder that no snapshot refers to.

        Files may be left that no snapshot ever named: they may be those of a lost history. Spark does not look at that
        in a lake in S3.

        Args:
            contract: the table's.
            older_than: only files that were written before then, UTC without zone.
            unknown: whether those files are removed, too.

        Raises:
            LakeError: the catalog has the table at another location.
        """

    def remove_staged(self, older_than: datetime) -> int:
        """Remove the staged files of killed runs.

        Args:
            older_than: only files that were written before then, UTC without zone.

        Returns:
            How many files were removed.
        """


class Engine(Protocol):
    """Reads, computes and commits.

    A commit takes the head that it was computed from as `onto`. It raises CommitConflictError if the table is no longer
    at this head, and EngineError if the engine or the catalog fails; then nothing is committed. It returns the new
    head, whose snapshot has the `summary`.

    Attributes:
        name: one of `ENGINES`.
        choice: the engine and why it runs, for the run summary.
    """

    name: str
    choice: Choice

    @property
    def maintenance(self) -> Maintenance:
        """The maintenance of the engine's tables."""

    def prepare(self, contract: Contract) -> None:
        """Create the table, or align it with its contract: columns, partition, sort order and properties.

        A table without a snapshot gets an empty one. If nothing differs, nothing is committed.

        Raises:
            LakeError: a column has another type than in the contract, or the table is at another location.
        """

    def exists(self, contract: Contract) -> bool:
        """Whether the table exists."""

    def unknown_tables(self, besides: Collection[str] = ()) -> Sequence[UnknownTable]:
        """The tables of a lake in a folder that have no contract, and those `besides`, which have one."""

    def empty(self, table: UnknownTable, summary: Mapping[str, str]) -> None:
        """Delete all rows of a table that has no contract, in one snapshot."""

    def cached_lookups(self) -> AbstractContextManager[None]:
        """In the block, a table of a remote catalog may be looked up only once, so its head may not be the newest.

        For commands that only read. Nothing is committed in it.
        """

    def head(self, contract: Contract) -> Head:
        """The table's current snapshot. Raises LakeError if there is no table or no snapshot."""

    def snapshot(self, contract: Contract, snapshot_id: int) -> Head | None:
        """The head that the table had at a snapshot; None if it has expired."""

    def history(self, contract: Contract, head: Head) -> Iterator[Head]:
        """The head and its ancestors, newest first, as far as they are kept."""

    def changed_days(self, contract: Contract, since: Head, head: Head) -> set[date] | None:
        """The days whose rows may differ between a snapshot and the later `head`. Compaction changes no day.

        Returns:
            The days. None if they are not known: a snapshot between the two is no longer kept, `since` is no ancestor
            of `head`, or rows of a table without days have changed.
        """

    def read(
        self, contract: Contract, head: Head, days: Collection[date] | None = None, since: date | None = None
    ) -> Frame:
        """The rows at a snapshot.

        Args:
            contract: the table's, whose columns the rows have. A column that the snapshot does not have is null.
            head: the snapshot.
            days: of a partitioned table, only rows of these days; None for all.
            since: of a partitioned table, only rows of this day and later ones; None for all.

        Raises:
            CommitConflictError: the snapshot has expired in the meantime.
        """

    def read_changed(self, contract: Contract, since: Head, head: Head) -> tuple[Frame, Frame]:
        """The rows that may differ between two snapshots: those of `since`, and those of `head`.

        Rows that are in both snapshots may be left out, such as those of a data file that both have.

        Raises:
            CommitConflictError: a snapshot has expired in the meantime.
        """

    def append(self, contract: Contract, rows: Frame, onto: Head, summary: Mapping[str, str]) -> Head:
        """Add rows, in one snapshot."""

    def replace(self, contract: Contract, rows: Frame, onto: Head, summary: Mapping[str, str]) -> Head:
        """Overwrite all rows with these, in one snapshot."""

    def replace_days(
        self, contract: Contract, days: Collection[date], rows: Frame, onto: Head, summary: Mapping[str, str]
    ) -> Head:
        """Overwrite all rows of these days, in one snapshot. Files of other days stay the files they are.

        Args:
            contract: the table's.
            days: the days. Without any the snapshot has the summary and changes no row.
            rows: the new rows, all of them of these days.
            onto: the head that the rows were computed from.
            summary: the properties for the summary of the snapshot.
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
        """Overwrite all rows of these days with those of the classified rows that are kept.

        Args:
            contract: the table's.
            days: the days; None for all rows.
            classified: the new rows, each with the reason that it is dropped for, or none.
            rows_in: about how many rows were classified.
            onto: the head that the rows were computed from.
            summary: the properties for the summary of the snapshot.
            summarize: makes further properties of the summary from the counts. If it raises, nothing is committed.
        """

    def stage(self, reader: Reader, drops: Sequence[Drop], contract: Contract) -> AbstractContextManager[Staged]:
        """Read the drops and stage them for the landing table of this contract, until the block ends."""

    def append_staged(self, contract: Contract, staged: Staged, onto: Head, summary: Mapping[str, str]) -> Head:
        """Add all staged records, in one snapshot. Their files become the table's."""

    def fingerprint(self, rows: Frame, keys: Sequence[str]) -> Frame:
        """The rows with `fingerprint`, a 64-bit hash of the keys, as staged records have it."""

    def materialized(self, rows: Frame) -> AbstractContextManager[Materialized]:
        """Compute the rows once and cache them until the block ends. For few rows."""

    def derive(self, rows: Frame, column: str, name: str, function: Callable[[str], str]) -> Frame:
        """The rows with one more column. For few rows.

        Args:
            rows: the rows.
            column: a column of text.
            name: the new column.
            function: makes its text from the text in `column`.
        """

    def collect(self, rows: Frame) -> list[dict[str, Any]]:
        """The rows as Python values, a mapping for each. For few rows."""

    def batches(self, rows: Frame, size: int) -> Iterator[pa.RecordBatch]:
        """The rows as record batches in this process. Memory holds a few batches at a time.

        Args:
            rows: the rows, which may be many.
            size: how many rows a batch has at most.

        Raises:
            EngineError: the engine failed.
        """

    def frame(self, contract: Contract, rows: Sequence[Mapping[str, Any]]) -> Frame:
        """Rows from Python values, with the contract's columns and types. For few rows."""

    def close(self) -> None:
        """Release the resources of the engine, and remove its staged files."""
