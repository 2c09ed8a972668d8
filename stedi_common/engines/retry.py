"""Retries: of a run that lost a race for a commit, and of changes that several runs make to one table at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from tenacity.retry import retry_base

from stedi_common.errors import CommitConflictError

#: How often something is tried, the first time included.
ATTEMPTS = 5
#: The longest wait before the second attempt, which doubles for each further one, and the longest of all, in seconds.
FIRST_WAIT, LONGEST_WAIT = 0.1, 1.0

Done = TypeVar("Done")


def retrying(retry: retry_base, attempts: int = ATTEMPTS) -> Retrying:
    """Attempts to iterate over, with random waits in between so that two that collide part.

    Args:
        retry: after which errors there is another attempt. Any other error is raised, and so is that of the last one.
        attempts: how many there are.
    """
    wait = wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT)
    return Retrying(retry=retry, stop=stop_after_attempt(attempts), wait=wait, reraise=True)


def retry_on_conflict(run: Callable[[], Done]) -> Done:
    """Call `run`, and again after each commit conflict.

    Args:
        run: reads its sources and commits. Each call reads anew, so the commit is of what the sources are then.

    Returns:
        What the call that succeeded returns.

    Raises:
        CommitConflictError: the last of the attempts had a conflict too.
    """
    return retrying(retry_if_exception_type(CommitConflictError))(run)
