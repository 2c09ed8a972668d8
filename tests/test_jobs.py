"""The scripts of `jobs/`: short, and Glue's way of calling them works wherever Python or Spark runs."""

import ast
import importlib.util
import json
import os
import re
import shutil
from contextlib import redirect_stdout
from io import StringIO

import pyarrow as pa
import pytest
from pyiceberg.catalog.sql import SqlCatalog
from support import canaries
from support.commands import JOBS, job, python, submitted
from support.drops import at, customer, drop, landing, reading, step
from support.lakes import opening, write

from stedi_common import jobs, maintenance
from stedi_common import landing as landing_module
from stedi_common.contracts import SOURCES, contract, names
from stedi_common.errors import StediError
from stedi_common.lake import Lake
from stedi_common.lake.mark import mark_of
from stedi_common.lake.properties import LakeProperties
from stedi_common.rules import lineage
from stedi_common.runs import executor

#: As users of this pipeline know them, in the order of their dependencies.
FIVE = (
    "customer_landing_to_trusted",
    "accelerometer_landing_to_trusted",
    "customer_trusted_to_curated",
    "step_trainer_landing_to_trusted",
    "machine_learning_curated",
)
SCRIPTS = sorted(path.stem for path in JOBS.glob("*.py"))
#: What Glue hands to every script.
GLUES = (
    *("--JOB_NAME", "stedi-job", "--JOB_ID", "j_1", "--JOB_RUN_ID", "jr_1"),
    *("--TempDir", "s3://bucket/tmp/", "--job-bookmark-option", "job-bookmark-disable", "--enable-metrics", "true"),
)
#: The job and the table of each line that a full run prints.
STEPS = [
    *(("land", f"{source}_landing") for source in SOURCES),
    *((job.name, job.target.name) for job in lineage.JOBS.values()),
]
#: The names in those lines, which metrics are made of: see `stedi_common.jobs`.
PRINTED = {
    *("job", "table", "changed", "days", "rows_in", "rows_kept", "dropped", "rows"),
    *("source", "files", "lines", "landed", "rejected", "duplicate", "suppressed", "blank", "nulled_values"),
    *("doubtful", "without_address", "unread", "skipped", "warnings"),
}
MAINTAINED = {
    *("job", "table", "files", "bytes", "snapshots", "refs", "removed", "pinned", "skipped"),
    *("recent_unknown_files", "unknown_bytes", "table_bytes"),
}
#: A project with a fourth source, and what packs it.
PROJECT = JOBS.parent / "terraform" / "lakehouse" / "tests" / "heart_rate"
PACK = JOBS.parent / "terraform" / "modules" / "artifacts" / "project.py"
BEAT = {"user": "ann@example.org", "timestamp": at("09:00"), "beats": 72}
PAIR = landing(
    [customer("ann@example.org", at("08:00"), at("08:00"), "sn-1")],
    [reading("ann@example.org", at("09:00"))],
    [step("sn-1", at("09:00"))],
)


def test_the_scripts_are_those_that_users_know():
    assert set(SCRIPTS) == {"land", *FIVE, "lakehouse", "maintain_tables", "make_table", "remove_withdrawn"}
    assert tuple(lineage.JOBS) == FIVE


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_about_twenty_lines(script):
    text = (JOBS / f"{script}.py").read_text()
    assert len(text.splitlines()) <= 25
    assert ast.get_docstring(ast.parse(text)).startswith("Glue job: ")


def test_glues_own_library_is_not_here():
    """Else the tests below would not show that nobody needs it."""
    assert importlib.util.find_spec("awsglue") is None


def test_all_scripts_make_the_tables(tmp_path):
    """With Glue's arguments, on the embedded engine; and no canary is leaked on the way."""
    write(tmp_path / "drops", canaries.drops())
    common = (*GLUES, "--lake", tmp_path / "lake", "--engine", "embedded")
    done = [job("land", "--source", source, "--landing", tmp_path / "drops", *common) for source in SOURCES]
    done += [job(name, *common) for name in lineage.JOBS]
    assert [each.code for each in done] == [1, *[0] * 7]
    assert done[0].err.startswith("customer_landing is stale: land: expected a known address in every customer line")
    printed = [json.loads(each.out) for each in done]
    assert [(one["job"], one["table"]) for one in printed] == STEPS
    assert printed[-1]["rows_kept"] == 600
    assert {name for one in printed for name in one} == PRINTED
    assert canaries.leaked("".join(each.output for each in done)) == set()
    assert canaries.misplaced(tmp_path / "lake") == {}


