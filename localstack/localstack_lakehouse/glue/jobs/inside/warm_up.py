"""A Spark job that loads the classes which jobs load: run once, so that Java can archive them.

Nobody listens at its endpoint. What it asks of S3 and Glue fails, and has loaded its classes by then.
"""

from collections.abc import Callable
from contextlib import suppress

from pyspark.sql import DataFrame, SparkSession


def main(spark: SparkSession) -> None:
    """Do what jobs do."""
    rows = spark.createDataFrame([(1, "a"), (2, "b")], "id int, name string")
    rows.write.parquet("rows")
    spark.read.parquet("rows").groupBy("name").count().collect()
    _try(lambda: spark.read.json("s3://nowhere/rows").count())
    _use_a_table(spark, rows, "local.db.t")
    _use_a_table(spark, rows, "glue.db.t")


def _use_a_table(spark: SparkSession, rows: DataFrame, table: str) -> None:
    _try(lambda: rows.writeTo(table).create())
    _try(lambda: rows.writeTo(table).append())
    _try(lambda: spark.table(table).groupBy("name").count().collect())
    _try(lambda: spark.sql(f"DELETE FROM {table} WHERE id = 1"))  # noqa: S608


def _try(work: Callable[[], object]) -> None:
    with suppress(Exception):
        work()


if __name__ == "__main__":
    main(SparkSession.builder.getOrCreate())
