"""Withdrawn rows are deleted before anything else is computed, from the last table first."""

from collections.abc import Iterable
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

import narwhals as nw
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from support.comparison import Bag, actual_tables, expected_tables, snapshot_ids
from support.crowds import POLICIES
from support.drops import customer, reading, step
from support.drops import landing as drops_of
from support.histories import History
from support.lakes import COMMITS, SLOW_ON_SPARK, Dying, KilledError, land, rows, run, table_of, write
from support.oracle import COLUMNS
from support.withdrawals import (
    ANN,
    ANN_WITHDRAWS,
    ARRIVAL,
    BOB,
    BOB_WALKS_ONCE,
    CEM_IS_NEW,
    CONSENTING,
    DAYS,
    FIRST,
    WHOSE,
    changing_consents,
    dropped,
    record,
    whose,
)

from stedi_common.contracts import Column, contract
from stedi_common.errors import RebuildRequiredError
from stedi_common.incremental.deletion_by_consent import Consents, starts_consent
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.lineage import JOBS, jobs
from stedi_common.rules.policy import Policy
from stedi_common.runs import executor, withdrawals
from stedi_common.runs.run_all import run_all, tasks
from stedi_common.runs.settings import RunSettings

#: Of readings all columns are compared; of customers who stay the run recomputes the rows.
COMPARED = {table: ("email",) if table.startswith("customer") else COLUMNS[table] for table in WHOSE}

#: Jobs that are run without the others.
SUBSETS = [
    *((name,) for name in JOBS),
    ("customer_landing_to_trusted", "customer_trusted_to_curated", "machine_learning_curated"),
    ("accelerometer_landing_to_trusted", "machine_learning_curated"),
]
#: The first table that the deletion comes to, and the last.
ENDS = ("machine_learning_curated", "customer_trusted")

BOB_WITHDRAWS = drops_of([record(BOB, 2, "sn-2", consents=False)], name="third")
ANN_IS_BACK = drops_of([record(ANN, 2, "sn-1", consents=True)], name="third")
ANN_MOVES_HER_CONSENT = drops_of([customer(ANN, FIRST + timedelta(hours=1), DAYS[1], "sn-1")], name="second")
BOB_WALKS_ON = drops_of(
    [],
    [reading(BOB, day + timedelta(hours=hour)) for day in DAYS for hour in (1, 2)],
    [step("sn-2", day + timedelta(hours=hour)) for day in DAYS for hour in (1, 2)],
    "walks",
)
ANN_WITHDRAWS_WITH_A_NEW_DEVICE = drops_of([record(ANN, 1, "sn-9", consents=False)], name="second")
SOMEBODY_CLAIMS_ANNS_DEVICE = drops_of([record("cem@example.org", 1, "sn-1", consents=False)], name="second")


class Writing:
    """An engine, and the tables that it committed to."""

    def __init__(self, engine: Any) -> None:
        self._engine, self.tables = engine, list[str]()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._engine, name)

        def commit(contract: Any, *args: Any) -> Any:
            self.tables.append(contract.name)
            return found(contract, *args)

        return commit if name in COMMITS else found


def people(engine: Any, of: Iterable[str] = WHOSE) -> dict[str, Bag]:
    """How many rows everybody has in each of these tables."""
    return {table: rows(engine, table, (WHOSE[table],)) for table in of}


def some(rows: Bag, names: tuple[str, ...], wanted: tuple[str, ...]) -> Bag:
    """The rows with these columns only."""
    found = Bag()
    for row, n in rows.items():
        found[tuple(row[names.index(name)] for name in wanted)] += n
    return found


@pytest.mark.parametrize("withdrawal", [ANN_WITHDRAWS, ANN_WITHDRAWS_WITH_A_NEW_DEVICE], ids=["", "new-device"])
@SLOW_ON_SPARK
@pytest.mark.rule(13)
def test_withdrawn_rows_are_deleted_from_the_last_table_first(engine, tmp_path, key, withdrawal):
    dropped(engine, tmp_path, key, CONSENTING, withdrawal)
    writing = Writing(engine)
    removed = withdrawals.delete_withdrawn(writing, Policy(), key)
    assert removed == withdrawals.Deleted(dict(zip(WHOSE, (3, 3, 1, 3, 1), strict=True)))
    assert writing.tables == list(WHOSE)
    bobs = whose(key, BOB, "sn-2")
    assert {table: set(bag) for table, bag in people(engine).items()} == {table: {(bobs[table],)} for table in WHOSE}
    assert withdrawals.delete_withdrawn(writing, Policy(), key) is None


