"""Maintenance of a lake in S3 by the embedded engine, with Glue and with a REST catalog: no row changes, what no
snapshot needs is removed, and nothing else is."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from support.lakes import KilledError, rows
from support.readings import FIRST, READINGS, SECOND, add, of, seen
from support.remote import answer, unsent

from stedi_common import jobs, maintenance
from stedi_common.engines import connect
from stedi_common.engines.properties import MIN_SMALL_FILES
from stedi_common.engines.storage import table_folder
from stedi_common.engines.storage.orphans import MAX_UNKNOWN_SHARE
from stedi_common.engines.storage.table_folder import Prefix
from stedi_common.errors import CommitConflictError, LakeError, ServiceError, UnknownCommitError
from stedi_common.instants import utc_now
from stedi_common.lake import Lake
from stedi_common.maintenance import ORPHAN_AGE, Maintained

#: When all that was done in a test is long past.
LATER = timedelta(days=60)
#: S3 says in which second an object was written.
SECOND_OF_S3 = 1.1


#: What does not ask the catalog for anything that another test does not ask for.
LONG_ON_REST = pytest.mark.parametrize("kind", ["glue", pytest.param("rest", marks=pytest.mark.long)], indirect=True)


@pytest.fixture(params=["glue", "rest"])
def kind(request) -> str:
    return request.param


@pytest.fixture
def fragmented(lake):
    """A table with many small files on a day."""
    with closing(connect("embedded", lake)) as engine:
        engine.prepare(READINGS)
        for n in range(MIN_SMALL_FILES):
            add(engine, f"ann{n}", [FIRST])
        yield engine


def maintain(engine: Any, later: timedelta = LATER, **named: Any) -> Maintained:
    done = maintenance.maintain(engine, READINGS, utc_now() + later, **named)
    assert done
    return done


def objects(lake: Lake, below: str = "") -> dict[str, int]:
    """The bytes of each object of the lake, by key."""
    bucket = boto3.resource("s3").Bucket(lake.location.removeprefix("s3://"))
    return {each.key: each.size for each in bucket.objects.filter(Prefix=below)}


def put(lake: Lake, key: str, size: int = 1) -> str:
    boto3.client("s3").put_object(Bucket=lake.location.removeprefix("s3://"), Key=key, Body=bytes(size))
    return key


def folder(lake: Lake) -> str:
    """The key of the table's folder."""
    return lake.table_location(READINGS).removeprefix(f"{lake.location}/")


def needed(engine: Any, lake: Lake) -> set[str]:
    """The keys that the table needs, as PyIceberg finds them."""
    table = engine._catalog.load_table(lake.identifier(READINGS))
    found = {each["file_path"] for each in table.inspect.all_files().to_pylist()}
    found |= {each["path"] for each in table.inspect.all_manifests().to_pylist()}
    found |= {snapshot.manifest_list for snapshot in table.snapshots()}
    found |= {entry.metadata_file for entry in table.metadata.metadata_log} | {table.metadata_location}
    return {uri.removeprefix(f"{lake.location}/") for uri in found}


def test_no_row_changes_and_what_no_snapshot_needs_is_removed(fragmented, other, lake):
    before, there = rows(fragmented, READINGS.name), objects(lake)
    tonight = maintain(fragmented, timedelta())
    assert (tonight.files, tonight.snapshots, tonight.removed) == ((MIN_SMALL_FILES, 1), 0, 0)
    assert there.keys() < objects(lake).keys()
    assert rows(other, READINGS.name) == before
    add(other, "bob", [SECOND])
    later = maintain(fragmented)
    assert (later.snapshots > 0, later.removed > 2 * MIN_SMALL_FILES, later.errors) == (True, True, [])
    assert objects(lake, folder(lake)).keys() == needed(fragmented, lake)
    assert len(objects(lake, f"{folder(lake)}/data")) == 2
    assert before < rows(fragmented, READINGS.name) == rows(other, READINGS.name)
    assert rows(other, READINGS.name).total() == before.total() + 1
    again = maintain(other)
    assert (again.skipped, again.errors, again.snapshots, again.removed) == ((), [], 0, 0)


@LONG_ON_REST
def test_what_a_tag_keeps_stays(fragmented, lake):
    tagged = fragmented.head(READINGS)
    then = seen(fragmented, READINGS, tagged)
    with fragmented._catalog.load_table(lake.identifier(READINGS)).manage_snapshots() as change:
        change.create_tag(tagged.snapshot_id, "paper")
    fragmented.replace(READINGS, of(fragmented, "bob", [SECOND]), fragmented.head(READINGS), {})
    done = maintain(fragmented)
    assert (done.pinned, done.snapshots > 0) == (("paper",), True)
    assert seen(fragmented, READINGS, tagged) == then


# Orphan files


@pytest.fixture
def small(lake):
    """A table of two commits."""
    with closing(connect("embedded", lake)) as engine:
        engine.prepare(READINGS)
        add(engine, "ann", [FIRST])
        yield engine


