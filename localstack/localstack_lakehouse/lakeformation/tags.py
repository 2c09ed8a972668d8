"""LF-tags, and which resource has which."""

from collections.abc import Iterator
from typing import Any

from localstack.aws.api import RequestContext

from ..glue.catalog.models import folded
from ..paging import page
from ..service import Request, Response
from .exceptions import EntityNotFoundException, InvalidInputException, detail
from .models import Resource, store
from .naming import expect_there


class Tags:
    """Operations on LF-tags."""

    def create_lf_tag(self, context: RequestContext, request: Request) -> Response:
        """Create a tag with the values that it may have."""
        tags, name = store(context).tags, request["TagKey"]
        if name in tags:
            raise InvalidInputException("Tag key already exists")
        tags[name] = list(dict.fromkeys(request["TagValues"]))
        return {}

    def get_lf_tag(self, context: RequestContext, request: Request) -> Response:
        """Get a tag with its values."""
        return _shown(context, request["TagKey"], _values(context, request["TagKey"]))

    def list_lf_tags(self, context: RequestContext, request: Request) -> Response:
        """List all tags, in pages."""
        tags, token = page(list(store(context).tags.items()), request)
        return {"LFTags": [_shown(context, name, values) for name, values in tags], "NextToken": token}

    def update_lf_tag(self, context: RequestContext, request: Request) -> Response:
        """Add values to a tag, and take values away."""
        values = _values(context, request["TagKey"])
        unwanted = request.get("TagValuesToDelete", [])
        if missing := set(unwanted) - set(values):
            raise InvalidInputException(f"Tag {request['TagKey']} has no values {sorted(missing)}.")
        kept = [value for value in values if value not in unwanted]
        store(context).tags[request["TagKey"]] = list(dict.fromkeys([*kept, *request.get("TagValuesToAdd", [])]))
        return {}

    def delete_lf_tag(self, context: RequestContext, request: Request) -> Response:
        """Delete a tag, also from the resources that have it."""
        name = request["TagKey"]
        _values(context, name)
        del store(context).tags[name]
        for tags in store(context).assigned.values():
            tags.pop(name, None)
        return {}

    def add_lf_tags_to_resource(self, context: RequestContext, request: Request) -> Response:
        """Give tags to a database, a table or columns, and tell which could not be given."""
        expect_there(context, request["Resource"])
        known = store(context).tags
        failures = []
        for tag in request["LFTags"]:
            name, (value,) = tag["TagKey"], tag["TagValues"]
            if value not in known.get(name, []):
                failures.append({"LFTag": tag, "Error": detail(EntityNotFoundException("Tag or tag value"))})
                continue
            for path in _paths(request["Resource"]):
                store(context).assigned.setdefault(path, {})[name] = value
        return {"Failures": failures}

    def remove_lf_tags_from_resource(self, context: RequestContext, request: Request) -> Response:
        """Take tags from a database, a table or columns, and tell which were not there."""
        expect_there(context, request["Resource"])
        failures = []
        for tag in request["LFTags"]:
            removed = [
                store(context).assigned.get(path, {}).pop(tag["TagKey"], None) for path in _paths(request["Resource"])
            ]
            if not any(removed):
                failures.append({"LFTag": tag, "Error": detail(EntityNotFoundException("Tag"))})
        return {"Failures": failures}

    def get_resource_lf_tags(self, context: RequestContext, request: Request) -> Response:
        """Get a resource's tags: those it inherits too, unless only those assigned to it are asked for."""
        expect_there(context, request["Resource"])
        assigned_only = request.get("ShowAssignedLFTags", False)

        def tags(path: tuple[str, ...]) -> list[dict[str, Any]]:
            above = range(len(path), len(path) + 1) if assigned_only else range(1, len(path) + 1)
            merged: dict[str, str] = {}
            for length in above:
                merged |= store(context).assigned.get(path[:length], {})
            return [_shown(context, name, [value]) for name, value in merged.items()]

        first, *_ = paths = list(_paths(request["Resource"]))
        response: Response = {"LFTagOnDatabase": tags(first[:1])}
        if len(first) > 1:
            response["LFTagsOnTable"] = tags(first[:2])
            columns = paths if len(first) > 2 else _tagged_columns(context, first)
            response["LFTagsOnColumns"] = [{"Name": path[2], "LFTags": tags(path)} for path in columns]
        return response


def _values(context: RequestContext, name: str) -> list[str]:
    if name not in store(context).tags:
        raise EntityNotFoundException(f"Tag {name}")
    return store(context).tags[name]


def _shown(context: RequestContext, name: str, values: list[str]) -> dict[str, Any]:
    return {"CatalogId": context.account_id, "TagKey": name, "TagValues": values}


def _paths(resource: Resource) -> Iterator[tuple[str, ...]]:
    """The places that tags of a resource are kept at."""
    if database := resource.get("Database"):
        yield (folded(database["Name"]),)
    elif table := resource.get("Table"):
        yield folded(table["DatabaseName"]), folded(table["Name"])
    elif columns := resource.get("TableWithColumns"):
        for column in columns["ColumnNames"]:
            yield folded(columns["DatabaseName"]), folded(columns["Name"]), column
    else:
        raise InvalidInputException("Only databases, tables and columns have tags.")


def _tagged_columns(context: RequestContext, table: tuple[str, ...]) -> list[tuple[str, ...]]:
    return [path for path in store(context).assigned if len(path) > 2 and path[:2] == table]
