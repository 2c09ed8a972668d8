"""Which tables without a contract may have rows of people who have withdrawn.

Their rows cannot be classified, because their functions are not known. But as long as all tables that they were built
from are as they were, so are their people: a withdrawal changes `customer_landing`, and its deletion changes every
other table with rows of that person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter

from stedi_common.contracts import contract, names
from stedi_common.engines.protocol import Engine
from stedi_common.engines.storage.unknown_tables import UnknownTable
from stedi_common.errors import StediError
from stedi_common.incremental.summary import consumed

_name = attrgetter("name")


def out_of_date(engine: Engine, tables: Sequence[UnknownTable]) -> list[UnknownTable]:
    """The trusted and curated ones that were built from a table which has changed since, or is not known.

    Args:
        engine: an open lake. Withdrawn rows have been deleted from the tables that have a contract.
        tables: all tables of the lake that have none.
    """
    computed = [table for table in tables if table.zone != "landing"]
    now = {name: _data_snapshot(engine, name) for table in computed for name in consumed(table.summary)}
    for name, of in groupby(sorted(tables, key=_name), key=_name):
        ids = [table.data_snapshot_id for table in of]
        now[name] = ids[0] if len(ids) == 1 else None  # zones may have tables of one name
    found: list[UnknownTable] = []
    for _ in computed:  # each time, those that were built from one found before
        now |= dict.fromkeys(map(_name, found))
        found = [table for table in computed if not _is_up_to_date(table, now)]
    return found


def _is_up_to_date(table: UnknownTable, now: Mapping[str, int | None]) -> bool:
    sources = consumed(table.summary)
    return bool(sources) and all(now[name] == snapshot_id for name, snapshot_id in sources.items())


def _data_snapshot(engine: Engine, name: str) -> int | None:
    """The id of the last snapshot of a table with a contract that has changed its rows; None if it is not known."""
    try:
        return engine.head(contract(name)).data_snapshot_id if name in names() else None
    except StediError:
        return None
