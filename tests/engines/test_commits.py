"""A commit succeeds only on the snapshot it was computed from, whoever else writes, and whenever a run is killed."""

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import cycle
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from pyiceberg.table.snapshots import Operation
from support.crowds import crowd
from support.lakes import Dying, KilledError, land, opening, play, rows, run, table_of, write
from support.oracle import COLUMNS
from support.processes import PATIENCE, call_at_once

from stedi_common import __version__, landing
from stedi_common.contracts import SOURCES, contract, names
from stedi_common.engines import ENGINES
from stedi_common.engines.protocol import Engine
from stedi_common.errors import CommitConflictError
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.records import Reader, discover
from stedi_common.rules import lineage
from stedi_common.rules.policy import Policy
from stedi_common.runs import executor

TABLE = contract("rejected_records")
LANDING_ZONE = [name for name in COLUMNS if contract(name).zone == "landing"]
ARRIVAL = datetime(2024, 4, 3)
#: The drops of a few histories, some of them duplicate or blank, and of each source one line that is rejected.
DROPS = {
    **{name: raw for run in crowd(4).runs for name, raw in run.items() if "/" in name and name.split("/")[1] < "04"},
    **{f"{source}/rejected.json": b"null\n" for source in SOURCES},
}


def on_both(examples: list[Any], fast: int) -> list[Any]:
    """On the embedded engine all of them, on Spark one only (the one of this index) unless there is time."""
    slow = [pytest.param("spark", each, marks=pytest.mark.long) for n, each in enumerate(examples) if n != fast]
    return [*(("embedded", each) for each in examples), ("spark", examples[fast]), *slow]


@pytest.fixture(params=[*ENGINES])
def other_name(request) -> str:
    if request.param == "spark":
        request.getfixturevalue("spark_runs")
    return request.param


@pytest.fixture
def pair(tmp_path, engine_name, other_name):
    """Two handles on one lake, in which a table is empty."""
    with opening() as connect_to:
        one, other = (connect_to(name, tmp_path / "lake") for name in (engine_name, other_name))
        one.prepare(TABLE)
        yield one, other


class Slow:
    """Rows that take so long that something else happens before they are written."""

    def __init__(self, frame, meanwhile):
        self._frame, self._meanwhile = frame, meanwhile

    def select(self, *columns):
        self._meanwhile()
        return self._frame.select(*columns)


def test_a_commit_on_a_stale_snapshot_is_rejected(pair, tmp_path):
    one, other = pair
    head = one.head(TABLE)
    assert other.head(TABLE) == head
    append(one, "one", onto=head)
    with pytest.raises(CommitConflictError, match=r"rejected_records: snapshot changed: expected \d+, found \d+"):
        append(other, "other", onto=head)
    assert_only(["one"], pair, tmp_path)


def test_a_commit_is_rejected_if_the_snapshot_changes_while_it_writes(pair, tmp_path):
    one, other = pair
    head = other.head(TABLE)
    slow = Slow(other.frame(TABLE, [record("other")]), lambda: append(one, "one", onto=head))
    with pytest.raises(CommitConflictError):
        other.append(TABLE, slow, head, {})
    assert_only(["one"], pair, tmp_path)


def test_a_branch_that_a_killed_run_leaves_expires(connect_to, tmp_path):
    """Else it would keep what was withdrawn since; nobody looks for it (rule 14)."""
    spark, refs = connect_to("spark", tmp_path / "lake"), []
    spark.prepare(TABLE)
    slow = Slow(spark.frame(TABLE, [record("one")]), lambda: refs.append(table_of(tmp_path / "lake", TABLE).refs()))
    spark.append(TABLE, slow, spark.head(TABLE), {})
    (branch,) = (ref for name, ref in refs[0].items() if name != "main")
    assert timedelta(milliseconds=branch.max_ref_age_ms) == timedelta(days=2)


def test_one_of_two_concurrent_commits_succeeds(pair, tmp_path):
    for _ in range(5):
        before, head, together = seen(pair[0]), pair[0].head(TABLE), Barrier(2, timeout=PATIENCE)

        def race(who, head=head, together=together):
            together.wait()
            try:
                append(pair[who], str(who), onto=head)
            except CommitConflictError:
                return False
            return True

        with ThreadPoolExecutor(2) as pool:
            succeeded = list(pool.map(race, (0, 1)))
        assert sum(succeeded) == 1
        assert_only([*before.elements(), str(succeeded.index(True))], pair, tmp_path)


