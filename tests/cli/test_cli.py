"""The command line: what it says, where it says it, and how it ends."""

import json
import os
from pathlib import Path
from typing import Any

import click
import pytest
import typer
from support.cli import DROPS, error_lines
from support.commands import Finished, python
from support.commands import stedi as stedi_in_a_process
from support.drops import at, customer, drop, landing, line_of, reading
from support.lakes import write

from stedi_common import __version__
from stedi_common import landing as landing_module
from stedi_common.cli import commands, show
from stedi_common.contracts import SOURCES, names
from stedi_common.engines.embedded.engine import EmbeddedEngine
from stedi_common.errors import CommitConflictError, StediError
from stedi_common.records import blocks, storage
from stedi_common.rules.lineage import JOBS

COMMANDS = typer.main.get_command(commands.app).commands


@pytest.fixture
def landed(stedi, tmp_path):
    """The command line, where drops have landed."""
    write(tmp_path / "drops", DROPS)
    assert stedi("land").code == 0
    return stedi


# Help


@pytest.mark.parametrize("command", COMMANDS.values(), ids=list(COMMANDS))
def test_every_command_says_what_it_does_in_one_sentence(command):
    assert command.help.endswith(".")
    assert "\n" not in command.help


@pytest.mark.parametrize(
    ("command", "parameter"), [(name, parameter) for name, c in COMMANDS.items() for parameter in c.params]
)
def test_every_parameter_has_a_help(command, parameter):
    assert parameter.help, f"stedi {command}: {parameter.name} has no help"
    assert parameter.help.endswith((".", "default"))


@pytest.mark.parametrize("option", ["-h", "--help"])
@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command(stedi, command, option):
    said = stedi(command, option)
    assert (said.code, said.err) == (0, "")
    assert COMMANDS[command].help in said.out
    assert "Traceback" not in said.out


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_the_help_lists_the_commands_and_the_exit_codes(stedi, option):
    said = stedi(option)
    assert [name for name in COMMANDS if name not in said.out] == []
    assert "0 done, 1 error, 2 wrong usage, 3 other runs" in said.out


def test_the_commands_are_those_of_the_product():
    assert list(COMMANDS) == [
        *("generate", "init", "land", "run", "maintain", "status", "check", "repair", "relocate", "recover"),
        *("query", "demo", "policy", "subject"),
    ]


def test_the_version(stedi):
    assert stedi("--version") == Finished(0, f"{__version__}\n", "")


HEAVY = ("duckdb", "narwhals", "numpy", "pyarrow", "pydantic", "pyiceberg", "pyspark", "sqlalchemy", "yaml")


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (["--version"], [*HEAVY, "rich"]),
        (["--help"], HEAVY),
        (["-h"], HEAVY),
        (["run", "--consent", "alway"], ["duckdb", "pyarrow", "pyiceberg", "pyspark"]),
    ],
    ids=" ".join,
)
def test_what_is_quick_imports_nothing_that_is_slow(words, absent):
    assert [name for name in absent if name in imported_by(*words)] == []


#: What a command that reads a lake in a folder can do without.
FOR_WRITING = ("sqlalchemy", "pyiceberg.io.pyarrow", "pyarrow.dataset", "fsspec", "requests", "botocore")
FOR_LANDING = ("stedi_common.landing", "stedi_common.records", "pyarrow.compute", "rich.progress")


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (["status"], [*FOR_WRITING, *FOR_LANDING, "pandas"]),
        (["policy", "show"], ["duckdb", "numpy", "pyarrow", "pyiceberg", "sqlalchemy"]),
        (["query", "SELECT 1"], [*FOR_WRITING, "stedi_common.landing", "stedi_common.records", "rich.progress"]),
        (["run", "--plan"], [*FOR_WRITING, "rich.progress"]),
    ],
    ids=" ".join,
)
def test_what_only_reads_imports_nothing_for_writing(made_folder, monkeypatch, words, absent):
    monkeypatch.chdir(made_folder)
    imported = imported_by(*words)
    assert "stedi_common.lake.catalog_file" in imported
    assert [name for name in absent if name in imported] == []


