"""What the scripts in `jobs/` share: Glue-style arguments, an engine, and a line of JSON for each table.

The line is on standard output once the table is as it should be. Metrics and people read it, so its names stay:

    every job   job, table
    land        source, files, lines, landed, rejected, duplicate, suppressed, blank, nulled_values, doubtful,
                without_address, unread, skipped (file and reason of each), warnings
    remove_withdrawn
                deleted (rows by table); its table is `withdrawals`, and no line says that there were none
    maintain_tables
                files, bytes (before and after), snapshots, refs, removed, pinned, skipped
    the others  changed, days, rows_in, rows_kept, dropped (rows by reason), rows

They are documented in `landing.Landed`, `runs.withdrawals.Deleted`, `maintenance.Maintained` and
`runs.executor.Outcome`. Errors are on standard error and in the message of Glue's run: `<table> is stale: <error>`,
joined by `; `. A source that fails holds up no other task, nor does the deletion of withdrawn rows; a table that fails
ends the run, for others are computed from it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from stedi_common import maintenance
from stedi_common.contracts import SOURCES, contract, names
from stedi_common.engines import ENGINES, connect
from stedi_common.errors import StediError, UnexpectedError, as_stedi_error
from stedi_common.instants import EPOCH
from stedi_common.lake import Lake
from stedi_common.landing import Landed
from stedi_common.privacy.pseudonym import PseudonymKey, local_key, read_key, secret_key
from stedi_common.records import Drop, stored
from stedi_common.rules.lineage import JOBS
from stedi_common.rules.policy import Policy
from stedi_common.runs.run_all import Done, RunSettings, Task, deletion_task, job_task, landing_tasks, run_all, tasks
from stedi_common.settings import Settings


def land(argv: Sequence[str]) -> str | None:
    """Land the drops of one source. Returns what `sys.exit` takes: of a failure, the message."""
    parser = _landing_parser("land")
    parser.add_argument("--source", choices=SOURCES, required=True)
    arguments = _parsed(parser, argv)
    return _run(landing_tasks(arguments.landing, [arguments.source]), arguments, _lake)


def make(job: str, argv: Sequence[str]) -> str | None:
    """Run one of the five jobs. Returns what `sys.exit` takes: of a failure, the message."""
    arguments = _parsed(_parser(job), argv)
    return _run([job_task(JOBS[job])], arguments, lambda arguments: _lake(arguments).expect())


def remove_withdrawn(argv: Sequence[str]) -> str | None:
    """Delete withdrawn rows from all tables. Returns what `sys.exit` takes: of a failure, the message."""
    arguments = _parsed(_parser("remove_withdrawn"), argv)
    return _run([deletion_task()], arguments, lambda arguments: _lake(arguments).expect())


def lakehouse(argv: Sequence[str]) -> str | None:
    """Land all drops and run all jobs, in one session. Returns what `sys.exit` takes: of a failure, the message."""
    arguments = _parsed(_landing_parser("lakehouse"), argv)
    return _run(tasks(arguments.landing), arguments, _lake)


def maintain(argv: Sequence[str]) -> str | None:
    """Maintain all tables. Returns what `sys.exit` takes: of a failure, the message."""
    arguments = _parsed(_lake_parser("maintain_tables"), argv)

    def task(table: str) -> Task:
        return Task("maintain_tables", table, lambda engine, _: maintenance.maintain(engine, contract(table)))

    return _run(list(map(task, names())), arguments, lambda arguments: _lake(arguments).expect(), lambda _: None)


def _run(
    tasks: Sequence[Task],
    arguments: argparse.Namespace,
    lake: Callable[[argparse.Namespace], Lake],
    given: Callable[[argparse.Namespace], RunSettings | None] | None = None,
) -> str | None:
    """Run the tasks and print a line for each that did anything. Returns which tables are stale, and why."""
    stale: list[str] = []
    waiting = list(tasks)
    try:
        settings = (given or _given)(arguments)
        with closing(connect(arguments.engine, lake(arguments))) as engine:
            for done in run_all(engine, settings, tasks):
                waiting.remove(done.task)
                stale += [f"{done.task.table} is stale: {problem}" for problem in _problems(done)]
    except Exception as error:  # before the first task is what all of them need
        stale.append(f"{waiting.pop(0).table} is stale: {_message(as_stedi_error(error))}")
    if stale:
        stale += [f"{task.table} is stale: it was not made" for task in waiting]
    # Glue may cut a message at its first line.
    return "; ".join(stale).replace("\n", " ") or None


def _problems(done: Done) -> list[str]:
    """Print what the task did, if it did anything. Returns what is wrong with its table then."""
    if done.error:
        return [_message(done.error)]
    if done.result is None:
        return []
    print(json.dumps({"job": done.task.job, "table": done.task.table, **asdict(done.result)}), flush=True)  # noqa: T201 - its output
    errors = done.result.errors if isinstance(done.result, Landed) else []
    return ["; ".join(map(str, errors))] if errors else []


def _message(error: StediError) -> str:
    if isinstance(error, UnexpectedError):
        print(error.way, end="", file=sys.stderr)  # noqa: T201 - Glue's log is the job's standard error
    return str(error)


def _given(arguments: argparse.Namespace) -> RunSettings:
    return RunSettings(_policy(arguments), _key(arguments), _settings(arguments), rebuild=arguments.rebuild)


def _lake(arguments: argparse.Namespace) -> Lake:
    return Lake.at(arguments.lake, arguments.database_prefix)


def _policy(arguments: argparse.Namespace) -> Policy:
    defective_serials = frozenset(arguments.defective_serials.split())
    return Policy.declared(arguments.consent, arguments.pairing, defective_serials, arguments.environment)


def _key(arguments: argparse.Namespace) -> PseudonymKey:
    if arguments.pseudonym_key_secret:
        return secret_key(arguments.pseudonym_key_secret)
    return (
        read_key(arguments.pseudonym_key_file)
        if arguments.pseudonym_key_file
        else local_key(may_make=not _lake(arguments).has_tables)
    )


def _settings(arguments: argparse.Namespace) -> Settings:
    """The settings of the file or object that `--config` names."""
    config: str = getattr(arguments, "config", None) or ""
    if config.startswith("s3://"):
        return Settings.parsed(b"".join(stored(Drop(config, config, 0, EPOCH))), config)
    return Settings.load(Path(config) if config else None)


def _parsed(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """The arguments. Those that Glue adds of its own (--JOB_NAME, --TempDir, …) are let pass."""
    return parser.parse_known_args(argv)[0]


def _landing_parser(job: str) -> argparse.ArgumentParser:
    parser = _parser(job)
    parser.add_argument("--landing", required=True, help="the folder or S3 URI above the sources' folders")
    parser.add_argument("--config", help="path or S3 URI of limits and time zones; ./stedi.toml by default")
    return parser


def _is_true(word: str) -> bool:
    """Glue gives every argument a value."""
    if word.lower() not in {"true", "false"}:
        raise argparse.ArgumentTypeError(f"expected true or false, got {word!r}")
    return word.lower() == "true"


def _lake_parser(job: str) -> argparse.ArgumentParser:
    """The arguments every job takes."""
    parser = argparse.ArgumentParser(job, allow_abbrev=False)
    parser.add_argument(
        "--lake", required=True, help="a folder, or the S3 URI above the zones, in which {zone} is a zone's name"
    )
    parser.add_argument("--database_prefix", default="", help="what the names of Glue's databases start with")
    parser.add_argument("--engine", choices=ENGINES, default="spark")
    return parser


def _parser(job: str) -> argparse.ArgumentParser:
    """The arguments every job takes that makes a table."""
    parser = _lake_parser(job)
    parser.add_argument("--consent", default="as-of")
    parser.add_argument("--pairing", default="owner")
    parser.add_argument("--defective_serials", default="", help="serial numbers, separated by blanks")
    parser.add_argument("--environment", default="local", help="prod accepts only the default policy")
    parser.add_argument(
        "--rebuild",
        type=_is_true,
        nargs="?",
        const=True,
        default=False,
        help="rebuild tables of another policy, key, columns or code",
    )
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--pseudonym_key_file", type=Path, help="64 hex digits, mode 0600")
    key.add_argument("--pseudonym_key_secret", help="name or ARN of a secret in Secrets Manager with 64 hex digits")
    return parser
