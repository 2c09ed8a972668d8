"""Where security configurations are kept."""

from collections import defaultdict
from typing import Any

from localstack.aws.api import RequestContext
from moto.glue.exceptions import EntityNotFoundException

SecurityConfiguration = dict[str, Any]

_configurations: defaultdict[tuple[str, str], dict[str, SecurityConfiguration]] = defaultdict(dict)


def configurations(context: RequestContext) -> dict[str, SecurityConfiguration]:
    """Those of the caller's account in the caller's region, by name."""
    return _configurations[context.account_id, context.region]


def configuration(context: RequestContext, name: str) -> SecurityConfiguration:
    """The one of this name. Raises EntityNotFoundException if there is none."""
    if name not in configurations(context):
        raise EntityNotFoundException(f"Security configuration {name} not found.")
    return configurations(context)[name]
