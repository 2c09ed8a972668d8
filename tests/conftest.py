"""Both engines behind one fixture: a test that takes `connect` runs on DuckDB and on Spark."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stedi_common.engines import ENGINES, Engine
from stedi_common.engines import connect as connect_engine
from stedi_common.lake import Lake
from stedi_common.pseudonym import PseudonymKey

# Tests are many short queries: the quick compiler starts sooner than the good one pays.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")

Connect = Callable[[Path], Engine]


@pytest.fixture
def key() -> PseudonymKey:
    return PseudonymKey(bytes(range(32)))


@pytest.fixture(autouse=True)
def nobodys_home(tmp_path_factory, monkeypatch):
    """No test reads or makes this user's pseudonym key."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))


@pytest.fixture(scope="session")
def spark_runs() -> Iterator[None]:
    """One Spark for all tests: an engine that finds one running does not stop it."""
    from pyspark.sql import SparkSession  # noqa: PLC0415

    from stedi_common.engines.spark import _driver  # noqa: PLC0415

    builder = SparkSession.builder
    for name, value in {**_driver(), "spark.sql.shuffle.partitions": "1"}.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    yield
    spark.stop()


@pytest.fixture(params=ENGINES)
def engine_name(request) -> str:
    if request.param == "spark":
        request.getfixturevalue("spark_runs")
    return request.param


@pytest.fixture
def connect(engine_name) -> Iterator[Connect]:
    """Opens lakes with the engine, and closes them after the test."""
    opened: list[Engine] = []

    def open_(folder: Path) -> Engine:
        opened.append(connect_engine(engine_name, Lake.at(str(folder))))
        return opened[-1]

    yield open_
    for engine in opened:
        engine.close()


@pytest.fixture
def engine(connect, tmp_path) -> Engine:
    """An empty lake."""
    return connect(tmp_path / "lake")
