"""Workgroups."""

import re

from localstack.aws.api import RequestContext

from ..service import Request, Response
from .exceptions import InvalidRequestException
from .models import DEFAULTS, ENGINE, ENGINE_VERSION, PRIMARY, AthenaStore, Structure, WorkGroup, arn, store, tag_map
from .paging import page

MINIMUM_CUTOFF = 10_000_000
VERSIONS = {"AUTO", ENGINE_VERSION}


class WorkGroups:
    """Their operations."""

    def create_work_group(self, context: RequestContext, request: Request) -> Response:
        """Create a workgroup."""
        work_groups = store(context).work_groups
        name = request["Name"]
        if not re.fullmatch(r"[a-zA-Z0-9._-]{1,128}", name):
            raise InvalidRequestException(f"WorkGroup name {name} is invalid.")
        if name in work_groups:
            raise InvalidRequestException("WorkGroup is already created")
        configuration = DEFAULTS | _checked(request.get("Configuration") or {})
        work_groups[name] = WorkGroup(name, configuration, request.get("Description") or "")
        store(context).tags[arn(context, "workgroup", name)] = tag_map(request.get("Tags"))
        return {}

    def get_work_group(self, context: RequestContext, request: Request) -> Response:
        """Get a workgroup."""
        return {"WorkGroup": found(store(context), request["WorkGroup"]).structure}

    def list_work_groups(self, context: RequestContext, request: Request) -> Response:
        """List workgroups by name."""
        names = sorted(store(context).work_groups)
        some, token = page(names, request, "The nextPageToken is malformed")
        return {"WorkGroups": [store(context).work_groups[name].summary for name in some], "NextToken": token}

    def update_work_group(self, context: RequestContext, request: Request) -> Response:
        """Change some of a workgroup's settings."""
        work_group = found(store(context), request["WorkGroup"])
        updates = request.get("ConfigurationUpdates") or {}
        work_group.configuration = _checked(_updated(work_group.configuration, updates))
        work_group.description = request.get("Description", work_group.description)
        work_group.state = request.get("State") or work_group.state
        return {}

    def delete_work_group(self, context: RequestContext, request: Request) -> Response:
        """Delete a workgroup; one that has been used needs RecursiveDeleteOption."""
        name = request["WorkGroup"]
        if name == PRIMARY:
            raise InvalidRequestException("The primary workgroup cannot be deleted")
        kept = store(context)
        found(kept, name)
        executions = [query_id for query_id, execution in kept.executions.items() if execution.work_group == name]
        queries = [query_id for query_id, query in kept.named_queries.items() if query["WorkGroup"] == name]
        if (executions or queries) and not request.get("RecursiveDeleteOption"):
            raise InvalidRequestException(f"WorkGroup {name} is not empty")
        for query_id in executions:
            kept.executions.pop(query_id).stop()
        for query_id in queries:
            del kept.named_queries[query_id]
        del kept.work_groups[name]
        kept.tags.pop(arn(context, "workgroup", name), None)
        return {}

    def list_engine_versions(self, context: RequestContext, request: Request) -> Response:
        """List what a workgroup may select."""
        return {"EngineVersions": [ENGINE, ENGINE | {"SelectedEngineVersion": ENGINE_VERSION}]}


def found(kept: AthenaStore, name: str) -> WorkGroup:
    """The workgroup of that name."""
    if name not in kept.work_groups:
        raise InvalidRequestException("WorkGroup is not found.")
    return kept.work_groups[name]


def _checked(configuration: Structure) -> Structure:
    cutoff = configuration.get("BytesScannedCutoffPerQuery")
    if cutoff is not None and cutoff < MINIMUM_CUTOFF:
        raise InvalidRequestException(
            "1 validation error detected: Value at 'configuration.bytesScannedCutoffPerQuery' failed to satisfy "
            f"constraint: Member must have value greater than or equal to {MINIMUM_CUTOFF}"
        )
    version = configuration.get("EngineVersion", ENGINE).get("SelectedEngineVersion") or "AUTO"
    if version not in VERSIONS:
        raise InvalidRequestException(f"Engine version {version} is not supported by localstack-lakehouse")
    if configuration.get("ManagedQueryResultsConfiguration", {}).get("Enabled"):
        raise InvalidRequestException("Managed query results are not supported by localstack-lakehouse")
    return configuration | {"EngineVersion": ENGINE | {"SelectedEngineVersion": version}}


def _updated(current: Structure, updates: Structure) -> Structure:
    """Updates replace what they name; `RemoveX` removes X."""
    updated = dict(current)
    for key, value in updates.items():
        if key.startswith("Remove"):
            if value:
                updated.pop(key.removeprefix("Remove"), None)
        elif key.endswith("Updates"):
            part = key.removesuffix("Updates")
            updated[part] = _updated(updated.get(part, {}), value)
        else:
            updated[key] = value
    return updated
