"""Withdrawn rows are deleted from the tables of a user's own project too, whatever its contracts and functions are."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.types import DateType
from support.commands import Finished, job, stedi
from support.paths import ROOT
from support.processes import PATIENCE

from stedi_common.cli.init import make_project

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: health.{zone}.{name}
name: {name}
version: 1.0.0
status: active
description: {{purpose: A test., usage: A test., limitations: A test.}}
team: {{name: health}}
schema:
  - name: {name}
    physicalType: table
    description: A test.
    customProperties:
      - {{property: zone, value: {zone}}}
      - {{property: snapshotDays, value: 4}}
      - {{property: madeBy, value: make_{name}}}
      - {{property: madeFrom, value: [{made_from}]}}
    properties:
"""
COLUMN = """\
      - name: {name}
        logicalType: any
        physicalType: {type}
        required: false
        classification: {classification}
        description: A test.
"""
DAY = """\
        partitioned: true
        customProperties:
          - {property: partitionTransform, value: day}
"""

#: Of each table the zone, the tables it is made from, and its columns.
TABLES = {
    "beats_without_people": ("trusted", "heart_rate_landing, customer_trusted", ("timestamp", "beats")),
    "beats_without_lookup": ("trusted", "heart_rate_landing, customer_trusted", ("timestamp", "beats")),
    "beats_of_pseudonyms": ("curated", "heart_rate_trusted, customer_trusted", ("pseudonym", "timestamp", "beats")),
    "beats_of_days": ("curated", "heart_rate_trusted", ("timestamp", "beats")),
    "beats_of_beats": ("curated", "beats_without_lookup", ("timestamp", "beats")),
    "people_with_beats": ("curated", "customer_trusted, heart_rate_trusted", ("pseudonym",)),
}
#: The column of each by which its rows are told.
LOOKED_AT = {name: columns[-1] for name, (_, _, columns) in TABLES.items()}
TYPES = {"timestamp": "timestamp", "beats": "int"}
FUNCTIONS = """
# The package's function, for use here: the package's table stays what it is.
from stedi_common.rules.tables import accelerometer_trusted


def beats_without_people(heart_rate_landing: Frame, customer_trusted: Frame, policy: Policy) -> Classified:
    return heart_rate_trusted(heart_rate_landing, customer_trusted, policy)


def beats_without_lookup(heart_rate_landing: Frame, customer_trusted: Frame, policy: Policy) -> Classified:
    return heart_rate_trusted(heart_rate_landing, customer_trusted, policy)


def beats_of_pseudonyms(heart_rate_trusted: Frame, customer_trusted: Frame, pseudonyms: Frame) -> Classified:
    named = heart_rate_trusted.join(pseudonyms.rename({"email": "user"}), on="user", how="left")
    return classify(named, nobody=nw.col("pseudonym").is_null())


def beats_of_days(heart_rate_trusted: Frame) -> Classified:
    days = heart_rate_trusted.with_columns(nw.col("timestamp").dt.truncate("1d"))
    beats = days.group_by("timestamp").agg(nw.col("beats").sum().cast(nw.Int32))
    return Classified(classify(beats).rows, (), one_to_one=False)


def beats_of_beats(beats_without_lookup: Frame) -> Classified:
    return classify(beats_without_lookup)


def people_with_beats(customer_trusted: Frame, heart_rate_trusted: Frame, pseudonyms: Frame) -> Classified:
    have = heart_rate_trusted.group_by("user").agg(nw.len().alias("n")).rename({"user": "email"})
    people = customer_trusted.join(have, on="email", how="left").join(pseudonyms, on="email", how="left")
    return classify(people, no_beats=nw.col("n").is_null())


LOOKUPS["beats_without_people"] = (Lookup("people's consent", "heart_rate_landing", "user", people_admitted),)
"""
CUSTOMER = (
    '{{"customerName": "A", "email": "{who}@example.org", "serialNumber": "sn-{who}", '
    '"registrationDate": "2024-03-01T00:00:00Z", "lastUpdateDate": "2024-03-0{day}T00:00:00Z"{consent}}}\n'
)
CONSENTS = ', "shareWithResearchAsOfDate": "2024-03-01T00:00:00Z"'
BEAT = '{{"user": "{who}@example.org", "timestamp": "2024-03-0{day}T10:00:00Z", "beats": {beats}}}\n'
#: Lands and computes all; then somebody withdraws, and of the tables only the first is recomputed.
SCRIPT = """
import json, sys
from pathlib import Path
import stedi_common as stedi

tables, second, options = json.loads(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
with stedi.open("lake", landing="drops") as lake:
    lake.land()
    lake.run()
    Path("drops/customer/2.json").write_text(second)
    lake.land(sources=["customer"])
with stedi.open("lake", landing="drops", **options) as lake:
    try:
        results = lake.run(["customer_landing_to_trusted"])
    except stedi.KeyMissingError:
        results = []
    deleted = [done.deleted for done in results if hasattr(done, "deleted")]
    beats = {table: lake.read(table, [column]).arrow()[column].to_pylist() for table, column in tables.items()}
    print(json.dumps([deleted, {table: sorted(values) for table, values in beats.items()}]))
"""


