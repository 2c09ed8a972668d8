"""Commits to Glue: compare-and-swap, and answers that are lost. LocalStack makes them, as AWS does."""

from collections import Counter
from typing import Any

import pytest
from support.remote import TABLE, answer, append, lost, seen, unsent

from stedi_common.engines.storage import s3
from stedi_common.errors import CommitConflictError, ServiceError, UnknownCommitError

ALWAYS = range(1, 100)


@pytest.fixture
def instead(engine, monkeypatch):
    """Replaces the request that swaps the metadata of a table."""
    glue = engine._catalog.glue
    return lambda make: monkeypatch.setattr(glue, "update_table", make(glue.update_table))


def data_files(lake: Any) -> int:
    from pyarrow import fs  # noqa: PLC0415

    system, path = s3.filesystem(f"{lake.table_location(TABLE)}/data")
    return sum(
        each.is_file for each in system.get_file_info(fs.FileSelector(path, allow_not_found=True, recursive=True))
    )


def test_a_commit_on_a_stale_snapshot_is_rejected(engine, other, lake):
    onto = engine.head(TABLE)
    append(other, "other")
    row = dict.fromkeys(TABLE.names) | {"source": "one"}
    with pytest.raises(CommitConflictError):
        engine.append(TABLE, engine.frame(TABLE, [row]), onto, {})
    assert (seen(engine), data_files(lake)) == (Counter(["other"]), 1)


def test_a_commit_that_loses_the_swap_is_rejected(engine, other, lake, instead):
    """The other commit is made after this one has read the version of the table."""

    def meanwhile(request):
        def sent(**arguments):
            append(other, "other")
            return request(**arguments)

        return sent

    instead(meanwhile)
    with pytest.raises(CommitConflictError):
        append(engine, "one")
    assert (seen(engine), data_files(lake)) == (Counter(["other"]), 1)


def test_a_commit_whose_answer_is_lost_is_found(engine, instead):
    instead(lambda request: lost(request, ALWAYS))
    append(engine, "one")
    assert seen(engine) == Counter(["one"])


def test_a_commit_that_others_have_built_on_is_found(engine, other, instead):
    """Its manifests are still there: the refusal of a repeated request is no conflict."""
    instead(lambda request: lost(request, [1], then=lambda: append(other, "other")))
    append(engine, "one")
    assert seen(engine) == Counter(["one", "other"])


def test_a_request_that_did_not_arrive_is_repeated(engine, instead):
    instead(lambda request: unsent(request, [1]))
    append(engine, "one")
    assert seen(engine) == Counter(["one"])


def test_the_files_of_a_commit_without_any_answer_stay(engine, lake, instead):
    """The request may be on the way."""
    instead(lambda request: unsent(request, ALWAYS))
    with pytest.raises(UnknownCommitError, match="may have made it"):
        append(engine, "one")
    assert (seen(engine), data_files(lake)) == (Counter(), 1)


@pytest.mark.parametrize("code", ["AccessDeniedException", "InvalidInputException"])
def test_a_commit_that_is_refused_says_why_and_leaves_no_file(engine, lake, instead, code):
    instead(lambda request: unsent(request, ALWAYS, answer(code, 400)))
    with pytest.raises(ServiceError, match=code) as raised:
        append(engine, "one")
    assert "ann" not in str(raised.value)
    assert (seen(engine), data_files(lake)) == (Counter(), 0)


def test_a_failure_of_the_service_is_no_refusal(engine, instead):
    instead(lambda request: lost(request, [1], then=_fail))
    append(engine, "one")
    assert seen(engine) == Counter(["one"])


def _fail() -> None:
    raise answer("InternalServiceException", 500)


def test_no_change_is_repeated_by_botocore(engine):
    """Each of these clients has one attempt; the one that only reads has more."""
    glue = engine._catalog.glue
    attempts = [
        request.__self__.meta.config.retries["total_max_attempts"] for request in (glue.update_table, glue.create_table)
    ]
    assert attempts == [1, 1]
    assert glue._client.meta.config.retries["total_max_attempts"] > 1


def test_a_table_that_cannot_be_looked_for_is_an_unknown_commit(engine, instead, monkeypatch):
    instead(
        lambda request: lost(request, [1], then=lambda: monkeypatch.setattr(engine._catalog, "_get_glue_table", down))
    )

    def down(*_: Any) -> Any:
        raise answer("InternalServiceException", 500)

    with pytest.raises(UnknownCommitError):
        append(engine, "one")
    monkeypatch.undo()
    assert seen(engine) == Counter(["one"])
