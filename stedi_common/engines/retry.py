"""Retries after a commit conflict: of a whole run, and of changes that several runs make to one table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from tenacity.retry import retry_base

from stedi_common.errors import CommitConflictError

#: How many attempts there are, the first one included.
MAX_ATTEMPTS = 5
#: The longest wait before the second attempt, which doubles for each further one, and the limit of all waits.
FIRST_WAIT_SECONDS, MAX_WAIT_SECONDS = 0.1, 1.0

Returned = TypeVar("Returned")


def retrying(retry: retry_base, attempts: int = MAX_ATTEMPTS) -> Retrying:
    """The attempts, to iterate over or to call with a function. Waits are random: exponential backoff with full jitter.

    Args:
        retry: after which errors there is another attempt. Any other error is raised, and so is the error of the last
            attempt.
        attempts: how many attempts there are.
    """
    wait = wait_random_exponential(multiplier=FIRST_WAIT_SECONDS, max=MAX_WAIT_SECONDS)
    return Retrying(retry=retry, stop=stop_after_attempt(attempts), wait=wait, reraise=True)


def retry_on_conflict(run: Callable[[], Returned]) -> Returned:
    """Call `run`, and again after each commit conflict.

    Args:
        run: reads its sources and commits. Each call reads the heads again, so it commits onto the current head.

    Returns:
        The result of the call that succeeded.

    Raises:
        CommitConflictError: the last attempt had a conflict, too.
    """
    return retrying(retry_if_exception_type(CommitConflictError))(run)
