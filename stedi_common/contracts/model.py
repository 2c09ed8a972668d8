"""The contracts of the package and of the user's project: tables and their columns."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePath
from typing import TYPE_CHECKING

from stedi_common import project
from stedi_common.contracts.types import TYPES
from stedi_common.errors import ContractError, ProjectError

if TYPE_CHECKING:
    from stedi_common.contracts.document import YamlField

CLASSIFICATIONS = ("pii", "pseudonymous", "internal")
ZONES = ("landing", "trusted", "curated")
#: What builds the tables of landing (`madeBy`).
LAND = "land"

#: The longest that an old snapshot may be kept.
MAX_SNAPSHOT_DAYS = 3650
#: The Glue Data Catalog takes no longer comment of a column.
MAX_DESCRIPTION_LENGTH = 255

#: The columns that landing adds to those of a source. Terraform reads the file, too.
ADDED_AT_LANDING: frozenset[str] = frozenset(
    json.loads((files(__package__) / "added_at_landing.json").read_text(encoding="utf-8"))
)


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        name: the name of the column.
        type: one of `TYPES`. `timestamp` is UTC, in microseconds, without a zone.
        required: whether a line without a value is rejected.
        classification: one of `CLASSIFICATIONS`.
        description: the comment of the column.
        key: whether it is part of the primary key.
        transform: the partition transform, `day`; None if the table is not partitioned by it.
        may_begin_later: whether an instant may lie in the future.
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
        """Whether its values are personal data, pseudonymous ones included. They have no metrics in manifests."""
        return self.classification != "internal"


@dataclass(frozen=True)
class Contract:
    """The contract of a table.

    Attributes:
        name: the name of the table.
        zone: one of `ZONES`.
        made_by: the job that builds it (`madeBy`).
        made_from: the tables that it is built from (`madeFrom`).
        snapshot_days: for how many days an old snapshot is kept, with the rows that were deleted since (rule 14).
        description: the comment of the table.
        owner: the team that owns it.
        columns: its columns, in order.
        sort: the columns that its files are sorted by, in order.
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
        """The columns of a landing table without those that landing adds."""
        return tuple(column for column in self.columns if column.name not in ADDED_AT_LANDING)

    @property
    def keys(self) -> tuple[str, ...]:
        """The primary key: rows that are equal in these columns are one row. Empty for a bag."""
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
    """The contract of the table of this name.

    Args:
        name: the name of the table, without its zone.

    Raises:
        ContractError: there is no such contract, or it is not valid; the error names file, line and field.
    """
    from stedi_common.contracts.document import YamlField  # noqa: PLC0415 - the names of sources need no YAML

    if name not in _files():
        raise ContractError(f"contracts: expected one of {', '.join(names())}, got {name!r}")
    file = _files()[name]
    document = YamlField.parse(file.read_bytes(), PurePath(str(file)), is_packaged=name in PACKAGED)
    found = _parse(document)
    if found.name != name:
        raise document.error(f"expected the table {name}, as the file is called, got {found.name}")
    return found


@cache
def names() -> tuple[str, ...]:
    """The names of all tables."""
    return tuple(sorted(_files()))


#: The names of the package's own tables.
PACKAGED = frozenset(
    file.name.removesuffix(".yaml") for file in files(__package__).iterdir() if file.name.endswith(".yaml")
)


@cache
def _files() -> Mapping[str, Traversable]:
    """The file of each contract: the package's, and those of the user's own project unless it is set aside."""
    packaged = {name: files(__package__) / f"{name}.yaml" for name in PACKAGED}
    try:
        own = {} if project.failure() else {file.name.removesuffix(".yaml"): file for file in project.contracts()}
        for name, file in own.items():
            if name in packaged:
                raise ContractError(f"{file}: expected another name, got {name}, which is a table of the package")
    except (ContractError, ProjectError) as error:
        project.set_aside(error)
        return packaged
    return packaged | own


def without_project() -> None:
    """Forget the contracts of the project, which was set aside."""
    for cached in (contract, names, _files):
        cached.cache_clear()


def _sources() -> tuple[str, ...]:
    """The sources: those with a contract called `<source>_landing`, customers first."""
    landed = [name.removesuffix("_landing") for name in names() if name.endswith("_landing")]
    return (CUSTOMER, *(source for source in landed if source != CUSTOMER))


