"""`"table$snapshots"` and its like: what an Iceberg table says of itself, with Trino's column names."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
from pyiceberg.conversions import from_bytes
from pyiceberg.manifest import DataFile
from pyiceberg.table import Table
from pyiceberg.types import PrimitiveType

Row = dict[str, Any]
INSTANT = pa.timestamp("ms", "UTC")
COUNTS = pa.map_(pa.int32(), pa.int64())
BOUNDS = pa.map_(pa.int32(), pa.string())


def snapshots(table: Table) -> pa.Table:
    """Every snapshot."""
    return _instants(table.inspect.snapshots(), "committed_at")


def history(table: Table) -> pa.Table:
    """Which snapshot was current since when."""
    return _instants(table.inspect.history(), "made_current_at")


def refs(table: Table) -> pa.Table:
    """Branches and tags."""
    refs = table.inspect.refs()
    return refs.set_column(1, "type", refs["type"].cast(pa.string()))


def partitions(table: Table) -> pa.Table:
    """How much is in each partition."""
    names = {"total_data_file_size_in_bytes": "total_size"}
    kept = ("partition", "record_count", "file_count", "total_data_file_size_in_bytes")
    if not table.current_snapshot():
        return pa.table({name: pa.array([], pa.int64()) for name in ("record_count", "file_count", "total_size")})
    found = table.inspect.partitions()
    return found.select([name for name in kept if name in found.column_names]).rename_columns(
        [names.get(name, name) for name in kept if name in found.column_names]
    )


def manifests(table: Table) -> pa.Table:
    """The manifests of the current snapshot."""
    summary = pa.struct(
        {
            "contains_null": pa.bool_(),
            "contains_nan": pa.bool_(),
            "lower_bound": pa.string(),
            "upper_bound": pa.string(),
        }
    )
    schema = pa.schema(
        {
            "path": pa.string(),
            "length": pa.int64(),
            "partition_spec_id": pa.int32(),
            "added_snapshot_id": pa.int64(),
            "added_data_files_count": pa.int32(),
            "added_rows_count": pa.int64(),
            "existing_data_files_count": pa.int32(),
            "existing_rows_count": pa.int64(),
            "deleted_data_files_count": pa.int32(),
            "deleted_rows_count": pa.int64(),
            "partition_summaries": pa.list_(summary),
        }
    )
    snapshot = table.current_snapshot()
    found = snapshot.manifests(table.io) if snapshot else []
    summaries = table.inspect.manifests()["partition_summaries"].to_pylist() if snapshot else []
    rows = [
        {
            "path": manifest.manifest_path,
            "length": manifest.manifest_length,
            "partition_spec_id": manifest.partition_spec_id,
            "added_snapshot_id": manifest.added_snapshot_id,
            "added_data_files_count": manifest.added_files_count,
            "added_rows_count": manifest.added_rows_count,
            "existing_data_files_count": manifest.existing_files_count,
            "existing_rows_count": manifest.existing_rows_count,
            "deleted_data_files_count": manifest.deleted_files_count,
            "deleted_rows_count": manifest.deleted_rows_count,
            "partition_summaries": fields,
        }
        for manifest, fields in zip(found, summaries, strict=True)
    ]
    return pa.Table.from_pylist(rows, schema)


def files(table: Table) -> pa.Table:
    """The data and delete files of the current snapshot."""
    schema = pa.schema(
        {
            "content": pa.int32(),
            "file_path": pa.string(),
            "file_format": pa.string(),
            "spec_id": pa.int32(),
            "record_count": pa.int64(),
            "file_size_in_bytes": pa.int64(),
            "column_sizes": COUNTS,
            "value_counts": COUNTS,
            "null_value_counts": COUNTS,
            "nan_value_counts": COUNTS,
            "lower_bounds": BOUNDS,
            "upper_bounds": BOUNDS,
            "key_metadata": pa.binary(),
            "split_offsets": pa.list_(pa.int64()),
            "equality_ids": pa.list_(pa.int32()),
        }
    )
    snapshot = table.current_snapshot()
    rows = [
        _file(table, entry.data_file)
        for manifest in (snapshot.manifests(table.io) if snapshot else [])
        for entry in manifest.fetch_manifest_entry(table.io)
    ]
    return pa.Table.from_pylist(rows, schema)


TABLES: dict[str, Callable[[Table], pa.Table]] = {
    "files": files,
    "history": history,
    "manifests": manifests,
    "partitions": partitions,
    "refs": refs,
    "snapshots": snapshots,
}


def _file(table: Table, file: DataFile) -> Row:
    bounds = {bound: _readable(table, getattr(file, bound)) for bound in ("lower_bounds", "upper_bounds")}
    counts = ("column_sizes", "value_counts", "null_value_counts", "nan_value_counts")
    return {
        "content": file.content.value,
        "file_path": file.file_path,
        "file_format": file.file_format.value,
        "spec_id": file.spec_id,
        "record_count": file.record_count,
        "file_size_in_bytes": file.file_size_in_bytes,
        "key_metadata": file.key_metadata,
        "split_offsets": file.split_offsets,
        "equality_ids": file.equality_ids,
        **{count: list((getattr(file, count) or {}).items()) for count in counts},
        **bounds,
    }


def _readable(table: Table, bounds: dict[int, bytes] | None) -> list[tuple[int, str]]:
    types = {field: table.schema().find_type(field) for field in bounds or {} if field in table.schema().field_ids}
    return [
        (field, str(from_bytes(kind, bounds[field])))
        for field, kind in types.items()
        if bounds and isinstance(kind, PrimitiveType)
    ]


def _instants(table: pa.Table, column: str) -> pa.Table:
    position = table.column_names.index(column)
    return table.set_column(position, column, table[column].cast(INSTANT))
