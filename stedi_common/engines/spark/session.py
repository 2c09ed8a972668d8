"""The Spark session: of a driver that runs already (Glue, spark-submit), or of a local driver that this starts."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.resources import as_file, files
from typing import Any

import pyspark
from py4j.protocol import Py4JError
from pyspark import SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from stedi_common.engines.spark import local_disk
from stedi_common.engines.spark.catalog_settings import catalog_settings
from stedi_common.engines.spark.jars import cached_jars, class_archive_options, download_settings
from stedi_common.engines.spark.java import java_home, stdout_to_stderr
from stedi_common.errors import LakeError
from stedi_common.lake import Lake

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


#: The setting that tells a local driver, which this package has started.
_IS_LOCAL = "spark.stedi.local"


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

    @property
    def packages_of_s3(self) -> tuple[str, ...]:
        """The further jars of a local session for a lake in S3, as group:artifact:version."""
        return (f"org.apache.iceberg:iceberg-aws-bundle:{self.iceberg}",)


GLUE_VERSIONS = (
    GlueVersion(glue="5.1", spark="3.5.6", scala="2.12", iceberg="1.10.0"),
    GlueVersion(glue="6.0", spark="4.1.1", scala="2.13", iceberg="1.11.0"),
)


def session(lake: Lake) -> SparkSession:
    """A new session, whose catalog is that of this lake.

    Args:
        lake: where the tables are.

    Raises:
        LakeError: there is no Java, or the version of Spark is not supported, or the catalog is not known.
    """
    spark = driver_session({}, uses_s3=not lake.is_local).newSession()
    for name, value in {"spark.sql.session.timeZone": "UTC", **catalog_settings(lake)}.items():
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


def is_local(spark: SparkSession) -> bool:
    """Whether this package has started the driver: then all of Spark is this machine, and Hadoop knows no S3."""
    return spark.conf.get(_IS_LOCAL, None) is not None


def _look_up_once(jvm: Any, name: str) -> None:
    """Keep what Java has under this name as an attribute, where Py4J looks first."""
    for part in name.split("."):
        setattr(jvm, part, getattr(jvm, part))
        jvm = getattr(jvm, part)


def driver_session(settings: Mapping[str, str], *, uses_s3: bool = False) -> SparkSession:
    """The session of the driver that runs already; without one, a local driver is started.

    Args:
        settings: further settings of Spark, for a driver that is started.
        uses_s3: whether a driver that is started can open a lake in S3. That takes one more package, of 60 MB.

    Raises:
        LakeError: there is no Java, or the version of Spark is not supported.
    """
    with ExitStack() as startup:
        builder = SparkSession.builder.appName("stedi")
        for name, value in {**_driver_settings(startup, uses_s3), **settings}.items():
            builder = builder.config(name, value)
        # Downloading jars, Java says so on stdout, which is for answers.
        startup.enter_context(stdout_to_stderr())
        return builder.getOrCreate()


def _driver_settings(startup: ExitStack, uses_s3: bool) -> dict[str, str]:
    """The settings of a local driver. Of a driver that runs and has Iceberg, only what it does not say itself.

    `spark-submit` without `--packages` runs a driver without Iceberg, and a class path cannot grow. So that driver is
    replaced by a local one, which keeps its settings.
    """
    if SparkContext._active_spark_context is not None:
        return {}
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        return _local_settings(startup, uses_s3)
    submitted = launch_gateway()  # type: ignore[no-untyped-call]
    settings = {entry._1(): entry._2() for entry in submitted.jvm.org.apache.spark.SparkConf().getAll()}
    if _has_iceberg(submitted):
        return {name: value for name, value in local_disk.ENCRYPTION.items() if name not in settings}
    submitted.close()
    for name in ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET"):
        del os.environ[name]
    return {
        **_local_settings(startup, uses_s3),
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


def _local_settings(startup: ExitStack, uses_s3: bool) -> dict[str, str]:
    """The settings of a local driver, for what Glue brings."""
    os.environ["JAVA_HOME"] = java_home()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    with as_file(files(__package__) / "log4j2.properties") as log4j:
        # On few cores the collector that stops the world does less work in all than the one that runs beside.
        options = [f"-Dlog4j.configurationFile={log4j}", "-XX:+UseParallelGC", *_JIT_OPTIONS]
    options.append(local_disk.java_option())
    startup.enter_context(local_disk.settings_obeyed())
    version = _glue_version()
    packages = (*version.packages, *version.packages_of_s3) if uses_s3 else version.packages
    jars = startup.enter_context(cached_jars(packages))
    return {
        "spark.master": "local[*]",
        _IS_LOCAL: "true",
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
