"""Opt-ins."""

from datetime import UTC, datetime

from localstack.aws.api import RequestContext

from ..paging import page
from ..requests import principal
from ..service import Request, Response
from .exceptions import EntityNotFoundException
from .models import OptIn, store
from .naming import canonical, completed, expect_there, key


class OptIns:
    """Operations on opt-ins."""

    def create_lake_formation_opt_in(self, context: RequestContext, request: Request) -> Response:
        """Let Lake Formation decide on a principal's access to a resource."""
        expect_there(context, request["Resource"])
        store(context).opt_ins[_key(context, request)] = OptIn(
            principal=request["Principal"],
            resource=request["Resource"],
            condition=request.get("Condition"),
            modified=datetime.now(UTC),
            modified_by=principal(context),
        )
        return {}

    def list_lake_formation_opt_ins(self, context: RequestContext, request: Request) -> Response:
        """List the opt-ins of a principal, on a resource, or all, in pages."""
        found = [opt_in for opt_in in store(context).opt_ins.values() if _matches(context, opt_in, request)]
        opt_ins, token = page(found, request)
        return {"LakeFormationOptInsInfoList": [opt_in.as_dict() for opt_in in opt_ins], "NextToken": token}

    def delete_lake_formation_opt_in(self, context: RequestContext, request: Request) -> Response:
        """Let IAM alone decide again."""
        if store(context).opt_ins.pop(_key(context, request), None) is None:
            raise EntityNotFoundException("Opt-in")
        return {}


def _key(context: RequestContext, request: Request) -> tuple[str, str]:
    return key(request["Principal"], completed(context, request["Resource"]))


def _matches(context: RequestContext, opt_in: OptIn, request: Request) -> bool:
    def same(one: dict[str, object], other: dict[str, object]) -> bool:
        return canonical(completed(context, one)) == canonical(completed(context, other))

    return request.get("Principal", opt_in.principal) == opt_in.principal and same(
        request.get("Resource", opt_in.resource), opt_in.resource
    )
