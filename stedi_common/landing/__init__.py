"""`land`: new drops of one source become rows of its landing table, and every file and line is accounted for (rule 12).

Three commits, each safe to repeat: the rejected lines, the records, and last `landed_files`, which says that a file is
done. If a run is killed in between, the next one reads the same files again, as of their first arrival, and adds only
the rows that are missing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import narwhals as nw

from stedi_common.contracts import CUSTOMER, SOURCES, Contract, contract
from stedi_common.engines.protocol import Engine, Head, Materialized, Staged
from stedi_common.engines.retry import retry_on_conflict
from stedi_common.errors import (
    CommitConflictError,
    EngineError,
    IncompleteLandingError,
    StediError,
    UnknownRefusalError,
)
from stedi_common.incremental.summary import LandingSummary, landing_properties
from stedi_common.instants import utc_now
from stedi_common.landing import skipped as skipped_files
from stedi_common.landing.arrival import arrival, clock_warnings
from stedi_common.landing.deduplicate import PLACE, excluded, with_version
from stedi_common.landing.drift import cut_short, warnings_about
from stedi_common.landing.first_arrival import (
    FirstArrivals,
    arrivals_in_landed_files,
    arrivals_of_killed_landings,
    version_id,
)
from stedi_common.landing.landed_files import (
    COUNTS,
    LANDED_FILES,
    LandedFiles,
    Row,
    digest,
    entry,
    folder_digest,
    skipped_entry,
)
from stedi_common.landing.reconcile import expect_added
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.records import (
    INCOMPLETE,
    MAX_REJECTED_ROWS,
    TOO_DAMAGED,
    UNREAD_REASONS,
    Drop,
    Found,
    Reader,
    Skipped,
    discover,
    shown,
    why_unreadable,
)
from stedi_common.rules.consent import DOUBT, suspended
from stedi_common.rules.frames import Frame, distinct
from stedi_common.settings import ReaderSettings

__all__ = ["Landed", "discover_sources", "land"]

REJECTED = contract("rejected_records")


@dataclass(frozen=True)
class Landed:
    """What became of the drops of a source.

    Attributes:
        files: how many were read. The counts below are of their lines or values; each is a column of `landed_files`.
        skipped: the files that are not read, each with its name (`file`) and its reason.
        unread: how many of the skipped files belong to the source, but cannot be read.
        warnings: sentences about missing folders and columns.
    """

    source: str
    files: int = 0
    lines: int = 0
    landed: int = 0
    rejected: int = 0
    duplicate: int = 0
    suppressed: int = 0
    blank: int = 0
    nulled_values: int = 0
    doubtful: int = 0
    without_address: int = 0
    unread: int = 0
    skipped: Sequence[Mapping[str, str]] = ()
    warnings: Sequence[str] = ()

    @property
    def errors(self) -> list[StediError]:
        """The errors that somebody must look at. Everything that could land has landed."""
        unread = [IncompleteLandingError(self.source, self.unread)] if self.unread else []
        return [*unread, *([UnknownRefusalError(self.without_address)] if self.without_address else [])]


def land(  # noqa: PLR0913 - what a landing is made of
    engine: Engine,
    source: str,
    landing: str,
    key: PseudonymKey,
    arrived_at: datetime | None = None,
    *,
    settings: ReaderSettings | None = None,
    found: Found | None = None,
    to_land_again: Collection[tuple[str, str]] = (),
) -> Landed:
    """Land the drops of a source that have not landed as they are now.

    Args:
        engine: an open lake.
        source: one of `SOURCES`.
        landing: the landing folder or its S3 URI.
        key: the pseudonym key, for the hashes of rejected lines and of files.
        arrived_at: when the drops arrived, UTC without zone; by default now, but after all that has landed.
        settings: limits and time zones.
        found: the files of the landing folder; by default they are listed.
        to_land_again: names and digests of file versions that have landed, and land again as of their first arrival,
            because rows of them are missing.

    Returns:
        The counts of the new files and their lines, the files that were skipped, and warnings.

    Raises:
        LakeError: there is no landing folder, or none of the sources' folders in it.
        CommitConflictError: other runs kept committing in between.
    """
    here = found or discover_sources(landing, [source])
    arrives_now = arrived_at is None
    reader = Reader(source, arrived_at or utc_now(), key.content_key, settings or ReaderSettings())
    for each in (_table(reader), REJECTED, LANDED_FILES):
        engine.prepare(each)
    parts: list[Landed] = []
    handled: set[str] = set()

    def attempt() -> Landed:
        landing = _Landing.now(engine, reader, here, key, to_land_again, handled, arrives_now=arrives_now)
        while first := landing.earliest_group():
            parts.append(first.land())
            handled.update(drop.name for drop in first.drops)
            landing = _Landing.now(engine, reader, here, key, to_land_again, handled, arrives_now=arrives_now)
        return landing.land()

    parts.append(retry_on_conflict(attempt))
    landed = _sum(parts)
    return replace(landed, warnings=(*_missing(here, source), *landed.warnings))


def _sum(parts: Sequence[Landed]) -> Landed:
    """The sum of the landings of a source: one for each group of drops."""
    if len(parts) == 1:
        return parts[0]
    counts = {name: sum(getattr(part, name) for part in parts) for name in ("files", "unread", *COUNTS)}
    skipped = tuple(each for part in parts for each in part.skipped)
    return Landed(
        parts[0].source, **counts, skipped=skipped, warnings=tuple(each for part in parts for each in part.warnings)
    )


def discover_sources(landing: str, sources: Sequence[str]) -> Found:
    """The files of these sources. With customers all folders are listed, to report files of no source."""
    return discover(landing, SOURCES if CUSTOMER in sources else sources)


def _missing(found: Found, source: str) -> Iterator[str]:
    if source in found.missing:
        nearest = found.missing[source]
        yield f"expected the folder {source}/, got none" + (f"; did you mean {shown(nearest)}?" if nearest else "")


def _table(reader: Reader) -> Contract:
    return contract(f"{reader.source}_landing")


class _TooDamagedError(Exception):
    """Files have more damage than the limit, so that they were not read to their end."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__()
        self.names = names


