"""The commands of `stedi`. Each takes its settings from its context: see `options.settings_of`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from stedi_common import __version__
from stedi_common.cli.names import FORMATS, format_names, job_names, source_names
from stedi_common.cli.options import (
    DEFAULTS,
    EMBEDDED_BYTES,
    UMASK,
    CatalogOption,
    ConfigOption,
    ConsentOption,
    DefectiveOption,
    EmbeddedBytesOption,
    EndpointOption,
    EngineOption,
    EnvironmentOption,
    JsonOption,
    KeyFileOption,
    KeySecretOption,
    LakeOption,
    LandingOption,
    PairingOption,
    PrefixOption,
    ProfileOption,
    RebuildOption,
    UmaskOption,
    settings_of,
)
from stedi_common.cli.output import echo
from stedi_common.cli.policy import policy
from stedi_common.cli.process import begin, exit_on_errors, open_engine, open_engines, run_tasks
from stedi_common.cli.sql import SqlCommand, instant, read_sql
from stedi_common.cli.subject import subject
from stedi_common.contracts import SOURCES
from stedi_common.text import escaped

# `--version`, `--help` and completion are quick: what commands need, they import themselves.
if TYPE_CHECKING:
    from stedi_common.runs.run_all import CompletedTask

app = typer.Typer(
    name="stedi",
    help="Consent-governed Iceberg tables: from raw drops to training pairs of people who had consented.",
    epilog="A setting comes from the command line, else from STEDI_… in the environment, else from stedi.toml, else it "
    "is the default. "
    "Exit codes: 0 done, 1 error, 2 wrong usage, 3 other runs committed in between (run again), "
    "4 landed, but some customer lines may be the refusal of an unknown person, 5 the lake is damaged, "
    "6 computed, but there are unread files, 130 and 143 interrupted.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)

app.add_typer(policy, name="policy")
app.add_typer(subject, name="subject")

ResultType = TypeVar("ResultType")


@app.command()
def generate(
    into: Annotated[Path, typer.Argument(help="The folder to write the drops to.")] = Path(DEFAULTS.landing),
    people: Annotated[int, typer.Option(min=1, help="How many customers.")] = 200,
    readings: Annotated[int, typer.Option(min=0, help="About how many readings, of both kinds together.")] = 50_000,
    days: Annotated[int, typer.Option(min=1, help="Over how many days.")] = 14,
    seed: Annotated[int, typer.Option(help="The same seed makes the same drops.")] = 1,
    dirt: Annotated[float, typer.Option(min=0, max=0.5, help="The share of dirty lines.")] = 0.01,
    shared_serials: Annotated[
        bool, typer.Option("--shared-serials", help="All customers have one of the same 30 serial numbers.")
    ] = False,
    without_address: Annotated[
        bool,
        typer.Option(
            "--without-address", help="Some dirty customer lines name nobody: landing them ends with exit code 4."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Generate realistic drops, and in truth/ beside them how many rows each table must have."""
    from stedi_common.cli import console, show
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
    with console.progress("generating drops") as advance:
        truth = make(plan, into, advance)
    _print(as_json, truth.as_json(), lambda: show.generated(truth, into))


@app.command("init")
def init_(
    folder: Annotated[Path, typer.Argument(help="The folder of the project.")] = Path(),
    as_json: JsonOption = False,
) -> None:
    """Make a project: a folder for your own sources and tables, with their contracts and functions."""
    from stedi_common.cli.init import make_project

    made = make_project(folder)
    _print(as_json, made, lambda: echo("\n".join(f"made {escaped(str(file))}" for file in made)))


