"""One call at a time."""

from collections.abc import Callable
from functools import wraps
from inspect import getmembers, isfunction
from threading import RLock
from typing import TypeVar

P = TypeVar("P")


def atomic(provider: type[P]) -> type[P]:
    """Run the provider's operations one after another, so that what one of them checks still holds when it writes."""
    lock = RLock()
    for name, operation in getmembers(provider, isfunction):
        if not name.startswith("_"):
            setattr(provider, name, _locked(operation, lock))
    return provider


def _locked(operation: Callable[..., object], lock: RLock) -> Callable[..., object]:
    @wraps(operation)
    def locked(*arguments: object) -> object:
        with lock:
            return operation(*arguments)

    return locked
