"""The embedded engine: DuckDB computes, PyIceberg commits. It needs no Java and no server."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import duckdb
import narwhals as nw
import pyarrow as pa
from pyiceberg.table import Table

from stedi_common.contracts import Contract, contract, names
from stedi_common.engines import history
from stedi_common.engines.choice import Choice, expect_address_space
from stedi_common.engines.embedded import damage
from stedi_common.engines.embedded.catalog import CatalogTables, field_ids
from stedi_common.engines.embedded.commit import commit, expect_head
from stedi_common.engines.embedded.data_storage import storage_of
from stedi_common.engines.embedded.lake_catalog import open_catalog
from stedi_common.engines.embedded.query import Answer, Scan, Tables, answered, checked, mentions
from stedi_common.engines.embedded.scan import ScanPlans, local, select
from stedi_common.engines.embedded.session import as_duckdb_error, connect, redact
from stedi_common.engines.embedded.snapshots import PyIcebergSnapshots, current_head, has_snapshot, head_as_of
from stedi_common.engines.embedded.writer import DataFileWriter
from stedi_common.engines.errors import conflict, missing_table
from stedi_common.engines.protocol import Counts, Head, Materialized, Staged, TableSize
from stedi_common.engines.storage.catalog_guard import expect_known_metadata
from stedi_common.engines.storage.parquet import DataFile, ParquetLayout, arrow_schema
from stedi_common.engines.storage.staging import RECORDS, REJECTED, Staging
from stedi_common.engines.storage.unknown_tables import UnknownTable, unknown_tables
from stedi_common.errors import LakeError, QueryError
from stedi_common.lake import Lake
from stedi_common.lake.properties import update_mark
from stedi_common.rules.frames import DROPPED, Classified, Frame

# Each takes long to import, and most commands do without.
if TYPE_CHECKING:
    from stedi_common.engines.embedded.maintenance import EmbeddedMaintenance
    from stedi_common.engines.embedded.repairs import EmbeddedRepairs
    from stedi_common.records import Drop, Reader

#: So many classified rows cost less to keep, between counting and writing, than to compute twice.
MAX_CACHED_ROWS = 1_000_000


class EmbeddedEngine:
    """The engine of this process. `Engine` documents the methods."""

    name = "embedded"

    def __init__(self, lake: Lake, *, writes: bool = True) -> None:
        expect_address_space()
        if writes and lake.is_local:
            lake.make_folder()
        expect_known_metadata(lake, writes=writes)
        if writes:
            update_mark(lake, creates=True)
        self.choice, self._lake = Choice(self.name), lake
        self._catalog = open_catalog(lake, writes=writes)
        self._staging = Staging(lake, writes=writes, is_shared=False)
        try:
            self._storage = storage_of(lake, self._staging.local_scratch)
            self._duckdb = connect(self._staging.local_scratch)
            self._storage.attach(self._duckdb)
        except BaseException:
            self._staging.remove()
            raise
        self._plans = ScanPlans()
        self._tables = CatalogTables(lake, self._catalog)
        self._writer = DataFileWriter(self._storage, self._duckdb, self._errors)
        self._selected: dict[str, set[str]] = {}

    @cached_property
    def maintenance(self) -> EmbeddedMaintenance:
        """See `Engine.maintenance`."""
        from stedi_common.engines.embedded.maintenance import EmbeddedMaintenance  # noqa: PLC0415

        return EmbeddedMaintenance(self._lake, self._catalog, self._tables, self._rewritten)

    @cached_property
    def repairs(self) -> EmbeddedRepairs:
        """What `stedi check` and `stedi repair` do with the files of tables."""
        from stedi_common.engines.embedded.repairs import EmbeddedRepairs  # noqa: PLC0415

        return EmbeddedRepairs(self._lake, self._catalog, self._staging)

    # Tables and their snapshots

    def prepare(self, contract: Contract) -> None:
        """See `Engine.prepare`."""
        self._tables.prepare(contract)

    def exists(self, contract: Contract) -> bool:
        """See `Engine.exists`."""
        return self._tables.exists(contract)

    def unknown_tables(self, besides: Collection[str] = ()) -> Sequence[UnknownTable]:
        """See `Engine.unknown_tables`."""
        return unknown_tables(self._lake, besides)

    def empty(self, table: UnknownTable, summary: Mapping[str, str]) -> None:
        """See `Engine.empty`."""
        self._tables.empty(table, summary)

    def cached_lookups(self) -> AbstractContextManager[None]:
        """See `Engine.cached_lookups`."""
        return self._catalog.cached_lookups()

    def head(self, contract: Contract) -> Head:
        """See `Engine.head`."""
        return current_head(contract, self._tables.get(contract))

    def snapshot(self, contract: Contract, snapshot_id: int) -> Head | None:
        """See `Engine.snapshot`."""
        # A request for each would be most requests of a run. If it has expired meanwhile, reading it is a conflict.
        table = self._tables.get(contract) if self._lake.is_local else self._tables.get_with(contract, snapshot_id)
        snapshots = PyIcebergSnapshots(contract, table)
        found = snapshots.find(snapshot_id)
        return history.head_at(contract, snapshots, found) if found else None

    def history(self, contract: Contract, head: Head) -> Iterator[Head]:
        """See `Engine.history`."""
        return history.history(contract, self._snapshots(contract, head), head)

    def changed_days(self, contract: Contract, since: Head, head: Head) -> set[date] | None:
        """See `Engine.changed_days`."""
        return history.changed_days(self._snapshots(contract, head), since, head)

    def data_bytes(self, contract: Contract, head: Head, days: Collection[date] | None = None) -> int:
        """The bytes of the data files of a snapshot, as they are stored.

        Args:
            contract: the table's.
            head: the snapshot.
            days: of a partitioned table, only files of these days; None for all.
        """
        if days is None and (size := TableSize.of(head.summary)).files:
            return size.bytes
        table = self._tables.get_with(contract, head.snapshot_id)
        with self._snapshot_errors(contract, head):
            return sum(file.file_size_in_bytes for file in self._plans.files(contract, table, head, days))

    # Reading

    def read(
        self, contract: Contract, head: Head, days: Collection[date] | None = None, since: date | None = None
    ) -> Frame:
        """See `Engine.read`."""
        return self._frame(self._select(contract, head, self._files(contract, head, days, since)))

    def read_changed(self, contract: Contract, since: Head, head: Head) -> tuple[Frame, Frame]:
        """See `Engine.read_changed`."""
        before, after = (self._files(contract, at) for at in (since, head))
        both = set(before).intersection(after)
        rows = (
            self._frame(self._select(contract, at, [file for file in files if file not in both]))
            for at, files in ((since, before), (head, after))
        )
        return next(rows), next(rows)

    @contextmanager
    def query(self, sql: str, at: datetime | None = None) -> Iterator[Answer]:
        """The answer to one SELECT over the lake's tables, named `zone.table`. Nothing else is done with this engine.

        Args:
            sql: the SELECT, SHOW, DESCRIBE or SUMMARIZE.
            at: the tables are read as they were then, UTC without zone; None for their current heads.

        Raises:
            QueryError: the SQL is anything else, or is wrong, or a table that it names has no snapshot of that time.
            LakeError: a table that it names, or one of its files, is missing or damaged.
        """
        statement = checked(self._duckdb, sql)
        with self.cached_lookups():
            tables = self._queried(statement, at)
        with answered(self._duckdb, statement, tables) as answer:
            yield answer

    def _queried(self, statement: str, at: datetime | None) -> Tables:
        """The tables that a statement may read."""
        tables = Tables({}, [], {})
        for table in map(contract, names()):
            if not self.exists(table):
                tables.failures[table.identifier] = missing_table(table)
            elif not mentions(statement, table):
                tables.unread.append(table)
            else:
                try:
                    tables.scans[table] = self._scan(table, at)
                except (LakeError, QueryError) as error:  # it is raised if the rows are read
                    tables.unread.append(table)
                    tables.failures[table.identifier] = error
        return tables

    # Committing

    def append(self, contract: Contract, rows: Frame, onto: Head, summary: Mapping[str, str]) -> Head:
        """See `Engine.append`."""
        return self._commit(contract, rows, onto, summary, days=())

    def replace(self, contract: Contract, rows: Frame, onto: Head, summary: Mapping[str, str]) -> Head:
        """See `Engine.replace`."""
        return self._commit(contract, rows, onto, summary, days=None)

    def replace_days(
        self, contract: Contract, days: Collection[date], rows: Frame, onto: Head, summary: Mapping[str, str]
    ) -> Head:
        """See `Engine.replace_days`."""
        return self._commit(contract, rows, onto, summary, days)

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
        """See `Engine.replace_classified`."""
        with self._cached(classified, rows_in) as cached:
            counts = self.collect(cached.rows.group_by(DROPPED).agg(nw.len().alias("n")))
            summary = {**summary, **summarize({row[DROPPED]: row["n"] for row in counts})}
            return self._commit(contract, cached.kept(contract.names), onto, summary, days)

    # Landing

    @contextmanager
    def stage(self, reader: Reader, drops: Sequence[Drop], contract: Contract) -> Iterator[Staged]:
        """See `Engine.stage`."""
        from stedi_common.engines.storage.block_reader import REJECTED_RECORDS, BlockReader, merged  # noqa: PLC0415

        blocks = BlockReader(reader, drops)
        layouts = [ParquetLayout.of(table, self._ids(table)) for table in (contract, REJECTED_RECORDS)]
        threads = os.cpu_count() or 1
        with self._staging.subfolder() as folder:
            with ThreadPoolExecutor(threads) as pool:
                try:
                    tallies = merged(pool.map(lambda _: blocks.stage(folder, *layouts), range(threads)))
                except BaseException:  # Ctrl-C, too, or the pool waits for threads that read on to the end
                    blocks.stop()
                    raise
            self._staging.expect_rows(folder, tallies)
            files = self._staging.data_files(f"{folder}/{RECORDS}")
            records = self.fingerprint(self._staged(contract, files), contract.keys)
            rejected = self._staged(REJECTED_RECORDS, self._staging.data_files(f"{folder}/{REJECTED}"))
            yield Staged(records, rejected, tallies, self._staging.are_distinct(folder), files)

    def append_staged(self, contract: Contract, staged: Staged, onto: Head, summary: Mapping[str, str]) -> Head:
        """See `Engine.append_staged`."""
        table = self._tables.get(contract)
        expect_head(contract, table, onto)
        with self._staging.handed_over(staged.files, f"{self._lake.table_location(contract)}/data") as files:
            return commit(contract, table, [file.location for file in files], (), summary)

    def fingerprint(self, rows: Frame, keys: Sequence[str]) -> Frame:
        """See `Engine.fingerprint`."""
        columns = ", ".join(f'"{key}"' for key in keys)
        return _lazy(rows.to_native().project(f"*, hash({columns}) AS fingerprint"))

    # Computing

    @contextmanager
    def materialized(self, rows: Frame) -> Iterator[Materialized]:
        """See `Engine.materialized`."""
        name = f"materialized_{uuid.uuid4().hex}"
        try:
            with self._errors():
                created = self._duckdb.execute(f"CREATE TABLE {name} AS {rows.to_native().sql_query()}").fetchall()
            yield Materialized(self._frame(f"SELECT * FROM {name}"), rows=created[0][0])
        finally:
            with self._errors():
                self._duckdb.execute(f"DROP TABLE IF EXISTS {name}")

    def derive(self, rows: Frame, column: str, name: str, function: Callable[[str], str]) -> Frame:
        """See `Engine.derive`."""
        table = self._arrow(rows)
        derived = pa.array([function(value) for value in table[column].to_pylist()], pa.string())
        return _lazy(self._duckdb.from_arrow(table.append_column(name, derived)))

    def collect(self, rows: Frame) -> list[dict[str, Any]]:
        """See `Engine.collect`."""
        return list(self._arrow(rows).to_pylist())

    def batches(self, rows: Frame, size: int) -> Iterator[pa.RecordBatch]:
        """The rows, here, as record batches."""
        # On a cursor of its own: the next query of a connection ends what it still streams.
        with self._errors(), self._duckdb.cursor() as cursor:
            try:
                yield from cursor.sql(rows.to_native().sql_query()).to_arrow_reader(size)
            except (OSError, pa.ArrowException) as error:
                raise as_duckdb_error(error) from None

    def frame(self, contract: Contract, rows: Sequence[Mapping[str, Any]]) -> Frame:
        """See `Engine.frame`."""
        return _lazy(self._duckdb.from_arrow(pa.Table.from_pylist(list(rows), schema=arrow_schema(contract))))

    def close(self) -> None:
        """See `Engine.close`."""
        self._duckdb.close()
        self._storage.close()
        self._catalog.close()
        self._staging.remove()

    def _snapshots(self, contract: Contract, head: Head) -> PyIcebergSnapshots:
        return PyIcebergSnapshots(contract, self._tables.get_with(contract, head.snapshot_id))

    def _files(
        self, contract: Contract, head: Head, days: Collection[date] | None = None, since: date | None = None
    ) -> list[str]:
        """The data files of a snapshot."""
        table = self._tables.get_with(contract, head.snapshot_id)
        with self._snapshot_errors(contract, head):
            return [file.file_path for file in self._plans.files(contract, table, head, days, since)]

    def _select(self, contract: Contract, head: Head, files: Sequence[str]) -> str:
        """A SELECT of the rows of data files of a snapshot."""
        self._selected.setdefault(contract.identifier, set()).update(map(local, files))
        self._storage.prefetch(files)
        return select(contract, field_ids(self._tables.get_with(contract, head.snapshot_id)), files)

    @contextmanager
    def _snapshot_errors(self, contract: Contract, head: Head) -> Iterator[None]:
        """Raise CommitConflictError if the snapshot has expired, DamagedFileError if a file of it cannot be read."""
        try:
            with damage.named(contract.identifier, lambda: self._unreadable_manifest(contract, head)):
                yield
        except FileNotFoundError:
            raise conflict(contract) from None

    def _unreadable_manifest(self, contract: Contract, head: Head) -> str | None:
        """The file of a snapshot that cannot be read, unless the snapshot has expired in the meantime."""
        table = self._tables.get_again(contract)
        return damage.unreadable_manifest(table, head.snapshot_id) if has_snapshot(table, head) else None

    def _scan(self, contract: Contract, at: datetime | None) -> Scan:
        """What reads the rows of a table. Raises DamagedFileError for the metadata file that cannot be read."""
        table = self._tables.get(contract)
        head = current_head(contract, table) if at is None else head_as_of(contract, table, at)
        with self._snapshot_errors(contract, head):
            files = [file.file_path for file in self._plans.files(contract, table, head)]
        self._storage.prefetch(files)
        return Scan(select(contract, field_ids(table), files), [local(file) for file in files])

    def _commit(
        self, contract: Contract, rows: Frame, onto: Head, summary: Mapping[str, str], days: Collection[date] | None
    ) -> Head:
        """Commit rows that replace those of these days; of all days for None."""
        table = self._tables.get(contract)
        expect_head(contract, table, onto)
        with self._snapshot_errors(contract, onto):
            replaced = self._plans.files(contract, table, onto, days) if days is None or contract.partition else []
        with self._writer.written(contract, table, rows) as files:
            return commit(contract, table, files, replaced, summary)

    @contextmanager
    def _cached(self, classified: Classified, rows_in: int) -> Iterator[Classified]:
        """The rows, which are counted and then written: few are kept in between, many are faster computed twice."""
        if rows_in > MAX_CACHED_ROWS:
            yield classified
            return
        with self.materialized(classified.rows) as materialized:
            yield replace(classified, rows=materialized.frame)

    def _staged(self, contract: Contract, files: Sequence[DataFile]) -> Frame:
        return self._frame(select(contract, self._ids(contract), [file.location for file in files]))

    def _rewritten(self, contract: Contract, table: Table, files: Sequence[str]) -> AbstractContextManager[list[str]]:
        """The rows of data files in new ones, which are removed if the block fails."""
        return self._writer.written(contract, table, self._frame(select(contract, field_ids(table), files)))

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise DamagedFileError if DuckDB failed on a missing or damaged data file, else its error, redacted."""
        try:
            yield
        except duckdb.Error as error:
            known = redact(error)
            damaged = None if known.is_out_of_resources else damage.unreadable_data_file(self._selected, str(error))
            raise damaged or known from None

    def _arrow(self, rows: Frame) -> pa.Table:
        with self._errors():
            return rows.to_native().to_arrow_table()

    def _ids(self, contract: Contract) -> dict[str, int]:
        return field_ids(self._tables.known(contract))

    def _frame(self, sql: str) -> Frame:
        with self._errors():  # DuckDB opens the files here
            return _lazy(self._duckdb.sql(sql))


def _lazy(relation: duckdb.DuckDBPyRelation) -> Frame:
    return nw.from_native(relation)