def test_staged_files_are_the_tables_or_nowhere(engine, tmp_path, key):
    table = contract("customer_landing")
    write(tmp_path / "drops", DROPS)
    for each in (table, TABLE):
        engine.prepare(each)
    head, found = engine.head(table), discover(str(tmp_path / "drops")).drops["customer"]
    for late in (False, True):
        with engine.stage(Reader("customer", ARRIVAL, key.content_key), found, table) as staged:
            if late:
                with pytest.raises(CommitConflictError):
                    engine.append_staged(table, staged, head, {})
            else:
                engine.append_staged(table, staged, head, {})
    committed = {Path(task.file.file_path).name for task in table_of(tmp_path / "lake", table).scan().plan_files()}
    written = {file.name for file in (tmp_path / "lake").rglob("*.parquet")}
    assert written == committed != set()


def test_spark_reads_few_drops_in_the_driver_as_it_reads_many_in_workers(connect_to, tmp_path, key, monkeypatch):
    spark, history = connect_to("spark", tmp_path / "lake"), crowd(3)
    write(tmp_path / "drops", {name: raw for run in history.runs for name, raw in run.items()})
    table, staged = contract("accelerometer_landing"), []
    found = discover(str(tmp_path / "drops")).drops["accelerometer"]
    for each in (table, TABLE):
        spark.prepare(each)
    for little in (0, sum(drop.bytes for drop in found)):
        monkeypatch.setattr("stedi_common.engines.spark.landing.MAX_LOCAL_BYTES", little)
        with spark.stage(Reader("accelerometer", history.arrived_at[-1], key.content_key), found, table) as read:
            bags = [Counter(map(repr, spark.collect(rows))) for rows in (read.records, read.rejected)]
            staged.append((*bags, read.tallies, read.distinct))
    assert staged[0] == staged[1]
    assert all(staged[0][:2])


def test_a_job_retries_after_a_commit_conflict(pair, tmp_path, key):
    """From its sources as they are then, a few times; the last to commit is who read last."""
    one, other = pair
    job, landed = lineage.JOBS["customer_landing_to_trusted"], partial(landing.land, one, "customer")
    write(tmp_path / "drops", DROPS)
    landed(str(tmp_path / "drops"), key, ARRIVAL)
    again, conflicts = iter([True, True, False]), []

    def commit_meanwhile():
        if next(again):
            # Another policy each time: else there is nothing to commit.
            executor.run(one, job, Policy(pairing="timestamp" if conflicts else "owner"), key, rebuild=True)
            conflicts.append(one.head(job.target))

    outcome = executor.run(ConflictBeforeCommit(other, commit_meanwhile), job, Policy("ever"), key, rebuild=True)
    assert len(conflicts) == 2
    assert other.head(job.target).summary["stedi.policy"] == str(Policy("ever"))
    assert (outcome.changed, other.head(job.target).rows) == (True, outcome.rows)
    assert list(table_of(tmp_path / "lake", job.target).refs()) == ["main"]


def test_a_job_gives_up_after_repeated_commit_conflicts(connect_to, tmp_path, key):
    one, other = (connect_to("embedded", tmp_path / "lake") for _ in range(2))
    job, policies = lineage.JOBS["customer_landing_to_trusted"], cycle((Policy(), Policy(pairing="timestamp")))
    write(tmp_path / "drops", DROPS)
    landing.land(one, "customer", str(tmp_path / "drops"), key, ARRIVAL)

    def commit_meanwhile():
        executor.run(one, job, next(policies), key, rebuild=True)

    with pytest.raises(CommitConflictError):
        executor.run(ConflictBeforeCommit(other, commit_meanwhile), job, Policy("ever"), key, rebuild=True)
    assert other.head(job.target).summary["stedi.policy"] != str(Policy("ever"))


class ConflictBeforeCommit:
    """An engine, and what another one commits between its reading and its commit."""

    def __init__(self, engine, meanwhile):
        self._engine, self._meanwhile = engine, meanwhile

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def replace_classified(self, *args):
        self._meanwhile()
        return self._engine.replace_classified(*args)


