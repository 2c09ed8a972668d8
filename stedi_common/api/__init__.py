"""The library: open a lake, land and run, and read tables as Arrow, pandas or Polars.

All of it is in `stedi_common` itself: `import stedi_common as stedi`.
"""