@SLOW_ON_SPARK
def test_rows_of_a_device_that_somebody_else_claims_are_deleted(engine, tmp_path, key):
    dropped(engine, tmp_path, key, CONSENTING, SOMEBODY_CLAIMS_ANNS_DEVICE)
    removed = withdrawals.delete_withdrawn(engine, Policy(), key)
    assert removed == withdrawals.Deleted({"machine_learning_curated": 3, "step_trainer_trusted": 3})


@pytest.mark.rule(13)
@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_rows_from_before_a_later_consent_are_deleted(engine, tmp_path, key):
    """She consents as before, but from a later hour on: only the readings tell which pairs go."""
    dropped(engine, tmp_path, key, CONSENTING, ANN_MOVES_HER_CONSENT)
    removed = withdrawals.delete_withdrawn(engine, Policy(), key)
    # Her own rows too: they say since when she consented.
    assert removed == withdrawals.Deleted(dict.fromkeys(WHOSE, 1))


@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_where_the_start_of_a_consent_does_not_count_a_later_one_deletes_nothing(engine, tmp_path, key):
    ever = Policy("ever")
    dropped(engine, tmp_path, key, CONSENTING, ANN_MOVES_HER_CONSENT, policy=ever)
    assert withdrawals.delete_withdrawn(engine, ever, key) is None


def test_a_start_of_a_consent_that_may_be_missing_is_not_compared():
    """A comparison with a missing value is neither true nor false: the row would be lost uncounted."""
    table = contract("customer_trusted")
    nullable = replace(table, columns=tuple(replace(each, required=False) for each in table.columns))
    assert (starts_consent(table), starts_consent(nullable)) == (True, False)


@pytest.mark.rule(5)
@pytest.mark.parametrize(
    "chosen",
    [("accelerometer_landing_to_trusted",), ("step_trainer_landing_to_trusted", "machine_learning_curated")],
    ids="-".join,
)
@pytest.mark.parametrize("history", ["known", "expired"])
@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_a_run_of_some_jobs_counts_no_reading_from_before_a_later_consent(engine, tmp_path, key, chosen, history):
    """She refuses, and consents again later: her trusted record is that from before."""
    renewed = drops_of(
        [record(ANN, 1, "sn-1", consents=False), customer(ANN, DAYS[2], DAYS[2], "sn-1")],
        [reading(ANN, DAYS[1] + timedelta(hours=1))],
        [step("sn-1", DAYS[1] + timedelta(hours=1))],
        "second",
    )
    dropped(engine, tmp_path, key, CONSENTING, renewed)
    if history == "expired":
        landed = table_of(tmp_path / "lake", contract("customer_landing"))
        landed.maintenance.expire_snapshots().older_than(datetime.now()).commit()
    for done in run_all(engine, RunSettings(Policy(), key), tasks(jobs=jobs(chosen))):
        assert done.error is None
    readings = ("machine_learning_curated", "step_trainer_trusted", "accelerometer_trusted")
    anns = whose(key, ANN, "sn-1")
    columns = {table: (WHOSE[table], contract(table).partition.name) for table in readings}
    hers = {at for table in readings for who, at in rows(engine, table, columns[table]) if who == anns[table]}
    assert hers <= {DAYS[2]}
    run(engine, Policy(), key)
    assert actual_tables(engine) == expected_tables(History((CONSENTING, renewed), (ARRIVAL,) * 2), Policy(), key)


@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_the_run_after_several_deletions_is_right(engine, tmp_path, key):
    nights = (CONSENTING, ANN_WITHDRAWS, BOB_WITHDRAWS)
    dropped(engine, tmp_path, key, *nights[:2])
    withdrawals.delete_withdrawn(engine, Policy(), key)
    write(tmp_path / "drops", BOB_WITHDRAWS)
    land(engine, tmp_path / "drops", key, ARRIVAL)
    withdrawals.delete_withdrawn(engine, Policy(), key)
    run(engine, Policy(), key)
    assert actual_tables(engine) == expected_tables(History(nights, (ARRIVAL,) * 3), Policy(), key)


@SLOW_ON_SPARK
def test_rows_of_a_person_missing_from_the_curated_customers_are_deleted(engine, tmp_path, key):
    dropped(engine, tmp_path, key, CONSENTING, CEM_IS_NEW)
    curated = contract("customers_curated")
    head = engine.head(curated)
    engine.replace(curated, engine.read(curated, head).filter(nw.col("email") == BOB), head, {})
    removed = withdrawals.delete_withdrawn(engine, Policy(), key)
    assert removed == withdrawals.Deleted({"machine_learning_curated": 3, "step_trainer_trusted": 3})


