"""Small drops with what is right, built after public bug reports: every folder of ../shared/cases."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.commands import stedi
from support.lakes import rows, run, write
from support.paths import SHARED

from stedi_common import landing
from stedi_common.contracts import SOURCES
from stedi_common.errors import LakeError
from stedi_common.records import discover
from stedi_common.rules.policy import Policy, serials

CASES = SHARED / "cases"
#: When the first night of a case begins. Some cases hold clocks that are ahead of it.
ARRIVED = datetime(2026, 11, 29, 2)
NIGHT = timedelta(days=1)

#: In this order: customers, readings and steps landed; customers, readings and steps trusted; pairs.
TABLES = (
    *("customer_landing", "accelerometer_landing", "step_trainer_landing"),
    *("customer_trusted", "accelerometer_trusted", "step_trainer_trusted", "machine_learning_curated"),
)
BASE = (3, 15, 15, 2, 10, 10, 10)
#: Ada has left.
WITHDRAWN = (4, 15, 15, 1, 5, 5, 5)

Drops = Mapping[str, bytes]


@dataclass(frozen=True)
class Case:
    """What must come of a case: rows by table, and sums of `landed_files` that are not 0.

    is_quick_on_spark: Spark runs it by default, not in make test-long only.
    """

    rows: tuple[int, ...]
    counts: Mapping[str, int] = field(default_factory=dict)
    skipped: int = 0
    is_quick_on_spark: bool = False


EXPECTED = {
    "00-base": Case(BASE),
    "01-concatenated-objects-one-line": Case(BASE),
    "02-trailing-comma-after-each-object": Case(BASE),
    "03-json-array-one-line": Case(BASE),
    "05-pretty-printed-objects": Case(BASE, is_quick_on_spark=True),
    "06-other-extensions-ignored": Case((3, 11, 15, 2, 11, 5, 5), skipped=2),
    # Readings and nobody's consent.
    "08-folder-named-customers-and-step-trainer": Case((0, 15, 0, 0, 0, 0, 0), skipped=2),
    "10-gzip-under-json-name-and-plain-under-gz-name": Case(BASE),
    "100-u2028-in-a-string": Case((4, *BASE[1:])),
    "103-defective-serials-file-from-windows": Case((*BASE[:5], 0, 0)),
    "12-utf16-utf8bom-crlf": Case(BASE),
    "14-cr-only-line-ends": Case(BASE),
    # Without a zone (three), a day, objects (three), and one that is ambiguous.
    "15-spellings-of-an-instant": Case((3, 26, 15, 2, 25, 5, 20), {"rejected": 8}),
    # Six are instants that have come, three begin later. 253402300799000 is microseconds, of 1978.
    "16-spellings-of-a-consent": Case((24, 24, 15, 9, 6, 0, 0), {"nulled_values": 13}),
    "21-withdrawal-email-fullwidth-at": Case(WITHDRAWN),
    "21-withdrawal-email-nbsp": Case(WITHDRAWN),
    "22-withdrawal-nonascii-nfd": Case(WITHDRAWN),
    "22-withdrawal-nonascii-upper": Case(WITHDRAWN),
    "23-withdrawal-lastupdate-absent": Case(WITHDRAWN, {"doubtful": 1}, is_quick_on_spark=True),
    "23-withdrawal-lastupdate-microseconds": Case(WITHDRAWN),
    "23-withdrawal-lastupdate-pg": Case(WITHDRAWN),
    "24-withdrawal-duplicate-key": Case(WITHDRAWN, {"doubtful": 1}),
    # Cleo has left. The line that was torn in the first night is rejected, and read in the second.
    "30-file-still-being-written": Case((4, 16, 16, 1, 6, 6, 6), {"rejected": 1, "duplicate": 7}),
    "31-nightly-dump-overwritten-in-place": Case(WITHDRAWN, {"duplicate": 2}, is_quick_on_spark=True),
    "34-zero-bytes-then-filled": Case(BASE),
    "35-hidden-and-temporary-files": Case(BASE, skipped=13),
    # What only a folder's name says is missing.
    "40-spark-output-and-hive-partitions": Case((3, 15, 0, 2, 10, 0, 0), {"rejected": 15}, skipped=2),
    # Ada has left, Cleo has one more reading.
    "42-a-landing-folder-per-day": Case((4, 16, 15, 1, 6, 5, 5)),
    "54-serial-numbers-as-numbers": Case((3, 15, 10, 2, 10, 5, 5)),
    "55-consent-key-spelt-in-snake-case": Case((3, 15, 15, 0, 0, 0, 0)),
    "56-consent-key-renamed-one-night": Case((6, 15, 15, 0, 0, 0, 0)),
    "58-NaN-in-a-column-nobody-asked-for": Case((3, 5, 15, 2, 5, 10, 5), {"rejected": 1}),
    "59-nul-emoji-plus-tags": Case(BASE),
    "61-one-reading-in-six-spellings": Case((3, 1, 15, 2, 1, 5, 1), {"duplicate": 5}),
    # Bob's consent ended a refusal, Cleo's was ended by one, Ada's later record states a date after her readings.
    "70-late-readings-and-consents-out-of-order": Case((6, 16, 15, 2, 5, 5, 5), {"duplicate": 10}),
    "71-session-in-another-time-zone": Case(BASE),
    # 1970 (three), 1999, 2106, and 25 hours ahead.
    "76-clocks-of-1970-and-tomorrow": Case((2, 4, 15, 2, 3, 0, 0), {"rejected": 6}),
    "98-json-text-sequence-rs": Case((3, 18, 15, 2, 13, 10, 10)),
}
#: These are errors, and the ones in S3 are tested with S3.
ELSEWHERE = {
    "09-landing-folder-without-any-source-folder",
    *("81-s3-folder-marker", "82-s3-double-slash", "86-s3-nothing-there"),
}


@pytest.fixture(scope="module", autouse=True)
def cases() -> Path:
    """The folder of the cases. Skips the tests where it is absent."""
    if not CASES.is_dir():
        pytest.skip("the cases are not beside the repository (../shared/cases)")
    return CASES


def drops_of(folder: Path) -> Drops:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def nights(name: str) -> list[Drops]:
    """What each night finds, most often one."""
    drops, base = drops_of(CASES / name / "drops"), drops_of(CASES / "00-base" / "drops")
    readings = base["accelerometer/a.json"]
    if name.startswith("103"):
        return [base]
    if name.startswith("30"):
        whole = drops["accelerometer/a-whole.json"]
        others = {file: raw for file, raw in drops.items() if file != "accelerometer/a-whole.json"}
        return [
            base | {"accelerometer/a.json": readings[: len(readings) // 2]},
            others | {"accelerometer/a.json": whole},
        ]
    if name.startswith("31"):
        return [base, drops]
    if name.startswith("34"):
        return [base | {"accelerometer/a.json": b""}, drops]
    return [drops]


def landing_folders(name: str, folder: Path) -> list[Path]:
    """The landing folder of each night; what is found lies there when it is asked for."""
    found = nights(name)
    if name.startswith("42"):
        write(folder, found[0])
        return sorted(folder.iterdir())
    return [folder] * len(found)


def landed(engine: Any, name: str, folder: Path, key: Any) -> list[landing.Landed]:
    """Land all nights of a case."""
    results: list[Any] = []
    folders, found = landing_folders(name, folder), nights(name)
    for number, below in enumerate(folders):
        if below == folder:
            write(folder, found[number])
        files = discover(str(below))
        arrival = ARRIVED + number * NIGHT
        results += [landing.land(engine, source, str(below), key, arrival, found=files) for source in SOURCES]
    return results


def policy_of(name: str) -> Policy:
    if name.startswith("103"):
        return Policy(defective_serials=serials((CASES / name / "serials.txt").read_bytes()))
    return Policy()


def on_spark(case: str) -> Any:
    return [] if EXPECTED[case].is_quick_on_spark else pytest.mark.long


@pytest.mark.parametrize(
    ("engine_name", "case"),
    [
        *(pytest.param("embedded", case, id=f"embedded-{case}") for case in EXPECTED),
        *(pytest.param("spark", case, id=f"spark-{case}", marks=on_spark(case)) for case in EXPECTED),
    ],
    indirect=["engine_name"],
)
def test_the_rows_are_right(engine, tmp_path, key, case):
    expected = EXPECTED[case]
    results = landed(engine, case, tmp_path / "drops", key)
    run(engine, policy_of(case), key)
    assert tuple(rows(engine, table).total() for table in TABLES) == expected.rows
    sums = {
        count: sum(getattr(result, count) for result in results)
        for count in ("rejected", "duplicate", "doubtful", "without_address", "nulled_values")
    }
    assert {count: total for count, total in sums.items() if total} == expected.counts
    assert sum(len(result.skipped) for result in results) == expected.skipped


def test_no_case_is_forgotten():
    assert {path.name for path in CASES.iterdir() if path.is_dir()} == {*EXPECTED, *ELSEWHERE}


@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
class TestWhatIsSaid:
    """Words where there are no rows."""

    def test_a_folder_with_another_name_is_named(self, engine, tmp_path, key):
        results = landed(engine, "08-folder-named-customers-and-step-trainer", tmp_path / "drops", key)
        said = " ".join(warning for result in results for warning in result.warnings)
        assert "customers/" in said
        assert "step-trainer/" in said

    def test_a_landing_folder_without_any_source_is_an_error(self, engine, tmp_path, key):
        with pytest.raises(LakeError, match="customer"):
            landed(engine, "09-landing-folder-without-any-source-folder", tmp_path / "drops", key)

    def test_a_consent_column_that_is_gone_is_said(self, engine, tmp_path, key):
        results = landed(engine, "56-consent-key-renamed-one-night", tmp_path / "drops", key)
        assert "sharewithresearchasofdate" in " ".join(warning for result in results for warning in result.warnings)

    def test_unknown_keys_are_counted(self, engine, tmp_path, key):
        landed(engine, "55-consent-key-spelt-in-snake-case", tmp_path / "drops", key)
        assert ('{"share_with_research_as_of_date": 2}',) in rows(engine, "landed_files", ["unknown_keys"])

    def test_readings_of_one_instant_land_there(self, engine, tmp_path, key):
        landed(engine, "15-spellings-of-an-instant", tmp_path / "drops", key)
        instants = rows(engine, "accelerometer_landing", ["timestamp"])
        assert instants[datetime(2024, 3, 5, 10),] == 20


def test_the_time_zone_of_the_session_changes_no_instant(tmp_path):
    shutil.copytree(CASES / "71-session-in-another-time-zone" / "drops", tmp_path / "drops")
    where = {"STEDI_LAKE": str(tmp_path / "lake"), "STEDI_LANDING": str(tmp_path / "drops"), "TZ": "America/New_York"}
    for command in ("land", "run"):
        assert stedi(command, **where).code == 0
    first = stedi("query", "SELECT min(timestamp) AS first FROM trusted.accelerometer_trusted", "--json", **where)
    assert "2024-03-05T10:00:00" in first.out.replace(" 10:", "T10:")


def test_a_landing_folder_without_any_source_ends_with_an_exit_code(tmp_path):
    shutil.copytree(CASES / "09-landing-folder-without-any-source-folder" / "drops", tmp_path / "drops")
    said = stedi("land", "--landing", tmp_path / "drops", "--lake", tmp_path / "lake")
    assert said.code == 1
    assert "customer/" in said.err


def test_a_list_of_serials_as_windows_writes_it(tmp_path):
    shutil.copytree(CASES / "00-base" / "drops", tmp_path / "drops")
    where = {"STEDI_LAKE": str(tmp_path / "lake"), "STEDI_LANDING": str(tmp_path / "drops")}
    listed = CASES / "103-defective-serials-file-from-windows" / "serials.txt"
    assert stedi("land", "--defective-serials", listed, **where).code == 0
    assert stedi("run", **where).code == 0
    pairs = stedi("query", "SELECT count(*) AS pairs FROM curated.machine_learning_curated", "--json", **where)
    assert '"pairs": 0' in pairs.out
