"""The Spark engine: on Glue, and anywhere Spark runs. Local sessions share the embedded engine's catalog."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import random
import sys
import time
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import reduce
from importlib.resources import as_file, files
from operator import or_
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
import pyspark
from py4j.protocol import Py4JError
from pyspark import SparkContext, StorageLevel
from pyspark.errors import PySparkException
from pyspark.java_gateway import launch_gateway
from pyspark.sql import Column, DataFrame, DataFrameWriterV2, Observation, SparkSession
from pyspark.sql import functions as F  # noqa: N812 - as all of Spark's world writes it

from stedi_common.contracts import Contract, contract
from stedi_common.engines.days import spans
from stedi_common.engines.errors import conflict, no_snapshot
from stedi_common.engines.protocol import Counts, Head, Materialized, Staged
from stedi_common.engines.spark.errors import conflicting, kind_of, redacted
from stedi_common.engines.spark.java import java_home, stdout_to_stderr
from stedi_common.engines.spark.maintenance import JavaMaintenance
from stedi_common.engines.spark.tables import JavaTables
from stedi_common.engines.storage.parquet import ARROW, DataFile, Layout, Parts
from stedi_common.engines.storage.staging import RECORDS, REJECTED, Blocks, Staging, merged
from stedi_common.errors import EngineError, LakeError
from stedi_common.lake import CATALOG, Lake
from stedi_common.records import Drop, Reader
from stedi_common.records.tally import Tally
from stedi_common.rules.frames import DROPPED, Classified, Frame

#: Compiling what Spark generates takes a third of a short run: these make Java compile later, and less at a time.
_COMPILE_LESS = (
    "-XX:Tier4InvocationThreshold=15000",
    "-XX:Tier4MinInvocationThreshold=2400",
    "-XX:Tier4CompileThreshold=30000",
    "-XX:Tier4BackEdgeThreshold=120000",
    "-XX:MaxInlineLevel=9",
    "-XX:InlineSmallCode=1500",
    "-XX:FreqInlineSize=200",
    "-XX:LoopUnrollLimit=20",
)


@dataclass(frozen=True)
class Generation:
    """A generation of Glue: the Spark it runs and the Iceberg that fits."""

    glue: str
    spark: str
    scala: str
    iceberg: str

    @property
    def packages(self) -> tuple[str, ...]:
        """The jars a local session needs, as group:artifact:version."""
        spark = self.spark.rpartition(".")[0]
        return (
            f"org.apache.iceberg:iceberg-spark-runtime-{spark}_{self.scala}:{self.iceberg}",
            "org.xerial:sqlite-jdbc:3.46.0.0",
        )


GENERATIONS = (
    Generation(glue="5.1", spark="3.5.6", scala="2.12", iceberg="1.10.0"),
    Generation(glue="6.0", spark="4.1.1", scala="2.13", iceberg="1.11.0"),
)

#: So many bytes of drops are read here sooner than Spark has started its Python workers.
LITTLE = 8 * 2**20
#: How long a branch stays that a killed run left, in milliseconds; expiry then takes it and its snapshots (rule 14).
BRANCH_AGE = 2 * 24 * 60 * 60 * 1000
#: How often a change of our own branch is tried while others change theirs, and how long it waits at most, in seconds.
TRIES, WAIT = 20, 0.2

_ARROW_SQL = {
    pa.string(): "string",
    pa.timestamp("us"): "timestamp_ntz",
    pa.date32(): "date",
    pa.float64(): "double",
    pa.int32(): "int",
    pa.int64(): "bigint",
}

REJECTED_RECORDS = contract("rejected_records")

#: A tally as JSON.
_TALLY = pa.schema([("file", pa.string()), ("tally", pa.string())])

#: What PySpark names with every expression. Py4J has Java look for it in all jars, each time.
_OFTEN_NAMED = (
    "functions",
    "PythonUtils",
    "SparkSession",
    "SparkSession$",
    "org.apache.spark.util.Utils",
    "py4j.reflection.TypeUtil",
)

#: PySpark's own, which write to stderr wherever they are, each failed query's message and place.
_QUOTING_LOGGERS = ("DataFrameQueryContextLogger", "SQLQueryContextLogger")


class SparkEngine:
    """See `Engine`."""

    name = "spark"

    def __init__(self, lake: Lake, *, writes: bool = True) -> None:
        self._lake = lake
        if lake.is_local:
            lake.folder.mkdir(parents=True, exist_ok=True)
        self._owns_context = SparkContext._active_spark_context is None
        self._spark = _session(lake)
        self._tables = JavaTables(lake, self._spark._jsparkSession, self._jvm)
        self._staging = Staging(lake, writes=writes)
        self.maintenance = JavaMaintenance(lake, self._tables, self._spark._jsparkSession, self._jvm)

    def prepare(self, contract: Contract) -> None:
        """Make the table what its contract wants, whoever made it."""
        self._tables.prepare(contract)

    def exists(self, contract: Contract) -> bool:
        """Whether the table is there."""
        return self._tables.find(contract) is not None

    def head(self, contract: Contract) -> Head:
        """The table's current snapshot."""
        table = self._tables.get(contract)
        snapshot = table.currentSnapshot()
        if snapshot is None:
            raise no_snapshot(contract)
        return _head(contract, table, snapshot)

    def snapshot(self, contract: Contract, snapshot_id: int) -> Head | None:
        """A snapshot of the table; None if it is no longer kept."""
        table = self._tables.get(contract)
        found = table.snapshot(snapshot_id)
        return _head(contract, table, found) if found else None

    def history(self, contract: Contract, head: Head) -> Iterator[Head]:
        """The snapshot and those it came from, newest first."""
        table = self._tables.get(contract)
        return (_head(contract, table, snapshot) for snapshot in _back(table, head))

    def changed_days(self, contract: Contract, since: Head, head: Head) -> set[date] | None:
        """The days whose rows may differ between a snapshot and the later `head`."""
        table = self._tables.get(contract)
        a_day = self._jvm.java.lang.Class.forName("java.lang.Integer")
        days: set[date] = set()
        for snapshot in _back(table, head):
            if snapshot.snapshotId() == since.snapshot_id:
                return days
            for file in _changed(table, snapshot):
                if contract.partition is None or file.specId() != table.spec().specId():
                    return None
                days.add(date(1970, 1, 1) + timedelta(days=file.partition().get(0, a_day)))
        return None

    def read(
        self, contract: Contract, head: Head, days: Collection[date] | None = None, since: date | None = None
    ) -> Frame:
        """The rows at that snapshot."""
        # Of the reader's options each generation knows another one, and ignores or refuses the other's.
        rows = self._spark.sql(f"SELECT * FROM {self._name(contract)} VERSION AS OF {head.snapshot_id}")
        if days is not None and contract.partition is not None:
            rows = rows.where(_on_days(contract.partition.name, days))
        if since is not None and contract.partition is not None:
            rows = rows.where(F.col(contract.partition.name) >= F.lit(str(since)).cast("timestamp_ntz"))
        # A snapshot has the columns of its time, so not those that the contract has gained since.
        for column in contract.columns:
            if column.name not in rows.columns:
                rows = rows.withColumn(column.name, F.lit(None).cast(_ARROW_SQL[ARROW[column.type]]))
        return _lazy(rows)

    def append(self, contract: Contract, rows: Frame, onto: Head, summary: Mapping[str, str]) -> Head:
        """Add rows, in one snapshot that carries the summary."""
        return self._commit(contract, onto, lambda branch: self._writer(contract, rows, branch, summary).append())

    def replace(self, contract: Contract, rows: Frame, onto: Head, summary: Mapping[str, str]) -> Head:
        """Put these rows in the place of all, in one snapshot that carries the summary."""
        everything = F.lit(True)
        return self._commit(
            contract, onto, lambda branch: self._writer(contract, rows, branch, summary).overwrite(everything)
        )

    def replace_days(
        self, contract: Contract, days: Collection[date], rows: Frame, onto: Head, summary: Mapping[str, str]
    ) -> Head:
        """Put these rows in the place of all rows of these days, in one snapshot that carries the summary."""
        if contract.partition is None or not days:
            return self._commit(contract, onto, lambda branch: self._append_files(contract, (), branch, summary))
        whole_days = _on_days(contract.partition.name, days)
        return self._commit(
            contract, onto, lambda branch: self._writer(contract, rows, branch, summary).overwrite(whole_days)
        )

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
        """Overwrite all rows of these days, or of all for None, with those of the rows that are kept.

        They are counted while they are written, and only once. So a second snapshot, of no rows, has the counts; both
        become the table's at once.
        """
        place = F.lit(True) if days is None or contract.partition is None else _on_days(contract.partition.name, days)
        passing: list[Observation] = []

        def write(branch: str) -> None:
            # One that has seen an attempt fail would tell of that.
            passing[:] = [Observation()]
            rows = replace(
                classified, rows=_lazy(classified.rows.to_native().observe(passing[0], *_counting(classified.reasons)))
            )
            self._writer(contract, rows.kept(contract.names), branch, summary).overwrite(place)

        def tell(branch: str) -> None:
            self._append_files(contract, (), branch, {**summary, **summarize(_counted(passing[0]))})

        return self._commit(contract, onto, write, tell)

    @contextmanager
    def stage(self, reader: Reader, drops: Sequence[Drop], contract: Contract) -> Iterator[Staged]:
        """The drops as `reader` reads them, in Python workers if they are large."""
        layouts = self._layout(contract), self._layout(REJECTED_RECORDS)
        with self._staging.subfolder() as folder, redacted():
            if sum(drop.bytes for drop in drops) <= LITTLE:
                tallies = Blocks(reader, drops).write(folder, *layouts)
            else:
                tallies = self._read_in_workers(reader, drops, folder, layouts)
            records, rejected = (
                _lazy(self._parquet(f"{folder}/{name}", layout.schema))
                for name, layout in zip((RECORDS, REJECTED), layouts, strict=True)
            )
            records = self.fingerprint(records, contract.keys)
            files = self._staging.data_files(f"{folder}/{RECORDS}")
            yield Staged(records, rejected, tallies, self._staging.are_distinct(folder), files)

    def _read_in_workers(
        self, reader: Reader, drops: Sequence[Drop], folder: str, layouts: tuple[Layout, Layout]
    ) -> dict[str, Tally]:
        """What `Blocks.write` does, by Spark's tasks."""
        piles = _piles(drops, self._spark.sparkContext.defaultParallelism * 2)
        tasks = self._spark.range(0, len(piles), 1, len(piles))
        told = tasks.mapInArrow(_writing(reader, piles, folder, layouts), _sql_schema(_TALLY)).collect()
        return merged({row["file"]: Tally.from_json(row["tally"])} for row in told)

    def _parquet(self, folder: str, schema: pa.Schema) -> DataFrame:
        # The days are Arrow's, which knows one calendar only; Spark asks where a birthday lies before 1582.
        files = self._spark.read.schema(_sql_schema(schema)).option("datetimeRebaseMode", "CORRECTED")
        # A folder of S3 is there only if something is in it.
        there = [folder] if self._staging.data_files(folder) else []
        return files.option("recursiveFileLookup", "true").parquet(*there)

    def append_staged(self, contract: Contract, staged: Staged, onto: Head, summary: Mapping[str, str]) -> Head:
        """Add all staged records, in one snapshot that carries the summary."""
        with self._staging.handed_over(staged.files, f"{self._lake.table_location(contract)}/data") as moved:
            return self._commit(contract, onto, lambda branch: self._append_files(contract, moved, branch, summary))

    def _append_files(
        self, contract: Contract, files: Sequence[DataFile], branch: str, summary: Mapping[str, str]
    ) -> None:
        table = self._tables.get(contract)
        commit = table.newFastAppend().toBranch(branch)
        for name, value in summary.items():
            commit.set(name, value)
        for file in files:
            commit.appendFile(self._data_file(table, file))
        commit.commit()

    def _data_file(self, table: Any, file: DataFile) -> Any:
        """The file with its metrics, in Iceberg's Java API."""
        iceberg = self._jvm.org.apache.iceberg
        written = table.io().newInputFile(file.location)
        metrics = iceberg.parquet.ParquetUtil.fileMetrics(written, iceberg.MetricsConfig.forTable(table))
        entry = (
            iceberg.DataFiles.builder(table.spec()).withInputFile(written).withFormat("parquet").withMetrics(metrics)
        )
        return (entry.withPartitionPath(file.partition) if file.partition else entry).build()

    def fingerprint(self, rows: Frame, keys: Sequence[str]) -> Frame:
        """The rows with `fingerprint`."""
        return _lazy(rows.to_native().withColumn("fingerprint", F.xxhash64(*keys)))

    @contextmanager
    def materialized(self, rows: Frame) -> Iterator[Materialized]:
        """The rows, computed once."""
        held = rows.to_native().persist(StorageLevel.DISK_ONLY)
        try:
            with redacted():
                # Counting computes them, and tells the planner how few they are.
                count = held.count()
            yield Materialized(_lazy(held), count)
        finally:
            held.unpersist()

    def derive(self, rows: Frame, column: str, name: str, function: Callable[[str], str]) -> Frame:
        """The rows with a column that a Python function makes, in Python workers: no argument of it is in a plan."""
        native: DataFrame = rows.to_native()
        columns = [f"`{field.name}` {field.dataType.simpleString()}" for field in native.schema]

        def derived(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                values = pa.array([function(value) for value in batch.column(column).to_pylist()], pa.string())
                yield pa.RecordBatch.from_arrays([*batch.columns, values], names=[*batch.schema.names, name])

        return _lazy(native.mapInArrow(derived, ", ".join([*columns, f"`{name}` string"])))

    def collect(self, rows: Frame) -> list[dict[str, Any]]:
        """The rows, here."""
        with redacted():
            return [row.asDict() for row in rows.to_native().collect()]

    def frame(self, contract: Contract, rows: Sequence[Mapping[str, Any]]) -> Frame:
        """Rows from here: by a file, which takes no Python worker to read."""
        layout = self._layout(contract)
        file = f"{self._staging.folder}/{uuid.uuid4().hex}"
        with Parts(file, layout) as parts:
            parts.add(pa.RecordBatch.from_pylist(list(rows), layout.schema))
        return _lazy(self._parquet(file, layout.schema))

    def close(self) -> None:
        """Remove what was staged; stop Spark, if this engine started it."""
        self._staging.remove()
        if self._owns_context:
            self._spark.stop()

    def _name(self, contract: Contract) -> str:
        return f"{CATALOG}.{self._lake.identifier(contract)}"

    def _layout(self, contract: Contract) -> Layout:
        columns = self._tables.get(contract).schema().columns()
        return Layout.of(contract, {column.name(): column.fieldId() for column in columns})

    @property
    def _jvm(self) -> Any:
        return self._spark._jvm

    def _commit(self, contract: Contract, onto: Head, *writes: Callable[[str], None]) -> Head:
        """Write to a branch made at the head, then move the table there, which works only if it is still at the head.

        Each of the writes makes a snapshot. Spark's own appends never look whether somebody else has committed in
        between.
        """
        branch = f"stedi_{uuid.uuid4().hex}"

        def table() -> Any:
            return self._tables.get(contract)

        def written() -> Any:
            """The branch's snapshot; None without one."""
            ref = table().refs().get(branch)
            return ref and ref.snapshotId()

        def create() -> None:
            refs = table().manageSnapshots()
            refs.createBranch(branch, onto.snapshot_id).setMaxRefAgeMs(branch, BRANCH_AGE).commit()

        def is_forward() -> bool:
            return bool(self._jvm.org.apache.iceberg.util.SnapshotUtil.isAncestorOf(table(), written()))

        with conflicting(contract):
            _ensure(create, lambda: written() is not None)
            try:
                at = onto.snapshot_id
                for write in writes:
                    at = self._extended(contract, branch, at, write)
                _ensure(lambda: table().manageSnapshots().fastForwardBranch("main", branch).commit(), is_forward)
            finally:
                # Whatever becomes of the branch, the table is told. One that stays expires, as those of killed runs do.
                with suppress(Py4JError, PySparkException, EngineError):
                    _ensure(lambda: table().manageSnapshots().removeBranch(branch).commit(), lambda: written() is None)
        return _head(contract, table(), table().snapshot(at))

    def _extended(self, contract: Contract, branch: str, at: int, write: Callable[[str], None]) -> int:
        """Let `write` make a snapshot on that one, the branch's. Returns its id.

        Expiry may have taken the branch before it was written to: Iceberg then makes it anew, where the table is.
        """

        def made() -> Any:
            return self._tables.get(contract).snapshot(branch)

        def is_made() -> bool:
            snapshot = made()
            return snapshot is None or snapshot.snapshotId() != at

        _ensure(lambda: write(branch), is_made)
        snapshot = made()
        if snapshot is None or snapshot.parentId() != at:
            raise conflict(contract)
        return int(snapshot.snapshotId())

    def _writer(self, contract: Contract, rows: Frame, branch: str, summary: Mapping[str, str]) -> DataFrameWriterV2:
        native: DataFrame = rows.select(*contract.names).to_native()
        writer = native.writeTo(f"{self._name(contract)}.branch_{branch}")
        for name, value in summary.items():
            writer = writer.option(f"snapshot-property.{name}", value)
        return writer


def _session(lake: Lake) -> SparkSession:
    """A session of the driver that runs already (Glue, spark-submit), or of a local one; it knows this lake only."""
    spark = driver({}).newSession()
    for name, value in {"spark.sql.session.timeZone": "UTC", **_catalog(lake)}.items():
        spark.conf.set(name, value)
    # Expressions take their settings from the active session, not from the one whose rows they are used on.
    jvm: Any = spark._jvm
    for name in _OFTEN_NAMED:
        _found_once(jvm, name)
    jvm.SparkSession.setActiveSession(spark._jsparkSession)
    # Spark's messages quote values of the data, in Java's log and since Spark 4 in Python's too.
    spark.sparkContext.setLogLevel("OFF")
    for name in _QUOTING_LOGGERS:
        logging.getLogger(name).disabled = True
    return spark


def _found_once(jvm: Any, name: str) -> None:
    """Keep what Java finds under that name where Py4J looks first."""
    for part in name.split("."):
        setattr(jvm, part, getattr(jvm, part))
        jvm = getattr(jvm, part)


def driver(settings: Mapping[str, str]) -> SparkSession:
    """The driver that runs already, or a local one, with these settings beside its own."""
    with ExitStack() as until_it_runs:
        builder = SparkSession.builder.appName("stedi")
        for name, value in {**_driver(until_it_runs), **settings}.items():
            builder = builder.config(name, value)
        # Downloading jars, Java says so on stdout, which is for answers.
        until_it_runs.enter_context(stdout_to_stderr())
        return builder.getOrCreate()


def _driver(until_it_runs: ExitStack) -> dict[str, str]:
    """What the driver needs to be told. Nothing if one runs that has Iceberg; else we start our own.

    `spark-submit` without `--packages` runs one that has not, and a class path cannot grow: its settings are kept.
    """
    if SparkContext._active_spark_context is not None:
        return {}
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        return _local(until_it_runs)
    submitted = launch_gateway()  # type: ignore[no-untyped-call]
    if _has_iceberg(submitted):
        return {}
    settings = {entry._1(): entry._2() for entry in submitted.jvm.org.apache.spark.SparkConf().getAll()}
    submitted.close()
    for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET"):
        del os.environ[name]
    return {
        **_local(until_it_runs),
        **{k: v for k, v in settings.items() if not k.startswith(("spark.app.", "spark.submit."))},
    }


def _has_iceberg(gateway: Any) -> bool:
    try:
        loader = gateway.jvm.java.lang.Thread.currentThread().getContextClassLoader()
        loader.loadClass("org.apache.iceberg.spark.SparkCatalog")
    except Py4JError:
        return False
    return True


def _catalog(lake: Lake) -> dict[str, str]:
    """The lake's catalog under the name that every query uses."""
    catalog = f"spark.sql.catalog.{CATALOG}"
    settings = {catalog: "org.apache.iceberg.spark.SparkCatalog", f"{catalog}.cache-enabled": "false"}
    if not lake.is_local:
        return settings | {
            f"{catalog}.type": "glue",
            f"{catalog}.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
            # Iceberg wants one; every table says its own location.
            f"{catalog}.warehouse": lake.above("landing"),
        }
    return settings | {
        f"{catalog}.type": "jdbc",
        f"{catalog}.uri": f"jdbc:sqlite:{lake.catalog_uri}",
        f"{catalog}.jdbc.schema-version": "V1",
        # Looking for the catalog's tables, Iceberg leaves a cursor open, which locks the file for all others.
        f"{catalog}.jdbc.init-catalog-tables": str(not Path(lake.catalog_uri).exists()).lower(),
        # More than one connection to a SQLite file from one process blocks itself.
        f"{catalog}.clients": "1",
        f"{catalog}.warehouse": f"file://{lake.location}",
    }


def _local(until_it_runs: ExitStack) -> dict[str, str]:
    """What Glue brings and a local session needs to be told."""
    os.environ["JAVA_HOME"] = java_home()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with as_file(files(__package__) / "log4j2.properties") as log4j:
        # On few cores the collector that stops the world does less work in all than the one that runs beside.
        options = [f"-Dlog4j.configurationFile={log4j}", "-XX:+UseParallelGC", *_COMPILE_LESS]
    jars = until_it_runs.enter_context(_cached_jars(_generation()))
    return {
        "spark.master": "local[*]",
        "spark.driver.memory": "2g",
        # Rows that are sorted or joined lie outside of Java's heap, where no collector moves them about.
        "spark.memory.offHeap.enabled": "true",
        "spark.memory.offHeap.size": "2g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": " ".join([*options, *(_class_archive(jars) if jars else [])]),
        "spark.sql.shuffle.partitions": str(8 * (os.cpu_count() or 1)),
        # One machine has its tables of customers in one memory, and need not sort readings to join them. Shuffled rows
        # are compressed, up to ten times: what is hashed must fit uncompressed, and may be the larger side.
        "spark.sql.autoBroadcastJoinThreshold": "32m",
        "spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold": "32m",
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # Nobody looks at the plans, which are written out at every step.
        "spark.sql.ui.explainMode": "simple",
        **({"spark.driver.extraClassPath": ":".join(map(str, jars))} if jars else _download(_generation())),
    }


def _generation() -> Generation:
    for generation in GENERATIONS:
        if generation.spark == pyspark.__version__:
            return generation
    known = ", ".join(f"{g.spark} (Glue {g.glue})" for g in GENERATIONS)
    raise LakeError(f"engine spark: expected Spark {known}, got {pyspark.__version__}")


@contextmanager
def _cached_jars(generation: Generation) -> Iterator[list[Path]]:
    """The jars as files, if all of them have been downloaded. Else nobody but the block may do that."""
    named = [package.split(":") for package in generation.packages]
    jars = [_cache() / "ivy" / "jars" / f"{group}_{artifact}-{version}.jar" for group, artifact, version in named]
    _cache().mkdir(parents=True, exist_ok=True)
    with (_cache() / "ivy.lock").open("w") as lock:
        # Two that download at once take away each other's files, and a file is there before it is whole.
        fcntl.flock(lock, fcntl.LOCK_EX)
        there = all(jar.exists() for jar in jars)
        if there:
            fcntl.flock(lock, fcntl.LOCK_UN)
        yield jars if there else []


def _download(generation: Generation) -> dict[str, str]:
    """Let Spark download the jars from Maven Central, once."""
    return {
        "spark.jars.ivy": str(_cache() / "ivy"),
        "spark.jars.packages": ",".join(generation.packages),
        # Spark has it.
        "spark.jars.excludes": "org.slf4j:slf4j-api",
    }


def _class_archive(jars: list[Path]) -> list[str]:
    """Java options that let the first session leave its loaded classes to later ones, which saves them seconds.

    An archive is of one Java and one class path; a Java that cannot use one does without.
    """
    of = "\n".join([os.environ["JAVA_HOME"], pyspark.__file__, *map(str, jars)])
    archive = _cache() / f"classes-{hashlib.sha256(of.encode()).hexdigest()[:16]}.jsa"
    if archive.exists():
        return [f"-XX:SharedArchiveFile={archive}"]
    # Java warns of each class that cannot go into it.
    return [f"-XX:ArchiveClassesAtExit={archive}", "-Xlog:disable", "-Xlog:all=error:stderr"]


def _cache() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "stedi"


def _written(table: Any, snapshot: Any) -> Any:
    """The last snapshot up to this one that changed rows, as far as there still is one."""
    while snapshot.operation() == "replace" and snapshot.parentId() is not None:
        parent = table.snapshot(snapshot.parentId())
        if parent is None:
            break
        snapshot = parent
    return snapshot


def _lazy(rows: DataFrame) -> Frame:
    return nw.from_native(rows)


def _piles(drops: Sequence[Drop], most: int) -> list[list[Drop]]:
    """The drops dealt onto at most so many piles of about the same size."""
    piles: list[list[Drop]] = [[] for _ in range(min(most, len(drops)))]
    sizes = [0] * len(piles)
    for drop in sorted(drops, key=lambda drop: -drop.bytes):
        smallest = sizes.index(min(sizes))
        piles[smallest].append(drop)
        sizes[smallest] += drop.bytes
    return piles


def _writing(
    reader: Reader, piles: list[list[Drop]], folder: str, layouts: tuple[Layout, Layout]
) -> Callable[[Iterable[pa.RecordBatch]], Iterable[pa.RecordBatch]]:
    def write(batches: Iterable[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        for batch in batches:
            for pile in batch.column("id").to_pylist():
                tallies = Blocks(reader, piles[pile]).write(folder, *layouts)
                rows = [{"file": file, "tally": tally.as_json()} for file, tally in tallies.items()]
                yield pa.RecordBatch.from_pylist(rows, _TALLY)

    return write


def _sql_schema(schema: pa.Schema) -> str:
    return ", ".join(f"`{field.name}` {_ARROW_SQL[field.type]}" for field in schema)


def _counting(reasons: Collection[str]) -> list[Column]:
    """How many classified rows go on, as `kept`, and how many do not, by reason."""
    dropped = F.col(DROPPED)
    kept = F.count(F.when(dropped.isNull(), 1)).alias("kept")
    return [kept, *(F.count(F.when(dropped == reason, 1)).alias(reason) for reason in reasons)]


def _counted(passing: Observation) -> Counts:
    counts = dict(passing.get)
    kept = counts.pop("kept")
    return {None: kept, **{reason: n for reason, n in counts.items() if n}}


def _on_days(column: str, days: Collection[date]) -> Any:
    def within(span: tuple[date, date]) -> Any:
        start, end = (F.lit(str(day)).cast("timestamp_ntz") for day in span)
        return (F.col(column) >= start) & (F.col(column) < end)

    return reduce(or_, map(within, spans(days)), F.lit(False))


def _head(contract: Contract, table: Any, snapshot: Any) -> Head:
    written = _written(table, snapshot)
    committed_at = datetime.fromtimestamp(written.timestampMillis() / 1000, UTC).replace(tzinfo=None)
    return Head(contract.name, snapshot.snapshotId(), written.snapshotId(), committed_at, dict(written.summary()))


def _back(table: Any, head: Head) -> Iterator[Any]:
    """The snapshot and those it came from, newest first, as far as they are kept."""
    snapshot = table.snapshot(head.snapshot_id)
    while snapshot:
        yield snapshot
        parent = snapshot.parentId()
        snapshot = parent and table.snapshot(parent)


def _changed(table: Any, snapshot: Any) -> list[Any]:
    """The data files that the snapshot added or removed, unless it has the same rows in other files."""
    if snapshot.operation() == "replace":
        return []
    return [*snapshot.addedDataFiles(table.io()), *snapshot.removedDataFiles(table.io())]


def _ensure(change: Callable[[], object], is_done: Callable[[], bool]) -> None:
    """Make the change, and again while other commits to the table come in between.

    The table says not to retry (see `table_properties`), but branches that come and go are no reason to give up.
    Where the table itself has moved, moving it to our branch fails with another error. Whatever the error, the catalog
    may have made the change all the same.
    """
    for tries in range(1, TRIES + 1):
        try:
            change()
        except (Py4JError, PySparkException) as error:
            if is_done():
                return
            if kind_of(error) != "CommitFailedException" or tries == TRIES:
                raise
            time.sleep(random.uniform(0, WAIT))  # noqa: S311 - only so that two that collide part
        else:
            return
