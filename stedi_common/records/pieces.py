"""A block in pieces of a bounded number of lines."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from stedi_common.records import fast
from stedi_common.records.blocks import Block

#: A block with more lines is read in pieces, which bounds the memory.
MAX_LINES = 2**17

_LINE_FEED = ord("\n")

Numbers = npt.NDArray[np.int64]
#: Lines that follow one another: the number of the first, from 0; where they begin and end in the data; how many known
#: objects are before them; whether they are one line.
LineRun = tuple[int, int, int, int, bool]


class Piece:
    """Some lines of a block, and which of them are known to be objects.

    Args:
        block: the lines.
        starts: where each line begins, and the end of the last.

    Attributes:
        is_object: which lines are known to be one object each.
    """

    def __init__(self, block: Block, starts: fast.Offsets) -> None:
        self.block = block
        self.starts = starts
        self.is_object = np.zeros(len(starts) - 1, np.bool_)

    def lines_at(self, numbers: Numbers) -> pa.Array:
        """Some lines with their endings."""
        lines = fast.lines_of(self.block.data, self.starts)
        return lines if len(numbers) == len(lines) else lines.take(pa.array(numbers))

    def runs(self, numbers: Numbers, is_alone: fast.Mask) -> Iterator[LineRun]:
        """Lines that are no known objects, some at a time.

        Args:
            numbers: those of the lines, from 0 and in order.
            is_alone: which of them are in no run with others. No run goes over a known object.
        """
        before = np.cumsum(self.is_object, dtype=np.int64)[numbers]
        begins = np.ones(len(numbers), np.bool_)
        begins[1:] = is_alone[1:] | is_alone[:-1] | (before[1:] != before[:-1])
        first = np.flatnonzero(begins)
        last = np.append(first[1:], len(numbers))[: len(first)] - 1
        fields = (numbers[first], self.starts[numbers[first]], self.starts[numbers[last] + 1], before[first])
        return zip(*(each.tolist() for each in fields), is_alone[first].tolist(), strict=True)


def pieces(block: Block) -> Iterator[Piece]:
    """The block in pieces that do not have too many lines."""
    waiting = [block]
    while waiting:
        piece = waiting.pop()
        is_end = np.frombuffer(piece.data, np.uint8) == _LINE_FEED
        if np.count_nonzero(is_end) > MAX_LINES:
            waiting += reversed(_halves(piece))
        else:
            yield Piece(piece, _line_starts(is_end))


def _halves(block: Block) -> tuple[Block, Block]:
    """The block in two, each of whole lines."""
    middle = (block.data.rfind(b"\n", 0, len(block.data) // 2) + 1) or block.data.find(b"\n") + 1
    first, second = block.data[:middle], block.data[middle:]
    return block._replace(data=first), block._replace(data=second, line=block.line + first.count(b"\n"))


def _line_starts(is_end: fast.Mask) -> fast.Offsets:
    """Where each line begins, and the end of the last. `is_end`: which bytes are line feeds."""
    ends = np.flatnonzero(is_end) + 1
    if not is_end[-1]:
        ends = np.append(ends, len(is_end))
    return np.concatenate(([0], ends))
