"""The desired spec of an Iceberg table, by its contract, and the actual one, by its metadata; and their difference.

They differ if Terraform has created the table, which can give it only columns and comments, or after the contract has
changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stedi_common.contracts import Contract
from stedi_common.contracts.types import TYPES
from stedi_common.engines.properties import table_properties
from stedi_common.errors import LakeError

#: The type of a column, as Iceberg's JSON spells it, and its comment.
ColumnSpec = tuple[str, str | None]


@dataclass(frozen=True)
class SpecDiff:
    """The difference between the actual and the desired spec of a table.

    Attributes:
        columns: whether a desired column is missing or has another comment. An additional column is no difference.
        partition: whether the partition differs.
        order: whether the sort order differs.
        properties: those that are missing or have another value. Additional ones are no difference.
    """

    columns: bool
    partition: bool
    order: bool
    properties: Mapping[str, str]


@dataclass(frozen=True)
class TableSpec:
    """The columns, partition, sort order and properties of a table.

    Attributes:
        columns: by their names, in order.
        partition: of each field the column, the transform and the field's own name.
        order: of each field the column, the transform, the direction and where nulls go.
        properties: the properties of the table, by their names.
    """

    columns: Mapping[str, ColumnSpec]
    partition: tuple[tuple[str, str, str], ...]
    order: tuple[tuple[str, str, str, str], ...]
    properties: Mapping[str, str]

    @classmethod
    def desired(cls, contract: Contract) -> TableSpec:
        """The spec that the contract asks for."""
        day = contract.partition
        return cls(
            columns={column.name: (TYPES[column.type].iceberg, column.description) for column in contract.columns},
            partition=((day.name, "day", f"{day.name}_day"),) if day else (),
            order=tuple((name, "identity", "asc", "nulls-first") for name in contract.sort),
            properties=table_properties(contract),
        )

    @classmethod
    def actual(cls, metadata: str) -> TableSpec:
        """The spec in the metadata of a table, which is Iceberg's JSON."""
        table = json.loads(metadata)
        fields = _current(table, "schemas", "schema-id", "current-schema-id")["fields"]
        spec = _current(table, "partition-specs", "spec-id", "default-spec-id")["fields"]
        order = _current(table, "sort-orders", "order-id", "default-sort-order-id")["fields"]
        names = {field["id"]: field["name"] for field in fields}
        return cls(
            columns={field["name"]: (_type(field["type"]), field.get("doc")) for field in fields},
            partition=tuple((names[f["source-id"]], f["transform"], f["name"]) for f in spec),
            order=tuple((names[f["source-id"]], f["transform"], f["direction"], f["null-order"]) for f in order),
            properties=table.get("properties", {}),
        )

    def diff(self, desired: TableSpec) -> SpecDiff:
        """What must change in this spec so that it is the desired one."""
        return SpecDiff(
            columns={name: self.columns.get(name) for name in desired.columns} != desired.columns,
            partition=self.partition != desired.partition,
            order=self.order != desired.order,
            properties={k: value for k, value in desired.properties.items() if self.properties.get(k) != value},
        )

    def equals(self, desired: TableSpec) -> bool:
        """Whether nothing must change, and the columns are the same in the same order."""
        nothing = SpecDiff(columns=False, partition=False, order=False, properties={})
        return self.diff(desired) == nothing and [*self.columns] == [*desired.columns]


def expect_types(contract: Contract, actual: TableSpec) -> None:
    """Raise LakeError for a column whose type is not that of the contract: existing rows have the other type."""
    for column in contract.columns:
        expected = TYPES[column.type].iceberg
        got, _ = actual.columns.get(column.name, (expected, None))
        if got != expected:
            raise LakeError(
                f"{contract.name}.{column.name}: expected the type {expected}, got {got}",
                hint="a column keeps its type; give a column of another type another name",
            )


def _current(table: Mapping[str, Any], among: str, key: str, current: str) -> dict[str, Any]:
    return next(each for each in table[among] if each[key] == table[current])


def _type(given: Any) -> str:
    return given if isinstance(given, str) else str(given["type"])
