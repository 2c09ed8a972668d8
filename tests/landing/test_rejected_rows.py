"""Of the rejected lines of a file the first ones have a row. All are counted, and no doubt is lost."""

from collections import Counter
from contextlib import ExitStack, contextmanager
from datetime import datetime
from unittest import mock

import pytest
from support import oracle
from support.comparison import expected_tables
from support.drops import at, customer, drop, reading
from support.histories import History
from support.lakes import land, rows, write
from support.oracle import COLUMNS

from stedi_common import landing
from stedi_common.checks.reconcile import differences
from stedi_common.rules.policy import Policy

ROWS = 5
ARRIVED = datetime(2024, 6, 1)
GOOD = reading("a@b.c", at("10:00"))


@contextmanager
def few_rows():
    """Of a file only so many rejected lines have a row, and a block has only a few lines."""
    holders = ("records.blocks", "landing", "landing.drift", "checks.reconcile")
    with ExitStack() as stack:
        for holder in holders:
            stack.enter_context(mock.patch(f"stedi_common.{holder}.MAX_REJECTED_ROWS", ROWS))
        stack.enter_context(mock.patch.object(oracle, "REJECTED_ROWS", ROWS))
        stack.enter_context(mock.patch("stedi_common.records.blocks.BLOCK_BYTES", 100))
        stack.enter_context(mock.patch("stedi_common.records.storage.READ_BYTES", 40))
        yield


def assert_landed_as_the_oracle_says(engine, files, key):
    expected = expected_tables(History((files,), (ARRIVED,)), Policy(), key)
    for table in ("customer_landing", "accelerometer_landing", "rejected_records", "landed_files"):
        assert hashless(rows(engine, table, COLUMNS[table]), table) == hashless(expected[table], table)


def hashless(bag, table):
    """A doubtful line's hash is of its place, which the oracle does not know."""
    hash_at = COLUMNS[table].index("record_hash") if table == "customer_landing" else None
    return Counter(row[:hash_at] + row[hash_at + 1 :] if hash_at else row for row in bag.elements())


def test_the_first_rejected_lines_of_each_file_have_a_row(connect, tmp_path, key):
    engine, junk = connect(tmp_path / "lake"), b"x\n{}\n[1]\n\n"
    files = {
        "accelerometer/many.json": junk * 30 + drop(GOOD) + junk * 30,
        "accelerometer/few.json": junk + drop(GOOD),
        "accelerometer/just.json": b"x\n" * ROWS,
        "accelerometer/long.json": (b"a" * 300 + b"\n") * 9,
    }
    write(tmp_path / "drops", files)
    with few_rows():
        (_, landed, _) = land(engine, tmp_path / "drops", key, ARRIVED)
        assert_landed_as_the_oracle_says(engine, files, key)
        assert differences(engine) == []
    assert [warning for warning in landed.warnings if "rejected" in warning] == [
        "accelerometer/long.json: 9 lines were rejected; rejected_records has the first 5",
        "accelerometer/many.json: 180 lines were rejected; rejected_records has the first 5",
    ]


def test_a_lake_in_which_every_rejected_line_has_a_row_is_whole(connect, tmp_path, key):
    """As landings before 0.3 made it."""
    engine = connect(tmp_path / "lake")
    write(tmp_path / "drops", {"accelerometer/a.json": b"x\n" * 3 * ROWS})
    land(engine, tmp_path / "drops", key, ARRIVED)
    with few_rows():
        assert differences(engine) == []


def test_every_doubtful_line_lands_however_many_lines_are_rejected(connect, tmp_path, key):
    engine = connect(tmp_path / "lake")
    refusals = b"".join(b'x\n{"email":"p%d@b.c"}\n"p%d@b.c" x\n' % (n, n + 100) for n in range(50))
    files = {"customer/a.json": drop(customer("p1@b.c", at("10:00"))) + refusals}
    write(tmp_path / "drops", files)
    with few_rows():
        (landed, *_) = land(engine, tmp_path / "drops", key, ARRIVED)
        assert_landed_as_the_oracle_says(engine, files, key)
    assert (landed.rejected, landed.doubtful) == (50, 100)


def test_a_run_after_a_killed_one_appends_no_other_rows(connect, tmp_path, key):
    engine, files = connect(tmp_path / "lake"), {"accelerometer/a.json": b"x\n" * 400}
    write(tmp_path / "drops", files)
    with few_rows():
        with (
            mock.patch("stedi_common.landing._Landing._append_to_landed_files", side_effect=KeyboardInterrupt),
            pytest.raises(KeyboardInterrupt),
        ):
            landing.land(engine, "accelerometer", str(tmp_path / "drops"), key, ARRIVED)
        land(engine, tmp_path / "drops", key, ARRIVED)
        assert_landed_as_the_oracle_says(engine, files, key)
        assert differences(engine) == []
