"""What the scripts in `jobs/` share: Glue-style arguments, an engine, and a line of JSON for each table.

The line is on standard output once the table is as it should be. Metrics and people read it, so its names stay:

    every job   job, table
    land        source, files, lines, landed, rejected, duplicate, suppressed, blank, nulled_values, doubtful,
                without_address, unread, skipped (file and reason of each), warnings
    remove_withdrawn
                removed (rows by table); its table is `withdrawals`, and no line says that there were none
    maintain_tables
                files, bytes (before and after), snapshots, refs, removed, held, overtaken
    the others  changed, days, rows_in, rows_kept, dropped (rows by reason), rows

What they mean stands in `landing.Landed`, `withdrawals.Removed`, `maintenance.Maintained` and `pipeline.Outcome`. What
fails is told on standard error and as the message of Glue's run: `<table> is stale: <error>`, joined by `; `. A source
that fails holds up no other step, nor does the removal; a table that fails ends the run, for others are made from it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from stedi_common import landing, maintenance, pipeline, withdrawals
from stedi_common.contracts import SOURCES, contract, names
from stedi_common.engines import ENGINES, Engine, connect
from stedi_common.errors import StediError, UnexpectedError
from stedi_common.lake import Lake
from stedi_common.policy import Policy
from stedi_common.pseudonym import PseudonymKey, local_key, read_key, secret_key
from stedi_common.records import Drop, Found, discover, stored
from stedi_common.settings import Settings


@dataclass(frozen=True)
class Given:
    """What tables are made with."""

    policy: Policy
    key: PseudonymKey
    settings: Settings

    @classmethod
    def by(cls, arguments: argparse.Namespace) -> Given:
        """What the arguments name."""
        return cls(_policy(arguments), _key(arguments), _settings(arguments))


@dataclass(frozen=True)
class Step:
    """What makes one table, or maintains it. Returns None where nothing is to be told of.

    is_needed: whether the steps after it need it.
    """

    job: str
    table: str
    run: Callable[
        [Engine, Any], landing.Landed | withdrawals.Removed | pipeline.Outcome | maintenance.Maintained | None
    ]
    is_needed: bool = True

    @classmethod
    def lands(cls, source: str, folder: str, found: Callable[[], Found | None] = lambda: None) -> Step:
        """Land the drops of a source, of those that are found in the folder."""
        table = contract(f"{source}_landing")

        def run(engine: Engine, given: Given) -> landing.Landed:
            return landing.land(engine, source, folder, given.key, settings=given.settings, found=found())

        return cls(table.made_by, table.name, run, is_needed=False)

    @classmethod
    def removes(cls) -> Step:
        """Remove what is no longer admitted from all tables, the last of them first."""

        def run(engine: Engine, given: Given) -> withdrawals.Removed | None:
            return withdrawals.remove(engine, given.policy, given.key)

        # The jobs after it remove the same rows, only later.
        return cls("remove_withdrawn", "withdrawals", run, is_needed=False)

    @classmethod
    def makes(cls, job: pipeline.Job) -> Step:
        """Run one of the five jobs."""
        run = pipeline.run
        return cls(job.name, job.target.name, lambda engine, given: run(engine, job, given.policy, given.key))

    @classmethod
    def maintains(cls, table: str) -> Step:
        """Keep a table small, and its past short."""
        return cls("maintain_tables", table, lambda engine, _: maintenance.maintain(engine, contract(table)))


def land(argv: Sequence[str]) -> str | None:
    """Land the drops of one source. Returns what `sys.exit` takes: of a failure what to tell."""
    parser = _landing_parser("land")
    parser.add_argument("--source", choices=SOURCES, required=True)
    arguments = _parsed(parser, argv)
    return _run([Step.lands(arguments.source, arguments.landing)], arguments, _lake)


def make(job: str, argv: Sequence[str]) -> str | None:
    """Make the table of one of the five jobs. Returns what `sys.exit` takes: of a failure what to tell."""
    arguments = _parsed(_parser(job), argv)
    return _run([Step.makes(pipeline.JOBS[job])], arguments, lambda arguments: _lake(arguments).expect())


def remove_withdrawn(argv: Sequence[str]) -> str | None:
    """Remove what is no longer admitted from all tables. Returns what `sys.exit` takes: of a failure what to tell."""
    arguments = _parsed(_parser("remove_withdrawn"), argv)
    return _run([Step.removes()], arguments, lambda arguments: _lake(arguments).expect())


def lakehouse(argv: Sequence[str]) -> str | None:
    """Land all drops and make all tables, in one session. Returns what `sys.exit` takes: of a failure what to tell."""
    arguments = _parsed(_landing_parser("lakehouse"), argv)
    found = cache(lambda: discover(arguments.landing))
    steps = [Step.lands(source, arguments.landing, found) for source in SOURCES]
    steps.append(Step.removes())
    steps += [Step.makes(job) for job in pipeline.JOBS.values()]
    return _run(steps, arguments, _lake)


def maintain(argv: Sequence[str]) -> str | None:
    """Maintain all tables. Returns what `sys.exit` takes: of a failure what to tell."""
    arguments = _parsed(_lake_parser("maintain_tables"), argv)
    steps = [Step.maintains(table) for table in names()]
    return _run(steps, arguments, lambda arguments: _lake(arguments).expect(), lambda _: None)


def _run(
    steps: Sequence[Step],
    arguments: argparse.Namespace,
    lake: Callable[[argparse.Namespace], Lake],
    given: Callable[[argparse.Namespace], Given | None] = Given.by,
) -> str | None:
    """Run the steps, up to one that fails and that others need. Returns what is stale."""
    stale: list[str] = []
    waiting = list(steps)
    try:
        needed = given(arguments)
        with closing(connect(arguments.engine, lake(arguments))) as engine:
            while waiting:
                step = waiting.pop(0)
                if problem := _problem(step, engine, needed):
                    # Glue may cut a message at its first line.
                    stale.append(f"{step.table} is stale: {problem}".replace("\n", " "))
                    if step.is_needed:
                        break
    except Exception as error:  # before the first step stands what all of them need
        stale.append(f"{steps[0].table} is stale: {_told(error)}")
    if stale:
        stale += [f"{step.table} is stale: it was not made" for step in waiting]
    return "; ".join(stale) or None


def _problem(step: Step, engine: Engine, needed: Given | None) -> str | None:
    """Run the step and print what it did. Returns what is wrong with its table then."""
    try:
        return _print(step, step.run(engine, needed))
    except Exception as error:
        return _told(error)


def _told(error: Exception) -> str:
    """What may be told of an error."""
    if isinstance(error, StediError):
        return str(error)
    unexpected = UnexpectedError(error)
    print(unexpected.way, end="", file=sys.stderr)  # noqa: T201 - Glue's log is the job's standard error
    return str(unexpected)


def _print(step: Step, done: Any) -> str | None:
    """Print what the step did, if it did anything. Returns what is left to do about it."""
    if not done:
        return None
    print(json.dumps({"job": step.job, "table": step.table, **asdict(done)}), flush=True)  # noqa: T201 - its output
    if not isinstance(done, landing.Landed):
        return None
    return "; ".join(str(error) for error in done.left) or None


def _lake(arguments: argparse.Namespace) -> Lake:
    return Lake.at(arguments.lake, arguments.database_prefix)


def _policy(arguments: argparse.Namespace) -> Policy:
    defective_serials = frozenset(arguments.defective_serials.split())
    return Policy.declared(arguments.consent, arguments.pairing, defective_serials, arguments.environment)


def _key(arguments: argparse.Namespace) -> PseudonymKey:
    if arguments.pseudonym_key_secret:
        return secret_key(arguments.pseudonym_key_secret)
    return read_key(arguments.pseudonym_key_file) if arguments.pseudonym_key_file else local_key()


def _settings(arguments: argparse.Namespace) -> Settings:
    """The settings of the file or object that `--config` names."""
    config: str = getattr(arguments, "config", None) or ""
    if config.startswith("s3://"):
        return Settings.parsed(b"".join(stored(Drop(config, config, 0, datetime(1970, 1, 1)))), config)
    return Settings.load(Path(config) if config else None)


def _parsed(parser: argparse.ArgumentParser, argv: Sequence[str]) -> argparse.Namespace:
    """The arguments. Those that Glue adds of its own (--JOB_NAME, --TempDir, …) are let pass."""
    return parser.parse_known_args(argv)[0]


def _landing_parser(job: str) -> argparse.ArgumentParser:
    parser = _parser(job)
    parser.add_argument("--landing", required=True, help="the folder or S3 URI above the sources' folders")
    parser.add_argument("--config", help="path or S3 URI of limits and time zones; ./stedi.toml by default")
    return parser


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
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--pseudonym_key_file", type=Path, help="64 hex digits, mode 0600")
    key.add_argument("--pseudonym_key_secret", help="name or ARN of a secret in Secrets Manager with 64 hex digits")
    return parser
