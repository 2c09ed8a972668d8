"""How Spark is started: its command, its settings and the environment, which has nothing of the host's."""

import os
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import psutil

from .java import java_home
from .runtime import Runtime

HERE = Path(str(files(__package__)))
INSIDE = HERE / "inside"
DRIVER = INSIDE / "driver.py"
LOOPBACK = "127.0.0.1"


def submit(spark: Path, settings: Mapping[str, str], script: Path, arguments: Sequence[str]) -> list[str]:
    """The command that runs a script as Spark's driver."""
    conf = [word for name, value in settings.items() for word in ("--conf", f"{name}={value}")]
    return [str(spark / "bin" / "spark-submit"), *conf, str(script), *arguments]


def environment(runtime: Runtime, folder: Path, *, iceberg: bool) -> dict[str, str]:
    """What a process of the runtime finds; `folder` becomes its home."""
    return {
        "PATH": os.pathsep.join([str(runtime.folder / "bin"), str(java_home() / "bin"), os.defpath]),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "JAVA_HOME": str(java_home()),
        "PYSPARK_PYTHON": str(runtime.python),
        "PYTHONUNBUFFERED": "1",
        "SPARK_HOME": str(runtime.spark),
        "SPARK_LOCAL_IP": LOOPBACK,
        "SPARK_LOCAL_DIRS": str(folder),
        # Behind Spark's own jars, of which Iceberg's bundle has older copies.
        "SPARK_DIST_CLASSPATH": os.pathsep.join(map(str, runtime.jars(iceberg=iceberg))),
    }


def settings(endpoint: str, region: str, cores: int) -> dict[str, str]:
    """What Glue's own Spark knows already, or what suits a single machine: settings that a job may change."""
    return {
        "spark.driver.memory": f"{_memory()}m",
        "spark.sql.shuffle.partitions": str(2 * cores),
        "spark.ui.showConsoleProgress": "false",
        **{f"spark.hadoop.fs.{scheme}.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem" for scheme in ("s3", "s3n")},
        "spark.hadoop.fs.s3a.endpoint": endpoint,
        "spark.hadoop.fs.s3a.endpoint.region": region,
        "spark.hadoop.fs.s3a.path.style.access": "true",
    }


def fixed_settings(folder: Path, cores: int, java_options: Sequence[str]) -> dict[str, str]:
    """Settings that a job may not change."""
    options = [
        # On few cores the collector that stops the world does less work in all than the one that runs beside.
        "-XX:+UseParallelGC",
        # Jobs are short here, and over before the thorough compiler pays. The code of the quick one takes more room.
        "-XX:TieredStopAtLevel=1",
        "-XX:ReservedCodeCacheSize=256m",
        f"-Dlog4j.configurationFile={HERE / 'log4j2.properties'}",
        f"-Djava.io.tmpdir={folder}",
        f"-Duser.home={folder}",
        "-Duser.timezone=UTC",
        *java_options,
    ]
    return {
        "spark.master": f"local[{cores}]",
        "spark.driver.host": LOOPBACK,
        "spark.driver.bindAddress": LOOPBACK,
        "spark.ui.enabled": "false",
        "spark.driver.extraJavaOptions": " ".join(options),
    }


def cores(workers: float) -> int:
    """As many cores as workers, if the machine has them."""
    return max(1, min(int(workers), os.cpu_count() or 1))


def _memory() -> int:
    """A quarter of the machine's, as Java would take by itself, in MiB."""
    return max(1024, int(psutil.virtual_memory().total) // 4 // 2**20)