def commit_later(engine: Any) -> None:
    """So that what was there before is older than the last commit."""
    time.sleep(SECOND_OF_S3)
    add(engine, "bob", [SECOND])


@LONG_ON_REST
def test_an_orphan_file_is_removed_and_nothing_beside_the_table(small, lake):
    left = put(lake, f"{folder(lake)}/data/left.parquet")
    theirs = [put(lake, f"{folder(lake)}{name}") for name in ("_2/data/1.parquet", ".parquet", "-old")]
    commit_later(small)
    assert maintain(small).removed > 0
    there = objects(lake)
    assert left not in there
    assert set(theirs) < set(there)


@LONG_ON_REST
def test_a_young_orphan_file_stays(small, lake):
    left = put(lake, f"{folder(lake)}/data/left.parquet")
    commit_later(small)
    assert maintain(small, ORPHAN_AGE - timedelta(hours=1)).removed == 0
    assert left in objects(lake)
    assert maintain(small, ORPHAN_AGE + timedelta(hours=1)).removed > 0
    assert left not in objects(lake)


def test_an_unknown_file_that_is_newer_than_the_last_commit_stays(small, lake):
    left = put(lake, f"{folder(lake)}/data/left.parquet")
    assert maintain(small).recent_unknown_files == 1
    assert left in objects(lake)
    assert maintain(small, remove_unknown=True).recent_unknown_files == 0
    assert left not in objects(lake)


@LONG_ON_REST
def test_unknown_files_that_are_most_of_the_table_stay(small, lake):
    known = sum(objects(lake, folder(lake)).values())
    left = put(lake, f"{folder(lake)}/data/left.parquet", int(3 * known / MAX_UNKNOWN_SHARE))
    commit_later(small)
    done = maintain(small)
    assert (len(done.errors), done.removed, done.unknown_bytes > known) == (1, 0, True)
    assert left in objects(lake)
    assert maintain(small, remove_unknown=True).errors == []
    assert left not in objects(lake)


@LONG_ON_REST
def test_the_files_of_another_table_at_this_location_stay(small, lake):
    """As with another database prefix by mistake. However few they are."""
    with closing(connect("embedded", Lake.at(lake.location, f"{lake.prefix}_x", lake.catalog))) as mistaken:
        mistaken.prepare(READINGS)
        add(mistaken, "cleo", [FIRST])
        put(lake, f"{folder(lake)}/data/left.parquet")
        for n in range(4):
            add(small, f"ann{n}", [FIRST])
        commit_later(small)
        done = maintain(small)
        assert (len(done.errors), done.removed) == (1, 0)
        assert done.unknown_bytes < MAX_UNKNOWN_SHARE * done.table_bytes
        assert rows(mistaken, READINGS.name, ["user"])["cleo",] == 1


@LONG_ON_REST
def test_a_table_at_another_location_is_refused(small, lake, new_lake):
    elsewhere = Lake.at(new_lake().location, lake.prefix, lake.catalog)
    left = put(elsewhere, f"{folder(lake)}/data/left.parquet")
    with closing(connect("embedded", elsewhere)) as engine, pytest.raises(LakeError, match="expected the table at"):
        engine.maintenance.remove_orphans(READINGS, utc_now() + LATER, unknown=True)
    assert left in objects(elsewhere)


@LONG_ON_REST
def test_a_killed_removal_is_completed(fragmented, lake, monkeypatch):
    maintain(fragmented, timedelta())
    add(fragmented, "bob", [SECOND])
    before = rows(fragmented, READINGS.name)
    monkeypatch.setattr(table_folder, "MAX_DELETED", 1)
    client_of = table_folder.s3.object_client

    def mortal(uri: str) -> Any:
        client, *rest = client_of(uri)
        client.meta.events.register("before-call.s3.DeleteObjects", die)
        return client, *rest

    left = iter(range(3))

    def die(**_: Any) -> None:
        if next(left, None) is None:
            raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(table_folder.s3, "object_client", mortal)
        with pytest.raises(KilledError):
            maintain(fragmented)
    there = objects(lake, folder(lake)).keys()
    assert there > needed(fragmented, lake)
    assert sum("/data/" in key for key in there) == MIN_SMALL_FILES + 2 - 3  # what names them goes later
    done = maintain(fragmented)
    assert (done.errors, done.removed) == ([], len(there - needed(fragmented, lake)))
    assert objects(lake, folder(lake)).keys() == needed(fragmented, lake)
    assert rows(fragmented, READINGS.name) == before


# Commits in between, and answers that are lost


def meanwhile(engine: Any, monkeypatch: pytest.MonkeyPatch, do: Callable[[], Any]) -> None:
    """Do this before the next commit of the engine's maintenance is sent."""
    commit = engine._catalog.commit_table

    def sent(*args: Any, **named: Any) -> Any:
        monkeypatch.undo()
        do()
        return commit(*args, **named)

    monkeypatch.setattr(engine._catalog, "commit_table", sent)


