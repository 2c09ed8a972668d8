"""`stedi repair`: tables that are computed are recomputed, and files whose rows are missing land again."""

import errno
import json
import os
from datetime import datetime
from pathlib import Path
from random import Random

import narwhals as nw
import pytest
from pyiceberg.table import Table
from support.comparison import actual_tables, expected_tables
from support.damages import DAMAGES, Damage, damaged, deleted, files_of, flipped, overwritten
from support.drops import at, customer, drop, landing, reading, step
from support.histories import History
from support.lakes import Dying, KilledError, land, opening, rows, run, table_of, write

from stedi_common import maintenance
from stedi_common.checks import Remedy, Repaired, check, repair
from stedi_common.contracts import contract
from stedi_common.engines.embedded import repairs, verification
from stedi_common.engines.embedded.catalog import load_table
from stedi_common.engines.embedded.engine import EmbeddedEngine
from stedi_common.engines.storage.staging import Staging
from stedi_common.errors import CommitConflictError, LakeError, StediError
from stedi_common.lake import Lake
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.lineage import JOBS
from stedi_common.rules.policy import Policy
from stedi_common.runs.run_all import run_all
from stedi_common.runs.settings import RunSettings

PEOPLE = ("ann@example.org", "bob@example.org")
NIGHTS = (datetime(2024, 6, 1), datetime(2024, 6, 2))
DERIVED = [job.target for job in JOBS.values()]


def drops(night: int) -> dict[str, bytes]:
    customers = [customer(email, at("08:00"), at("08:00"), f"sn-{email}") for email in PEOPLE]
    clock = f"{9 + night:02}:00"
    moves = [reading(email, at(clock, day)) for email in PEOPLE for day in (1, 2)]
    steps = [step(f"sn-{email}", at(clock, day)) for email in PEOPLE for day in (1, 2)]
    return landing(customers if night == 1 else (), moves, [*steps, "no json"], str(night))


class Lakehouse:
    """A lake of two nights, and the drops beside it."""

    def __init__(self, engine: EmbeddedEngine, folder: Path, key: PseudonymKey) -> None:
        self.engine, self.folder, self.key = engine, folder, key
        for night, arrival in enumerate(NIGHTS, start=1):
            write(folder / "drops", drops(night))
            land(engine, folder / "drops", key, arrival)
        run(engine, Policy(), key)
        self.expected = expected_tables(History((drops(1), drops(2)), NIGHTS), Policy(), key)
        assert actual_tables(engine) == self.expected
        assert rows(engine, "machine_learning_curated")

    def damage(self, table: str, kind: str, damage: Damage, dice: Random) -> Path:
        file = dice.choice(files_of(self.folder / "lake", contract(table))[kind])
        damage(file, dice)
        return file

    def file(self, table: str) -> Path:
        """A data file of the table."""
        return files_of(self.folder / "lake", contract(table))["data file"][0]

    def repair(self, *, landing: bool = False) -> Repaired:
        """Repair the lake. The tasks that run have no errors."""
        settings = RunSettings(Policy(), self.key)
        folder = str(self.folder / "drops") if landing else None
        repaired = repair(self.engine, settings, lambda tasks: list(run_all(self.engine, settings, tasks)), folder)
        for each in repaired.completed:
            if each.error:
                raise each.error
        return repaired

    def without_rows(self, table: str, condition: nw.Expr) -> None:
        of = contract(table)
        head = self.engine.head(of)
        self.engine.replace(of, self.engine.read(of, head).filter(condition), head, {})

    def with_rows_twice(self, table: str) -> None:
        of = contract(table)
        head = self.engine.head(of)
        self.engine.append(of, self.engine.read(of, head), head, {})

    def assert_whole(self) -> None:
        assert check(self.engine).findings == []
        assert actual_tables(self.engine) == self.expected
        again = self.repair(landing=True)
        assert (list(again.steps), list(again.completed)) == ([], [])


@pytest.fixture(scope="module")
def lakehouse(tmp_path_factory):
    """A lake that is whole when a test has ended."""
    folder = tmp_path_factory.mktemp("lakehouse")
    with opening() as connect_to:
        yield Lakehouse(connect_to("embedded", folder / "lake"), folder, PseudonymKey(bytes(32)))


