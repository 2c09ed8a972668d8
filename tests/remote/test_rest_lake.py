"""A lake in S3 with an Iceberg REST catalog, by the embedded engine: Iceberg's own server, and LocalStack's S3."""

import json
from collections import Counter
from contextlib import closing
from datetime import datetime

import pytest
from requests import Session
from requests.exceptions import ConnectionError as NoConnection
from support.comparison import actual_tables, expected_tables
from support.crowds import crowd
from support.histories import History
from support.lakes import land, run, write
from support.remote import TABLE, append, seen

from stedi_common.engines import connect
from stedi_common.errors import CommitConflictError, LakeError, UnknownCommitError
from stedi_common.lake import Lake
from stedi_common.rules.policy import Policy

ARRIVAL = datetime(2024, 4, 3)
ALWAYS = range(1, 100)


@pytest.fixture
def kind() -> str:
    return "rest"


@pytest.fixture
def instead(engine, monkeypatch):
    """Replaces what sends commits."""
    session: Session = engine._catalog._session
    return lambda make: monkeypatch.setattr(session, "post", make(session.post))


def test_a_lake_has_the_tables_of_the_rules(lake, key, stedi, tmp_path):
    runs = crowd(0).runs
    drops = {name: raw for run in runs for name, raw in run.items() if "/" in name and name.split("/")[1] < "04"}
    write(tmp_path / "drops", drops)
    with closing(connect("embedded", lake)) as engine:
        land(engine, tmp_path / "drops", key, ARRIVAL)
        run(engine, Policy(), key)
        assert actual_tables(engine) == expected_tables(History((drops,), (ARRIVAL,)), Policy(), key)
    where = ("--lake", lake.location, "--database-prefix", lake.prefix, "--catalog", lake.catalog)
    assert len(json.loads(stedi("status", *where, "--json").out)) == 10


def test_a_commit_on_a_stale_snapshot_is_rejected(engine, other):
    onto = engine.head(TABLE)
    append(other, "other")
    with pytest.raises(CommitConflictError):
        engine.append(TABLE, engine.frame(TABLE, [dict.fromkeys(TABLE.names)]), onto, {})
    assert seen(engine) == Counter(["other"])


def test_a_commit_that_loses_the_swap_is_rejected(engine, other, instead):
    def meanwhile(post):
        def sent(*args, **named):
            append(other, "other")
            return post(*args, **named)

        return sent

    instead(meanwhile)
    with pytest.raises(CommitConflictError):
        append(engine, "one")
    assert seen(engine) == Counter(["other"])


def test_a_commit_whose_answer_is_lost_is_found(engine, instead):
    def lost(post):
        def sent(*args, **named):
            post(*args, **named)
            raise NoConnection

        return sent

    instead(lost)
    append(engine, "one")
    assert seen(engine) == Counter(["one"])


def test_a_commit_whose_request_was_repeated_is_no_conflict(engine, other, instead):
    """As by a proxy, after others have built on it. Its manifests are still there."""

    def repeated(post):
        def sent(*args, **named):
            post(*args, **named)
            append(other, "other")
            return post(*args, **named)

        return sent

    instead(repeated)
    append(engine, "one")
    assert seen(engine) == Counter(["one", "other"])


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failure_of_the_server_leaves_the_commit_unknown(engine, instead, status):
    def failed(post):
        def sent(url, **named):
            answer = post(f"{url}-none", **named)
            answer.status_code = status
            return answer

        return sent

    instead(failed)
    with pytest.raises(UnknownCommitError):
        append(engine, "one")
    assert seen(engine) == Counter()


@pytest.mark.parametrize(("name", "error"), [("studi", "got none"), ("other", "got hive")])
def test_a_catalog_that_is_not_known_is_an_error(lake, monkeypatch, name, error):
    monkeypatch.setenv("PYICEBERG_CATALOG__OTHER__TYPE", "hive")
    with pytest.raises(LakeError, match=error):
        connect("embedded", Lake.at(lake.location, lake.prefix, name))


def test_a_lake_in_a_folder_has_no_other_catalog(tmp_path):
    with pytest.raises(LakeError, match="expected an S3 URI"):
        Lake.at(str(tmp_path), "", "study")
