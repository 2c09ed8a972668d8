"""S3 as Arrow reads and writes it, with the credentials, the region and the endpoint that boto3 finds.

boto3 knows profiles, roles and single sign-on as the AWS CLI does; Arrow's own chain knows only some of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit

from pyarrow import fs

from stedi_common import aws
from stedi_common.errors import LakeError

SCHEME = "s3://"
#: How often a request is made until its error is told. The waits in between double.
MAX_ATTEMPTS = 8
#: How long an answer may take, and how long a connection, in seconds.
_TIMEOUT_SECONDS, _CONNECT_SECONDS = 60.0, 10.0
#: The hosts of AWS itself.
_AWS = (".amazonaws.com", ".amazonaws.com.cn")


#: The properties of PyIceberg that say how the objects below a prefix are accessed.
_ACCESS = {
    "access_key": ("s3.access-key-id", "client.access-key-id"),
    "secret_key": ("s3.secret-access-key", "client.secret-access-key"),
    "session_token": ("s3.session-token", "client.session-token"),
    "region": ("s3.region", "client.region"),
    "endpoint": ("s3.endpoint",),
}

#: How the objects below some prefixes are accessed, if not as the environment says.
_granted: dict[str, dict[str, str]] = {}


def grant(prefix: str, properties: Mapping[str, str]) -> None:
    """From now on access the objects below a prefix as these properties of PyIceberg say, if they say anything."""
    found = {name: next((properties[key] for key in keys if properties.get(key)), "") for name, keys in _ACCESS.items()}
    if any(found.values()):
        _granted[prefix.rstrip("/") + "/"] = found


def client(service: str, attempts: int = MAX_ATTEMPTS) -> Any:
    """A client of boto3, with the credentials, the region and the endpoint of the environment.

    Args:
        service: the name of the service.
        attempts: how often a request is made until its error is told.

    Raises:
        LakeError: boto3 is not installed.
    """
    session = _session(aws.state())
    from botocore.config import Config  # noqa: PLC0415 - see `_session`

    retries = {"mode": "standard", "total_max_attempts": attempts}
    timeouts = {"read_timeout": _TIMEOUT_SECONDS, "connect_timeout": _CONNECT_SECONDS}
    return session.client(service, config=Config(retries=retries, max_pool_connections=32, **timeouts))


def location(uri: str) -> tuple[fs.S3FileSystem, str]:
    """Arrow's file system for the URI of an object or a prefix, and the path in it.

    Raises:
        LakeError: there are no credentials.
    """
    path = uri.removeprefix(SCHEME)
    prefixes = [prefix for prefix in _granted if f"{uri}/".startswith(prefix)]
    granted = _granted[max(prefixes, key=len)] if prefixes else dict.fromkeys(_ACCESS, "")
    keys = (granted["access_key"], granted["secret_key"], granted["session_token"] or None)
    if not granted["access_key"]:
        keys = _credentials()
    bucket = path.partition("/")[0]
    return _filesystem(bucket, *keys, granted["region"], granted["endpoint"], aws.state()), path


def _credentials() -> tuple[str, str, str | None]:
    """The credentials of the environment. boto3 replaces those that expire."""
    found = _session(aws.state()).get_credentials()
    if found is None:
        raise LakeError(
            "S3: expected credentials, got none", hint="as the AWS CLI finds them: AWS_PROFILE, aws sso login, or keys"
        )
    access_key, secret_key, token, *_ = found.get_frozen_credentials()
    return access_key, secret_key, token


@lru_cache(maxsize=64)
def _filesystem(  # noqa: PLR0913, PLR0917 - what a file system is of
    bucket: str,
    access_key: str,
    secret_key: str,
    token: str | None,
    region: str,
    endpoint: str,
    state: tuple[str | None, ...],
) -> fs.S3FileSystem:
    scheme, host, of_environment = _endpoint(state)
    if endpoint:
        scheme, host = urlsplit(endpoint).scheme, urlsplit(endpoint).netloc
    return fs.S3FileSystem(
        access_key=access_key,
        secret_key=secret_key,
        session_token=token,
        scheme=scheme,
        endpoint_override=host,
        region=region or of_environment or fs.resolve_s3_region(bucket),
        request_timeout=_TIMEOUT_SECONDS,
        connect_timeout=_CONNECT_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=MAX_ATTEMPTS),
    )


@cache
def _endpoint(state: tuple[str | None, ...]) -> tuple[str, str | None, str | None]:
    """The scheme; the host and port, if they are not AWS's own; and the region, if one is set."""
    s3 = client("s3")
    url = urlsplit(s3.meta.endpoint_url)
    is_aws = (url.hostname or "").endswith(_AWS)
    region = _session(state).region_name or (None if is_aws else s3.meta.region_name or "us-east-1")
    return url.scheme, None if is_aws else url.netloc, region


@cache
def _session(state: tuple[str | None, ...]) -> Any:
    """One for each state of the environment: it takes long to make."""
    try:
        import boto3  # noqa: PLC0415 - a lake in a folder does without
    except ModuleNotFoundError:
        raise missing_library() from None
    return boto3.session.Session()


def missing_library() -> LakeError:
    """The error of an installation without boto3."""
    return LakeError("S3: expected the library boto3, got none", hint="pip install 'stedi-common[s3]'")
