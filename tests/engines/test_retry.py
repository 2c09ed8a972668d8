"""Retries: after an error of the right type only, a few times, and the last error is the one that is raised."""

import pytest
import tenacity.nap
from tenacity import retry_if_exception_type

from stedi_common.contracts import contract
from stedi_common.engines.errors import conflict
from stedi_common.engines.retry import FIRST_WAIT_SECONDS, MAX_ATTEMPTS, MAX_WAIT_SECONDS, retry_on_conflict, retrying
from stedi_common.errors import CommitConflictError, EngineError

TABLE = contract("customer_trusted")


@pytest.fixture(autouse=True)
def waits(monkeypatch) -> list[float]:
    """The waits between attempts, in seconds. No test waits them."""
    found: list[float] = []
    monkeypatch.setattr(tenacity.nap.time, "sleep", found.append)
    return found


def failing(errors):
    """Raises the errors one after the other, then returns how many there were."""
    left = list(errors)

    def run():
        if left:
            raise left.pop(0)
        return len(errors)

    return run


def test_a_conflict_is_retried():
    assert retry_on_conflict(failing([conflict(TABLE)] * (MAX_ATTEMPTS - 1))) == MAX_ATTEMPTS - 1


def test_the_last_conflict_is_raised():
    conflicts = [conflict(TABLE, 1, found) for found in range(2, 2 + MAX_ATTEMPTS)]
    with pytest.raises(CommitConflictError) as raised:
        retry_on_conflict(failing(conflicts))
    assert raised.value is conflicts[-1]


@pytest.mark.parametrize("error", [EngineError("stopped with CommitFailedException"), KeyboardInterrupt()])
def test_another_error_is_raised_at_once(error, waits):
    with pytest.raises(type(error)) as raised:
        retry_on_conflict(failing([error, error]))
    assert (raised.value, waits) == (error, [])


def test_waits_are_random_and_short(waits):
    attempts = 10
    retrying(retry_if_exception_type(EngineError), attempts)(failing([EngineError("lost")] * (attempts - 1)))
    most = [min(MAX_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2**n) for n in range(attempts - 1)]
    assert all(0 <= wait <= limit for wait, limit in zip(waits, most, strict=True))
    assert len(set(waits)) > 1


def test_a_conflict_names_the_snapshots_that_are_known():
    changed = "customer_trusted: snapshot changed"
    assert str(conflict(TABLE, 123, 456)) == f"{changed}: expected 123, found 456\nhint: run the job again"
    for unknown in ((), (123,), (123, None), (123, 123)):
        assert str(conflict(TABLE, *unknown)) == f"{changed} since this run read it\nhint: run the job again"


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("CommitFailedException", CommitConflictError),
        ("IllegalArgumentException", CommitConflictError),
        ("NotCommitFailedException", EngineError),
        ("CommitStateUnknownException", EngineError),
        (None, EngineError),
    ],
)
def test_a_conflict_on_spark_is_decided_by_the_class_of_the_error(kind, expected):
    errors = pytest.importorskip("stedi_common.engines.spark.errors", exc_type=ImportError)
    with pytest.raises(expected), errors.conflicting(TABLE):
        raise EngineError("engine spark: Spark stopped with CommitFailedException", kind=kind)
