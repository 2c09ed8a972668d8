"""Data cells filters."""

from typing import Any
from uuid import uuid4

from localstack.aws.api import RequestContext

from ..glue.catalog.models import folded
from ..paging import page
from ..service import Request, Response
from .exceptions import AlreadyExistsException, EntityNotFoundException, InvalidInputException
from .models import store
from .naming import expect_there

Filter = dict[str, Any]


class Filters:
    """Operations on data cells filters. They are kept, and hide nothing."""

    def create_data_cells_filter(self, context: RequestContext, request: Request) -> Response:
        """Create a filter of a table's rows and columns."""
        cells = request["TableData"]
        expect_there(context, {"Table": {"DatabaseName": cells["DatabaseName"], "Name": cells["TableName"]}})
        if _place(cells) in store(context).filters:
            raise AlreadyExistsException(f"Data cells filter {cells['Name']}")
        _put(context, cells)
        return {}

    def get_data_cells_filter(self, context: RequestContext, request: Request) -> Response:
        """Get a filter."""
        return {"DataCellsFilter": _found(context, request)}

    def list_data_cells_filter(self, context: RequestContext, request: Request) -> Response:
        """List the filters of a table or of all, in pages."""
        found = [cells for cells in store(context).filters.values() if _is_of(cells, request.get("Table", {}))]
        filters, token = page(found, request)
        return {"DataCellsFilters": filters, "NextToken": token}

    def update_data_cells_filter(self, context: RequestContext, request: Request) -> Response:
        """Replace a filter."""
        _found(context, request["TableData"])
        _put(context, request["TableData"])
        return {}

    def delete_data_cells_filter(self, context: RequestContext, request: Request) -> Response:
        """Delete a filter."""
        del store(context).filters[_place(_found(context, request))]
        return {}


def _place(cells: Filter) -> tuple[str, str, str]:
    return folded(cells["DatabaseName"]), folded(cells["TableName"]), cells["Name"]


def _put(context: RequestContext, cells: Filter) -> None:
    if not cells.get("RowFilter"):
        raise InvalidInputException("A filter needs a row filter, if only one of all rows.")
    if bool(cells.get("ColumnNames")) == ("ColumnWildcard" in cells):
        raise InvalidInputException("A filter needs either column names or a column wildcard.")
    store(context).filters[_place(cells)] = cells | {"VersionId": str(uuid4())}


def _found(context: RequestContext, where: Filter) -> Filter:
    if _place(where) not in store(context).filters:
        raise EntityNotFoundException(f"Data cells filter {where['Name']}")
    return store(context).filters[_place(where)]


def _is_of(cells: Filter, table: dict[str, Any]) -> bool:
    database, name = table.get("DatabaseName"), table.get("Name")
    return (database is None or folded(database) == folded(cells["DatabaseName"])) and (
        name is None or folded(name) == folded(cells["TableName"])
    )
