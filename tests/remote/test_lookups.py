"""How often a command looks a table up in the catalog of a lake in S3: each is a request."""

from collections import Counter
from contextlib import closing
from datetime import datetime, timedelta
from typing import Any

import pytest
from support.comparison import actual_tables
from support.crowds import crowd
from support.lakes import land, run, write
from support.readings import FIRST, READINGS, add

from stedi_common import maintenance, status
from stedi_common.contracts import SOURCES
from stedi_common.engines import connect
from stedi_common.errors import CommitConflictError
from stedi_common.instants import utc_now
from stedi_common.lake import Lake
from stedi_common.rules.lineage import JOBS
from stedi_common.rules.policy import Policy
from stedi_common.runs.preview import preview

ARRIVAL = datetime(2024, 4, 3)


@pytest.fixture(scope="module", params=["glue", "rest"])
def kind(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def made(new_lake, kind, key, tmp_path_factory) -> tuple[Lake, Any]:
    """A lake with all tables, and its drops."""
    folder, lake = tmp_path_factory.mktemp("drops"), new_lake(kind)
    names = {name: raw for part in crowd(0).runs for name, raw in part.items() if "/" in name}
    write(folder, {name: raw for name, raw in names.items() if name.split("/")[1] < "03"})
    with closing(connect("embedded", lake)) as engine:
        land(engine, folder, key, ARRIVAL)
        run(engine, Policy(), key)
        assert all(actual_tables(engine).values())
    return lake, folder


@pytest.fixture
def asked(made, monkeypatch):
    """An engine, and how often it has asked for each table."""
    counted = Counter[str]()
    with closing(connect("embedded", made[0])) as engine:
        catalog = engine._catalog
        if hasattr(catalog, "glue"):
            get_table = catalog.glue.get_table

            def got(**named: Any) -> Any:
                counted[named["Name"]] += 1
                return get_table(**named)

            monkeypatch.setattr(catalog.glue, "get_table", got)
        else:
            get = catalog._session.get

            def fetched(url: str, *args: Any, **named: Any) -> Any:
                counted[url.rpartition("/")[2]] += 1
                return get(url, *args, **named)

            monkeypatch.setattr(catalog._session, "get", fetched)
        yield engine, counted


def test_the_status_asks_for_each_table_once(asked):
    engine, counted = asked
    found = status.tables(engine)
    assert len(found) == 10
    assert counted == Counter({each.table.partition(".")[2]: 1 for each in found})


def test_a_query_asks_for_each_table_once(asked):
    engine, counted = asked
    with engine.query("SELECT * FROM trusted.customer_trusted JOIN landing.customer_landing USING (email)") as answer:
        assert list(answer.batches({None: "{}"}, 10))
    assert set(counted.values()) == {1}


def test_a_preview_asks_for_each_table_once(asked, key):
    engine, counted = asked
    assert {each.action for each in preview(engine, list(JOBS.values()), Policy(), key)} == {"nothing"}
    assert set(counted.values()) == {1}


def test_a_run_without_news_asks_no_more_than_concurrency_needs(asked, key):
    """The head of a table, and those of its sources after it, are the newest when its job is planned. A table is
    prepared before the deletion and before its job, each of which looks at it, too. Customer records are counted before
    both."""
    engine, counted = asked
    run(engine, Policy(), key)
    readers = Counter(source.name for job in JOBS.values() for source in job.sources)
    most = {name: 3 + readers[name] for name in counted}
    most |= {job.target.name: 5 + readers[job.target.name] for job in JOBS.values()}
    most["customer_landing"] += 1
    assert {name: n for name, n in counted.items() if n > most[name]} == {}
    assert counted.total() <= 45


def test_a_landing_without_news_asks_for_a_landing_table_once(asked, made, key):
    engine, counted = asked
    assert not any(landed.landed for landed in land(engine, made[1], key, ARRIVAL))
    for source in SOURCES:
        assert counted[f"{source}_landing"] <= 2
    assert counted["landed_files"] <= 3 * len(SOURCES)


def test_a_head_is_the_newest(lake):
    """Beside cached lookups: a commit on a stale head is a conflict."""
    with closing(connect("embedded", lake)) as engine, closing(connect("embedded", lake)) as other:
        engine.prepare(READINGS)
        before = engine.head(READINGS)
        with engine.cached_lookups():
            assert engine.head(READINGS) == before
            add(other, "bob", [FIRST])
            assert engine.head(READINGS) == before
        after = engine.head(READINGS)
        assert (after == before, after == other.head(READINGS)) == (False, True)
        with pytest.raises(CommitConflictError):
            engine.replace(READINGS, engine.frame(READINGS, []), before, {})


def test_a_snapshot_that_expires_while_its_lookup_is_cached_is_a_conflict_and_no_damage(lake):
    with closing(connect("embedded", lake)) as engine, closing(connect("embedded", lake)) as other:
        engine.prepare(READINGS)
        add(other, "ann", [FIRST])
        with engine.cached_lookups():
            head = engine.head(READINGS)
            other.replace(READINGS, other.frame(READINGS, []), head, {})
            done = maintenance.maintain(other, READINGS, utc_now() + timedelta(days=60))
            assert done
            assert done.removed > 0
            with pytest.raises(CommitConflictError):
                engine.read(READINGS, head)
