"""The lake's tables in its catalog: loaded, created, and aligned with their contracts."""

from __future__ import annotations

from collections.abc import Mapping

from pyiceberg.exceptions import CommitFailedException, TableAlreadyExistsError
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table, Transaction
from pyiceberg.table.sorting import NullOrder, SortField, SortOrder
from pyiceberg.transforms import DayTransform, IdentityTransform
from pyiceberg.types import IcebergType, NestedField
from tenacity import retry_if_exception_type

from stedi_common.contracts import Column, Contract
from stedi_common.contracts.types import TYPES
from stedi_common.engines.embedded.damage import named, unreadable_metadata
from stedi_common.engines.embedded.lake_catalog import LakeCatalog
from stedi_common.engines.errors import conflict, missing_table
from stedi_common.engines.properties import table_properties
from stedi_common.engines.retry import retrying
from stedi_common.engines.storage.unknown_tables import UnknownTable
from stedi_common.engines.table_spec import SpecDiff, TableSpec, expect_types
from stedi_common.lake import Lake


class CatalogTables:
    """The tables of a lake's catalog. Their metadata grow with every commit, so they are read only if they changed."""

    def __init__(self, lake: Lake, catalog: LakeCatalog) -> None:
        self._lake, self._catalog = lake, catalog
        self._loaded: dict[str, Table] = {}
        self._seen: set[str] = set()
        self._may_exist: tuple[type[Exception], ...] = (TableAlreadyExistsError, *catalog.unknown_state)

    def exists(self, contract: Contract) -> bool:
        """Whether the table exists. Nobody drops a table of a lake in S3: what was there is not looked up again."""
        if not self._lake.is_local and contract.name in self._seen:
            return True
        if self._catalog.metadata_location(self._lake.identifier(contract)) is None:
            return False
        self._seen.add(contract.name)
        return True

    def find(self, contract: Contract) -> Table | None:
        """The table with its current metadata; None if it does not exist."""
        found = find_table(self._lake, self._catalog, contract, self._loaded.get(contract.name))
        if found:
            self._loaded[contract.name] = found
            self._seen.add(contract.name)
        return found

    def get(self, contract: Contract) -> Table:
        """The table with its current metadata. Raises LakeError if it does not exist."""
        found = self.find(contract)
        if found is None:
            raise missing_table(contract)
        return found

    def empty(self, table: UnknownTable, summary: Mapping[str, str]) -> None:
        """Delete all rows of a table that has no contract: see `Engine.empty`."""
        try:
            self._catalog.load_table(f"{table.namespace}.{table.name}").delete(snapshot_properties=dict(summary))
        except CommitFailedException:
            raise conflict(table) from None

    def get_again(self, contract: Contract) -> Table:
        """The same, also if its lookup is cached."""
        self._catalog.invalidate(self._lake.identifier(contract))
        return self.get(contract)

    def known(self, contract: Contract) -> Table:
        """The table as last loaded, for what does not change: the ids of its fields, say."""
        return self._loaded.get(contract.name) or self.get(contract)

    def get_with(self, contract: Contract, snapshot_id: int) -> Table:
        """The table as last loaded, if it has this snapshot, since snapshots do not change. Else it is loaded again."""
        loaded = self._loaded.get(contract.name)
        return loaded if loaded and loaded.snapshot_by_id(snapshot_id) else self.get(contract)

    def prepare(self, contract: Contract) -> None:
        """Create the table or align it with its contract: see `Engine.prepare`."""
        found = self.find(contract)
        if found is None:
            self._create(contract)
        # Another run may be preparing it too, or the answer is lost: the next attempt sees what was done.
        attempts = retrying(retry_if_exception_type((CommitFailedException, *self._catalog.unknown_state)))
        first = iter([found] if found else [])
        attempts(lambda: self._align(contract, next(first, None) or self.get(contract)))

    def _create(self, contract: Contract) -> None:
        schema = Schema(*(_field(i, column) for i, column in enumerate(contract.columns, start=1)))
        try:
            self._catalog.create_table(
                self._lake.identifier(contract),
                schema,
                location=self._lake.table_location(contract),
                partition_spec=_partition_spec(contract, schema),
                sort_order=_sort_order(contract, schema),
                properties=table_properties(contract),
            )
        except self._may_exist:
            if not self.exists(contract):
                raise

    def _align(self, contract: Contract, table: Table) -> None:
        """Change what is not as desired, in one commit; in none if all is."""
        desired, actual = TableSpec.desired(contract), TableSpec.actual(table.metadata.model_dump_json())
        expect_types(contract, actual)
        diff = actual.diff(desired)
        with table.transaction() as change:
            if diff.columns:
                _align_columns(change, contract, actual)
            _align_layout(change, diff, actual, desired)
            if diff.properties:
                change.set_properties(dict(diff.properties))
            if table.current_snapshot() is None:
                with change.update_snapshot().fast_append():
                    pass


def find_table(lake: Lake, catalog: LakeCatalog, contract: Contract, known: Table | None = None) -> Table | None:
    """The table with its current metadata; None if it does not exist.

    Args:
        lake: the lake.
        catalog: its catalog.
        contract: the table's.
        known: the table as it was loaded before, if it was.

    Raises:
        LakeError: its metadata, or the table, are not where the lake is.
    """
    identifier = lake.identifier(contract)
    with named(contract.identifier, lambda: unreadable_metadata(catalog.metadata_location(identifier))):
        table = catalog.find_table(identifier, known)
    if table and table is not known:
        lake.expect_table(contract, table.location())  # a copy of a lake has the files of the lake it was copied from
    return table


def load_table(lake: Lake, catalog: LakeCatalog, contract: Contract) -> Table:
    """The table with its current metadata. Raises LakeError if it, or its metadata, are not where the lake is."""
    table = find_table(lake, catalog, contract)
    if table is None:
        raise missing_table(contract)
    return table


def field_ids(table: Table) -> dict[str, int]:
    """The Iceberg field ids of a table's columns, by name."""
    return {field.name: field.field_id for field in table.schema().fields}


def _align_columns(change: Transaction, contract: Contract, actual: TableSpec) -> None:
    with change.update_schema() as update:
        for column in contract.columns:
            if column.name in actual.columns:
                update.update_column(column.name, doc=column.description)
            else:
                update.add_column(column.name, _iceberg_type(column), column.description)


def _align_layout(change: Transaction, diff: SpecDiff, actual: TableSpec, desired: TableSpec) -> None:
    if diff.partition:
        with change.update_spec() as spec:
            for _, _, field in actual.partition:
                spec.remove_field(field)
            for column, _, field in desired.partition:
                spec.add_field(column, DayTransform(), field)
    if diff.order:
        with change.update_sort_order() as order:
            for column, *_ in desired.order:
                order.asc(column, IdentityTransform(), NullOrder.NULLS_FIRST)


def _field(field_id: int, column: Column) -> NestedField:
    return NestedField(field_id, column.name, _iceberg_type(column), required=False, doc=column.description)


def _iceberg_type(column: Column) -> IcebergType:
    return IcebergType.model_validate(TYPES[column.type].iceberg)


def _partition_spec(contract: Contract, schema: Schema) -> PartitionSpec:
    if contract.partition is None:
        return PartitionSpec()
    name = contract.partition.name
    source_id = schema.find_field(name).field_id
    return PartitionSpec(PartitionField(source_id, 1000, DayTransform(), f"{name}_day"))


def _sort_order(contract: Contract, schema: Schema) -> SortOrder:
    return SortOrder(*(SortField(schema.find_field(name).field_id, IdentityTransform()) for name in contract.sort))
