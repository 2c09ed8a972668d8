"""The summary of a snapshot: what a run says about itself. The only place that knows the `stedi.*` keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from stedi_common import __version__

_RUN, _VERSION, _ENGINE = "stedi.run", "stedi.version", "stedi.engine"
_POLICY, _KEY, _COLUMNS, _CODE = "stedi.policy", "stedi.key", "stedi.columns", "stedi.code"
_SOURCE = "stedi.source."
_DAYS, _ALL_DAYS = "stedi.days", "all"
_ROWS_IN, _ROWS_KEPT, _ROWS_DROPPED = "stedi.rows-in", "stedi.rows-kept", "stedi.rows-dropped."
_DELETION, _DELETED_BY = "stedi.deletion", "stedi.deleted-by.customer_landing"
_LANDED_SOURCE, _LANDED_FILES = "stedi.source", "stedi.files"
_ARRIVED_AT, _FILE_VERSIONS = "stedi.arrived-at", "stedi.file-versions"

#: The summary of a landing names at most so many file versions.
MAX_FILE_VERSIONS = 1000

Properties = Mapping[str, str]


@dataclass(frozen=True)
class Build:
    """What a table was built with. If a run has another build, the table must be rebuilt in full.

    Attributes:
        policy: the policy, as text.
        key: the id of the pseudonym key.
        columns: name and type of each column.
        code: the fingerprint of the transformations.
    """

    policy: str
    key: str
    columns: str
    code: str

    def differences(self, other: Build) -> list[str]:
        """The parts in which the other build differs, in words, from this to the other."""
        found = []
        if self.policy != other.policy:
            found.append(f"policy: {self.policy or 'none'} -> {other.policy}")
        if self.key != other.key:
            found.append(f"pseudonym key: {_short(self.key)} -> {_short(other.key)}")
        if self.columns != other.columns:
            found.append(f"columns: {' '.join(_changed_columns(self.columns, other.columns))}")
        if self.code != other.code:
            found.append(f"transformations: {_short(self.code)} -> {_short(other.code)}")
        return found

    def properties(self) -> dict[str, str]:
        """The properties for the summary of a snapshot."""
        return {_POLICY: self.policy, _KEY: self.key, _COLUMNS: self.columns, _CODE: self.code}

    @classmethod
    def parse(cls, properties: Properties) -> Build:
        """The build in the summary of a snapshot. What the summary does not have is empty."""
        names = (_POLICY, _KEY, _COLUMNS, _CODE)
        return cls(*(properties.get(name, properties.get(_kept(name), "")) for name in names))

    @classmethod
    def unknown(cls) -> Build:
        """The build of a table whose summary is not kept."""
        return cls("", "", "", "")

    @property
    def is_known(self) -> bool:
        """Whether the summary has a build."""
        return bool(self.policy)


@dataclass(frozen=True)
class RunSummary:
    """What a run committed.

    Attributes:
        run: its id.
        build: how it made the rows.
        consumed: the snapshot of each source that it read.
        days: how many days it recomputed; None for the whole table.
        rows_in: how many rows of the first source it read; of these days.
        rows_kept: how many of them it kept.
        dropped: how many of them it dropped, by reason.
        engine: the engine that ran, and why; empty if that is not known.
    """

    run: str
    build: Build
    consumed: Mapping[str, int]
    days: int | None
    rows_in: int
    rows_kept: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    engine: str = ""

    def inputs(self) -> dict[str, str]:
        """The properties that are known before the rows are computed: version, engine, build and watermark."""
        sources = {f"{_SOURCE}{name}": str(snapshot_id) for name, snapshot_id in self.consumed.items()}
        return {**_program(self.engine), **self.build.properties(), **sources}

    def properties(self) -> dict[str, str]:
        """The properties of the last snapshot of the run."""
        return {
            **self.inputs(),
            _RUN: self.run,
            _DAYS: _ALL_DAYS if self.days is None else str(self.days),
            _ROWS_IN: str(self.rows_in),
            _ROWS_KEPT: str(self.rows_kept),
            **{f"{_ROWS_DROPPED}{reason}": str(n) for reason, n in sorted(self.dropped.items())},
        }

    @classmethod
    def parse(cls, properties: Properties) -> RunSummary | None:
        """The run summary of a snapshot; None if no run committed it."""
        if _RUN not in properties:
            return None
        days = properties.get(_DAYS, _ALL_DAYS)
        return cls(
            run=properties[_RUN],
            build=Build.parse(properties),
            consumed=consumed(properties),
            days=None if days == _ALL_DAYS else int(days),
            rows_in=int(properties.get(_ROWS_IN, 0)),
            rows_kept=int(properties.get(_ROWS_KEPT, 0)),
            dropped={name: int(n) for name, n in _behind(_ROWS_DROPPED, properties)},
            engine=properties.get(_ENGINE, ""),
        )


@dataclass(frozen=True)
class DeletionSummary:
    """What a deletion of withdrawn rows committed.

    Attributes:
        build: the build of the table. It is kept here because the snapshot of the last run may expire.
        customers: the id of the snapshot of `customer_landing` that it read; None if that could not be read.
        deletion: its id, if it left what a run would commit, so that the next run can advance past it; else None.
        engine: the engine that ran, and why; empty if that is not known.
    """

    build: Build
    customers: int | None
    deletion: str | None
    engine: str = ""

    def properties(self) -> dict[str, str]:
        """The properties for the summary of a snapshot."""
        deletion = {} if self.deletion is None else {_DELETION: self.deletion}
        build = {_kept(name): value for name, value in self.build.properties().items() if value}
        return {**_program(self.engine), **build, _DELETED_BY: str(self.customers or ""), **deletion}

    @classmethod
    def parse(cls, properties: Properties) -> DeletionSummary | None:
        """The summary of a deletion; None if no deletion committed the snapshot."""
        if _DELETED_BY not in properties:
            return None
        customers = properties[_DELETED_BY]
        known = int(customers) if customers else None
        return cls(Build.parse(properties), known, properties.get(_DELETION), properties.get(_ENGINE, ""))


def landing_properties(source: str, files: int, engine: str) -> dict[str, str]:
    """The properties of the snapshots that a landing commits.

    Args:
        source: the name of the source.
        files: how many files it read.
        engine: the engine that runs, and why.
    """
    return {**_program(engine), _LANDED_SOURCE: source, _LANDED_FILES: str(files)}


@dataclass(frozen=True)
class LandingSummary:
    """What a landing committed to a landing table.

    Attributes:
        arrived_at: when it began, UTC without zone.
        versions: the ids of the file versions that it read; None if there are more than `MAX_FILE_VERSIONS`.
    """

    arrived_at: datetime
    versions: frozenset[str] | None

    def properties(self) -> dict[str, str]:
        """The properties for the summary of a snapshot, beside `landing_properties`."""
        named = {_ARRIVED_AT: self.arrived_at.isoformat()}
        if self.versions is None or len(self.versions) > MAX_FILE_VERSIONS:
            return named
        return {**named, _FILE_VERSIONS: " ".join(sorted(self.versions))}

    @classmethod
    def parse(cls, properties: Properties) -> LandingSummary | None:
        """The summary of a landing; None if no landing committed the snapshot, or one of an earlier version."""
        if _ARRIVED_AT not in properties:
            return None
        versions = properties.get(_FILE_VERSIONS)
        named = None if versions is None else frozenset(versions.split())
        return cls(datetime.fromisoformat(properties[_ARRIVED_AT]), named)


def consumed(properties: Properties) -> dict[str, int]:
    """The watermark in the summary of a snapshot: the id of the consumed snapshot of each source."""
    return {name: int(snapshot_id) for name, snapshot_id in _behind(_SOURCE, properties)}


def _program(engine: str) -> dict[str, str]:
    """What has made the snapshot: the version of this package, and the engine if it is known."""
    return {_VERSION: __version__, **({_ENGINE: engine} if engine else {})}


def _kept(name: str) -> str:
    """The key under which a deletion keeps a property of the last run."""
    return name.replace("stedi.", "stedi.kept.", 1)


def _behind(prefix: str, properties: Properties) -> Iterator[tuple[str, str]]:
    return ((name.removeprefix(prefix), value) for name, value in properties.items() if name.startswith(prefix))


def _changed_columns(before: str, after: str) -> Iterator[str]:
    """`+name:type` and `-name:type` of the columns that only one of them has."""
    had, has = before.split(), after.split()
    yield from (f"-{column}" for column in had if column not in has)
    yield from (f"+{column}" for column in has if column not in had)


def _short(digest: str) -> str:
    return f"{digest[:8]}…" if digest else "none"
