"""The command line `stedi`."""

from stedi_common.cli.process import main

__all__ = ["main"]
