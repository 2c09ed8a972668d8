"""The records of Avro files: manifests and manifest lists."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any


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
