"""Files: where drops lie, and all the states in which they arrive."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow as pa

from stedi_common.generate.dialects import Dice, cut
from stedi_common.generate.dirt import Counts, soiled
from stedi_common.generate.lines import Lines
from stedi_common.generate.plan import Plan

# Chances, one in so many files.
_GZIP, _LATE = 8, 25
_BYTE_ORDER_MARK, _CRLF, _NO_LAST_ENDING, _CUT, _BROKEN_GZIP, _REDELIVERED = 12, 12, 12, 12, 4, 20
_EMPTY, _NOT_GZIP = 8, 16  # one in so many days

#: Customers' lines are few, and each kind of dirt is to be among them.
_DIRTIER = {"customer": 4, "accelerometer": 1, "step_trainer": 1}


@dataclass(frozen=True)
class Drop:
    """A file as it was written, and what is to become of its lines."""

    name: str
    source: str
    counts: Counts


class Drops:
    """Writes a source's files. Names sort in the order of delivery, a second delivery behind the first."""

    def __init__(self, plan: Plan, into: Path, source: str) -> None:
        self.written: list[Drop] = []
        self._plan, self._into, self._source = plan, into, source
        self._draw = plan.stream(f"{source} drops")
        self._numbers: Counter[int] = Counter()

    def deliver(self, lines: Lines, day: int) -> None:
        """Writes a day's lines to a file: dirty as planned, sometimes days late, sometimes twice."""
        share = min(self._plan.dirt * _DIRTIER[self._source], 0.5)
        content, counts = soiled(lines, share, self._draw, self._plan.without_address)
        late = self._draw_between(1, 3) if self._one_in(_LATE) and self._source != "customer" else 0
        folder = min(day + late, self._plan.days - 1)
        data, ending = self._encoded(content, lines, counts)
        self._write(day, folder, data, ending, counts)
        if self._plan.dirt and self._one_in(_REDELIVERED):
            self._write(day, min(folder + 1, self._plan.days - 1), data, ending, counts.again())

    def litter(self, day: int) -> None:
        """Files without a single record, on some days."""
        if self._plan.dirt and self._one_in(_EMPTY):
            self._write(day, day, b"", ".json", Counts())
        if self._plan.dirt and self._one_in(_NOT_GZIP) and self._may_lose:
            counts = Counts()
            counts.reject("broken_json", self._source)
            self._write(day, day, b"503 Slow Down\n", ".json.gz", counts)

    @property
    def _may_lose(self) -> bool:
        """Whether there may be lines that are about nobody."""
        return self._source != "customer" or self._plan.without_address

    def _encoded(self, content: pa.BinaryArray, lines: Lines, counts: Counts) -> tuple[bytes | memoryview, str]:
        """A file's bytes and the ending of its name. Counts a line that was cut off."""
        data: bytes | memoryview = _data(content)
        gzip, dirty = self._one_in(_GZIP), self._plan.dirt > 0
        broken = gzip and dirty and self._one_in(_BROKEN_GZIP) and self._may_lose
        if dirty and self._one_in(_CRLF):
            data = bytes(data).replace(b"\n", b"\r\n")
        if broken or (dirty and self._one_in(_CUT)):
            data = bytes(data) + self._cut_off(content, lines, counts, "corrupt_gzip" if broken else "truncated")
        elif dirty and self._one_in(_NO_LAST_ENDING):
            data = bytes(data).rstrip(b"\r\n")
        if dirty and self._one_in(_BYTE_ORDER_MARK):
            data = b"\xef\xbb\xbf" + data
        return (_gzip(data, broken), ".json.gz") if gzip else (data, ".json")

    def _cut_off(self, content: pa.BinaryArray, lines: Lines, counts: Counts, reason: str) -> bytes:
        """The beginning of the last line once more. Of a customer it has the address."""
        last, dice = content[-1].as_py().decode().rstrip("\n"), Dice(self._draw_between(0, 2**62))
        if self._source != "customer":
            counts.reject(reason, self._source)
            return cut(last, dice).encode()
        record = lines.record(len(lines) - 1)
        counts.doubt(record)
        # Of what is left of a gzip file nobody knows what else was in it.
        counts.without_address += reason == "corrupt_gzip"
        return cut(last, dice, after=record.values["email"]).encode()

    def _write(self, day: int, folder: int, data: bytes | memoryview, ending: str, counts: Counts) -> None:
        self._numbers[day] += 1
        made, delivered = (self._plan.start + timedelta(number) for number in (day, folder))
        name = f"{self._source}/{delivered}/{self._source}-{made:%Y%m%d}-{self._numbers[day]:04d}{ending}"
        path = self._into / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.written.append(Drop(name, self._source, counts))

    def _one_in(self, chances: int) -> bool:
        return self._draw_between(1, chances) == 1

    def _draw_between(self, least: int, most: int) -> int:
        return int(self._draw.integers(least, most + 1))


def _data(content: pa.BinaryArray) -> memoryview:
    """All lines one behind the other, which is how they lie in memory already."""
    _, offsets, data = content.buffers()
    within = memoryview(offsets).cast("i")[content.offset : content.offset + len(content) + 1]
    return memoryview(data)[within[0] : within[-1]]


def _gzip(data: bytes | memoryview, broken: bool) -> bytes:
    """Gzip without name and time, so that equal data make equal files. A broken one lacks its end, but no data."""
    header = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
    deflate = zlib.compressobj(1, wbits=-zlib.MAX_WBITS)
    body = deflate.compress(data)
    if broken:
        return header + body + deflate.flush(zlib.Z_SYNC_FLUSH)
    ends = (zlib.crc32(data), len(data) % 2**32)
    return header + body + deflate.flush() + b"".join(end.to_bytes(4, "little") for end in ends)
