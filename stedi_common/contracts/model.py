"""Contracts as Python reads them: a table, its columns, and how long its snapshots are kept."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from stedi_common.errors import ContractError

TYPES = ("string", "timestamp", "date", "double", "int", "long")
CLASSIFICATIONS = ("pii", "pseudonymous", "internal")
ZONES = ("landing", "trusted", "curated")
SOURCES = ("customer", "accelerometer", "step_trainer")

#: What landing adds to the columns of a source.
ADDED_AT_LANDING = ("record_hash", "doubt", "source_file", "source_line", "arrived_at")


@dataclass(frozen=True)
class Column:
    """A column: its Iceberg type, and what may be done with it. `timestamp` is UTC, in microseconds, without a zone.

    may_begin_later: an instant of it may lie in the future.
    """

    name: str
    type: str
    required: bool
    classification: str
    description: str
    key: bool = False
    transform: str | None = None
    may_begin_later: bool = False

    @property
    def is_pii(self) -> bool:
        """Whether the column identifies a person."""
        return self.classification == "pii"

    @property
    def is_personal(self) -> bool:
        """Whether its values are of persons, named or not: none may be told where the row is not."""
        return self.classification != "internal"


@dataclass(frozen=True)
class Contract:
    """A table as its users may rely on it: the job `made_by` makes it from the tables `made_from`.

    snapshot_days: how long an old snapshot is kept, so that who is gone from the table is gone from its past (rule 14).
    """

    name: str
    zone: str
    made_by: str
    made_from: tuple[str, ...]
    snapshot_days: int
    description: str
    owner: str
    columns: tuple[Column, ...]
    sort: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """All column names, in order."""
        return tuple(column.name for column in self.columns)

    @property
    def source_columns(self) -> tuple[Column, ...]:
        """Of a landing table, the columns that the source itself has."""
        return tuple(column for column in self.columns if column.name not in ADDED_AT_LANDING)

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns in which two equal rows are one row. None for a bag."""
        return tuple(column.name for column in self.columns if column.key)

    @property
    def partition(self) -> Column | None:
        """The column whose days (`transform`) the table is partitioned by."""
        return next((column for column in self.columns if column.transform), None)

    @property
    def identifier(self) -> str:
        """Zone and name, as SQL names the table in the lake."""
        return f"{self.zone}.{self.name}"


@cache
def contract(name: str) -> Contract:
    """The contract of the table of this name. Raises ContractError if there is none."""
    import yaml  # noqa: PLC0415 - the names of sources are enough for `stedi --help`

    source = files(__package__) / f"{name}.yaml"
    if not source.is_file():
        raise ContractError(f"contracts: expected one of {', '.join(names())}, got {name!r}")
    return _parse(yaml.safe_load(source.read_text(encoding="utf-8")))


@cache
def names() -> tuple[str, ...]:
    """The names of all tables."""
    return tuple(sorted(f.name.removesuffix(".yaml") for f in files(__package__).iterdir() if f.name.endswith(".yaml")))


def _parse(document: dict[str, Any]) -> Contract:
    (table,) = document["schema"]
    custom = _custom(table)
    columns = tuple(_column(table["name"], p) for p in table["properties"])
    sort = {_custom(p)["sortKeyPosition"]: p["name"] for p in table["properties"] if "sortKeyPosition" in _custom(p)}
    return Contract(
        name=table["name"],
        zone=_one_of(ZONES, custom["zone"], table["name"]),
        made_by=custom["madeBy"],
        made_from=tuple(custom.get("madeFrom", ())),
        snapshot_days=custom["snapshotDays"],
        description=table["description"],
        owner=document["team"]["name"],
        columns=columns,
        sort=tuple(sort[position] for position in sorted(sort)),
    )


def _column(table: str, prop: dict[str, Any]) -> Column:
    where = f"{table}.{prop['name']}"
    return Column(
        name=prop["name"],
        type=_one_of(TYPES, prop["physicalType"], where),
        required=prop["required"],
        classification=_one_of(CLASSIFICATIONS, prop["classification"], where),
        description=prop["description"],
        key=prop.get("primaryKey", False),
        transform=_one_of(("day",), _custom(prop)["partitionTransform"], where) if prop.get("partitioned") else None,
        may_begin_later=_custom(prop).get("mayBeginLater", False),
    )


def _custom(element: dict[str, Any]) -> dict[str, Any]:
    return {custom["property"]: custom["value"] for custom in element.get("customProperties", ())}


def _one_of(known: tuple[str, ...], got: str, where: str) -> str:
    if got not in known:
        raise ContractError(f"{where}: expected one of {', '.join(known)}, got {got!r}")
    return got
