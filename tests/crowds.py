"""Many generated histories in one lake, none knowing of the others: what an engine costs is paid once for all."""

import gzip
import re
import zlib
from collections.abc import Iterable
from functools import cache

from histories import ARRIVALS, History, histories
from test_histories import sample

from stedi_common.policy import Policy

#: Histories in a crowd.
SIZE = 12
#: Histories that crowds are made of; unhurried tests take more.
SOME, MANY = 8 * SIZE, 100 * SIZE

POLICIES = (
    *(Policy(consent, pairing) for consent in ("as-of", "ever") for pairing in ("owner", "timestamp")),
    Policy(defective_serials=frozenset(f"{number}sn-{device}" for number in range(SIZE) for device in (1, 2))),
)


@cache
def crowd(number: int, of: int = SOME) -> History:
    """The same every time."""
    return together(sampled(of)[number * SIZE :][:SIZE])


@cache
def sampled(size: int) -> list[History]:
    return sample(histories(), size)


def together(crowd: Iterable[History]) -> History:
    """The histories side by side: their people and devices are others, their files lie in folders of their own."""
    runs: tuple[dict[str, bytes], ...] = tuple({} for _ in ARRIVALS)
    for number, history in enumerate(crowd):
        for run, drops in zip(runs, history.runs, strict=False):
            run |= {name.replace("/", f"/{number:02}/", 1): renamed(raw, number) for name, raw in drops.items()}
    return History(runs, ARRIVALS)


def renamed(raw: bytes, number: int) -> bytes:
    """The drop with other people and devices in it. What no one can unzip stays."""
    if not raw.startswith(b"\x1f\x8b"):
        return re.sub(rb"(?i)(walker|stranger|sn-)", rb"%d\1" % number, raw)
    try:
        return gzip.compress(renamed(gzip.decompress(raw), number), mtime=0)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return raw


def in_pieces(history: History, pieces: int) -> History:
    """The same drops in so many runs, all of which arrive when the first one did."""
    drops = sorted({name: raw for run in history.runs for name, raw in run.items()}.items())
    return History(
        tuple(dict(drops[piece::pieces]) for piece in range(pieces)),
        (history.arrived_at[0],) * pieces,
    )
