"""Which staged records are not appended: duplicates, and those that a killed run has already landed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime

import narwhals as nw

from stedi_common.contracts import Contract
from stedi_common.engines.protocol import Engine, Head, Materialized, Staged
from stedi_common.incremental.diff import days_in
from stedi_common.landing.landed_files import arrivals
from stedi_common.rules.frames import Frame, distinct

PLACE = ["source_file", "source_line"]


@contextmanager
def excluded(  # noqa: PLR0913, PLR0917 - all that two records may be equal by
    engine: Engine,
    staged: Staged,
    table: Contract,
    head: Head,
    earlier: Mapping[str, datetime],
    first_arrival: datetime | None = None,
) -> Iterator[Materialized | None]:
    """The places of records that are not appended: columns source_file, source_line, already_landed. None without any.

    `already_landed` is 1 if the same line of the same version has landed (in a killed run), 0 for a duplicate.
    Fingerprints find the few records that may be equal to others; only those are compared, by their key columns.

    Args:
        engine: an open lake.
        staged: the staged records of the drops.
        table: the landing table.
        head: the snapshot of it to compare with.
        earlier: of files that have landed with other content, when the last version of each arrived.
        first_arrival: when the drops arrived first, if they land as of then: rows that arrived later are of later
            versions. None if the drops arrive now.
    """
    if staged.distinct and not head.rows:
        yield None
        return
    records, landed = staged.records, None
    if head.rows:
        landed = engine.fingerprint(engine.read(table, head, _days(engine, records, table)), table.keys)
    with engine.materialized(_repeated(records, landed)) as repeated:
        if not repeated.rows:
            yield None
            return
        new = _candidates(records, repeated.frame)
        candidates = new.select(*table.keys, *PLACE, nw.lit(1).alias("is_staged"), nw.lit(0).alias("same_version"))
        if landed is not None:
            old = with_version(engine, _candidates(landed, repeated.frame), earlier, first_arrival)
            candidates = nw.concat(
                [old.select(*table.keys, *PLACE, nw.lit(0).alias("is_staged"), "same_version"), candidates]
            )
        with engine.materialized(_later(candidates, table)) as later:
            yield later


def with_version(
    engine: Engine, landed: Frame, earlier: Mapping[str, datetime], first_arrival: datetime | None
) -> Frame:
    """The landed rows, with `same_version`: 0 if they are of another version of their file, else 1."""
    is_other = nw.lit(False) if first_arrival is None else nw.col("arrived_at") > first_arrival
    if earlier:
        landed = landed.join(arrivals(engine, earlier), on="source_file", how="left")
        is_other |= (nw.col("arrived_at") <= nw.col("done_at")).fill_null(False)
    return landed.with_columns(nw.when(is_other).then(nw.lit(0)).otherwise(nw.lit(1)).alias("same_version"))


def _repeated(records: Frame, landed: Frame | None) -> Frame:
    """The fingerprints that occur twice among the records, or among them and what has landed."""
    twice = records.group_by("fingerprint").agg(nw.len().alias("n")).filter(nw.col("n") > 1).select("fingerprint")
    if landed is None:
        return twice
    before = landed.select("fingerprint").join(records.select("fingerprint"), on="fingerprint", how="semi")
    return distinct(nw.concat([twice, before]))


def _later(candidates: Frame, table: Contract) -> Frame:
    """The places of the staged candidates that are not the first with their key."""
    firsts = candidates.unique(list(table.keys), keep="first", order_by=["is_staged", *PLACE]).select(
        "is_staged", *PLACE
    )
    # A doubtful line has a record for each address, all at one place.
    later = distinct(
        candidates.join(firsts, on=["is_staged", *PLACE], how="anti").filter(nw.col("is_staged") == 1).select(*PLACE)
    )
    landed = distinct(candidates.filter((nw.col("is_staged") == 0) & (nw.col("same_version") == 1)).select(*PLACE))
    already_landed = landed.with_columns(nw.lit(1).alias("already_landed"))
    return later.join(already_landed, on=PLACE, how="left").with_columns(nw.col("already_landed").fill_null(0))


def _candidates(rows: Frame, repeated: Frame) -> Frame:
    return rows.join(repeated, on="fingerprint", how="semi")


def _days(engine: Engine, records: Frame, table: Contract) -> list[date] | None:
    """The days on which the records' equals can lie."""
    if table.partition is None:
        return None
    return sorted(days_in(engine, records, table.partition.name))