@SLOW_ON_SPARK
def test_a_killed_deletion_leaves_nobody_in_a_later_table_only(engine, tmp_path, key):
    """Each run dies before its second commit, and the next one goes on."""
    dropped(engine, tmp_path, key, CONSENTING, ANN_WITHDRAWS)
    anns = whose(key, ANN, "sn-1")
    for done in range(1, len(WHOSE) + 1):
        with pytest.raises(KilledError):
            run(Dying(engine, 2), Policy(), key)
        found = people(engine)
        assert [found[table][(anns[table],)] > 0 for table in WHOSE] == [n > done for n in range(1, len(WHOSE) + 1)]
    run(engine, Policy(), key)
    nights = History((CONSENTING, ANN_WITHDRAWS), (ARRIVAL, ARRIVAL))
    assert actual_tables(engine) == expected_tables(nights, Policy(), key)


@SLOW_ON_SPARK
def test_the_run_after_a_deletion_recomputes_new_readings_only(engine, tmp_path, key):
    dropped(engine, tmp_path, key, CONSENTING, ANN_WITHDRAWS | BOB_WALKS_ONCE)
    withdrawals.delete_withdrawn(engine, Policy(), key)
    made = {outcome.table: outcome.days for outcome in run(engine, Policy(), key)}
    readings = ("accelerometer_trusted", "step_trainer_trusted", "machine_learning_curated")
    assert [made[table] for table in readings] == [1, 0, 1]
    nights = History((CONSENTING, ANN_WITHDRAWS | BOB_WALKS_ONCE), (ARRIVAL, ARRIVAL))
    assert actual_tables(engine) == expected_tables(nights, Policy(), key)


@pytest.mark.parametrize("commits", range(1, len(WHOSE) + 1))
@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_a_renewed_consent_before_the_run_restores_all_rows(engine, tmp_path, key, commits):
    """Under `ever` nothing else tells that they were gone, wherever the removal was cut short."""
    nights, policy = (CONSENTING, ANN_WITHDRAWS, ANN_IS_BACK), Policy("ever")
    dropped(engine, tmp_path, key, *nights[:2], policy=policy)
    with suppress(KilledError):
        withdrawals.delete_withdrawn(Dying(engine, commits + 1), policy, key)
    write(tmp_path / "drops", ANN_IS_BACK)
    land(engine, tmp_path / "drops", key, ARRIVAL)
    run(engine, policy, key)
    assert actual_tables(engine) == expected_tables(History(nights, (ARRIVAL,) * 3), policy, key)


@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_the_deletion_includes_rows_that_a_killed_run_left(engine, tmp_path, key):
    """One that died when it had made all the others for a consent that was moved."""
    dropped(engine, tmp_path, key, CONSENTING, ANN_MOVES_HER_CONSENT)
    for job in jobs([])[:-1]:
        executor.run(engine, job, Policy(), key)
    assert withdrawals.delete_withdrawn(engine, Policy(), key) == withdrawals.Deleted({"machine_learning_curated": 1})
    run(engine, Policy(), key)
    nights = History((CONSENTING, ANN_MOVES_HER_CONSENT), (ARRIVAL,) * 2)
    assert actual_tables(engine) == expected_tables(nights, Policy(), key)


@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_pairs_are_deleted_though_the_changed_days_are_not_known(engine, tmp_path, key, monkeypatch):
    """A snapshot between the consumed one and the head has expired, so any day may have changed."""
    dropped(engine, tmp_path, key, CONSENTING, ANN_MOVES_HER_CONSENT)
    for job in jobs([])[:-1]:
        executor.run(engine, job, Policy(), key)
    monkeypatch.setattr(engine, "changed_days", lambda *_: None)
    assert withdrawals.delete_withdrawn(engine, Policy(), key) == withdrawals.Deleted({"machine_learning_curated": 1})