@app.command()
def land(
    context: typer.Context,
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"Any of {', '.join(SOURCES)}. By default all.",
            callback=source_names.check,
            autocompletion=source_names.complete,
        ),
    ] = None,
    landing: LandingOption = DEFAULTS.landing,
    lake: LakeOption = DEFAULTS.lake,
    engine: EngineOption = DEFAULTS.engine,
    embedded_bytes: EmbeddedBytesOption = EMBEDDED_BYTES,
    database_prefix: PrefixOption = DEFAULTS.database_prefix,
    catalog: CatalogOption = DEFAULTS.catalog,
    profile: ProfileOption = None,
    endpoint_url: EndpointOption = None,
    consent: ConsentOption = DEFAULTS.consent,
    pairing: PairingOption = DEFAULTS.pairing,
    defective_serials: DefectiveOption = None,
    environment: EnvironmentOption = DEFAULTS.environment,
    pseudonym_key_file: KeyFileOption = None,
    pseudonym_key_secret: KeySecretOption = None,
    umask: UmaskOption = UMASK,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Land new and changed files. Count the lines that are not understood, and name the skipped files."""
    from stedi_common.api.setup import lake_of, run_settings_of
    from stedi_common.cli import show
    from stedi_common.landing import Landed
    from stedi_common.runs.run_all import landing_tasks

    settings = settings_of(context)
    at = lake_of(settings)
    run_settings = run_settings_of(settings, at, creates=True)
    with open_engines(settings, at) as engines:
        done = run_tasks(engines.for_tasks, run_settings, landing_tasks(settings.landing, sources or SOURCES))
    results = _results(done, Landed)
    if results:
        _print(as_json, [asdict(result) for result in results], lambda: show.landed(results))
    exit_on_errors(done)


@app.command()
def run(
    context: typer.Context,
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="JOB",
            help="Names of jobs. By default all.",
            callback=job_names.check,
            autocompletion=job_names.complete,
        ),
    ] = None,
    lake: LakeOption = DEFAULTS.lake,
    engine: EngineOption = DEFAULTS.engine,
    embedded_bytes: EmbeddedBytesOption = EMBEDDED_BYTES,
    database_prefix: PrefixOption = DEFAULTS.database_prefix,
    catalog: CatalogOption = DEFAULTS.catalog,
    profile: ProfileOption = None,
    endpoint_url: EndpointOption = None,
    consent: ConsentOption = DEFAULTS.consent,
    pairing: PairingOption = DEFAULTS.pairing,
    defective_serials: DefectiveOption = None,
    environment: EnvironmentOption = DEFAULTS.environment,
    pseudonym_key_file: KeyFileOption = None,
    pseudonym_key_secret: KeySecretOption = None,
    umask: UmaskOption = UMASK,
    config: ConfigOption = None,
    rebuild: RebuildOption = False,
    plan: Annotated[
        bool, typer.Option("--plan", help="Show what a run is going to do, and why. Commit nothing.")
    ] = False,
    dismiss_unread: Annotated[
        bool,
        typer.Option(
            "--dismiss-unread",
            help="Dismiss all unread files. You take responsibility that nobody withdraws consent in them.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete withdrawn rows, then compute the trusted and curated tables from the landing tables."""
    from stedi_common.api.setup import lake_of, run_settings_of
    from stedi_common.api.tasks import plan_run
    from stedi_common.cli import show
    from stedi_common.landing.unread import UnreadFiles
    from stedi_common.rules.lineage import jobs
    from stedi_common.runs.executor import Outcome
    from stedi_common.runs.run_all import tasks
    from stedi_common.runs.withdrawals import Deleted

    settings = settings_of(context)
    at = lake_of(settings, for_run=not plan)
    run_settings = run_settings_of(settings, at, must_exist=True)
    chosen = jobs(names or [])
    if plan:
        with open_engines(settings, at, writes=False) as engines:
            previews = plan_run(engines, chosen, run_settings)
        _print(as_json, [asdict(each) for each in previews], lambda: show.previews(previews))
        return
    with open_engines(settings, at) as engines:
        done = run_tasks(engines.for_tasks, run_settings, tasks(jobs=chosen, dismiss_unread=dismiss_unread))
    lines = [each.line for each in done if each.result]  # as the jobs' scripts print them

    def shown() -> None:
        show.run_results(_results(done, Deleted), _results(done, Outcome))
        show.unread(_results(done, UnreadFiles))

    _print(as_json, lines, shown)
    exit_on_errors(done)


