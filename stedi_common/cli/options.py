"""The options of the commands for Typer. Their names and help are those of `settings`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from stedi_common import aws
from stedi_common.cli.names import Names
from stedi_common.cli.process import enter
from stedi_common.files import umask
from stedi_common.settings import CONFIG, OPTIONS, Settings

#: The defaults, which the help shows.
DEFAULTS = Settings()
UMASK = f"{DEFAULTS.umask:03o}"
EMBEDDED_BYTES = f"{DEFAULTS.embedded_bytes // 10**9}GB"


def settings_of(context: typer.Context) -> Settings:
    """The settings of a command: what was typed, then the environment, then `stedi.toml`, then the defaults.

    They are taken from the context, since only there it is known whether an option was typed or is the default. Files
    that the command writes from now on have the modes that they say.
    """
    from stedi_common.api.setup import load_settings

    names = [name for name in context.params if name in (*OPTIONS, CONFIG)]
    settings = load_settings({name: context.params[name] for name in names if _is_typed(context, name)})
    enter(umask(settings.umask))
    enter(aws.profile_and_endpoint(settings.profile, settings.endpoint_url))
    return settings


def _is_typed(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _option(name: str) -> Any:
    option = OPTIONS[name]
    names = Names(option.choices, option.folded) if option.choices else None
    return typer.Option(
        *option.flags,
        envvar=option.variable,
        help=option.help,
        metavar=option.metavar,
        callback=names.check if names else None,
        autocompletion=names.complete if names else None,
    )


LakeOption = Annotated[str, _option("lake")]
LandingOption = Annotated[str, _option("landing")]
EngineOption = Annotated[str, _option("engine")]
EmbeddedBytesOption = Annotated[str, _option("embedded_bytes")]
PrefixOption = Annotated[str, _option("database_prefix")]
CatalogOption = Annotated[str, _option("catalog")]
ProfileOption = Annotated[str | None, _option("profile")]
EndpointOption = Annotated[str | None, _option("endpoint_url")]
ConsentOption = Annotated[str, _option("consent")]
PairingOption = Annotated[str, _option("pairing")]
DefectiveOption = Annotated[str | None, _option("defective_serials")]
EnvironmentOption = Annotated[str, _option("environment")]
KeyFileOption = Annotated[Path | None, _option("pseudonym_key_file")]
KeySecretOption = Annotated[str | None, _option("pseudonym_key_secret")]
UmaskOption = Annotated[str, _option("umask")]
RebuildOption = Annotated[bool, _option("rebuild")]
ConfigOption = Annotated[
    str | None,
    typer.Option(
        "--config",
        envvar="STEDI_CONFIG",
        metavar="FILE",
        help="The settings file. By default stedi.toml in the working folder, if it exists.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
