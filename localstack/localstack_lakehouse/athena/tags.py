"""Tags of workgroups and data catalogs."""

from localstack.aws.api import RequestContext

from ..paging import page
from ..service import Request, Response
from .exceptions import ResourceNotFoundException
from .models import PRIMARY, arn, store, tag_map


class Tags:
    """Their operations."""

    def list_tags_for_resource(self, context: RequestContext, request: Request) -> Response:
        """List a resource's tags."""
        tags = _tags(context, request)
        some, token = page([{"Key": key, "Value": value} for key, value in tags.items()], request)
        return {"Tags": some, "NextToken": token}

    def tag_resource(self, context: RequestContext, request: Request) -> Response:
        """Add tags, or change their values."""
        _tags(context, request).update(tag_map(request["Tags"]))
        return {}

    def untag_resource(self, context: RequestContext, request: Request) -> Response:
        """Remove tags."""
        tags = _tags(context, request)
        for key in request["TagKeys"]:
            tags.pop(key, None)
        return {}


def _tags(context: RequestContext, request: Request) -> dict[str, str]:
    resource = request["ResourceARN"]
    tags = store(context).tags
    if resource == arn(context, "workgroup", PRIMARY):
        tags.setdefault(resource, {})
    if resource not in tags:
        raise ResourceNotFoundException(resource)
    return tags[resource]
