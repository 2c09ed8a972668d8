"""The types that a column of a contract may have, and the name of each in Iceberg, Arrow, DuckDB, Spark and Glue.

They are in `types.json`, which Terraform reads, too. They are names, so that contracts import none of these libraries.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class TypeNames:
    """The name of a type in each system.

    Attributes:
        arrow: an alias that `pyarrow.type_for_alias` knows.
        duckdb: in DuckDB's SQL.
        glue: in the Glue Data Catalog.
        iceberg: in the metadata of a table.
        spark: in Spark's SQL.
    """

    arrow: str
    duckdb: str
    glue: str
    iceberg: str
    spark: str


def _read() -> dict[str, TypeNames]:
    document = json.loads((files(__package__) / "types.json").read_text(encoding="utf-8"))
    return {name: TypeNames(**names) for name, names in document.items()}


#: The names of each type of a contract.
TYPES: Mapping[str, TypeNames] = _read()
