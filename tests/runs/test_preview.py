"""`run --plan` says what a run is going to do: which partitions of which table, and why. It commits nothing."""

from random import Random

import pytest
from support.comparison import snapshot_ids
from support.drops import landing as drops_of
from support.drops import reading
from support.lakes import land, run, write
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
    changing_consents,
    record,
)

from stedi_common.contracts import contract
from stedi_common.errors import LakeError, RebuildRequiredError
from stedi_common.incremental.plan import Action
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.lineage import JOBS, JOBS_BY_TABLE, jobs
from stedi_common.rules.policy import Policy
from stedi_common.runs.preview import preview

ALL = list(JOBS.values())


@pytest.fixture
def lake(connect_to, tmp_path, key):
    """A lake after a night, and a call that lands another."""
    engine = connect_to("embedded", tmp_path / "lake")

    def night(drops):
        write(tmp_path / "drops", drops)
        land(engine, tmp_path / "drops", key, ARRIVAL)
        return engine

    night(CONSENTING)
    run(engine, Policy(), key)
    return night


def by_table(previews):
    return {each.table: each for each in previews}


def changed(engine, before):
    """The days of each table that differ now from then; None if all may."""
    return {
        name: engine.changed_days(contract(name), before[name], engine.head(contract(name))) for name in JOBS_BY_TABLE
    }


def test_after_a_run_there_is_nothing_to_do(lake, key):
    engine = lake({})
    assert {each.action for each in preview(engine, ALL, Policy(), key)} == {Action.NOTHING}


def test_a_late_reading_is_a_partition(lake, key):
    found = by_table(preview(lake(BOB_WALKS_ONCE), ALL, Policy(), key))
    assert {name: each.action for name, each in found.items()} == {
        "customer_trusted": Action.NOTHING,
        "accelerometer_trusted": Action.PARTITIONS,
        "customers_curated": Action.FULL,
        "step_trainer_trusted": Action.PARTITIONS,
        "machine_learning_curated": Action.PARTITIONS,
    }
    day = DAYS[1].date().isoformat()
    assert (found["accelerometer_trusted"].days, found["accelerometer_trusted"].rows_in) == ([day], 3)
    assert found["accelerometer_trusted"].reasons == ["accelerometer_landing: rows changed on 1 day"]
    assert (found["step_trainer_trusted"].days, found["machine_learning_curated"].days) == ([], [day])


def test_a_withdrawal_is_said_in_words_without_the_person(lake, key):
    found = by_table(preview(lake(ANN_WITHDRAWS), ALL, Policy(), key))
    assert next(iter(found)) == "withdrawals"
    assert found["withdrawals"].reasons == [
        "customer_landing: 1 person no longer consents",
        "machine_learning_curated: 3 rows to delete on 3 days",
        "step_trainer_trusted: 3 rows to delete on 3 days",
        "customers_curated: 1 row to delete",
        "accelerometer_trusted: 3 rows to delete on 3 days",
        "customer_trusted: 1 row to delete",
    ]
    assert found["customer_trusted"].reasons == [
        "customer_landing: rows changed",
        "customer_landing: 1 new record changes the consent of 1 person",
    ]
    days = [day.date().isoformat() for day in DAYS]
    for table in ("accelerometer_trusted", "step_trainer_trusted", "machine_learning_curated"):
        assert found[table].days == days
    assert "@" not in str(found)


def test_a_plan_commits_nothing(lake, key):
    engine = lake(ANN_WITHDRAWS)
    before = snapshot_ids(engine)
    preview(engine, ALL, Policy(), key)
    assert snapshot_ids(engine) == before


@pytest.mark.parametrize(
    ("policy", "other", "reason"),
    [
        (Policy("ever"), None, "policy: consent=as-of pairing=owner -> consent=ever pairing=owner"),
        (Policy(), PseudonymKey(bytes(32)), "pseudonym key: [0-9a-f]{8}… -> [0-9a-f]{8}…"),
    ],
)
def test_a_rebuild_is_asked_for_with_its_reason(lake, key, policy, other, reason):
    engine = lake({})
    with pytest.raises(RebuildRequiredError, match=f"customer_trusted: expected .*, got {reason}\nhint: .*--rebuild"):
        preview(engine, ALL, policy, other or key)
    found = preview(engine, ALL, policy, other or key, rebuild=True)
    assert {each.action for each in found} == {Action.FULL}
    outcomes = run(engine, policy, other or key, rebuild=True)
    assert all(outcome.changed and outcome.days is None for outcome in outcomes)


def test_before_the_first_run_all_is_to_do(connect_to, tmp_path, key):
    engine = connect_to("embedded", tmp_path / "lake")
    with pytest.raises(LakeError):
        preview(engine, ALL, Policy(), key)
    write(tmp_path / "drops", CONSENTING)
    land(engine, tmp_path / "drops", key, ARRIVAL)
    assert {each.action for each in preview(engine, ALL, Policy(), key)} == {Action.FULL}


def test_the_plan_of_any_job_has_the_deletion(lake, key):
    (deletion, _) = preview(lake(ANN_WITHDRAWS), jobs(["machine_learning_curated"]), Policy(), key)
    assert (deletion.table, deletion.action) == ("withdrawals", Action.DELETE)
    found = preview(lake({}), ALL, Policy("ever"), key, rebuild=True)
    assert found[0] == deletion


def test_some_jobs_have_a_plan_of_their_own(lake, key):
    engine = lake(CEM_IS_NEW)
    (found,) = preview(engine, jobs(["customer_landing_to_trusted"]), Policy(), key)
    assert (found.action, found.rows_in) == (Action.FULL, 3)


@pytest.mark.parametrize("policy", [Policy(), Policy("ever")], ids=str)
@pytest.mark.parametrize("seed", [*range(4), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(4, 40))])
def test_a_run_changes_what_its_plan_says(connect_to, tmp_path, key, policy, seed):
    """Whatever changes is in the plan, and of a table with nothing to do no row does."""
    engine, history = connect_to("embedded", tmp_path / "lake"), changing_consents(Random(seed), 4)
    for night, drops in enumerate(history.runs):
        write(tmp_path / "drops", drops)
        land(engine, tmp_path / "drops", key, ARRIVAL)
        if night == 0:
            run(engine, policy, key)
            continue
        before = {name: engine.head(contract(name)) for name in JOBS_BY_TABLE}
        found = by_table(preview(engine, ALL, policy, key))
        run(engine, policy, key)
        for name, days in changed(engine, before).items():
            if found[name].action == Action.PARTITIONS:
                assert {day.isoformat() for day in days} <= set(found[name].days), name
            if found[name].action == Action.NOTHING:
                assert engine.head(contract(name)) == before[name]


def test_no_name_of_anybody_is_in_a_plan(lake, key):
    drops = drops_of([record(BOB, 3, "sn-2", consents=False)], [reading(ANN, FIRST)], name="third")
    said = str(preview(lake(drops), ALL, Policy(), key))
    assert not any(word in said for word in ("ann", "bob", "sn-1", "sn-2", key.secret.hex()))
