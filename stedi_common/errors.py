"""The errors of the package. No message holds a value of a participant."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches


class StediError(Exception):
    """Base of all errors that a user is meant to read. `hint` says what to do about it."""

    #: How the command line ends with it.
    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message if hint is None else f"{message}\nhint: {hint}")


class ContractError(StediError):
    """A contract is missing, or has something that this version does not understand."""


class ProjectError(StediError):
    """The user's own project cannot be used: its folder is missing, its files exist, or `tables.py` has an error."""


class PolicyError(StediError):
    """A policy is unknown, not allowed in this environment, or not the policy that the sources were built with."""


class SettingsError(StediError):
    """A setting or its file is missing, unknown or not understood."""


class RebuildRequiredError(StediError):
    """A table was built with another policy, key, columns or code. It is rebuilt only on request."""

    def __init__(self, table: str, differences: Sequence[str]) -> None:
        super().__init__(
            f"{table}: expected a table of the same build, got {'; '.join(differences)}",
            hint="if that is meant, run with --rebuild, which computes the tables of the run again",
        )


class KeyMissingError(StediError):
    """The pseudonym key is missing, malformed, or readable by others."""


class LakeError(StediError):
    """The lake, its catalog or a table is missing, at another place, or not as expected."""


class UnusablePathError(SettingsError, LakeError):
    """A path is empty, or has a character that a URI or a library takes for something else."""

    exit_code = 2


class UnreadFilesError(StediError):
    """Files that may hold records could not be read. All other files were read."""

    def __init__(self, source: str, files: int) -> None:
        super().__init__(
            f"{source}: expected to read every file, got {files:,} unread",
            hint="the output and landing.landed_files name them as skipped; make them readable and land again",
        )


class UnknownRefusalError(StediError):
    """Customer lines may be the refusal of an unknown person. Everything else is done."""

    exit_code = 4

    def __init__(self, lines: int) -> None:
        count = "1 line" if lines == 1 else f"{lines:,} lines"
        super().__init__(
            f"land: expected a known address in every customer line, got none in {count}; "
            "nobody knows whose refusal this may be",
            hint="landing.landed_files names the files (without_address > 0); find out whom these lines are about",
        )


class CommitConflictError(StediError):
    """Another commit was made to the table after this run had read its head."""

    exit_code = 3


class MultipliedRowsError(StediError):
    """A transformation classified more or fewer rows than its source has, or compaction changed the number of rows."""


class EngineError(StediError):
    """The engine failed. Its own message may quote values, so only its `kind` is kept: the class of its error."""

    def __init__(self, message: str, hint: str | None = None, *, kind: str | None = None) -> None:
        super().__init__(message, hint)
        self.kind = kind


class QueryError(StediError):
    """A query is not one SELECT, is not valid SQL, or names an unknown table or column."""


def as_stedi_error(error: Exception) -> StediError:
    """The error itself if it is a StediError, else an UnexpectedError without its message."""
    return error if isinstance(error, StediError) else UnexpectedError(error)


class UnexpectedError(StediError):
    """A defect of this program or of a library. Its message may quote values, so only its class and place are kept."""

    def __init__(self, error: Exception) -> None:
        place = traceback.extract_tb(error.__traceback__)[-1]
        super().__init__(
            f"unexpected {type(error).__name__} at {place.filename}:{place.lineno}; its message may hold personal data"
        )
        #: The class of the error.
        self.kind = type(error).__name__
        #: The stack of the error and of its causes, as lines of code. It holds no values.
        self.stack = "".join(_frames(error))


def _frames(error: BaseException) -> Iterator[str]:
    """The frames of an error, after those of its causes, as a traceback has them but without the messages."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause:
        yield from _frames(cause)
        yield "which led to\n"
    yield from traceback.format_tb(error.__traceback__)
    yield f"{type(error).__name__}\n"


def nearest(name: str, known: Iterable[str]) -> str | None:
    """A hint with the most similar known name; None if no name is similar."""
    by_folded = {one.casefold(): one for one in sorted(known)}
    found = get_close_matches(name.casefold(), by_folded, n=1)
    return f"did you mean {by_folded[found[0]]}?" if found else None
