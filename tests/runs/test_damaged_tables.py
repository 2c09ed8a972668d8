"""Withdrawn rows are deleted whatever file of a table is lost or damaged; a table that cannot be read is emptied."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from itertools import product
from pathlib import Path

import duckdb
import pytest
from support.comparison import Bag, actual_tables, expected_tables, snapshot_ids
from support.drops import customer, landing
from support.histories import History
from support.lakes import SLOW_ON_SPARK, opening, rows, run, table_of
from support.withdrawals import ANN, ANN_WITHDRAWS, ARRIVAL, BOB, CONSENTING, DAYS, FIRST, WHOSE, dropped, whose

from stedi_common.contracts import Contract, contract
from stedi_common.engines.embedded.recovery import recover
from stedi_common.engines.embedded.session import redact
from stedi_common.errors import CommitConflictError, DamagedFileError, LakeError, StediError
from stedi_common.lake import Lake, local_path
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.policy import Policy
from stedi_common.runs import withdrawals

LANDED = ("customer_landing", "accelerometer_landing", "step_trainer_landing")
#: Files of a table, from its catalog entry to its rows.
FILES = ("metadata", "manifest list", "manifest", "data")
SOME = ("customer_landing", "customers_curated", "machine_learning_curated")
#: Tables whose rows have an instant.
TIMED = ("machine_learning_curated", "step_trainer_trusted", "accelerometer_trusted")
EMBEDDED = pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)


def files(lake: Path, of: Contract, kind: str) -> Iterator[Path]:
    """The files of this kind that the head of the table needs."""
    table = table_of(lake, of)
    snapshot = table.current_snapshot()
    assert snapshot
    manifests = snapshot.manifests(table.io)
    found = {
        "metadata": [table.metadata_location],
        "manifest list": [snapshot.manifest_list],
        "manifest": [manifest.manifest_path for manifest in manifests],
        "data": [e.data_file.file_path for m in manifests for e in m.fetch_manifest_entry(table.io)],
    }[kind]
    yield from map(local_path, found)


def remove(file: Path) -> None:
    file.unlink()


def truncate(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def overwrite(file: Path) -> None:
    file.write_bytes(b"\x00" * file.stat().st_size)


def damage(lake: Path, table: str, kind: str, how) -> None:
    for file in files(lake, contract(table), kind):
        file.with_name(f".{file.name}.crc").unlink(missing_ok=True)
        how(file)


def left(engine, table: str) -> Bag:
    """How many rows everybody has in a table that can be read."""
    with suppress(Exception):
        return rows(engine, table, (WHOSE[table],))
    return Bag()


#: Some in `make test`, all in `make test-long`.
CASES = [
    pytest.param(
        (table, kind, how),
        id=f"{table}-{kind}-{how.__name__}",
        marks=() if how is remove and table in SOME else pytest.mark.long,
    )
    for table, kind, how in product((*WHOSE, *LANDED), FILES, (remove, truncate, overwrite))
]


@pytest.fixture(scope="module")
def made(engine_name, tmp_path_factory, key) -> Path:
    """A lake in which Ann's withdrawal has landed, and no run has consumed it; and a copy of it."""
    folder = tmp_path_factory.mktemp(engine_name)
    with opening() as connect_to:
        engine = connect_to(engine_name, folder / "lake")
        dropped(engine, folder, key, CONSENTING, ANN_WITHDRAWS)
    shutil.copytree(folder / "lake", folder / "kept")
    return folder


@pytest.fixture
def lake(made) -> Path:
    """The lake as it was made."""
    shutil.rmtree(made / "lake")
    shutil.copytree(made / "kept", made / "lake")
    return made / "lake"


@pytest.mark.rule(13)
@pytest.mark.parametrize("damaged", CASES)
@SLOW_ON_SPARK
def test_nobody_who_has_withdrawn_can_be_read(connect, lake, key, damaged):
    table, kind, how = damaged
    damage(lake, table, kind, how)
    engine = connect(lake)
    with suppress(StediError):
        withdrawals.delete_withdrawn(engine, Policy(), key)
    anns = whose(key, ANN, "sn-1")
    assert {each: left(engine, each)[(anns[each],)] for each in WHOSE} == dict.fromkeys(WHOSE, 0)
    if table != "customer_landing":
        bobs = whose(key, BOB, "sn-2")
        assert all(left(engine, each)[(bobs[each],)] for each in WHOSE if each != table)


@pytest.mark.parametrize("how", [remove, truncate])
@pytest.mark.parametrize("table", WHOSE)
@SLOW_ON_SPARK
def test_a_table_without_its_rows_is_emptied_and_recomputed(connect, lake, key, table, how):
    damage(lake, table, "data", how)
    engine = connect(lake)
    deleted = withdrawals.delete_withdrawn(engine, Policy(), key)
    assert deleted
    assert deleted.emptied == (table,)
    run(engine, Policy(), key)
    nights = History((CONSENTING, ANN_WITHDRAWS), (ARRIVAL,) * 2)
    assert actual_tables(engine) == expected_tables(nights, Policy(), key)


@pytest.mark.parametrize("how", [remove, truncate])
def test_a_data_file_that_cannot_be_read_is_named(connect, lake, how):
    """Then a plan that reads an older snapshot becomes a full rebuild."""
    damage(lake, "customer_trusted", "data", how)
    engine = connect(lake)
    with pytest.raises(
        DamagedFileError, match=r"trusted.customer_trusted: expected the table's file /.*\.parquet, got"
    ):
        rows(engine, "customer_trusted")


