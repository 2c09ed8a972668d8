"""The errors of jobs: those that an operation answers with, and those that a run ends with."""

from moto.glue.exceptions import ConcurrentRunsExceededException, EntityNotFoundException, GlueClientError

from ..catalog.exceptions import InvalidInputException

__all__ = [
    "ConcurrentRunsExceededException",
    "EntityNotFoundException",
    "IdempotentParameterMismatchException",
    "InvalidInputException",
    "LaunchError",
]


class IdempotentParameterMismatchException(GlueClientError):
    """A job of that name is there, and is another one."""

    def __init__(self, message: str) -> None:
        super().__init__("IdempotentParameterMismatchException", message)


class LaunchError(Exception):
    """A run that fails before its script starts; the message becomes the run's."""
