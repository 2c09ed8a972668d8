"""Where a lake is (`location`), and what it knows about itself (`properties`)."""

from stedi_common.lake.location import CATALOG, RECOVER, Lake, canonical, local_path

__all__ = ["CATALOG", "RECOVER", "Lake", "canonical", "local_path"]