def test_a_table_without_a_script_of_its_own_is_made_by_one_for_all(tmp_path):
    """It does what the script of the job does."""
    write(tmp_path / "drops", PAIR)
    words = (*GLUES, "--lake", tmp_path / "lake", "--engine", "embedded")
    assert job("land", "--source", "customer", "--landing", tmp_path / "drops", *words).code == 0
    done = job("make_table", "--job", "customer_landing_to_trusted", *words)
    told = json.loads(done.out)
    assert (done.code, told["job"], told["rows_kept"]) == (0, "customer_landing_to_trusted", 1)


def test_a_project_in_a_zip_lands_and_makes_tables_of_its_own(tmp_path):
    """As Glue has it: imported from the zip that `make artifacts PROJECT=…` packs."""
    packed = python(PACK, shutil.copytree(PROJECT, tmp_path / "project")).out.strip()
    path = os.pathsep.join([packed, *filter(None, [os.environ.get("PYTHONPATH")])])
    write(tmp_path / "drops", PAIR | {"heart_rate/1.json": drop(BEAT)})
    words = (*GLUES, "--lake", tmp_path / "lake", "--engine", "embedded")
    for source in ("customer", "heart_rate"):
        done = job("land", "--source", source, "--landing", tmp_path / "drops", *words, PYTHONPATH=path)
        assert (done.code, json.loads(done.out)["landed"]) == (0, 1), done.err
    for name in ("customer_landing_to_trusted", "heart_rate_landing_to_trusted"):
        done = job("make_table", "--job", name, *words, PYTHONPATH=path)
        assert (done.code, json.loads(done.out)["rows_kept"]) == (0, 1), done.err


def test_a_job_that_is_not_there_is_named(tmp_path):
    done = job("make_table", "--job", "customer_landing_to_moon", "--lake", tmp_path / "lake")
    assert done.code == 2
    assert "invalid choice: 'customer_landing_to_moon'" in done.err


def test_one_script_makes_the_tables_too(connect, tmp_path):
    """On either engine, in one session; and again, when there is nothing to do."""
    write(tmp_path / "drops", PAIR)
    words = ["--landing", str(tmp_path / "drops"), "--lake", str(tmp_path / "lake"), "--engine", connect.args[0]]
    first, second = [steps_of(words) for _ in range(2)]
    assert [(one["job"], one["table"]) for one in first] == [(one["job"], one["table"]) for one in second] == STEPS
    assert [one["landed"] for one in first[:3]] == [1, 1, 1]
    assert [(one["changed"], one["rows_kept"]) for one in first[3:]] == [(True, 1)] * 5
    assert [one["files"] for one in second[:3]] == [0, 0, 0]
    assert [(one["changed"], one["rows_kept"]) for one in second[3:]] == [(False, 1)] * 5
    lake = Lake.at(str(tmp_path / "lake"))
    assert mark_of(lake) == LakeProperties.of(lake).mark()


def steps_of(words):
    printed = StringIO()
    with redirect_stdout(printed):
        assert jobs.lakehouse(words) is None
    return [json.loads(line) for line in printed.getvalue().splitlines()]


def test_a_script_removes_who_withdrew(tmp_path):
    """One line if there was anything to remove, and before and after it none."""
    words = (*GLUES, "--lake", tmp_path / "lake", "--engine", "embedded")
    making = ("--landing", str(tmp_path / "drops"), "--lake", str(tmp_path / "lake"), "--engine", "embedded")
    write(tmp_path / "drops", PAIR)
    steps_of(making)
    withdrawal = customer("ann@example.org", at("10:00"), None, "sn-1")
    write(tmp_path / "drops", landing([withdrawal], name="later"))
    assert job("land", "--source", "customer", "--landing", tmp_path / "drops", *words).code == 0
    done = [job("remove_withdrawn", *words) for _ in range(2)]
    assert [(each.code, each.err) for each in done] == [(0, "")] * 2
    assert [len(each.out.splitlines()) for each in done] == [1, 0]
    printed = json.loads(done[0].out)
    assert (printed["job"], printed["table"]) == ("remove_withdrawn", "withdrawals")
    assert list(printed["deleted"].values()) == [1] * 5


