"""Which tables without a contract may have rows of people who have withdrawn.

Their rows cannot be classified, because their functions are not known. But as long as all tables that they were made
from are as they were, so are their people: a withdrawal changes `customer_landing`, and its deletion changes every
other table with rows of that person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stedi_common.contracts import contract, names
from stedi_common.engines.protocol import Engine
from stedi_common.engines.storage.unknown_tables import UnknownTable
from stedi_common.errors import StediError
from stedi_common.incremental.summary import consumed


def out_of_date(engine: Engine, tables: Sequence[UnknownTable]) -> set[str]:
    """The names of the computed tables that were made from a table which has changed since, or is not known.

    Args:
        engine: an open lake. Withdrawn rows have been deleted from the tables that have a contract.
        tables: all tables of the lake that have none.
    """
    sources = {table.name: consumed(table.summary) for table in tables if table.zone != "landing"}
    now = {name: _data_snapshot(engine, name) for of in sources.values() for name in of}
    now |= {table.name: table.data_snapshot_id for table in tables}
    found: set[str] = set()
    for _ in sources:  # each time, those that were made from one found before
        found |= {name for name, of in sources.items() if not of or not _is_as_it_was(of, now, found)}
    return found


def _is_as_it_was(sources: Mapping[str, int], now: Mapping[str, int | None], changed: set[str]) -> bool:
    return all(now[name] == snapshot_id and name not in changed for name, snapshot_id in sources.items())


def _data_snapshot(engine: Engine, name: str) -> int | None:
    """The id of the last snapshot of a table with a contract that has changed its rows; None if it is not known."""
    try:
        return engine.head(contract(name)).data_snapshot_id if name in names() else None
    except StediError:
        return None