@pytest.fixture
def own_lakehouse(tmp_path, key):
    with opening() as connect_to:
        yield Lakehouse(connect_to("embedded", tmp_path / "lake"), tmp_path, key)


def cases() -> list:
    dice = Random(6)
    kinds = ("metadata", "manifest list", "manifest", "data file")
    some = [pytest.param(kind, dice.choice(DAMAGES), dice.choice(DERIVED).name) for kind in kinds]
    every = [
        pytest.param(kind, damage, table.name, marks=pytest.mark.long)
        for kind in kinds
        for damage in DAMAGES
        for table in DERIVED
    ]
    return some + every


@pytest.mark.parametrize(("kind", "damage", "table"), cases())
def test_a_damaged_table_is_recomputed(lakehouse, kind, damage, table):
    lakehouse.damage(table, kind, damage, Random(f"{kind} {damage.__name__} {table}"))
    repaired = lakehouse.repair()
    assert [step.table for step in repaired.steps] == [contract(table).identifier]
    assert repaired.checked.findings == []
    lakehouse.assert_whole()


def test_a_table_on_another_disk_is_recomputed_there(own_lakehouse):
    """Its folder is a symbolic link."""
    folder, elsewhere = own_lakehouse.folder / "lake" / "curated" / "customers_curated", own_lakehouse.folder / "disk"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)
    own_lakehouse.damage("customers_curated", "data file", flipped, Random(1))
    assert [step.remedy for step in own_lakehouse.repair().steps] == [Remedy.REBUILD]
    own_lakehouse.assert_whole()
    assert folder.is_symlink()


def test_several_tables_are_recomputed_at_once(lakehouse):
    for table in DERIVED:
        lakehouse.damage(table.name, "metadata", deleted, Random(1))
    assert len(lakehouse.repair().steps) == len(DERIVED)
    lakehouse.assert_whole()


def test_a_repair_that_is_killed_before_the_jobs_goes_on(lakehouse):
    lakehouse.damage("customer_trusted", "data file", flipped, Random(1))
    with pytest.raises(KeyboardInterrupt):
        repair(lakehouse.engine, RunSettings(Policy(), lakehouse.key), interrupted)
    assert not lakehouse.engine.exists(contract("customer_trusted"))
    assert [each.task.job for each in lakehouse.repair().completed]
    lakehouse.assert_whole()


def interrupted(_: object) -> list:
    raise KeyboardInterrupt


def test_who_has_withdrawn_since_is_not_in_the_tables_that_are_recomputed(own_lakehouse):
    withdrawn = {"customer/3.json": drop(customer("ann@example.org", at("08:00", 3), None, "sn-ann@example.org"))}
    write(own_lakehouse.folder / "drops", withdrawn)
    arrival = datetime(2024, 6, 3)
    land(own_lakehouse.engine, own_lakehouse.folder / "drops", own_lakehouse.key, arrival)
    own_lakehouse.damage("customer_trusted", "data file", overwritten, Random(1))
    repaired = own_lakehouse.repair()
    assert next(each.task.job for each in repaired.completed) == "remove_withdrawn"
    history = History((drops(1), drops(2), withdrawn), (*NIGHTS, arrival))
    own_lakehouse.expected = expected_tables(history, Policy(), own_lakehouse.key)
    own_lakehouse.assert_whole()


@pytest.mark.parametrize("refusal", ["refusal", "landing_refusal"])
def test_nothing_is_dropped_if_the_settings_are_not_the_lakes(lakehouse, refusal):
    settings = RunSettings(Policy(), lakehouse.key, **{refusal: StediError("other")})
    with damaged(lakehouse.file("customer_trusted"), flipped, Random(1)):
        with pytest.raises(StediError, match="other"):
            repair(lakehouse.engine, settings, interrupted)
        assert lakehouse.engine.exists(contract("customer_trusted"))


def test_nothing_is_dropped_while_a_landing_table_is_damaged(lakehouse):
    """It could not be recomputed; and a customer line that is lost may be a withdrawal."""
    landed, trusted = lakehouse.file("customer_landing"), lakehouse.file("customer_trusted")
    with damaged(landed, flipped, Random(1)), damaged(trusted, deleted, Random(1)):
        repaired = lakehouse.repair()
    assert (list(repaired.steps), list(repaired.completed)) == ([], [])
    assert {each.file for each in repaired.checked.findings} == {str(landed), str(trusted)}
    lakehouse.assert_whole()


