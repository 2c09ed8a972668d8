"""What the scripts in `jobs/` share: Glue-style arguments, an engine, and a line of JSON about what happened."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stedi_common import landing, pipeline
from stedi_common.contracts import SOURCES
from stedi_common.engines import ENGINES, Engine, connect
from stedi_common.errors import StediError, UnexpectedError
from stedi_common.lake import Lake
from stedi_common.policy import Policy
from stedi_common.pseudonym import PseudonymKey, local_key, read_key, secret_key


def make(job: str, argv: Sequence[str]) -> int:
    """Run a job that makes a table. Returns the exit code."""
    arguments = _parser(job).parse_known_args(argv)[0]
    return _report(job, lambda: _make(job, arguments))


def land(argv: Sequence[str]) -> int:
    """Run the job that lands the drops of one source. Returns the exit code."""
    parser = _parser("land")
    parser.add_argument("--source", choices=SOURCES, required=True)
    parser.add_argument("--landing", required=True, help="the folder or S3 URI above the sources' folders")
    arguments = parser.parse_known_args(argv)[0]
    return _report("land", lambda: _land(arguments))


def _make(job: str, arguments: argparse.Namespace) -> Any:
    policy = Policy.declared(
        arguments.consent, arguments.pairing, frozenset(arguments.defective_serials.split()), arguments.environment
    )
    (known,) = pipeline.jobs([job])
    key = _key(arguments)
    _lake(arguments).expect()
    return _with_engine(arguments, lambda engine: pipeline.run(engine, known, policy, key))


def _land(arguments: argparse.Namespace) -> Any:
    key = _key(arguments)
    return _with_engine(arguments, lambda engine: landing.land(engine, arguments.source, arguments.landing, key))


def _with_engine(arguments: argparse.Namespace, work: Callable[[Engine], Any]) -> Any:
    engine = connect(arguments.engine, _lake(arguments))
    try:
        return work(engine)
    finally:
        engine.close()


def _lake(arguments: argparse.Namespace) -> Lake:
    return Lake.at(arguments.lake, arguments.database_prefix)


def _report(job: str, work: Callable[[], Any]) -> int:
    """One line of JSON on standard output; of an error one on standard error."""
    try:
        result = asdict(work())
    except StediError as error:
        return _failed(job, error)
    except Exception as error:
        unexpected = UnexpectedError(error)
        return _failed(job, unexpected, unexpected.way)
    print(json.dumps({"job": job, **result}))  # noqa: T201 - and its standard output
    return 0


def _failed(job: str, error: StediError, way: str = "") -> int:
    print(f"{way}{job}: {error}", file=sys.stderr)  # noqa: T201 - Glue's log is the job's standard error
    return 1


def _parser(job: str) -> argparse.ArgumentParser:
    """The arguments every job takes. Those that Glue adds of its own (--JOB_NAME, --TempDir, …) are let pass."""
    parser = argparse.ArgumentParser(job, allow_abbrev=False)
    parser.add_argument("--lake", required=True, help="a folder, or the S3 URI above the zones")
    parser.add_argument("--database_prefix", default="", help="what the names of Glue's databases start with")
    parser.add_argument("--engine", choices=ENGINES, default="spark")
    parser.add_argument("--consent", default="as-of")
    parser.add_argument("--pairing", default="owner")
    parser.add_argument("--defective_serials", default="", help="serial numbers, separated by blanks")
    parser.add_argument("--environment", default="local", help="prod accepts only the default policy")
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--pseudonym_key_file", type=Path, help="64 hex digits, mode 0600")
    key.add_argument("--pseudonym_key_secret", help="the name of a secret in Secrets Manager with 64 hex digits")
    return parser


def _key(arguments: argparse.Namespace) -> PseudonymKey:
    if arguments.pseudonym_key_secret:
        return secret_key(arguments.pseudonym_key_secret)
    return read_key(arguments.pseudonym_key_file) if arguments.pseudonym_key_file else local_key()
