"""S3 as Arrow reads and writes it, with the credentials, the region and the endpoint that boto3 finds.

boto3 knows profiles, roles and single sign-on as the AWS CLI does; Arrow's own chain knows only some of them.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit

from pyarrow import fs

from stedi_common.errors import LakeError

SCHEME = "s3://"
#: How often a request is made until its error is told. The waits in between double.
MAX_ATTEMPTS = 8
#: How long an answer may take, and how long a connection, in seconds.
_TIMEOUT_SECONDS, _CONNECT_SECONDS = 60.0, 10.0
#: The hosts of AWS itself.
_AWS = (".amazonaws.com", ".amazonaws.com.cn")


def client(service: str, attempts: int = MAX_ATTEMPTS) -> Any:
    """A client of boto3, with the credentials, the region and the endpoint of the environment.

    Args:
        service: the name of the service.
        attempts: how often a request is made until its error is told.

    Raises:
        LakeError: boto3 is not installed.
    """
    session = _session()
    from botocore.config import Config  # noqa: PLC0415 - see `_session`

    retries = {"mode": "standard", "total_max_attempts": attempts}
    timeouts = {"read_timeout": _TIMEOUT_SECONDS, "connect_timeout": _CONNECT_SECONDS}
    return session.client(service, config=Config(retries=retries, max_pool_connections=32, **timeouts))


def filesystem(bucket: str) -> fs.S3FileSystem:
    """Arrow's file system for a bucket. Raises LakeError if there are no credentials."""
    found = _session().get_credentials()
    if found is None:
        raise LakeError(
            "S3: expected credentials, got none", hint="as the AWS CLI finds them: AWS_PROFILE, aws sso login, or keys"
        )
    return _filesystem(bucket, *found.get_frozen_credentials())


def location(uri: str) -> tuple[fs.S3FileSystem, str]:
    """Arrow's file system for the URI of an object or a prefix, and the path in it."""
    path = uri.removeprefix(SCHEME)
    return filesystem(path.partition("/")[0]), path


@lru_cache(maxsize=8)  # credentials that expire are replaced
def _filesystem(bucket: str, access_key: str, secret_key: str, token: str | None, *_: object) -> fs.S3FileSystem:
    scheme, endpoint, region = _endpoint()
    return fs.S3FileSystem(
        access_key=access_key,
        secret_key=secret_key,
        session_token=token,
        scheme=scheme,
        endpoint_override=endpoint,
        region=region or fs.resolve_s3_region(bucket),
        request_timeout=_TIMEOUT_SECONDS,
        connect_timeout=_CONNECT_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=MAX_ATTEMPTS),
    )


@cache
def _endpoint() -> tuple[str, str | None, str | None]:
    """The scheme; the host and port, if they are not AWS's own; and the region, if one is set."""
    s3 = client("s3")
    url = urlsplit(s3.meta.endpoint_url)
    is_aws = (url.hostname or "").endswith(_AWS)
    region = _session().region_name or (None if is_aws else s3.meta.region_name or "us-east-1")
    return url.scheme, None if is_aws else url.netloc, region


@cache
def _session() -> Any:
    """One for the process: it takes long to make."""
    try:
        import boto3  # noqa: PLC0415 - a lake in a folder does without
    except ModuleNotFoundError:
        raise missing_library() from None
    return boto3.session.Session()


def missing_library() -> LakeError:
    """The error of an installation without boto3."""
    return LakeError("S3: expected the library boto3, got none", hint="pip install 'stedi-common[s3]'")