def test_no_table_is_emptied_while_a_landing_table_is_damaged(own_lakehouse):
    """A run could not read who consents. Here a table is missing, and a file could land again."""
    own_lakehouse.engine.repairs.drop(contract("machine_learning_curated"))
    own_lakehouse.without_rows("accelerometer_landing", nw.col("source_line") == 1)
    own_lakehouse.damage("customer_landing", "data file", flipped, Random(1))
    repaired = own_lakehouse.repair(landing=True)
    assert (list(repaired.steps), list(repaired.completed)) == ([], [])
    assert rows(own_lakehouse.engine, "accelerometer_trusted")


def test_nothing_is_recomputed_while_customer_lines_are_missing(own_lakehouse):
    """They may be withdrawals."""
    own_lakehouse.without_rows("customer_landing", nw.col("source_line") == 1)
    own_lakehouse.damage("customers_curated", "data file", flipped, Random(1))
    repaired = own_lakehouse.repair()
    assert (list(repaired.steps), list(repaired.completed)) == ([], [])
    again = own_lakehouse.repair(landing=True)
    assert [(step.remedy, step.file) for step in again.steps] == [
        (Remedy.LAND_AGAIN, "customer/1.json"),
        (Remedy.REBUILD, None),
    ]
    own_lakehouse.assert_whole()


def test_rows_that_nobody_knows_stay_a_finding_and_the_rest_is_repaired(own_lakehouse):
    """No withdrawal is missing, and no file lands again."""
    own_lakehouse.with_rows_twice("customer_landing")
    own_lakehouse.damage("customers_curated", "data file", flipped, Random(1))
    repaired = own_lakehouse.repair(landing=True)
    assert [step.remedy for step in repaired.steps] == [Remedy.REBUILD]
    assert {finding.remedy for finding in repaired.checked.findings} == {Remedy.RESTORE_LAKE}


def test_a_lake_without_computed_tables_has_nothing_to_repair(tmp_path, key):
    with opening() as connect_to:
        engine = connect_to("embedded", tmp_path / "lake")
        write(tmp_path / "drops", drops(1))
        land(engine, tmp_path / "drops", key, NIGHTS[0])
        repaired = repair(engine, RunSettings(Policy(), key), forbidden)
    assert (list(repaired.steps), list(repaired.completed)) == ([], [])


def forbidden(_: object) -> list:
    raise AssertionError


def test_nothing_is_repaired_while_a_run_writes(lakehouse):
    other = Staging(Lake.at(str(lakehouse.folder / "lake")))
    assert other.folder
    with pytest.raises(LakeError, match="expected no other run"):
        lakehouse.repair()
    other.remove()


def test_an_error_of_the_system_is_no_damage(lakehouse, monkeypatch):
    """A missing right, or a volume that fails for a moment: a repair would remove a table that is whole."""

    def refused(path):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    with monkeypatch.context() as patched:
        patched.setattr(verification, "is_as_written", refused)
        with pytest.raises(PermissionError):
            lakehouse.repair()
    lakehouse.assert_whole()


def test_a_file_of_old_snapshots_lets_them_expire(own_lakehouse):
    for night in range(3, 7):  # so many small files are compacted
        write(own_lakehouse.folder / "drops", drops(night))
        land(own_lakehouse.engine, own_lakehouse.folder / "drops", own_lakehouse.key, datetime(2024, 6, night))
    run(own_lakehouse.engine, Policy(), own_lakehouse.key)
    maintenance.maintain(own_lakehouse.engine, contract("accelerometer_landing"))
    own_lakehouse.expected = actual_tables(own_lakehouse.engine)
    own_lakehouse.damage("accelerometer_landing", "old data file", deleted, Random(1))
    (step,) = own_lakehouse.repair().steps
    assert (step.remedy, step.snapshots > 0) == (Remedy.EXPIRE_SNAPSHOTS, True)
    own_lakehouse.assert_whole()


