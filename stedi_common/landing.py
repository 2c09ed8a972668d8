"""`land`: new drops of one source become rows of its landing table, and every line is accounted for (rule 12).

Three commits, each safe to repeat: the rejected lines, the records, and last `landed_files`, which says that a file is
done. A run that dies in between is repeated by the next one, which finds its own rows and adds only what is missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import Any

import narwhals as nw

from stedi_common import __version__
from stedi_common.changes import days_in
from stedi_common.contracts import Contract, contract
from stedi_common.engines import Engine, Head, Held, Staged, Tally, until_kept
from stedi_common.errors import FileChangedError
from stedi_common.frames import Frame, distinct
from stedi_common.pseudonym import PseudonymKey
from stedi_common.records import Drop, Reader, drops, sha256

REJECTED = contract("rejected_records")
LEDGER = contract("landed_files")

_PLACE = ["source_file", "source_line"]


@dataclass(frozen=True)
class Landed:
    """What became of the new drops of a source. All but `source` and `files` count lines or values."""

    source: str
    files: int
    lines: int = 0
    landed: int = 0
    rejected: int = 0
    duplicate: int = 0
    suppressed: int = 0
    blank: int = 0
    nulled_values: int = 0


def land(engine: Engine, source: str, landing: str, key: PseudonymKey, arrived_at: datetime | None = None) -> Landed:
    """Land the drops of a source that have not landed yet.

    Args:
        engine: an open lake.
        source: one of customer, accelerometer and step_trainer.
        landing: the folder or S3 URI above the sources' folders.
        key: gives rejected lines their hash.
        arrived_at: when the drops arrived, UTC without zone; by default now.

    Raises:
        FileChangedError: a drop that had landed has other content now; nothing lands.
        CommitConflictError: other runs kept committing in between.
    """
    arrived_at = arrived_at or datetime.now(UTC).replace(tzinfo=None)
    reader = Reader(source, arrived_at, key.content_key)
    table = contract(f"{source}_landing")
    found = drops(landing, source)
    for each in (table, REJECTED, LEDGER):
        engine.prepare(each)
    return until_kept(lambda: _land(engine, reader, table, found))


def _land(engine: Engine, reader: Reader, table: Contract, found: Sequence[Drop]) -> Landed:
    # The heads before any reading: what commits after this moment makes this run start over.
    head, ledger_head = engine.head(table), engine.head(LEDGER)
    new = _new(engine, ledger_head, found)
    if not new:
        return Landed(reader.source, files=0)
    summary = {"stedi.version": __version__, "stedi.source": reader.source, "stedi.files": str(len(new))}
    with engine.stage(reader, new, table) as staged, _surplus(engine, staged, table, head) as surplus:
        ledger = _ledger(engine, reader, new, staged.tallies, surplus)
        landed = _totals(reader.source, ledger)
        if landed.rejected:
            _append_missing(engine, REJECTED, staged.rejected, summary, new)
        if surplus is None and landed.landed:
            engine.append_staged(table, staged, head, summary)
        elif surplus is not None and landed.landed + landed.duplicate > surplus.rows:
            engine.append(table, staged.records.join(surplus.frame, on=_PLACE, how="anti"), head, summary)
        _append_missing(engine, LEDGER, engine.frame(LEDGER, ledger), summary, new, lacking=ledger_head)
    return landed


def _append_missing(  # noqa: PLR0913, PLR0917 - an append is all of this
    engine: Engine,
    table: Contract,
    rows: Frame,
    summary: Mapping[str, str],
    of: Sequence[Drop],
    lacking: Head | None = None,
) -> None:
    """Append the rows, which are of these drops, whose key the table does not have yet; at `lacking` it had none.

    The sources share the table, so it is looked at again if it has moved on.
    """
    keys, names = list(table.keys), [drop.name for drop in of]

    def append() -> None:
        head, missing = engine.head(table), rows
        if head.rows and head != lacking:
            # The names skip files that others have filled.
            there = engine.read(table, head).filter(nw.col("source_file").is_in(names)).select(*keys)
            missing = rows.join(there, on=keys, how="anti")
            if not engine.collect(missing.select(*keys).head(1)):
                # A run that died had added them. To commit nothing again would let those after it die here too.
                return
        engine.append(table, missing, head, summary)

    until_kept(append)


def _new(engine: Engine, head: Head, found: Sequence[Drop]) -> list[Drop]:
    """The drops that have not landed. Raises FileChangedError if one that had is not what it was."""
    ledger = engine.read(LEDGER, head).select("source_file", "sha256", "bytes", "modified_at")
    known = {row["source_file"]: row for row in engine.collect(ledger)}
    for drop in found:
        was = known.get(drop.name)
        if was is None or (was["bytes"], was["modified_at"]) == (drop.bytes, drop.modified_at):
            continue
        # Only storage's word for it has changed, unless the content has.
        if was["bytes"] != drop.bytes or was["sha256"] != sha256(drop):
            raise FileChangedError(
                f"landing: expected {drop.name} as it had landed, got other content under the same name",
                hint="drop new records as a new file; what has landed stays",
            )
    return [drop for drop in found if drop.name not in known]


@contextmanager
def _surplus(engine: Engine, staged: Staged, table: Contract, head: Head) -> Iterator[Held | None]:
    """The records that are not to be added: columns source_file, source_line and `again`. None if there are none.

    `again` is 1 for a record that this very line has brought before (a run that died), 0 for one equal to another.
    Fingerprints find the few records that may be equal to others; only those are compared, column by column.
    """
    if staged.distinct and not head.rows:
        yield None
        return
    records, landed = staged.records, None
    if head.rows:
        landed = engine.fingerprint(engine.read(table, head, _days(engine, records, table)), table.keys)
    with engine.held(_suspects(records, landed)) as suspects:
        if not suspects.rows:
            yield None
            return
        pool = _in_turn(records, suspects.frame, table, turn=1)
        if landed is not None:
            pool = nw.concat([_in_turn(landed, suspects.frame, table, turn=0), pool])
        with engine.held(_seconds(pool, table)) as seconds:
            yield seconds


def _suspects(records: Frame, landed: Frame | None) -> Frame:
    """The fingerprints that occur twice among the records, or among them and what has landed."""
    twice = records.group_by("fingerprint").agg(nw.len().alias("n")).filter(nw.col("n") > 1).select("fingerprint")
    if landed is None:
        return twice
    before = landed.select("fingerprint").join(records.select("fingerprint"), on="fingerprint", how="semi")
    return distinct(nw.concat([twice, before]))


def _seconds(pool: Frame, table: Contract) -> Frame:
    """Of the records in the pool those that are not the first of their kind."""
    firsts = pool.unique(list(table.keys), keep="first", order_by=["turn", *_PLACE]).select("turn", *_PLACE)
    seconds = pool.join(firsts, on=["turn", *_PLACE], how="anti").filter(nw.col("turn") == 1).select(*_PLACE)
    again = distinct(pool.filter(nw.col("turn") == 0).select(*_PLACE)).with_columns(nw.lit(1).alias("again"))
    return seconds.join(again, on=_PLACE, how="left").with_columns(nw.col("again").fill_null(0))


def _in_turn(rows: Frame, suspects: Frame, table: Contract, turn: int) -> Frame:
    suspicious = rows.join(suspects, on="fingerprint", how="semi")
    return suspicious.select(*table.keys, *_PLACE, nw.lit(turn).alias("turn"))


def _days(engine: Engine, records: Frame, table: Contract) -> list[date] | None:
    """The days on which the records' equals can lie."""
    if table.partition is None:
        return None
    return sorted(days_in(engine, records, table.partition.name))


