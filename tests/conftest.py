"""Both engines behind one fixture: a test that takes `connect` runs on DuckDB and on Spark."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from support.commands import Finished
from support.lakes import opening

from stedi_common import cli
from stedi_common.engines import ENGINES
from stedi_common.engines.protocol import Engine
from stedi_common.privacy.pseudonym import PseudonymKey

# Tests are many short queries: the quick compiler starts sooner than the good one pays. Alone it gets 48 MB for its
# code by default, which Spark fills.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=256m")
#: The same for Spark, where it changes no answer.
QUICK = {
    "spark.master": "local[2]",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.adaptive.enabled": "false",
}
#: PySpark looks these up by name, a thousand times a lake, and each time Java searches all jars for packages first.
ASKED_FOR = (
    *("functions", "PythonUtils", "SparkSession", "SparkSession$"),
    *("py4j.reflection.TypeUtil", "org.apache.iceberg.spark.Spark3Util", "org.apache.spark.util.Utils"),
)

#: What many tests look at: lakes, and what the oracle makes of many histories.
SHARED = {"made", "tables_after_each_run", "played", "sampled", "reference_landing"}

Connect = Callable[[Path], Engine]
ConnectTo = Callable[[str, Path], Engine]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--engine embedded` leaves out every test that needs Spark, which then need not be installed."""
    parser.addoption("--engine", choices=ENGINES, help="only the tests that need no other engine")


def pytest_configure(config: pytest.Config) -> None:
    """`make test` says the same of a commit whenever it runs; `make test-long` draws new examples each time."""
    settings.register_profile("same", derandomize=True)
    if config.option.markexpr.endswith("not long") and " or " not in config.option.markexpr:
        settings.load_profile("same")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Under `pytest -n 2 --dist loadgroup` the tests that share something go to one worker, which makes it once."""
    if only := config.getoption("--engine"):
        others = set(ENGINES) - {only}
        deselected = [item for item in items if engines_of(item) & others]
        items[:] = [item for item in items if not engines_of(item) & others]
        config.hook.pytest_deselected(items=deselected)
    for item in items:
        if shared := SHARED.intersection(item.fixturenames):
            engine = getattr(item, "callspec", None) and item.callspec.params.get("engine_name", "")
            item.add_marker(pytest.mark.xdist_group(f"{min(shared)}-{engine}"))


def engines_of(item: pytest.Item) -> set[str]:
    """The engines that a test needs, as its parameters and fixtures tell."""
    parameters = item.callspec.params.values() if hasattr(item, "callspec") else ()
    named = {value for value in parameters if isinstance(value, str)} & set(ENGINES)
    return named | ({"spark"} if "spark_runs" in item.fixturenames else set())


@pytest.hookimpl(trylast=True)
def pytest_report_collectionfinish(config: pytest.Config, items: list[pytest.Item]) -> str | None:
    """The rules of docs/rules.md that the selected tests are laws of, if they are selected by the mark."""
    if "rule" not in config.option.markexpr:
        return None
    rules = {mark.args[0] for item in items for mark in item.iter_markers("rule")}
    return f"laws of the rules {' '.join(map(str, sorted(rules)))}"


@pytest.fixture(scope="session")
def key() -> PseudonymKey:
    return PseudonymKey(bytes(range(32)))


@pytest.fixture(autouse=True)
def own_signals(monkeypatch) -> Iterator[None]:
    """A command that a test calls leaves signals without effect, which is not for the tests after it."""
    monkeypatch.setattr("sys.unraisablehook", sys.unraisablehook)
    handlers = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    yield
    for each, handler in handlers.items():
        signal.signal(each, handler)


@pytest.fixture(autouse=True)
def nobodys_home(tmp_path_factory, monkeypatch):
    """No test reads or makes this user's pseudonym key."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))


@pytest.fixture
def stedi(tmp_path, monkeypatch, capsys):
    """The command line, typed in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def typed(*words) -> Finished:
        monkeypatch.setattr("sys.argv", ["stedi", *map(str, words)])
        code = 0
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
        return Finished(code, *capsys.readouterr())

    return typed


@pytest.fixture(scope="session")
def spark_runs() -> Iterator[None]:
    """One Spark for all tests: an engine that finds one running does not stop it."""
    from stedi_common.engines.spark.session import driver_session  # noqa: PLC0415

    spark = driver_session(QUICK)
    for path in ASKED_FOR:
        remember(spark.sparkContext._jvm, path.split("."))
    yield
    spark.stop()


def remember(within: Any, path: list[str]) -> None:
    for name in path:
        setattr(within, name, getattr(within, name))
        within = getattr(within, name)


@pytest.fixture(scope="session", params=ENGINES)
def engine_name(request) -> str:
    if request.param == "spark":
        request.getfixturevalue("spark_runs")
    return request.param


@pytest.fixture
def connect(engine_name) -> Iterator[Connect]:
    """Opens lakes with the engine, and closes them after the test."""
    with opening() as connect_to:
        yield partial(connect_to, engine_name)


@pytest.fixture
def connect_to(spark_runs) -> Iterator[ConnectTo]:
    """Opens lakes with the engine of this name, and closes them after the test."""
    with opening() as connect_to:
        yield connect_to


@pytest.fixture
def engine(connect, tmp_path) -> Engine:
    """An empty lake."""
    return connect(tmp_path / "lake")
