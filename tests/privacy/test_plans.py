"""Spark writes the plans of queries into its event logs, so no value of a person or a device is a literal in them."""

import pytest
from support.drops import ARRIVED, at, customer, landing, reading, step
from support.lakes import land, run, write

from stedi_common.contracts import contract
from stedi_common.incremental.transform import with_defective_rows
from stedi_common.rules import consent
from stedi_common.rules.frames import DROPPED
from stedi_common.rules.lineage import JOBS
from stedi_common.rules.policy import Policy
from stedi_common.runs.preview import preview

CUSTOMERS = contract("customer_landing")
SERIAL = "sn-canary"
POLICY = Policy(defective_serials=frozenset({SERIAL}))
PEOPLE = {"ann@example.org": SERIAL, "bea@example.org": "sn-2"}
DROPS = landing(
    [customer(email, at("08:00"), at("08:00"), serial) for email, serial in PEOPLE.items()],
    [reading(email, at("09:00")) for email in PEOPLE],
    [step(serial, at("09:00")) for serial in PEOPLE.values()],
)


def plan_of(engine, rows) -> str:
    native = rows.to_native()
    return native._jdf.queryExecution().toString() if engine.name == "spark" else native.explain()


def test_defective_serial_numbers_are_rows_and_not_literals(engine, tmp_path, key):
    write(tmp_path / "drops", DROPS)
    land(engine, tmp_path / "drops", key, ARRIVED)
    records = engine.read(CUSTOMERS, engine.head(CUSTOMERS))
    claims = [
        consent.device_claims(records, consent.consents(records), policy)
        for policy in (with_defective_rows(engine, POLICY), POLICY)
    ]
    expected = {(SERIAL, "defective_serial"), ("sn-2", None)}
    for each in claims:
        assert {(row["serialnumber"], row[DROPPED]) for row in engine.collect(each)} == expected
    # The second policy is that of no run.
    assert [SERIAL in plan_of(engine, each) for each in claims] == [False, True]


@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_every_step_of_a_run_has_them_as_rows(engine, tmp_path, key, monkeypatch):
    write(tmp_path / "drops", DROPS)
    land(engine, tmp_path / "drops", key, ARRIVED)
    asked = []
    with_defects = consent._with_defects

    def watched(claims, policy):
        asked.append(policy.defective_rows is not None)
        return with_defects(claims, policy)

    monkeypatch.setattr(consent, "_with_defects", watched)
    preview(engine, list(JOBS.values()), POLICY, key)
    assert [outcome.rows for outcome in run(engine, POLICY, key)][-2:] == [1, 1]
    run_and_previewed = len(asked)
    write(tmp_path / "drops", landing([customer("bea@example.org", at("10:00"))], name="2"))
    land(engine, tmp_path / "drops", key, ARRIVED.replace(day=2))
    run(engine, POLICY, key)  # the withdrawal is deleted first
    assert len(asked) > run_and_previewed > 0
    assert all(asked)