# Landing


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, key):
    """The landing zone as it should be; the engine matters not."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with opening() as connect_to:
        engine = connect_to("embedded", folder / "lake")
        write(folder / "drops", DROPS)
        land(engine, folder / "drops", key, ARRIVAL)
        return landing_zone(engine)


MOMENTS = [(source, n) for source in ("customer", "accelerometer") for n in (1, 2, 3)]


@pytest.mark.parametrize(("engine_name", "moment"), on_both(MOMENTS, fast=1), indirect=["engine_name"])
def test_the_next_landing_completes_a_killed_one(engine, tmp_path, key, undisturbed, moment):
    source, n = moment
    write(tmp_path / "drops", DROPS)
    with pytest.raises(KilledError):
        landing.land(Dying(engine, n), source, str(tmp_path / "drops"), key, ARRIVAL)
    land(engine, tmp_path / "drops", key, ARRIVAL)
    assert landing_zone(engine) == undisturbed


def test_the_next_landing_finds_the_records_of_a_killed_one_whoever_they_suspend(connect_to, tmp_path, key):
    """The landing that completes it arrives at the same instant, where a line of its own suspends nobody yet."""
    engine, without_date = connect_to("embedded", tmp_path / "lake"), b', "shareWithResearchAsOfDate": 1700000000000}\n'
    write(tmp_path / "drops", {"customer/1.json": b'{"email": "b@b.c"' + without_date})
    landing.land(engine, "customer", str(tmp_path / "drops"), key, ARRIVAL - timedelta(days=1))
    record = b'{"email": "a@b.c", "lastUpdateDate": 1700000000000}\n'
    write(tmp_path / "drops", {"customer/2.json": record + b'{"email": "a@b.c"' + without_date})
    with pytest.raises(KilledError):
        landing.land(Dying(engine, 2), "customer", str(tmp_path / "drops"), key, ARRIVAL)
    landing.land(engine, "customer", str(tmp_path / "drops"), key, ARRIVAL)
    assert rows(engine, "customer_landing", ("email", "source_line")) == {
        ("b@b.c", 1): 1,
        ("a@b.c", 1): 1,
        ("a@b.c", 2): 1,
    }


@pytest.mark.parametrize(("engine_name", "n"), on_both([1, 2, 3], fast=1), indirect=["engine_name"])
def test_a_landing_retries_after_a_commit_conflict(connect, tmp_path, key, undisturbed, n):
    drops = tmp_path / "drops"
    write(drops, DROPS)
    engine, other = connect(tmp_path / "lake"), connect(tmp_path / "lake")
    conflicting = ConflictBefore(engine, n, lambda: landing.land(other, "customer", str(drops), key, ARRIVAL))
    land(conflicting, drops, key, ARRIVAL)
    assert landing_zone(engine) == undisturbed


class ConflictBefore(Dying):
    """An engine, and what another one commits before its n-th append."""

    def __init__(self, engine, n, meanwhile):
        super().__init__(engine, n)
        self._meanwhile = meanwhile

    def commit(self, method, *args):
        try:
            return super().commit(method, *args)
        except KilledError:
            self._meanwhile()
            return method(*args)


def test_concurrent_landings_of_all_sources_lose_nothing(tmp_path, key, undisturbed):
    write(tmp_path / "drops", DROPS)
    call_at_once(land_one, [(tmp_path, source, key) for source in SOURCES])
    with opening() as connect_to:
        assert landing_zone(connect_to("embedded", tmp_path / "lake")) == undisturbed


def test_concurrent_landings_of_the_same_files_duplicate_nothing(tmp_path, key, undisturbed):
    write(tmp_path / "drops", DROPS)
    call_at_once(land_one, [(tmp_path, source, key) for source in (*SOURCES, *SOURCES)])
    with opening() as connect_to:
        assert landing_zone(connect_to("embedded", tmp_path / "lake")) == undisturbed


@pytest.mark.long
def test_concurrent_first_openings_of_a_lake_succeed(tmp_path):
    for number in range(30):
        call_at_once(open_one, [(tmp_path / str(number),)] * 6)


def test_concurrent_runs_of_a_job_make_its_table_once(tmp_path, key):
    with opening() as connect_to:
        engine = connect_to("embedded", tmp_path / "lake")
        play(engine, tmp_path / "drops", [DROPS], [ARRIVAL], Policy(), key)
        right = rows(engine, "customer_trusted")
        executor.run(engine, lineage.JOBS["customer_landing_to_trusted"], Policy("ever"), key, rebuild=True)
        call_at_once(run_one, [(tmp_path, key)] * 2)
        assert rows(engine, "customer_trusted") == right


def open_one(lake: Path) -> None:
    with opening() as connect_to:
        connect_to("embedded", lake)


def land_one(folder: Path, source: str, key: PseudonymKey) -> None:
    with opening() as connect_to:
        landing.land(connect_to("embedded", folder / "lake"), source, str(folder / "drops"), key, ARRIVAL)


def run_one(folder: Path, key: PseudonymKey) -> None:
    with opening() as connect_to:
        try:
            job = lineage.JOBS["customer_landing_to_trusted"]
            executor.run(connect_to("embedded", folder / "lake"), job, Policy(), key, rebuild=True)
        except CommitConflictError:
            return


# What a table says of itself


def test_a_commit_says_what_it_was_made_from(engine, tmp_path, key):
    play(engine, tmp_path / "drops", [DROPS], [ARRIVAL], Policy(), key)
    for job in lineage.JOBS.values():
        head = engine.head(job.target)
        said = {name: value for name, value in head.summary.items() if name.startswith("stedi.")}
        assert said["stedi.policy"] == "consent=as-of pairing=owner"
        assert said["stedi.version"] == __version__
        for source in job.sources:
            assert said[f"stedi.source.{source.name}"] == str(engine.head(source).snapshot_id)
        rows_in, rows_kept = int(said["stedi.rows-in"]), int(said["stedi.rows-kept"])
        dropped = sum(int(n) for name, n in said.items() if name.startswith("stedi.rows-dropped."))
        assert rows_in == engine.head(job.sources[0]).rows
        assert rows_kept == head.rows == rows(engine, job.target.name).total()
        if job.name != "machine_learning_curated":
            assert rows_in == rows_kept + dropped


@pytest.mark.parametrize("name", ENGINES)
def test_compaction_leaves_nothing_to_do(connect_to, tmp_path, key, name):
    """Glue's optimizers commit too: the same rows in other files, and nothing of what ours say of themselves."""
    engine, spark = connect_to(name, tmp_path / "lake"), connect_to("spark", tmp_path / "lake")
    play(engine, tmp_path / "drops", [DROPS], [ARRIVAL], Policy(), key)
    heads = {table: engine.head(contract(table)) for table in names()}
    for table in names():
        compact(spark._tables.get(contract(table)), spark._jvm.org.apache.iceberg)
    assert not any(outcome.changed for outcome in run(engine, Policy(), key))
    for table, before in heads.items():
        head = engine.head(contract(table))
        assert head == replace(before, snapshot_id=head.snapshot_id)
        assert table_of(tmp_path / "lake", contract(table)).current_snapshot().summary.operation == Operation.REPLACE