def test_no_snapshot_expires_that_is_tagged_meanwhile(own_lakehouse, monkeypatch):
    table = contract("accelerometer_landing")
    _, old, *_ = own_lakehouse.engine.history(table, own_lakehouse.engine.head(table))

    def then_tagged(*args: object) -> Table:
        loaded = load_table(*args)
        with table_of(own_lakehouse.folder / "lake", table).manage_snapshots() as change:
            change.create_tag(old.snapshot_id, "paper")
        return loaded

    monkeypatch.setattr(repairs, "load_table", then_tagged)
    with pytest.raises(CommitConflictError):
        own_lakehouse.engine.repairs.expire(table, {old.snapshot_id})
    assert own_lakehouse.engine.snapshot(table, old.snapshot_id) == old


def test_files_whose_rows_are_missing_stay_findings_without_the_folder(own_lakehouse):
    own_lakehouse.without_rows("accelerometer_landing", nw.col("source_line") == 1)
    repaired = own_lakehouse.repair()
    assert list(repaired.steps) == []
    assert repaired.checked.findings


@pytest.mark.parametrize("source", ["customer", "accelerometer", "step_trainer"])
def test_a_file_whose_rows_are_missing_lands_again(lakehouse, source):
    lakehouse.without_rows(f"{source}_landing", nw.col("source_line") == 1)
    lakehouse.without_rows("rejected_records", nw.col("source_line") == 0)
    steps = lakehouse.repair(landing=True).steps
    assert (Remedy.LAND_AGAIN, f"{source}/1.json") in {(step.remedy, step.file) for step in steps}
    lakehouse.assert_whole()


def doubtful_night(lakehouse: Lakehouse) -> None:
    """A third night on which a record of a person comes beside a line that suspends them, and a fourth with another."""
    doubtful = drop(customer(PEOPLE[0], at("08:00", 2), at("08:00"), "sn-9"), customer(PEOPLE[0], None, at("08:00")))
    again = {"customer/3.json": doubtful}, {"customer/4.json": drop(customer("cem@example.org", at("08:00")))}
    for night, files in enumerate(again, start=3):
        write(lakehouse.folder / "drops", files)
        land(lakehouse.engine, lakehouse.folder / "drops", lakehouse.key, datetime(2024, 6, night))
    run(lakehouse.engine, Policy(), lakehouse.key)
    history = History((drops(1), drops(2), *again), (*NIGHTS, datetime(2024, 6, 3), datetime(2024, 6, 4)))
    lakehouse.expected = expected_tables(history, Policy(), lakehouse.key)
    assert actual_tables(lakehouse.engine) == lakehouse.expected


def landed(lakehouse: Lakehouse) -> dict:
    tables = ("customer_landing", "landed_files", "rejected_records")
    return {table: rows(lakehouse.engine, table) for table in tables}


LOST = {
    "the record": nw.col("doubt").is_null() & (nw.col("source_file") == "customer/3.json"),
    "the doubtful line": ~nw.col("doubt").is_null(),
    "both": nw.col("source_file") == "customer/3.json",
    "everything": nw.col("source_file") != "none",
}


@pytest.mark.parametrize("lost", LOST.values(), ids=list(LOST))
def test_a_file_that_lands_again_ends_no_suspension(own_lakehouse, lost):
    """It lands as of its first arrival."""
    doubtful_night(own_lakehouse)
    before = landed(own_lakehouse)
    own_lakehouse.without_rows("customer_landing", ~lost)
    assert {step.remedy for step in own_lakehouse.repair(landing=True).steps} == {Remedy.LAND_AGAIN}
    assert landed(own_lakehouse) == before
    own_lakehouse.assert_whole()


def test_an_earlier_version_that_lands_again_stays_the_earlier_one(own_lakehouse):
    """Its lines have the numbers of those of the later version, which stay where they are."""
    path, night = own_lakehouse.folder / "drops" / "customer" / "3.json", datetime(2024, 6, 3)
    versions = [drop(customer(who, at("08:00", 3), at("08:00"), "sn-8"), "no json") for who in PEOPLE]
    for number, version in enumerate(versions, start=3):
        write(own_lakehouse.folder / "drops", {"customer/3.json": version})
        land(own_lakehouse.engine, own_lakehouse.folder / "drops", own_lakehouse.key, datetime(2024, 6, number))
    tables = ("customer_landing", "rejected_records")
    before = {table: rows(own_lakehouse.engine, table) for table in tables}
    for table in tables:
        own_lakehouse.without_rows(table, nw.col("arrived_at") != night)
    path.write_bytes(versions[0])
    assert own_lakehouse.repair(landing=True).checked.findings == []
    assert {table: rows(own_lakehouse.engine, table) for table in tables} == before
    counts = rows(own_lakehouse.engine, "landed_files", ("source_file", "landed", "rejected", "arrived_at"))
    assert {arrived: counts["customer/3.json", 1, 1, arrived] for arrived in (night, datetime(2024, 6, 4))} == {
        night: 1,
        datetime(2024, 6, 4): 1,
    }