@dataclass(frozen=True)
class _Landing:
    """One attempt to land the drops of a source.

    Attributes:
        head: the head of the landing table, read before any drop. A commit after it is a conflict, and the landing is
            retried.
        landed_files: the table of landed files, read before any drop as well.
        readable: the rows of files that were skipped before and can be read now.
        clock: when the run began, by the clock of this machine.
        began_at: when the run began: the arrival of new drops.
        first_arrivals: the drops that land as of their first arrival, before all others.
        expected_versions: the ids of the versions of the drops, if they land as of their first arrival, which is then
            the reader's `arrived_at`; None if they arrive now.
    """

    engine: Engine
    reader: Reader
    head: Head
    landed_files: LandedFiles
    drops: Sequence[Drop]
    skipped: Sequence[Skipped]
    readable: Sequence[Row]
    clock: datetime
    began_at: datetime
    first_arrivals: FirstArrivals
    expected_versions: frozenset[str] | None = None

    @classmethod
    def now(  # noqa: PLR0913, PLR0917 - what a landing is made of
        cls,
        engine: Engine,
        reader: Reader,
        found: Found,
        key: PseudonymKey,
        to_land_again: Collection[tuple[str, str]],
        handled: Collection[str],
        *,
        arrives_now: bool,
    ) -> _Landing:
        """An attempt to land all drops except those of these names, which this landing has handled."""
        source, clock, head = reader.source, reader.arrived_at, engine.head(_table(reader))
        landed_files = LandedFiles.read(engine, engine.head(LANDED_FILES), key, folder_digest(found.location, key))
        if arrives_now:
            reader = replace(reader, arrived_at=arrival(clock, landed_files, head))
        if landed_files.has_unkeyed:  # an earlier version wrote them
            landed_files = landed_files.keyed(engine, landing_properties(source, 0, str(engine.choice)))
        drops = [drop for drop in found.drops[source] if drop.name not in handled]
        new, unreadable = landed_files.new(drops)
        unchanged = {drop.name for drop in drops} - {drop.name for drop in new} - {each.name for each in unreadable}
        landed_files = skipped_files.without_outdated(engine, landed_files, source, found, unchanged, reader.arrived_at)
        readable = skipped_files.readable(landed_files, source, found.drops[source])
        first = FirstArrivals()
        if source == CUSTOMER and new:
            first = arrivals_of_killed_landings(engine, head, landed_files, new)
        first += arrivals_in_landed_files(source, landed_files, drops, to_land_again)
        unreadable += first.skipped
        # Files outside of the sources' folders are reported with the first source.
        of_source = (source, "") if source == CUSTOMER else (source,)
        skipped = [each for each in found.skipped if each.source in of_source]
        excluded_names = first.names | {each.name for each in unreadable}
        return cls(
            engine,
            replace(reader, suspended=_suspended(engine, reader, head, landed_files)),
            head,
            landed_files,
            [drop for drop in new if drop.name not in excluded_names],
            sorted([*skipped, *unreadable]),
            [row for row in readable if row["source_file"] not in handled],
            clock,
            reader.arrived_at,
            first,
        )

    def earliest_group(self) -> _Landing | None:
        """An attempt to land the drops that have the earliest first arrival; None if no drop has arrived before."""
        if not self.first_arrivals.versions:
            return None
        arrived_at, versions = min(self.first_arrivals.versions.items())
        names = {version.drop.name for version in versions}
        reader = replace(self.reader, arrived_at=arrived_at)
        reader = replace(reader, suspended=_suspended(self.engine, reader, self.head, self.landed_files))
        return replace(
            self,
            reader=reader,
            drops=[version.drop for version in versions],
            skipped=(),
            readable=[row for row in self.readable if row["source_file"] in names],
            first_arrivals=FirstArrivals(killed=self.first_arrivals.killed),
            expected_versions=frozenset(version.id for version in versions),
        )

    def land(self) -> Landed:
        """Land the new drops, without those that cannot be read."""
        try:
            landed = self._land()
            self._remove_readable()
            return landed
        except _TooDamagedError as found:
            why = dict.fromkeys(found.names, TOO_DAMAGED)
        except CommitConflictError:
            raise
        except (OSError, StediError):
            why = {drop.name: reason for drop in self.drops if (reason := why_unreadable(drop))}
            if not why:
                raise
        skipped = [Skipped(name, reason, self.reader.source) for name, reason in why.items()]
        drops = [drop for drop in self.drops if drop.name not in why]
        return replace(self, drops=drops, skipped=sorted([*self.skipped, *skipped])).land()

    def _land(self) -> Landed:
        new_skipped = self.landed_files.new_skipped(self.skipped)
        rows = [skipped_entry(each, self.landed_files.folder, self.began_at) for each in new_skipped]
        if not self.drops:
            self._append_to_landed_files(rows)
            return self._landed([])
        earlier = self._earlier_versions()
        with (
            self._staged() as staged,
            excluded(self.engine, staged, _table(self.reader), self.head, earlier, self._first_arrival) as left_out,
        ):
            self._expect_unchanged(staged)
            read = self._entries(staged, left_out)
            if any(row["rejected"] for row in read):
                self._append_rejected(_first_rejected(staged), earlier)
            self._append_records(staged, left_out)
            self._append_to_landed_files([*read, *rows])
        return self._landed(read)

    @contextmanager
    def _staged(self) -> Iterator[Staged]:
        """The drops as they are read. If objects of one turn out not to be lines, all are read again.

        Raises:
            _TooDamagedError: some are not read to their end.
        """
        table = _table(self.reader)
        with self.engine.stage(self.reader, self.drops, table) as staged:
            too_damaged = {name for name, tally in staged.tallies.items() if self.reader.is_too_damaged(tally.damage)}
            if too_damaged_objects := too_damaged & self.reader.as_objects:
                raise _TooDamagedError(sorted(too_damaged_objects))
            # Such a file was not read to its end, so it is not known yet whether its objects are lines.
            as_objects = too_damaged | {name for name, tally in staged.tallies.items() if tally.is_objects}
            if not as_objects:
                yield staged
                return
        reader = replace(self.reader, as_objects=self.reader.as_objects | as_objects)
        with replace(self, reader=reader)._staged() as staged:
            yield staged

    def _entries(self, staged: Staged, left_out: Materialized | None) -> list[dict[str, Any]]:
        """A row of `landed_files` for each drop."""
        duplicates = left_out.frame.filter(nw.col("already_landed") == 0) if left_out else None
        duplicate = {} if duplicates is None else _by_file(self.engine, duplicates)
        unknown = self._about_unknown(staged)
        return [
            entry(
                self.reader,
                self.landed_files.key,
                drop,
                staged.tallies[drop.name],
                duplicate.get(drop.name, 0),
                unknown.get(drop.name, 0),
            )
            for drop in self.drops
        ]

    def _about_unknown(self, staged: Staged) -> dict[str, int]:
        """By file, how many doubtful lines have only addresses without a customer record."""
        if not any(tally.doubtful for tally in staged.tallies.values()):
            return {}
        is_record, is_incomplete = nw.col(DOUBT).is_null(), nw.col(DOUBT).is_in(INCOMPLETE)
        landed = self.engine.read(_table(self.reader), self.head)
        known = nw.concat([rows.filter(is_record).select("email") for rows in (staged.records, landed)])
        # What is incomplete has been counted when it was read.
        doubtful = staged.records.filter(~is_record & ~is_incomplete)
        of_known = doubtful.join(distinct(known), on="email", how="semi").select(*PLACE)
        return _by_file(self.engine, distinct(doubtful.select(*PLACE)).join(of_known, on=PLACE, how="anti"))

    def _append_records(self, staged: Staged, left_out: Materialized | None) -> None:
        """Append the records that are not left out."""
        table, landing = _table(self.reader), LandingSummary(self.reader.arrived_at, self._versions(staged))
        summary = {**self._summary, **landing.properties()}
        lines = sum(tally.lines - tally.rejected - tally.blank for tally in staged.tallies.values())
        if left_out is None and lines:
            head = self.engine.append_staged(table, staged, self.head, summary)
        elif left_out is not None and lines > left_out.rows:
            rows = staged.records.join(left_out.frame, on=PLACE, how="anti")
            head = self.engine.append(table, rows, self.head, summary)
        else:
            return
        expect_added(table, self.head, head, staged, left_out)

    def _append_rejected(self, rejected: Frame, earlier: Mapping[str, datetime]) -> None:
        """Append the rejected lines that a run that died has not appended."""

        def there(head: Head) -> Frame:
            rows = self.engine.read(REJECTED, head).filter(nw.col("source_file").is_in(self._names))
            # In another version the same line number is another line.
            rows = with_version(self.engine, rows, earlier, self._first_arrival)
            return rows.filter(nw.col("same_version") == 1).select(*PLACE)

        self._append_missing(REJECTED, rejected, PLACE, there)

    def _append_to_landed_files(self, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        if self.expected_versions is not None:
            retry_on_conflict(lambda: self._replace_in_landed_files(rows))
            return
        keys, names = list(LANDED_FILES.keys), [row["source_file"] for row in rows]

        def there(head: Head) -> Frame | None:
            if head == self.landed_files.head:
                return None
            return self.engine.read(LANDED_FILES, head).filter(nw.col("source_file").is_in(names)).select(*keys)

        self._append_missing(LANDED_FILES, self.engine.frame(LANDED_FILES, rows), keys, there)

    def _replace_in_landed_files(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Add the rows. They replace the rows of the same versions, and the rows of these files as skipped files."""
        head, keys = self.engine.head(LANDED_FILES), list(LANDED_FILES.keys)
        added = self.engine.frame(LANDED_FILES, rows)
        landed = sorted(row["source_file"] for row in rows if not row["skipped"])
        folders = [self.landed_files.folder, ""]  # "": an earlier version wrote no folder
        is_outdated = nw.col("sha256").is_in(folders) & nw.col("source_file").is_in(landed)
        stay = nw.col("skipped").is_null() | ~is_outdated
        others = self.engine.read(LANDED_FILES, head).filter(stay).join(added, on=keys, how="anti")
        self.engine.replace(LANDED_FILES, nw.concat([others, added]), head, self._summary)

    def _remove_readable(self) -> None:
        """Remove the rows of files that were skipped before. They have landed now, or had landed before."""
        still_skipped = {each.name for each in self.skipped}
        rows = [row for row in self.readable if row["source_file"] not in still_skipped]

        def remove() -> None:
            self.landed_files.at(self.engine, self.engine.head(LANDED_FILES)).replaced(
                self.engine, rows, [], self._summary
            )

        if rows:
            retry_on_conflict(remove)

    def _append_missing(
        self, table: Contract, rows: Frame, keys: list[str], there: Callable[[Head], Frame | None]
    ) -> None:
        """Append the rows whose keys are not `there`. The sources share the table, so it may have moved on."""

        def append() -> None:
            head, missing = self.engine.head(table), rows
            present = there(head) if head.rows else None
            if present is not None:
                missing = rows.join(present, on=keys, how="anti")
                if not self.engine.collect(missing.select(*keys).head(1)):
                    # A killed run has added them. An empty commit would only risk a conflict.
                    return
            self.engine.append(table, missing, head, self._summary)

        retry_on_conflict(append)

    def _landed(self, read: Sequence[Mapping[str, Any]]) -> Landed:
        clock = clock_warnings(self.clock, self.began_at) if read and not self._first_arrival else ()
        return Landed(
            self.reader.source,
            files=len(read),
            **{name: sum(row[name] for row in read) for name in COUNTS},
            unread=sum(each.reason in UNREAD_REASONS for each in self.skipped),
            skipped=tuple({"file": shown(each.name), "reason": each.reason} for each in self.skipped),
            warnings=(*clock, *cut_short(read), *warnings_about(read, self.landed_files)),
        )

    def _earlier_versions(self) -> dict[str, datetime]:
        """When the last earlier version of each drop arrived. What a killed landing has read is such a version, too."""
        found = self.landed_files.earlier_versions(self.drops, self._first_arrival)
        if killed := max(
            (at for at in self.first_arrivals.killed if self._first_arrival is None or at < self._first_arrival),
            default=None,
        ):
            found = {drop.name: max(killed, found.get(drop.name, killed)) for drop in self.drops}
        return found

    @property
    def _first_arrival(self) -> datetime | None:
        """When the drops arrived first, if they have arrived before: later versions of them may have landed since."""
        return None if self.expected_versions is None else self.reader.arrived_at

    def _versions(self, staged: Staged) -> frozenset[str]:
        """The ids of the file versions that were read."""
        key = self.landed_files.key
        return frozenset(version_id(drop.name, digest(staged.tallies[drop.name].sha256, key)) for drop in self.drops)

    def _expect_unchanged(self, staged: Staged) -> None:
        """Raise EngineError if a drop that arrived before has changed since this landing computed its digest."""
        if self.expected_versions is not None and not self._versions(staged) <= self.expected_versions:
            raise EngineError(
                f"{self.reader.source}: expected files that are unchanged since they first arrived, got a changed one",
                hint="land again: the changed file lands as a new version",
            )

    @property
    def _names(self) -> list[str]:
        return [drop.name for drop in self.drops]

    @property
    def _summary(self) -> dict[str, str]:
        return landing_properties(self.reader.source, len(self.drops), str(self.engine.choice))


def _suspended(engine: Engine, reader: Reader, head: Head, landed_files: LandedFiles) -> frozenset[str]:
    """The people who are suspended: a record of theirs that comes again answers the doubtful line, so it must land."""
    if reader.source != CUSTOMER:
        return frozenset()
    if not (landed_files.has_doubt or landed_files.lacks_entries(CUSTOMER, head)):
        return frozenset()
    people = suspended(engine.read(_table(reader), head), reader.arrived_at)
    return frozenset(row["email"] for row in engine.collect(people))


def _first_rejected(staged: Staged) -> Frame:
    """The rejected lines, of a file that has many the first ones: which of them were staged depends on the threads."""
    if all(tally.rejected <= MAX_REJECTED_ROWS for tally in staged.tallies.values()):
        return staged.rejected
    names = staged.rejected.collect_schema().names()
    number = nw.col("source_line").cum_count().over("source_file", order_by="source_line")
    numbered = staged.rejected.with_columns(number.alias("number"))
    return numbered.filter(nw.col("number") <= MAX_REJECTED_ROWS).select(*names)


def _by_file(engine: Engine, places: Frame) -> dict[str, int]:
    """How many of the places are in each file."""
    rows = engine.collect(places.group_by("source_file").agg(nw.len().alias("n")))
    return {row["source_file"]: int(row["n"]) for row in rows}
