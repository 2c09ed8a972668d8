"""The catalog has committed, and the client sees an error: the commit is found, not repeated, and not called a failure.

The error is raised where the engine calls the catalog, after the real commit: on the embedded engine instead of
PyIceberg's `commit_table`, on Spark instead of each change of the table or of our branch. How Spark wraps
what Java raises within a job does not matter: after any error the table is looked at.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Collection
from datetime import datetime
from itertools import count
from typing import Any

import pytest
from pyiceberg.exceptions import CommitStateUnknownException
from sqlalchemy.exc import OperationalError
from support.comparison import actual_tables, expected_tables
from support.crowds import crowd
from support.histories import History
from support.lakes import Asks, instead, land, rows, run, table_of, unanswered, write

from stedi_common import landing
from stedi_common.contracts import contract, names
from stedi_common.engines.protocol import Engine
from stedi_common.errors import EngineError, StorageError
from stedi_common.rules import lineage
from stedi_common.rules.policy import Policy
from stedi_common.runs import executor

TABLE = contract("rejected_records")
ARRIVAL = datetime(2024, 4, 3)
DROPS = {name: raw for run in crowd(4).runs for name, raw in run.items() if "/" in name and name.split("/")[1] < "03"}

#: An error, and the calls of the catalog it comes from: on Spark for branch, rows, fast-forward, removal; one more for
#: what a job records about its rows.
FAULTS = [
    *(pytest.param("embedded", (kind, range(1, 2)), id=f"embedded-{kind}") for kind in ("pyiceberg", "sqlite")),
    *(pytest.param("spark", ("java", (turn,)), id=f"spark-{turn}") for turn in (1, 2, 3, 4)),
]
OF_A_JOB = [*FAULTS, pytest.param("spark", ("java", (5,)), id="spark-5")]
ALWAYS = range(1, 1000)
WHOLE_NIGHTS = [
    pytest.param("embedded", ("pyiceberg", ALWAYS), id="embedded"),
    pytest.param("spark", ("java", ALWAYS), id="spark", marks=pytest.mark.long),
]


@pytest.fixture
def fault(request, engine) -> tuple[Callable[[], Exception], Collection[int]]:
    kind, turns = request.param

    def java() -> Exception:
        from py4j.protocol import Py4JJavaError  # noqa: PLC0415 - not everybody has it

        jvm = engine._jvm
        cause = jvm.java.lang.RuntimeException("read timed out")
        return Py4JJavaError("commit", jvm.org.apache.iceberg.exceptions.CommitStateUnknownException(cause))

    errors = {
        "pyiceberg": lambda: CommitStateUnknownException("gateway timeout"),
        "sqlite": lambda: OperationalError("UPDATE", None, Exception("disk I/O error")),
        "java": java,
    }
    return errors[kind], turns


@pytest.fixture
def broken(engine, monkeypatch) -> Callable[[Callable[[Asks], Asks]], None]:
    """Replaces what asks the catalog."""
    return lambda make: instead(engine, make, monkeypatch.setattr)


@pytest.fixture
def lose(broken, fault) -> Callable[[], None]:
    """From now on answers are lost."""
    return lambda: broken(lambda ask: unanswered(ask, *fault))


@pytest.fixture
def other(connect, engine, tmp_path) -> Engine:
    """Another handle on the lake."""
    return connect(tmp_path / "lake")


@pytest.mark.parametrize(("engine_name", "fault"), FAULTS, indirect=True)
@pytest.mark.parametrize("how", ["append", "replace"])
def test_a_commit_whose_answer_is_lost_is_found(engine, tmp_path, lose, how):
    engine.prepare(TABLE)
    onto = engine.head(TABLE)
    lose()
    head = getattr(engine, how)(TABLE, engine.frame(TABLE, [record("one")]), onto, {"said": "once"})
    assert head == engine.head(TABLE)
    assert [snapshot.snapshot_id for snapshot in engine.history(TABLE, head)] == [head.snapshot_id, onto.snapshot_id]
    assert (head.summary["said"], seen(engine)) == ("once", Counter(["one"]))
    assert list(table_of(tmp_path / "lake", TABLE).refs()) == ["main"]


@pytest.mark.parametrize(("engine_name", "fault"), [FAULTS[0], FAULTS[4]], indirect=True)
def test_a_commit_that_others_have_built_on_is_found(engine, other, broken, fault):
    engine.prepare(TABLE)
    error, turns = fault

    def meanwhile() -> Exception:
        append(other, "other")
        return error()

    broken(lambda ask: unanswered(ask, meanwhile, turns))
    append(engine, "one")
    assert seen(engine) == Counter(["one", "other"])


@pytest.mark.parametrize(("engine_name", "fault"), FAULTS[:5], indirect=True)
def test_a_commit_that_was_not_made_is_no_commit(engine, tmp_path, broken, fault):
    engine.prepare(TABLE)
    head, (error, turns) = engine.head(TABLE), fault
    broken(lambda ask: refused(ask, error, turns))
    with pytest.raises(EngineError):
        append(engine, "one")
    assert engine.head(TABLE) == head
    assert list(table_of(tmp_path / "lake", TABLE).refs()) == ["main"]
    if engine.name == "embedded":  # what Spark has written lies in no snapshot, until maintenance takes it
        assert not list((tmp_path / "lake").rglob("data/**/*.parquet"))
    append(engine, "one")
    assert seen(engine) == Counter(["one"])


@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_a_commit_that_found_the_disk_full_says_so(engine, broken):
    """Then no withdrawal takes its table for damaged."""
    engine.prepare(TABLE)
    head = engine.head(TABLE)

    def full() -> Exception:
        return OperationalError("UPDATE", None, sqlite3.OperationalError("database or disk is full"))

    broken(lambda ask: refused(ask, full, ALWAYS))
    with pytest.raises(StorageError, match="disk is full\nhint: free some space") as raised:
        append(engine, "one")
    assert raised.value.is_out_of_resources
    assert engine.head(TABLE) == head


@pytest.mark.parametrize("engine_name", ["spark"], indirect=True)
@pytest.mark.parametrize("said", ["No space left on device", "[SQLITE_FULL] Failed (database or disk is full)"])
def test_a_full_disk_is_not_an_error_of_spark(engine, broken, said):
    from py4j.protocol import Py4JJavaError  # noqa: PLC0415 - not everybody has it

    engine.prepare(TABLE)
    java = engine._jvm.java

    def full() -> Exception:
        cause = java.lang.RuntimeException(java.io.IOException(said))
        return Py4JJavaError("commit", java.lang.RuntimeException("ann@example.org", cause))

    broken(lambda ask: refused(ask, full, ALWAYS))
    with pytest.raises(StorageError, match=r"full|No space") as raised:
        append(engine, "one")
    assert raised.value.is_out_of_resources
    assert "ann" not in str(raised.value)


def refused(ask: Asks, error: Callable[[], Exception], turns: Collection[int]) -> Asks:
    """What asks a catalog, but not in these turns: then an error comes back."""
    turn = count(1)

    def asked(*args: Any) -> Any:
        if next(turn) in turns:
            raise error()
        return ask(*args)

    return asked


@pytest.mark.parametrize(("engine_name", "fault"), OF_A_JOB, indirect=True)
def test_a_job_whose_answer_is_lost_has_run(connect, engine, tmp_path, key, lose):
    job = lineage.JOBS["customer_landing_to_trusted"]
    write(tmp_path / "drops", DROPS)
    heads, answered = [], connect(tmp_path / "answered")
    for each in (answered, engine):
        landing.land(each, "customer", str(tmp_path / "drops"), key, ARRIVAL)
        each.prepare(job.target)
        if each is engine:
            lose()
        outcome = executor.run(each, job, Policy(), key)
        heads.append((outcome, rows(each, job.target.name), len(list(each.history(job.target, each.head(job.target))))))
    assert heads[0] == heads[1]
    assert not executor.run(engine, job, Policy(), key).changed
    assert list(table_of(tmp_path / "lake", job.target).refs()) == ["main"]


@pytest.mark.parametrize(("engine_name", "fault"), WHOLE_NIGHTS, indirect=True)
def test_a_run_whose_answers_are_all_lost_gives_the_same_tables(connect, engine, tmp_path, key, lose):
    write(tmp_path / "drops", DROPS)
    answered = connect(tmp_path / "answered")
    for each in (answered, engine):
        if each is engine:
            lose()
        land(each, tmp_path / "drops", key, ARRIVAL)
        run(each, Policy(), key)
    assert actual_tables(engine) == expected_tables(History((DROPS,), (ARRIVAL,)), Policy(), key)
    assert commits(engine) == commits(answered)


def commits(engine: Engine) -> dict[str, int]:
    return {of: len(list(engine.history(contract(of), engine.head(contract(of))))) for of in names()}


def append(engine: Engine, who: str) -> None:
    engine.append(TABLE, engine.frame(TABLE, [record(who)]), engine.head(TABLE), {})


def record(who: str) -> dict[str, Any]:
    return dict.fromkeys(TABLE.names) | {"source": who, "source_file": f"{who}.json", "source_line": 1}


def seen(engine: Engine) -> Counter[str]:
    return Counter(source for (source,) in rows(engine, TABLE.name, ["source"]).elements())
