"""The embedded engine: DuckDB computes, PyIceberg commits, SQLite is the catalog. No Java, no server."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import narwhals as nw
import pyarrow as pa
from pyiceberg.catalog.sql import IcebergTables, SqlCatalog, SqlCatalogBaseTable
from pyiceberg.exceptions import (
    CommitFailedException,
    CommitStateUnknownException,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.io.pyarrow import parquet_files_to_data_files
from pyiceberg.manifest import DataFile, ManifestEntryStatus
from pyiceberg.partitioning import PartitionField, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import Table, Transaction
from pyiceberg.table.metadata import TableMetadata
from pyiceberg.table.snapshots import Operation, Snapshot
from pyiceberg.table.sorting import NullOrder, SortField, SortOrder
from pyiceberg.transforms import DayTransform, IdentityTransform
from pyiceberg.types import (
    DateType,
    DoubleType,
    IcebergType,
    IntegerType,
    LongType,
    NestedField,
    StringType,
    TimestampType,
)
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from stedi_common.contracts import Column, Contract, contract, names
from stedi_common.engines.embedded.maintenance import EmbeddedMaintenance
from stedi_common.engines.embedded.scan import Plans, day_of
from stedi_common.engines.errors import conflict, missing_table, no_snapshot
from stedi_common.engines.properties import table_properties
from stedi_common.engines.protocol import Counts, Head, Materialized, Staged
from stedi_common.engines.storage.parquet import ARROW, Layout
from stedi_common.engines.storage.parquet import DataFile as StagedFile
from stedi_common.engines.storage.staging import RECORDS, REJECTED, Blocks, Staging, merged
from stedi_common.engines.table_spec import Shape, expect_types
from stedi_common.errors import EngineError, LakeError, QueryError, StediError
from stedi_common.lake import CATALOG, Lake
from stedi_common.records import Drop, Reader
from stedi_common.rules.frames import DROPPED, Classified, Frame

#: So many classified rows cost less to keep, between counting and writing, than to compute twice.
FEW = 1_000_000
#: Sets DuckDB's share of the memory; readers, writers and Python need about 400 MB more.
MEMORY = "STEDI_MEMORY"
ENOUGH = "1200MB"

_ICEBERG: dict[str, IcebergType] = {
    "string": StringType(),
    "timestamp": TimestampType(),
    "date": DateType(),
    "double": DoubleType(),
    "int": IntegerType(),
    "long": LongType(),
}
_SQL = {
    "string": "VARCHAR",
    "timestamp": "TIMESTAMP",
    "date": "DATE",
    "double": "DOUBLE",
    "int": "INTEGER",
    "long": "BIGINT",
}
_DAY_FOLDER = "_day"
#: Errors after which the catalog may have committed, or not.
_UNKNOWN = (CommitStateUnknownException, SQLAlchemyError)

REJECTED_RECORDS = contract("rejected_records")


class EmbeddedEngine:
    """See `Engine`."""

    name = "embedded"

    def __init__(self, lake: Lake, *, writes: bool = True) -> None:
        if not lake.is_local:
            raise LakeError(f"engine embedded: expected a lake in a folder, got {lake.location}")
        lake.folder.mkdir(parents=True, exist_ok=True)
        self._lake = lake
        self._staging = Staging(lake, writes=writes)
        self._duckdb = _duckdb(self._staging.folder)
        self._tables: dict[str, Table] = {}
        self._plans = Plans()
        self._catalog = _catalog(lake)
        self.maintenance = EmbeddedMaintenance(lake, self._catalog, self._rewritten)

    def prepare(self, contract: Contract) -> None:
        """Make the table what its contract wants, whoever made it."""
        if not self.exists(contract):
            self._create(contract)
        try:
            self._align(contract)
        except (CommitFailedException, *_UNKNOWN):
            # Another run was preparing it too, or nobody knows. What was done is seen now, what is left is done.
            self._align(contract)

    def _align(self, contract: Contract) -> None:
        """Change what is not as wanted, in one commit; in none if all is."""
        table = self._table(contract)
        wanted, found = Shape.wanted(contract), Shape.found(table.metadata.model_dump_json())
        expect_types(contract, found)
        with table.transaction() as change:
            if {name: found.columns.get(name) for name in wanted.columns} != wanted.columns:
                _align_columns(change, contract, found)
            if found.partition != wanted.partition:
                with change.update_spec() as spec:
                    for _, _, field in found.partition:
                        spec.remove_field(field)
                    for column, _, field in wanted.partition:
                        spec.add_field(column, DayTransform(), field)
            if found.order != wanted.order:
                with change.update_sort_order() as order:
                    for column, *_ in wanted.order:
                        order.asc(column, IdentityTransform(), NullOrder.NULLS_FIRST)
            if lacking := found.lacks(wanted):
                change.set_properties(lacking)
            if table.current_snapshot() is None:
                with change.update_snapshot().fast_append():
                    pass

    def exists(self, contract: Contract) -> bool:
        """Whether the table is there."""
        return self._metadata(contract) is not None

    def head(self, contract: Contract) -> Head:
        """The table's current snapshot."""
        return _head(contract, self._table(contract))

    def snapshot(self, contract: Contract, snapshot_id: int) -> Head | None:
        """A snapshot of the table; None if it is no longer kept."""
        table = self._table(contract)
        found = table.snapshot_by_id(snapshot_id)
        return _head_at(contract, table, found) if found else None

    def history(self, contract: Contract, head: Head) -> Iterator[Head]:
        """The snapshot and those it came from, newest first."""
        table = self._table_with(contract, head)
        return (_head_at(contract, table, snapshot) for snapshot in _back(table, head))

    def changed_days(self, contract: Contract, since: Head, head: Head) -> set[date] | None:
        """The days whose rows may differ between a snapshot and the later `head`."""
        table = self._table_with(contract, head)
        days: set[date] = set()
        for snapshot in _back(table, head):
            if snapshot.snapshot_id == since.snapshot_id:
                return days
            with _unless_expired(contract):
                changed = list(_changed(table, snapshot))
            for file in changed:
                if contract.partition is None or file.spec_id != table.spec().spec_id:
                    return None
                days.add(day_of(file))
        return None

    def read(
        self, contract: Contract, head: Head, days: Collection[date] | None = None, since: date | None = None
    ) -> Frame:
        """The rows at that snapshot."""
        return self._frame(self._scan(contract, head, days, since))

    def _scan(
        self, contract: Contract, head: Head, days: Collection[date] | None = None, since: date | None = None
    ) -> str:
        """The same as a SELECT in DuckDB's SQL."""
        table = self._table_with(contract, head)
        with _unless_expired(contract):
            files = [file.file_path for file in self._plans.files(contract, table, head, days, since)]
        return _select(contract, _ids(table), files)

    def append(self, contract: Contract, rows: Frame, onto: Head, summary: Mapping[str, str]) -> Head:
        """Add rows, in one snapshot that carries the summary."""
        return self._commit(contract, rows, onto, summary, of=())

    def replace(self, contract: Contract, rows: Frame, onto: Head, summary: Mapping[str, str]) -> Head:
        """Put these rows in the place of all, in one snapshot that carries the summary."""
        return self._commit(contract, rows, onto, summary)

    def replace_days(
        self, contract: Contract, days: Collection[date], rows: Frame, onto: Head, summary: Mapping[str, str]
    ) -> Head:
        """Put these rows in the place of all rows of these days, in one snapshot that carries the summary."""
        return self._commit(contract, rows, onto, summary, of=days)

    def replace_classified(  # noqa: PLR0913, PLR0917 - a commit is all of this
        self,
        contract: Contract,
        days: Collection[date] | None,
        classified: Classified,
        rows_in: int,
        onto: Head,
        summary: Mapping[str, str],
        summarize: Callable[[Counts], Mapping[str, str]],
    ) -> Head:
        """Overwrite all rows of these days, or of all for None, with those of the rows that are kept."""
        with self._computed(classified, rows_in) as computed:
            counts = self.collect(computed.rows.group_by(DROPPED).agg(nw.len().alias("n")))
            summary = {**summary, **summarize({row[DROPPED]: row["n"] for row in counts})}
            rows = computed.kept(contract.names)
            if days is None:
                return self.replace(contract, rows, onto, summary)
            return self.replace_days(contract, days, rows, onto, summary)

    @contextmanager
    def _computed(self, classified: Classified, rows_in: int) -> Iterator[Classified]:
        """The rows, which are counted and then written: few are kept in between, many are faster computed twice."""
        if rows_in > FEW:
            yield classified
            return
        with self.materialized(classified.rows) as held:
            yield replace(classified, rows=held.frame)

    @contextmanager
    def stage(self, reader: Reader, drops: Sequence[Drop], contract: Contract) -> Iterator[Staged]:
        """The drops as `reader` reads them."""
        blocks = Blocks(reader, drops)
        layouts = Layout.of(contract, self._ids(contract)), Layout.of(REJECTED_RECORDS, self._ids(REJECTED_RECORDS))
        threads = os.cpu_count() or 1
        with self._staging.subfolder() as folder:
            with ThreadPoolExecutor(threads) as pool:
                tallies = merged(pool.map(lambda _: blocks.write(folder, *layouts), range(threads)))
            files = self._staging.data_files(f"{folder}/{RECORDS}")
            records = self.fingerprint(self._staged(contract, files), contract.keys)
            rejected = self._staged(REJECTED_RECORDS, self._staging.data_files(f"{folder}/{REJECTED}"))
            yield Staged(records, rejected, tallies, self._staging.are_distinct(folder), files)

    def _staged(self, contract: Contract, files: Sequence[StagedFile]) -> Frame:
        return self._frame(_select(contract, self._ids(contract), [file.location for file in files]))

    def append_staged(self, contract: Contract, staged: Staged, onto: Head, summary: Mapping[str, str]) -> Head:
        """Add all staged records, in one snapshot that carries the summary."""
        table = self._table(contract)
        _expect_head(contract, table, onto)
        with self._staging.handed_over(staged.files, f"{self._lake.table_location(contract)}/data") as files:
            return _committed(contract, table, [file.location for file in files], (), summary)

    def fingerprint(self, rows: Frame, keys: Sequence[str]) -> Frame:
        """The rows with `fingerprint`."""
        return _lazy(rows.to_native().project(f"*, {_fingerprint(keys)}"))

    @contextmanager
    def materialized(self, rows: Frame) -> Iterator[Materialized]:
        """The rows, computed once."""
        name = f"held_{uuid.uuid4().hex}"
        try:
            with _redacted():
                created = self._duckdb.execute(f"CREATE TABLE {name} AS {rows.to_native().sql_query()}").fetchall()
            yield Materialized(self._frame(f"SELECT * FROM {name}"), rows=created[0][0])
        finally:
            with _redacted():
                self._duckdb.execute(f"DROP TABLE IF EXISTS {name}")

    def derive(self, rows: Frame, column: str, name: str, function: Callable[[str], str]) -> Frame:
        """The rows with a column that a Python function makes."""
        table = _arrow(rows)
        derived = pa.array([function(value) for value in table[column].to_pylist()], pa.string())
        return _lazy(self._duckdb.from_arrow(table.append_column(name, derived)))

    def collect(self, rows: Frame) -> list[dict[str, Any]]:
        """The rows, here."""
        return list(_arrow(rows).to_pylist())

    def frame(self, contract: Contract, rows: Sequence[Mapping[str, Any]]) -> Frame:
        """Rows from here."""
        schema = pa.schema([(column.name, ARROW[column.type]) for column in contract.columns])
        return _lazy(self._duckdb.from_arrow(pa.Table.from_pylist(list(rows), schema=schema)))

    def query(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """Column names and rows of the answer to one SELECT over the lake's tables, named `zone.table`."""
        _expect_select(sql)
        for name in names():
            if self.exists(contract(name)):
                self._show(contract(name))
        self._duckdb.execute(f"SET allowed_directories = ['{_quoted(self._lake.location)}/']")
        self._duckdb.execute("SET enable_external_access = false")
        try:
            return self._answer(sql)
        except (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException) as error:
            # These quote the query, not the data.
            raise QueryError(f"query: {error}") from None
        except duckdb.Error as error:
            raise _stopped(error) from None

    def _answer(self, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
        """The same of any SQL. Ctrl-C stops it, of which a thread that is in DuckDB would not hear."""

        def ask() -> tuple[list[str], list[tuple[Any, ...]]]:
            answer = self._duckdb.execute(sql)
            return [column[0] for column in answer.description], answer.fetchall()

        with ThreadPoolExecutor(1) as pool:
            asked = pool.submit(ask)
            try:
                return asked.result()
            except KeyboardInterrupt:
                self._duckdb.interrupt()
                raise

    def _show(self, contract: Contract) -> None:
        """Make a table visible to `query`, as it is now."""
        self._duckdb.execute(f"CREATE SCHEMA IF NOT EXISTS {contract.zone}")
        select = self._scan(contract, self.head(contract))
        self._duckdb.execute(f"CREATE OR REPLACE VIEW {contract.identifier} AS {select}")

    def close(self) -> None:
        """Let go of everything."""
        self._duckdb.close()
        self._catalog.close()
        self._staging.remove()

    def _table(self, contract: Contract) -> Table:
        """The table as it is now. Its metadata grow with every commit, so they are read only if it has moved."""
        known = self._tables.get(contract.name)
        if known and known.metadata_location == self._metadata(contract):
            return known
        try:
            self._tables[contract.name] = self._catalog.load_table(self._lake.identifier(contract))
        except NoSuchTableError:
            raise missing_table(contract) from None
        return self._tables[contract.name]

    def _metadata(self, contract: Contract) -> str | None:
        """Where the catalog says that the table's metadata lie; None if it has no such table."""
        namespace, name = self._lake.identifier(contract).split(".")
        found = select(IcebergTables.metadata_location).where(
            IcebergTables.catalog_name == CATALOG,
            IcebergTables.table_namespace == namespace,
            IcebergTables.table_name == name,
        )
        with self._catalog.engine.connect() as connection:
            return connection.scalar(found)

    def _table_with(self, contract: Contract, head: Head) -> Table:
        """The table as it was when this engine last looked, if it had this snapshot then: snapshots do not change."""
        known = self._tables.get(contract.name)
        return known if known and known.snapshot_by_id(head.snapshot_id) else self._table(contract)

    def _ids(self, contract: Contract) -> dict[str, int]:
        return _ids(self._table(contract))

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
        except (TableAlreadyExistsError, *_UNKNOWN):
            if not self.exists(contract):
                raise

    def _commit(
        self,
        contract: Contract,
        rows: Frame,
        onto: Head,
        summary: Mapping[str, str],
        of: Collection[date] | None = None,
    ) -> Head:
        """Commit rows in the place of those of these days; of all for None."""
        table = self._table(contract)
        _expect_head(contract, table, onto)
        replaced = self._plans.files(contract, table, onto, of) if of is None or contract.partition else []
        with self._written(contract, table, rows) as files:
            return _committed(contract, table, files, replaced, summary)

    def _rewritten(self, contract: Contract, table: Table, files: Sequence[str]) -> AbstractContextManager[list[str]]:
        """The rows of data files in new ones, which are gone if the block fails."""
        return self._written(contract, table, self._frame(_select(contract, _ids(table), files)))

    @contextmanager
    def _written(self, contract: Contract, table: Table, rows: Frame) -> Iterator[list[str]]:
        """The rows in new data files of the table, which are gone if the block fails."""
        # Not as the table says: Spark writes `file:/` where we write `file:///`.
        folder = Path(self._lake.table_location(contract).removeprefix("file://")) / "data" / uuid.uuid4().hex
        try:
            yield self._write(contract, table, rows, folder)
        except (CommitFailedException, StediError):
            shutil.rmtree(folder, ignore_errors=True)
            raise

    def _write(self, contract: Contract, table: Table, rows: Frame, folder: Path) -> list[str]:
        """Write the rows to Parquet files in the folder, in the table's partitions and order."""
        ids = ", ".join(f'"{f.name}": {f.field_id}' for f in table.schema().fields)
        order = ", ".join(f'"{column}"' for column in contract.sort)
        day = f', CAST("{contract.partition.name}" AS DATE) AS {_DAY_FOLDER}' if contract.partition else ""
        relation = rows.select(*contract.names).to_native()
        folder.mkdir(parents=True)
        partitioning = f"PARTITION_BY ({_DAY_FOLDER})" if day else "FILE_SIZE_BYTES '256MB'"
        with _redacted():
            copied = self._duckdb.execute(
                f"COPY (SELECT *{day} FROM ({relation.sql_query()}) {f'ORDER BY {order}' if order else ''}) "
                f"TO '{_quoted(str(folder))}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, "
                f"FIELD_IDS {{{ids}}}, WRITE_BLOOM_FILTER false, {partitioning}, "
                "FILENAME_PATTERN '{uuidv7}', RETURN_STATS)"
            ).fetchall()
        return [f"file://{file}" for file, count, *_ in copied if count]

    def _frame(self, select: str) -> Frame:
        return _lazy(self._duckdb.sql(select))


class _Change(Transaction):
    """A transaction that works out the table's metadata once for each update.

    PyIceberg does whenever it looks at them, a dozen times for each commit, and copies all snapshots every time.
    """

    _worked_out: tuple[TableMetadata, object, TableMetadata] | None = None

    @property
    def table_metadata(self) -> TableMetadata:
        """The table's metadata with the updates so far."""
        base, updates = self._table.metadata, self._updates
        if not self._worked_out or self._worked_out[0] is not base or self._worked_out[1] is not updates:
            self._worked_out = base, updates, super().table_metadata
        return self._worked_out[2]


def _committed(
    contract: Contract,
    table: Table,
    added: Iterable[str],
    replaced: Collection[DataFile],
    summary: Mapping[str, str],
) -> Head:
    """Commit Parquet files: an append, or an overwrite in the place of data files."""
    change = _Change(table)
    update = change.update_snapshot(snapshot_properties=dict(summary))
    with update.overwrite() if replaced else update.fast_append() as snapshot:
        for file in parquet_files_to_data_files(table.io, table.metadata, iter(added)):
            snapshot.append_data_file(file)
        for old in replaced:
            snapshot.delete_data_file(old)
    try:
        change.commit_transaction()
    except CommitFailedException:
        raise conflict(contract) from None
    except _UNKNOWN:
        table.refresh()
    # Every commit makes a snapshot id of its own, so this one is ours or nobody's.
    committed = table.snapshot_by_id(snapshot.snapshot_id)
    if committed is None:
        raise EngineError(f"{contract.name}: expected a commit, got an error of the catalog; nothing is committed")
    return _head_at(contract, table, committed)


def _catalog(lake: Lake) -> SqlCatalog:
    """The lake's catalog, which is made if it is not there.

    PyIceberg looks for a part, then makes it: who does that at the same time as another finds it made at the next look.
    """
    for _ in (*lake.namespaces, *SqlCatalogBaseTable.metadata.tables):
        with suppress(IntegrityError, OperationalError):
            return _made_catalog(lake)
    return _made_catalog(lake)


def _made_catalog(lake: Lake) -> SqlCatalog:
    catalog = SqlCatalog(CATALOG, uri=f"sqlite:///{lake.catalog_uri}", warehouse=f"file://{lake.location}")
    for namespace in lake.namespaces:
        catalog.create_namespace_if_not_exists(namespace)
    return catalog


def _duckdb(folder: str) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    try:
        connection.execute(f"SET memory_limit = '{_quoted(_memory())}'")
    except duckdb.Error:
        raise LakeError(f"{MEMORY}: expected memory as in 4GB, got {_memory()}") from None
    connection.execute(f"SET temp_directory = '{_quoted(folder)}/spill'")
    connection.execute("SET preserve_insertion_order = false")
    # It takes each of our tables for one row. A join hashes what is written on its right, which is the smaller side.
    connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
    # A night reads the same footers many times, and data files never change.
    connection.execute("SET parquet_metadata_cache = true")
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET autoinstall_known_extensions = false")
    return connection


def _memory() -> str:
    return os.environ.get(MEMORY) or ENOUGH


def _lazy(relation: duckdb.DuckDBPyRelation) -> Frame:
    return nw.from_native(relation)


def _arrow(rows: Frame) -> pa.Table:
    with _redacted():
        return rows.to_native().to_arrow_table()


def _fingerprint(keys: Sequence[str]) -> str:
    columns = ", ".join(f'"{key}"' for key in keys)
    return f"hash({columns}) AS fingerprint"


def _select(contract: Contract, ids: Mapping[str, int], files: Sequence[str]) -> str:
    """A SELECT of the contract's columns, found in the files by their Iceberg field ids as the format asks.

    A column that the contract has gained since the table was last prepared is null.
    """
    nulls = {c.name: f'CAST(NULL AS {_SQL[c.type]}) AS "{c.name}"' for c in contract.columns}
    if not files:
        return f"SELECT {', '.join(nulls.values())} WHERE false"
    columns = ", ".join(
        f"{ids[c.name]}: {{name: '{c.name}', type: '{_SQL[c.type]}', default_value: NULL}}"
        for c in contract.columns
        if c.name in ids
    )
    names = ", ".join(f'"{name}"' if name in ids else null for name, null in nulls.items())
    paths = ", ".join(f"'{_quoted(file.removeprefix('file://'))}'" for file in files)
    return f"SELECT {names} FROM read_parquet([{paths}], hive_partitioning = false, schema = MAP {{{columns}}})"


def _ids(table: Table) -> dict[str, int]:
    return {field.name: field.field_id for field in table.schema().fields}


def _back(table: Table, head: Head) -> Iterator[Snapshot]:
    """The snapshot and those it came from, newest first, as far as they are kept."""
    kept = {snapshot.snapshot_id: snapshot for snapshot in table.snapshots()}
    snapshot = kept.get(head.snapshot_id)
    while snapshot:
        yield snapshot
        snapshot = kept.get(snapshot.parent_snapshot_id or 0)


def _changed(table: Table, snapshot: Snapshot) -> Iterator[DataFile]:
    """The data files that the snapshot added or removed, unless it has the same rows in other files."""
    if snapshot.summary and snapshot.summary.operation is Operation.REPLACE:
        return
    for manifest in snapshot.manifests(table.io):
        if manifest.added_snapshot_id == snapshot.snapshot_id:
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=False):
                if entry.status != ManifestEntryStatus.EXISTING:
                    yield entry.data_file


def _head(contract: Contract, table: Table) -> Head:
    snapshot = table.current_snapshot()
    if snapshot is None:
        raise no_snapshot(contract)
    return _head_at(contract, table, snapshot)


def _head_at(contract: Contract, table: Table, snapshot: Snapshot) -> Head:
    written = _written(table, snapshot)
    summary: dict[str, Any] = dict(written.summary.additional_properties) if written.summary else {}
    committed_at = datetime.fromtimestamp(written.timestamp_ms / 1000, UTC).replace(tzinfo=None)
    return Head(contract.name, snapshot.snapshot_id, written.snapshot_id, committed_at, summary)


def _written(table: Table, snapshot: Snapshot) -> Snapshot:
    """The last snapshot up to this one that changed rows, as far as there still is one."""
    while snapshot.summary and snapshot.summary.operation == Operation.REPLACE and snapshot.parent_snapshot_id:
        parent = table.snapshot_by_id(snapshot.parent_snapshot_id)
        if parent is None:
            break
        snapshot = parent
    return snapshot


def _expect_head(contract: Contract, table: Table, onto: Head) -> None:
    snapshot = table.current_snapshot()
    if snapshot is None or snapshot.snapshot_id != onto.snapshot_id:
        raise conflict(contract)


@contextmanager
def _unless_expired(contract: Contract) -> Iterator[None]:
    """Of a snapshot that has expired since it was looked up, the files may be gone."""
    try:
        yield
    except FileNotFoundError:
        raise conflict(contract) from None


def _align_columns(change: Transaction, contract: Contract, found: Shape) -> None:
    with change.update_schema() as update:
        for column in contract.columns:
            if column.name in found.columns:
                update.update_column(column.name, doc=column.description)
            else:
                update.add_column(column.name, _ICEBERG[column.type], column.description)


def _field(field_id: int, column: Column) -> NestedField:
    return NestedField(field_id, column.name, _ICEBERG[column.type], required=False, doc=column.description)


def _partition_spec(contract: Contract, schema: Schema) -> PartitionSpec:
    if contract.partition is None:
        return PartitionSpec()
    name = contract.partition.name
    source_id = schema.find_field(name).field_id
    return PartitionSpec(PartitionField(source_id, 1000, DayTransform(), f"{name}_day"))


def _sort_order(contract: Contract, schema: Schema) -> SortOrder:
    return SortOrder(*(SortField(schema.find_field(name).field_id, IdentityTransform()) for name in contract.sort))


def _quoted(text: str) -> str:
    return text.replace("'", "''")


@contextmanager
def _redacted() -> Iterator[None]:
    """Engine messages quote values, so of an engine's error only the kind goes on."""
    try:
        yield
    except duckdb.Error as error:
        raise _stopped(error) from None


def _stopped(error: duckdb.Error) -> EngineError:
    kind = type(error).__name__
    if isinstance(error, duckdb.OutOfMemoryException):
        return EngineError(
            f"engine embedded: {_memory()} of memory, and what may be spilled to disk, were not enough",
            hint=f"allow more, as in {MEMORY}=4GB",
        )
    return EngineError(f"engine embedded: DuckDB stopped with {kind}; its message may hold personal data")


def _expect_select(sql: str) -> None:
    try:
        kinds = [statement.type for statement in duckdb.extract_statements(sql)]
    except duckdb.ParserException as error:
        raise QueryError(f"query: {error}") from None
    if kinds != [duckdb.StatementType.SELECT]:
        raise QueryError("query: expected one SELECT, got something else", hint="the lake is read-only here")
