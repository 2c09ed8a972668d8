"""What a record is: drops in, one row per line out. The specification is docs/records.md."""

from stedi_common.records.blocks import MAX_REJECTED_ROWS, Block
from stedi_common.records.doubt import INCOMPLETE
from stedi_common.records.names import TOO_DAMAGED, UNREAD_REASONS
from stedi_common.records.reader import Parsed, Reader
from stedi_common.records.search import NamedLine, Search, Unexamined, search
from stedi_common.records.storage import Drop, Found, Skipped, discover, sha256, shown, stored, why_unreadable
from stedi_common.records.tally import Tally

__all__ = [
    "INCOMPLETE",
    "MAX_REJECTED_ROWS",
    "TOO_DAMAGED",
    "UNREAD_REASONS",
    "Block",
    "Drop",
    "Found",
    "NamedLine",
    "Parsed",
    "Reader",
    "Search",
    "Skipped",
    "Tally",
    "Unexamined",
    "discover",
    "search",
    "sha256",
    "shown",
    "stored",
    "why_unreadable",
]
