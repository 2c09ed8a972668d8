"""The command line `stedi`."""

from stedi_common.cli import signals
from stedi_common.cli.streams import open_standard_streams

__all__ = ["main"]


def main() -> None:
    """Run the command line, print an error in one line, and exit with its code."""
    open_standard_streams()
    try:
        signals.catch()  # before all that takes long to import
        from stedi_common.cli.process import main as run

        run()
    except (Exception, KeyboardInterrupt):
        number = signals.received()
        if number is None:
            raise
        signals.end(signals.report(number))  # a library may have made another error of the signal
