"""Named queries."""

from uuid import uuid4

from localstack.aws.api import RequestContext

from ..service import Request, Response
from .exceptions import InvalidRequestException
from .models import PRIMARY, Structure, store
from .paging import page
from .work_groups import found


class NamedQueries:
    """Their operations."""

    def create_named_query(self, context: RequestContext, request: Request) -> Response:
        """Create a named query; once for each token."""
        kept = store(context)
        work_group = found(kept, request.get("WorkGroup") or PRIMARY).name
        query = {key: request[key] for key in ("Name", "Description", "Database", "QueryString") if request.get(key)}
        query["WorkGroup"] = work_group
        token = request.get("ClientRequestToken")
        if token in kept.tokens:
            asked, query_id = kept.tokens[token]
            if asked != query:
                raise InvalidRequestException("Idempotent parameters do not match", "IDEMPOTENT_PARAMETER_MISMATCH")
            return {"NamedQueryId": query_id}
        query_id = str(uuid4())
        kept.named_queries[query_id] = query | {"NamedQueryId": query_id}
        if token:
            kept.tokens[token] = (query, query_id)
        return {"NamedQueryId": query_id}

    def get_named_query(self, context: RequestContext, request: Request) -> Response:
        """Get a named query."""
        return {"NamedQuery": _found(context, request["NamedQueryId"])}

    def batch_get_named_query(self, context: RequestContext, request: Request) -> Response:
        """Get many."""
        ids = request["NamedQueryIds"]
        queries = store(context).named_queries
        return {
            "NamedQueries": [queries[query_id] for query_id in ids if query_id in queries],
            "UnprocessedNamedQueryIds": [
                {"NamedQueryId": query_id, "ErrorCode": "INVALID_INPUT", "ErrorMessage": _missing(query_id)}
                for query_id in ids
                if query_id not in queries
            ],
        }

    def list_named_queries(self, context: RequestContext, request: Request) -> Response:
        """List the ids of a workgroup's, the latest first."""
        work_group = found(store(context), request.get("WorkGroup") or PRIMARY).name
        queries = reversed(store(context).named_queries.items())
        ids, token = page([query_id for query_id, query in queries if query["WorkGroup"] == work_group], request)
        return {"NamedQueryIds": ids, "NextToken": token}

    def update_named_query(self, context: RequestContext, request: Request) -> Response:
        """Change its name, description or text."""
        query = _found(context, request["NamedQueryId"])
        query |= {key: request[key] for key in ("Name", "Description", "QueryString") if key in request}
        return {}

    def delete_named_query(self, context: RequestContext, request: Request) -> Response:
        """Delete a named query."""
        del store(context).named_queries[_found(context, request["NamedQueryId"])["NamedQueryId"]]
        return {}


def _found(context: RequestContext, query_id: str) -> Structure:
    try:
        return store(context).named_queries[query_id]
    except KeyError:
        raise InvalidRequestException(_missing(query_id)) from None


def _missing(query_id: str) -> str:
    return f"NamedQuery {query_id} does not exist"
