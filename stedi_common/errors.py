"""The errors of the package. No message holds a value of a participant."""

from __future__ import annotations

import errno
import os
import re
import sqlite3
import traceback
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from difflib import get_close_matches

from stedi_common.text import ADDRESS, AT, escaped


class StediError(Exception):
    """Base of all errors for users. `hint` says what to do about it."""

    #: How the command line ends with it.
    exit_code = 1

    #: Whether the machine is out of disk space, memory or file descriptors. Then nothing is damaged.
    is_out_of_resources = False

    #: Which characters of a message stay as they are, though they are control characters.
    _unescaped = ""

    def __init__(self, message: str, hint: str | None = None) -> None:
        message = escaped(message, self._unescaped)  # names and texts from outside may be in it
        super().__init__(message if hint is None else f"{message}\nhint: {escaped(hint)}")


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
            hint="if the change is intended, run with --rebuild: tables of another build are rebuilt in full",
        )


class KeyMissingError(StediError):
    """The pseudonym key is missing, malformed, or readable by others."""


class LakeError(StediError):
    """The lake, its catalog or a table is missing, at another place, or not as expected."""


class MissingPackageError(LakeError):
    """A package that an engine needs is not installed."""


class DamagedFileError(LakeError):
    """A file of a table is missing or damaged."""


#: The hint of a damaged file.
CHECK_NAMES_FILES = "stedi check names every such file and what to do about it"


class LakePropertiesError(LakeError):
    """The properties of a lake, `lake.json`, cannot be read or understood."""


class UnusablePathError(SettingsError, LakeError):
    """A path is empty, or has a character that a URI or a library takes for something else."""

    exit_code = 2


class IncompleteLandingError(StediError):
    """A landing could not read files that may hold records. All other files have landed."""

    def __init__(self, source: str, files: int) -> None:
        count = "1 file that cannot be read" if files == 1 else f"{files:,} files that cannot be read"
        super().__init__(
            f"{source}: expected to land every file, got {count}",
            hint="the output and landing.landed_files name them as skipped; make them readable and land again",
        )


