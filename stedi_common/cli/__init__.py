"""The command line `stedi`."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from stedi_common import __version__
from stedi_common.cli import log
from stedi_common.cli.names import consent_names, environment_names, job_names, pairing_names, source_names
from stedi_common.contracts import SOURCES
from stedi_common.errors import CommitConflictError, StediError, UnexpectedError, UnknownRefusalError

# `--version`, `--help` and completion are quick: what commands need, they import themselves.
if TYPE_CHECKING:
    from stedi_common import maintenance
    from stedi_common.contracts import Contract
    from stedi_common.engines.protocol import Engine
    from stedi_common.lake import Lake
    from stedi_common.privacy.pseudonym import PseudonymKey
    from stedi_common.runs.run_all import Done, RunSettings, Task

app = typer.Typer(
    name="stedi",
    help="Consent-governed Iceberg tables: from raw drops to training pairs of people who had consented.",
    epilog="Exit codes: 0 done, 1 error, 2 wrong usage, 3 another run committed in between (run again), "
    "4 landed, but some customer lines may be the refusal of somebody who is not known.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


class EngineName(StrEnum):
    """Which engine computes."""

    embedded = "embedded"
    spark = "spark"


LakeOption = Annotated[
    Path, typer.Option("--lake", envvar="STEDI_LAKE", help="The lake: a folder with catalog.db and the tables.")
]
LandingOption = Annotated[
    Path,
    typer.Option(
        "--landing", envvar="STEDI_LANDING", help="The folder with customer/, accelerometer/ and step_trainer/."
    ),
]
EngineOption = Annotated[EngineName, typer.Option("--engine", envvar="STEDI_ENGINE", help="Which engine computes.")]
ConsentOption = Annotated[
    str,
    typer.Option(
        help="as-of: readings from the consent on; ever: of whoever consents now.",
        callback=consent_names.check,
        autocompletion=consent_names.complete,
    ),
]
PairingOption = Annotated[
    str,
    typer.Option(
        help="owner: readings of one person; timestamp: of one instant.",
        callback=pairing_names.check,
        autocompletion=pairing_names.complete,
    ),
]
DefectiveOption = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Serial numbers that say nothing about the owner, one a line.", dir_okay=False),
]
EnvironmentOption = Annotated[
    str,
    typer.Option(
        envvar="STEDI_ENVIRONMENT",
        help="prod accepts only the default policy.",
        callback=environment_names.check,
        autocompletion=environment_names.complete,
    ),
]
KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        envvar="STEDI_PSEUDONYM_KEY_FILE",
        help="The pseudonym key, 64 hex digits, mode 0600. By default this user's, made with a new lake.",
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="STEDI_CONFIG",
        help="Limits and time zones for landing. By default stedi.toml in the working folder, if it is there.",
    ),
]
RebuildOption = Annotated[
    bool, typer.Option("--rebuild", help="Rebuild tables that were built with another policy, key, columns or code.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]

#: Exit codes; `UnknownRefusalError` has its own.
ERROR, CONFLICT = 1, 3

ResultType = TypeVar("ResultType")

LAKE = Path("lake")
LANDING = Path("drops")

#: Whether the way to an unexpected error is shown.
_debug = ContextVar("debug", default=False)


@app.command()
def generate(
    into: Annotated[Path, typer.Argument(help="The folder the drops go to.")] = LANDING,
    people: Annotated[int, typer.Option(min=1, help="How many customers.")] = 200,
    readings: Annotated[int, typer.Option(min=0, help="About how many readings, of both kinds together.")] = 50_000,
    days: Annotated[int, typer.Option(min=1, help="Over how many days.")] = 14,
    seed: Annotated[int, typer.Option(help="The same seed makes the same drops.")] = 1,
    dirt: Annotated[float, typer.Option(min=0, max=1, help="Which share of the lines is dirty.")] = 0.01,
    shared_serials: Annotated[
        bool, typer.Option("--shared-serials", help="The defect: the same 30 serial numbers on all customers.")
    ] = False,
    without_address: Annotated[
        bool, typer.Option("--without-address", help="Some dirty customer lines name nobody: landing ends with code 4.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Make realistic drops, and the truth about them beside."""
    from stedi_common.cli import show
    from stedi_common.generate import Plan
    from stedi_common.generate import generate as make

    plan = Plan(
        people=people,
        readings=readings,
        days=days,
        seed=seed,
        dirt=dirt,
        shared_serials=shared_serials,
        without_address=without_address,
    )
    with show.progress("generating drops") as advance:
        truth = make(plan, into, advance)
    _print(as_json, truth.as_json(), lambda: show.generated(truth, into))


