"""STEDI lakehouse: consent-governed Iceberg tables, on Spark and on a laptop."""

from importlib.metadata import version

__version__ = version("stedi-common")
