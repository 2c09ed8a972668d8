"""Blocks whose lines are all equal. A hostile file may have hundreds of millions of them, so only some are read."""

from __future__ import annotations

from dataclasses import dataclass, replace

from stedi_common.records.blocks import Block
from stedi_common.records.tally import Tally

#: Of such a block so many bytes are read, and so many lines at least. Three show whether an object goes over lines.
BYTES_READ, LINES_READ = 2**14, 16


@dataclass(frozen=True)
class Repetition:
    """A block whose lines are all equal.

    Attributes:
        some: its first lines.
        some_lines: how many these are.
        lines: how many it has.
    """

    some: Block
    some_lines: int
    lines: int

    def tally(self, of_some: Tally) -> Tally:
        """The tally of the whole block, from that of its first lines."""
        last = self.some.line + self.lines - 1
        scaled = of_some.scaled(self.some_lines, self.lines)
        return replace(scaled, open_after={last} if of_some.open_after else set())


def repetition(block: Block) -> Repetition | None:
    """The block as a repetition; None if its lines are not all equal, are few, or each may hold several objects."""
    line = block.data[: block.data.find(b"\n") + 1]
    if not line or not block.data.startswith(line * LINES_READ) or line.count(b"{") > 1:
        return None
    some_lines = max(BYTES_READ // len(line), LINES_READ)
    lines, rest = divmod(len(block.data), len(line))
    if rest or lines <= some_lines or block.data != line * lines:
        return None
    return Repetition(block._replace(data=line * some_lines), some_lines, lines)