def compact(table: Any, iceberg: Any) -> None:
    """Replace a table's files by copies, in the way a compaction commits."""
    rewrite = table.newRewrite()
    for task in table.newScan().planFiles().iterator():
        old = task.file().location()
        new = old.replace(".parquet", "-compacted.parquet")
        shutil.copy(old.removeprefix("file:"), new.removeprefix("file:"))
        rewrite.deleteFile(task.file()).addFile(
            iceberg.DataFiles.builder(table.spec()).copy(task.file()).withPath(new).build()
        )
    rewrite.commit()


def record(who: str) -> dict[str, Any]:
    return dict.fromkeys(TABLE.names) | {"source": who, "source_file": f"{who}.json", "source_line": 1}


def append(engine: Engine, who: str, onto: Any) -> None:
    engine.append(TABLE, engine.frame(TABLE, [record(who)]), onto, {})


def seen(engine: Engine) -> Counter[str]:
    return Counter(source for (source,) in rows(engine, TABLE.name, ["source"]).elements())


def assert_only(committed: list[str], pair: tuple[Engine, Engine], folder: Path) -> None:
    """Both see these rows only; no branch is left, and no file of a rejected embedded commit."""
    assert [seen(engine) for engine in pair] == [Counter(committed)] * 2
    table = table_of(folder / "lake", TABLE)
    assert list(table.refs()) == ["main"]
    if {engine.name for engine in pair} == {"embedded"}:
        files = {path.name for path in (folder / "lake").rglob("data/**/*.parquet")}
        assert files == {Path(path.as_py()).name for path in table.inspect.files()["file_path"]}


def landing_zone(engine: Engine) -> dict[str, Counter[Any]]:
    return {table: rows(engine, table, COLUMNS[table]) for table in LANDING_ZONE}
