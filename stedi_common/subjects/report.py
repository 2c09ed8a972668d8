"""What a lake and its drops hold on a person: for an access request, and to see what an erasure would touch."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import narwhals as nw

from stedi_common.contracts import contract
from stedi_common.engines.protocol import Engine
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.records import Found
from stedi_common.settings import ReaderSettings
from stedi_common.subjects import export
from stedi_common.subjects.drops import Around, DropLines, lines_about
from stedi_common.subjects.subject import Subject
from stedi_common.subjects.tables import TableRows, rows_in_tables

_REJECTED = contract("rejected_records")


@dataclass(frozen=True)
class Report:
    """What is held on a person.

    Attributes:
        subject: the person.
        tables: how many rows of each table are about the person.
        drops: the drops that name the person, or could not be examined whole; None if they were not searched.
        rejected: how many rows of `rejected_records` are about lines that name the person; None likewise.
    """

    subject: Subject
    tables: Sequence[TableRows]
    drops: Sequence[DropLines] | None = None
    rejected: int | None = None

    @property
    def unexamined(self) -> int:
        """How many drops could not be examined whole."""
        return sum(1 for each in self.drops or () if each.unexamined)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found. Something may be in what could not be examined."""
        in_drops = any(each.lines or each.is_named for each in self.drops or ())
        return not in_drops and not any(each.rows or each.older_snapshots for each in self.tables)

    def public(self) -> dict[str, Any]:
        """The report as JSON has it."""
        return {
            "subject": asdict(self.subject),
            "tables": [asdict(each) for each in self.tables],
            "drops": None if self.drops is None else [each.public() for each in self.drops],
            "rejected": self.rejected,
        }


def report(  # noqa: PLR0913 - what a report is made of
    engine: Engine,
    subject: Subject,
    key: PseudonymKey,
    found: Found | None,
    settings: ReaderSettings,
    *,
    folder: Path | None = None,
    around: Around = lambda _: nullcontext(),
) -> Report:
    """Find what is held on a person.

    Args:
        engine: an open lake.
        subject: the person.
        key: the pseudonym key of the lake.
        found: the files below the landing folder; None to search no drop.
        settings: limits and time zones of the reader.
        folder: an empty folder into which rows and lines are written; None to write none.
        around: makes the context in which a part of the search runs, for progress.
    """
    with around("tables"):
        tables = list(rows_in_tables(engine, subject))
        if folder:
            export.write_tables(engine, subject, folder)
    if found is None:
        return Report(subject, tables)
    drops = list(lines_about(subject, found, key, settings, around))
    if folder:
        for each in drops:
            export.write_lines(each, folder)
    return Report(subject, tables, drops, _rejected(engine, drops))


def _rejected(engine: Engine, drops: Sequence[DropLines]) -> int:
    """How many rejected lines among these lines have a row."""
    lines = {(each.file, line.number) for each in drops for line in each.lines}
    if not lines or not engine.exists(_REJECTED):
        return 0
    rows = engine.read(_REJECTED, engine.head(_REJECTED)).select("source_file", "source_line")
    of_files = engine.collect(rows.filter(nw.col("source_file").is_in(sorted({file for file, _ in lines}))))
    return sum(1 for row in of_files if (row["source_file"], row["source_line"]) in lines)
