"""Query executions."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from urllib.parse import urlparse

from botocore.exceptions import ClientError
from localstack.aws.api import RequestContext

from ..service import Request, Response
from . import ddl, dialect, results, running, utility
from .callers import Caller, caller
from .catalog import Catalog
from .exceptions import InvalidRequestException, MalformedQueryError, QueryError
from .models import PRIMARY, QueryExecution, Structure, WorkGroup, database_of, store
from .paging import page
from .session import Rows
from .statements import Kind, kind
from .work_groups import found

MOST_ROWS = 1000
TRINO = {"SELECT", "INSERT", "DELETE", "CREATE_TABLE_AS_SELECT", "CREATE_VIEW"}
"""What the query engine parses itself; the rest is Hive's."""


class Queries:
    """Their operations."""

    def start_query_execution(self, context: RequestContext, request: Request) -> Response:
        """Submit a query, once for each token."""
        kept = store(context)
        execution = _execution(context, request)
        asked = [request["QueryString"], request.get("QueryExecutionContext"), request.get("ResultConfiguration")]
        token = request.get("ClientRequestToken")
        if token in kept.tokens:
            before, query_id = kept.tokens[token]
            if before != asked:
                raise InvalidRequestException("Idempotent parameters do not match", "IDEMPOTENT_PARAMETER_MISMATCH")
            return {"QueryExecutionId": query_id}
        if token:
            kept.tokens[token] = (asked, execution.id)
        kept.executions[execution.id] = execution
        running.submit(execution)
        return {"QueryExecutionId": execution.id}

    def get_query_execution(self, context: RequestContext, request: Request) -> Response:
        """Get a query."""
        return {"QueryExecution": _found(context, request).structure}

    def batch_get_query_execution(self, context: RequestContext, request: Request) -> Response:
        """Get many."""
        ids = request["QueryExecutionIds"]
        executions = store(context).executions
        return {
            "QueryExecutions": [executions[query_id].structure for query_id in ids if query_id in executions],
            "UnprocessedQueryExecutionIds": [
                {
                    "QueryExecutionId": query_id,
                    "ErrorCode": "QUERY_EXECUTION_NOT_FOUND",
                    "ErrorMessage": _missing(query_id),
                }
                for query_id in ids
                if query_id not in executions
            ],
        }

    def list_query_executions(self, context: RequestContext, request: Request) -> Response:
        """List the ids of a workgroup's, the latest first."""
        work_group = found(store(context), request.get("WorkGroup") or PRIMARY).name
        executions = reversed(store(context).executions.values())
        ids, token = page([each.id for each in executions if each.work_group == work_group], request)
        return {"QueryExecutionIds": ids, "NextToken": token}

    def stop_query_execution(self, context: RequestContext, request: Request) -> Response:
        """Cancel a query; nothing, if it has ended."""
        _found(context, request).stop()
        return {}

    def get_query_results(self, context: RequestContext, request: Request) -> Response:
        """A page of a query's rows, read from where they were written."""
        execution = _found(context, request)
        size = request.get("MaxResults") or MOST_ROWS
        if size > MOST_ROWS:
            raise InvalidRequestException(f"MaxResults is more than maximum allowed length {MOST_ROWS}")
        _check_finished(execution)
        rows, token = _rows(caller(context), execution, request.get("NextToken"), size)
        infos = [column.info for column in execution.columns]
        response: Response = {
            "ResultSet": {
                "Rows": [{"Data": [_datum(value) for value in row]} for row in rows],
                "ResultSetMetadata": {"ColumnInfo": infos},
            },
            "NextToken": token,
        }
        if execution.update_count is not None:
            response["UpdateCount"] = execution.update_count
        return response

    def get_query_runtime_statistics(self, context: RequestContext, request: Request) -> Response:
        """How long a query took, and how much it read and wrote."""
        execution = _found(context, request)
        rows = {
            "InputBytes": execution.scanned,
            "OutputRows": execution.rows_out,
            "OutputBytes": execution.bytes_out,
        }
        return {"QueryRuntimeStatistics": {"Timeline": execution.timeline, "Rows": rows}}


def _execution(context: RequestContext, request: Request) -> QueryExecution:
    work_group = found(store(context), request.get("WorkGroup") or PRIMARY)
    if work_group.state != "ENABLED":
        raise InvalidRequestException(f"WorkGroup {work_group.name} is disabled.")
    asking = caller(context)
    query_context = {key: value for key, value in (request.get("QueryExecutionContext") or {}).items() if value}
    if "Catalog" in query_context:
        query_context["Catalog"] = query_context["Catalog"].lower()
    statement = _checked(Catalog(asking), query_context, request["QueryString"])
    execution = QueryExecution(
        query=request["QueryString"],
        kind=statement,
        caller=asking,
        work_group=work_group.name,
        context=query_context,
        result_configuration=_result_configuration(asking, work_group, request),
        result_reuse=request.get("ResultReuseConfiguration") or {"ResultReuseByAgeConfiguration": {"Enabled": False}},
        parameters=request.get("ExecutionParameters"),
        limit=work_group.configuration.get("BytesScannedCutoffPerQuery"),
    )
    folder = execution.location.rstrip("/")
    execution.result_configuration["OutputLocation"] = f"{folder}/{statement.prefix}{execution.id}{statement.suffix}"
    return execution


