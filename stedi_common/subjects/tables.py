"""The rows of the tables that are about a person, now and in older snapshots."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from urllib.parse import unquote

import narwhals as nw

from stedi_common.contracts import ZONES, Contract, contract, names
from stedi_common.engines.protocol import Engine, Head
from stedi_common.incremental.diff import count
from stedi_common.incremental.plan import person_column
from stedi_common.rules.frames import Frame, distinct
from stedi_common.subjects.subject import Subject

#: In tables about files: a person is in the row if the name of the file has their address.
_FILE = "source_file"


@dataclass(frozen=True)
class TableRows:
    """How many rows of a table are about a person.

    Attributes:
        table: zone and name.
        column: the column that says whose row it is; None if the table has none, so that nobody can tell.
        rows: how many rows there are now.
        older_snapshots: how many older snapshots that are kept have rows about the person.
    """

    table: str
    column: str | None
    rows: int
    older_snapshots: int


def rows_in_tables(engine: Engine, subject: Subject) -> Iterator[TableRows]:
    """How many rows of each table that exists are about the person, by zone.

    Args:
        engine: an open lake.
        subject: the person.
    """
    for table in tables(engine):
        head = engine.head(table)
        # Compaction and other commits that change no row have the rows of the snapshot before.
        older = {each.data_snapshot_id: each for each in engine.history(table, head)}
        older.pop(head.data_snapshot_id, None)
        with_rows = sum(1 for each in older.values() if _count(engine, table, each, subject))
        rows = _count(engine, table, head, subject)
        yield TableRows(table.identifier, _column(table), rows, with_rows)


def current_rows(engine: Engine, subject: Subject, zones: Collection[str]) -> dict[str, int]:
    """How many rows there are about the person now, by table, of those tables of these zones that have any.

    Args:
        engine: an open lake.
        subject: the person.
        zones: the names of the zones.
    """
    chosen = [table for table in tables(engine) if table.zone in zones]
    rows = {table.identifier: _count(engine, table, engine.head(table), subject) for table in chosen}
    return {table: number for table, number in rows.items() if number}


def tables(engine: Engine) -> Iterator[Contract]:
    """The tables that exist, by zone."""
    by_zone = sorted(map(contract, names()), key=lambda table: ZONES.index(table.zone))
    return (table for table in by_zone if engine.exists(table))


def rows_of(engine: Engine, table: Contract, head: Head, subject: Subject) -> Frame | None:
    """The rows of a snapshot that are about the person. None if the table has no column that says whose row it is.

    Args:
        engine: an open lake.
        table: the contract of the table.
        head: the snapshot.
        subject: the person.
    """
    column = _column(table)
    if column is None:
        return None
    rows = engine.read(table, head)
    if column == _FILE:
        files = (row[_FILE] for row in engine.collect(distinct(rows.select(_FILE))))
        values = [file for file in files if is_named(file, subject)]
    else:
        values = _values_in(column, subject)
    return rows.filter(nw.col(column).is_in(values)) if values else rows.head(0)


def is_named(file: str, subject: Subject) -> bool:
    """Whether the name of a file has the address of the person."""
    return subject.address is not None and subject.address in unquote(file).casefold()


def _column(table: Contract) -> str | None:
    return person_column(table) or (_FILE if _FILE in table.names else None)


def _count(engine: Engine, table: Contract, head: Head, subject: Subject) -> int:
    rows = rows_of(engine, table, head, subject) if head.rows else None
    return 0 if rows is None else count(engine, rows)


def _values_in(column: str, subject: Subject) -> list[str]:
    """The values that the column has in the rows about the person."""
    if column == "serialnumber":
        return list(subject.devices)
    if column == "pseudonym":
        return [subject.pseudonym]
    return [subject.address] if subject.address else []
