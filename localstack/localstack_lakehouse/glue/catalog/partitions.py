"""Partitions, of tables in Hive's format, and their indexes."""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from localstack.aws.api import RequestContext
from moto.glue.exceptions import (
    AlreadyExistsException,
    EntityNotFoundException,
    GlueClientError,
    PartitionAlreadyExistsException,
    PartitionNotFoundException,
)
from moto.glue.models import FakeTable

from ...paging import page
from ...service import Request, Response
from .exceptions import InvalidInputException, detail
from .models import table_of

# They live as long as their table.
_indexes: WeakKeyDictionary[FakeTable, dict[str, list[str]]] = WeakKeyDictionary()


class Partitions:
    """Operations on partitions."""

    def create_partition(self, context: RequestContext, request: Request) -> Response:
        """Create a partition."""
        _create(table_of(context, request), request["PartitionInput"])
        return {}

    def batch_create_partition(self, context: RequestContext, request: Request) -> Response:
        """Create several partitions, and tell which could not be."""
        table = table_of(context, request)
        partitions = {tuple(partition.get("Values", [])): partition for partition in request["PartitionInputList"]}
        return _each("PartitionValues", partitions, lambda values: _create(table, partitions[values]))

    def get_partition(self, context: RequestContext, request: Request) -> Response:
        """Get the partition of the given values."""
        return {"Partition": table_of(context, request).get_partition(request["PartitionValues"]).as_dict()}

    def get_partitions(self, context: RequestContext, request: Request) -> Response:
        """Get the partitions that an expression selects, in pages."""
        found = table_of(context, request).get_partitions(request.get("Expression"))  # type: ignore[arg-type]
        partitions, token = page(found, request)
        return {"Partitions": [partition.as_dict() for partition in partitions], "NextToken": token}

    def batch_get_partition(self, context: RequestContext, request: Request) -> Response:
        """Get those of the given partitions that exist."""
        table = table_of(context, request)
        wanted = [str(each["Values"]) for each in request["PartitionsToGet"]]
        return {"Partitions": [table.partitions[values].as_dict() for values in wanted if values in table.partitions]}

    def update_partition(self, context: RequestContext, request: Request) -> Response:
        """Replace a partition, its values too."""
        _update(table_of(context, request), request["PartitionValueList"], request["PartitionInput"])
        return {}

    def batch_update_partition(self, context: RequestContext, request: Request) -> Response:
        """Replace several partitions, and tell which could not be."""
        table = table_of(context, request)
        partitions = {tuple(entry["PartitionValueList"]): entry["PartitionInput"] for entry in request["Entries"]}
        return _each("PartitionValueList", partitions, lambda values: _update(table, list(values), partitions[values]))

    def delete_partition(self, context: RequestContext, request: Request) -> Response:
        """Delete a partition, never its data."""
        table_of(context, request).delete_partition(request["PartitionValues"])
        return {}

    def batch_delete_partition(self, context: RequestContext, request: Request) -> Response:
        """Delete several partitions, and tell which could not be."""
        table = table_of(context, request)
        partitions = {tuple(each["Values"]): each for each in request["PartitionsToDelete"]}
        return _each("PartitionValues", partitions, lambda values: table.delete_partition(list(values)))  # type: ignore[arg-type]

    def create_partition_index(self, context: RequestContext, request: Request) -> Response:
        """Create an index, usable at once."""
        index(table_of(context, request), request["PartitionIndex"])
        return {}

    def get_partition_indexes(self, context: RequestContext, request: Request) -> Response:
        """Get a table's indexes."""
        table = table_of(context, request)
        types = {key["Name"]: key.get("Type") for key in _keys(table)}
        return {
            "PartitionIndexDescriptorList": [
                {
                    "IndexName": name,
                    "Keys": [{"Name": key, "Type": types[key]} for key in keys],
                    "IndexStatus": "ACTIVE",
                }
                for name, keys in _indexes.get(table, {}).items()
            ]
        }

    def delete_partition_index(self, context: RequestContext, request: Request) -> Response:
        """Delete an index."""
        if _indexes.get(table_of(context, request), {}).pop(request["IndexName"], None) is None:
            raise EntityNotFoundException(f"Index {request['IndexName']} not found.")
        return {}


def index(table: FakeTable, definition: dict[str, Any]) -> None:
    """Give a table an index over some of its partition keys."""
    indexes = _indexes.setdefault(table, {})
    if definition["IndexName"] in indexes:
        raise AlreadyExistsException(f"Index {definition['IndexName']}")
    if unknown := set(definition["Keys"]) - {key["Name"] for key in _keys(table)}:
        raise InvalidInputException(f"Not partition keys: {', '.join(sorted(unknown))}.")
    indexes[definition["IndexName"]] = definition["Keys"]


def _keys(table: FakeTable) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = table.as_dict().get("PartitionKeys", [])
    return keys


def _create(table: FakeTable, partition: dict[str, Any]) -> None:
    _expect_values(table, partition)
    table.create_partition(partition)


def _update(table: FakeTable, values: list[str], partition: dict[str, Any]) -> None:
    _expect_values(table, partition)
    # moto forgets the partition whose new values it then finds taken.
    if str(values) not in table.partitions:
        raise PartitionNotFoundException()
    if partition["Values"] != values and str(partition["Values"]) in table.partitions:
        raise PartitionAlreadyExistsException()
    table.update_partition(values, partition)  # type: ignore[arg-type]


def _expect_values(table: FakeTable, partition: dict[str, Any]) -> None:
    if len(partition.get("Values", [])) != len(_keys(table)):
        raise InvalidInputException("The number of partition keys do not match the number of partition values.")


def _each(key: str, partitions: dict[tuple[str, ...], Any], operation: Callable[[tuple[str, ...]], None]) -> Response:
    errors = []
    for values in partitions:
        try:
            operation(values)
        except GlueClientError as error:
            errors.append({key: list(values), "ErrorDetail": detail(error)})
    return {"Errors": errors}
