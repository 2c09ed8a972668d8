"""A user's own contracts and functions, beside those of the package; what is wrong with them is named."""

import os
import re
import subprocess
import sys
from pathlib import Path, PurePath

import pytest
from support.processes import PATIENCE

from stedi_common.cli.init import make_project
from stedi_common.contracts import model
from stedi_common.contracts.document import YamlField
from stedi_common.errors import ContractError, ProjectError

CONTRACTS = Path(model.__file__).parent
TRUSTED = (CONTRACTS / "accelerometer_trusted.yaml").read_text(encoding="utf-8")
MADE_FROM = "      - {property: madeFrom, value: [accelerometer_landing, customer_trusted]}\n"
HEART_RATE = TRUSTED.replace("accelerometer_trusted", "heart_rate_trusted").replace(
    "accelerometer_landing_to_trusted", "heart_rate_landing_to_trusted"
)
LOOKUPS = """
from stedi_common.rules.tables import Lookup, people_admitted
LOOKUPS = {{"heart_rate_trusted": (Lookup("consent", "{table}", "{on}", people_admitted),)}}
"""
#: Of the column that the table is partitioned by.
PERSONAL_DAY = "partitionKeyPosition: 1\n        classification: internal"
PSEUDONYMS = "def heart_rate_trusted(accelerometer_landing, customer_trusted, pseudonyms): ..."
FUNCTION = "def heart_rate_trusted(accelerometer_landing, customer_trusted): ..."


def lineage_with(folder: Path, *, project: str | None = None) -> subprocess.CompletedProcess[str]:
    """The names of the jobs, as a process of its own finds them with this project."""
    told = "from stedi_common import project; from stedi_common.rules.lineage import JOBS"
    told += "; project.expect_usable(); print(*JOBS)"
    return subprocess.run(
        [sys.executable, "-c", told],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "STEDI_PROJECT"}
        | ({} if project is None else {"STEDI_PROJECT": project}),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def project(tmp_path):
    make_project(tmp_path)
    (tmp_path / "contracts" / "heart_rate_trusted.yaml").write_text(HEART_RATE)
    (tmp_path / "tables.py").write_text(FUNCTION)
    return tmp_path


def test_a_job_is_found_by_its_contract_and_stands_after_its_sources(project):
    found = lineage_with(project).stdout.split()
    assert found.index("heart_rate_landing_to_trusted") == found.index("customer_landing_to_trusted") + 2
    assert len(found) == 6


def test_a_folder_without_a_project_adds_nothing(tmp_path):
    assert len(lineage_with(tmp_path).stdout.split()) == 5


def test_the_variable_names_the_project_from_anywhere(project, tmp_path_factory):
    found = lineage_with(tmp_path_factory.mktemp("elsewhere"), project=str(project))
    assert "heart_rate_landing_to_trusted" in found.stdout.split()


@pytest.mark.parametrize(
    ("file", "text", "error"),
    [
        ("tables.py", "def heart_rate_trusted(:", r"ProjectError: .*tables.py:1: expected Python, got: "),
        ("tables.py", "import os\nnothing.here", r"ProjectError: .*tables.py:2: NameError: name 'nothing'"),
        ("tables.py", "import sys\nsys.exit(3)", r"ProjectError: .*tables.py:2: SystemExit: 3"),
        ("tables.py", "", "ContractError: heart_rate_trusted: expected a function of this name, got none"),
        (
            "tables.py",
            "def heart_rate_trusted(customer_trusted): ...",
            "in its contract, accelerometer_landing, customer_trusted, got customer_trusted",
        ),
        (
            "contracts/customer_trusted.yaml",
            HEART_RATE,
            "expected another name, got customer_trusted, which is a table of the package",
        ),
        (
            "contracts/heart_rate_trusted.yaml",
            HEART_RATE.replace("[accelerometer_landing, customer_trusted]", "[heart_rate_trusted]"),
            "expected no cycle of madeFrom, got heart_rate_trusted <- heart_rate_trusted",
        ),
        (
            "contracts/heart_rate_trusted.yaml",
            HEART_RATE.replace("heart_rate_landing_to_trusted", "accelerometer_landing_to_trusted"),
            "expected a different madeBy for each, got accelerometer_landing_to_trusted for both",
        ),
        ("tables.py", "heart_rate_trusted = 5", "heart_rate_trusted: expected a function of this name, got something"),
        ("tables.py", FUNCTION.replace("heart_rate", "h") + "\nheart_rate_trusted = h_trusted", "got something else"),
        (
            "tables.py",
            f"{PSEUDONYMS}\n{LOOKUPS.format(table='step_trainer_landing', on='user')}",
            "LOOKUPS: expected a table of readings among accelerometer_landing, customer_trusted with the column user",
        ),
        ("tables.py", f"{PSEUDONYMS}\n{LOOKUPS.format(table='accelerometer_landing', on='email')}", "the column email"),
        (
            "tables.py",
            f"{PSEUDONYMS}\n{LOOKUPS.format(table='accelerometer_landing', on='user')}".replace("admitted", "curated"),
            "expected tables among accelerometer_landing, customer_trusted for people_curated, got customers_curated",
        ),
    ],
    ids=[
        "syntax",
        "import",
        "exit",
        "missing",
        "parameters",
        "name",
        "cycle",
        "job",
        "value",
        "alias",
        "facts",
        "on",
        "people",
    ],
)
def test_what_is_wrong_with_a_project_is_named(project, file, text, error):
    (project / file).write_text(text)
    done = lineage_with(project)
    assert done.returncode
    assert re.search(error, done.stderr), done.stderr


