"""The first metadata of an Iceberg table."""

from itertools import count
from typing import Any
from urllib.parse import urlparse
from uuid import uuid4

from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError
from localstack.aws.api import RequestContext
from localstack.aws.connect import connect_to
from pydantic import ValidationError
from pyiceberg.catalog.glue import _construct_table_input
from pyiceberg.partitioning import PARTITION_FIELD_ID_START, UNPARTITIONED_PARTITION_SPEC, PartitionSpec
from pyiceberg.schema import Schema
from pyiceberg.table import TableProperties
from pyiceberg.table.metadata import TableMetadata, new_table_metadata
from pyiceberg.table.sorting import UNSORTED_SORT_ORDER, SortOrder
from pyiceberg.types import NestedField

from .exceptions import InvalidInputException
from .types import iceberg_type

Table = dict[str, Any]
Layout = dict[str, Any]


def create(context: RequestContext, table: Table, iceberg_input: dict[str, Any]) -> Table:
    """Write the metadata that the request asks for; the table that points at it."""
    version = iceberg_input.get("Version", "2")
    if described := iceberg_input.get("CreateIcebergTableInput"):
        metadata = _metadata(_from_description(described), version)
        return dict(_construct_table_input(table["Name"], _write(context, metadata), metadata.properties, metadata))
    location = _write(context, _metadata(_from_columns(table), version))
    parameters = table.get("Parameters", {}) | {"table_type": "ICEBERG", "metadata_location": location}
    return table | {"Parameters": parameters}


def _from_columns(table: Table) -> Layout:
    descriptor = table.get("StorageDescriptor", {})
    if not descriptor.get("Location"):
        raise InvalidInputException("Location information cannot be null while creating an iceberg table")
    if table.get("PartitionKeys"):
        raise InvalidInputException("An iceberg table has no partition keys")
    ids = count(1)
    fields = [
        NestedField(
            next(ids), column["Name"], iceberg_type(column["Type"], ids), required=False, doc=column.get("Comment")
        )
        for column in descriptor.get("Columns", [])
    ]
    return {
        "schema": Schema(*fields),
        "partition_spec": UNPARTITIONED_PARTITION_SPEC,
        "sort_order": UNSORTED_SORT_ORDER,
        "location": descriptor["Location"],
    }


def _from_description(described: dict[str, Any]) -> Layout:
    schema, spec, order = (_renamed(described.get(part)) for part in ("Schema", "PartitionSpec", "WriteOrder"))
    for number, field in enumerate(spec["fields"] if spec else []):
        field.setdefault("field-id", PARTITION_FIELD_ID_START + number)
    try:
        return {
            "schema": Schema.model_validate(schema | {"type": "struct"}),
            "partition_spec": PartitionSpec.model_validate(spec) if spec else UNPARTITIONED_PARTITION_SPEC,
            "sort_order": SortOrder.model_validate(order) if order else UNSORTED_SORT_ORDER,
            "location": described["Location"],
            "properties": described.get("Properties", {}),
        }
    except ValidationError as error:
        raise InvalidInputException(str(error)) from None


def _renamed(value: Any) -> Any:
    # The API says SourceId where Iceberg says source-id, but gives types in Iceberg's own JSON.
    if isinstance(value, list):
        return [_renamed(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {xform_name(key, "-"): each if key == "Type" else _renamed(each) for key, each in value.items()}


def _metadata(layout: Layout, version: str) -> TableMetadata:
    properties = layout.get("properties", {}) | {TableProperties.FORMAT_VERSION: version}
    location = layout["location"].rstrip("/")
    try:
        return new_table_metadata(**layout | {"location": location, "properties": properties})
    except ValueError as error:
        raise InvalidInputException(str(error)) from None


def _write(context: RequestContext, metadata: TableMetadata) -> str:
    location = f"{metadata.location}/metadata/00000-{uuid4()}.metadata.json"
    parsed = urlparse(location)
    s3 = connect_to(aws_access_key_id=context.account_id, region_name=context.region).s3
    try:
        s3.put_object(Bucket=parsed.netloc, Key=parsed.path.lstrip("/"), Body=metadata.model_dump_json().encode())
    except (ClientError, ParamValidationError) as error:
        raise InvalidInputException(f"{location} cannot be written: {error}") from None
    return location