@app.command()
def land(
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"Of {', '.join(SOURCES)}; all by default.",
            callback=source_names.check,
            autocompletion=source_names.complete,
        ),
    ] = None,
    landing_folder: LandingOption = LANDING,
    lake: LakeOption = LAKE,
    engine: EngineOption = EngineName.embedded,
    key_file: KeyOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Land new and changed files; count the lines that are not understood, and name the files that are skipped."""
    from stedi_common.cli import show
    from stedi_common.lake import Lake
    from stedi_common.landing import Landed
    from stedi_common.rules.policy import Policy
    from stedi_common.runs.run_all import RunSettings, landing_tasks
    from stedi_common.settings import Settings

    at = Lake.at(str(lake))
    given = RunSettings(Policy(), _key(key_file, at), Settings.load(config))
    with _opened(engine, at) as opened:
        done = _ran(opened, given, landing_tasks(str(landing_folder), sources or SOURCES))
    results = _results(done, Landed)
    if results:
        _print(as_json, [asdict(result) for result in results], lambda: show.landed(results))
    _expect_done(done)


@app.command()
def run(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="JOB",
            help="All five by default.",
            callback=job_names.check,
            autocompletion=job_names.complete,
        ),
    ] = None,
    lake: LakeOption = LAKE,
    engine: EngineOption = EngineName.embedded,
    consent: ConsentOption = "as-of",
    pairing: PairingOption = "owner",
    defective_serials: DefectiveOption = None,
    environment: EnvironmentOption = "local",
    key_file: KeyOption = None,
    rebuild: RebuildOption = False,
    plan: Annotated[bool, typer.Option("--plan", help="Show what a run does and why; commit nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete withdrawn rows, then compute the trusted and curated tables from the landing tables."""
    from stedi_common.cli import show
    from stedi_common.lake import Lake
    from stedi_common.rules.lineage import jobs
    from stedi_common.rules.policy import Policy
    from stedi_common.runs.executor import Outcome
    from stedi_common.runs.preview import preview
    from stedi_common.runs.run_all import RunSettings, tasks
    from stedi_common.runs.withdrawals import Deleted

    policy = Policy.declared(consent, pairing, _serials(defective_serials), environment)
    at = Lake.at(str(lake))
    given = RunSettings(policy, _key(key_file, at, is_there=True), rebuild=rebuild)
    if plan:
        with _opened(engine, at, writes=False) as opened:
            previews = preview(opened, jobs(names or []), policy, given.key, rebuild=rebuild)
        _print(as_json, [asdict(each) for each in previews], lambda: show.previews(previews))
        return
    with _opened(engine, at) as opened:
        done = _ran(opened, given, tasks(jobs=jobs(names or [])))
    # As the jobs' scripts print it.
    lines = [{"job": each.task.job, "table": each.task.table, **asdict(each.result)} for each in done if each.result]
    _print(as_json, lines, lambda: show.made(_results(done, Deleted), _results(done, Outcome)))
    _expect_done(done)


