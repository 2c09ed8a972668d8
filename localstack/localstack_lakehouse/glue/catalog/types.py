"""Glue's types, which are Hive's, as Iceberg's."""

from collections.abc import Iterator

from pyiceberg import types as iceberg
from sqlglot import exp
from sqlglot.errors import SqlglotError

from .exceptions import InvalidInputException

_PRIMITIVES: dict[exp.DataType.Type, iceberg.PrimitiveType] = {
    exp.DataType.Type.BOOLEAN: iceberg.BooleanType(),
    exp.DataType.Type.INT: iceberg.IntegerType(),
    exp.DataType.Type.BIGINT: iceberg.LongType(),
    exp.DataType.Type.FLOAT: iceberg.FloatType(),
    exp.DataType.Type.DOUBLE: iceberg.DoubleType(),
    exp.DataType.Type.DATE: iceberg.DateType(),
    exp.DataType.Type.TIMESTAMP: iceberg.TimestampType(),
    exp.DataType.Type.TIMESTAMPTZ: iceberg.TimestamptzType(),
    exp.DataType.Type.TEXT: iceberg.StringType(),
    exp.DataType.Type.VARCHAR: iceberg.StringType(),
    exp.DataType.Type.CHAR: iceberg.StringType(),
    exp.DataType.Type.BINARY: iceberg.BinaryType(),
}


def iceberg_type(glue_type: str, ids: Iterator[int]) -> iceberg.IcebergType:
    """The Iceberg type of a column; nested fields take their ids from `ids`."""
    try:
        return _converted(exp.DataType.build(glue_type, dialect="hive"), ids)
    except (SqlglotError, KeyError, ValueError):
        raise InvalidInputException(f"Iceberg has no type like {glue_type}.") from None


def _converted(parsed: exp.DataType, ids: Iterator[int]) -> iceberg.IcebergType:
    match parsed.this:
        case exp.DataType.Type.DECIMAL:
            precision, scale = (int(parameter.name) for parameter in parsed.expressions)
            return iceberg.DecimalType(precision, scale)
        case exp.DataType.Type.ARRAY:
            (element,) = parsed.expressions
            return iceberg.ListType(next(ids), _converted(element, ids), element_required=False)
        case exp.DataType.Type.MAP:
            key, value = parsed.expressions
            return iceberg.MapType(
                next(ids), _converted(key, ids), next(ids), _converted(value, ids), value_required=False
            )
        case exp.DataType.Type.STRUCT:
            fields = [
                iceberg.NestedField(next(ids), field.name, _converted(field.args["kind"], ids), required=False)
                for field in parsed.expressions
            ]
            return iceberg.StructType(*fields)
        case primitive:
            return _PRIMITIVES[primitive]
