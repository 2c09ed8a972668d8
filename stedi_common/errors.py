"""Everything that can go wrong, by name. No message ever holds a participant's value."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Sequence


class StediError(Exception):
    """Base of all errors that a user is meant to read. `hint` says what to do about it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message}\nhint: {hint}")


class ContractError(StediError):
    """A contract is missing, or says something this version does not understand."""


class ProjectError(StediError):
    """The user's own project cannot be used: its folder is missing, or its `tables.py` cannot be imported."""


class PolicyError(StediError):
    """A policy is unknown, not allowed here, or not the one the sources were built under."""


class SettingsError(StediError):
    """The settings' file is not there, or says something that is not understood."""


class RebuildRequiredError(StediError):
    """A table was built with another policy, key, columns or code. It is rebuilt only on request."""

    def __init__(self, table: str, differences: Sequence[str]) -> None:
        super().__init__(
            f"{table}: expected a table of the same build, got {'; '.join(differences)}",
            hint="if that is meant, run with --rebuild, which computes the tables of the run again",
        )


class KeyMissingError(StediError):
    """There is no pseudonym key where one must be."""


class LakeError(StediError):
    """The lake, its catalog or a table is not where or not as it should be."""


class UnreadFilesError(StediError):
    """Files that may hold records could not be read. All others are."""

    def __init__(self, source: str, files: int) -> None:
        super().__init__(
            f"{source}: expected to read every file, got {files:,} unread",
            hint="the output and landing.landed_files name them as skipped; make them readable and land again",
        )


class UnknownRefusalError(StediError):
    """Customer lines that may be the refusal of somebody who is not known. Everything else is done."""

    #: The command line's own exit code for it.
    exit_code = 4

    def __init__(self, lines: int) -> None:
        count = "1 line" if lines == 1 else f"{lines:,} lines"
        super().__init__(
            f"land: expected a known address in every customer line, got none in {count}; "
            "nobody knows whose refusal this may be",
            hint="without_address in landing.landed_files tells the files; find out in them who is meant",
        )


class CommitConflictError(StediError):
    """Somebody else committed to the table after this run had read its head."""


class MultipliedRowsError(StediError):
    """A transformation classified more or fewer rows than its source holds."""


class EngineError(StediError):
    """The engine failed. Its own message may quote values, so only its `kind` is kept: the class of its error."""

    def __init__(self, message: str, hint: str | None = None, *, kind: str | None = None) -> None:
        super().__init__(message, hint)
        self.kind = kind


class QueryError(StediError):
    """A query is not one SELECT, or asks for what is not there."""


def as_stedi_error(error: Exception) -> StediError:
    """The error, or what may be said of it."""
    return error if isinstance(error, StediError) else UnexpectedError(error)


class UnexpectedError(StediError):
    """A defect of this program, or of what it runs on. Its message may quote values, so its kind and place are told."""

    def __init__(self, error: Exception) -> None:
        place = traceback.extract_tb(error.__traceback__)[-1]
        super().__init__(
            f"unexpected {type(error).__name__} at {place.filename}:{place.lineno}; its message may hold personal data"
        )
        #: Of which class the error is.
        self.kind = type(error).__name__
        #: The way there, and to what caused it, in lines of code: it holds no values.
        self.way = "".join(_frames(error))


def _frames(error: BaseException) -> Iterator[str]:
    """The frames of an error, after those of its causes, as a traceback has them but without the messages."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause:
        yield from _frames(cause)
        yield "which led to\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__name__}\n"
