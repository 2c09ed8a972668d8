"""What a contract wants its Iceberg table to be, and what a table is, told alike: so one can be made the other.

A table may have been made by Terraform, which can give it columns and comments and no more, or under an older contract.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stedi_common.contracts import Contract
from stedi_common.engines.properties import table_properties
from stedi_common.errors import LakeError

#: The type of a column, as Iceberg's JSON spells it, and its comment.
Kind = tuple[str, str | None]


@dataclass(frozen=True)
class Shape:
    """A table but for its rows.

    columns: by their names, in order.
    partition: of each field the column, the transform and the field's own name.
    order: of each field the column, the transform, the direction and where nulls go.
    """

    columns: Mapping[str, Kind]
    partition: tuple[tuple[str, str, str], ...]
    order: tuple[tuple[str, str, str, str], ...]
    properties: Mapping[str, str]

    @classmethod
    def wanted(cls, contract: Contract) -> Shape:
        """What the contract wants."""
        day = contract.partition
        return cls(
            columns={column.name: (column.type, column.description) for column in contract.columns},
            partition=((day.name, "day", f"{day.name}_day"),) if day else (),
            order=tuple((name, "identity", "asc", "nulls-first") for name in contract.sort),
            properties=table_properties(contract),
        )

    @classmethod
    def found(cls, metadata: str) -> Shape:
        """What a table is, by its metadata as Iceberg keeps them."""
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

    def lacks(self, wanted: Shape) -> dict[str, str]:
        """The properties that are not as wanted. Others may be there: they are somebody's."""
        return {name: value for name, value in wanted.properties.items() if self.properties.get(name) != value}

    def is_as(self, wanted: Shape) -> bool:
        """Whether there is nothing to do, and nothing that the contract does not know."""
        mine = ([*self.columns.items()], self.partition, self.order)
        return mine == ([*wanted.columns.items()], wanted.partition, wanted.order) and not self.lacks(wanted)


def expect_types(contract: Contract, found: Shape) -> None:
    """Raise LakeError for a column whose type is not the contract's: rows may hold the other one."""
    for column in contract.columns:
        got, _ = found.columns.get(column.name, (column.type, None))
        if got != column.type:
            raise LakeError(
                f"{contract.name}.{column.name}: expected the type {column.type}, got {got}",
                hint="a column keeps its type; give a column of another type another name",
            )


def _current(table: Mapping[str, Any], among: str, key: str, current: str) -> dict[str, Any]:
    return next(each for each in table[among] if each[key] == table[current])


def _type(given: Any) -> str:
    return given if isinstance(given, str) else str(given["type"])
