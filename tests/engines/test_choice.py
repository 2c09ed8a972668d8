"""`--engine auto` chooses by bytes: small runs are embedded, large ones Spark's, and the tables are the same."""

import json
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.comparison import actual_tables, expected_tables
from support.drops import at, customer, reading, step
from support.drops import landing as drops_of
from support.histories import HOUR, History
from support.lakes import land, opening, run, write
from support.processes import PATIENCE
from support.withdrawals import ANN_WITHDRAWS, ARRIVAL, BOB_WALKS_ONCE, CONSENTING, DAYS, changing_consents

from stedi_common import jobs
from stedi_common.api.engine import Engines
from stedi_common.api.tasks import run_logged
from stedi_common.contracts import contract
from stedi_common.engines import ENGINES
from stedi_common.engines import choice as choices
from stedi_common.engines.choice import MAX_MEMORY, Choice, Machine, choose
from stedi_common.errors import LakeError
from stedi_common.incremental.plan import plan
from stedi_common.incremental.upper_bound import days_at_most
from stedi_common.lake import Lake
from stedi_common.records import discover
from stedi_common.rules.lineage import JOBS, JOBS_BY_TABLE
from stedi_common.rules.policy import Policy
from stedi_common.runs import executor
from stedi_common.runs.input_size import COMPRESSION_RATIO, InputSize
from stedi_common.runs.run_all import tasks
from stedi_common.runs.settings import RunSettings
from stedi_common.settings import Settings

READINGS = ("accelerometer_trusted", "step_trainer_trusted", "machine_learning_curated")
GB = 10**9
#: A limit below which is nothing that a run reads, and one above which is nothing.
TINY, HUGE = 0, 10**15


def machine(memory=8 * GB, why_no_spark=""):
    return Machine(memory, lambda: why_no_spark)


@pytest.fixture
def lake(tmp_path, key):
    """An open lake, and a call that lands drops in it."""
    with opening() as connect_to:
        engine = connect_to("embedded", tmp_path / "lake")

        def night(drops):
            write(tmp_path / "drops", drops)
            land(engine, tmp_path / "drops", key, ARRIVAL)
            return engine

        yield night


def size_of(engine, key):
    return InputSize(engine, Policy(), key)


def all_jobs(engine, key):
    size = size_of(engine, key)
    return {name: size.of_job(job) for name, job in ((job.target.name, job) for job in JOBS.values())}


# The choice

sizes = st.integers(0, 10 * GB)


@given(sizes, sizes, sizes, st.none() | sizes, st.sampled_from(("", "there is no Java 17")))
def test_more_bytes_never_lead_back_to_the_embedded_engine(reads, more, limit, memory, why):
    less, greater = (choose(each, limit, machine(memory, why)).engine for each in (reads, reads + more))
    assert (less, greater) in {("embedded", "embedded"), ("embedded", "spark"), ("spark", "spark")}


@given(sizes, sizes, st.none() | sizes)
def test_without_spark_every_run_is_embedded(reads, limit, memory):
    chosen = choose(reads, limit, machine(memory, "PySpark is not installed"))
    assert chosen.engine == "embedded"


@given(sizes, sizes)
def test_on_a_machine_with_room_the_limit_decides(reads, limit):
    assert choose(reads, limit, machine(MAX_MEMORY)).engine == ("embedded" if reads <= limit else "spark")


@pytest.mark.parametrize(
    ("reads", "limit", "on", "said"),
    [
        (12_400_000, GB, machine(), "embedded (reads up to 12 MB, limit 1 GB)"),
        (0, 2 * GB, machine(None), "embedded (reads up to 0 bytes, limit 2 GB)"),
        (2_460_000_000, 2 * GB, machine(), "spark (reads up to 2.5 GB, limit 2 GB)"),
        (
            2_460_000_000,
            2 * GB,
            machine(why_no_spark="there is no Java 17"),
            "embedded (reads up to 2.5 GB, limit 2 GB; there is no Java 17)",
        ),
        (
            999_999_999,
            GB,
            machine(GB),
            "spark (reads up to 1 GB, limit 1 GB; it needs 2 GB of memory, there are 1 GB)",
        ),
    ],
)
def test_the_choice_is_a_sentence(reads, limit, on, said):
    assert str(choose(reads, limit, on)) == said


def test_spark_is_asked_for_only_if_it_is_wanted():
    def asked():
        raise AssertionError

    assert choose(1, 2, Machine(None, asked)).engine == "embedded"