@app.command()
def maintain(
    context: typer.Context,
    lake: LakeOption = DEFAULTS.lake,
    engine: EngineOption = DEFAULTS.engine,
    database_prefix: PrefixOption = DEFAULTS.database_prefix,
    catalog: CatalogOption = DEFAULTS.catalog,
    profile: ProfileOption = None,
    endpoint_url: EndpointOption = None,
    umask: UmaskOption = UMASK,
    config: ConfigOption = None,
    remove_unknown: Annotated[
        bool,
        typer.Option(
            "--remove-unknown",
            help="Remove files that no snapshot ever named, even if they are more than half of a table's bytes or "
            "newer than its last commit.",
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Compact files, expire snapshots, remove orphan files. It may run beside every other command."""
    from stedi_common import maintenance
    from stedi_common.api.setup import lake_of
    from stedi_common.api.tasks import maintenance_tasks
    from stedi_common.cli import show

    settings = settings_of(context)
    to_do = maintenance_tasks(remove_unknown=remove_unknown)
    with open_engines(settings, lake_of(settings).expect_exists()) as engines:
        connected = engines.for_tasks(to_do, None)
        staged = maintenance.remove_staged(connected)
        done = run_tasks(lambda *_: connected, None, to_do)
    results = _results(done, maintenance.Maintained)
    document = {"tables": [asdict(result) for result in results], "staged": staged}
    _print(as_json, document, lambda: show.maintained(results, staged))
    exit_on_errors(done)


@app.command("status")
def status_(
    context: typer.Context,
    lake: LakeOption = DEFAULTS.lake,
    database_prefix: PrefixOption = DEFAULTS.database_prefix,
    catalog: CatalogOption = DEFAULTS.catalog,
    profile: ProfileOption = None,
    endpoint_url: EndpointOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show rows, last commit, policy and lag of each table, and how many people have no consent because of doubt."""
    from stedi_common import status
    from stedi_common.api.setup import lake_of
    from stedi_common.cli import show

    settings = settings_of(context)
    with open_engine("embedded", lake_of(settings).expect_exists(), writes=False) as connected:
        tables = status.tables(connected)
    _print(as_json, [asdict(table) for table in tables], lambda: show.status(tables, settings.lake))


@app.command("check")
def check_(
    context: typer.Context,
    lake: LakeOption = DEFAULTS.lake,
    quick: Annotated[bool, typer.Option("--quick", help="Check sizes and metadata only. Count no rows.")] = False,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Check that every file of every table is there and whole, and that what has landed is in the tables."""
    from stedi_common.api.setup import lake_of
    from stedi_common.checks import check, opened
    from stedi_common.cli import console, show

    with opened(lake_of(settings_of(context)).expect_exists()) as connected:
        found = check(connected, quick=quick, around=lambda table: console.working(f"checking {table}"))
    _print(as_json, asdict(found), lambda: show.checked(found))
    exit_on_errors((), *found.errors)


@app.command("repair")
def repair_(
    context: typer.Context,
    landing: Annotated[
        str | None,
        typer.Option(
            "--landing",
            envvar="STEDI_LANDING",
            help="The landing folder from which files land again. If it is not set, no file lands.",
        ),
    ] = None,
    lake: LakeOption = DEFAULTS.lake,
    consent: ConsentOption = DEFAULTS.consent,
    pairing: PairingOption = DEFAULTS.pairing,
    defective_serials: DefectiveOption = None,
    environment: EnvironmentOption = DEFAULTS.environment,
    pseudonym_key_file: KeyFileOption = None,
    pseudonym_key_secret: KeySecretOption = None,
    umask: UmaskOption = UMASK,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Recompute damaged trusted and curated tables, and land again the files whose rows are missing."""
    from stedi_common.api.setup import lake_of, run_settings_of
    from stedi_common.checks import opened, repair
    from stedi_common.cli import show

    settings = settings_of(context)
    at = lake_of(settings)
    run_settings = run_settings_of(settings, at, must_exist=True)
    folder = settings.landing if "landing" in settings.explicit else None
    with opened(at, writes=True) as connected:
        repaired = repair(
            connected, run_settings, lambda tasks: run_tasks(lambda *_: connected, run_settings, tasks), folder
        )
    steps = [asdict(step) for step in repaired.steps]
    ran = [{"job": each.task.job, "table": each.task.table} for each in repaired.completed if each.result]
    document = {"steps": steps, "ran": ran, "findings": [asdict(each) for each in repaired.checked.findings]}
    _print(as_json, document, lambda: show.repaired(repaired))
    exit_on_errors(repaired.completed, *repaired.checked.errors)


@app.command()
def relocate(
    context: typer.Context, lake: LakeOption = DEFAULTS.lake, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Write the lake's folder into its files, after the lake was moved or copied."""
    from stedi_common.cli import show
    from stedi_common.engines.storage.relocation import relocate as rewrite
    from stedi_common.lake import Lake

    relocated = rewrite(Lake.at(settings_of(context).lake))
    _print(as_json, asdict(relocated), lambda: show.relocated(relocated.files))


@app.command()
def recover(
    context: typer.Context,
    lake: LakeOption = DEFAULTS.lake,
    database_prefix: PrefixOption = DEFAULTS.database_prefix,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Rebuild catalog.db from the metadata of the tables, after it was lost, damaged, or replaced by an old copy."""
    from stedi_common import project
    from stedi_common.checks import check, opened
    from stedi_common.cli import show
    from stedi_common.engines.embedded.recovery import recover as rebuild
    from stedi_common.lake import Lake

    project.expect_usable()  # else the check would miss its tables
    settings = settings_of(context)
    lake_ = Lake.at(settings.lake, settings.database_prefix)
    recovered = rebuild(lake_)
    with opened(lake_) as connected:  # rows are missing if later metadata are lost and nothing names them
        found = check(connected, quick=True, count_rows=True)
    document = asdict(recovered) | {"findings": [asdict(each) for each in found.findings]}
    _print(as_json, document, lambda: show.recovered(recovered, found.findings))
    exit_on_errors((), *found.errors)


@app.command("query", cls=SqlCommand)
def query_(
    context: typer.Context,
    sql: Annotated[
        str | None,
        typer.Argument(
            help="One SELECT, SHOW, DESCRIBE or SUMMARIZE in DuckDB's SQL, over zone.table; - reads standard input."
        ),
    ] = None,
    file: Annotated[Path | None, typer.Option(help="The file that holds the SQL.")] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Read the tables as of this instant, in UTC: 2026-01-31T00:00:00."),
    ] = None,
    format_: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help=f"One of {', '.join(FORMATS)}. By default that of the ending of --output, else table.",
            callback=format_names.check,
            autocompletion=format_names.complete,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Short for --format json.")] = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The file to write or replace. Its mode is 0600.")
    ] = None,
    lake: LakeOption = DEFAULTS.lake,
    database_prefix: PrefixOption = DEFAULTS.database_prefix,
    catalog: CatalogOption = DEFAULTS.catalog,
    profile: ProfileOption = None,
    endpoint_url: EndpointOption = None,
    config: ConfigOption = None,
) -> None:
    """Query the lake's tables with SQL."""
    from stedi_common.api.setup import lake_of
    from stedi_common.cli.query import run_query

    if as_json and format_ not in {None, "json"}:
        raise typer.BadParameter("expected --json or another --format, got both")
    name = "json" if as_json else format_
    statement, instant_ = read_sql(sql, file), instant(at)  # wrong usage is reported first
    run_query(lake_of(settings_of(context)).expect_exists(), statement, instant_, name, output)


@app.command()
def demo(
    context: typer.Context,
    landing: Annotated[
        str | None,
        typer.Option(
            "--landing",
            envvar="STEDI_LANDING",
            help="The landing folder with your drops. By default drops/, with generated drops.",
        ),
    ] = None,
    lake: LakeOption = DEFAULTS.lake,
    engine: EngineOption = DEFAULTS.engine,
    embedded_bytes: EmbeddedBytesOption = EMBEDDED_BYTES,
    consent: ConsentOption = DEFAULTS.consent,
    pairing: PairingOption = DEFAULTS.pairing,
    pseudonym_key_file: KeyFileOption = None,
    umask: UmaskOption = UMASK,
    config: ConfigOption = None,
    rebuild: RebuildOption = False,
) -> None:
    """Generate drops or take yours, land them, run all jobs, and compare the tables with what was generated."""
    from stedi_common.api.setup import lake_of, run_settings_of
    from stedi_common.cli import console, show
    from stedi_common.cli.demo import differences, make_drops
    from stedi_common.landing import Landed
    from stedi_common.rules.lineage import JOBS
    from stedi_common.runs.executor import Outcome
    from stedi_common.runs.run_all import tasks
    from stedi_common.runs.withdrawals import Deleted

    settings = settings_of(context)
    at, folder = lake_of(settings, for_run=True), Path(settings.landing)
    run_settings = run_settings_of(settings, at, creates=True)
    if "landing" not in settings.explicit:
        with console.progress("generating drops") as advance:
            make_drops(folder, advance)
    with open_engines(settings, at) as engines:
        done = run_tasks(engines.for_tasks, run_settings, tasks(settings.landing))
    outcomes, landed = _results(done, Outcome), _results(done, Landed)
    if landed:
        show.landed(landed)
    show.run_results(_results(done, Deleted), outcomes)
    if len(outcomes) == len(JOBS):
        show.truth(differences(folder, run_settings.policy, outcomes))
        show.next_steps(settings.lake, outcomes)
    exit_on_errors(done)


def _version(asked: bool) -> None:
    """Print the version and exit. It is read before all other options."""
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _options(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version and exit.")
    ] = False,
    debug: Annotated[
        bool,
        typer.Option(
            "--debug", envvar="STEDI_DEBUG", help="Print the traceback of an unexpected error, without values."
        ),
    ] = False,
    log_file: Annotated[
        Path | None,
        typer.Option(
            "--log-file",
            envvar="STEDI_LOG_FILE",
            metavar="FILE",
            help="Append a line of JSON for each table and error to this file, without values. Its mode is 0600.",
        ),
    ] = None,
) -> None:
    if context.invoked_subcommand is None:
        context.fail("Missing command.")
    begin(context.invoked_subcommand, debug=debug, log_file=log_file)


def _results(done: Sequence[CompletedTask], of: type[ResultType]) -> list[ResultType]:
    return [each.result for each in done if isinstance(each.result, of)]


def _print(as_json: bool, data: Any, draw: Any) -> None:
    if as_json:
        echo(json.dumps(data, default=_plain))
    else:
        draw()


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