@pytest.fixture
def without_customers(tmp_path) -> list[str]:
    """A lake that has lost its customer records, as arguments."""
    write(tmp_path / "drops", PAIR)
    of_lake = ["--lake", str(tmp_path / "lake"), "--engine", "embedded"]
    assert jobs.lakehouse(["--landing", str(tmp_path / "drops"), *of_lake]) is None
    customers = contract("customer_landing")
    with opening() as connect_to:
        engine = connect_to("embedded", tmp_path / "lake")
        engine.replace(customers, engine.frame(customers, []), engine.head(customers), {})
    return of_lake


def test_a_script_empties_all_tables_if_customer_records_are_missing(without_customers, capsys):
    capsys.readouterr()
    assert jobs.remove_withdrawn(without_customers) is None
    printed = json.loads(capsys.readouterr().out)
    assert len(printed["emptied"]) == len(lineage.JOBS)


def test_a_script_names_tables_without_a_contract(tmp_path):
    """Nobody deletes withdrawn rows from them otherwise."""
    write(tmp_path / "drops", PAIR)
    of_lake = ["--lake", str(tmp_path / "lake"), "--engine", "embedded"]
    assert jobs.lakehouse(["--landing", str(tmp_path / "drops"), *of_lake]) is None
    catalog = SqlCatalog("stedi", uri=f"sqlite:///{tmp_path}/lake/catalog.db")
    rows, place = pa.table({"email": ["ann@example.org"]}), f"file://{tmp_path}/lake/curated/features"
    catalog.create_table("curated.features", rows.schema, place, properties={"stedi.owner": "health"}).append(rows)
    assert "withdrawals is stale: " in (stale := jobs.remove_withdrawn(of_lake) or "")
    assert "curated.features" in stale


@pytest.mark.parametrize("job", lineage.JOBS.values(), ids=list(lineage.JOBS))
def test_a_job_that_reads_customer_records_expects_all_that_have_landed(without_customers, job):
    """The others do not, and need no right to read them."""
    stale = jobs.run_job(job.name, without_customers)
    if contract("customer_landing") in job.sources:
        missing = "customer_landing: expected a row for each of 1 lines that have landed, got 0"
        assert stale.startswith(f"{job.target.name} is stale: {missing}")
    else:
        assert stale is None


def test_a_script_maintains_what_is_there(tmp_path):
    """A line for each table, and none for those that nobody has made; no key and no policy."""
    write(tmp_path / "drops", PAIR)
    words = (*GLUES, "--lake", tmp_path / "lake", "--engine", "embedded")
    assert job("land", "--source", "customer", "--landing", tmp_path / "drops", *words).code == 0
    done = job("maintain_tables", *words, XDG_CONFIG_HOME=str(tmp_path / "nobody"))
    printed = [json.loads(line) for line in done.out.splitlines()]
    assert (done.code, done.err) == (0, "")
    assert {one["job"] for one in printed} == {"maintain_tables"}
    assert [one["table"] for one in printed] == ["customer_landing", "landed_files", "rejected_records"]
    assert {name for one in printed for name in one} == MAINTAINED
    assert not (tmp_path / "nobody").exists()


def maintained(tmp_path, *, maintain: str | None = "true"):
    """What the job of all tables returns, and the lines that it prints about maintenance."""
    words = ["--landing", str(tmp_path / "drops"), "--lake", str(tmp_path / "lake"), "--engine", "embedded"]
    printed = StringIO()
    with redirect_stdout(printed):
        message = jobs.lakehouse([*words, *(("--maintain", maintain) if maintain else ())])
    lines = map(json.loads, printed.getvalue().splitlines())
    return message, [line for line in lines if line["job"] == "maintain_tables"]


def test_one_job_maintains_all_tables_in_the_end(tmp_path):
    write(tmp_path / "drops", PAIR)
    message, (*lines, last) = maintained(tmp_path)
    assert (message, last) == (None, {"job": "maintain_tables", "table": "maintenance", "failed": 0})
    assert {line["table"] for line in lines} == set(names())
    assert {name for line in lines for name in line} == MAINTAINED
    for unasked in (None, "false"):
        assert maintained(tmp_path, maintain=unasked) == (None, [])