def test_a_container_has_the_memory_of_its_limit(tmp_path, monkeypatch):
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(choices, "_CONTAINER_LIMITS", (str(limit),))
    whole = Machine.here().memory
    for content, memory in (("max\n", whole), ("1000000\n", 1_000_000), ("9999999999999999\n", whole)):
        limit.write_text(content)
        assert Machine.here().memory == memory


# What a run reads


def test_drops_count_until_they_have_landed(lake, tmp_path, key):
    engine = lake({})
    write(tmp_path / "drops", CONSENTING)
    found = discover(str(tmp_path / "drops"))
    stored = {source: sum(drop.bytes for drop in drops) for source, drops in found.drops.items()}
    assert {source: size_of(engine, key).of_landing(source, found) for source in stored} == stored
    lake({})
    assert [size_of(engine, key).of_landing(source, found) for source in stored] == [0, 0, 0]


def test_compressed_drops_count_as_what_they_unpack_to(lake, tmp_path, key):
    write(tmp_path / "packed", {"customer/a.json.gz": b"1234", "customer/b.json": b"12", "customer/c.ZSTD": b"1"})
    found = discover(str(tmp_path / "packed"), ["customer"])
    assert size_of(lake({}), key).of_landing("customer", found) == 5 * COMPRESSION_RATIO + 2


def test_the_days_of_a_table_are_all_its_bytes(lake):
    engine = lake(CONSENTING)
    table = contract("accelerometer_landing")
    head = engine.head(table)
    days = {row["timestamp"].date() for row in engine.collect(engine.read(table, head))}
    assert len(days) > 1
    of_days = [engine.data_bytes(table, head, {day}) for day in days]
    assert all(of_days)
    assert sum(of_days) == engine.data_bytes(table, head) == engine.data_bytes(table, head, days)
    assert engine.data_bytes(table, replace(head, summary={})) == sum(of_days)
    assert engine.data_bytes(table, head, set()) == 0


def test_a_new_lake_reads_all_and_an_unchanged_one_nothing(lake, key):
    engine = lake(CONSENTING)
    assert all(all_jobs(engine, key).values())
    run(engine, Policy(), key)
    assert set(all_jobs(engine, key).values()) == {0}
    assert size_of(engine, key).of_deletion() == 0


def test_another_policy_reads_all(lake, key):
    engine = lake(CONSENTING)
    whole = all_jobs(engine, key)
    run(engine, Policy(), key)
    size = InputSize(engine, Policy("ever"), key)
    assert [size.of_job(job) for job in JOBS.values()] == list(whole.values())


def test_a_late_reading_reads_its_day(lake, key):
    engine = lake(CONSENTING)
    whole = all_jobs(engine, key)
    run(engine, Policy(), key)
    found = all_jobs(lake(BOB_WALKS_ONCE), key)
    assert found["customer_trusted"] == 0
    assert {table for table in READINGS if 0 < found[table] < whole[table]} == {*READINGS} - {"step_trainer_trusted"}
    assert found["step_trainer_trusted"] == 0


def test_a_late_step_is_no_withdrawal(lake, key):
    engine = lake(CONSENTING)
    run(engine, Policy(), key)
    size = size_of(lake(drops_of([], [], [step("sn-1", DAYS[1] + HOUR)], "late")), key)
    assert size.of_deletion() == 0
    assert size.of_job(JOBS_BY_TABLE["step_trainer_trusted"]) > 0


def test_a_commit_of_somebody_else_is_read_and_an_expired_snapshot_is_a_change_of_all_days(lake, key, monkeypatch):
    engine, job = lake(CONSENTING), JOBS_BY_TABLE["accelerometer_trusted"]
    run(engine, Policy(), key)
    row = {column.name: DAYS[1] if column.type == "timestamp" else None for column in job.target.columns}
    engine.append(job.target, engine.frame(job.target, [row]), engine.head(job.target), {})
    assert days_at_most(engine, job, Policy(), key, {}) == {DAYS[1].date()}
    monkeypatch.setattr(engine, "snapshot", lambda *_: None)
    assert days_at_most(engine, job, Policy(), key, {}) is None


def test_landing_and_computing_have_a_choice_each(tmp_path, caplog):
    write(tmp_path / "drops", CONSENTING)
    caplog.set_level("INFO", "stedi")
    assert jobs.lakehouse(["--landing", str(tmp_path / "drops"), "--lake", str(tmp_path / "lake")]) is None
    records = [record.stedi for record in caplog.records if record.name == "stedi"]
    engines = [n for n, record in enumerate(records) if record["event"] == "engine"]
    assert engines == [0, 4]  # three landings between them
    assert len({records[n]["reason"] for n in engines}) == 2