@EMBEDDED
def test_pseudonyms_of_another_key_are_nobodys(connect, lake, key):
    damage(lake, "customer_trusted", "metadata", remove)
    engine = connect(lake)
    expect_failure(withdrawals.delete_withdrawn(engine, Policy(), PseudonymKey(bytes(32))), "customer_trusted")
    assert left(engine, "machine_learning_curated") == Bag()
    assert left(engine, "step_trainer_trusted")[(whose(key, BOB, "sn-2")["step_trainer_trusted"],)]


@pytest.mark.parametrize("built", ["as-of", "ever"])
@EMBEDDED
def test_a_table_keeps_the_rows_of_the_policy_that_it_was_built_with(connect, tmp_path, key, built):
    """Ann has consented anew, from the last day on; the run has the other policy."""
    again = landing([customer(ANN, FIRST + timedelta(hours=1), DAYS[-1], "sn-1")], name="second")
    other = {"as-of": "ever", "ever": "as-of"}[built]
    with opening() as connect_to:
        dropped(connect_to("embedded", tmp_path / "lake"), tmp_path, key, CONSENTING, again, policy=Policy(built))
    damage(tmp_path / "lake", "customer_trusted", "metadata", remove)
    engine = connect(tmp_path / "lake")
    expect_failure(withdrawals.delete_withdrawn(engine, Policy(other), key), "customer_trusted")
    kept = 1 if built == "as-of" else len(DAYS)
    assert {table: left(engine, table)[(whose(key, ANN, "sn-1")[table],)] for table in TIMED} == dict.fromkeys(
        TIMED, kept
    )


@pytest.mark.parametrize("kind", FILES)
@EMBEDDED
def test_without_the_customer_records_every_table_is_emptied(connect, lake, key, kind):
    damage(lake, "customer_landing", kind, remove)
    engine = connect(lake)
    deleted = withdrawals.delete_withdrawn(engine, Policy(), key)
    assert deleted
    assert deleted.emptied == tuple(WHOSE)
    assert {table: left(engine, table) for table in WHOSE} == dict.fromkeys(WHOSE, Bag())


@EMBEDDED
def test_without_the_table_of_customer_records_every_table_is_emptied(connect, lake, key):
    """`stedi recover` registers only the tables that have a folder."""
    shutil.rmtree(lake / "landing" / "customer_landing")
    (lake / "catalog.db").unlink()
    recover(Lake.at(str(lake)))
    engine = connect(lake)
    deleted = withdrawals.delete_withdrawn(engine, Policy(), key)
    assert deleted
    assert deleted.emptied == tuple(WHOSE)
    assert {table: left(engine, table) for table in WHOSE} == dict.fromkeys(WHOSE, Bag())


@pytest.mark.parametrize("kind", FILES[:3])
@EMBEDDED
def test_a_table_that_cannot_be_written_to_is_named_in_the_end(connect, lake, key, kind):
    damage(lake, "customers_curated", kind, remove)
    engine = connect(lake)
    deleted = withdrawals.delete_withdrawn(engine, Policy(), key)
    expect_failure(deleted, "customers_curated")
    assert dict(deleted.deleted) == {
        "machine_learning_curated": 3,
        "step_trainer_trusted": 3,
        "accelerometer_trusted": 3,
        "customer_trusted": 1,
    }


@EMBEDDED
def test_each_table_that_cannot_be_written_to_is_named(connect, lake, key):
    for table in ("customers_curated", "customer_trusted"):
        damage(lake, table, "metadata", truncate)
    deleted = withdrawals.delete_withdrawn(connect(lake), Policy(), key)
    assert sorted(str(error).partition(":")[0] for error in deleted.errors) == [
        "curated.customers_curated",
        "trusted.customer_trusted",
    ]


def expect_failure(deleted: withdrawals.Deleted | None, table: str) -> None:
    """The deletion could do nothing about this table, and says so."""
    assert deleted
    assert {str(error).partition(":")[0].rpartition(".")[2] for error in deleted.errors} == {table}


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EMFILE, os.strerror(errno.EMFILE)),
        redact(duckdb.OutOfMemoryException("failed to allocate")),
        CommitConflictError("customer_landing: expected snapshot 1, found 2"),
    ],
    ids=["disk", "files", "memory", "conflict"],
)
@EMBEDDED
def test_nothing_is_emptied_because_of_an_error_that_passes(connect, lake, key, monkeypatch, error):
    engine = connect(lake)
    before = snapshot_ids(engine)

    def fails(*_):
        raise error

    monkeypatch.setattr(engine, "read", fails)
    with pytest.raises(type(error), match=re.escape(str(error))):
        withdrawals.delete_withdrawn(engine, Policy(), key)
    assert snapshot_ids(engine) == before


@EMBEDDED
def test_a_deletion_that_cannot_be_planned_is_made_by_the_present_consents(connect, lake, key, monkeypatch):
    """As when a function of a project fails."""
    engine = connect(lake)

    def fails(*_, **__):
        raise LakeError("x: expected a, got b")

    monkeypatch.setattr(withdrawals, "plan_deletion", fails)
    deleted = withdrawals.delete_withdrawn(engine, Policy(), key)
    assert deleted == withdrawals.Deleted(dict(zip(WHOSE, (3, 3, 1, 3, 1), strict=True)))
    run(engine, Policy(), key)
    nights = History((CONSENTING, ANN_WITHDRAWS), (ARRIVAL,) * 2)
    assert actual_tables(engine) == expected_tables(nights, Policy(), key)
