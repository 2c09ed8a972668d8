"""64-bit fingerprints of records, made where lines are read: equal records have equal ones."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from hashlib import blake2b

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

SCHEMA = pa.schema([("fingerprint", pa.int64())])

Words = NDArray[np.uint64]

#: Multiplying by it spreads a difference over the upper bits: 2 to the 64 divided by the golden ratio.
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_HALF = np.uint64(32)


def of(records: pa.RecordBatch, keys: Sequence[str]) -> pa.RecordBatch:
    """One fingerprint for each record, of the values in the key columns."""
    mixed = np.zeros(len(records), np.uint64)
    for key in keys:
        mixed = (mixed ^ _words(records.column(key))) * _SPREAD
        mixed ^= mixed >> _HALF
    return pa.RecordBatch.from_arrays([pa.array(mixed.view(np.int64))], schema=SCHEMA)


def are_distinct(values: NDArray[np.int64]) -> bool:
    """Whether no two are equal."""
    ordered = np.sort(values)
    return not bool((ordered[1:] == ordered[:-1]).any())


def _words(values: pa.Array) -> Words:
    """The values as 64-bit words."""
    if pa.types.is_string(values.type):
        encoded = values.dictionary_encode()
        texts = np.array([_digest(text.as_py()) for text in encoded.dictionary] + [0], np.uint64)
        indices: NDArray[np.int32] = encoded.indices.fill_null(len(texts) - 1).to_numpy()
        return texts[indices]
    if pa.types.is_floating(values.type):
        # Zero has two signs and is one value.
        values = pc.add(values, 0.0).view(pa.int64())
    elif values.type.bit_width == 32:
        values = values.view(pa.int32()).cast(pa.int64())
    words: Words = values.view(pa.int64()).fill_null(0).to_numpy().view(np.uint64)
    return words


@lru_cache(maxsize=2**16)
def _digest(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little")
