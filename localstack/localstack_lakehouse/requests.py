"""Who called what: a line of JSON for each AWS call, and for each action that it needs."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from localstack import config
from localstack.aws.api import RequestContext
from localstack.aws.api.core import ServiceOperation
from localstack.utils.aws.request_context import extract_access_key_id_from_auth_header
from moto.sts.models import sts_backends
from rolo.gateway import HandlerChain
from werkzeug import Response

from .permissions import conditions, permissions


def path() -> Path:
    """Where the log is: in the state folder, or in LocalStack's own folder for logs."""
    return Path(os.environ.get("FILESYSTEM_ROOT") or config.dirs.logs) / "requests.jsonl"


class RequestLog:
    """A response handler that appends to the log."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("w")
        self._lock = Lock()

    def __call__(self, chain: HandlerChain[Any], context: RequestContext, response: Response) -> None:
        """Log the call when it is one of AWS's operations."""
        if operation := context.service_operation:
            lines = [json.dumps(entry) for entry in _entries(context, operation, response.status_code)]
            with self._lock:
                self._file.writelines(f"{line}\n" for line in lines)
                self._file.flush()


def _entries(context: RequestContext, operation: ServiceOperation, status: int) -> Iterator[dict[str, object]]:
    call = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "principal": principal(context),
        "service": operation.service,
        "operation": operation.operation,
        "status": status,
        # LocalStack's services call each other, too.
        "internal": context.is_internal_call,
        "context": conditions(context),
    }
    for action, resources in permissions(context):
        yield call | {"action": action, "resource": resources or None}


def principal(context: RequestContext) -> str:
    """The caller's ARN: the assumed role or the user that the access key belongs to, else the account's root."""
    # Not as a dict: some SDKs write the header's name in lower case.
    access_key = extract_access_key_id_from_auth_header(context.request.headers) or ""  # type: ignore[arg-type]
    sts = sts_backends[context.account_id][context.partition]
    _, arn, _ = sts.get_caller_identity(access_key, context.region)
    # So moto calls a key that it does not know.
    unknown = arn.endswith(":user/moto")
    return f"arn:{context.partition}:iam::{context.account_id}:root" if unknown else arn
