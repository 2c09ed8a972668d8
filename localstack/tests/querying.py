"""Queries in Athena, run to their end."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from botocore.client import BaseClient

#: The states of a query that has not ended.
GOING = frozenset({"QUEUED", "RUNNING"})


@dataclass(frozen=True)
class Querying:
    """Starts queries in one database and waits for them."""

    athena: BaseClient
    database: str
    output: str

    def start(self, sql: str, **options: Any) -> str:
        """Submit a query; its id."""
        arguments = {
            "QueryExecutionContext": {"Database": self.database},
            "ResultConfiguration": {"OutputLocation": self.output},
        }
        started = self.athena.start_query_execution(QueryString=sql, **arguments | options)
        return str(started["QueryExecutionId"])

    def execution(self, query_id: str) -> dict[str, Any]:
        """A query as it is now."""
        execution: dict[str, Any] = self.athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        return execution

    def state(self, query_id: str) -> str:
        """A query's state."""
        return str(self.execution(query_id)["Status"]["State"])

    def left(self, query_id: str, states: Collection[str] = GOING, patience: float = 120) -> dict[str, Any]:
        """A query, once it has left these states."""
        deadline = time.monotonic() + patience
        while self.state(query_id) in states:
            assert time.monotonic() < deadline, f"query {query_id} does not leave {sorted(states)}"
            time.sleep(0.02)
        return self.execution(query_id)

    def run(self, sql: str, **options: Any) -> dict[str, Any]:
        """A query, from submission to end."""
        return self.left(self.start(sql, **options))

    def results(self, sql: str, **options: Any) -> dict[str, Any]:
        """The first page of a query that succeeds."""
        execution = self.run(sql, **options)
        assert execution["Status"]["State"] == "SUCCEEDED", execution["Status"]
        return dict(self.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"]))

    def rows(self, sql: str, **options: Any) -> list[list[str | None]]:
        """The rows of a query, without the header that a SELECT has."""
        rows = texts(self.results(sql, **options))
        return rows[1:] if sql.lstrip(" (").upper().startswith(("SELECT", "WITH", "VALUES")) else rows

    def reason(self, sql: str, **options: Any) -> str:
        """Why a query fails."""
        status = self.run(sql, **options)["Status"]
        assert status["State"] == "FAILED", status
        assert status["AthenaError"]["ErrorMessage"] == status["StateChangeReason"]
        return str(status["StateChangeReason"])


def texts(page: dict[str, Any]) -> list[list[str | None]]:
    """A page's values."""
    return [[datum.get("VarCharValue") for datum in row["Data"]] for row in page["ResultSet"]["Rows"]]
