"""Registered locations."""

from datetime import UTC, datetime
from typing import Any

from localstack.aws.api import RequestContext

from ..paging import page
from ..service import Request, Response
from .exceptions import AlreadyExistsException, EntityNotFoundException
from .models import store

_SERVICE_ROLE = "role/aws-service-role/lakeformation.amazonaws.com/AWSServiceRoleForLakeFormationDataAccess"
_FLAGS = ("WithFederation", "HybridAccessEnabled", "WithPrivilegedAccess")


class Resources:
    """Operations on registered locations."""

    def register_resource(self, context: RequestContext, request: Request) -> Response:
        """Register a location."""
        resources, location = store(context).resources, request["ResourceArn"]
        if location in resources:
            raise AlreadyExistsException("Resource")
        service_role = f"arn:{context.partition}:iam::{context.account_id}:{_SERVICE_ROLE}"
        resources[location] = {"ResourceArn": location, "RoleArn": service_role} | _changes(request)
        return {}

    def describe_resource(self, context: RequestContext, request: Request) -> Response:
        """Describe a registered location."""
        return {"ResourceInfo": _found(context, request)}

    def list_resources(self, context: RequestContext, request: Request) -> Response:
        """List all registered locations, in pages."""
        if request.get("FilterConditionList"):
            raise NotImplementedError("lakeformation.ListResources with FilterConditionList is not supported")
        resources, token = page(list(store(context).resources.values()), request)
        return {"ResourceInfoList": resources, "NextToken": token}

    def update_resource(self, context: RequestContext, request: Request) -> Response:
        """Change a registered location's role."""
        _found(context, request).update(_changes(request))
        return {}

    def deregister_resource(self, context: RequestContext, request: Request) -> Response:
        """Deregister a location."""
        del store(context).resources[_found(context, request)["ResourceArn"]]
        return {}


def _changes(request: Request) -> dict[str, Any]:
    given = {name: request[name] for name in ("RoleArn", *_FLAGS) if name in request}
    return {"LastModified": datetime.now(UTC)} | given


def _found(context: RequestContext, request: Request) -> dict[str, Any]:
    if request["ResourceArn"] not in store(context).resources:
        raise EntityNotFoundException(f"Resource {request['ResourceArn']}")
    return store(context).resources[request["ResourceArn"]]
