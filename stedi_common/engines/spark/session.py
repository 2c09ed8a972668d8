"""The Spark session: of a driver that runs already (Glue, spark-submit), or of a local driver that this starts."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pyspark
from py4j.protocol import Py4JError
from pyspark import SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from stedi_common.engines.spark import local_disk
from stedi_common.engines.spark.jars import cached_jars, class_archive_options, download_settings
from stedi_common.engines.spark.java import java_home, stdout_to_stderr
from stedi_common.errors import LakeError
from stedi_common.files import current_umask
from stedi_common.lake import CATALOG, Lake

#: Options of Java's JIT compiler. It takes a third of a short run; with these it compiles later, and less at a time.
_JIT_OPTIONS = (
    "-XX:Tier4InvocationThreshold=15000",
    "-XX:Tier4MinInvocationThreshold=2400",
    "-XX:Tier4CompileThreshold=30000",
    "-XX:Tier4BackEdgeThreshold=120000",
    "-XX:MaxInlineLevel=9",
    "-XX:InlineSmallCode=1500",
    "-XX:FreqInlineSize=200",
    "-XX:LoopUnrollLimit=20",
)


#: Java names that PySpark uses with every expression. Without `_look_up_once`, Py4J searches all jars each time.
_JAVA_NAMES = (
    "functions",
    "PythonUtils",
    "SparkSession",
    "SparkSession$",
    "org.apache.spark.util.Utils",
    "py4j.reflection.TypeUtil",
)

#: PySpark's own, which write to stderr wherever they are, each failed query's message and place.
_QUOTING_LOGGERS = ("DataFrameQueryContextLogger", "SQLQueryContextLogger")


@dataclass(frozen=True)
class GlueVersion:
    """A version of Glue, with the version of Spark that it runs, and of Iceberg that fits.

    Attributes:
        glue: the version of Glue.
        spark: the version of Spark and PySpark.
        scala: the version of Scala that this Spark is built for.
        iceberg: the version of Iceberg's Spark runtime.
    """

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


GLUE_VERSIONS = (
    GlueVersion(glue="5.1", spark="3.5.6", scala="2.12", iceberg="1.10.0"),
    GlueVersion(glue="6.0", spark="4.1.1", scala="2.13", iceberg="1.11.0"),
)


def session(lake: Lake) -> SparkSession:
    """A new session, whose catalog is that of this lake.

    Args:
        lake: where the tables are.

    Raises:
        LakeError: there is no Java, or the version of Spark is not supported.
    """
    if lake.catalog:
        raise LakeError(
            f"engine spark: expected the Glue Data Catalog, got the catalog {lake.catalog}",
            hint="only the embedded engine can use --catalog: --engine embedded",
        )
    spark = driver_session({}).newSession()
    for name, value in {"spark.sql.session.timeZone": "UTC", **_catalog_settings(lake)}.items():
        spark.conf.set(name, value)
    # Expressions take their settings from the active session, not from the one whose rows they are used on.
    jvm: Any = spark._jvm
    for name in _JAVA_NAMES:
        _look_up_once(jvm, name)
    jvm.SparkSession.setActiveSession(spark._jsparkSession)
    # Spark's messages quote values of the data, in Java's log and since Spark 4 in Python's too.
    spark.sparkContext.setLogLevel("OFF")
    for name in _QUOTING_LOGGERS:
        logging.getLogger(name).disabled = True
    return spark


def _look_up_once(jvm: Any, name: str) -> None:
    """Keep what Java has under this name as an attribute, where Py4J looks first."""
    for part in name.split("."):
        setattr(jvm, part, getattr(jvm, part))
        jvm = getattr(jvm, part)


def driver_session(settings: Mapping[str, str]) -> SparkSession:
    """The session of the driver that runs already; without one, a local driver is started.

    Args:
        settings: further settings of Spark, for a driver that is started.

    Raises:
        LakeError: there is no Java, or the version of Spark is not supported.
    """
    with ExitStack() as startup:
        builder = SparkSession.builder.appName("stedi")
        for name, value in {**_driver_settings(startup), **settings}.items():
            builder = builder.config(name, value)
        # Downloading jars, Java says so on stdout, which is for answers.
        startup.enter_context(stdout_to_stderr())
        return builder.getOrCreate()


def _driver_settings(startup: ExitStack) -> dict[str, str]:
    """The settings of a local driver. Of a driver that runs and has Iceberg, only what it does not say itself.

    `spark-submit` without `--packages` runs a driver without Iceberg, and a class path cannot grow. So that driver is
    replaced by a local one, which keeps its settings.
    """
    if SparkContext._active_spark_context is not None:
        return {}
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        return _local_settings(startup)
    submitted = launch_gateway()  # type: ignore[no-untyped-call]
    settings = {entry._1(): entry._2() for entry in submitted.jvm.org.apache.spark.SparkConf().getAll()}
    if _has_iceberg(submitted):
        return {name: value for name, value in local_disk.ENCRYPTION.items() if name not in settings}
    submitted.close()
    for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET"):
        del os.environ[name]
    return {
        **_local_settings(startup),
        **{k: v for k, v in settings.items() if not k.startswith(("spark.app.", "spark.submit."))},
        **local_disk.settings(),
    }


def _has_iceberg(gateway: Any) -> bool:
    try:
        loader = gateway.jvm.java.lang.Thread.currentThread().getContextClassLoader()
        loader.loadClass("org.apache.iceberg.spark.SparkCatalog")
    except Py4JError:
        return False
    return True


def _catalog_settings(lake: Lake) -> dict[str, str]:
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
        # Hadoop sets the mode of each file, by a mask of its own. A cached file system keeps the mask of its opening.
        f"{catalog}.hadoop.fs.permissions.umask-mode": f"{current_umask():03o}",
        f"{catalog}.hadoop.fs.file.impl.disable.cache": "true",
    }


def _local_settings(startup: ExitStack) -> dict[str, str]:
    """The settings of a local driver, for what Glue brings."""
    os.environ["JAVA_HOME"] = java_home()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with as_file(files(__package__) / "log4j2.properties") as log4j:
        # On few cores the collector that stops the world does less work in all than the one that runs beside.
        options = [f"-Dlog4j.configurationFile={log4j}", "-XX:+UseParallelGC", *_JIT_OPTIONS]
    options.append(local_disk.java_option())
    startup.enter_context(local_disk.settings_obeyed())
    packages = _glue_version().packages
    jars = startup.enter_context(cached_jars(packages))
    return {
        "spark.master": "local[*]",
        "spark.driver.memory": "2g",
        # Rows that are sorted or joined lie outside of Java's heap, where no collector moves them about.
        "spark.memory.offHeap.enabled": "true",
        "spark.memory.offHeap.size": "2g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": " ".join([*options, *(class_archive_options(jars) if jars else [])]),
        "spark.sql.shuffle.partitions": str(8 * (os.cpu_count() or 1)),
        # One machine has its tables of customers in one memory, and need not sort readings to join them. Shuffled rows
        # are compressed, up to ten times: what is hashed must fit uncompressed, and may be the larger side.
        "spark.sql.autoBroadcastJoinThreshold": "32m",
        "spark.sql.adaptive.maxShuffledHashJoinLocalMapThreshold": "32m",
        **local_disk.settings(),
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        # Nobody looks at the plans, which are written out at every step.
        "spark.sql.ui.explainMode": "simple",
        **({"spark.driver.extraClassPath": ":".join(map(str, jars))} if jars else download_settings(packages)),
    }


def _glue_version() -> GlueVersion:
    for version in GLUE_VERSIONS:
        if version.spark == pyspark.__version__:
            return version
    known = ", ".join(f"{g.spark} (Glue {g.glue})" for g in GLUE_VERSIONS)
    raise LakeError(f"engine spark: expected Spark {known}, got {pyspark.__version__}")