@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_the_deletion_adds_no_row(engine, tmp_path, key):
    """One that died when it had made all tables but the pairs, for more readings than now go."""
    dropped(engine, tmp_path, key, CONSENTING, BOB_WALKS_ON)
    for job in jobs([])[:-1]:
        executor.run(engine, job, Policy(), key)
    write(tmp_path / "drops", ANN_WITHDRAWS)
    land(engine, tmp_path / "drops", key, ARRIVAL)
    removed = withdrawals.delete_withdrawn(engine, Policy(), key)
    assert removed == withdrawals.Deleted(dict(zip(WHOSE, (3, 3, 1, 3, 1), strict=True)))
    assert people(engine)["machine_learning_curated"] == {(key.pseudonym(BOB),): 3}
    run(engine, Policy(), key)
    nights = History((CONSENTING, BOB_WALKS_ON, ANN_WITHDRAWS), (ARRIVAL,) * 3)
    assert actual_tables(engine) == expected_tables(nights, Policy(), key)


@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_without_a_withdrawal_nothing_is_committed(engine, tmp_path, key):
    assert withdrawals.delete_withdrawn(engine, Policy(), key) is None
    dropped(engine, tmp_path, key, CONSENTING, ANN_WITHDRAWS)
    run(engine, Policy(), key)
    before = snapshot_ids(engine)
    assert withdrawals.delete_withdrawn(engine, Policy(), key) is None
    assert snapshot_ids(engine) == before


@pytest.mark.parametrize("build", ["consent", "pairing", "serials", "key", "code", "all"])
@SLOW_ON_SPARK
def test_withdrawn_rows_are_deleted_though_the_run_needs_a_rebuild(engine, tmp_path, key, monkeypatch, build):
    """The policy, the key or the code of the run is not that of the tables."""
    dropped(engine, tmp_path, key, CONSENTING, ANN_WITHDRAWS)
    policy = Policy(
        "ever" if build in {"consent", "all"} else "as-of",
        "timestamp" if build in {"pairing", "all"} else "owner",
        frozenset({"sn-2"} if build in {"serials", "all"} else ()),
    )
    other = PseudonymKey(bytes(32)) if build in {"key", "all"} else key
    if build in {"code", "all"}:
        monkeypatch.setattr("stedi_common.incremental.plan.code_fingerprint", lambda _: "another")
    with pytest.raises(RebuildRequiredError):
        run(engine, policy, other)
    bobs = whose(key, BOB, "sn-2")
    # Pairs of another key say of nobody whose they are, so all pairs of Ann's days are gone.
    expected = {table: {(bobs[table],)} for table in WHOSE} | (
        {"machine_learning_curated": set()} if other != key else {}
    )
    assert {table: set(bag) for table, bag in people(engine).items()} == expected
    run(engine, policy, other, rebuild=True)
    nights = History((CONSENTING, ANN_WITHDRAWS), (ARRIVAL,) * 2)
    assert actual_tables(engine) == expected_tables(nights, policy, other)


@pytest.mark.parametrize(
    ("case", "table"),
    [
        pytest.param(case, table, marks=() if case in {"dropped", "expired"} or table in ENDS else pytest.mark.long)
        for case in ("dropped", "dropped-some", "expired", "expired-some", "expired-first")
        for table in WHOSE
    ],
)
@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_withdrawn_rows_are_deleted_whatever_the_state_of_a_table(engine, tmp_path, key, case, table):
    """One table is not there, or the snapshot of its last run has expired, and perhaps not all jobs run."""
    what, _, which = case.partition("-")
    chosen = {"": [], "some": ["machine_learning_curated"], "first": ["customer_landing_to_trusted"]}[which]
    dropped(engine, tmp_path, key, CONSENTING, ANN_WITHDRAWS)
    of = contract(table)
    if what == "dropped":
        SqlCatalog("stedi", uri=f"sqlite:///{tmp_path}/lake/catalog.db").drop_table(of.identifier)
    else:
        head = engine.head(of)
        engine.replace(of, engine.read(of, head), head, {})
        table_of(tmp_path / "lake", of).maintenance.expire_snapshots().older_than(datetime.now()).commit()
    for _ in run_all(engine, RunSettings(Policy(), key), tasks(jobs=jobs(chosen))):
        pass  # a job may want --rebuild, or a table that is not there
    anns = whose(key, ANN, "sn-1")
    there = {name: people(engine, [name])[name] for name in WHOSE if engine.exists(contract(name))}
    assert {name: rows[anns[name],] for name, rows in there.items()} == dict.fromkeys(there, 0)
    run(engine, Policy(), key, rebuild=True)
    nights = History((CONSENTING, ANN_WITHDRAWS), (ARRIVAL,) * 2)
    assert actual_tables(engine) == expected_tables(nights, Policy(), key)