@pytest.mark.parametrize("n", [1, 2])
def test_a_repair_that_is_killed_forgets_no_arrival(own_lakehouse, n):
    doubtful_night(own_lakehouse)
    before = landed(own_lakehouse)
    own_lakehouse.without_rows("customer_landing", nw.col("source_file") != "customer/3.json")
    settings, folder = RunSettings(Policy(), own_lakehouse.key), str(own_lakehouse.folder / "drops")
    dying = Dying(own_lakehouse.engine, n)
    with pytest.raises(KilledError):
        repair(own_lakehouse.engine, settings, lambda tasks: list(run_all(dying, settings, tasks)), folder)
    own_lakehouse.repair(landing=True)
    land(own_lakehouse.engine, own_lakehouse.folder / "drops", own_lakehouse.key, datetime(2024, 6, 9))
    assert landed(own_lakehouse) == before
    own_lakehouse.assert_whole()


def test_a_file_that_is_gone_stays_a_finding(own_lakehouse):
    own_lakehouse.without_rows("accelerometer_landing", nw.col("source_line") == 1)
    (own_lakehouse.folder / "drops" / "accelerometer" / "1.json").unlink()
    write(own_lakehouse.folder / "drops", {"accelerometer/2.json": drops(1)["accelerometer/1.json"]})  # other content
    repaired = own_lakehouse.repair(landing=True)
    assert list(repaired.steps) == []
    assert {each.file for each in repaired.checked.findings} == {"accelerometer/1.json", "accelerometer/2.json"}


def test_the_command_repairs_once(stedi, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "drops", drops(1))
    assert stedi("land").code == 0
    assert stedi("run").code == 0
    engine = EmbeddedEngine(Lake.at(str(tmp_path / "lake")), writes=False)
    expected = actual_tables(engine)
    engine.close()
    files_of(tmp_path / "lake", contract("customers_curated"))["manifest"][0].unlink()
    assert stedi("check").code == 5
    said = stedi("repair", "--json")
    assert said.code == 0
    document = json.loads(said.out)
    step = {"table": "curated.customers_curated", "remedy": "rebuild", "file": None, "snapshots": 0}
    assert document["steps"] == [step]
    assert document["findings"] == []
    assert stedi("check").code == 0
    said = stedi("repair")
    assert (said.code, said.out) == (0, "Nothing to repair.\n")
    engine = EmbeddedEngine(Lake.at(str(tmp_path / "lake")), writes=False)
    assert actual_tables(engine) == expected
    engine.close()


def test_the_command_says_what_is_unread_and_ends_with_what_is_damaged(stedi, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "drops", drops(1))
    (tmp_path / "drops" / "customer" / "2.json").symlink_to("/nowhere")
    assert stedi("land").code == 1
    assert stedi("run").code == 6
    files_of(tmp_path / "lake", contract("customers_curated"))["manifest"][0].unlink()
    without = EmbeddedEngine(Lake.at(str(tmp_path / "lake")))
    of = contract("step_trainer_landing")
    head = without.head(of)
    without.replace(of, without.read(of, head).filter(nw.col("source_line") > 1), head, {})
    without.close()
    said = stedi("repair")
    assert said.code == 5
    assert [line[:17] for line in said.err.splitlines()[::2]] == ["error: run: expec", "error: lake: expe"]


def test_the_command_says_what_it_could_not_repair(stedi, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "drops", drops(1))
    assert stedi("land").code == 0
    file = files_of(tmp_path / "lake", contract("step_trainer_landing"))["data file"][0]
    file.unlink()
    said = stedi("repair", "--landing", "drops")
    assert said.code == 5
    assert str(file) in said.out
    assert "restore the file from a backup" in said.out
