"""Pages of a list, as AWS hands them out."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from localstack.aws.api import CommonServiceException

T = TypeVar("T")


def page(items: Sequence[T], request: Mapping[str, Any], size: int = 100) -> tuple[Sequence[T], str | None]:
    """The page that the request's NextToken and MaxResults ask for, and the token of the next one."""
    start = _position(request.get("NextToken"))
    end = start + (request.get("MaxResults") or size)
    return items[start:end], _token(end) if end < len(items) else None


def _token(position: int) -> str:
    return urlsafe_b64encode(str(position).encode()).decode()


def _position(token: str | None) -> int:
    try:
        return int(urlsafe_b64decode(token)) if token else 0
    except ValueError:
        raise CommonServiceException("InvalidInputException", "Invalid NextToken", sender_fault=True) from None