def test_tables_that_nobody_has_committed_to_are_read_whole(tmp_path, key, monkeypatch):
    """As Terraform creates them."""
    write(tmp_path / "drops", CONSENTING)
    found = discover(str(tmp_path / "drops"))
    with opening() as connect_to:
        engine = connect_to("embedded", tmp_path / "lake")
        monkeypatch.setattr(engine, "head", lambda _: refuse())
        assert size_of(engine, key).of_landing("customer", found) == sum(drop.bytes for drop in found.drops["customer"])
        assert [size_of(engine, key).of_job(job) for job in JOBS.values()] == [0] * len(JOBS)
        assert {days_at_most(engine, job, Policy(), key, {}) for job in JOBS.values()} == {None}


def test_a_withdrawal_reads_all(lake, key):
    engine = lake(CONSENTING)
    run(engine, Policy(), key)
    size = size_of(lake(ANN_WITHDRAWS), key)
    assert size.of_deletion() > 0
    heads = {name: engine.head(contract(name)) for name in ("accelerometer_landing", "customer_landing")}
    stored = sum(engine.data_bytes(contract(name), head) for name, head in heads.items())
    assert size.of_job(JOBS_BY_TABLE["customer_trusted"])
    assert size.of_job(JOBS_BY_TABLE["accelerometer_trusted"]) == stored


@pytest.mark.parametrize("number", range(4))
def test_the_days_of_a_plan_are_among_those_that_were_told_before(tmp_path, key, number):
    history = changing_consents(Random(number), 4)
    with opening() as connect_to:
        engine = connect_to("embedded", tmp_path / "lake")
        for drops, arrival in zip(history.runs, history.arrived_at, strict=True):
            write(tmp_path / "drops", drops)
            land(engine, tmp_path / "drops", key, arrival)
            for job in JOBS.values():
                at_most = days_at_most(engine, job, Policy(), key, {})
                engine.prepare(job.target)
                days = plan(engine, job, Policy(), key).days
                assert at_most is None or (days is not None and days <= at_most), job.name
                executor.run(engine, job, Policy(), key)


# The engines of a lake


def settings_of(folder: Path, **others) -> Settings:
    return Settings(lake=str(folder / "lake"), landing=str(folder / "drops"), **{"embedded_bytes": HUGE, **others})


def opened(settings, **options):
    return closing(Engines(settings, Lake.at(settings.lake), **options))


def test_a_named_engine_is_not_chosen(tmp_path, key):
    with opened(settings_of(tmp_path, engine="embedded", embedded_bytes=TINY)) as engines:
        assert engines.choice(tasks(), RunSettings(Policy(), key)) == Choice("embedded")


def test_sizes_that_are_not_known_end_no_run(lake, tmp_path, key):
    engine = lake(CONSENTING)
    run(engine, Policy(), key)
    for file in (tmp_path / "lake" / "landing" / "accelerometer_landing" / "metadata").glob("*.avro"):
        file.unlink()
    lake_ = settings_of(tmp_path)
    with opened(lake_) as engines:
        said = str(engines.choice(tasks(lake_.landing + "/nowhere"), RunSettings(Policy(), key)))
        assert said == "embedded (what it reads is not known)"


