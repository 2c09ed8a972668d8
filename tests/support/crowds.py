"""Many generated histories in one lake, none knowing of the others: what an engine costs is paid once for all."""

import bz2
import gzip
import re
import zlib
from collections.abc import Iterable
from functools import cache

import zstandard
from support.histories import ARRIVALS, PACKINGS, History, histories
from support.oracle_records import MARKS
from support.sampling import example

from stedi_common.rules.policy import Policy

#: Histories in a crowd.
SIZE = 12

POLICIES = (
    *(Policy(consent, pairing) for consent in ("as-of", "ever") for pairing in ("owner", "timestamp")),
    Policy(defective_serials=frozenset(f"{number}sn-{device}" for number in range(SIZE) for device in (1, 2))),
)


@cache
def crowd(number: int, size: int = SIZE) -> History:
    """So many histories in one, the same every time."""
    return together(history(number * size + place) for place in range(size))


@cache
def history(number: int) -> History:
    """The history of that number."""
    return example(histories(), number)


def together(crowd: Iterable[History]) -> History:
    """The histories side by side: their people and devices are others, their files lie in folders of their own."""
    runs: tuple[dict[str, bytes], ...] = tuple({} for _ in ARRIVALS)
    for number, history in enumerate(crowd):
        for run, drops in zip(runs, history.runs, strict=False):
            run |= {name.replace("/", f"/{number:02}/", 1): renamed(raw, number) for name, raw in drops.items()}
    return History(runs, ARRIVALS)


def unzstd(raw: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompress(raw, allow_extra_data=False)


#: How packed files begin; what unpacking a damaged one raises.
UNPACKED = {b"\x1f\x8b": (".gz", gzip.decompress), b"(\xb5/\xfd": (".zst", unzstd), b"BZh": (".bz2", bz2.decompress)}
DAMAGED = (ValueError, EOFError, OSError, zlib.error, zstandard.ZstdError)
#: People and devices, also where a hyphen is written in full width.
WHO = re.compile(r"(walker|stranger|sn(?:-|\\uff0d))", re.IGNORECASE)


def renamed(raw: bytes, number: int) -> bytes:
    """The drop with other people and devices in it. What no one can unpack or decode as a whole stays."""
    try:
        for magic, (ending, unpack) in UNPACKED.items():
            if raw.startswith(magic):
                return PACKINGS[ending](renamed(unpack(raw), number))
        encoding = next((encoding for mark, encoding in MARKS if raw.startswith(mark)), "latin-1")
        return WHO.sub(rf"{number}\1", raw.decode(encoding)).encode(encoding)
    except DAMAGED:
        return raw


def in_pieces(history: History, pieces: int) -> History:
    """The same drops in so many runs, all of which arrive when the first one did."""
    drops = sorted({name: raw for run in history.runs for name, raw in run.items()}.items())
    return History(
        tuple(dict(drops[piece::pieces]) for piece in range(pieces)),
        (history.arrived_at[0],) * pieces,
    )
