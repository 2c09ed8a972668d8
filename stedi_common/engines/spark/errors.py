"""What goes on of an error of Spark or Iceberg: its kind. Its message may quote values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from stedi_common.contracts import Contract
from stedi_common.engines.errors import conflict
from stedi_common.errors import EngineError

#: What Iceberg raises when somebody else has been quicker.
_OVERTAKEN = ("AlreadyExistsException", "CommitFailedException", "IllegalArgument", "ValidationException")


@contextmanager
def redacted() -> Iterator[None]:
    """Raise an engine's error as an EngineError that tells its kind."""
    try:
        yield
    except (Py4JError, PySparkException) as error:
        kind = kind_of(error)
        raise EngineError(f"engine spark: Spark stopped with {kind}; its message may hold personal data") from None


@contextmanager
def conflicting(contract: Contract) -> Iterator[None]:
    """Raise the error of somebody who came second as a CommitConflictError."""
    try:
        with redacted():
            yield
    except EngineError as error:
        if not any(kind in str(error) for kind in _OVERTAKEN):
            raise
        raise conflict(contract) from None


def kind_of(error: Exception) -> str:
    """The class of an error, of Java's if it is one of Java's, and of what that only wraps."""
    java = getattr(error, "java_exception", None)
    while java is not None and java.getClass().getSimpleName() == "RuntimeException" and java.getCause() is not None:
        java = java.getCause()
    return java.getClass().getSimpleName() if java is not None else type(error).__name__
