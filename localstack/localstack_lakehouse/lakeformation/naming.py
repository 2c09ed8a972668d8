"""Which resource a request means, however it spells it."""

import json
from typing import Any

from localstack.aws.api import RequestContext

from ..glue.catalog.models import catalog, folded
from .models import Key, Principal, Resource

ALL_TABLES = "ALL_TABLES"
_CATALOG_ID = {"Catalog": "Id", "DataCellsFilter": "TableCatalogId"}


def completed(context: RequestContext, resource: Resource) -> Resource:
    """A resource with the catalog that it is in, and with the name that a wildcard goes by."""
    return {kind: _completed(context, kind, value) for kind, value in resource.items()}


def _completed(context: RequestContext, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    complete = {_CATALOG_ID.get(kind, "CatalogId"): context.account_id} | value
    if "TableWildcard" in complete:
        complete["Name"] = ALL_TABLES
    return complete


def expect_there(context: RequestContext, resource: Resource) -> None:
    """Fail unless the catalog has the database or table that is meant."""
    for kind, value in resource.items():
        if kind == "Database":
            catalog(context).get_database(folded(value["Name"]))
        if kind in ("Table", "TableWithColumns"):
            database = catalog(context).get_database(folded(value["DatabaseName"]))
            if value.get("Name", ALL_TABLES) != ALL_TABLES:
                catalog(context).get_table(database.name, folded(value["Name"]))


def key(principal: Principal, resource: Resource) -> Key:
    """Equal for equal principals and resources."""
    return principal.get("DataLakePrincipalIdentifier", ""), canonical(resource)


def canonical(resource: Resource) -> str:
    """Equal for equal resources, however their columns and tag values are ordered."""
    return json.dumps(_sorted(resource), sort_keys=True)


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _sorted(each) for name, each in value.items()}
    if isinstance(value, list):
        return sorted((_sorted(each) for each in value), key=json.dumps)
    return value