def _checked(catalog: Catalog, query_context: Structure, sql: str) -> Kind:
    """What the statement is; what is none is refused before it starts."""
    try:
        statement = kind(sql)
        if statement.subtype in TRINO:
            dialect.parse(sql)
        elif statement.subtype == "CREATE_TABLE":
            ddl.check_location(sql)
        elif statement.subtype in {"DESCRIBE_TABLE", "SHOW_COLUMNS"}:
            catalog.find(utility.described(database_of(query_context), sql))
    except MalformedQueryError as error:
        raise InvalidRequestException(str(error), "MALFORMED_QUERY") from None
    except QueryError:
        raise InvalidRequestException("Entity Not Found") from None
    return statement


def _result_configuration(asking: Caller, work_group: WorkGroup, request: Request) -> Structure:
    """The workgroup's, if it insists or the query has none."""
    own = {key: value for key, value in (request.get("ResultConfiguration") or {}).items() if value}
    shared = work_group.configuration.get("ResultConfiguration", {})
    insists = work_group.configuration["EnforceWorkGroupConfiguration"]
    configuration: Structure = dict(shared) if insists else shared | own
    location = urlparse(configuration.get("OutputLocation", ""))
    if not configuration.get("OutputLocation"):
        raise InvalidRequestException(
            "No output location provided. An output location is required either through the Workgroup result "
            "configuration setting or as an API input."
        )
    if location.scheme != "s3" or not location.netloc:
        raise InvalidRequestException("outputLocation is not a valid S3 path.")
    if configuration.get("EncryptionConfiguration", {}).get("EncryptionOption") == "CSE_KMS":
        raise InvalidRequestException("CSE_KMS is not supported by localstack-lakehouse")
    try:
        asking.client("s3").head_bucket(Bucket=location.netloc)
    except ClientError:
        raise InvalidRequestException(f"Unable to verify/create output bucket {location.netloc}") from None
    return configuration


def _found(context: RequestContext, request: Request) -> QueryExecution:
    query_id = request["QueryExecutionId"]
    try:
        return store(context).executions[query_id]
    except KeyError:
        raise InvalidRequestException(_missing(query_id), "QUERY_EXECUTION_NOT_FOUND") from None


def _missing(query_id: str) -> str:
    return f"QueryExecution {query_id} was not found"


def _check_finished(execution: QueryExecution) -> None:
    invalid = "INVALID_QUERY_EXECUTION_STATE"
    match execution.state:
        case "QUEUED" | "RUNNING" as state:
            raise InvalidRequestException(f"Query has not yet finished. Current state: {state}", invalid)
        case "FAILED":
            reason = "Query did not finish successfully. Final query state: FAILED"
            raise InvalidRequestException(reason, invalid)
        case "CANCELLED":
            raise InvalidRequestException("Could not find results", "RESULT_NOT_FOUND")


def _rows(asking: Caller, execution: QueryExecution, token: str | None, size: int) -> tuple[Rows, str | None]:
    """The page that starts at the token's offset in the file."""
    start = _offset(token)
    if execution.kind.subtype == "SELECT":
        chunks, length = _read(asking, execution.location, start)
        rows, end = results.read_csv(chunks, start, size)
    elif execution.kind.suffix == ".txt":
        lines = results.read_text(_read(asking, execution.location, 0)[0])
        rows, end, length = lines[start : start + size], start + size, len(lines)
    else:
        return [], None
    return rows, urlsafe_b64encode(str(end).encode()).decode() if end < length else None


def _offset(token: str | None) -> int:
    try:
        return int(urlsafe_b64decode(token)) if token else 0
    except ValueError:
        raise InvalidRequestException(f"Malformed nextPageToken {token}") from None


def _read(asking: Caller, location: str, start: int) -> tuple[Any, int]:
    """The file from an offset on, and how long it is in all."""
    place = urlparse(location)
    ranged = {"Range": f"bytes={start}-"} if start else {}
    try:
        found = asking.client("s3").get_object(Bucket=place.netloc, Key=place.path.lstrip("/"), **ranged)
    except ClientError:
        raise InvalidRequestException("Could not find results", "RESULT_NOT_FOUND") from None
    return found["Body"].iter_chunks(1 << 16), start + found["ContentLength"]


def _datum(value: str | None) -> dict[str, str]:
    return {} if value is None else {"VarCharValue": value}
