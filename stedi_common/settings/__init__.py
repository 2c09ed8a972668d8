"""The settings, the same for the command line, the jobs and the library. They are passed down, never looked up."""

from stedi_common.settings.loader import CONFIG, load, read_file, with_options
from stedi_common.settings.model import AUTO, ENGINES, OPTIONS, Option, Settings
from stedi_common.settings.reader import RANGES, Limits, ReaderSettings

__all__ = [
    "AUTO",
    "CONFIG",
    "ENGINES",
    "OPTIONS",
    "RANGES",
    "Limits",
    "Option",
    "ReaderSettings",
    "Settings",
    "load",
    "read_file",
    "with_options",
]
