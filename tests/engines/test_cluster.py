"""The jobs on a standalone cluster of Spark: the executors need no disk of the driver but the folder of the lake."""

import json
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pyspark
import pytest
from support.commands import job, spark_variables, submitted
from support.comparison import actual_tables
from support.lakes import modes, opening
from support.paths import ROOT
from support.processes import PATIENCE, kill

from stedi_common.engines.spark.jars import cached_jars
from stedi_common.engines.spark.landing import MAX_LOCAL_BYTES
from stedi_common.engines.spark.session import GLUE_VERSIONS, _glue_version
from stedi_common.generate import Plan, generate

#: What a worker that runs tasks of ours says, however many there are.
RAN_A_TASK = re.compile(r"Finished task [0-9.]+ in stage")
#: The environment of the master and the workers, beside that of each command of Spark.
DAEMONS = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m"}
SETTINGS = {
    "spark.driver.host": "127.0.0.1",
    "spark.executor.cores": "1",
    "spark.executor.memory": "640m",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.codegen.wholeStage": "false",
    "spark.ui.enabled": "false",
}


class Cluster(NamedTuple):
    """A master and two workers.

    Attributes:
        url: that of the master.
        folder: what the workers write, the log of each executor included.
    """

    url: str
    folder: Path

    def executors_with_tasks(self) -> int:
        """How many executors have run tasks."""
        return sum(bool(RAN_A_TASK.search(log.read_text())) for log in self.folder.glob("worker*/app-*/*/stderr"))


@pytest.fixture(scope="module")
def cluster(tmp_path_factory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    host = ("--host", "127.0.0.1", "--webui-port", "0")
    with ExitStack() as running:
        log = folder / "master.log"
        running.enter_context(daemon(log, "master.Master", *host, "--port", "0"))
        url = said(log, r"Starting Spark master at (spark://\S+)")
        for number in (1, 2):
            where = ("--work-dir", str(folder / f"worker{number}"), "--cores", "1", "--memory", "1g")
            of_worker = folder / f"worker{number}.log"
            running.enter_context(daemon(of_worker, "worker.Worker", *host, *where, url))
            said(of_worker, "Successfully registered with (master)")
        yield Cluster(url, folder)


@contextmanager
def daemon(log: Path, name: str, *words: str) -> Iterator[None]:
    """A daemon of Spark, whose files are for its user alone, until the block ends."""
    spark_class = Path(pyspark.__file__).parent / "bin" / "spark-class"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [str(spark_class), f"org.apache.spark.deploy.{name}", *words],
            stdout=file,
            stderr=subprocess.STDOUT,
            env=os.environ | spark_variables() | DAEMONS,
            start_new_session=True,
        )
        try:
            yield
        finally:
            kill(process)
            process.wait(PATIENCE)


def said(log: Path, pattern: str) -> str:
    """What the daemon writes into its log as soon as it is ready."""
    for _ in range(PATIENCE * 10):
        if found := re.search(pattern, log.read_text()):
            return found[1]
        time.sleep(0.1)
    raise TimeoutError(log.read_text())


def options(cluster: Cluster) -> list[str]:
    """Those of `spark-submit`."""
    with cached_jars(_glue_version().packages) as jars:
        assert jars, "no session of Spark has downloaded them yet"
    settings = (f"--conf={name}={value}" for name, value in SETTINGS.items())
    return ["--master", cluster.url, "--jars", ",".join(map(str, jars)), *settings]


@pytest.mark.parametrize("version", GLUE_VERSIONS, ids=lambda version: version.glue)
def test_the_packages_in_the_documentation_are_those_of_a_local_session(version):
    text, (iceberg, sqlite) = (ROOT / "docs" / "running.md").read_text(), version.packages
    assert f"| {version.glue} | {version.spark} | `{iceberg}` |" in text
    assert f",{sqlite} " in text


@pytest.mark.long
def test_a_cluster_makes_the_tables_of_the_embedded_engine(spark_runs, cluster, tmp_path):
    generate(Plan(people=60, readings=220_000, days=2), tmp_path / "drops")
    assert sum(file.stat().st_size for file in (tmp_path / "drops" / "accelerometer").rglob("*")) > MAX_LOCAL_BYTES
    words = ("--landing", tmp_path / "drops")
    assert job("lakehouse", *words, "--lake", tmp_path / "embedded", "--engine", "embedded").code == 0
    of_lake = ("--lake", tmp_path / "spark", "--engine", "spark")
    done = submitted("lakehouse", *words, *of_lake, options=options(cluster))
    assert done.code == 0, done.err[-2000:]
    assert json.loads(done.out.splitlines()[-1])["table"] == "machine_learning_curated"
    assert cluster.executors_with_tasks() == 2
    assert modes(tmp_path / "spark") == {("folder", 0o700), ("file", 0o600)}
    with opening() as connect_to:
        one, other = (actual_tables(connect_to("embedded", tmp_path / made)) for made in ("embedded", "spark"))
    assert one == other
    assert one["machine_learning_curated"]
