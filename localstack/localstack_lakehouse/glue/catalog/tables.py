"""Tables and their versions."""

import re
from typing import Any

from localstack.aws.api import RequestContext
from moto.glue.exceptions import GlueClientError, TableAlreadyExistsException, VersionNotFoundException
from moto.glue.models import FakeTable

from ...paging import page
from ...service import Request, Response
from . import iceberg
from .exceptions import ConcurrentModificationException, InvalidInputException, detail
from .models import catalog, database_of, folded, table_of
from .partitions import index


class Tables:
    """Operations on tables."""

    def create_table(self, context: RequestContext, request: Request) -> Response:
        """Create a table, with its first Iceberg metadata if the request asks for it."""
        name = folded(request.get("Name") or request["TableInput"]["Name"])
        database = database_of(context, request)
        if name in database.tables:
            raise TableAlreadyExistsException()
        table = request.get("TableInput", {}) | {"Name": name}
        if open_format := request.get("OpenTableFormatInput"):
            table = iceberg.create(context, table, open_format["IcebergInput"])
        created = catalog(context).create_table(database.name, name, table)
        for each in request.get("PartitionIndexes", []):
            index(created, each)
        return {}

    def get_table(self, context: RequestContext, request: Request) -> Response:
        """Get a table's current version."""
        return {"Table": table_of(context, request, "Name").as_dict()}

    def get_tables(self, context: RequestContext, request: Request) -> Response:
        """Get the tables of a database whose names match, in pages."""
        pattern = _pattern(request.get("Expression"))
        found = [table for name, table in database_of(context, request).tables.items() if pattern.fullmatch(name)]
        tables, token = page(found, request)
        return {"TableList": [table.as_dict() for table in tables], "NextToken": token}

    def update_table(self, context: RequestContext, request: Request) -> Response:
        """Replace a table's definition, if the version that the request expects is the current one."""
        if "UpdateOpenTableFormatInput" in request:
            raise NotImplementedError("glue.UpdateTable with UpdateOpenTableFormatInput is not supported")
        definition = request["TableInput"] | {"Name": folded(request["TableInput"]["Name"])}
        table = table_of(context, {**request, "TableName": definition["Name"]})
        current = _current_version(table)
        if request.get("VersionId", current) != current:
            raise ConcurrentModificationException("table")
        table.update(definition)
        if request.get("SkipArchive"):
            table.delete_version(current)
        return {}

    def delete_table(self, context: RequestContext, request: Request) -> Response:
        """Delete a table, never its data."""
        table = table_of(context, request, "Name")
        catalog(context).delete_table(table.database_name, table.name)
        return {}

    def batch_delete_table(self, context: RequestContext, request: Request) -> Response:
        """Delete several tables, and tell which could not be."""
        errors: list[dict[str, Any]] = []
        for name in request["TablesToDelete"]:
            try:
                self.delete_table(context, {**request, "Name": name})
            except GlueClientError as error:
                errors.append({"TableName": name, "ErrorDetail": detail(error)})
        return {"Errors": errors}

    def get_table_version(self, context: RequestContext, request: Request) -> Response:
        """Get one version, the current one unless the request names another."""
        table = table_of(context, request)
        return {"TableVersion": _version(table, request.get("VersionId") or _current_version(table))}

    def get_table_versions(self, context: RequestContext, request: Request) -> Response:
        """Get all versions, the newest first, in pages."""
        table = table_of(context, request)
        versions, token = page(list(reversed(table.versions)), request)
        return {"TableVersions": [_version(table, version) for version in versions], "NextToken": token}

    def delete_table_version(self, context: RequestContext, request: Request) -> Response:
        """Delete an archived version."""
        table, version = table_of(context, request), request["VersionId"]
        if version not in table.versions:
            raise VersionNotFoundException()
        if version == _current_version(table):
            raise InvalidInputException("Cannot delete the current version of a table.")
        table.delete_version(version)
        return {}

    def batch_delete_table_version(self, context: RequestContext, request: Request) -> Response:
        """Delete several archived versions, and tell which could not be."""
        errors: list[dict[str, Any]] = []
        for version in request["VersionIds"]:
            try:
                self.delete_table_version(context, {**request, "VersionId": version})
            except GlueClientError as error:
                where = {"TableName": request["TableName"], "VersionId": version}
                errors.append({**where, "ErrorDetail": detail(error)})
        return {"Errors": errors}


def _current_version(table: FakeTable) -> str:
    return str(table.as_dict()["VersionId"])


def _version(table: FakeTable, version: str) -> dict[str, Any]:
    return {"Table": table.as_dict(version), "VersionId": version}


def _pattern(expression: str | None) -> re.Pattern[str]:
    # A star with nothing to repeat is a wildcard, as in Hive.
    regular = re.sub(r"(?<![.\])])\*", ".*", expression) if expression else ".*"
    try:
        return re.compile(regular)
    except re.error as error:
        raise InvalidInputException(f"{expression} is not a pattern: {error}") from None