class UnreadFilesRemainError(StediError):
    """Files that a landing could not read have not landed since. All tables are computed from what has landed."""

    exit_code = 6

    def __init__(self, files: int, since: datetime) -> None:
        count = "1 unread file" if files == 1 else f"{files:,} unread files"
        super().__init__(
            f"run: expected every file to have landed, got {count}, the oldest since {since:%Y-%m-%d %H:%M} UTC; "
            "an unread file may hold a withdrawal",
            hint="the output names them; make them readable and land their folder again; only if nobody withdraws "
            "consent in them, remove them and land their folder again, or dismiss them: stedi run --dismiss-unread",
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


class DamagedLakeError(StediError):
    """A check has found files of the lake that are missing or damaged, or rows that are not as many as have landed."""

    exit_code = 5

    def __init__(self, findings: int) -> None:
        found = "1 finding" if findings == 1 else f"{findings:,} findings"
        super().__init__(
            f"lake: expected every file and row that its tables name, got {found}",
            hint="the output says what to do about each; copy the lake's folder first",
        )


class MissingLinesError(StediError):
    """Customer lines that have landed are missing. A table computed without them may bring withdrawn people back."""

    exit_code = 5

    def __init__(self, table: str, expected: int, found: int) -> None:
        super().__init__(
            f"{table}: expected a row for each of {expected:,} lines that have landed, got {found:,}; "
            "what is missing may be a withdrawal, so no table is computed",
            hint="stedi check names the files; stedi repair --landing FOLDER lands them again",
        )


class UnknownTablesError(LakeError):
    """The lake has trusted or curated tables without a contract: nobody can tell whose rows they have or had."""

    def __init__(self, tables: Sequence[str]) -> None:
        super().__init__(
            f"lake: expected a contract for every trusted and curated table, got none for {', '.join(tables)}; "
            "their snapshots do not expire",
            hint="run stedi in the folder of their project, or set STEDI_PROJECT to it; if nobody needs a table, "
            "remove its folder from the lake",
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


class UnknownCommitError(EngineError):
    """It is not known whether the catalog made a commit. It may still make it, so the files of the commit stay."""


class QueryError(StediError):
    """A query is not one SELECT, is not valid SQL, or names an unknown table or column."""

    _unescaped = "\n"


class SubjectError(StediError):
    """A person cannot be looked up: what is given is no address or pseudonym, or the export cannot be written."""


class StorageError(StediError):
    """The system does not let a file be read or written: the disk is full, a permission is missing, a device fails."""

    def __init__(self, problem: str, place: str | None = None, hint: str | None = None) -> None:
        super().__init__(f"{place or 'storage'}: expected a file or folder that can be used, got: {problem}", hint)
        self.is_out_of_resources = hint in {_ROOM, _MORE_FILES}


class ResourcesError(StediError):
    """The machine, or the container, has no more memory or threads for the command."""

    is_out_of_resources = True

    def __init__(self, problem: str, hint: str | None = None) -> None:
        super().__init__(
            f"machine: expected memory and threads for the command, got: {problem}",
            hint=hint or "allow this user or container more of them, then run the command again",
        )


class ServiceError(StediError):
    """A service of AWS or an Iceberg REST catalog has refused a request, or has not answered."""

    def __init__(self, service: str, problem: str, hint: str | None = None) -> None:
        super().__init__(f"{service}: expected an answer, got {problem}", hint or _SERVICE_HINTS.get(problem, _SERVICE))


class InterruptedRunError(StediError):
    """Ctrl-C or SIGTERM has ended the command."""

    def __init__(self, signal: str) -> None:
        super().__init__(
            f"interrupted by {signal}; what is committed stays", hint="run the command again: it continues from there"
        )


def as_stedi_error(error: Exception) -> StediError:
    """The error itself if it is a StediError, or that of the system or service that is its cause.

    Any other is an UnexpectedError.
    """
    if isinstance(error, StediError):
        return error
    converters = (_resources_error, _storage_error, _service_error)
    known = next(filter(None, (convert(each) for each in _causes(error) for convert in converters)), None)
    if known is None:
        return UnexpectedError(error)
    known.__cause__ = error
    return known


def raise_if_out_of_resources(error: Exception) -> None:
    """Raise what a machine without memory, threads, disk space or file descriptors has failed with.

    Whoever looks for a damaged file asks: the error says nothing about the file.
    """
    known = as_stedi_error(error)
    if known.is_out_of_resources:
        raise known from error


def _resources_error(error: BaseException) -> ResourcesError | None:
    """The error of Python or the system that there is no more memory, or no thread can be started."""
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return ResourcesError("out of memory")
    return ResourcesError(_NO_THREAD) if isinstance(error, RuntimeError) and str(error) == _NO_THREAD else None


def _storage_error(error: BaseException) -> StorageError | None:
    """The error as the system or SQLite says it, if it is theirs."""
    original = getattr(error, "orig", None)  # SQLAlchemy's errors quote statements, SQLite's own do not
    if isinstance(original, sqlite3.Error):
        message = str(original)
        return StorageError(message, "catalog.db", _SQLITE_HINTS.get(message)) if message in _SQLITE_HINTS else None
    if isinstance(error, OSError) and error.errno in _HINTS:
        place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
        # The name of a drop may be that of a person.
        return StorageError(os.strerror(error.errno), _NAME_WITH_ADDRESS.sub(ADDRESS, place), _HINTS[error.errno])
    return None


def _service_error(error: BaseException) -> ServiceError | None:
    """The ServiceError for an error of boto3, a REST catalog or Arrow's S3. It has the code, never the text."""
    library, kind = type(error).__module__.partition(".")[0], type(error).__name__
    if library == "requests" or (library == "pyiceberg" and kind in _REST_ERRORS):
        return ServiceError("Iceberg REST catalog", kind)
    if library == "botocore":
        response = getattr(error, "response", None) or {}
        code = response.get("Error", {}).get("Code") or kind
        return ServiceError(f"AWS {getattr(error, 'operation_name', '')}".strip(), code)
    return service_error(str(error)) if isinstance(error, OSError) else None


def service_error(message: str) -> ServiceError | None:
    """The ServiceError for a message of Arrow or DuckDB; None if it is no answer of S3, or of a missing object."""
    match = _ARROW_S3_ERROR.search(message)
    return ServiceError(f"S3 {match[2]}", match[1]) if match and match[1] != "NO_SUCH_KEY" else None


#: PyIceberg's errors for answers of a REST catalog.
_REST_ERRORS = (
    *("RESTError", "BadRequestError", "UnauthorizedError", "ServiceUnavailableError", "ServerError", "ForbiddenError"),
    *("AuthorizationExpiredError", "TooManyRequestsError", "OAuthError"),
)
#: The code and the operation in an error message of Arrow. The rest of the message may name files.
_ARROW_S3_ERROR = re.compile(r"AWS Error (\w+) during (\w+) operation")

_SERVICE = "check the name of the lake, the credentials, the region and the network"
_CREDENTIALS = "check the credentials: the AWS CLI must find the same ones, and they must have this permission"
#: Hints by the code of the answer.
_SERVICE_HINTS = {
    **dict.fromkeys(("NoSuchBucket", "NO_SUCH_BUCKET"), "check the name of the lake: there is no such bucket"),
    **dict.fromkeys(("AccessDeniedException", "AccessDenied", "ACCESS_DENIED"), _CREDENTIALS),
    **dict.fromkeys(("ExpiredToken", "ExpiredTokenException", "UnrecognizedClientException"), _CREDENTIALS),
    **dict.fromkeys(("NoCredentialsError", "TokenRetrievalError", "UnauthorizedSSOTokenError"), _CREDENTIALS),
    **dict.fromkeys(("INVALID_ACCESS_KEY_ID", "InvalidAccessKeyId", "EXPIRED_TOKEN"), _CREDENTIALS),
    "NoRegionError": "set AWS_DEFAULT_REGION, or a region in the profile",
}

_NAME_WITH_ADDRESS = re.compile(rf"[^/]*{AT}[^/]*", re.IGNORECASE)

_ROOM = "free some space, then run the command again: it continues from what is committed"
_MORE_FILES = "allow more open files: ulimit -n 4096"
_RIGHTS = "let this user read and write it, or name another folder"
_OTHER = "name another path, or move what is there away"

#: What to do about an error of the system. All others are defects.
_HINTS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _ROOM),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _RIGHTS),
    **dict.fromkeys((errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.ENAMETOOLONG), _OTHER),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), _MORE_FILES),
    **dict.fromkeys((errno.EIO, errno.ESTALE, errno.ENODEV), "look at the disk, then run the command again"),
}
_NO_THREAD = "can't start new thread"
_FULL = "database or disk is full"
#: The same of SQLite, by its messages.
_SQLITE_HINTS = {
    _FULL: _ROOM,
    "disk I/O error": "look at the disk and its free space, then run the command again",
    "attempt to write a readonly database": _RIGHTS,
    "unable to open database file": _RIGHTS,
    "database is locked": "wait for the other run, then run the command again",
    **dict.fromkeys(
        ("file is not a database", "database disk image is malformed"),
        "stedi recover rebuilds the catalog from the metadata of the tables",
    ),
}

#: Those that say nothing about the file: it must not be taken for damaged.
_SQLITE_CAUSES = (_FULL, "disk I/O error", "attempt to write a readonly database", "database is locked")


def sqlite_error(message: str) -> StorageError | None:
    """The StorageError for a message of SQLite; None if it is about the content of the file, or not known."""
    return StorageError(message, "catalog.db", _SQLITE_HINTS[message]) if message in _SQLITE_CAUSES else None


def storage_error(message: str) -> StorageError | None:
    """The StorageError for a library's message; None if it is about none. The message may quote values."""
    if _FULL in message:
        return StorageError(_FULL, "catalog.db", _SQLITE_HINTS[_FULL])
    number = next((each for each in _HINTS if os.strerror(each) in message), None)
    return None if number is None else StorageError(os.strerror(number), hint=_HINTS[number])


def stack_of(error: StediError) -> str:
    """The stack of an unexpected error, or of the cause of an error; without values. Empty if it has no cause."""
    if isinstance(error, UnexpectedError):
        return error.stack
    return "".join(_frames(error.__cause__)) if error.__cause__ else ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and its causes."""
    while error:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


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
