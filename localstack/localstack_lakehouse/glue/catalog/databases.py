"""Databases."""

from typing import Any

from localstack.aws.api import RequestContext

from ...paging import page
from ...service import Request, Response
from .models import arn, catalog, database_of, folded


class Databases:
    """Operations on databases."""

    def create_database(self, context: RequestContext, request: Request) -> Response:
        """Create a database without tables."""
        database = _folded(request["DatabaseInput"])
        catalog(context).create_database(database["Name"], database, request.get("Tags"))
        return {}

    def get_database(self, context: RequestContext, request: Request) -> Response:
        """Get one database."""
        return {"Database": database_of(context, request, "Name").as_dict()}

    def get_databases(self, context: RequestContext, request: Request) -> Response:
        """Get all databases, in pages."""
        databases, token = page(catalog(context).get_databases(), request)
        return {"DatabaseList": [database.as_dict() for database in databases], "NextToken": token}

    def update_database(self, context: RequestContext, request: Request) -> Response:
        """Replace a database's definition, never its name."""
        catalog(context).update_database(folded(request["Name"]), _folded(request["DatabaseInput"]))
        return {}

    def delete_database(self, context: RequestContext, request: Request) -> Response:
        """Delete a database with its tables."""
        name = folded(request["Name"])
        catalog(context).delete_database(name)
        catalog(context).tagger.delete_all_tags_for_resource(arn(context, f"database/{name}"))
        return {}


def _folded(database: dict[str, Any]) -> dict[str, Any]:
    return database | {"Name": folded(database["Name"])}