FIRST_RUN = """
import stedi_common as stedi

with stedi.open("lake", landing="drops") as lake:
    lake.land()
    lake.run()
"""
#: Somebody withdraws, while a table cannot be what its contract wants.
SECOND_RUN = """
import json
import stedi_common as stedi

with stedi.open("lake", landing="drops") as lake:
    lake.land(sources=["customer"])
    try:
        lake.run(["customer_landing_to_trusted"])
    except stedi.LakeError as error:
        rows = [len(lake.read(table).arrow()) for table in ("heart_rate_trusted", "beats_of_days")]
        print(json.dumps([str(error), rows]))
"""
#: Somebody withdraws, and the landed readings that the tables were computed from have expired.
EXPIRED = """
import json
from datetime import datetime
from pyiceberg.catalog.sql import SqlCatalog
import stedi_common as stedi

with stedi.open("lake", landing="drops") as lake:
    lake.land()
landed = SqlCatalog("stedi", uri="sqlite:///lake/catalog.db").load_table("landing.heart_rate_landing")
landed.maintenance.expire_snapshots().older_than(datetime.now()).commit()
with stedi.open("lake", landing="drops") as lake:
    lake.run(["customer_landing_to_trusted"])
    print(json.dumps([len(lake.read(table).arrow()) for table in ("heart_rate_trusted", "beats_without_people")]))
"""


@pytest.fixture
def project(tmp_path):
    """The project of the tutorial, and tables of all kinds that are made from its readings."""
    tutorial = (ROOT / "docs" / "tutorials" / "new-source.md").read_text(encoding="utf-8")
    (tmp_path / "contracts").mkdir()
    for name, content in re.findall(r'```(?:yaml|python) title="([^"]+)"\n(.*?)```', tutorial, re.S):
        (tmp_path / name).write_text(content)
    with (tmp_path / "tables.py").open("a") as file:
        file.write(FUNCTIONS)
    (tmp_path / "stedi.toml").write_text("[project]\n")
    for name, (zone, made_from, columns) in TABLES.items():
        contract = CONTRACT.format(zone=zone, name=name, made_from=made_from)
        for column in columns:
            contract += COLUMN.format(
                name=column,
                type=TYPES.get(column, "string"),
                classification="internal" if column in TYPES else "pseudonymous",
            )
            contract += DAY if column == "timestamp" else ""
        (tmp_path / "contracts" / f"{name}.yaml").write_text(contract)
    drops = {
        "customer": "".join(CUSTOMER.format(who=who, day=1, consent=CONSENTS) for who in ("ann", "bob")),
        "heart_rate": "".join(
            BEAT.format(who=w, day=d, beats=b) for w, d, b in (("ann", 2, 61), ("bob", 2, 70), ("bob", 3, 71))
        ),
        "accelerometer": "",
        "step_trainer": "",
    }
    for source, lines in drops.items():
        (tmp_path / "drops" / source).mkdir(parents=True)
        (tmp_path / "drops" / source / "1.json").write_text(lines)
    return tmp_path


