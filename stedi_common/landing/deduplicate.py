"""Which of the staged records are not to be added: those equal to others, and those that a run that died had added."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime

import narwhals as nw

from stedi_common.changes import days_in
from stedi_common.contracts import Contract
from stedi_common.engines import Engine, Head, Held, Staged
from stedi_common.frames import Frame, distinct
from stedi_common.landing.ledger import arrivals

PLACE = ["source_file", "source_line"]


@contextmanager
def surplus(
    engine: Engine, staged: Staged, table: Contract, head: Head, earlier: Mapping[str, datetime]
) -> Iterator[Held | None]:
    """The records that are not to be added: columns source_file, source_line and `again`. None if there are none.

    `again` is 1 for a record that this very line has brought before (a run that died), 0 for one equal to another.
    Fingerprints find the few records that may be equal to others; only those are compared, column by column.

    Args:
        engine: an open lake.
        staged: what the drops hold.
        table: the landing table.
        head: the snapshot of it to compare with.
        earlier: of files that have landed with other content, when the last version of each arrived.
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
        new = _suspicious(records, suspects.frame)
        pool = new.select(*table.keys, *PLACE, nw.lit(1).alias("turn"), nw.lit(0).alias("by_this_line"))
        if landed is not None:
            old = _by_this_line(engine, _suspicious(landed, suspects.frame), earlier)
            pool = nw.concat([old.select(*table.keys, *PLACE, nw.lit(0).alias("turn"), "by_this_line"), pool])
        with engine.held(_seconds(pool, table)) as seconds:
            yield seconds


def _by_this_line(engine: Engine, landed: Frame, earlier: Mapping[str, datetime]) -> Frame:
    """The landed records with whether their line, if it is staged now, brought them: not one of an earlier version."""
    if not earlier:
        return landed.with_columns(nw.lit(1).alias("by_this_line"))
    done = arrivals(engine, earlier)
    is_of_earlier = nw.col("arrived_at") <= nw.col("done_at")
    return landed.join(done, on="source_file", how="left").with_columns(
        nw.when(is_of_earlier).then(nw.lit(0)).otherwise(nw.lit(1)).alias("by_this_line")
    )


def _suspects(records: Frame, landed: Frame | None) -> Frame:
    """The fingerprints that occur twice among the records, or among them and what has landed."""
    twice = records.group_by("fingerprint").agg(nw.len().alias("n")).filter(nw.col("n") > 1).select("fingerprint")
    if landed is None:
        return twice
    before = landed.select("fingerprint").join(records.select("fingerprint"), on="fingerprint", how="semi")
    return distinct(nw.concat([twice, before]))


def _seconds(pool: Frame, table: Contract) -> Frame:
    """Of the records in the pool the places of those that are not the first of their kind."""
    firsts = pool.unique(list(table.keys), keep="first", order_by=["turn", *PLACE]).select("turn", *PLACE)
    # A doubtful line has a record for each address, all at one place.
    seconds = distinct(pool.join(firsts, on=["turn", *PLACE], how="anti").filter(nw.col("turn") == 1).select(*PLACE))
    by_this_line = distinct(pool.filter((nw.col("turn") == 0) & (nw.col("by_this_line") == 1)).select(*PLACE))
    again = by_this_line.with_columns(nw.lit(1).alias("again"))
    return seconds.join(again, on=PLACE, how="left").with_columns(nw.col("again").fill_null(0))


def _suspicious(rows: Frame, suspects: Frame) -> Frame:
    return rows.join(suspects, on="fingerprint", how="semi")


def _days(engine: Engine, records: Frame, table: Contract) -> list[date] | None:
    """The days on which the records' equals can lie."""
    if table.partition is None:
        return None
    return sorted(days_in(engine, records, table.partition.name))
