"""The one map of types: every library knows the names it has for its own."""

import duckdb
import pyarrow as pa
import pytest
from pyiceberg.types import IcebergType

from stedi_common.contracts.types import TYPES


@pytest.mark.parametrize("name", TYPES)
def test_each_library_knows_its_name_for_a_type(name):
    known = TYPES[name]
    arrow = pa.type_for_alias(known.arrow)
    relation = duckdb.sql(f"SELECT CAST(NULL AS {known.duckdb}) AS value")
    assert relation.to_arrow_table().schema.field("value").type == arrow
    assert str(IcebergType.model_validate(known.iceberg)) == name


def test_spark_knows_its_names(spark_runs):
    from pyspark.sql import SparkSession  # noqa: PLC0415 - not everybody has it
    from pyspark.sql.pandas.types import to_arrow_type  # noqa: PLC0415

    columns = ", ".join(f"CAST(NULL AS {known.spark}) AS `{name}`" for name, known in TYPES.items())
    schema = SparkSession.active().sql(f"SELECT {columns}").schema
    assert {field.name: to_arrow_type(field.dataType) for field in schema} == {
        name: pa.type_for_alias(known.arrow) for name, known in TYPES.items()
    }
