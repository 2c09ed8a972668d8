"""S3 as Arrow reads and writes it, with the credentials, the region and the endpoint that boto3 finds.

boto3 knows profiles, roles and single sign-on as the AWS CLI does; Arrow's own chain knows only some of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pyarrow import fs

from stedi_common import aws
from stedi_common.errors import LakeError

SCHEME = "s3://"
#: How many times a request is made before its error is raised. The waits in between double.
MAX_ATTEMPTS = 8
#: So many requests are made in parallel.
MAX_REQUESTS = 16
#: Timeouts of an answer and of a connection, in seconds.
_TIMEOUT_SECONDS, _CONNECT_SECONDS = 60.0, 10.0
#: So many bytes of a file are in memory while it is uploaded.
_PIECE_BYTES = 8 * 2**20
#: How the host names of AWS itself end.
_AWS = (".amazonaws.com", ".amazonaws.com.cn")


#: PyIceberg's properties for credentials, region and endpoint, by our name.
_ACCESS_PROPERTIES = {
    "access_key": ("s3.access-key-id", "client.access-key-id"),
    "secret_key": ("s3.secret-access-key", "client.secret-access-key"),
    "session_token": ("s3.session-token", "client.session-token"),
    "region": ("s3.region", "client.region"),
    "endpoint": ("s3.endpoint",),
}

Given = TypeVar("Given")
Returned = TypeVar("Returned")

#: Credentials, region and endpoint by prefix. For other objects those of the environment are used.
_access: dict[str, dict[str, str]] = {}


def set_access(prefix: str, properties: Mapping[str, str]) -> None:
    """Use the credentials, region and endpoint of these PyIceberg properties for all objects below a prefix.

    Args:
        prefix: the S3 URI.
        properties: properties without any of these change nothing.
    """
    found = {
        name: next((properties[key] for key in keys if properties.get(key)), "")
        for name, keys in _ACCESS_PROPERTIES.items()
    }
    if any(found.values()):
        _access[prefix.rstrip("/") + "/"] = found


def client(service: str, attempts: int = MAX_ATTEMPTS, **access: Any) -> Any:
    """A client of boto3, with the credentials, the region and the endpoint of the environment.

    Args:
        service: the name of the service.
        attempts: how many times a request is made before its error is raised.
        access: boto3's arguments for other credentials, another region or endpoint.

    Raises:
        LakeError: boto3 is not installed.
    """
    session = _session(aws.client_cache_key())
    from botocore.config import Config  # noqa: PLC0415 - see `_session`

    retries = {"mode": "standard", "total_max_attempts": attempts}
    timeouts = {"read_timeout": _TIMEOUT_SECONDS, "connect_timeout": _CONNECT_SECONDS}
    return session.client(service, config=Config(retries=retries, max_pool_connections=32, **timeouts), **access)


def filesystem(uri: str) -> tuple[fs.S3FileSystem, str]:
    """Arrow's file system for the URI of an object or a prefix, and the path in it.

    Raises:
        LakeError: there are no credentials.
    """
    path = uri.removeprefix(SCHEME)
    access = _access_to(uri)
    keys = (access["access_key"], access["secret_key"], access["session_token"] or None)
    if not access["access_key"]:
        keys = _credentials()
    bucket = path.partition("/")[0]
    return _new_filesystem(bucket, *keys, access["region"], access["endpoint"], aws.client_cache_key()), path


def object_client(uri: str) -> tuple[Any, str, str]:
    """A client of boto3 for the URI of an object or a prefix, its bucket and its key. It lists and deletes in pages.

    Raises:
        LakeError: boto3 is not installed.
    """
    access = _access_to(uri)
    given: dict[str, Any] = {"region_name": access["region"] or None, "endpoint_url": access["endpoint"] or None}
    if access["access_key"]:
        given |= {
            "aws_access_key_id": access["access_key"],
            "aws_secret_access_key": access["secret_key"],
            "aws_session_token": access["session_token"] or None,
        }
    bucket, _, key = uri.removeprefix(SCHEME).partition("/")
    return client("s3", **given), bucket, key


def region() -> str | None:
    """The region of the environment; None if it has none. Raises LakeError without boto3."""
    return _endpoint(aws.client_cache_key())[2]


def is_aws() -> bool:
    """Whether the environment's S3 is that of AWS, and no other server. Raises LakeError without boto3."""
    return _endpoint(aws.client_cache_key())[1] is None