def imported_by(*words):
    """The modules that the command line has imported when it ends."""
    script = "import sys; from stedi_common.cli import main; sys.argv = ['stedi', *sys.argv[1:]]\n"
    script += "try: main()\nfinally: print('imported:', *sys.modules)"
    imported = python("-c", script, *words).out.rpartition("imported: ")[2].split()
    assert "stedi_common.cli" in imported
    return imported


# Exit codes


@pytest.mark.parametrize("words", [("fly",), ("land", "--fly"), ("query",), ("run", "--engine", "steam")])
def test_wrong_usage_ends_with_2(stedi, words):
    said = stedi(*words)
    assert (said.code, said.out) == (2, "")
    assert "Usage:" in said.err


def test_a_commit_conflict_ends_with_3(landed, monkeypatch):
    def lost(*_, **__):
        raise CommitConflictError("customer_trusted: snapshot changed: expected 1, found 2", "again")

    monkeypatch.setattr(EmbeddedEngine, "replace_classified", lost)
    said = landed("run")
    assert said.code == 3
    assert said.err.splitlines()[-1] == "hint:  again"


def test_an_error_is_one_line_and_a_hint(stedi, tmp_path):
    (error, hint) = error_lines(stedi("status"))
    assert error == f"error: lake {tmp_path}/lake: expected a folder with catalog.db, got none"
    assert hint.startswith("hint:  ")


@pytest.mark.parametrize("command", [["status"], ["query", "SELECT 1"]])
def test_reading_makes_no_lake(stedi, command, tmp_path):
    assert stedi(*command).code == 1
    assert not (tmp_path / "lake").exists()


def test_no_landing_folder_is_an_error(stedi):
    assert (
        error_lines(stedi("land", "--landing", "nowhere"))[0] == "error: nowhere: expected a folder of drops, got none"
    )


@pytest.mark.parametrize(
    ("words", "known", "near"),
    [
        (("land", "customers"), SOURCES, "customer"),
        (("land", "customer", "step-trainer"), SOURCES, "step_trainer"),
        (("run", "customer_landing"), JOBS, "customer_landing_to_trusted"),
        (("run", "customer_landing_to_trusted", "machine_learning"), JOBS, "machine_learning_curated"),
        (("run", "--consent", "asof"), ("as-of", "ever"), "as-of"),
        (("run", "--consent", "AS-OF"), ("as-of", "ever"), "as-of"),
        (("demo", "--consent", "evr"), ("as-of", "ever"), "ever"),
        (("run", "--pairing", "owners"), ("owner", "timestamp"), "owner"),
        (("demo", "--pairing", "timestamps"), ("owner", "timestamp"), "timestamp"),
        (("run", "--environment", "prd"), ("local", "prod"), "prod"),
    ],
    ids=" ".join,
)
def test_an_unknown_name_is_wrong_usage_and_suggests_the_nearest(stedi, tmp_path, words, known, near):
    """A misspelled environment would be none that is guarded."""
    said = stedi(*words)
    sentence = " ".join(said.err.replace("│", " ").split())
    assert (said.code, said.out) == (2, "")
    assert [name for name in known if name not in sentence] == []
    assert f"got '{words[-1]}'; did you mean {near}?" in sentence
    assert not (tmp_path / "lake").exists()


def test_a_name_like_no_other_lists_the_known_names(stedi):
    said = stedi("run", "xyz")
    assert (said.code, "expected one of" in said.err, "did you mean" in said.err) == (2, True, False)


@pytest.mark.parametrize("environment", ["prod", " PROD ", "production"])
def test_production_is_known_however_it_is_written(stedi, environment):
    assert (
        f"in {environment.strip()}, got"
        in error_lines(stedi("run", "--consent", "ever", "--environment", environment))[0]
    )


def test_options_alone_are_wrong_usage(stedi):
    said = stedi("--debug")
    assert (said.code, "Missing command." in said.err) == (2, True)


