"""A call that is tried again, because its answer was lost, is answered as it was: it is not carried out twice.

An SDK gives all tries of a call the same id. AWS promises less: who creates what their lost call has created is
refused. Tests on a busy machine lose an answer now and then, and would fail by it.
"""

from collections import OrderedDict
from threading import Lock
from typing import Any

from localstack.aws.api import RequestContext
from rolo import Response
from rolo.gateway import HandlerChain

#: What changes nothing is carried out again.
READING = ("GET", "HEAD", "OPTIONS")


class Answers:
    """The last answers, by their call's id: as many as the tries of a call may lie apart, and small ones only."""

    def __init__(self, most: int = 1000, most_bytes: int = 10_000) -> None:
        self._most, self._most_bytes = most, most_bytes
        self._given: OrderedDict[str, Response] = OrderedDict()
        self._lock = Lock()

    def again(self, chain: HandlerChain[Any], context: RequestContext, response: Response) -> None:
        """Answer a call that has been answered; a handler of requests."""
        with self._lock:
            given = self._given.get(_id(context))
        if given:
            response.update_from(given)
            chain.stop()

    def keep(self, chain: HandlerChain[Any], context: RequestContext, response: Response) -> None:
        """Keep what a call is answered, unless it failed and may succeed next time; a handler of responses."""
        small = not response.is_streamed and len(response.data) <= self._most_bytes
        if not (small and _id(context) and response.status_code < 400) or context.request.method in READING:
            return
        with self._lock:
            self._given[_id(context)] = response
            if len(self._given) > self._most:
                self._given.popitem(last=False)


def _id(context: RequestContext) -> str:
    return context.request.headers.get("amz-sdk-invocation-id", "")
