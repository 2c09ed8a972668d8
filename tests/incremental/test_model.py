"""Whatever happens to a lake in a folder, its tables are the oracle's: see `support/model.py`.

The model is shown to find an injected bug of each kind.
"""

from contextlib import contextmanager
from typing import Any

import pytest
from support.model import run_lakes

from stedi_common import landing
from stedi_common.contracts import contract
from stedi_common.engines.embedded.engine import EmbeddedEngine
from stedi_common.incremental import diff
from stedi_common.rules import consent
from stedi_common.rules import tables as functions
from stedi_common.rules.policy import Policy
from stedi_common.runs import withdrawals

#: A seed, how many lakes, and of how many steps each: 12,000 in all in make test-long.
LAKES = [
    pytest.param("embedded", (0, 4, 15), id="embedded-some"),
    *(pytest.param("embedded", (n, 10, 100), id=f"embedded-{n}", marks=pytest.mark.long) for n in range(1, 13)),
    pytest.param("spark", (0, 2, 20), id="spark", marks=pytest.mark.long),
]


@pytest.mark.parametrize(("engine_name", "lakes"), LAKES, indirect=["engine_name"])
@pytest.mark.rule(13)
def test_whatever_happens_the_tables_are_the_oracles(engine_name, tmp_path, key, lakes):
    run_lakes(*lakes, engine_name, key, tmp_path)


# Bugs that it finds


def late_consents_mark_no_days(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(diff, "_days_of_lookup", lambda *_: set())


def equal_records_land_twice(patch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def nothing_excluded(*_: Any) -> Any:
        yield None

    patch.setattr(landing, "excluded", nothing_excluded)


def withdrawals_mark_no_days(patch: pytest.MonkeyPatch) -> None:
    def days_of_who_is_new(engine: Any, lookup: Any, before: Any, now: Any, policy: Policy) -> Any:
        then, today = (diff.rows_of(lookup, diff.read(engine, lookup, at), policy) for at in (before, now))
        new = today.join(then, on=then.collect_schema().names(), how="anti")
        with engine.materialized(new) as cached:
            about = contract(lookup.fact_table)
            return diff.days_of(engine, about, now[about.name], cached.frame, lookup.on) if cached.rows else set()

    patch.setattr(diff, "_days_of_lookup", days_of_who_is_new)
    patch.setattr(withdrawals, "delete_withdrawn", lambda *_, **__: None)


def the_second_claimant_owns_too(patch: pytest.MonkeyPatch) -> None:
    def claims(customers: Any, curated: Any, policy: Policy) -> Any:
        return claims_of(customers, curated, policy if policy.defective_serials else Policy("ever"))

    claims_of = consent.device_claims
    for module in (functions, consent):
        patch.setattr(module, "device_claims", claims)


def what_a_day_had_is_not_deleted(patch: pytest.MonkeyPatch) -> None:
    def added(engine: EmbeddedEngine, of: Any, days: Any, *commit: Any) -> Any:
        return engine.append(of, *commit)

    patch.setattr(EmbeddedEngine, "replace_days", added)


def files_are_done_before_their_records_are_there(patch: pytest.MonkeyPatch) -> None:
    append, append_staged = EmbeddedEngine.append, EmbeddedEngine.append_staged
    waiting: list[Any] = []

    def records(engine: EmbeddedEngine, *commit: Any) -> None:
        waiting.append(commit)

    def append_late(engine: EmbeddedEngine, of: Any, *commit: Any) -> Any:
        late, waiting[:] = waiting[:] if of == landing.LANDED_FILES else [], []
        head = append(engine, of, *commit)
        for records_ in late:
            append_staged(engine, *records_)
        return head

    patch.setattr(EmbeddedEngine, "append_staged", records)
    patch.setattr(EmbeddedEngine, "append", append_late)


@pytest.mark.long
@pytest.mark.parametrize(
    "bug",
    [
        late_consents_mark_no_days,
        equal_records_land_twice,
        withdrawals_mark_no_days,
        the_second_claimant_owns_too,
        what_a_day_had_is_not_deleted,
        files_are_done_before_their_records_are_there,
    ],
)
def test_an_injected_bug_is_found(tmp_path, key, monkeypatch, bug):
    bug(monkeypatch)
    with pytest.raises(AssertionError):
        run_lakes(1, 20, 50, "embedded", key, tmp_path)
