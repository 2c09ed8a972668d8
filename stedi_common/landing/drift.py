"""Schema drift: a column that no line of a file has, though earlier files had it or a key resembles it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from stedi_common.landing.landed_files import LandedFiles
from stedi_common.records import MAX_REJECTED_ROWS, shown
from stedi_common.rules.consent import CONSENT


def cut_short(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """A sentence for each file of which more lines were rejected than `rejected_records` keeps."""
    for row in rows:
        if row["rejected"] > MAX_REJECTED_ROWS:
            yield (
                f"{shown(row['source_file'])}: {row['rejected']:,} lines were rejected; rejected_records has the first "
                f"{MAX_REJECTED_ROWS:,}"
            )


def warnings_about(rows: Iterable[Mapping[str, Any]], landed_files: LandedFiles) -> Iterator[str]:
    """A sentence for each column that a file lacks, though earlier files had it or a key of the file resembles it.

    Args:
        rows: rows of `landed_files`, of files that have just been read.
        landed_files: the files that had landed before.
    """
    for row in rows:
        if row["lines"] == row["blank"] + row["rejected"]:
            continue
        keys = json.loads(row["unknown_keys"])
        for column in row["absent_columns"].split():
            alike = [key for key in keys if _letters(key) == column]
            if alike or landed_files.once_had(row["source"], column):
                yield _sentence(row, column, alike)


def _sentence(row: Mapping[str, Any], column: str, alike: list[str]) -> str:
    sentence = f"{shown(row['source_file'])}: expected the column {column}, got no line with it"
    if alike:
        sentence += f"; did the key become {shown(alike[0])}?"
    if column == CONSENT:
        sentence += "; so no record in the file gives consent"
    return sentence


def _letters(key: str) -> str:
    return "".join(filter(str.isalnum, key)).lower()