# Completion


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("stedi ma", ["maintain"]),
        ("stedi land ", list(SOURCES)),
        ("stedi run customer", ["customer_landing_to_trusted", "customer_trusted_to_curated"]),
        ("stedi run --consent ", ["as-of", "ever"]),
        ("stedi run --pairing t", ["timestamp"]),
        ("stedi run --engine e", ["embedded"]),
        ("stedi run --environment p", ["prod", "production"]),
    ],
)
def test_names_are_completed(stedi, monkeypatch, typed, completed):
    monkeypatch.setenv("_STEDI_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split(" ")) - 1))
    assert stedi().out.split() == completed


def test_the_shell_learns_completion(stedi, monkeypatch):
    # Typer asks which shell this runs in: in a detached process there is none.
    monkeypatch.setattr("shellingham.detect_shell", lambda *_: ("bash", "/bin/bash"))
    assert "_STEDI_COMPLETE" in stedi("--show-completion", "bash").out + stedi("--show-completion").out


def test_production_may_be_named_by_the_environment(stedi, monkeypatch):
    monkeypatch.setenv("STEDI_ENVIRONMENT", "prod")
    assert "expected consent=as-of pairing=owner in prod" in error_lines(stedi("run", "--consent", "ever"))[0]


def test_a_missing_list_of_serials_is_an_error(stedi):
    assert error_lines(stedi("run", "--defective-serials", "none.txt")) == [
        "error: --defective-serials: expected a readable file, got No such file or directory at none.txt"
    ]


# Unexpected errors


PERSON = "ann@example.org"


@pytest.fixture
def broken(landed, monkeypatch):
    """The command line, where a run fails in a way nobody thought of; the message quotes a value."""

    def fails(*_, **__):
        try:
            raise KeyError(PERSON)
        except KeyError as error:
            raise ValueError(PERSON) from error

    monkeypatch.setattr(EmbeddedEngine, "replace_classified", fails)
    return landed


def test_an_unexpected_error_has_no_traceback(broken):
    error, hint = error_lines(broken("run"))
    assert error.startswith("error: unexpected ValueError at ")
    assert hint == "hint:  stedi --debug … prints the traceback, without values"


@pytest.mark.parametrize("how", ["option", "environment"])
def test_debug_shows_the_traceback_without_values(broken, monkeypatch, how):
    if how == "environment":
        monkeypatch.setenv("STEDI_DEBUG", "1")
    said = broken(*(["--debug"] if how == "option" else []), "run")
    assert said.code == 1
    assert said.err.index("KeyError") < said.err.index("which led to") < said.err.index("ValueError")
    assert "in fails" in said.err
    assert "example.org" not in said.err


def test_an_error_of_the_user_has_no_traceback(stedi):
    assert error_lines(stedi("--debug", "status"))[0].startswith("error: lake ")


# The log


def logged(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_the_log_has_a_line_for_each_table(landed, tmp_path):
    log = tmp_path / "log.jsonl"
    assert landed("--log-file", log, "run").code == 0
    start, engine, *tables, end = logged(log)
    assert (engine["event"], engine["engine"]) == ("engine", "embedded")
    assert {line["command"] for line in (start, *tables, end)} == {"run"}
    assert len({line["run"] for line in (start, *tables, end)}) == 1
    assert [(line["event"], line["table"]) for line in tables] == [("table", job.target.name) for job in JOBS.values()]
    assert tables[1]["counts"] == {"rows_in": 2, "rows_kept": 1, "no_consent": 1, "rows": 1}
    assert all(line["seconds"] >= 0 for line in (*tables, end))
    assert (start["event"], end["event"], end["level"], end["exit_code"]) == ("start", "end", "INFO", 0)
    assert start["time"] <= end["time"]
    assert start["time"].endswith("+00:00")


def test_the_log_of_every_command_is_private_and_appended_to(stedi, tmp_path, monkeypatch):
    log = tmp_path / "log.jsonl"
    log.touch(mode=0o644)
    monkeypatch.setenv("STEDI_LOG_FILE", str(log))
    write(tmp_path / "drops", DROPS | {"customer/ann@example.org.csv": b""})
    commands = (["land"], ["run"], ["maintain"], ["status"], ["query", "SELECT 'ann@example.org'"])
    assert [stedi(*words).code for words in commands] == [0] * len(commands)
    assert log.stat().st_mode & 0o777 == 0o600
    assert [line["command"] for line in logged(log) if line["event"] == "end"] == [words[0] for words in commands]
    landings = [line for line in logged(log) if line["command"] == "land" and line["event"] == "table"]
    assert [(line["table"], line["counts"]["landed"]) for line in landings] == [
        *(("customer_landing", 1), ("accelerometer_landing", 2), ("step_trainer_landing", 1))
    ]
    assert "example.org" not in log.read_text()


def test_a_new_log_is_private(made, tmp_path):
    assert made("--log-file", tmp_path / "log.jsonl", "status").code == 0
    assert (tmp_path / "log.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("words", "kind", "code"),
    [
        (["query", "SELECT ann FROM customer"], ["QueryError"], 1),
        (["run", "machine_learning_curated"], ["LakeError"], 1),
        (["land", "--landing", "nowhere"], ["LakeError"], 1),
        (["run", "ann@example.org"], [], 2),
    ],
)
def test_an_error_is_logged_by_its_kind(landed, tmp_path, words, kind, code):
    landed("--log-file", tmp_path / "log.jsonl", *words)
    _, *others, end = logged(tmp_path / "log.jsonl")
    errors = [line for line in others if line["event"] != "engine"]
    assert [(line["level"], line["error"]) for line in errors] == [("ERROR", name) for name in kind]
    assert (end["level"], end["exit_code"]) == ("ERROR", code)
    assert "ann" not in (tmp_path / "log.jsonl").read_text()


def test_an_unexpected_error_is_logged_by_its_kind(broken, tmp_path):
    broken("--log-file", tmp_path / "log.jsonl", "run")
    assert [line["error"] for line in logged(tmp_path / "log.jsonl") if line["event"] == "error"] == ["ValueError"]
    assert "example.org" not in (tmp_path / "log.jsonl").read_text()


def test_a_log_that_cannot_be_written_is_an_error(stedi):
    assert error_lines(stedi("--log-file", "none/log.jsonl", "status")) == [
        "error: --log-file: expected a file to write to, got No such file or directory at none/log.jsonl"
    ]


# Landing


def test_json_is_all_that_is_on_standard_output(stedi, tmp_path):
    write(tmp_path / "drops", DROPS)
    said = stedi("land", "--json")
    assert said.err == ""
    assert [(source["source"], source["landed"]) for source in json.loads(said.out)] == [
        ("customer", 1),
        ("accelerometer", 2),
        ("step_trainer", 1),
    ]


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_no_number_is_cut_off_on_a_narrow_screen(landed, tmp_path, columns):
    """The screen is a terminal's: where nobody watches, lines may be long."""
    show.out.width = columns
    try:
        write(tmp_path / "drops", {"accelerometer/2.json": b'{"a": 1}\n' * 12_345})
        said = landed("land")
        tables = landed("status").out
    finally:
        show.out.width = 160
    assert "12,345" in said.out
    assert "rejected" in said.out
    assert "landing.accelerometer_landing" in tables
    assert "…" not in said.out + tables


def test_one_source_may_land_alone(stedi, tmp_path):
    write(tmp_path / "drops", DROPS)
    assert [source["source"] for source in json.loads(stedi("land", "accelerometer", "--json").out)] == [
        "accelerometer"
    ]
    assert "customer_landing" not in stedi("status").out


def test_what_has_landed_lands_no_more(landed):
    assert "No new files." in landed("land").out


def test_a_file_with_another_time_of_change_only_does_not_land_again(landed, tmp_path):
    os.utime(tmp_path / "drops/customer/1.json", (1, 1))
    assert "No new files." in landed("land").out


def test_a_file_that_changed_is_a_new_version(landed, tmp_path):
    """What it repeats is a duplicate, what is new in it lands, and then it is known."""
    path = tmp_path / "drops/accelerometer/1.json"
    path.write_bytes(path.read_bytes() + line_of(reading("ann@example.org", at("13:00"))) + b"\n")
    found = json.loads(landed("land", "--json").out)[1]
    assert (found["files"], found["lines"], found["duplicate"], found["landed"]) == (1, 3, 2, 1)
    assert "No new files." in landed("land").out


def test_a_customer_line_without_a_known_address_ends_with_4(landed, tmp_path):
    """All else is done by then."""
    write(tmp_path / "drops", {"customer/2.json": b'{"lastUpdateDate": 1\n', "accelerometer/2.json": b"{}\n"})
    done = landed("land")
    assert done.code == 4
    assert done.err.startswith("error: land: expected a known address in every customer line, got none in 1 line;")
    assert landed("query", "--json", "SELECT count(*) AS n FROM landing.landed_files").out == '[{"n": 5}]\n'


def test_a_source_that_fails_holds_up_no_other(landed, tmp_path, monkeypatch):
    write(tmp_path / "drops", {f"{source}/2.json": DROPS[f"{source}/1.json"] + b"\n" for source in SOURCES})

    def land(engine, source, *args, **named):
        if source == "accelerometer":
            raise StediError("accelerometer: expected luck, got none")
        return landing_module.land(engine, source, *args, **named)

    monkeypatch.setattr("stedi_common.runs.run_all.land", land)
    done = landed("land", "--json")
    assert (done.code, done.err) == (1, "error: accelerometer: expected luck, got none\n")
    assert [(each["source"], each["files"]) for each in json.loads(done.out)] == [("customer", 1), ("step_trainer", 1)]


def test_a_file_that_cannot_be_read_holds_up_no_other(landed, tmp_path, monkeypatch):
    write(tmp_path / "drops", {"customer/2.json": b"", "customer/3.json": DROPS["customer/1.json"]})
    read = storage.stored

    def stored(drop):
        if drop.name == "customer/2.json":
            raise OSError
        return read(drop)

    for module in (storage, blocks):
        monkeypatch.setattr(module, "stored", stored)
    monkeypatch.setattr(landing_module, "why_unreadable", lambda drop: "unreadable" if "2" in drop.name else None)
    done = landed("land", "--json")
    assert done.code == 1
    assert done.err.startswith("error: customer: expected to land every file, got 1 file that cannot be read\n")
    (customers, *_) = json.loads(done.out)
    assert (customers["files"], customers["skipped"]) == (1, [{"file": "customer/2.json", "reason": "unreadable"}])


def test_a_source_without_a_folder_is_said(stedi, tmp_path):
    write(tmp_path / "drops", {"customer/1.json": DROPS["customer/1.json"], "step-trainer/1.json": b""})
    done = stedi("land")
    assert (done.code, "step_trainer/, got none; did you mean step-trainer/?" in done.out) == (0, True)


def test_every_skipped_file_is_named(landed, tmp_path):
    write(tmp_path / "drops", {"customer/a.csv": b"", "customer/_b.json": b"", "truth/c.json": b""})
    (customers, *_) = json.loads(landed("land", "--json").out)
    assert customers["skipped"] == [
        {"file": "customer/_b.json", "reason": "hidden"},
        {"file": "customer/a.csv", "reason": "unknown_ending"},
        {"file": "truth/c.json", "reason": "outside_sources"},
    ]


def test_a_file_that_comes_again_is_duplicates(landed, tmp_path):
    write(tmp_path / "drops", {"accelerometer/2/again.json": DROPS["accelerometer/1.json"]})
    assert json.loads(landed("land", "accelerometer", "--json").out)[0] == {
        "source": "accelerometer",
        **{"files": 1, "lines": 2, "landed": 0, "rejected": 0, "duplicate": 2, "suppressed": 0, "blank": 0},
        **{"nulled_values": 0, "doubtful": 0, "without_address": 0, "unread": 0, "skipped": [], "warnings": []},
    }


def test_skipped_files_and_doubtful_lines_are_said(stedi, tmp_path):
    write(tmp_path / "drops", DROPS | {"customer/a.csv": b"", "customer/2.json": b'{"email": "ann@example.org"}\n'})
    said = stedi("land").out
    assert "skipped (unknown ending): customer/a.csv" in said
    assert "1 customer line is doubtful: whoever is named there has no consent until a later record gives it." in said


# Running


def test_a_run_reports_what_was_dropped_and_why(landed):
    outcomes = {outcome["table"]: outcome for outcome in json.loads(landed("run", "--json").out)}
    assert list(outcomes) == [job.target.name for job in JOBS.values()]
    assert outcomes["accelerometer_trusted"] == {
        **{"job": "accelerometer_landing_to_trusted", "table": "accelerometer_trusted", "changed": True},
        **{"days": None, "rows_in": 2, "rows_kept": 1, "dropped": {"no_consent": 1}, "rows": 1},
    }


def test_a_job_may_run_alone(landed):
    said = landed("run", "customer_landing_to_trusted", "--json")
    assert [outcome["table"] for outcome in json.loads(said.out)] == ["customer_trusted"]


def test_a_job_before_its_sources_is_a_clear_error(landed):
    error, hint = error_lines(landed("run", "machine_learning_curated"))
    assert "expected the table trusted.step_trainer_trusted, got none" in error
    assert hint.startswith("hint:  ")


def test_a_list_of_serials_is_read_however_it_is_spelled(landed, tmp_path):
    (tmp_path / "serials.txt").write_text("\n SN-1 \r\n\n")
    assert landed("policy", "set", "--defective-serials", "serials.txt").code == 0
    outcomes = json.loads(landed("run", "--defective-serials", "serials.txt", "--json").out)
    assert {outcome["table"]: outcome["dropped"] for outcome in outcomes}["step_trainer_trusted"] == {
        "defective_serial": 1
    }


def test_a_second_run_changes_nothing(landed):
    landed("run")
    assert [outcome["changed"] for outcome in json.loads(landed("run", "--json").out)] == [False] * 5


@pytest.fixture
def withdrawn(landed, tmp_path):
    """The command line, where somebody whose rows are in all tables has withdrawn, and nobody has run since."""
    landed("run")
    write(tmp_path / "drops", {"customer/2.json": drop(customer("ann@example.org", at("10:00")))})
    landed("land")
    return landed


def test_a_run_reports_first_what_it_deleted(withdrawn):
    removal, *outcomes = json.loads(withdrawn("run", "--json").out)
    assert (removal["job"], removal["table"]) == ("remove_withdrawn", "withdrawals")
    assert list(removal["deleted"].items()) == [(job.target.name, 1) for job in reversed(JOBS.values())]
    assert [outcome["job"] for outcome in outcomes] == list(JOBS)


@pytest.mark.parametrize("words", [("run",), ("run", "--json")])
def test_what_was_deleted_is_printed_though_a_table_cannot_be_emptied(withdrawn, tmp_path, words):
    for file in (tmp_path / "lake" / "curated" / "customers_curated" / "metadata").glob("*.metadata.json"):
        file.write_text("x")
    said = withdrawn(*words)
    assert (said.code, "curated.customers_curated: expected the table's file" in said.err) == (1, True)
    if "--json" in words:
        deleted = json.loads(said.out)[0]["deleted"]
        tables = [job.target.name for job in reversed(JOBS.values())]
        assert list(deleted) == [each for each in tables if each != "customers_curated"]
        assert "failures" not in said.out
    else:
        assert "withdrawn rows deleted before all else: 1 row of machine_learning_curated, 1 row of" in said.out


@pytest.mark.parametrize("words", [("run",), ("demo", "--landing", "drops")])
def test_a_run_prints_first_what_it_deleted(withdrawn, words):
    first, after = (
        "withdrawn rows deleted before all else: 1 row of machine_learning_curated, 1 row of",
        "rows in",
    )
    said = withdrawn(*words).out
    assert said.index(first) < said.index(after)
    assert "withdrawn rows" not in withdrawn(*words).out


# Status


def behind(said: Finished) -> dict[str, dict[str, int | None]]:
    return {table["table"]: table["behind"] for table in json.loads(said.out) if table["behind"]}


def test_after_a_run_nothing_is_behind(made):
    assert behind(made("status", "--json")) == {}


def test_maintenance_reports_what_it_did_to_each_table(landed, tmp_path):
    landed("run")
    orphan = tmp_path / "lake" / "landing" / "customer_landing" / "data" / "killed.parquet"
    orphan.write_bytes(b"")
    os.utime(orphan, (0, 0))
    done = json.loads(landed("maintain", "--json").out)
    assert [table["table"] for table in done["tables"]] == sorted(names())
    assert {table["table"]: table["removed"] for table in done["tables"] if table["removed"]} == {"customer_landing": 1}
    assert done["staged"] == 0
    said = landed("maintain")
    assert (said.code, said.err) == (0, "")
    assert all(name in said.out for name in names())


def test_what_lands_later_is_what_the_tables_are_behind(landed, tmp_path):
    landed("run")
    write(tmp_path / "drops", landing(readings=[reading("ann@example.org", at("09:01"))], name="2"))
    landed("land")
    assert behind(landed("status", "--json")) == {"trusted.accelerometer_trusted": {"accelerometer_landing": 1}}
    assert "accelerometer_landing (1 commit)" in landed("status").out


def test_a_status_counts_people_in_doubt_and_lines_without_an_address(landed, tmp_path):
    doubtful = drop(customer("ann@example.org", None))
    write(tmp_path / "drops", {"customer/2.json": doubtful, "customer/3.json": b"{\n"})
    assert landed("land").code == 4
    tables = {table["table"]: table for table in json.loads(landed("status", "--json").out)}
    assert tables["landing.customer_landing"]["in_doubt"] == 1
    assert tables["landing.landed_files"]["without_address"] == 1
    said = landed("status").out
    assert "1 person has no consent because of a doubtful line" in said
    assert "1 customer line has no known address" in said


def test_a_status_has_rows_and_policy(made):
    (status,) = [
        t for t in json.loads(made("status", "--json").out) if t["table"] == "curated.machine_learning_curated"
    ]
    assert (status["rows"], status["policy"]) == (1, "consent=as-of pairing=owner")


def test_memory_that_is_none_is_an_error(stedi, monkeypatch):
    monkeypatch.setenv("STEDI_MEMORY", "lots")
    assert error_lines(stedi("land")) == ["error: STEDI_MEMORY: expected memory as in 4GB, got lots"]


# Generating


def test_drops_are_generated_with_the_truth(stedi):
    said = stedi("generate", "some", "--people", 5, "--readings", 200, "--days", 2, "--json")
    assert "policies" in json.loads(said.out)
    assert Path("some/truth/truth.json").exists()


@pytest.mark.parametrize(
    ("into", "expected"),
    [
        ("s3://bucket/drops", "a folder, got the URI s3:/bucket/drops"),
        ("file:///drops", "a folder, got the URI file:/drops"),
        ("afile", "a folder that can be written to, got: File exists at afile"),
        ("afile/drops", "a folder that can be written to, got: Not a directory at afile/drops"),
        ("/proc/drops", "a folder that can be written to, got: No such file or directory at /proc/drops"),
    ],
)
def test_drops_are_generated_into_a_folder(stedi, tmp_path, into, expected):
    if into.startswith("/proc") and not Path("/proc/self").exists():
        pytest.skip("there is no /proc")
    (tmp_path / "afile").touch()
    assert error_lines(stedi("generate", into, "--people", 3))[0] == f"error: generate: expected {expected}"
    assert [path.name for path in tmp_path.iterdir()] == ["afile"]


@pytest.mark.parametrize("folder", [*SOURCES, "truth"])
def test_drops_are_never_overwritten(stedi, tmp_path, folder):
    write(tmp_path / "drops", {f"{folder}/1.json": b"mine"})
    error, hint = error_lines(stedi("generate", "drops"))
    assert error == f"error: generate: expected no drops in drops, got a {folder} folder that is not empty"
    assert hint.startswith("hint:  drops are never overwritten")
    assert (tmp_path / "drops" / folder / "1.json").read_bytes() == b"mine"


# In a pipe


def test_nobody_watches_a_pipe(tmp_path):
    """Neither colours nor bars, and an exit code of its own."""
    write(tmp_path / "drops", DROPS)
    lake = ("--lake", tmp_path / "lake")
    demo = stedi_in_a_process("demo", "--landing", tmp_path / "drops", *lake)
    assert (demo.code, demo.err) == (0, "")
    assert "\x1b" not in demo.out
    assert "1 training pairs" in demo.out
    wrong = stedi_in_a_process("query", *lake, "DROP TABLE x")
    assert (wrong.code, wrong.out, wrong.err.count("\n")) == (1, "", 2)
    assert click.unstyle(wrong.err) == wrong.err
