"""What a name in a query stands for."""

import json
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.table import Table

from . import metadata_tables
from .callers import Caller
from .exceptions import QueryError
from .iceberg import IcebergTable, snapshot_id
from .information_schema import SCHEMAS, InformationTable
from .memory import MemoryTable
from .planning import Name, Relation, View

DEFAULT = "awsdatacatalog"


@dataclass(frozen=True)
class Catalog:
    """Glue's catalog, as a caller sees it."""

    caller: Caller

    @property
    def glue(self) -> Any:
        """Glue."""
        return self.caller.client("glue")

    def resolve(self, name: Name) -> Relation | View:
        """The table or view of that name."""
        if name.catalog.lower() != DEFAULT:
            raise QueryError("CATALOG_NOT_FOUND", f"Catalog '{name.catalog}' does not exist", name.position)
        if name.database == "information_schema" and name.table in SCHEMAS:
            return InformationTable(DEFAULT, name.table, self.glue)
        base, _, metadata = name.table.partition("$")
        table = self.find(Name(name.catalog, name.database, base, name.position))
        if metadata:
            return self._metadata_table(name, base, metadata)
        if table.get("TableType") == "VIRTUAL_VIEW":
            return _view(table)
        if not is_iceberg(table):
            kind = table.get("StorageDescriptor", {}).get("InputFormat", "unknown")
            raise QueryError("NOT_SUPPORTED", f"Table {name.database}.{base} is not an Iceberg table ({kind})")
        loaded = self.load(name.database, base)
        return IcebergTable(loaded, snapshot_id(loaded, name))

    def find(self, name: Name) -> dict[str, Any]:
        """What Glue knows of a table."""
        try:
            table: dict[str, Any] = self.glue.get_table(DatabaseName=name.database, Name=name.table)["Table"]
            return table
        except self.glue.exceptions.EntityNotFoundException:
            self._check_database(name)
            reason = f"Table '{DEFAULT}.{name.database}.{name.table}' does not exist"
            raise QueryError("TABLE_NOT_FOUND", reason, name.position) from None

    def load(self, database: str, table: str) -> Table:
        """An Iceberg table."""
        try:
            return self.caller.catalog().load_table((database, table))
        except (OSError, ClientError, NoSuchTableError) as error:
            reason = f"Metadata not found in metadata location for table {database}.{table}"
            raise QueryError("ICEBERG_MISSING_METADATA", reason) from error

    def _check_database(self, name: Name) -> None:
        try:
            self.glue.get_database(Name=name.database)
        except self.glue.exceptions.EntityNotFoundException:
            raise QueryError("SCHEMA_NOT_FOUND", f"Schema '{name.database}' does not exist", name.position) from None

    def _metadata_table(self, name: Name, base: str, metadata: str) -> Relation:
        if metadata not in metadata_tables.TABLES:
            reason = f"Table '{DEFAULT}.{name.database}.{name.table}' does not exist"
            raise QueryError("TABLE_NOT_FOUND", reason, name.position)
        return MemoryTable(metadata_tables.TABLES[metadata](self.load(name.database, base)))


def is_iceberg(table: dict[str, Any]) -> bool:
    """Whether Glue's table points at Iceberg's metadata."""
    return bool(table.get("Parameters", {}).get("table_type", "").lower() == "iceberg")


def _view(table: dict[str, Any]) -> View:
    encoded = re.search(r"/\* Presto View: (\S+) \*/", table.get("ViewOriginalText", ""))
    if not encoded:
        raise QueryError("NOT_SUPPORTED", f"View {table['Name']} was not made by Athena")
    view = json.loads(b64decode(encoded[1]))
    return View(view["originalSql"], view.get("catalog", DEFAULT), view.get("schema") or table["DatabaseName"])
