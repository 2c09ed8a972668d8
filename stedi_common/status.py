"""The status of the tables, read from their snapshots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import narwhals as nw

from stedi_common.contracts import SOURCES, Contract, contract
from stedi_common.engines.protocol import Engine, Head
from stedi_common.incremental.diff import LastRun, count
from stedi_common.rules.consent import consents
from stedi_common.rules.lineage import JOBS

_LANDING = (*(f"{source}_landing" for source in SOURCES), "rejected_records", "landed_files")


@dataclass(frozen=True)
class TableStatus:
    """The status of a table.

    Attributes:
        table: zone and name.
        rows: how many rows it has.
        committed_at: when its rows were last changed, UTC.
        policy: the policy that it was built with; None without a last run.
        consumed: by source, when the consumed snapshot was committed, UTC; None if it has expired.
        behind: the lag, by source that has changed: how many of its commits are not consumed; None if all of the
            source must be read.
        in_doubt: for customer_landing, how many people have no consent because of a doubtful line; else None.
        without_address: for landed_files, how many customer lines have no known address; else None.
    """

    table: str
    rows: int
    committed_at: datetime
    policy: str | None
    consumed: Mapping[str, datetime | None]
    behind: Mapping[str, int | None]
    in_doubt: int | None = None
    without_address: int | None = None


def tables(engine: Engine) -> list[TableStatus]:
    """The status of every table that exists, upstream first."""
    with engine.cached_lookups():
        return _tables(engine)


def _tables(engine: Engine) -> list[TableStatus]:
    sources = {job.target.name: [source.name for source in job.sources] for job in JOBS.values()}
    heads = {name: engine.head(contract(name)) for name in (*_LANDING, *sources) if engine.exists(contract(name))}
    return [_status(engine, name, [s for s in sources.get(name, ()) if s in heads], heads) for name in heads]


def _status(engine: Engine, name: str, sources: Sequence[str], heads: Mapping[str, Head]) -> TableStatus:
    table, head = contract(name), heads[name]
    last = LastRun.find(engine, table, head, sources)
    consumed = last.sources if last else dict.fromkeys(sources)
    lags = {source: _lag(engine, source, heads[source], consumed[source]) for source in sources}
    return TableStatus(
        table=table.identifier,
        rows=head.rows,
        committed_at=head.committed_at,
        policy=last.summary.build.policy if last else None,
        consumed={source: snapshot.committed_at if snapshot else None for source, snapshot in consumed.items()},
        behind={source: n for source, n in lags.items() if n != 0},
        in_doubt=_in_doubt(engine, table, head) if name == "customer_landing" else None,
        without_address=_without_address(engine, table, head) if name == "landed_files" else None,
    )


def _in_doubt(engine: Engine, customer_landing: Contract, head: Head) -> int:
    people = consents(engine.read(customer_landing, head)).filter(nw.col("current") & nw.col("in_doubt"))
    return count(engine, people)


def _without_address(engine: Engine, landed_files: Contract, head: Head) -> int:
    lines = engine.read(landed_files, head).select(nw.col("without_address").sum())
    return int(engine.collect(lines)[0]["without_address"] or 0)


def _lag(engine: Engine, source: str, head: Head, consumed: Head | None) -> int | None:
    """How many snapshots of the source came after the consumed one; None if that is not known to be an ancestor."""
    for n, snapshot in enumerate(engine.history(contract(source), head)):
        if consumed and snapshot.data_snapshot_id == consumed.data_snapshot_id:
            return n
    return None
