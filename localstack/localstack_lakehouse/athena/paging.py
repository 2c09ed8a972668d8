"""Pages of Athena's lists: its own limits, its own words."""

from collections.abc import Sequence
from typing import TypeVar

from localstack.aws.api import CommonServiceException

from .. import paging
from ..service import Request
from .exceptions import InvalidRequestException

T = TypeVar("T")
LARGEST = 50


def page(
    items: Sequence[T], request: Request, malformed: str = "Malformed nextPageToken"
) -> tuple[Sequence[T], str | None]:
    """The page that is asked for, and the token of the next one."""
    size = request.get("MaxResults")
    if size is not None and not 1 <= size <= LARGEST:
        limit = f"less than or equal to {LARGEST}" if size > LARGEST else "greater than or equal to 1"
        raise InvalidRequestException(
            "1 validation error detected: Value at 'maxResults' failed to satisfy constraint: "
            f"Member must have value {limit}"
        )
    try:
        return paging.page(items, request, LARGEST)
    except CommonServiceException:
        raise InvalidRequestException(f"{malformed}: {request['NextToken']}") from None
