"""The command line `stedi`."""

import os
import sys
from io import TextIOWrapper

from stedi_common.cli import signals

__all__ = ["main"]


def main() -> None:
    """Run the command line, print an error in one line, and exit with its code."""
    _open_standard_streams()
    signals.catch()  # before all that takes long to import
    try:
        from stedi_common.cli.process import main as run

        run()
    except (Exception, KeyboardInterrupt):
        number = signals.received()
        if number is None:
            raise
        sys.exit(signals.report(number))  # a library may have made another error of the signal


def _open_standard_streams() -> None:
    """Open those that the caller has closed: else the next file, perhaps of the lake, is opened as one of them."""
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115 - it is open, and stays so
    if isinstance(sys.stdout, TextIOWrapper):
        # What the encoding lacks, as ASCII lacks bars, is escaped, as on standard error. Data are written as bytes.
        sys.stdout.reconfigure(errors="backslashreplace")
