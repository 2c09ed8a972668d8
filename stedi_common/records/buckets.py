"""The objects below a prefix in S3. A key is any text; that `/` makes folders is only a custom.

Arrow's file system takes a key for a path: it does not open `a//b` or `./a`, and does not know what is archived.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from stedi_common import aws
from stedi_common.errors import LakeError
from stedi_common.records.names import ARCHIVED, UNREADABLE, UNUSABLE_KEY, shown

S3 = "s3://"

_MUST_BE_RESTORED = ("GLACIER", "DEEP_ARCHIVE")
_UNUSABLE = ("", ".", "..")
_MORE_ATTEMPTS = 2
#: There is nothing in an object from where on it was asked for.
_EMPTY = "InvalidRange"
_IS_ARCHIVED = "InvalidObjectState"


class S3Object(NamedTuple):
    """An object: its name below the landing prefix, and the reason why not to open it."""

    name: str
    bytes: int
    modified_at: datetime
    reason: str | None


class _RequestError(Exception):
    """A request failed with this code. botocore's own error may quote the key."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def objects(landing: str, below: str = "") -> Iterator[S3Object]:
    """All objects whose key begins with the landing prefix, `/` and this; folders too. Raises LakeError."""
    bucket, prefix = _bucket_and_key(f"{landing}/")
    pages = _client().get_paginator("list_objects_v2")
    # What was restored can be read, and S3 says so only if it is asked.
    asked = {"Bucket": bucket, "Prefix": prefix + below, "OptionalObjectAttributes": ["RestoreStatus"]}
    try:
        with _as_request_error():
            for page in pages.paginate(**asked):
                for listed in page.get("Contents", ()):
                    yield _object(listed, listed["Key"].removeprefix(prefix))
    except _RequestError as error:
        raise LakeError(
            f"{shown(landing)}: expected to list the objects below {shown(prefix + below) or 'it'}, got {error.code}",
            hint="give the S3 URI above the sources' folders, and credentials that may list it",
        ) from None


def _object(listed: dict[str, Any], name: str) -> S3Object:
    reason = None
    if any(part in _UNUSABLE for part in name.split("/")):
        reason = UNUSABLE_KEY
    elif listed.get("StorageClass") in _MUST_BE_RESTORED and not listed.get("RestoreStatus", {}).get(
        "RestoreExpiryDate"
    ):
        reason = ARCHIVED
    return S3Object(name, listed["Size"], listed["LastModified"].astimezone(UTC).replace(tzinfo=None), reason)


def pieces(path: str, size: int) -> Iterator[bytes]:
    """The object's bytes, a request for each piece, all of one version. Raises OSError."""
    try:
        yield from _pieces(path, size)
    except _RequestError as error:
        raise OSError(error.code) from None


def why_unreadable(path: str, size: int) -> str | None:
    """The reason why an object cannot be read to its end, found by reading it."""
    try:
        for _ in _pieces(path, size):
            pass
    except _RequestError as error:
        return ARCHIVED if error.code == _IS_ARCHIVED else UNREADABLE
    return None


def _pieces(path: str, size: int) -> Iterator[bytes]:
    bucket, key = _bucket_and_key(path)
    asked = {"Bucket": bucket, "Key": key}
    start, end = 0, 1
    while start < end:
        try:
            piece, answer = _range(asked, f"bytes={start}-{start + size - 1}")
        except _RequestError as error:
            if error.code == _EMPTY:
                return
            raise
        yield piece
        start += len(piece)
        end = int(answer["ContentRange"].rpartition("/")[2])
        # An object that is overwritten meanwhile must not be read half and half.
        asked["IfMatch"] = answer["ETag"]


def _range(asked: Mapping[str, str], of: str) -> tuple[bytes, Mapping[str, Any]]:
    """A part of an object, and what S3 says of it."""
    from botocore.exceptions import HTTPClientError, IncompleteReadError  # noqa: PLC0415

    with _as_request_error():
        for _ in range(_MORE_ATTEMPTS):
            answer = _client().get_object(**asked, Range=of)
            # boto3 repeats a request that fails, but not an answer that breaks off.
            with suppress(HTTPClientError, IncompleteReadError):
                return answer["Body"].read(), answer
        answer = _client().get_object(**asked, Range=of)
        return answer["Body"].read(), answer


def _bucket_and_key(path: str) -> tuple[str, str]:
    bucket, _, key = path.removeprefix(S3).partition("/")
    return bucket, key


@contextmanager
def _as_request_error() -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        raise _RequestError(error.response.get("Error", {}).get("Code", "ClientError")) from None
    except BotoCoreError as error:
        raise _RequestError(type(error).__name__) from None


def _client() -> Any:
    return _client_of(aws.client_cache_key())


@cache
def _client_of(cache_key: tuple[str | None, ...]) -> Any:
    """One client for each `aws.client_cache_key`: it takes long to make. Threads share it."""
    try:
        import boto3  # noqa: PLC0415 - Glue brings it, and a laptop without S3 does without
        from botocore.config import Config  # noqa: PLC0415
    except ModuleNotFoundError:
        raise LakeError("S3: expected the library boto3, got none", hint="pip install 'stedi-common[s3]'") from None
    config = Config(retries={"mode": "standard", "max_attempts": 5}, max_pool_connections=32)
    # boto3's default session is not for threads.
    return boto3.session.Session().client("s3", config=config)
