"""Write what is held on a person into a folder, for an answer to an access request: JSON, one row on each line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from stedi_common.engines.protocol import Engine
from stedi_common.errors import SubjectError
from stedi_common.subjects.drops import DropLines
from stedi_common.subjects.subject import Subject
from stedi_common.subjects.tables import rows_of, tables

_DROPS = "drops.ndjson"
_BATCH_ROWS = 2**14


def make_folder(folder: Path) -> None:
    """Make the folder, for its owner alone.

    Raises:
        SubjectError: it is there already, or cannot be made.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise SubjectError(
            f"export: expected a new folder, got {folder}, which exists", hint="name one that does not exist"
        ) from None
    except OSError as error:
        raise SubjectError(f"export: expected to make the folder {folder}, got: {error.strerror}") from None


def write_tables(engine: Engine, subject: Subject, folder: Path) -> None:
    """Write a file for each table that has rows about the person: `<zone>.<table>.ndjson`.

    Args:
        engine: an open lake.
        subject: the person.
        folder: the folder of the export.
    """
    for table in tables(engine):
        rows = rows_of(engine, table, engine.head(table), subject)
        if rows is not None:
            for batch in engine.batches(rows, _BATCH_ROWS):
                _append(folder / f"{table.identifier}.ndjson", batch.to_pylist())


def write_lines(drop: DropLines, folder: Path) -> None:
    """Write the lines of a drop that name the person: file, line and text. A line that names others has no text.

    Args:
        drop: the lines.
        folder: the folder of the export.
    """
    _append(
        folder / _DROPS,
        (
            {
                "file": drop.file,
                "line": each.number,
                "text": None if each.names_others else each.content.decode(errors="replace"),
            }
            for each in drop.lines
        ),
    )


def _append(file: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    lines = [f"{json.dumps(row, ensure_ascii=False, default=str)}\n" for row in rows]
    if lines:
        with file.open("a", encoding="utf-8") as to:
            to.writelines(lines)