def run(project: Path, script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        cwd=project,
        env={**os.environ, "XDG_CONFIG_HOME": str(project / "config"), "STEDI_PROJECT": str(project)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.rule(13)
def test_withdrawn_rows_of_a_project_are_deleted_before_its_tables_are_computed(project):
    withdraws = CUSTOMER.format(who="ann", day=4, consent="")
    (deleted,), rows = json.loads(run(project, SCRIPT, json.dumps(LOOKED_AT), withdraws, "{}"))
    assert deleted == {
        "people_with_beats": 1,
        "beats_of_pseudonyms": 1,
        "beats_of_days": 1,
        "beats_of_beats": 1,
        "heart_rate_trusted": 1,
        "beats_without_people": 1,
        "beats_without_lookup": 1,
        "customer_trusted": 1,
    }
    assert len(rows.pop("people_with_beats")) == 1
    assert rows == {table: [70, 71] for table in TABLES if table != "people_with_beats"}


#: Somebody consents whose readings had landed before.
CONSENTS_LATER = """
import json, sys
import stedi_common as stedi

with stedi.open("lake", landing="drops") as lake:
    lake.land(sources=["customer"])
    lake.run()
    rows = {table: lake.read(table, ["beats"]).arrow()["beats"].to_pylist() for table in json.loads(sys.argv[1])}
    print(json.dumps({table: sorted(beats) for table, beats in rows.items()}))
"""


@pytest.mark.rule(13)
def test_who_consents_later_is_in_the_tables_that_no_lookup_is_about(project):
    customers = project / "drops" / "customer"
    (customers / "1.json").write_text(CUSTOMER.format(who="bob", day=1, consent=CONSENTS))
    run(project, FIRST_RUN)
    (customers / "2.json").write_text(CUSTOMER.format(who="ann", day=1, consent=CONSENTS))
    tables = ["beats_without_people", "beats_without_lookup"]
    assert json.loads(run(project, CONSENTS_LATER, json.dumps(tables))) == {table: [61, 70, 71] for table in tables}


@pytest.mark.rule(13)
def test_tables_of_another_key_hold_up_no_deletion(project):
    (project / "key").write_text("ab" * 32)
    (project / "key").chmod(0o600)
    withdraws = CUSTOMER.format(who="ann", day=4, consent="")
    options = json.dumps({"pseudonym_key_file": str(project / "key")})
    deleted, rows = json.loads(run(project, SCRIPT, json.dumps(LOOKED_AT), withdraws, options))
    # The run is refused, so it returns nothing; whose pseudonyms are whose is not known.
    assert (deleted, rows["people_with_beats"], rows["beats_of_pseudonyms"]) == ([], [], [])
    assert rows["beats_without_people"] == [70, 71]


@pytest.mark.rule(13)
def test_a_table_that_cannot_be_written_to_holds_up_the_deletion_of_no_other(project):
    run(project, FIRST_RUN)
    contract = project / "contracts" / "beats_without_people.yaml"
    contract.write_text(contract.read_text().replace("physicalType: int", "physicalType: long"))
    (project / "drops" / "customer" / "2.json").write_text(CUSTOMER.format(who="ann", day=4, consent=""))
    error, rows = json.loads(run(project, SECOND_RUN))
    assert "beats_without_people.beats: expected the type long, got int" in error
    assert rows == [2, 2]


@pytest.mark.rule(13)
def test_rows_are_deleted_if_nothing_is_left_that_says_whose_they_are(project):
    run(project, FIRST_RUN)
    (project / "drops" / "customer" / "2.json").write_text(CUSTOMER.format(who="ann", day=4, consent=""))
    (project / "drops" / "heart_rate" / "2.json").write_text(BEAT.format(who="bob", day=4, beats=72))
    assert json.loads(run(project, EXPIRED)) == [2, 0]


#: How many rows the computed tables of the project have.
COUNT = """
import json, sys
import stedi_common as stedi

with stedi.open("lake", landing="drops") as lake:
    print(json.dumps({table: len(lake.read(table).arrow()) for table in json.loads(sys.argv[1])}))
"""
COMPUTED = dict.fromkeys(("heart_rate_trusted", *TABLES), 3) | {"beats_of_days": 2, "people_with_beats": 2}
WITHOUT_ANN = {name: rows - 1 + (name == "beats_of_days") for name, rows in COMPUTED.items()}
EMPTIED = dict.fromkeys(COMPUTED, 0)


class Computed:
    """A lake whose tables have been computed, those of the project, too."""

    def __init__(self, project: Path, elsewhere: Path) -> None:
        self.project, self.lake, self.elsewhere = project, project / "lake", elsewhere
        self.compute()
        assert self.rows() == COMPUTED

    def compute(self) -> None:
        run(self.project, FIRST_RUN)

    def rows(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(run(self.project, COUNT, json.dumps(list(COMPUTED))))
        return found

    def withdraw(self) -> None:
        """Ann withdraws, and her record lands."""
        drops = self.project / "drops"
        (drops / "customer" / "2.json").write_text(CUSTOMER.format(who="ann", day=4, consent=""))
        assert self.typed("land", "--landing", drops).code == 0

    def typed(self, *words: str | Path, project: Path | None = None) -> Finished:
        """A command of somebody whose project is another folder."""
        where = {"STEDI_PROJECT": str(project or self.elsewhere), "XDG_CONFIG_HOME": str(self.project / "config")}
        return stedi(*words, "--lake", self.lake, **where)


@pytest.fixture
def computed(project, tmp_path_factory):
    return Computed(project, tmp_path_factory.mktemp("elsewhere"))


@pytest.mark.rule(13)
def test_a_run_without_the_project_empties_its_tables_once_something_has_changed(computed):
    """As by a nightly command in another folder, or after a table was renamed."""
    assert computed.typed("run").code == 1
    assert computed.rows() == COMPUTED
    computed.withdraw()
    for _ in range(2):  # their older snapshots have rows
        said = computed.typed("run")
        assert said.code == 1
        expected = "lake: expected a contract for every trusted and curated table, got none for "
        tables = "curated.beats_of_beats, curated.beats_of_days, curated.beats_of_pseudonyms"
        assert f"error: {expected}{tables}" in said.err
        assert "customers_curated" not in said.err
        anns = computed.typed("query", "SELECT * FROM trusted.customer_trusted WHERE email LIKE 'ann%'", "--json")
        assert not json.loads(anns.out)
        assert computed.rows() == EMPTIED
    computed.compute()
    assert computed.rows() == WITHOUT_ANN
    for name, (zone, _, _) in (TABLES | {"heart_rate_trusted": ("trusted", "", ())}).items():
        shutil.rmtree(computed.lake / zone / name)  # nobody needs it
    assert computed.typed("run").code == 0


@pytest.mark.rule(13)
def test_a_broken_project_has_its_tables_emptied_once_something_has_changed(computed):
    whole = (computed.project / "tables.py").read_text()
    for withdraws, rows in ((False, COMPUTED), (True, EMPTIED)):
        if withdraws:
            computed.withdraw()
        (computed.project / "tables.py").write_text("import nothing_here")
        said = computed.typed("run", project=computed.project)
        assert said.code == 1
        assert "tables.py:1: ModuleNotFoundError: " in said.err
        (computed.project / "tables.py").write_text(whole)
        assert computed.rows() == rows
    assert "emptied, because rows that cannot be classified" in said.out
    computed.compute()
    assert computed.rows() == WITHOUT_ANN


@pytest.mark.rule(13)
@pytest.mark.parametrize(
    ("table", "column", "has_project"), [("customer_trusted", "phone", False), ("heart_rate_trusted", "beats", True)]
)
def test_a_table_with_another_column_type_than_its_contract_is_emptied(computed, table, column, has_project):
    """No run can write to it. What was built from it is emptied too, if nobody knows its contract."""
    catalog = SqlCatalog("stedi", uri=f"sqlite:///{computed.lake}/catalog.db")
    changed = catalog.load_table(f"trusted.{table}")
    with changed.update_schema(allow_incompatible_changes=True) as schema:
        schema.delete_column(column)
    with changed.update_schema(allow_incompatible_changes=True) as schema:
        schema.add_column(column, DateType())
    computed.withdraw()
    said = computed.typed("run", project=computed.project if has_project else None)
    assert (said.code, f"{table}.{column}: expected the type " in said.err) == (1, True)
    assert len(catalog.load_table(f"trusted.{table}").scan().to_arrow()) == 0
    if not has_project:
        assert computed.rows() == EMPTIED


@pytest.mark.rule(13)
@pytest.mark.parametrize(
    ("file", "content", "error"),
    [
        ("tables.py", "import nothing_here", "tables.py:1: ModuleNotFoundError: "),
        ("tables.py", "LOOKUPS = 5", "heart_rate_trusted: expected a function of this name, got none"),
        ("contracts/heart_rate_landing.yaml", "schema: [", ": expected YAML, got: "),
        ("contracts/customer_trusted.yaml", "", "customer_trusted.yaml: expected another name, got customer_trusted"),
        (None, None, "STEDI_PROJECT: expected a folder, got "),
    ],
    ids=["import", "function", "contract", "name", "folder"],
)
def test_a_broken_project_holds_up_no_deletion_from_the_tables_of_the_package(tmp_path, file, content, error):
    drops, lake, folder = tmp_path / "drops", tmp_path / "lake", tmp_path / "health"
    for source in ("customer", "accelerometer", "step_trainer"):
        (drops / source).mkdir(parents=True)
    (drops / "customer" / "1.json").write_text(CUSTOMER.format(who="ann", day=1, consent=CONSENTS))

    def typed(*words: str | Path, **environment: str) -> Finished:
        return stedi(*words, "--lake", lake, XDG_CONFIG_HOME=str(tmp_path / "config"), **environment)

    assert typed("land", "--landing", drops).code == 0
    assert typed("run", "customer_landing_to_trusted").code == 0
    (drops / "customer" / "2.json").write_text(CUSTOMER.format(who="ann", day=4, consent=""))
    assert typed("land", "customer", "--landing", drops).code == 0
    if file:
        make_project(folder)
        tutorial = (ROOT / "docs" / "tutorials" / "new-source.md").read_text(encoding="utf-8")
        for name, text in re.findall(r'```(?:yaml|python) title="([^"]+)"\n(.*?)```', tutorial, re.S):
            (folder / name).write_text(text)
        (folder / file).write_text(content)
    broken = {"STEDI_PROJECT": str(folder)}
    for command in (("land", "--landing", drops), ("run", "--plan"), ("recover",)):
        said = typed(*command, **broken)
        assert (said.code, said.out, error in said.err) == (1, "", True), said
    said = typed("run", "heart_rate_landing_to_trusted", **broken)
    assert (said.code, error in said.err) == (1, True), said
    assert said.err.count("error: ") == 1
    assert "withdrawn rows deleted before all else: 1 row of customer_trusted" in said.out
    said = job("remove_withdrawn", "--lake", lake, XDG_CONFIG_HOME=str(tmp_path / "config"), **broken)
    assert (said.code, error in said.err) == (1, True), said
