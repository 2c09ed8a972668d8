"""First arrivals: which drops have arrived before, so that they land as of that instant.

A landing may be killed between the commit of its records and that of `landed_files`. Then the next one reads the same
files. If they arrived a second time, a record beside a doubtful line would arrive later than the line, and would end
the suspension (rule 4). So each of them lands as of its first arrival: the instant at which the killed landing began.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from stedi_common.contracts import CUSTOMER
from stedi_common.engines.protocol import Engine, Head
from stedi_common.incremental.diff import CUSTOMER_LANDING
from stedi_common.incremental.summary import LandingSummary
from stedi_common.landing.landed_files import LandedFiles, read_digests
from stedi_common.records import Drop, Skipped

#: The ids of file versions; None if they are not known.
Ids = frozenset[str] | None


@dataclass(frozen=True)
class Version:
    """A drop as it is now, and the id of this version in the summary of a landing's commit."""

    drop: Drop
    id: str


@dataclass(frozen=True)
class FirstArrivals:
    """The drops that have arrived before, grouped by their first arrival.

    Attributes:
        versions: by first arrival, the drops.
        skipped: the drops that cannot be read, so that it is not known whether they have arrived before.
        killed: the arrivals of the landings that were killed.
    """

    versions: Mapping[datetime, Sequence[Version]] = field(default_factory=dict)
    skipped: Sequence[Skipped] = ()
    killed: Sequence[datetime] = ()

    def __add__(self, other: FirstArrivals) -> FirstArrivals:
        """The drops of both."""
        arrivals = {*self.versions, *other.versions}
        versions = {at: [*self.versions.get(at, ()), *other.versions.get(at, ())] for at in arrivals}
        return FirstArrivals(versions, [*self.skipped, *other.skipped], [*self.killed, *other.killed])

    @property
    def names(self) -> set[str]:
        """The names of the drops."""
        return {version.drop.name for versions in self.versions.values() for version in versions}


def version_id(source_file: str, digest: str) -> str:
    """The id of a file version in the summary of a landing's commit."""
    return hashlib.sha256(f"{digest} {source_file}".encode()).hexdigest()[:16]


def arrivals_of_killed_landings(
    engine: Engine, head: Head, landed_files: LandedFiles, new: Sequence[Drop]
) -> FirstArrivals:
    """The new customer drops that a killed landing has read. For other sources no rule depends on the arrival.

    Args:
        engine: an open lake.
        head: the head of the customers' landing table.
        landed_files: the table of landed files.
        new: the drops that `landed_files` does not have.
    """
    unfinished = sorted(_unfinished(engine, head, landed_files).items())
    if not unfinished:
        return FirstArrivals()

    def first(id_: str) -> datetime | None:
        return next((at for at, versions in unfinished if versions is None or id_ in versions), None)

    return replace(_arrivals(new, landed_files, first), killed=[at for at, _ in unfinished])


def arrivals_in_landed_files(
    source: str, landed_files: LandedFiles, drops: Sequence[Drop], to_land_again: Collection[tuple[str, str]]
) -> FirstArrivals:
    """The drops that are to land again, with their arrivals in `landed_files`.

    Args:
        source: the source of the drops.
        landed_files: the table of landed files.
        drops: the drops of the source.
        to_land_again: names and digests of the versions that are to land again.
    """
    wanted = {
        version_id(row["source_file"], row["sha256"]): row["arrived_at"]
        for row in landed_files.of_source(source)
        if (row["source_file"], row["sha256"]) in to_land_again
    }
    names = {name for name, _ in to_land_again}
    return _arrivals([drop for drop in drops if drop.name in names], landed_files, wanted.get)


def _arrivals(
    drops: Sequence[Drop], landed_files: LandedFiles, first: Callable[[str], datetime | None]
) -> FirstArrivals:
    """The drops that have arrived before. `first` returns the first arrival of a version, by its id."""
    digests, skipped = read_digests(drops, landed_files.key)
    found: dict[datetime, list[Version]] = {}
    for drop, digest in digests.items():
        id_ = version_id(drop.name, digest)
        if arrived_at := first(id_):
            found.setdefault(arrived_at, []).append(Version(drop, id_))
    return FirstArrivals(found, skipped)


def _unfinished(engine: Engine, head: Head, landed_files: LandedFiles) -> dict[datetime, Ids]:
    """The landings whose files are not all in `landed_files`: their arrivals, and the file versions that they read."""
    done = Counter(row["arrived_at"] for row in landed_files.of_source(CUSTOMER))
    if _is_finished(head, done) and not landed_files.lacks_entries(CUSTOMER, head):
        return {}
    found: dict[datetime, Ids] = {}
    for each in engine.history(CUSTOMER_LANDING, head):
        if not _is_finished(each, done) and (summary := LandingSummary.parse(each.summary)):
            at, before = summary.arrived_at, found.get(summary.arrived_at, frozenset())
            found[at] = None if summary.versions is None or before is None else before | summary.versions
    return found


def _is_finished(head: Head, done: Counter[datetime]) -> bool:
    """Whether `landed_files` has a row for each file that the landing has read."""
    summary = LandingSummary.parse(head.summary)
    if summary is None:
        return True
    return done[summary.arrived_at] >= max(1, len(summary.versions or ()))
