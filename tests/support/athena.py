"""Queries in Athena, each waited for within a limit."""

import time
from typing import Any

from botocore.client import BaseClient

#: Seconds that an answer may take: many times what the slowest takes on a busy machine.
PATIENCE = 600


def ask(athena: BaseClient, sql: str, **options: Any) -> list[tuple[str | None, ...]]:
    """The rows of the answer, without the names of the columns.

    Args:
        athena: the client.
        sql: the query.
        options: further arguments of `StartQueryExecution`, such as the workgroup.
    """
    query = athena.start_query_execution(QueryString=sql, **options)["QueryExecutionId"]
    until = time.monotonic() + PATIENCE
    while (state := athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]["Status"])["State"] in (
        "QUEUED",
        "RUNNING",
    ):
        assert time.monotonic() < until, f"expected an answer within {PATIENCE} s, got none: {sql}"
        time.sleep(0.1)
    assert state["State"] == "SUCCEEDED", state
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=query)
    rows = [row["Data"] for page in pages for row in page["ResultSet"]["Rows"]]
    return [tuple(cell.get("VarCharValue") for cell in row) for row in rows[1:]]