#: The source of the customer records, which say who consents.
CUSTOMER = "customer"
#: All sources, customers first. They are also the folders below the landing folder.
SOURCES = _sources()


def _parse(document: YamlField) -> Contract:
    tables = [*document["schema"]]
    if not tables:
        raise document["schema"].error("expected a table, got none")
    table, *others = tables
    if others:
        raise others[0].error("expected one table, got another; each table has a file of its own")
    custom, columns = _custom(table), [(_column(each), _custom(each)) for each in table["properties"]]
    _expect_columns(table["properties"], [column for column, _ in columns])
    _expect_lineage(table, custom)
    sort = {keys["sortKeyPosition"].value(int): column.name for column, keys in columns if "sortKeyPosition" in keys}
    return Contract(
        name=table["name"].name(),
        zone=_required(table, custom, "zone").one_of(ZONES),
        made_by=_required(table, custom, "madeBy").value(str),
        made_from=tuple(each.value(str) for each in custom.get("madeFrom", ())),
        snapshot_days=_days(_required(table, custom, "snapshotDays")),
        description=table["description"].value(str),
        owner=document["team"]["name"].value(str),
        columns=tuple(column for column, _ in columns),
        sort=tuple(sort[position] for position in sorted(sort)),
    )


def _expect_lineage(table: YamlField, custom: Mapping[str, YamlField]) -> None:
    """Raise ContractError unless the table is one of landing, or is built from others."""
    zone, made_by = (_required(table, custom, name) for name in ("zone", "madeBy"))
    if zone.value(str) != "landing":
        _required(table, custom, "madeFrom")
    elif "madeFrom" in custom:
        raise zone.error("expected trusted or curated, because the table has madeFrom, got landing")
    elif made_by.value(str) != LAND:
        raise made_by.error(f"expected {LAND}, because the table is in landing, got {made_by.value(str)}")


def _days(field: YamlField) -> int:
    days = field.value(int)
    if not 0 < days <= MAX_SNAPSHOT_DAYS:
        raise field.error(f"expected days from 1 to {MAX_SNAPSHOT_DAYS}, got {days}")
    return days


def _expect_columns(properties: YamlField, columns: Sequence[Column]) -> None:
    """Raise ContractError for a name that two columns have, and for a partition that is not one of days."""
    partitions = 0
    for number, (field, column) in enumerate(zip(properties, columns, strict=True)):
        if column.name in [other.name for other in columns[:number]]:
            raise field.error(f"expected a name that no other column has, got {column.name}")
        if column.name == "dropped":
            raise field["name"].error("expected another name, because dropped is the column of the drop reason")
        if column.transform is None:
            continue
        partitions += 1
        if partitions > 1:
            raise field["partitioned"].error("expected one partitioned column, got another")
        if column.type != "timestamp":
            raise field["physicalType"].error(
                f"expected timestamp, because it is partitioned by day, got {column.type}"
            )
        if column.is_personal:
            # The days of files are found by statistics, which the files have of no personal column.
            raise field["classification"].error(
                f"expected internal, because partitions reveal its days, got {column.classification}"
            )


def _column(field: YamlField) -> Column:
    custom = _custom(field)
    is_partition = _flag(field, "partitioned")
    return Column(
        name=field["name"].name(),
        type=field["physicalType"].one_of(tuple(TYPES)),
        required=field["required"].value(bool),
        classification=field["classification"].one_of(CLASSIFICATIONS),
        description=_description(field["description"]),
        key=_flag(field, "primaryKey"),
        transform=_required(field, custom, "partitionTransform").one_of(("day",)) if is_partition else None,
        may_begin_later="mayBeginLater" in custom and custom["mayBeginLater"].value(bool),
    )


def _description(field: YamlField) -> str:
    description = field.value(str)
    if len(description) > MAX_DESCRIPTION_LENGTH:
        raise field.error(f"expected at most {MAX_DESCRIPTION_LENGTH} characters, got {len(description)}")
    return description


def _flag(field: YamlField, name: str) -> bool:
    found = field.get(name)
    return found is not None and found.value(bool)


def _custom(field: YamlField) -> dict[str, YamlField]:
    """The custom properties, by name."""
    listed = field.get("customProperties")
    return {} if listed is None else {each["property"].value(str): each["value"] for each in listed}


def _required(field: YamlField, custom: Mapping[str, YamlField], name: str) -> YamlField:
    if name not in custom:
        raise field.error(f"expected the custom property {name}, got none")
    return custom[name]
