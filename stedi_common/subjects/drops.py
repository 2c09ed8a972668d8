"""The lines of the drops that name a person, whatever became of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from stedi_common.errors import LakeError
from stedi_common.instants import utc_now
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.records import Drop, Found, NamedLine, Reader, Search, search
from stedi_common.records.names import UNREADABLE
from stedi_common.settings import ReaderSettings
from stedi_common.subjects.subject import Subject
from stedi_common.subjects.tables import is_named

Around = Callable[[str], AbstractContextManager[object]]


@dataclass(frozen=True)
class DropLines:
    """The lines of a drop that name a person.

    Attributes:
        file: the drop, as a path below the landing folder.
        lines: the lines.
        is_named: whether the name of the file has the address of the person.
        unexamined: why the file, or a line of it, could not be examined whole: reason codes.
    """

    file: str
    lines: Sequence[NamedLine] = ()
    is_named: bool = False
    unexamined: Sequence[str] = ()

    def public(self) -> dict[str, Any]:
        """The fields as JSON has them, with the numbers of the lines and not with their content."""
        return {
            "file": self.file,
            "lines": [each.number for each in self.lines],
            "is_named": self.is_named,
            "unexamined": list(self.unexamined),
        }


def lines_about(
    subject: Subject,
    found: Found,
    key: PseudonymKey,
    settings: ReaderSettings,
    around: Around = lambda _: nullcontext(),
) -> Iterator[DropLines]:
    """Find the lines of all drops that name the person. All drops are read.

    Args:
        subject: the person.
        found: the files below the landing folder.
        key: the pseudonym key.
        settings: limits and time zones.
        around: makes the context in which the drops of a source are read, for progress.

    Yields:
        For each drop that has such lines, or whose name has the address, or that could not be examined whole.
    """
    for source, drops in found.drops.items():
        reader = Reader(source, utc_now(), key.content_key, settings)
        with around(f"drops of {source}"):
            each_found = [_of_drop(reader, drop, subject) for drop in drops]
        yield from (each for each in each_found if each.lines or each.is_named or each.unexamined)
    for skipped in found.skipped:
        yield DropLines(skipped.name, (), is_named(skipped.name, subject), (skipped.reason,))


def _of_drop(reader: Reader, drop: Drop, subject: Subject) -> DropLines:
    names = subject.names_in(reader.source)
    named = is_named(drop.name, subject)
    try:
        found = search(reader, drop, names) if names else Search()
    except LakeError:
        return DropLines(drop.name, (), named, (UNREADABLE,))
    return DropLines(drop.name, found.lines, named, sorted({each.reason for each in found.unexamined}))
