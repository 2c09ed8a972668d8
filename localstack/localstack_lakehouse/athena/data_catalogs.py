"""Data catalogs, and what Glue's holds."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError
from localstack.aws.api import RequestContext

from ..service import Request, Response
from .callers import caller
from .exceptions import InvalidRequestException, MetadataException
from .information_schema import columns_of, tables
from .models import Structure, arn, store, tag_map
from .paging import page

GLUE = "AwsDataCatalog"


class DataCatalogs:
    """Their operations."""

    def create_data_catalog(self, context: RequestContext, request: Request) -> Response:
        """Register a catalog."""
        name = request["Name"]
        if name in store(context).data_catalogs or name.lower() == GLUE.lower():
            raise InvalidRequestException(f"DataCatalog {name} already exists")
        catalog = {key: request[key] for key in ("Name", "Description", "Type", "Parameters") if request.get(key)}
        store(context).data_catalogs[name] = catalog
        store(context).tags[arn(context, "datacatalog", name)] = tag_map(request.get("Tags"))
        return {"DataCatalog": catalog | {"Status": "CREATE_COMPLETE"}}

    def get_data_catalog(self, context: RequestContext, request: Request) -> Response:
        """Get a catalog."""
        return {"DataCatalog": _catalog(context, request["Name"])}

    def list_data_catalogs(self, context: RequestContext, request: Request) -> Response:
        """List catalogs, Glue's among them."""
        catalogs = [_glue(context), *store(context).data_catalogs.values()]
        some, token = page(catalogs, request)
        summaries = [{"CatalogName": catalog["Name"], "Type": catalog["Type"]} for catalog in some]
        return {"DataCatalogsSummary": summaries, "NextToken": token}

    def update_data_catalog(self, context: RequestContext, request: Request) -> Response:
        """Replace what a catalog is."""
        name = _registered(context, request["Name"])["Name"]
        catalog = {key: request[key] for key in ("Name", "Description", "Type", "Parameters") if request.get(key)}
        store(context).data_catalogs[name] = catalog
        return {}

    def delete_data_catalog(self, context: RequestContext, request: Request) -> Response:
        """Forget a catalog."""
        catalog = _registered(context, request["Name"])
        del store(context).data_catalogs[catalog["Name"]]
        store(context).tags.pop(arn(context, "datacatalog", catalog["Name"]), None)
        return {"DataCatalog": catalog | {"Status": "DELETE_COMPLETE"}}

    def get_database(self, context: RequestContext, request: Request) -> Response:
        """Get a database of Glue's."""
        with _glue_errors():
            database = _client(context, request).get_database(Name=request["DatabaseName"])["Database"]
        return {"Database": _database(database)}

    def list_databases(self, context: RequestContext, request: Request) -> Response:
        """List Glue's databases."""
        pages = _client(context, request).get_paginator("get_databases").paginate()
        databases = [_database(database) for each in pages for database in each["DatabaseList"]]
        some, token = page(databases, request)
        return {"DatabaseList": some, "NextToken": token}

    def get_table_metadata(self, context: RequestContext, request: Request) -> Response:
        """Get a table of Glue's."""
        names = {"DatabaseName": request["DatabaseName"], "Name": request["TableName"]}
        with _glue_errors():
            return {"TableMetadata": _table(_client(context, request).get_table(**names)["Table"])}

    def list_table_metadata(self, context: RequestContext, request: Request) -> Response:
        """List the tables of a database of Glue's."""
        expression = request.get("Expression") or ".*"
        with _glue_errors():
            found = list(tables(_client(context, request), request["DatabaseName"]))
        matching = [_table(table) for table in found if re.search(expression, table["Name"])]
        some, token = page(matching, request)
        return {"TableMetadataList": some, "NextToken": token}


def _catalog(context: RequestContext, name: str) -> Structure:
    return _glue(context) if name.lower() == GLUE.lower() else _registered(context, name)


def _glue(context: RequestContext) -> Structure:
    return {"Name": GLUE, "Type": "GLUE", "Parameters": {"catalog-id": context.account_id}}


def _registered(context: RequestContext, name: str) -> Structure:
    try:
        return store(context).data_catalogs[name]
    except KeyError:
        raise InvalidRequestException(f"DataCatalog {name} was not found") from None


def _client(context: RequestContext, request: Request) -> Any:
    """Glue, for a catalog that is Glue's own."""
    name = request["CatalogName"]
    if name.lower() != GLUE.lower():
        kind = _registered(context, name)["Type"]
        raise MetadataException(f"Metadata of {kind} catalogs is not supported by localstack-lakehouse")
    return caller(context).client("glue")


@contextmanager
def _glue_errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise MetadataException(error.response["Error"]["Message"]) from None


def _database(database: Structure) -> Structure:
    return {key: database[key] for key in ("Name", "Description", "Parameters") if key in database}


def _table(table: Structure) -> Structure:
    descriptor = table.get("StorageDescriptor", {})
    storage = {
        "location": descriptor.get("Location"),
        "inputformat": descriptor.get("InputFormat"),
        "outputformat": descriptor.get("OutputFormat"),
        "serde.serialization.lib": descriptor.get("SerdeInfo", {}).get("SerializationLibrary"),
    }
    keys = {column["Name"] for column in table.get("PartitionKeys", [])}
    columns = [_column(column) for column in columns_of(table) if column["Name"] not in keys]
    return {
        "Name": table["Name"],
        "CreateTime": table.get("CreateTime"),
        "LastAccessTime": table.get("LastAccessTime"),
        "TableType": table.get("TableType"),
        "Columns": columns,
        "PartitionKeys": [_column(column) for column in table.get("PartitionKeys", [])],
        "Parameters": table.get("Parameters", {}) | {key: value for key, value in storage.items() if value},
    }


def _column(column: Structure) -> Structure:
    return {key: column[key] for key in ("Name", "Type", "Comment") if column.get(key)}