@app.command()
def maintain(lake: LakeOption = LAKE, engine: EngineOption = EngineName.embedded, as_json: JsonOption = False) -> None:
    """Keep the tables small and their past short: compact, expire, remove what nothing needs. Beside runs, too."""
    from stedi_common import maintenance
    from stedi_common.cli import show
    from stedi_common.contracts import contract, names
    from stedi_common.lake import Lake

    with _opened(engine, Lake.at(str(lake)).expect()) as opened:
        results = [result for name in names() if (result := _maintain(opened, contract(name)))]
        staged = maintenance.remove_staged(opened)
    told = {"tables": [asdict(result) for result in results], "staged": staged}
    _print(as_json, told, lambda: show.maintained(results, staged))


@app.command("status")
def status_(lake: LakeOption = LAKE, as_json: JsonOption = False) -> None:
    """Show each table: rows, last commit, policy, and commits it is behind; and how many people are in doubt."""
    from stedi_common import status
    from stedi_common.cli import show
    from stedi_common.lake import Lake

    with _opened(EngineName.embedded, Lake.at(str(lake)).expect(), writes=False) as opened:
        tables = status.tables(opened)
    _print(as_json, [asdict(table) for table in tables], lambda: show.status(tables, lake))


@app.command("query")
def query_(
    sql: Annotated[str, typer.Argument(help="One SELECT, in DuckDB's SQL, over zone.table.")],
    lake: LakeOption = LAKE,
    as_json: JsonOption = False,
) -> None:
    """Query the lake's tables with SQL."""
    from stedi_common import query
    from stedi_common.cli import show
    from stedi_common.lake import Lake

    answer = query.answer(Lake.at(str(lake)).expect(), sql)
    _print(as_json, answer.records(), lambda: show.answer(answer))


@app.command()
def demo(
    landing_folder: Annotated[Path | None, typer.Option("--landing", help="Your drops; generated by default.")] = None,
    lake: LakeOption = LAKE,
    engine: EngineOption = EngineName.embedded,
    consent: ConsentOption = "as-of",
    pairing: PairingOption = "owner",
    key_file: KeyOption = None,
    config: ConfigOption = None,
    rebuild: RebuildOption = False,
) -> None:
    """Generate drops (or take yours), land them, run all jobs, and show what happened."""
    from stedi_common.cli import show
    from stedi_common.cli.demo import differences, make_drops
    from stedi_common.lake import Lake
    from stedi_common.landing import Landed
    from stedi_common.rules.lineage import JOBS
    from stedi_common.rules.policy import Policy
    from stedi_common.runs.executor import Outcome
    from stedi_common.runs.run_all import RunSettings, tasks
    from stedi_common.runs.withdrawals import Deleted
    from stedi_common.settings import Settings

    policy = Policy.declared(consent, pairing, frozenset(), "local")
    at = Lake.at(str(lake))
    given = RunSettings(policy, _key(key_file, at), Settings.load(config), rebuild)
    folder = landing_folder or LANDING
    if landing_folder is None:
        with show.progress("generating drops") as advance:
            make_drops(folder, advance)
    with _opened(engine, at) as opened:
        done = _ran(opened, given, tasks(str(folder)))
    outcomes, landed = _results(done, Outcome), _results(done, Landed)
    if landed:
        show.landed(landed)
    show.made(_results(done, Deleted), outcomes)
    if len(outcomes) == len(JOBS):
        show.truth(differences(folder, policy, outcomes))
        show.next_steps(lake, outcomes)
    _expect_done(done)


def main() -> None:
    """Run the command line; turn errors that a user is meant to read into one line and an exit code."""
    began, ended = time.monotonic(), ERROR
    try:
        ended = _ended()
    finally:
        log.close(ended, time.monotonic() - began)
    sys.exit(ended)


def _ended() -> int:
    """Run the command line. Returns its exit code."""
    _debug.set(False)
    try:
        app(prog_name="stedi")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except StediError as error:
        _show(error)
        return _exit_code(error)
    except Exception as error:
        _show(UnexpectedError(error))
        return ERROR
    return 0


