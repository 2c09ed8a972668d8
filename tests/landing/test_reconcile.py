"""A landing whose staged files change in between says so, and no file counts as landed. The next one lands all."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from support.drops import at, customer, landing, reading, step
from support.lakes import land, rows, write

from stedi_common.engines.storage.staging import Staging
from stedi_common.errors import DamagedFileError, EngineError

NIGHT = datetime(2024, 6, 1)
PEOPLE = ("ann@example.org", "bob@example.org")
DROPS = landing(
    [customer(email, at("08:00"), at("08:00"), f"sn-{email}") for email in PEOPLE],
    [reading(email, at("09:00", day=day)) for email in PEOPLE for day in (1, 2)],
    [step(f"sn-{email}", at("09:00")) for email in PEOPLE],
) | {"customer/bad.json": b"no json\n"}

DAMAGES = {
    "deleted": lambda path: path.unlink(),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-9]),
    "emptied": lambda path: path.write_bytes(b""),
}
#: After which step of a landing the staged file changes: its rows are counted, then compared, then moved.
STEPS = ("expect_rows", "are_distinct")


@pytest.fixture
def landing_in(engine, tmp_path, key):
    return engine, tmp_path, key


def damaging(monkeypatch, step: str, below: str, damage) -> None:
    """Damage the first file of each kind that a landing has staged, before this step. The rows are then read."""
    original = getattr(Staging, step)

    def damaged(self, folder, *others):
        for file in sorted(Path(folder, below).rglob("*.parquet"))[:1]:
            damage(file)
        return original(self, folder, *others)

    monkeypatch.setattr(Staging, step, damaged)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
def test_a_staged_file_that_changes_lands_no_drop(landing_in, monkeypatch, step, damage):
    engine, tmp_path, key = landing_in
    write(tmp_path / "drops", DROPS)
    with monkeypatch.context() as patched:
        damaging(patched, step, "records", damage)
        with pytest.raises((EngineError, DamagedFileError)):
            land(engine, tmp_path / "drops", key, NIGHT)
    assert rows(engine, "landed_files") == {}
    assert_all_land(engine, tmp_path, key)


def test_rejected_lines_that_are_gone_land_no_drop(engine, tmp_path, key, monkeypatch):
    write(tmp_path / "drops", DROPS)
    with monkeypatch.context() as patched:
        damaging(patched, "expect_rows", "rejected", DAMAGES["deleted"])
        with pytest.raises(EngineError, match=r"staged rejected .* got 0 of 1 rows"):
            land(engine, tmp_path / "drops", key, NIGHT)
    assert rows(engine, "landed_files") == {}
    assert_all_land(engine, tmp_path, key)


@pytest.mark.parametrize("method", ["append_staged", "append"])
def test_a_commit_of_fewer_rows_lands_no_drop(engine, tmp_path, key, monkeypatch, method):
    drops = DROPS if method == "append_staged" else DROPS | {"step_trainer/again.json": DROPS["step_trainer/1.json"]}
    write(tmp_path / "drops", drops)
    commit = getattr(engine, method)

    def committed(table, staged, *others):
        if table.name != "step_trainer_landing":
            return commit(table, staged, *others)
        few = replace(staged, files=staged.files[:0]) if method == "append_staged" else staged.head(1)
        return commit(table, few, *others)

    with monkeypatch.context() as patched:
        patched.setattr(engine, method, committed)
        with pytest.raises(EngineError, match="step_trainer_landing: expected 2 rows"):
            land(engine, tmp_path / "drops", key, NIGHT)
    assert ("step_trainer",) not in rows(engine, "landed_files", ["source"])
    assert_all_land(engine, tmp_path, key, drops)


def test_a_doubtful_line_counts_as_the_records_that_it_has(engine, tmp_path, key):
    """A line with two addresses has two records, with and without a duplicate beside it."""
    doubtful = b'{"email": "ann@example.org" "bob@example.org"\n'
    write(tmp_path / "drops", {"customer/a.json": doubtful})
    land(engine, tmp_path / "drops", key, NIGHT)
    write(tmp_path / "drops", {"customer/b.json": doubtful + DROPS["customer/1.json"] * 2})
    land(engine, tmp_path / "drops", key, datetime(2024, 6, 2))
    assert sum(rows(engine, "customer_landing", ["email"]).values()) >= 4
    assert len(rows(engine, "landed_files", ["source_file"])) == 2


def assert_all_land(engine, tmp_path, key, drops=DROPS) -> None:
    """Landing again lands what landing once in a lake without failures does."""
    land(engine, tmp_path / "drops", key, NIGHT)
    assert rows(engine, "landed_files", ["source_file"]) == {(name,): 1 for name in drops}
    counts = {name: sum(rows(engine, name).values()) for name in ("customer_landing", "accelerometer_landing")}
    assert counts == {"customer_landing": 2, "accelerometer_landing": 4}
    assert sum(rows(engine, "step_trainer_landing").values()) == 2
    assert sum(rows(engine, "rejected_records").values()) == 1
