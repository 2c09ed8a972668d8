"""`stedi policy`: show and change the policy that a lake keeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer

from stedi_common.cli.options import (
    DEFAULTS,
    ConfigOption,
    ConsentOption,
    DefectiveOption,
    EnvironmentOption,
    JsonOption,
    KeyFileOption,
    KeySecretOption,
    LakeOption,
    PairingOption,
    settings_of,
)
from stedi_common.cli.output import echo

if TYPE_CHECKING:
    from stedi_common.lake.properties import LakeProperties

policy = typer.Typer(
    help="Show or change the policy of the lake: which readings count, and the id of the pseudonym key.",
    no_args_is_help=True,
)


@policy.command()
def show(
    context: typer.Context, lake: LakeOption = DEFAULTS.lake, config: ConfigOption = None, as_json: JsonOption = False
) -> None:
    """Show the policy of the lake, and each change of it."""
    from stedi_common.api.policy import properties_of
    from stedi_common.api.setup import lake_of

    _print(properties_of(lake_of(settings_of(context))), as_json=as_json)


@policy.command("set")
def set_(
    context: typer.Context,
    lake: LakeOption = DEFAULTS.lake,
    consent: ConsentOption = DEFAULTS.consent,
    pairing: PairingOption = DEFAULTS.pairing,
    defective_serials: DefectiveOption = None,
    environment: EnvironmentOption = DEFAULTS.environment,
    pseudonym_key_file: KeyFileOption = None,
    pseudonym_key_secret: KeySecretOption = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change the policy of the lake; what is not given stays. The next run needs --rebuild."""
    from stedi_common.api.policy import set_policy
    from stedi_common.lake import Lake

    settings = settings_of(context)
    _print(set_policy(settings, Lake.at(settings.lake, settings.database_prefix)), as_json=as_json)


def _print(properties: LakeProperties, *, as_json: bool) -> None:
    from stedi_common.cli import show

    if as_json:
        echo(json.dumps(properties.public()))
    else:
        show.policy(properties)