def _version(asked: bool) -> None:
    """Print the version and leave. It is asked for before any other option is looked at."""
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version and leave.")
    ] = False,
    debug: Annotated[
        bool, typer.Option("--debug", envvar="STEDI_DEBUG", help="Show the way to an unexpected error, without values.")
    ] = False,
    log_file: Annotated[
        Path | None,
        typer.Option(
            "--log-file",
            envvar="STEDI_LOG_FILE",
            metavar="FILE",
            help="Append a line of JSON for each table and error: counts and seconds, no values. Its mode is 0600.",
        ),
    ] = None,
) -> None:
    if context.invoked_subcommand is None:
        context.fail("Missing command.")
    _debug.set(debug)
    if log_file:
        log.open_file(log_file, context.invoked_subcommand)


def _ran(engine: Engine, given: RunSettings, tasks: Sequence[Task]) -> list[Done]:
    from stedi_common.cli import show
    from stedi_common.runs.run_all import run_all

    done = []
    began = time.monotonic()
    for each in run_all(engine, given, tasks, around=lambda task: show.working(task.job)):
        if each.result:
            log.table(each.task.table, each.result, time.monotonic() - began)
        done.append(each)
        began = time.monotonic()
    return done


def _results(done: Sequence[Done], of: type[ResultType]) -> list[ResultType]:
    return [each.result for each in done if isinstance(each.result, of)]


def _expect_done(done: Sequence[Done]) -> None:
    """Show the errors and end with their exit code. All else is done by then."""
    from stedi_common.landing import Landed

    errors: list[StediError] = []
    for each in done:
        errors += [each.error] if each.error else each.result.errors if isinstance(each.result, Landed) else []
    for error in {str(error): error for error in errors}.values():  # one may be of all sources
        _show(error)
    if errors:
        sys.exit(max(map(_exit_code, errors), key=(CONFLICT, UnknownRefusalError.exit_code, ERROR).index))


def _show(error: StediError) -> None:
    from stedi_common.cli import show

    log.error(error)
    if isinstance(error, UnexpectedError):
        if _debug.get():
            typer.echo(error.way, err=True, nl=False)
        else:
            error = StediError(str(error), hint="stedi --debug … shows the way there, without values")
    show.error(error)


def _exit_code(error: StediError) -> int:
    if isinstance(error, CommitConflictError):
        return CONFLICT
    return UnknownRefusalError.exit_code if isinstance(error, UnknownRefusalError) else ERROR


def _maintain(engine: Engine, table: Contract) -> maintenance.Maintained | None:
    from stedi_common import maintenance
    from stedi_common.cli import show

    began = time.monotonic()
    with show.working(f"maintaining {table.name}"):
        maintained = maintenance.maintain(engine, table)
    if maintained:
        log.table(table.name, maintained, time.monotonic() - began)
    return maintained


def _key(file: Path | None, lake: Lake, *, is_there: bool = False) -> PseudonymKey:
    """The pseudonym key. One is made only for a lake without tables: another would rename every pseudonym.

    Args:
        file: where the key is; by default this user's own one is taken.
        lake: whose key it is.
        is_there: the lake must be there.
    """
    from stedi_common.privacy.pseudonym import local_key, read_key

    key = read_key(file) if file else None
    if is_there:
        lake.expect()
    return key or local_key(may_make=not lake.has_tables)


def _serials(file: Path | None) -> frozenset[str]:
    from stedi_common.rules.policy import serials

    if file is None:
        return frozenset()
    try:
        return serials(file.read_bytes())
    except OSError as error:
        raise StediError(f"--defective-serials: expected a readable file, got {error.strerror} at {file}") from None


@contextmanager
def _opened(engine: EngineName, lake: Lake, *, writes: bool = True) -> Iterator[Engine]:
    from stedi_common.cli import show
    from stedi_common.engines import connect

    with show.working(f"opening the lake with the {engine.value} engine"):
        opened = connect(engine.value, lake, writes=writes)
    try:
        yield opened
    finally:
        opened.close()


def _print(as_json: bool, data: Any, draw: Any) -> None:
    if as_json:
        typer.echo(json.dumps(data, default=_plain))
    else:
        draw()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
