"""Errors of Spark and Iceberg without their messages, which may quote values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from stedi_common.contracts import Contract
from stedi_common.engines.errors import conflict, unreadable
from stedi_common.engines.storage.unknown_tables import UnknownTable
from stedi_common.errors import DamagedFileError, EngineError, storage_error

#: Iceberg's error for a commit conflict. Nothing is committed, and the same change may be tried again.
COMMIT_FAILED = "CommitFailedException"
#: What Iceberg raises when another commit was made in between. None of them has a SQLSTATE or an error class of Spark.
CONFLICTS = frozenset(
    {
        "AlreadyExistsException",  # the table or the namespace has been created
        COMMIT_FAILED,
        "IllegalArgumentException",  # the table is no ancestor of the branch any more, so no fast-forward
        "ValidationException",  # a snapshot, a branch or a file that the change needs is gone
    }
)

#: Spark's message would name the file, and may quote a row.
_HINT = "if a file of the lake may be missing or damaged, stedi check names it"
#: What Iceberg, Parquet and Avro say of a file that is missing or damaged, and the path or URI of a table's file.
_DAMAGE = re.compile(r"FileNotFoundException|NotFoundException: |is not a Parquet file|Not an Avro data file")
_FILE = re.compile(
    r"(?:file:|s3[an]?://)[^\n]*?/(?P<table>[^/\n]+/[^/\n]+)/(?:data|metadata)/[^\n]*?\.(?:parquet|avro)"
)


@contextmanager
def redacted() -> Iterator[None]:
    """Raise an engine's error as an EngineError that has only its kind.

    If a file of a table is missing or damaged, it is a DamagedFileError; if the disk is full, a StorageError.
    """
    try:
        yield
    except (Py4JError, PySparkException) as error:
        if problem := storage_error(str(error)):
            raise problem from None
        if damaged := _damaged_file(str(error)):
            raise damaged from None
        kind = kind_of(error)
        raise EngineError(
            f"engine spark: Spark stopped with {kind}; its message may hold personal data", _HINT, kind=kind
        ) from None


def _damaged_file(message: str) -> DamagedFileError | None:
    """The error for the file of a table that the message names as missing or damaged; None if it does not."""
    file = _FILE.search(message) if _DAMAGE.search(message) else None
    return unreadable(file["table"].replace("/", "."), file[0]) if file else None


@contextmanager
def conflicting(table: Contract | UnknownTable) -> Iterator[None]:
    """Raise an error that another commit has caused as CommitConflictError, and any other as EngineError."""
    try:
        with redacted():
            yield
    except EngineError as error:
        if error.kind not in CONFLICTS:
            raise
        raise conflict(table) from None


def kind_of(error: Exception) -> str:
    """The class of an error; of an error of Java its Java class, or that of the cause that a RuntimeException wraps."""
    java = getattr(error, "java_exception", None)
    while java is not None and java.getClass().getSimpleName() == "RuntimeException" and java.getCause() is not None:
        java = java.getCause()
    return java.getClass().getSimpleName() if java is not None else type(error).__name__