def in_parallel(call: Callable[[Given], Returned], each: Iterable[Given]) -> list[Returned]:
    """The results of a call for each of these, in order. What S3 takes long to answer is asked in parallel."""
    with ThreadPoolExecutor(MAX_REQUESTS) as pool:
        return list(pool.map(call, each))


def upload(file: Path, uri: str) -> None:
    """Write a local file to an object, and remove it."""
    system, path = filesystem(uri)
    with file.open("rb") as local, system.open_output_stream(path) as remote:
        while piece := local.read(_PIECE_BYTES):
            remote.write(piece)
    file.unlink()


def _access_to(uri: str) -> Mapping[str, str]:
    """The access that was set for the longest prefix of the URI. Empty texts stand for that of the environment."""
    prefixes = [prefix for prefix in _access if f"{uri}/".startswith(prefix)]
    return _access[max(prefixes, key=len)] if prefixes else dict.fromkeys(_ACCESS_PROPERTIES, "")


def _credentials() -> tuple[str, str, str | None]:
    """The credentials of the environment. boto3 replaces those that expire."""
    found = _session(aws.client_cache_key()).get_credentials()
    if found is None:
        raise LakeError(
            "S3: expected credentials, got none",
            hint="give credentials as for the AWS CLI: AWS_PROFILE, aws sso login, or access keys",
        )
    access_key, secret_key, token, *_ = found.get_frozen_credentials()
    return access_key, secret_key, token


@lru_cache(maxsize=64)
def _new_filesystem(  # noqa: PLR0913, PLR0917 - the key of the cache
    bucket: str,
    access_key: str,
    secret_key: str,
    token: str | None,
    region: str,
    endpoint: str,
    cache_key: tuple[str | None, ...],
) -> fs.S3FileSystem:
    scheme, host, default_region = _endpoint(cache_key)
    if endpoint:
        scheme, host = urlsplit(endpoint).scheme, urlsplit(endpoint).netloc
    return fs.S3FileSystem(
        access_key=access_key,
        secret_key=secret_key,
        session_token=token,
        scheme=scheme,
        endpoint_override=host,
        region=region or default_region or fs.resolve_s3_region(bucket),
        request_timeout=_TIMEOUT_SECONDS,
        connect_timeout=_CONNECT_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=MAX_ATTEMPTS),
    )


@cache
def _endpoint(cache_key: tuple[str | None, ...]) -> tuple[str, str | None, str | None]:
    """The scheme; the host and port, or None for AWS itself; and the region, or None if it is not set."""
    s3 = client("s3")
    url = urlsplit(s3.meta.endpoint_url)
    is_aws = (url.hostname or "").endswith(_AWS)
    region = _session(cache_key).region_name or (None if is_aws else s3.meta.region_name or "us-east-1")
    return url.scheme, None if is_aws else url.netloc, region


@cache
def _session(cache_key: tuple[str | None, ...]) -> Any:
    """One session for each `aws.client_cache_key`: it takes long to make."""
    try:
        import boto3  # noqa: PLC0415 - a lake in a folder does without
    except ModuleNotFoundError:
        raise missing_library() from None
    return boto3.session.Session()


def missing_library() -> LakeError:
    """The error of an installation without boto3."""
    return LakeError("S3: expected the library boto3, got none", hint="pip install 'stedi-common[s3]'")