def test_a_compaction_that_loses_the_swap_is_skipped(fragmented, other, lake, monkeypatch):
    before = set(objects(lake, f"{folder(lake)}/data"))
    meanwhile(fragmented, monkeypatch, lambda: add(other, "bob", [SECOND]))
    done = maintain(fragmented, timedelta())
    assert (done.skipped, done.files) == (("compaction",), (MIN_SMALL_FILES, MIN_SMALL_FILES + 1))
    assert len(set(objects(lake, f"{folder(lake)}/data")) - before) == 1
    assert maintain(fragmented, timedelta()).files == (MIN_SMALL_FILES + 1, 2)


@pytest.mark.parametrize("what", ["commit", "moved tag"])
def test_an_expiry_is_skipped_if_what_it_looked_at_has_changed(fragmented, other, lake, monkeypatch, what):
    first, *_, last = fragmented.history(READINGS, fragmented.head(READINGS))
    table = other._catalog.load_table(lake.identifier(READINGS))

    def tag(at: int) -> None:
        table.refresh()
        with table.manage_snapshots() as change:
            change.create_tag(at, "paper")

    tag(first.snapshot_id)
    meanwhile(
        fragmented, monkeypatch, lambda: add(other, "bob", [FIRST]) if what == "commit" else tag(last.snapshot_id)
    )
    with pytest.raises(CommitConflictError):
        fragmented.maintenance.expire(READINGS, utc_now() + LATER)
    assert fragmented.snapshot(READINGS, last.snapshot_id)


@pytest.fixture
def data(lake) -> Callable[[], set[str]]:
    return lambda: set(objects(lake, f"{folder(lake)}/data"))


@pytest.mark.parametrize("kind", ["glue"], indirect=True)
def test_a_compaction_without_any_answer_keeps_its_files(fragmented, data, monkeypatch):
    """The request may be on the way."""
    before, glue = data(), fragmented._catalog.glue
    monkeypatch.setattr(glue, "update_table", unsent(glue.update_table, range(1, 100)))
    with pytest.raises(UnknownCommitError):
        fragmented.maintenance.compact(READINGS)
    assert len(data() - before) == 1


@pytest.mark.parametrize("kind", ["glue"], indirect=True)
def test_a_compaction_that_is_refused_leaves_no_file(fragmented, data, monkeypatch):
    before, glue = data(), fragmented._catalog.glue
    refusal = answer("AccessDeniedException", 400)
    monkeypatch.setattr(glue, "update_table", unsent(glue.update_table, range(1, 100), refusal))
    with pytest.raises(ServiceError, match="AccessDenied"):
        fragmented.maintenance.compact(READINGS)
    assert data() == before


# Objects


def test_more_objects_than_a_page_are_listed_and_deleted(endpoint):
    s3, bucket = boto3.client("s3"), "many-objects"
    s3.create_bucket(Bucket=bucket)
    before = datetime.now(UTC).replace(tzinfo=None)
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: s3.put_object(Bucket=bucket, Key=f"t/{n} é&<", Body=b"12"), range(1001)))
    for key in ("t2/one", "t", "t/folder/"):
        s3.put_object(Bucket=bucket, Key=key)
    prefix = Prefix(f"s3://{bucket}/t")
    found = prefix.files()
    assert len(found) == 1001
    assert {each.bytes for each in found.values()} == {2}
    assert all(each.written_at >= before for each in found.values())
    prefix.remove(list(found))
    assert not prefix.files()
    assert {each["Key"] for each in s3.list_objects_v2(Bucket=bucket)["Contents"]} == {"t2/one", "t", "t/folder/"}


def test_what_s3_does_not_delete_is_an_error(endpoint, monkeypatch):
    class Refusing:
        def delete_objects(self, **_: Any) -> Any:
            return {"Errors": [{"Key": "ann@example.org", "Code": "AccessDenied", "Message": "ann@example.org"}]}

    monkeypatch.setattr(table_folder.s3, "object_client", lambda _: (Refusing(), "lake", "t"))
    with pytest.raises(ServiceError, match="AccessDenied") as raised:
        Prefix("s3://lake/t").remove(["s3://lake/t/1"])
    assert "ann" not in str(raised.value)


# The command and the job


def test_the_command_and_the_job_maintain(fragmented, lake, stedi, capsys):
    where = ("--lake", lake.location, "--database-prefix", lake.prefix)
    where += ("--catalog", lake.catalog) if lake.catalog else ()
    done = stedi("maintain", *where, "--json")
    assert done.code == 0
    (table,) = json.loads(done.out)["tables"]
    assert table["files"] == [MIN_SMALL_FILES, 1]
    assert jobs.maintain([*where, "--engine", "embedded"]) is None
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["table"], line["files"]) == (READINGS.name, [1, 1])
