"""The library: open a lake, land and run, and read tables as Arrow, pandas or Polars.

All of it is in `stedi_common` itself: `import stedi_common as stedi`.
"""

from stedi_common.api.lake import OpenLake, open  # noqa: A004 - `stedi_common.open`, as `tarfile.open`
from stedi_common.api.rows import Rows

__all__ = ["OpenLake", "Rows", "open"]