def _ledger(
    engine: Engine, reader: Reader, new: Sequence[Drop], tallies: Mapping[str, Tally], surplus: Held | None
) -> list[dict[str, Any]]:
    """A row of `landed_files` for each new drop."""
    duplicates = _duplicates(engine, surplus.frame) if surplus else {}
    return [_entry(reader, drop, tallies[drop.name], duplicates.get(drop.name, 0)) for drop in new]


def _entry(reader: Reader, drop: Drop, tally: Tally, duplicate: int) -> dict[str, Any]:
    return asdict(tally) | {
        "source": reader.source,
        "source_file": drop.name,
        "bytes": drop.bytes,
        "modified_at": drop.modified_at,
        "landed": tally.lines - tally.rejected - tally.blank - duplicate,
        "duplicate": duplicate,
        "suppressed": 0,
        "arrived_at": reader.arrived_at,
    }


def _duplicates(engine: Engine, surplus: Frame) -> dict[str, int]:
    """How many records of each file are equal to another that landed before."""
    rows = surplus.filter(nw.col("again") == 0).group_by("source_file").agg(nw.len().alias("n"))
    return {row["source_file"]: int(row["n"]) for row in engine.collect(rows)}


def _totals(source: str, ledger: list[dict[str, Any]]) -> Landed:
    counts = ("lines", "landed", "rejected", "duplicate", "suppressed", "blank", "nulled_values")
    return Landed(source, files=len(ledger), **{name: sum(row[name] for row in ledger) for name in counts})
