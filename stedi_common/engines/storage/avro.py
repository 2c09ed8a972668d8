"""The records of Avro files: manifests and manifest lists."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

#: What the names of manifests and manifest lists end with.
SUFFIX = ".avro"


class DamagedAvroError(ValueError):
    """The bytes are no Avro file, or a damaged one. The message is the class of the library's error."""


def records(content: bytes) -> Iterator[Any]:
    """The records of an Avro file.

    fastavro checks each length that the file names, so it reads nothing beyond the end of damaged bytes.

    Args:
        content: the bytes of the file.

    Raises:
        DamagedAvroError: the bytes are damaged.
    """
    import fastavro  # noqa: PLC0415 - Glue's jobs have none, and do without

    try:
        yield from fastavro.reader(io.BytesIO(content))
    except MemoryError:
        raise
    except Exception as error:  # damaged bytes may be anything to the library
        raise DamagedAvroError(type(error).__name__) from None


def validated(content: bytes) -> io.BytesIO:
    """The content of a manifest or a manifest list, as a file that PyIceberg can decode.

    PyIceberg's decoder trusts the lengths in a file. Given other bytes it reads whatever is there in memory, and the
    process may crash. fastavro decodes each file before, which takes about a tenth of the time.

    Raises:
        DamagedAvroError: the bytes are damaged.
    """
    for _ in records(content):
        pass
    return io.BytesIO(content)
