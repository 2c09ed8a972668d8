"""What a record is: drops in, one row per line out. The specification is docs/records.md."""

from stedi_common.records.blocks import Block
from stedi_common.records.reader import Reader
from stedi_common.records.storage import Drop, drops, sha256

__all__ = ["Block", "Drop", "Reader", "drops", "sha256"]
