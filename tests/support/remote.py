"""Commits to a table of a lake in S3, and answers of Glue that are lost, on a real LocalStack."""

from collections import Counter
from collections.abc import Callable, Collection
from itertools import count
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError
from support.lakes import rows

from stedi_common.contracts import contract

#: The table of the commits.
TABLE = contract("rejected_records")

#: The requests that change a table.
Request = Callable[..., Any]


def lost(request: Request, turns: Collection[int], then: Callable[[], None] = lambda: None) -> Request:
    """The request is answered, but in these turns the answer is lost, after `then`."""
    turn = count(1)

    def sent(**arguments: Any) -> Any:
        answer = request(**arguments)
        if next(turn) in turns:
            then()
            raise ReadTimeoutError(endpoint_url="glue")
        return answer

    return sent


def unsent(request: Request, turns: Collection[int], error: Exception | None = None) -> Request:
    """In these turns the request does not arrive."""
    turn = count(1)

    def sent(**arguments: Any) -> Any:
        if next(turn) in turns:
            raise error or ReadTimeoutError(endpoint_url="glue")
        return request(**arguments)

    return sent


def answer(code: str, status: int) -> ClientError:
    """What a service answers."""
    told = {"Error": {"Code": code, "Message": "ann@example.org"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(told, "UpdateTable")


def append(engine: Any, who: str) -> None:
    row = dict.fromkeys(TABLE.names) | {"source": who, "source_file": f"{who}.json", "source_line": 1}
    engine.append(TABLE, engine.frame(TABLE, [row]), engine.head(TABLE), {})


def seen(engine: Any) -> Counter[str]:
    return Counter(source for (source,) in rows(engine, TABLE.name, ["source"]).elements())


def written_key(folder: Path) -> Path:
    """The key of these tests, in a file."""
    (folder / "key").write_text(bytes(range(32)).hex())
    (folder / "key").chmod(0o600)
    return folder / "key"