def test_a_maintenance_that_fails_is_counted_and_does_not_fail_the_job(tmp_path, monkeypatch, capsys):
    write(tmp_path / "drops", PAIR)
    maintain = maintenance.maintain

    def fails(engine, table, **named):
        if table.name == "customer_trusted":
            raise StediError("customer_trusted: expected luck, got none")
        return maintain(engine, table, **named)

    monkeypatch.setattr(maintenance, "maintain", fails)
    message, (*lines, last) = maintained(tmp_path)
    assert (message, last["failed"]) == (None, 1)
    assert {line["table"] for line in lines} == set(names()) - {"customer_trusted"}
    assert "customer_trusted is not maintained: customer_trusted: expected luck" in capsys.readouterr().err


def test_a_run_that_fails_is_maintained_all_the_same(tmp_path, monkeypatch):
    """Snapshots that hold withdrawn people expire, however long a table cannot be computed."""
    write(tmp_path / "drops", PAIR)

    def fails(*_, **__):
        raise StediError("customer_trusted: expected luck, got none")

    monkeypatch.setattr(executor, "run", fails)
    message, lines = maintained(tmp_path)
    assert message.startswith("customer_trusted is stale: customer_trusted: expected luck")
    assert [line["table"] for line in lines] == [
        *(name for name in names() if contract(name).zone == "landing"),
        "maintenance",
    ]


def test_a_lake_that_cannot_be_opened_is_not_maintained(tmp_path, monkeypatch):
    def fails(*_, **__):
        raise StediError("lake: expected luck, got none")

    monkeypatch.setattr(jobs, "lake_of", fails)
    message, lines = maintained(tmp_path)
    assert message.startswith("customer_landing is stale: lake: expected luck")
    assert lines == [{"job": "maintain_tables", "table": "maintenance", "failed": len(names())}]


@pytest.mark.parametrize(
    "error", [StediError("accelerometer: expected luck, got none"), ZeroDivisionError("ann@example.org")]
)
def test_a_source_that_fails_holds_up_no_other_step(tmp_path, monkeypatch, capsys, error):
    """Withdrawn rows are deleted, the other tables are made, and what is stale is named at the end."""
    write(tmp_path / "drops", PAIR)
    words = ["--landing", str(tmp_path / "drops"), "--lake", str(tmp_path / "lake"), "--engine", "embedded"]
    assert jobs.lakehouse(words) is None
    write(
        tmp_path / "drops",
        landing([customer("ann@example.org", at("10:00"))], [reading("ann@example.org", 1)], name="2"),
    )

    def land(engine, source, *args, **named):
        if source == "accelerometer":
            raise error
        return landing_module.land(engine, source, *args, **named)

    monkeypatch.setattr("stedi_common.runs.run_all.land", land)
    capsys.readouterr()
    stale = jobs.lakehouse(words)
    assert re.fullmatch("accelerometer_landing is stale: (accelerometer: expected luck|unexpected ZeroDiv)[^@]*", stale)
    printed = {line["table"]: line for line in map(json.loads, capsys.readouterr().out.splitlines())}
    assert list(printed["withdrawals"]["deleted"].values()) == [1] * 5
    assert printed["machine_learning_curated"]["rows"] == 0


def test_a_table_that_fails_ends_the_run_and_names_what_was_not_made(tmp_path, monkeypatch):
    write(tmp_path / "drops", PAIR)
    run = executor.run

    def fails(engine, job, *args, **named):
        if job.name == "customer_trusted_to_curated":
            raise StediError("customers_curated: expected luck, got none")
        return run(engine, job, *args, **named)

    monkeypatch.setattr(executor, "run", fails)
    words = ["--landing", str(tmp_path / "drops"), "--lake", str(tmp_path / "lake"), "--engine", "embedded"]
    assert jobs.lakehouse(words) == (
        "customers_curated is stale: customers_curated: expected luck, got none; "
        "step_trainer_trusted is stale: its task did not run; machine_learning_curated is stale: its task did not run"
    )


def test_a_customer_line_without_a_known_address_is_an_error_of_the_job(tmp_path):
    """The tables are made all the same."""
    write(tmp_path / "drops", PAIR | {"customer/2.json": b"{\n"})
    words = ["--landing", str(tmp_path / "drops"), "--lake", str(tmp_path / "lake"), "--engine", "embedded"]
    printed = StringIO()
    with redirect_stdout(printed):
        problem = jobs.lakehouse(words)
    assert problem.startswith("customer_landing is stale: land: expected a known address in every customer line")
    assert [json.loads(line)["table"] for line in printed.getvalue().splitlines()] == [table for _, table in STEPS]


