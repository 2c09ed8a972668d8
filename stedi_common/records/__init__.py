"""What a record is: drops in, one row per line out. The specification is docs/records.md."""

from stedi_common.records.blocks import Block
from stedi_common.records.reader import Reader
from stedi_common.records.storage import Drop, Found, Skipped, discover, sha256, shown

__all__ = ["Block", "Drop", "Found", "Reader", "Skipped", "discover", "sha256", "shown"]
