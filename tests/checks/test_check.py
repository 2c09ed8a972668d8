"""`stedi check`: each file of a lake, damaged in each way, is found and named; a whole lake has no findings."""

import errno
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random

import narwhals as nw
import pyarrow as pa
import pytest
from pyiceberg.manifest import ManifestFile
from support.damages import DAMAGES, Damage, damaged, deleted, files_of, flipped, overwritten, truncated
from support.drops import at, customer, landing, reading, step
from support.lakes import land, opening, rows, run, write

from stedi_common import maintenance
from stedi_common.checks import Remedy, check
from stedi_common.contracts import contract, names
from stedi_common.engines.embedded import verification
from stedi_common.engines.embedded.engine import EmbeddedEngine
from stedi_common.engines.embedded.verification import read_pages
from stedi_common.engines.protocol import Engine
from stedi_common.engines.storage.checksums import is_as_written
from stedi_common.errors import StediError, as_stedi_error
from stedi_common.lake import Lake
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.policy import Policy

PEOPLE = ("ann@example.org", "bob@example.org")
#: So many nights make so many small files of the first day that maintenance compacts them.
NIGHTS = 6
TABLES = [contract(name) for name in names()]


def drops(night: int) -> dict[str, bytes]:
    customers = [customer(email, at("08:00"), at("08:00"), f"sn-{email}") for email in PEOPLE] if night == 1 else []
    clock = f"{9 + night:02}:00"
    moves = [reading(email, at(clock, day)) for email in PEOPLE for day in (1, night)]
    steps = [step(f"sn-{email}", at(clock, day)) for email in PEOPLE for day in (1, night)]
    return landing(customers, moves, [*steps, "no json"], str(night))


@dataclass(frozen=True)
class Made:
    """A lake with some nights in it."""

    folder: Path
    engine: EmbeddedEngine
    key: PseudonymKey

    def files(self, table: str) -> dict[str, list[Path]]:
        return files_of(self.folder / "lake", contract(table))

    def found(self, *, quick: bool = False) -> list[tuple[str, str]]:
        """The tables and files of the findings."""
        return [(each.table, each.file) for each in check(self.engine, quick=quick).findings]


def nights(engine: Engine, folder: Path, key: PseudonymKey, count: int = NIGHTS) -> None:
    for night in range(1, count + 1):
        write(folder / "drops", drops(night))
        land(engine, folder / "drops", key, datetime(2024, 6, night))
    run(engine, Policy(), key)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder, key = tmp_path_factory.mktemp("made"), PseudonymKey(bytes(32))
    with opening() as connect_to:
        engine = connect_to("embedded", folder / "lake")
        nights(engine, folder, key)
        for table in TABLES:
            maintenance.maintain(engine, table)
        yield Made(folder, engine, key)


def test_a_whole_lake_has_no_findings(made):
    checked = check(made.engine)
    assert checked.findings == []
    assert {each.table for each in checked.tables} == {table.identifier for table in TABLES}
    assert all(each.snapshots and each.files for each in checked.tables)
    assert made.found(quick=True) == []


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EMFILE, "no more"), OSError(errno.ENOMEM, "no more")])
@pytest.mark.parametrize(
    ("place", "reads"),
    [
        (ManifestFile, "fetch_manifest_entry"),
        (verification, "read_manifest_list"),
        (verification.pq, "read_metadata"),
        (verification, "load_table"),
    ],
)
def test_a_machine_out_of_resources_shows_no_damage(made, monkeypatch, place, reads, error):
    """A repair would drop the table, or expire its snapshots."""

    def fails(*_, **__):
        raise error

    monkeypatch.setattr(place, reads, fails)
    with pytest.raises((StediError, MemoryError, OSError)) as raised:
        check(made.engine)
    assert as_stedi_error(raised.value).is_out_of_resources


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EMFILE, "no more")])
def test_a_reader_out_of_resources_names_no_file_as_damaged(made, monkeypatch, error):
    def fails(*_, **__):
        raise error

    table = contract("customer_landing")
    monkeypatch.setattr(ManifestFile, "fetch_manifest_entry", fails)
    with opening() as connect_to, pytest.raises((StediError, MemoryError, OSError)) as raised:
        rows(connect_to("embedded", made.folder / "lake"), table.name, ("email",))
    assert as_stedi_error(raised.value).is_out_of_resources


def each_kind() -> list:
    """A table of each kind for each kind of file and damage; in `make test-long`, all tables."""
    dice = Random(18)
    kinds = ("metadata", "manifest list", "manifest", "data file")
    some = [pytest.param(kind, damage, dice.choice(TABLES), 1) for kind in kinds for damage in DAMAGES]
    every = [
        pytest.param(kind, damage, table, 20, marks=pytest.mark.long)
        for kind in kinds
        for damage in DAMAGES
        for table in TABLES
    ]
    return some + every


@pytest.mark.parametrize(("kind", "damage", "table", "times"), each_kind())
def test_a_damaged_file_is_found(made, kind: str, damage: Damage, table, times: int):
    dice = Random(f"{kind} {damage.__name__} {table.name}")
    files = made.files(table.name)[kind]
    assert files
    for _ in range(times):
        file = dice.choice(files)
        with damaged(file, damage, dice):
            assert (table.identifier, str(file)) in made.found()
    assert made.found() == []


