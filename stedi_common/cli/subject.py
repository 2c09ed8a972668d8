"""`stedi subject`: what the lake and the drops hold on a person, and their withdrawal."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from stedi_common.cli.options import (
    DEFAULTS,
    EMBEDDED_BYTES,
    UMASK,
    CatalogOption,
    ConfigOption,
    EmbeddedBytesOption,
    EndpointOption,
    EngineOption,
    JsonOption,
    KeyFileOption,
    KeySecretOption,
    LakeOption,
    LandingOption,
    PrefixOption,
    ProfileOption,
    UmaskOption,
    settings_of,
)
from stedi_common.cli.output import echo
from stedi_common.cli.process import exit_on_errors, open_engine, open_engines, run_tasks
from stedi_common.errors import SubjectError

#: The argument that stands for standard input.
STDIN = "-"

subject = typer.Typer(help="Answer a person who asks what is held on them, or who withdraws.", no_args_is_help=True)


AddressArgument = Annotated[
    str | None,
    typer.Argument(
        help="The email address of the person. Without it, or with -, it is read from standard input, so that it "
        "stays out of the shell's history and the list of processes.",
    ),
]
PseudonymOption = Annotated[str | None, typer.Option(help="The pseudonym of the person, instead of the address.")]
FileOption = Annotated[Path | None, typer.Option(help="The file that holds the address.")]


@subject.command()
def show(
    context: typer.Context,
    address: AddressArgument = None,
    pseudonym: PseudonymOption = None,
    file: FileOption = None,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Write the rows and lines into this new folder. Its mode is 0700."),
    ] = None,
    landing: LandingOption = DEFAULTS.landing,
    lake: LakeOption = DEFAULTS.lake,
    database_prefix: PrefixOption = DEFAULTS.database_prefix,
    catalog: CatalogOption = DEFAULTS.catalog,
    profile: ProfileOption = None,
    endpoint_url: EndpointOption = None,
    pseudonym_key_file: KeyFileOption = None,
    pseudonym_key_secret: KeySecretOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show which rows, snapshots and lines of drops are about a person."""
    from stedi_common.api.setup import key_of, lake_of
    from stedi_common.api.subject import drops_of
    from stedi_common.cli import console
    from stedi_common.cli import show as screen
    from stedi_common.subjects import report, subject_of
    from stedi_common.subjects.export import make_folder

    given = _address(address, file, pseudonym)
    settings = settings_of(context)
    at = lake_of(settings).expect_exists()
    key, found = key_of(settings, at), drops_of(settings)
    with open_engine("embedded", at, writes=False) as engine:
        who = subject_of(engine, key, address_=given, pseudonym=pseudonym)
        if export:
            make_folder(export)
        shown = report(engine, who, key, found, settings.reader, folder=export, around=console.working)
    if as_json:
        echo(json.dumps(shown.public()))
    else:
        screen.subject(shown, export)


@subject.command()
def withdraw(
    context: typer.Context,
    address: AddressArgument = None,
    pseudonym: PseudonymOption = None,
    file: FileOption = None,
    landing: LandingOption = DEFAULTS.landing,
    lake: LakeOption = DEFAULTS.lake,
    engine: EngineOption = DEFAULTS.engine,
    embedded_bytes: EmbeddedBytesOption = EMBEDDED_BYTES,
    database_prefix: PrefixOption = DEFAULTS.database_prefix,
    catalog: CatalogOption = DEFAULTS.catalog,
    profile: ProfileOption = None,
    endpoint_url: EndpointOption = None,
    pseudonym_key_file: KeyFileOption = None,
    pseudonym_key_secret: KeySecretOption = None,
    umask: UmaskOption = UMASK,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Withdraw the consent of a person: land a refusal, and delete their rows from trusted and curated tables."""
    from stedi_common.api.setup import key_of, lake_of, run_settings_of
    from stedi_common.cli import show as screen
    from stedi_common.contracts import CUSTOMER
    from stedi_common.instants import utc_now
    from stedi_common.landing import Landed
    from stedi_common.runs.run_all import deletion_task, landing_tasks
    from stedi_common.runs.withdrawals import Deleted
    from stedi_common.subjects import expect_customer, expect_no_rows, subject_of, write_refusal

    given = _address(address, file, pseudonym)
    settings = settings_of(context)
    at = lake_of(settings).expect_exists()
    key, run_settings = key_of(settings, at), run_settings_of(settings, at, must_exist=True)
    with open_engines(settings, at) as engines:
        who = subject_of(engines.for_reading(), key, address_=given, pseudonym=pseudonym)
        expect_customer(engines.for_reading(), who)
        drop = write_refusal(who, settings.landing, utc_now())
        done = run_tasks(
            engines.for_tasks, run_settings, [*landing_tasks(settings.landing, [CUSTOMER]), deletion_task()]
        )
        expect_no_rows(engines.for_reading(), who)
    if as_json:
        echo(json.dumps({"drop": drop, "tasks": [each.line for each in done if each.result]}))
    else:
        results = [each.result for each in done]
        screen.landed([each for each in results if isinstance(each, Landed)])
        screen.run_results([each for each in results if isinstance(each, Deleted)], [])
        screen.withdrawn(drop)
    exit_on_errors(done)


def _address(argument: str | None, file: Path | None, pseudonym: str | None) -> str | None:
    """The address of the command line; None if the pseudonym is given instead.

    Raises:
        typer.BadParameter: more than one of them is given, or none and standard input is a terminal.
        SubjectError: the file cannot be read, or not one address is in it.
    """
    if pseudonym:
        if argument or file:
            raise typer.BadParameter("expected an address or --pseudonym, got both")
        return None
    if argument not in {None, STDIN}:
        if file:
            raise typer.BadParameter("expected an address or --file, got both")
        return str(argument)
    if file is None and (sys.stdin is None or sys.stdin.isatty()):
        raise typer.BadParameter("expected an address, --file or --pseudonym, got none")
    try:
        text = file.read_text(encoding="utf-8") if file else sys.stdin.buffer.read().decode()
    except UnicodeDecodeError:
        raise SubjectError("subject: expected an address in UTF-8, got other bytes") from None
    except OSError as error:
        raise SubjectError(f"subject: expected a file with an address, got {error.strerror} at {file}") from None
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) != 1:
        raise SubjectError(f"subject: expected one address, got {len(lines)}", hint="ask for one person at a time")
    return lines[0]
