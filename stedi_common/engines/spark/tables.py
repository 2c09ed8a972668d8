"""The lake's tables in Iceberg's Java API: loaded, created, and aligned with their contracts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from py4j.protocol import Py4JJavaError
from tenacity import retry_if_exception_type

from stedi_common.contracts import Contract
from stedi_common.engines.errors import missing_table
from stedi_common.engines.retry import retrying
from stedi_common.engines.spark.errors import conflicting, kind_of, redacted
from stedi_common.engines.storage.unknown_tables import UnknownTable
from stedi_common.engines.table_spec import TableSpec, expect_types
from stedi_common.errors import CommitConflictError, EngineError, LakeError
from stedi_common.lake import CATALOG, Lake


class JavaTables:
    """The tables of a session's catalog."""

    def __init__(self, lake: Lake, session: Any, jvm: Any) -> None:
        self._lake = lake
        self._iceberg = jvm.org.apache.iceberg
        self._identifier = self._iceberg.catalog.TableIdentifier
        try:
            self._catalog = self._iceberg.spark.Spark3Util.loadIcebergCatalog(session, CATALOG)
        except Py4JJavaError as error:
            if lake.is_local:
                raise
            raise LakeError(
                f"engine spark: expected a driver that can open the catalog of {lake.location}, got {kind_of(error)}",
                hint="name org.apache.iceberg:iceberg-aws-bundle in --packages of spark-submit, too",
            ) from error

    def find(self, contract: Contract) -> Any | None:
        """The table in Iceberg's Java API; None if it does not exist."""
        with redacted():
            try:
                return self._catalog.loadTable(self._identifier.parse(self._lake.identifier(contract)))
            except Py4JJavaError as error:
                if kind_of(error) != "NoSuchTableException":
                    raise
                return None

    def get(self, contract: Contract) -> Any:
        """The table in Iceberg's Java API. Raises LakeError if it does not exist."""
        table = self.find(contract)
        if table is None:
            raise missing_table(contract)
        return table

    def empty(self, table: UnknownTable, summary: Mapping[str, str]) -> None:
        """Delete all rows of a table that has no contract: see `Engine.empty`."""
        with conflicting(table):
            loaded = self._catalog.loadTable(self._identifier.parse(f"{table.namespace}.{table.name}"))
            change = loaded.newDelete().deleteFromRowFilter(self._iceberg.expressions.Expressions.alwaysTrue())
            for name, value in summary.items():
                change = change.set(name, value)
            change.commit()

    def prepare(self, contract: Contract) -> None:
        """Create the table or align it with its contract: see `Engine.prepare`.

        A table that is aligned already costs one read and no commit.
        """
        # Another run may be preparing it too, or the answer is lost: the next attempt sees what was done.
        for attempt in retrying(retry_if_exception_type((CommitConflictError, EngineError))):
            with attempt, conflicting(contract):
                self._prepare(contract)

    def _prepare(self, contract: Contract) -> None:
        desired, table = TableSpec.desired(contract), self.find(contract)
        if table is None:
            self._create(contract, desired)
            return
        if not self._lake.is_local:
            self._lake.expect_table(contract, table.location())
        metadata = table.operations().current()
        actual = TableSpec.actual(self._iceberg.TableMetadataParser.toJson(metadata))
        if metadata.currentSnapshot() is None and not actual.equals(desired):
            self._replace(table, metadata, desired)
            table.refresh()
            actual = desired
        expect_types(contract, actual)
        self._evolve(table, actual, desired)

    def _create(self, contract: Contract, desired: TableSpec) -> None:
        """Create the table with a first snapshot, in one commit, and before it the namespace if there is none."""
        identifier = self._identifier.parse(self._lake.identifier(contract))
        self._create_namespace(identifier.namespace())
        schema = self._schema(desired)
        creation = (
            self._catalog.buildTable(identifier, schema)
            .withPartitionSpec(self._spec(schema, desired))
            .withSortOrder(self._order(schema, desired))
            .withLocation(self._lake.table_location(contract))
            .withProperties(dict(desired.properties))
            .createTransaction()
        )
        creation.newFastAppend().commit()
        creation.commitTransaction()

    def _create_namespace(self, namespace: Any) -> None:
        if self._catalog.namespaceExists(namespace):
            return
        try:
            self._catalog.createNamespace(namespace)
        except Py4JJavaError:
            if not self._catalog.namespaceExists(namespace):  # else another run has made it
                raise

    def _replace(self, table: Any, metadata: Any, desired: TableSpec) -> None:
        """Replace the definition of a table that has no rows, which nobody else may have touched since it was read.

        Iceberg's own transactions that replace a table would also replace what somebody has written in between.
        """
        schema = self._schema(desired)
        spec, order = self._spec(schema, desired), self._order(schema, desired)
        new = metadata.buildReplacement(schema, spec, order, metadata.location(), dict(desired.properties))
        table.operations().commit(metadata, new)

    def _evolve(self, table: Any, actual: TableSpec, desired: TableSpec) -> None:
        """Change what is not as desired, in one commit; in none if all is."""
        diff, change = actual.diff(desired), table.newTransaction()
        if diff.columns:
            self._evolve_columns(change, actual, desired)
        if diff.partition:
            self._evolve_partition(change, actual, desired)
        if diff.order:
            self._evolve_order(change, desired)
        if diff.properties:
            properties = change.updateProperties()
            for name, value in diff.properties.items():
                properties.set(name, value)
            properties.commit()
        if table.currentSnapshot() is None:
            change.newFastAppend().commit()
        change.commitTransaction()

    def _evolve_columns(self, change: Any, actual: TableSpec, desired: TableSpec) -> None:
        update = change.updateSchema()
        for field in self._schema(desired).columns():
            if field.name() in actual.columns:
                update.updateColumnDoc(field.name(), field.doc())
            else:
                update.addColumn(field.name(), field.type(), field.doc())
        update.commit()

    def _evolve_partition(self, change: Any, actual: TableSpec, desired: TableSpec) -> None:
        update = change.updateSpec()
        for _, _, field in actual.partition:
            update.removeField(field)
        for column, _, _ in desired.partition:
            update.addField(self._iceberg.expressions.Expressions.day(column))
        update.commit()

    def _evolve_order(self, change: Any, desired: TableSpec) -> None:
        update, nulls_first = change.replaceSortOrder(), self._iceberg.NullOrder.NULLS_FIRST
        for column, *_ in desired.order:
            update = update.asc(self._iceberg.expressions.Expressions.ref(column), nulls_first)
        update.commit()

    def _schema(self, desired: TableSpec) -> Any:
        fields = [
            # What a contract requires is not required of a table: engines differ in how they refuse a null.
            {"id": number, "name": name, "required": False, "type": kind, "doc": comment}
            for number, (name, (kind, comment)) in enumerate(desired.columns.items(), start=1)
        ]
        return self._iceberg.SchemaParser.fromJson(json.dumps({"type": "struct", "schema-id": 0, "fields": fields}))

    def _spec(self, schema: Any, desired: TableSpec) -> Any:
        spec = self._iceberg.PartitionSpec.builderFor(schema)
        for column, _, _ in desired.partition:
            spec = spec.day(column)
        return spec.build()

    def _order(self, schema: Any, desired: TableSpec) -> Any:
        order = self._iceberg.SortOrder.builderFor(schema)
        for column, *_ in desired.order:
            order = order.asc(column)
        return order.build()
