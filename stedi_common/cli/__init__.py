"""The command line `stedi`."""

from stedi_common.cli.commands import app
from stedi_common.cli.process import main

__all__ = ["app", "main"]
