"""Values of a participant are where they belong and nowhere else: in no log, error, rejection, summary or metadata."""

import logging
import traceback
from itertools import product
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from support import canaries
from support.commands import python, stedi
from support.failing_jobs import while_collecting, while_committing
from support.lakes import land, rows, run, write
from support.paths import TESTS
from support.queries import queried

from stedi_common import cli, jobs, landing
from stedi_common.contracts import contract, names
from stedi_common.engines import connect as connect_engine
from stedi_common.errors import EngineError, UnknownRefusalError
from stedi_common.lake import Lake
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules import lineage
from stedi_common.rules.policy import Policy
from stedi_common.runs import executor

KEY = bytes(range(100, 132))
REASONS = {
    *("invalid_utf8", "truncated", "broken_json", "not_an_object", "corrupt_gzip"),
    *("missing_value", "unreadable_value", "wrong_instant"),
}


class Made(NamedTuple):
    """A lake that the command line made of the canaries' drops, what it printed, and its folder of logs."""

    lake: Path
    output: str
    logs: Path


@pytest.fixture(scope="module", params=["embedded", "spark"])
def made(request, tmp_path_factory) -> Made:
    folder = tmp_path_factory.mktemp(request.param)
    lake, key = folder / "lake", folder / "key"
    write(folder / "drops", canaries.drops())
    key.write_text(KEY.hex())
    key.chmod(0o600)
    (folder / "logs").mkdir()
    # Readable: Spark 4 would compress them.
    log_events = "--conf spark.eventLog.enabled=true --conf spark.eventLog.compress=false"
    log_events += f" --conf spark.eventLog.dir={(folder / 'logs').as_uri()}"
    demo = stedi(
        *("demo", "--landing", folder / "drops", "--lake", lake, "--engine", request.param, "--key-file", key),
        PYSPARK_SUBMIT_ARGS=f"{log_events} pyspark-shell",
        STEDI_LOG_FILE=str(folder / "logs" / "log.jsonl"),
    )
    assert demo.code == UnknownRefusalError.exit_code, demo.err
    return Made(lake, demo.output, folder / "logs")


def rows_of(made, table, columns="*"):
    return queried(Lake.at(str(made.lake)), f"SELECT {columns} FROM {contract(table).identifier}")  # noqa: S608


def test_the_drops_have_what_it_takes(made):
    """Every reason of rejection, values that became null, and pairs: else the search proves nothing."""
    assert {reason for (reason,) in rows_of(made, "rejected_records", "reason")} == REASONS
    assert rows_of(made, "landed_files", "sum(nulled_values)") == [(8,)]
    assert rows_of(made, "machine_learning_curated", "count(*), count(DISTINCT pseudonym)") == [(600, 1)]


def test_the_search_finds_the_canaries_that_may_be_there(made):
    found = canaries.where_they_are(made.lake)
    tables_with_some = {"/".join(path.split("/")[:2]) for path in found}
    assert tables_with_some >= set(canaries.MAY_HOLD)
    assert set().union(*found.values()) >= {"canarylandedemail", canaries.SERIAL, canaries.NAME, canaries.PHONE}


@pytest.mark.rule(12)
def test_no_canary_is_where_it_must_not_be(made):
    assert canaries.misplaced(made.lake) == {}


def test_no_canary_is_leaked_by_the_output_or_the_log(made):
    log = (made.logs / "log.jsonl").read_text()
    assert "machine_learning_curated" in log
    assert "machine_learning_curated" in made.output
    assert canaries.leaked(made.output + log) == set()


def test_nothing_is_left_beside_the_zones(made):
    assert {path.name for path in made.lake.iterdir()} == {"catalog.db", "lake.json", "landing", "trusted", "curated"}


def test_no_bloom_filter_reveals_who_is_in_a_file(made):
    filters = duckdb.sql(
        "SELECT file_name, path_in_schema FROM parquet_metadata($files) WHERE bloom_filter_offset IS NOT NULL",
        params={"files": f"{made.lake}/**/*.parquet"},
    ).fetchall()
    assert filters == []


@pytest.mark.parametrize("table", names())
@pytest.mark.rule(14)
def test_no_manifest_measures_a_personal_column(made, table):
    catalog = SqlCatalog("stedi", uri=f"sqlite:///{made.lake}/catalog.db")
    loaded = catalog.load_table(contract(table).identifier)
    personal = {
        loaded.schema().find_field(column.name).field_id for column in contract(table).columns if column.is_personal
    }
    files = loaded.inspect.files().to_pylist()
    measures = ("lower_bounds", "upper_bounds", "value_counts", "null_value_counts", "nan_value_counts")
    measured = [{field for measure in measures for field, _ in file[measure] or ()} for file in files]
    assert measured, "no file, so nothing is proved"
    assert all(measured), "no column is measured, so nothing is proved"
    assert not set().union(*measured) & personal


def test_the_key_is_outside_the_lake_and_not_in_the_output(made):
    kept = b"".join(content for path in made.lake.rglob("*") if path.is_file() for content in canaries.unpacked(path))
    assert canaries.found_in(kept)
    assert not any(form in kept or form in made.output.encode() for form in forms_of(KEY))