@pytest.mark.parametrize("why_no_spark", ["", "PySpark is not installed"])
def test_without_the_embedded_engine_spark_runs(tmp_path, key, monkeypatch, why_no_spark):
    """As in a job on Glue. If Spark is not there either, the error is that of the engine that is easier to install."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    monkeypatch.delitem(sys.modules, "stedi_common.engines.embedded.engine", raising=False)
    monkeypatch.setattr(Machine, "here", staticmethod(lambda: machine(why_no_spark=why_no_spark)))
    missing = "engine embedded: expected the package duckdb, which is not installed"
    with opened(settings_of(tmp_path)) as engines:
        if why_no_spark:
            with pytest.raises(LakeError, match=missing):
                engines.choice(tasks(), RunSettings(Policy(), key))
        else:
            assert engines.choice(tasks(), RunSettings(Policy(), key)) == Choice("spark", missing)


def test_a_spark_that_does_not_start_is_no_end(lake, tmp_path, key, monkeypatch):
    lake(CONSENTING)
    connect = sys.modules["stedi_common.api.engine"].connect

    def broken(name, *args, **options):
        if name == "spark":
            raise LakeError("engine spark: expected Spark 3.5.6, got 4.0.0", hint="another")
        return connect(name, *args, **options)

    monkeypatch.setattr("stedi_common.api.engine.connect", broken)
    monkeypatch.setattr(Machine, "here", staticmethod(machine))
    with opened(settings_of(tmp_path, embedded_bytes=TINY)) as engines:
        engine = engines.for_tasks(tasks(), RunSettings(Policy(), key))
    assert engine.name == "embedded"
    assert str(engine.choice).endswith("limit 0 bytes; Spark does not start)")


def test_the_embedded_engine_maintains(tmp_path):
    with opened(settings_of(tmp_path)) as engines:
        assert engines.choice((), None).engine == "embedded"


def refuse():
    raise LakeError("lake: expected another one")


# Told

PAIR = drops_of(
    [customer("ann@example.org", at("08:00"), at("08:00"), "sn-1")],
    [reading("ann@example.org", at("09:00"))],
    [step("sn-1", at("09:00"))],
)


def test_the_choice_is_in_the_plan_the_log_and_the_summary(stedi, tmp_path, monkeypatch):
    write(tmp_path / "drops", PAIR)
    assert stedi("--log-file", "log", "land").code == 0
    planned = json.loads(stedi("run", "--plan", "--json").out)
    (said,) = {each["engine"] for each in planned}
    assert said.startswith("embedded (reads up to ")
    assert stedi("run", "--plan").out.splitlines()[-1] == f"engine: {said}"
    assert stedi("--log-file", "log", "run").code == 0
    records = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    landed, ran = [(each["engine"], each["reason"]) for each in records if each["event"] == "engine"]
    assert f"{ran[0]} ({ran[1]})" == said != f"{landed[0]} ({landed[1]})"
    with opening() as connect_to:
        engine = connect_to("embedded", tmp_path / "lake")
        summaries = [engine.head(contract(name)).summary for name in ("customer_landing", *JOBS_BY_TABLE)]
    assert [summary["stedi.engine"] for summary in summaries] == [f"{landed[0]} ({landed[1]})", *[said] * len(JOBS)]


def test_the_plan_of_a_large_run_starts_no_spark(tmp_path):
    """A run that would be Spark's is planned without Spark; a named limit is as good as one of the file."""
    write(tmp_path / "drops", PAIR)
    program = """
import sys
from stedi_common.cli import main
try:
    main()
finally:
    print("pyspark" in sys.modules, file=sys.stderr)
"""
    for words in (["land"], ["run", "--plan", "--embedded-bytes", "0", "--json"]):
        command = [sys.executable, "-c", program, *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=PATIENCE)
        assert (done.returncode, done.stderr) == (0, "False\n")
    assert "limit 0 bytes" in json.loads(done.stdout)[0]["engine"]


# The same tables

RANDOM_RUNS = [0, *(pytest.param(number, marks=pytest.mark.long) for number in range(1, 9))]


@pytest.mark.parametrize("number", RANDOM_RUNS)
def test_whichever_engines_run_the_tables_are_the_oracles(spark_runs, tmp_path, key, monkeypatch, number):
    """Each phase of each run draws its engine, on one lake. The short case has each engine in each phase."""
    random = Random(number)
    history = changing_consents(random, 2 if number == 0 else 4)
    draws = (
        iter(("spark", "embedded", "embedded", "spark")) if number == 0 else iter(lambda: random.choice(ENGINES), "")
    )
    drawn = []

    def draw(reads, limit, on):
        assert reads >= 0
        drawn.append(next(draws))
        return Choice(drawn[-1], "drawn")

    monkeypatch.setattr("stedi_common.landing.arrival", lambda *_: ARRIVAL)
    monkeypatch.setattr("stedi_common.api.engine.choose", draw)
    for n, drops in enumerate(history.runs, start=1):
        write(tmp_path / "drops", drops)
        with opened(settings_of(tmp_path)) as engines:
            done = list(run_logged(engines.for_tasks, RunSettings(Policy(), key), tasks(str(tmp_path / "drops"))))
        assert [each.error for each in done if each.error] == []
        with opening() as connect_to:
            engine = connect_to("embedded", tmp_path / "lake")
            tables, (landed, computed) = actual_tables(engine), drawn[-2:]
            summaries = [engine.head(contract(name)).summary for name in ("customer_landing", "customer_trusted")]
        assert tables == expected_tables(History(history.runs[:n], history.arrived_at[:n]), Policy(), key)
        assert [each["stedi.engine"] for each in summaries] == [f"{landed} (drawn)", f"{computed} (drawn)"]
    assert len(drawn) == 2 * len(history.runs)
