"""Permissions."""

from collections.abc import Iterator
from typing import Any

from localstack.aws.api import RequestContext
from moto.core.exceptions import JsonRESTError

from ..paging import page
from ..service import Request, Response
from .exceptions import InvalidInputException, detail
from .models import Grant, Resource, store
from .naming import canonical, completed, expect_there, key

_KINDS = {
    "Catalog": "CATALOG",
    "Database": "DATABASE",
    "Table": "TABLE",
    "TableWithColumns": "TABLE",
    "DataCellsFilter": "TABLE",
    "DataLocation": "DATA_LOCATION",
    "LFTag": "LF_TAG",
    "LFTagPolicy": "LF_TAG_POLICY",
    "LFTagExpression": "LF_NAMED_TAG_EXPRESSION",
}


class Permissions:
    """Operations on permissions. They are kept, and nobody is refused."""

    def grant_permissions(self, context: RequestContext, request: Request) -> Response:
        """Grant permissions on top of those granted before."""
        expect_there(context, request["Resource"])
        for part in _parts(context, request):
            grants = store(context).grants
            grant = grants.setdefault(key(part.principal, part.resource), Grant(part.principal, part.resource))
            grant.permissions |= part.permissions
            grant.grantable |= part.grantable
        return {}

    def revoke_permissions(self, context: RequestContext, request: Request) -> Response:
        """Revoke permissions, of which at least one must have been granted."""
        revoked = [_revoke(context, part) for part in _parts(context, request)]
        if not any(revoked):
            raise InvalidInputException(
                "No permissions revoked. Grantee has no permissions and does not have grantable permissions on resource"
            )
        return {}

    def batch_grant_permissions(self, context: RequestContext, request: Request) -> Response:
        """Grant several permissions, and tell which could not be."""
        return {"Failures": _failures(context, request, self.grant_permissions)}

    def batch_revoke_permissions(self, context: RequestContext, request: Request) -> Response:
        """Revoke several permissions, and tell which could not be."""
        return {"Failures": _failures(context, request, self.revoke_permissions)}

    def list_permissions(self, context: RequestContext, request: Request) -> Response:
        """List the permissions on a resource, of a kind of resource or of a principal, in pages."""
        if "Principal" in request and "Resource" not in request:
            raise InvalidInputException("Resource is mandatory if Principal is set in the input.")
        found = [grant for grant in store(context).grants.values() if _matches(context, grant, request)]
        grants, token = page(found, request)
        return {"PrincipalResourcePermissions": [grant.as_dict() for grant in grants], "NextToken": token}


def _parts(context: RequestContext, request: Request) -> Iterator[Grant]:
    """What a request grants or revokes, as Lake Formation keeps it."""
    resource = completed(context, request["Resource"])
    permissions = set(request["Permissions"])
    grantable = set(request.get("PermissionsWithGrantOption", []))
    whole, columns = _whole_table(resource)
    if columns is None:
        yield Grant(request["Principal"], resource, permissions, grantable)
        return
    # SELECT is of columns, even of all, everything else of the table.
    for part, of_part in ((columns, {"SELECT"}), (whole, (permissions | grantable) - {"SELECT"})):
        if of_part & (permissions | grantable):
            yield Grant(request["Principal"], part, permissions & of_part, grantable & of_part)


def _whole_table(resource: Resource) -> tuple[Resource, Resource | None]:
    """A table, and all of its columns."""
    if table := resource.get("Table"):
        columns = {name: value for name, value in table.items() if name != "TableWildcard"}
        return resource, {"TableWithColumns": columns | {"ColumnWildcard": {}}}
    columns = resource.get("TableWithColumns", {})
    if columns.get("ColumnWildcard") == {}:
        table = {name: value for name, value in columns.items() if name != "ColumnWildcard"}
        return {"Table": table}, resource
    return resource, None


def _revoke(context: RequestContext, part: Grant) -> bool:
    grants, where = store(context).grants, key(part.principal, part.resource)
    grant = grants.get(where, Grant(part.principal, part.resource))
    revoked = bool(grant.permissions & part.permissions or grant.grantable & part.grantable)
    grant.permissions -= part.permissions
    # What one may not do, one may not pass on.
    grant.grantable -= part.grantable | part.permissions
    if revoked and not grant.permissions and not grant.grantable:
        del grants[where]
    return revoked


def _matches(context: RequestContext, grant: Grant, request: Request) -> bool:
    return (
        request.get("Principal", grant.principal) == grant.principal
        and request.get("ResourceType") in (None, *_kinds(grant.resource))
        and _means(context, request.get("Resource", grant.resource), grant.resource)
    )


def _kinds(resource: Resource) -> Iterator[str]:
    """The ResourceTypes that a resource is of."""
    for kind, value in resource.items():
        yield _KINDS[kind]
        if kind == "LFTagPolicy":
            yield f"LF_TAG_POLICY_{value['ResourceType']}"


def _means(context: RequestContext, wanted: Resource, resource: Resource) -> bool:
    return canonical(_without_columns(completed(context, wanted))) == canonical(_without_columns(resource))


def _without_columns(resource: Resource) -> Resource:
    """The table that columns are of: who asks for a table gets its columns' permissions too."""
    table = resource.get("TableWithColumns") or resource.get("Table")
    if table is None:
        return resource
    return {"Table": {name: table.get(name) for name in ("CatalogId", "DatabaseName", "Name")}}


def _failures(context: RequestContext, request: Request, operation: Any) -> list[dict[str, Any]]:
    failures = []
    for entry in request["Entries"]:
        try:
            operation(context, entry)
        except JsonRESTError as error:
            failures.append({"RequestEntry": entry, "Error": detail(error)})
    return failures
