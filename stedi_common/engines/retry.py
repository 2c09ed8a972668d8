"""Retries of what lost a race for a commit."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from stedi_common.errors import CommitConflictError

#: How often a run starts over because another one committed in between.
ATTEMPTS = 5

Done = TypeVar("Done")


def retry_on_conflict(run: Callable[[], Done]) -> Done:
    """What `run` returns, which reads its sources anew each time that somebody else commits in between.

    Raises CommitConflictError if that happens too often.
    """
    for _ in range(ATTEMPTS - 1):
        with suppress(CommitConflictError):
            return run()
    return run()
