"""The state of the lake, as its own snapshots tell it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stedi_common.contracts import SOURCES, contract
from stedi_common.engines import Engine
from stedi_common.pipeline import JOBS

_LANDING = (*(f"{source}_landing" for source in SOURCES), "rejected_records", "landed_files")


@dataclass(frozen=True)
class TableStatus:
    """A table: its rows, its last commit, the policy it was built under, and the sources that have moved on since."""

    table: str
    rows: int
    committed_at: datetime
    policy: str | None
    behind: tuple[str, ...]


def tables(engine: Engine) -> list[TableStatus]:
    """The status of every table that is there, upstream first."""
    sources = {job.target.name: job.sources for job in JOBS.values()}
    heads = {name: engine.head(contract(name)) for name in (*_LANDING, *sources) if engine.exists(contract(name))}
    return [
        TableStatus(
            table=contract(name).identifier,
            rows=head.rows,
            committed_at=head.committed_at,
            policy=head.summary.get("stedi.policy"),
            behind=tuple(
                source.name
                for source in sources.get(name, ())
                if source.name in heads
                and head.summary.get(f"stedi.source.{source.name}") != str(heads[source.name].written_id)
            ),
        )
        for name, head in heads.items()
    ]