@pytest.mark.parametrize(("engine_asked", "chosen"), [("spark", "spark"), ("auto", "embedded")])
def test_a_script_runs_under_spark_submit(tmp_path, engine_asked, chosen):
    """Where Spark has started Java before the script runs, and without Iceberg. A small run starts no session there."""
    write(tmp_path / "drops", PAIR)
    words = ("--landing", tmp_path / "drops", *GLUES, "--lake", tmp_path / "lake")
    done = submitted("lakehouse", *words, *(() if engine_asked == "auto" else ("--engine", engine_asked)))
    assert (done.code, last_line(done)["rows_kept"]) == (0, 1), done.err
    with opening() as connect_to:
        engine, table = connect_to("embedded", tmp_path / "lake"), contract("machine_learning_curated")
        assert engine.head(table).summary["stedi.engine"].split()[0] == chosen


def last_line(done):
    """What the script said. Before it, Java may tell of its options."""
    return json.loads(done.out.splitlines()[-1])


def test_an_error_is_written_to_standard_error(tmp_path):
    done = job("machine_learning_curated", "--lake", tmp_path / "lake", "--engine", "embedded", "--consent", "always")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(
        "machine_learning_curated is stale: --consent: expected one of as-of, ever, got 'always'"
    )
    assert not (tmp_path / "lake").exists()


def test_a_missing_argument_is_wrong_usage():
    done = job("customer_landing_to_trusted", *GLUES)
    assert (done.code, done.out) == (2, "")
    assert "the following arguments are required: --lake" in done.err


def test_no_argument_is_taken_for_another(tmp_path, capsys):
    """What Glue hands over must not pass for an abbreviation of ours, nor a misspelled one of ours for Glue's."""
    with pytest.raises(SystemExit, match="2"):
        jobs.run_job("customer_landing_to_trusted", ["--lak", str(tmp_path)])
    assert "expected an argument of its own or of Glue, got --lak; did you mean --lake?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argument", "near"),
    [("--defective_serial", "--defective_serials"), ("--enable-metric", "--enable-metrics"), ("--xyz", None)],
)
def test_an_unknown_argument_is_wrong_usage_and_told_the_nearest(argument, near, capsys):
    with pytest.raises(SystemExit, match="2"):
        jobs.run_job("customer_landing_to_trusted", [*GLUES, argument, "sn-1", "--lake", "lake"])
    said = capsys.readouterr().err
    assert f"got {argument}{f'; did you mean {near}?' if near else ''}\n" in said


@pytest.mark.parametrize("argument", sorted(jobs.GLUE_ARGUMENTS))
def test_glues_arguments_are_let_pass(argument):
    """With a value, without one, and beside the words that Glue adds of its own."""
    for words in ([argument], [argument, ""], [argument, "true"], ["true", f"{argument}=a", "true"]):
        parsed = jobs._parsed(jobs._parser("land"), [*words, "--lake", "lake"])
        assert parsed.lake == "lake" or argument in {"--conf", "--python-modules-installer-option"}


def test_what_terraform_and_localstack_hand_over_is_known():
    """The arguments of Terraform's jobs, and those that LocalStack's Glue keeps to itself."""
    root = JOBS.parent
    terraform = (root / "terraform/lakehouse/jobs.tf", root / "terraform/modules/glue_job/main.tf")
    named = {name for file in terraform for name in re.findall(r'"(--[\w-]+)"', file.read_text())}
    named |= set(
        re.findall(r'"(--[\w-]+)"', (root / "localstack/localstack_lakehouse/glue/jobs/arguments.py").read_text())
    )
    assert {"--lake", "--defective_serials", "--conf"} <= named
    parser = jobs._parser("land")
    parser.add_argument("--source")
    parser.add_argument("--job")
    parser.add_argument("--maintain")
    for name in sorted(named):
        jobs._parsed(parser, [name, "a"])


def test_a_job_takes_dashes_and_underscores():
    for spelled in ("--defective-serials", "--defective_serials"):
        parsed = jobs._parsed(jobs._parser("land"), [spelled, "serials.txt", "--database_prefix", ""])
        assert jobs._given(parsed) == {"defective_serials": "serials.txt"}
