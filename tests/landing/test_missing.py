"""A landed customer line that is missing may be a withdrawal: the computed tables are empty until it is there."""

from types import NoneType

import narwhals as nw
import pytest
from support.damages import files_of
from support.lakes import SLOW_ON_SPARK, rows, run
from support.withdrawals import ANN, ANN_WITHDRAWS, BOB, CONSENTING, WHOSE, dropped

from stedi_common.contracts import contract
from stedi_common.errors import DamagedFileError, MissingLinesError
from stedi_common.landing.landed_files import LANDED_FILES
from stedi_common.landing.missing import expect_no_missing_lines
from stedi_common.rules.policy import Policy
from stedi_common.runs.run_all import run_all, tasks
from stedi_common.runs.settings import RunSettings

CUSTOMERS = contract("customer_landing")


def lose(engine, who: str) -> None:
    """The customer records of somebody, as if the commit were lost."""
    head = engine.head(CUSTOMERS)
    engine.replace(CUSTOMERS, engine.read(CUSTOMERS, head).filter(nw.col("email") != who), head, {})


@SLOW_ON_SPARK
def test_no_table_is_computed_and_withdrawn_rows_are_deleted(engine, tmp_path, key):
    dropped(engine, tmp_path, key, CONSENTING, ANN_WITHDRAWS)
    expect_no_missing_lines(engine)
    lose(engine, BOB)
    done = list(run_all(engine, RunSettings(Policy(), key), tasks()))
    assert [each.task.job for each in done] == ["remove_withdrawn", "find_unread", "find_missing"]
    assert isinstance(done[-1].error, MissingLinesError)
    assert ANN not in {who for (who,) in rows(engine, "customer_trusted", ["email"])}


@SLOW_ON_SPARK
def test_the_tables_stay_empty_until_all_lines_have_landed(engine, tmp_path, key):
    """What is missing is Ann's withdrawal, which no run has consumed."""
    dropped(engine, tmp_path, key, CONSENTING, ANN_WITHDRAWS)
    head = engine.head(CUSTOMERS)
    is_lost = nw.col("source_file") == "customer/second.json"
    engine.replace(CUSTOMERS, engine.read(CUSTOMERS, head).filter(~is_lost), head, {})
    done = list(run_all(engine, RunSettings(Policy(), key), tasks()))
    assert isinstance(done[-1].error, MissingLinesError)
    assert not any(rows(engine, table) for table in WHOSE)
    engine.append(CUSTOMERS, engine.read(CUSTOMERS, head).filter(is_lost), engine.head(CUSTOMERS), {})
    run(engine, Policy(), key)
    assert rows(engine, "customer_trusted", ["email"]) == {(BOB,): 1}


@SLOW_ON_SPARK
def test_no_table_is_computed_if_nobody_can_tell_what_has_landed(connect, tmp_path, key):
    dropped(connect(tmp_path / "lake"), tmp_path, key, CONSENTING, ANN_WITHDRAWS)
    for metadata in files_of(tmp_path / "lake", LANDED_FILES)["metadata"]:
        metadata.unlink()
    engine = connect(tmp_path / "lake")
    done = list(run_all(engine, RunSettings(Policy(), key), tasks()))
    assert [(each.task.job, type(each.error)) for each in done] == [
        ("remove_withdrawn", NoneType),
        ("find_unread", DamagedFileError),
        ("find_missing", DamagedFileError),
    ]
    assert ANN not in {who for (who,) in rows(engine, "customer_trusted", ["email"])}


def test_records_that_are_all_gone_are_missing(engine, tmp_path, key):
    dropped(engine, tmp_path, key, CONSENTING)
    head = engine.head(CUSTOMERS)
    engine.replace(CUSTOMERS, engine.frame(CUSTOMERS, []), head, {})
    with pytest.raises(MissingLinesError, match="each of 2 lines that have landed, got 0"):
        expect_no_missing_lines(engine)


def test_a_line_with_several_rows_is_not_missed(engine, tmp_path, key):
    doubtful = b'{"email": "ann@example.org" "bob@example.org"\n'
    dropped(engine, tmp_path, key, CONSENTING | {"customer/doubtful.json": doubtful})
    expect_no_missing_lines(engine)
