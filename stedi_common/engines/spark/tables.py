"""The lake's tables in Iceberg's Java API: loaded, made, and made again what their contracts want."""

from __future__ import annotations

import json
import random
import time
from typing import Any

from py4j.protocol import Py4JJavaError

from stedi_common.contracts import Contract
from stedi_common.engines.errors import missing_table
from stedi_common.engines.spark.errors import conflicting, kind_of, redacted
from stedi_common.engines.table_spec import Shape, expect_types
from stedi_common.errors import CommitConflictError, EngineError
from stedi_common.lake import CATALOG, Lake

#: How often a table is prepared anew while others prepare it too, and how long each time waits at most, in seconds.
ATTEMPTS, WAIT = 5, 0.2


class JavaTables:
    """The tables of a session's catalog."""

    def __init__(self, lake: Lake, session: Any, jvm: Any) -> None:
        self._lake = lake
        self._iceberg = jvm.org.apache.iceberg
        self._identifier = self._iceberg.catalog.TableIdentifier
        self._catalog = self._iceberg.spark.Spark3Util.loadIcebergCatalog(session, CATALOG)

    def find(self, contract: Contract) -> Any | None:
        """The table, if it is there."""
        with redacted():
            try:
                return self._catalog.loadTable(self._identifier.parse(self._lake.identifier(contract)))
            except Py4JJavaError as error:
                if kind_of(error) != "NoSuchTableException":
                    raise
                return None

    def get(self, contract: Contract) -> Any:
        """The table. Raises LakeError if it is not there."""
        table = self.find(contract)
        if table is None:
            raise missing_table(contract)
        return table

    def prepare(self, contract: Contract) -> None:
        """Make the table what its contract wants. What is so already costs no commit, and no call but reading it."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with conflicting(contract):
                    self._prepare(contract)
            except (CommitConflictError, EngineError):
                # Another run is preparing it too, or nobody knows. What was done is seen now, what is left is done.
                if attempt == ATTEMPTS:
                    raise
                time.sleep(random.uniform(0, WAIT))  # noqa: S311 - only so that two that collide part
            else:
                return

    def _prepare(self, contract: Contract) -> None:
        wanted, table = Shape.wanted(contract), self.find(contract)
        if table is None:
            self._create(contract, wanted)
            return
        if not self._lake.is_local:
            self._lake.expect_table(contract, table.location())
        metadata = table.operations().current()
        found = Shape.found(self._iceberg.TableMetadataParser.toJson(metadata))
        if metadata.currentSnapshot() is None and not found.is_as(wanted):
            self._replace(table, metadata, wanted)
            table.refresh()
            found = wanted
        expect_types(contract, found)
        self._evolve(table, found, wanted)

    def _create(self, contract: Contract, wanted: Shape) -> None:
        """Make the table, with a first snapshot, in one commit; and the namespace, if this is its first table."""
        identifier = self._identifier.parse(self._lake.identifier(contract))
        self._create_namespace(identifier.namespace())
        schema = self._schema(wanted)
        making = (
            self._catalog.buildTable(identifier, schema)
            .withPartitionSpec(self._spec(schema, wanted))
            .withSortOrder(self._order(schema, wanted))
            .withLocation(self._lake.table_location(contract))
            .withProperties(dict(wanted.properties))
            .createTransaction()
        )
        making.newFastAppend().commit()
        making.commitTransaction()

    def _create_namespace(self, namespace: Any) -> None:
        if self._catalog.namespaceExists(namespace):
            return
        try:
            self._catalog.createNamespace(namespace)
        except Py4JJavaError:
            if not self._catalog.namespaceExists(namespace):  # else another run has made it
                raise

    def _replace(self, table: Any, metadata: Any, wanted: Shape) -> None:
        """Replace the definition of a table that has no rows, which nobody else may have touched since it was read.

        Iceberg's own transactions that replace a table would also replace what somebody has written in between.
        """
        schema = self._schema(wanted)
        spec, order = self._spec(schema, wanted), self._order(schema, wanted)
        new = metadata.buildReplacement(schema, spec, order, metadata.location(), dict(wanted.properties))
        table.operations().commit(metadata, new)

    def _evolve(self, table: Any, found: Shape, wanted: Shape) -> None:
        """Change what is not as wanted, in one commit; in none if all is."""
        change = table.newTransaction()
        if {name: found.columns.get(name) for name in wanted.columns} != wanted.columns:
            self._evolve_columns(change, found, wanted)
        if found.partition != wanted.partition:
            self._evolve_partition(change, found, wanted)
        if found.order != wanted.order:
            self._evolve_order(change, wanted)
        if lacking := found.lacks(wanted):
            properties = change.updateProperties()
            for name, value in lacking.items():
                properties.set(name, value)
            properties.commit()
        if table.currentSnapshot() is None:
            change.newFastAppend().commit()
        change.commitTransaction()

    def _evolve_columns(self, change: Any, found: Shape, wanted: Shape) -> None:
        update = change.updateSchema()
        for field in self._schema(wanted).columns():
            if field.name() in found.columns:
                update.updateColumnDoc(field.name(), field.doc())
            else:
                update.addColumn(field.name(), field.type(), field.doc())
        update.commit()

    def _evolve_partition(self, change: Any, found: Shape, wanted: Shape) -> None:
        update = change.updateSpec()
        for _, _, field in found.partition:
            update.removeField(field)
        for column, _, _ in wanted.partition:
            update.addField(self._iceberg.expressions.Expressions.day(column))
        update.commit()

    def _evolve_order(self, change: Any, wanted: Shape) -> None:
        update, nulls_first = change.replaceSortOrder(), self._iceberg.NullOrder.NULLS_FIRST
        for column, *_ in wanted.order:
            update = update.asc(self._iceberg.expressions.Expressions.ref(column), nulls_first)
        update.commit()

    def _schema(self, wanted: Shape) -> Any:
        fields = [
            # What a contract requires is not required of a table: engines differ in how they refuse a null.
            {"id": number, "name": name, "required": False, "type": kind, "doc": comment}
            for number, (name, (kind, comment)) in enumerate(wanted.columns.items(), start=1)
        ]
        return self._iceberg.SchemaParser.fromJson(json.dumps({"type": "struct", "schema-id": 0, "fields": fields}))

    def _spec(self, schema: Any, wanted: Shape) -> Any:
        spec = self._iceberg.PartitionSpec.builderFor(schema)
        for column, _, _ in wanted.partition:
            spec = spec.day(column)
        return spec.build()

    def _order(self, schema: Any, wanted: Shape) -> Any:
        order = self._iceberg.SortOrder.builderFor(schema)
        for column, *_ in wanted.order:
            order = order.asc(column)
        return order.build()