def test_no_log_holds_the_key(made, request):
    """Neither the command's own log nor, on Spark, its event log."""
    engine = request.node.callspec.params["made"]
    logs = {path.name: path.read_bytes() for path in made.logs.rglob("*") if path.is_file()}
    of_table = [name for name, log in logs.items() if b"machine_learning_curated" in log]
    assert len(of_table) >= {"embedded": 1, "spark": 2}[engine], "a log is missing, so nothing is proved"
    assert [name for name, log in logs.items() if any(form in log for form in forms_of(KEY))] == []


def forms_of(secret: bytes) -> list[bytes]:
    content_key = PseudonymKey(secret).content_key
    return [form for key in (secret, content_key) for form in (key, key.hex().encode(), repr(key).encode()[2:-1])]


@pytest.mark.usefixtures("spark_runs")
def test_no_plan_of_spark_holds_the_key(tmp_path, key):
    engine = connect_engine("spark", Lake.at(str(tmp_path / "lake")))
    table = contract("landed_files")
    engine.prepare(table)
    derived = engine.derive(
        engine.read(table, engine.head(table)).select("source_file"), "source_file", "p", key.pseudonym
    )
    plan = derived.to_native()._jdf.queryExecution().toString()
    assert "MapInArrow" in plan
    assert not any(form.decode("latin-1") in plan for form in forms_of(key.secret))


def test_no_log_of_any_level_holds_a_canary(tmp_path, key, caplog):
    write(tmp_path / "drops", canaries.drops())
    # SQLAlchemy asks for the level when the catalog is opened.
    with caplog.at_level(logging.DEBUG):
        engine = connect_engine("embedded", Lake.at(str(tmp_path / "lake")))
        land(engine, tmp_path / "drops", key, canaries.at("10:00", day=2))
        run(engine, Policy(), key)
    assert sum(rows(engine, "machine_learning_curated").values()) == 600
    assert caplog.records, "nothing is logged, so nothing is proved"
    assert canaries.leaked(caplog.text) == set()


# Errors


def test_an_error_of_an_engine_is_reported_without_its_message(engine, tmp_path, key, monkeypatch, caplog):
    customers = {name: content for name, content in canaries.drops().items() if name.startswith("customer/")}
    write(tmp_path / "drops", customers)
    landing.land(engine, "customer", str(tmp_path / "drops"), key)
    if engine.name == "spark":  # so that Spark raises too, as it does on Glue 6.0
        engine._spark.conf.set("spark.sql.ansi.enabled", "true")
    before = canaries.where_they_are(tmp_path / "lake").keys()
    assert before
    for failing, few in product((while_collecting, while_committing), (0, 1_000_000)):
        monkeypatch.setattr(failing, "__name__", "customer_trusted")
        monkeypatch.setattr("stedi_common.engines.embedded.engine.MAX_CACHED_ROWS", few)
        with caplog.at_level(logging.INFO), pytest.raises(EngineError, match="may hold personal data") as raised:
            executor.run(engine, lineage.Job(failing), Policy(), key)
        assert canaries.leaked(str(raised.value.__context__)), "the engine's message quotes nothing: nothing is proved"
        printed = "".join(traceback.format_exception(raised.value)) + repr(raised.value) + caplog.text
        assert canaries.leaked(printed) == set()
    assert canaries.where_they_are(tmp_path / "lake").keys() == before


def test_java_leaks_nothing_of_a_failing_job(tmp_path):
    """In a process of its own, because Java writes past Python."""
    write(tmp_path / "drops", canaries.drops())
    assert stedi("land", "customer", "--landing", tmp_path / "drops", "--lake", tmp_path / "lake").code == 4
    done = python(
        *("-m", "support.failing_jobs", "--lake", tmp_path / "lake", "--engine", "spark"),
        PYTHONPATH=str(TESTS),
        PYSPARK_SUBMIT_ARGS="--conf spark.sql.ansi.enabled=true pyspark-shell",
    )
    assert done.code == 1
    assert "customer_trusted is stale: engine spark: Spark stopped with" in done.err
    assert canaries.leaked(done.output) == set()


def fails_quoting(*_, **__):
    raise ValueError(f"cannot use {canaries.EMAIL}")


@pytest.fixture
def defective(tmp_path, monkeypatch):
    """A program that fails in a way nobody thought of."""
    monkeypatch.setattr(PseudonymKey, "pseudonym", fails_quoting)
    write(tmp_path / "drops", canaries.drops())
    return tmp_path


def test_an_unexpected_error_is_reported_without_its_message(defective, monkeypatch, capfd):
    words = ["--debug", "demo", "--landing", f"{defective}/drops", "--lake", f"{defective}/lake"]
    monkeypatch.setattr("sys.argv", ["stedi", *words])
    with pytest.raises(SystemExit, match="1"):
        cli.main()
    said = capfd.readouterr()
    assert "unexpected ValueError at" in said.err
    assert "fails_quoting" in said.err
    assert canaries.leaked(said.out + said.err) == set()


def test_an_unexpected_error_of_a_job_is_reported_without_its_message(defective, monkeypatch, capfd):
    monkeypatch.setattr("stedi_common.runs.run_all.land", fails_quoting)
    arguments = f"--source customer --landing {defective}/drops --lake {defective}/lake --engine embedded"
    failure = jobs.land(arguments.split())
    said = capfd.readouterr()
    assert "customer_landing is stale: unexpected ValueError at" in failure
    assert "fails_quoting" in said.err
    assert canaries.leaked(said.out + said.err + failure) == set()
