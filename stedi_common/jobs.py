"""What the scripts in `jobs/` share: Glue-style arguments, an engine, and a line of JSON for each table.

The line is on standard output after the commit. Metrics are made from it, so its names do not change:

    every job   job, table
    land        source, files, lines, landed, rejected, duplicate, suppressed, blank, nulled_values, doubtful,
                without_address, unread, skipped (file and reason of each), warnings
    remove_withdrawn
                deleted (rows by table), emptied (tables whose rows could not be classified); its table is
                `withdrawals`, and if no row is deleted there is no line
    maintain_tables
                files, bytes (before and after), snapshots, refs, removed, pinned, skipped,
                recent_unknown_files, unknown_bytes, table_bytes
    lakehouse with --maintain
                the same, and at the end failed: of how many tables the maintenance has failed; its table is
                `maintenance`
    the others  changed, days, rows_in, rows_kept, dropped (rows by reason), rows

They are documented in `landing.Landed`, `runs.withdrawals.Deleted`, `maintenance.Maintained` and
`runs.executor.Outcome`. Errors are on standard error and in the message of Glue's run: `<table> is stale: <error>`,
joined by `; `. A source that fails does not end the run, nor does a failed deletion of withdrawn rows; a table that
fails ends it, because other tables are computed from it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

from stedi_common import log, project
from stedi_common.api.engine import Engines
from stedi_common.api.setup import lake_of, load_settings, run_settings_of
from stedi_common.api.tasks import errors_of, maintenance_tasks, run_logged
from stedi_common.contracts import SOURCES
from stedi_common.errors import StediError, UnexpectedError, as_stedi_error, nearest
from stedi_common.files import umask
from stedi_common.rules.lineage import JOBS, jobs
from stedi_common.runs.run_all import (
    CompletedTask,
    Task,
    deletion_task,
    landing_tasks,
    single_job_task,
    tasks,
)
from stedi_common.runs.settings import RunSettings
from stedi_common.settings import CONFIG, OPTIONS, Settings

#: Arguments that Glue takes or hands to a script beside its own; none of them is for this program.
#: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html, and awsglue's
#: `getResolvedOptions`.
GLUE_ARGUMENTS = frozenset(
    f"--{name}"
    for name in (
        *("JOB_NAME", "JOB_ID", "JOB_RUN_ID", "SECURITY_CONFIGURATION", "TempDir", "RedshiftTempDir"),
        *("WORKFLOW_NAME", "WORKFLOW_RUN_ID"),
        *("additional-python-modules", "auto-scale-within-microbatch", "class", "conf"),
        *("continuation-option", "continuous-log-conversionPattern", "continuous-log-logGroup"),
        *("continuous-log-logStreamPrefix", "custom-logGroup-prefix", "custom-logStream-prefix"),
        *("customer-driver-env-vars", "customer-executor-env-vars", "datalake-formats", "debug", "disable-proxy"),
        *("disable-proxy-v2", "enable-auto-scaling", "enable-continuous-cloudwatch-log"),
        *("enable-continuous-log-filter", "enable-data-lineage", "enable-glue-datacatalog", "enable-job-insights"),
        *("enable-lakeformation-fine-grained-access", "enable-metrics", "enable-observability-metrics"),
        *("enable-rename-algorithm-v2", "enable-s3-parquet-optimized-committer", "enable-spark-ui"),
        *("encryption-type", "endpoint-url", "executor-cores", "extra-files", "extra-jars", "extra-py-files"),
        *("job-bookmark-from", "job-bookmark-option", "job-bookmark-to", "job-language", "library-set", "mode"),
        *("python-modules-installer-option", "scriptLocation", "spark-event-logs-path", "use-postgres-driver"),
        *("user-jars-first", "version", "write-shuffle-files-to-s3", "write-shuffle-spills-to-s3"),
    )
)
#: Of these the value may itself begin with `--`.
_TAKES_OPTIONS = {"--conf", "--python-modules-installer-option"}


ToDo = Callable[[str], Sequence[Task]]


def land(argv: Sequence[str]) -> str | None:
    """Land the drops of one source. Returns what `sys.exit` takes: of a failure, the message."""
    parser = _parser("land")
    parser.add_argument("--source", choices=SOURCES, required=True, help="The source whose drops land.")
    arguments = _parsed(parser, argv)
    return _run(parser, arguments, lambda folder: landing_tasks(folder, [arguments.source]), lands=True)


def run_job(job: str, argv: Sequence[str]) -> str | None:
    """Run the job of this name. Returns what `sys.exit` takes: of a failure, the message."""
    parser = _parser(job)
    return _run(parser, _parsed(parser, argv), lambda _: [single_job_task(JOBS[job])])


def make_table(argv: Sequence[str]) -> str | None:
    """Run the job that `--job` names. Returns what `sys.exit` takes: of a failure, the message."""
    parser = _parser("make_table")
    known = None if project.failure() else tuple(JOBS)  # the names of a project that is set aside are not known
    parser.add_argument("--job", choices=known, required=True, help="The job, as in `madeBy` of its contract.")
    arguments = _parsed(parser, argv)
    return _run(parser, arguments, lambda _: [single_job_task(jobs([arguments.job])[0])])


def remove_withdrawn(argv: Sequence[str]) -> str | None:
    """Delete withdrawn rows from all tables. Returns what `sys.exit` takes: of a failure, the message."""
    parser = _parser("remove_withdrawn")
    return _run(parser, _parsed(parser, argv), lambda _: [deletion_task(), _PROJECT_TASK])


#: Fails if the user's project is broken: withdrawn rows were deleted from the tables of the package only.
_PROJECT_TASK = Task("remove_withdrawn", "withdrawals", lambda *_: project.expect_usable(), is_required=False)


def lakehouse(argv: Sequence[str]) -> str | None:
    """Land all drops and run all jobs, in one session. Returns what `sys.exit` takes: of a failure, the message.

    With `--maintain` all tables are maintained then, whatever became of the run: old snapshots hold people who have
    withdrawn (rule 14). A maintenance that fails does not fail the job, because the tables are up to date.
    """
    parser = _parser("lakehouse")
    parser.add_argument(
        "--maintain", nargs="?", const="true", choices=("true", "false"), help="Maintain all tables after the run."
    )
    arguments = _parsed(parser, argv)
    with log.run(parser.prog):
        message = _run(parser, arguments, tasks, lands=True)
        if arguments.maintain == "true":
            _maintain_after_run(parser, arguments)
    return message


def _maintain_after_run(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> None:
    """Maintain all tables. Print a line for each, and then of how many the maintenance has failed."""
    failures = _failures(parser, arguments, lambda _: maintenance_tasks(), has_policy=False)
    for table, problem in failures:
        print(f"{table} is not maintained: {problem}", file=sys.stderr)  # noqa: T201 - Glue's log
    print(json.dumps({"job": "maintain_tables", "table": "maintenance", "failed": len(failures)}), flush=True)  # noqa: T201


def maintain(argv: Sequence[str]) -> str | None:
    """Maintain all tables. Returns what `sys.exit` takes: of a failure, the message."""
    parser = _parser("maintain_tables")
    return _run(parser, _parsed(parser, argv), lambda _: maintenance_tasks(), has_policy=False)


def _run(
    parser: argparse.ArgumentParser,
    arguments: argparse.Namespace,
    to_do: ToDo,
    *,
    lands: bool = False,
    has_policy: bool = True,
) -> str | None:
    """Run the tasks and print a line for each that did anything. Returns which tables are stale, and why."""
    stale = _failures(parser, arguments, to_do, lands=lands, has_policy=has_policy)
    # Glue may cut a message at its first line.
    return "; ".join(f"{table} is stale: {problem}" for table, problem in stale).replace("\n", " ") or None


def _failures(
    parser: argparse.ArgumentParser,
    arguments: argparse.Namespace,
    to_do: ToDo,
    *,
    lands: bool = False,
    has_policy: bool = True,
) -> list[tuple[str, str]]:
    """Run the tasks and print a line for each that did anything. Returns the tables whose tasks failed, and why.

    Args:
        parser: ends the job if an argument is missing.
        arguments: the job's arguments.
        to_do: the tasks, given the landing folder.
        lands: whether drops land, which needs their folder and makes the lake.
        has_policy: whether the tasks need the policy and the pseudonym key.
    """
    failures: list[tuple[str, str]] = []
    waiting = list(to_do(""))
    with log.run(parser.prog):
        try:
            settings = load_settings(_given(arguments))
            _expect_required(parser, settings, ("lake", "landing") if lands else ("lake",))
            waiting = list(to_do(settings.landing))
            with umask(settings.umask):
                for done in _done(settings, list(waiting), lands=lands, has_policy=has_policy):
                    waiting.remove(done.task)
                    failures += [(done.task.table, problem) for problem in _problems(done)]
        except Exception as error:  # before the first task is what all of them need
            failures.append((waiting.pop(0).table, _message(as_stedi_error(error))))
    if failures:
        failures += [(task.table, "its task did not run") for task in waiting]
    return failures


def _done(settings: Settings, to_do: Sequence[Task], *, lands: bool, has_policy: bool) -> Iterator[CompletedTask]:
    """Run the tasks on the lake, which must be there if nothing lands."""
    lake = lake_of(settings, for_run=has_policy)
    run_settings: RunSettings | None = None
    if has_policy:
        run_settings = run_settings_of(settings, lake, must_exist=not lands, creates=lands)
    with closing(Engines(settings, lake if lands else lake.expect_exists())) as engines:
        yield from run_logged(engines.for_tasks, run_settings, to_do)


def _problems(done: CompletedTask) -> list[str]:
    """Print what the task did, if it did anything. Returns what is wrong with its table then."""
    if done.error:
        return [_message(done.error)]
    if done.result is None:
        return []
    print(json.dumps(done.line), flush=True)  # noqa: T201 - its output
    errors = errors_of([done])
    return ["; ".join(map(_message, errors))] if errors else []


def _message(error: StediError) -> str:
    log.error(error)
    if isinstance(error, UnexpectedError):
        print(error.stack, end="", file=sys.stderr)  # noqa: T201 - Glue's log is the job's standard error
    return str(error)


def _parser(job: str) -> argparse.ArgumentParser:
    """The arguments of every job: the options of `settings`, with dashes, or with underscores as is usual for Glue."""
    parser = argparse.ArgumentParser(job, allow_abbrev=False)
    for name, option in OPTIONS.items():
        if not option.is_for_jobs:
            continue
        spelled = dict.fromkeys(spelling for flag in option.flags for spelling in (flag, _underscored(flag)))
        # Glue gives every argument a value.
        flag: dict[str, Any] = {"nargs": "?", "const": "true"} if name == "rebuild" else {}
        parser.add_argument(*spelled, dest=name, help=option.help, metavar=option.metavar, **flag)
    parser.add_argument(
        "--config", help="The settings file or its S3 URI. By default stedi.toml in the working folder, if it exists."
    )
    return parser


def _underscored(flag: str) -> str:
    return "--" + flag.removeprefix("--").replace("-", "_")


def _parsed(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """The arguments. Those of Glue are ignored; any other is an error that names the nearest."""
    arguments, others = parser.parse_known_args(argv)
    known = [flag for action in parser._actions for flag in action.option_strings]
    words = iter(others)
    for word in words:
        name = word.partition("=")[0]
        if name in _TAKES_OPTIONS and name == word:
            next(words, None)
        # A word without a name is the value of one of Glue's, or one of the words that it adds of its own.
        elif name.startswith("--") and name not in GLUE_ARGUMENTS:
            hint = nearest(name, (*known, *GLUE_ARGUMENTS))
            parser.error(f"expected an argument of its own or of Glue, got {name}{f'; {hint}' if hint else ''}")
    return arguments


def _given(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the arguments say. An argument of no value is as if it were not there, if that is its default."""
    given = {name: value for name, value in vars(arguments).items() if name in (*OPTIONS, CONFIG)}
    return {name: value for name, value in given.items() if value or (value == "" and getattr(Settings(), name, None))}


def _expect_required(parser: argparse.ArgumentParser, settings: Settings, names: Sequence[str]) -> None:
    missing = [OPTIONS[name].flags[0] for name in names if name not in settings.explicit]
    if missing:
        parser.error(f"the following arguments are required: {', '.join(missing)}")