@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_new_people_cost_the_deletion_no_look_at_the_tables(engine, tmp_path, key, monkeypatch):
    dropped(engine, tmp_path, key, CONSENTING, CEM_IS_NEW)
    monkeypatch.setattr(engine, "materialized", None)
    assert withdrawals.delete_withdrawn(engine, Policy(), key) is None


@pytest.mark.rule(13)
@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_withdrawn_rows_are_deleted_though_the_consumed_customer_records_have_expired(engine, tmp_path, key):
    dropped(engine, tmp_path, key, CONSENTING, ANN_WITHDRAWS)
    landed = table_of(tmp_path / "lake", contract("customer_landing"))
    landed.maintenance.expire_snapshots().older_than(datetime.now()).commit()
    deleted = withdrawals.delete_withdrawn(engine, Policy(), key)
    assert deleted
    assert set(deleted.deleted) == set(WHOSE)
    anns = whose(key, ANN, "sn-1")
    assert {name: rows[anns[name],] for name, rows in people(engine).items()} == dict.fromkeys(WHOSE, 0)


@pytest.mark.rule(13)
@pytest.mark.parametrize("consent", ["as-of", "ever"])
@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_by_the_present_consents_rows_from_before_a_later_consent_are_deleted(engine, tmp_path, key, consent):
    """What the last run consumed has expired. Under `ever` it does not matter since when she consents."""
    policy, nights = Policy(consent), (CONSENTING, ANN_MOVES_HER_CONSENT)
    dropped(engine, tmp_path, key, *nights, policy=policy)
    landed = table_of(tmp_path / "lake", contract("customer_landing"))
    landed.maintenance.expire_snapshots().older_than(datetime.now()).commit()
    deleted = withdrawals.delete_withdrawn(engine, policy, key)
    assert deleted == (withdrawals.Deleted(dict.fromkeys(WHOSE, 1)) if consent == "as-of" else None)
    run(engine, policy, key)
    assert actual_tables(engine) == expected_tables(History(nights, (ARRIVAL,) * 2), policy, key)


@pytest.mark.rule(13)
@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_a_column_of_a_project_may_be_called_since(engine, tmp_path, key):
    """It says nothing about a consent."""
    dropped(engine, tmp_path, key, CONSENTING, ANN_WITHDRAWS)
    readings = contract("accelerometer_trusted")
    since = Column("since", "string", False, "internal", "Of a project.")
    with_since = replace(readings, columns=(*readings.columns, since))
    engine.prepare(with_since)
    head = engine.head(with_since)
    rows = engine.read(readings, head).with_columns(nw.lit("2024").alias("since"))
    engine.replace(with_since, rows, head, {})
    with ExitStack() as stack:
        deletion = Consents.now(engine, Policy(), key, stack).deletion(with_since)
    assert deletion
    assert deletion.deleted == 3


@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_a_deletion_keeps_the_build_of_its_table(engine, tmp_path, key):
    """The run's own snapshot may expire before the next run: pseudonyms are not renamed for that."""
    dropped(engine, tmp_path, key, CONSENTING, ANN_WITHDRAWS)
    other = PseudonymKey(bytes(32))
    with pytest.raises(RebuildRequiredError):
        run(engine, Policy(), other)
    for table in WHOSE:
        table_of(tmp_path / "lake", contract(table)).maintenance.expire_snapshots().older_than(datetime.now()).commit()
    with pytest.raises(RebuildRequiredError, match="pseudonym key"):
        run(engine, Policy(), other)
    run(engine, Policy(), key)
    nights = History((CONSENTING, ANN_WITHDRAWS), (ARRIVAL,) * 2)
    assert actual_tables(engine) == expected_tables(nights, Policy(), key)


@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_what_a_run_with_another_key_deleted_comes_back(engine, tmp_path, key):
    """Also where the jobs run without the deletion before them."""
    dropped(engine, tmp_path, key, CONSENTING, ANN_WITHDRAWS)
    with pytest.raises(RebuildRequiredError):
        run(engine, Policy(), PseudonymKey(bytes(32)))
    assert withdrawals.delete_withdrawn(engine, Policy(), key) is None  # it adds nothing
    for job in jobs([]):
        executor.run(engine, job, Policy(), key)
    nights = History((CONSENTING, ANN_WITHDRAWS), (ARRIVAL,) * 2)
    assert actual_tables(engine) == expected_tables(nights, Policy(), key)


