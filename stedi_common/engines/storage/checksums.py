"""Checksums of the files of a local lake, so that `stedi check` finds a byte that has changed.

A data file that the embedded engine writes has the CRC-32 of its bytes in its name. PyIceberg names the metadata, so
their checksums are in `.name.crc` beside them, as those of all files of Spark are.
"""

from __future__ import annotations

import re
import zlib
from itertools import count
from pathlib import Path

#: How the name of a data file ends that has a checksum in it.
_NAMED = re.compile(r"-crc32-([0-9a-f]{8})\.parquet$")
#: So many bytes are read at once.
_BLOCK_BYTES = 2**20
#: So many bytes of metadata have a checksum.
_SUM_BYTES = 2**16
#: What Hadoop's checksum files begin with. Then comes how many bytes each checksum is of, in four bytes.
_MAGIC = b"crc\0"


def checksum(file: Path) -> str:
    """The CRC-32 of the bytes of the file, as eight digits."""
    sum_ = 0
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK_BYTES):
            sum_ = zlib.crc32(block, sum_)
    return f"{sum_:08x}"


def name_with_checksum(file: Path) -> str:
    """A name for the Parquet file that has its checksum in it."""
    return f"{file.stem}-crc32-{checksum(file)}.parquet"


def is_as_written(file: Path) -> bool | None:
    """Whether the bytes of the file are those that were written; None if it has no checksum.

    Raises:
        OSError: the file cannot be read.
    """
    if named := _NAMED.search(file.name):
        return checksum(file) == named[1]
    try:
        sums = sidecar(file).read_bytes()
    except OSError:
        return None
    return _has_checksums(file, sums)


def sidecar(file: Path) -> Path:
    """The file with the checksums of a file, if it has one."""
    return file.with_name(f".{file.name}.crc")


def write_sidecar(file: Path, content: bytes) -> None:
    """Write the checksums of a file beside it."""
    sums = (zlib.crc32(content[at : at + _SUM_BYTES]) for at in range(0, len(content), _SUM_BYTES))
    told = _MAGIC + _SUM_BYTES.to_bytes(4, "big") + b"".join(each.to_bytes(4, "big") for each in sums)
    sidecar(file).write_bytes(told)


def _has_checksums(file: Path, sums: bytes) -> bool | None:
    """Whether the file has Hadoop's checksums; None if they are none, so that they may be what is damaged."""
    block_bytes = int.from_bytes(sums[4:8], "big")
    if not sums.startswith(_MAGIC) or not block_bytes:
        return None
    with file.open("rb") as opened:
        for start in count(8, 4):
            block = opened.read(block_bytes)
            if not block:
                return start >= len(sums)
            if zlib.crc32(block).to_bytes(4, "big") != sums[start : start + 4]:
                return False
    return True
