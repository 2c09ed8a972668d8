"""Who asked: queries read and write as their caller, through this very server."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3
from botocore.client import BaseClient
from botocore.config import Config
from localstack import config
from localstack.aws.api import RequestContext
from localstack.utils.aws.request_context import extract_access_key_id_from_auth_header
from pyiceberg.catalog.glue import GlueCatalog

NO_SECRET = "none"  # noqa: S105
"""LocalStack verifies no signatures; a caller's secret never reaches it."""


@dataclass(frozen=True)
class Caller:
    """Credentials and a region."""

    access_key: str
    token: str | None
    region: str
    endpoint: str

    def client(self, service: str) -> BaseClient:
        """A client of a service."""
        return _client(self, service)

    def catalog(self) -> GlueCatalog:
        """The Glue catalog, as PyIceberg sees it."""
        return _catalog(self)


def caller(context: RequestContext) -> Caller:
    """The caller of a request."""
    headers = context.request.headers
    access_key = extract_access_key_id_from_auth_header(dict(headers)) or context.account_id
    endpoint = f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}"
    return Caller(access_key, headers.get("X-Amz-Security-Token"), context.region, endpoint)


@cache
def _client(caller: Caller, service: str) -> BaseClient:
    return boto3.client(
        service,
        region_name=caller.region,
        endpoint_url=caller.endpoint,
        aws_access_key_id=caller.access_key,
        aws_secret_access_key=NO_SECRET,
        aws_session_token=caller.token,
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
    )


@cache
def _catalog(caller: Caller) -> GlueCatalog:
    properties: dict[str, Any] = {
        "client.region": caller.region,
        "client.access-key-id": caller.access_key,
        "client.secret-access-key": NO_SECRET,
        "client.session-token": caller.token,
        "s3.endpoint": caller.endpoint,
    }
    known = {name: value for name, value in properties.items() if value}
    return GlueCatalog("awsdatacatalog", client=caller.client("glue"), **known)