@pytest.mark.parametrize("damage", [deleted, truncated])
@pytest.mark.parametrize("kind", ["metadata", "manifest list", "manifest", "data file"])
def test_a_quick_check_finds_files_that_are_missing_or_cut_off(made, kind, damage):
    file = made.files("accelerometer_trusted")[kind][0]
    with damaged(file, damage, Random(1)):
        assert ("trusted.accelerometer_trusted", str(file)) in made.found(quick=True)


def test_the_remedy_is_of_the_table_and_of_the_snapshots_that_need_the_file(made):
    remedies = {}
    for table, kind in (("customers_curated", "data file"), ("customer_landing", "data file")):
        with damaged(made.files(table)[kind][0], flipped, Random(2)):
            (finding,) = check(made.engine).findings
            remedies[table] = finding.remedy
    with damaged(made.files("accelerometer_landing")["old data file"][0], overwritten, Random(3)):
        (finding,) = check(made.engine).findings
        remedies["old"] = finding.remedy
    assert remedies == {
        "customers_curated": Remedy.REBUILD,
        "customer_landing": Remedy.RESTORE_FILE,
        "old": Remedy.EXPIRE_SNAPSHOTS,
    }


def test_a_data_file_without_a_checksum_is_read_to_its_end(made, tmp_path):
    """As older versions have written it."""
    file = made.files("machine_learning_curated")["data file"][0]
    other = tmp_path / "other.parquet"
    other.write_bytes(file.read_bytes())
    assert is_as_written(other) is None
    read_pages(str(other))
    content = bytearray(other.read_bytes())
    content[4:60] = Random(4).randbytes(56)  # the first page; the footer is whole
    other.write_bytes(content)
    with pytest.raises((OSError, pa.ArrowException)):
        read_pages(str(other))


# Reconciliation


def without_rows(made: Made, table: str, condition) -> None:
    """Remove rows of a table, as a commit that lost them."""
    of = contract(table)
    head = made.engine.head(of)
    made.engine.replace(of, made.engine.read(of, head).filter(condition), head, {})


@pytest.fixture
def lake(tmp_path, key):
    with opening() as connect_to:
        engine = connect_to("embedded", tmp_path / "lake")
        nights(engine, tmp_path, key, 2)
        yield Made(tmp_path, engine, key)


@pytest.mark.parametrize("table", ["customer_landing", "accelerometer_landing", "step_trainer_landing"])
def test_a_file_whose_rows_are_missing_is_found(lake, table):
    name = f"{table.removesuffix('_landing')}/1.json"
    without_rows(lake, table, (nw.col("source_file") != name) | (nw.col("source_line") != 1))
    (finding,) = check(lake.engine).findings
    assert (finding.table, finding.file, finding.remedy) == (f"landing.{table}", name, Remedy.LAND_AGAIN)
    assert rows(lake.engine, table)


def test_rejected_lines_that_are_missing_are_found(lake):
    without_rows(lake, "rejected_records", nw.col("source_file") != "step_trainer/2.json")
    (finding,) = check(lake.engine).findings
    assert (finding.table, finding.file) == ("landing.rejected_records", "step_trainer/2.json")
    assert finding.problem == "expected 1 rejected lines, got 0"


def test_rows_of_a_file_that_has_not_landed_yet_are_found(lake):
    without_rows(lake, "landed_files", nw.col("source_file") != "accelerometer/2.json")
    (finding,) = check(lake.engine).findings
    assert (finding.file, finding.remedy) == ("accelerometer/2.json", Remedy.FINISH_LANDING)
    land(lake.engine, lake.folder / "drops", lake.key, datetime(2024, 6, 9))
    assert lake.found() == []


def test_an_address_in_a_name_is_not_shown(tmp_path, key):
    with opening() as connect_to:
        engine = connect_to("embedded", tmp_path / "lake")
        write(tmp_path / "drops", {"accelerometer/ann@example.org.json": drops(1)["accelerometer/1.json"]})
        land(engine, tmp_path / "drops", key, datetime(2024, 6, 1))
        without_rows(Made(tmp_path, engine, key), "accelerometer_landing", nw.col("source_line") > 1)
        (finding,) = check(engine).findings
    assert "ann" not in json.dumps(finding.file)


# The command


def test_the_command_says_what_is_wrong_and_ends_with_its_own_code(stedi, tmp_path, key, monkeypatch):
    monkeypatch.chdir(tmp_path)
    engine = EmbeddedEngine(Lake.at(str(tmp_path / "lake")))
    nights(engine, tmp_path, key, 1)
    engine.close()
    assert stedi("check").code == 0
    file = files_of(tmp_path / "lake", contract("customer_trusted"))["data file"][0]
    with damaged(file, deleted, Random(5)):
        said = stedi("check")
        assert said.code == 5
        assert str(file) in said.out
        assert said.err.startswith("error: lake: expected every file and row")
        said = stedi("check", "--json", "--quick")
    assert said.code == 5
    (finding,) = json.loads(said.out)["findings"]
    assert finding == {
        "table": "trusted.customer_trusted",
        "file": str(file),
        "problem": "data file: expected a file, got none",
        "remedy": Remedy.REBUILD,
    }