@pytest.mark.parametrize("chosen", SUBSETS, ids="-".join)
@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_a_run_of_some_jobs_leaves_nobody_in_who_has_withdrawn(engine, tmp_path, key, chosen):
    dropped(engine, tmp_path, key, CONSENTING, ANN_WITHDRAWS)
    for done in run_all(engine, RunSettings(Policy(), key), tasks(jobs=jobs(chosen))):
        assert done.error is None
    bobs = whose(key, BOB, "sn-2")
    assert {table: set(bag) for table, bag in people(engine).items()} == {table: {(bobs[table],)} for table in WHOSE}
    run(engine, Policy(), key)
    nights = History((CONSENTING, ANN_WITHDRAWS), (ARRIVAL,) * 2)
    assert actual_tables(engine) == expected_tables(nights, Policy(), key)


@pytest.mark.rule(13)
@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_nobody_who_has_withdrawn_comes_into_a_table_that_is_computed_for_the_first_time(engine, tmp_path, key):
    """Only the people were computed before, so no lookup of readings says who has withdrawn."""
    drops = tmp_path / "drops"
    write(drops, CONSENTING)
    land(engine, drops, key, ARRIVAL)
    executor.run(engine, JOBS["customer_landing_to_trusted"], Policy(), key)
    write(drops, ANN_WITHDRAWS)
    land(engine, drops, key, ARRIVAL)
    for done in run_all(engine, RunSettings(Policy(), key), tasks(jobs=jobs(["accelerometer_landing_to_trusted"]))):
        assert done.error is None
    tables = ("customer_trusted", "accelerometer_trusted")
    assert {table: set(bag) for table, bag in people(engine, tables).items()} == {table: {(BOB,)} for table in tables}
    run(engine, Policy(), key)
    assert actual_tables(engine) == expected_tables(History((CONSENTING, ANN_WITHDRAWS), (ARRIVAL,) * 2), Policy(), key)


@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_pairs_are_deleted_though_the_jobs_between_have_not_run(engine, tmp_path, key):
    """Without the deletion first. The trusted readings still have hers, so they say nothing of whom is curated."""
    dropped(engine, tmp_path, key, CONSENTING, ANN_WITHDRAWS)
    for name in ("customer_landing_to_trusted", "customer_trusted_to_curated", "machine_learning_curated"):
        executor.run(engine, JOBS[name], Policy(), key)
    assert set(people(engine)["machine_learning_curated"]) == {(key.pseudonym(BOB),)}


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(1, 40))])
@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_a_full_run_completes_jobs_run_in_any_order(engine, tmp_path, key, seed):
    """Each job alone, without the deletion first, whatever it finds of the others."""
    random = Random(seed)
    history = changing_consents(random, 4)
    for night, drops in enumerate(history.runs, start=1):
        write(tmp_path / "drops", drops)
        land(engine, tmp_path / "drops", key, ARRIVAL)
        if night == 1:
            run(engine, Policy(), key)
        for job in random.sample(jobs([]), random.randrange(1, 5)):
            executor.run(engine, job, Policy(), key)
        if night % 2 == 0:
            run(engine, Policy(), key)
            now = expected_tables(History(history.runs[:night], history.arrived_at[:night]), Policy(), key)
            assert actual_tables(engine) == now


@pytest.mark.parametrize(
    ("engine_name", "seed", "policy"),
    [
        *(("embedded", seed, POLICIES[seed]) for seed in range(2)),
        *(
            pytest.param(engine, seed, POLICIES[seed % len(POLICIES)], marks=pytest.mark.long)
            for engine, most in (("embedded", 30), ("spark", 5))
            for seed in range(2, most)
        ),
    ],
    indirect=["engine_name"],
)
def test_after_a_deletion_all_rows_are_the_oracles(engine, tmp_path, key, seed, policy):
    """The run adds those that are not there yet."""
    history, removed = changing_consents(Random(seed), 3), 0
    for night, drops in enumerate(history.runs, start=1):
        write(tmp_path / "drops", drops)
        land(engine, tmp_path / "drops", key, ARRIVAL)
        done = withdrawals.delete_withdrawn(engine, policy, key)
        now = expected_tables(History(history.runs[:night], history.arrived_at[:night]), policy, key)
        if night > 1:
            made = {table: rows(engine, table, columns) for table, columns in COMPARED.items()}
            expected = {table: some(now[table], COLUMNS[table], columns) for table, columns in COMPARED.items()}
            assert {table: made[table] - expected[table] for table in COMPARED} == {table: Bag() for table in COMPARED}
        removed += sum(done.deleted.values()) if done else 0
        run(engine, policy, key)
        assert actual_tables(engine) == now
    assert removed
