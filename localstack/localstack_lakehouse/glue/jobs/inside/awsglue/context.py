"""Glue's context of Spark's."""

from typing import Any

from pyspark import SparkContext
from pyspark.sql import SparkSession

from .unsupported import unsupported


class GlueContext:
    """Spark's session and Glue's logger."""

    def __init__(self, sparkContext: SparkContext, **options: Any) -> None:  # noqa: N803 - Glue's name
        self.spark_session = SparkSession(sparkContext)
        self._logger = sparkContext._jvm.org.apache.logging.log4j.LogManager.getLogger("GlueLogger")

    def get_logger(self) -> Any:
        """A logger with `info`, `warn` and `error`."""
        return self._logger

    def __getattr__(self, name: str) -> Any:
        # Methods of the session that scripts take from here, as `sql` and `read`.
        return getattr(self.spark_session, name) if hasattr(SparkSession, name) else unsupported(f"GlueContext.{name}")