def test_a_function_of_the_package_that_a_project_imports_stays_the_one_of_its_table(project):
    (project / "tables.py").write_text(f"{FUNCTION}\nfrom stedi_common.rules.tables import *\ncustomer_trusted = 5")
    assert "customer_landing_to_trusted" in lineage_with(project).stdout


def test_pseudonyms_need_a_table_of_people(project):
    (project / "contracts" / "heart_rate_trusted.yaml").write_text(HEART_RATE.replace(", customer_trusted]", "]"))
    (project / "tables.py").write_text("def heart_rate_trusted(accelerometer_landing, pseudonyms): ...")
    expected = "heart_rate_trusted: expected a table of people among accelerometer_landing"
    assert expected in lineage_with(project).stderr


@pytest.mark.parametrize("named", ["none-there", "~nobody-of-this-name/health"])
def test_a_variable_that_names_no_folder_is_a_clear_error(tmp_path, named):
    assert f"STEDI_PROJECT: expected a folder, got {named}" in lineage_with(tmp_path, project=named).stderr


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("physicalType: double", "physicalType: float", "line: schema[0].properties[2].physicalType: expected one of "),
        ("required: true", "required: yes please", "properties[0].required: expected true or false, got 'yes please'"),
        ("        classification: pii\n", "", "properties[0]: expected the field classification, got none"),
        ("{property: snapshotDays, value: 4}", "{property: snapshotDays, value: four}", "expected a whole number"),
        ("      - {property: zone, value: trusted}\n", "", "schema[0]: expected the custom property zone, got none"),
        (
            "value: trusted}",
            "value: landing}",
            "expected trusted or curated, because the table has madeFrom, got landing",
        ),
        (MADE_FROM, "", "schema[0]: expected the custom property madeFrom, got none"),
        ("value: trusted}", "value: bronze}", "expected one of landing, trusted, curated, got 'bronze'"),
        ("team:\n", "team\n", "expected YAML, got"),
        (
            PERSONAL_DAY,
            PERSONAL_DAY.replace("internal", "pii"),
            "expected internal, because partitions reveal its days",
        ),
        ("physicalType: timestamp", "physicalType: string", "expected timestamp, because it is partitioned by day"),
        ("value: 4}", "value: !!int four}", "expected a whole number, got 'four'"),
        ("value: 4}", "value: 0}", "expected days from 1 to 3650, got 0"),
        ("value: 4}", "value: !!python/name:os.system x}", "expected a whole number, got 'x'"),
        ("name: x", "name: X", "properties[2].name: expected a name of lowercase letters, digits and _, got 'X'"),
        ("name: x", "name: dropped", "properties[2].name: expected another name"),
        ("name: x", "name: user", "properties[2]: expected a name that no other column has, got user"),
        ("along the phone's x axis", "along the phone's x axis " * 12, "expected at most 255 characters, got "),
        ("name: accelerometer_trusted\n    physicalType", "name: other\n    physicalType", "as the file is called"),
    ],
)
def test_a_broken_contract_names_file_line_and_field(tmp_path, monkeypatch, old, new, error):
    assert old in TRUSTED
    broken = TRUSTED.replace(old, new, 1)
    file = tmp_path / "accelerometer_trusted.yaml"
    file.write_text(broken)
    monkeypatch.setattr(model, "_files", lambda: {"accelerometer_trusted": file})
    with pytest.raises(ContractError) as raised:
        model.contract.__wrapped__("accelerometer_trusted")
    said = str(raised.value)
    assert error.removeprefix("line: ") in said
    where, line, *_ = said.split(":")
    assert where == str(file)
    if len(new) and "\n" not in new:
        assert new in broken.splitlines()[int(line) - 1]


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("value: land}", "value: lnd}", "expected land, because the table is in landing, got lnd"),
        ("schema:\n", "schema:\n  - name: other\n", "schema[1]: expected one table, got another"),
    ],
)
def test_a_contract_of_landing_is_one_table_that_landing_builds(tmp_path, monkeypatch, old, new, error):
    landing = (CONTRACTS / "accelerometer_landing.yaml").read_text(encoding="utf-8")
    assert old in landing
    file = tmp_path / "accelerometer_landing.yaml"
    file.write_text(landing.replace(old, new, 1))
    monkeypatch.setattr(model, "_files", lambda: {"accelerometer_landing": file})
    with pytest.raises(ContractError, match=re.escape(error)):
        model.contract.__wrapped__("accelerometer_landing")


def test_an_empty_contract_is_named():
    with pytest.raises(ContractError, match=r"a\.yaml: expected a contract, got an empty file"):
        YamlField.parse(b"", PurePath("a.yaml"))


@pytest.mark.parametrize(("content", "error"), [(b"\xe9", "YAML in UTF-8"), (b"[" * 5000, "fields within fields")])
def test_what_is_no_contract_at_all_is_named(content, error):
    with pytest.raises(ContractError, match=rf"a\.yaml: expected .*{error}"):
        YamlField.parse(content, PurePath("a.yaml"))


def test_a_project_is_not_made_where_one_is(tmp_path):
    made = make_project(tmp_path / "health")
    assert all(file.is_file() for file in made)
    with pytest.raises(ProjectError, match="expected no project, got stedi"):
        make_project(tmp_path / "health")
