"""A catalog by its name in PyIceberg's configuration, for both engines."""

from __future__ import annotations

from dataclasses import dataclass

from pyiceberg.utils.config import Config

from stedi_common.contracts import ZONES
from stedi_common.engines.storage import s3
from stedi_common.errors import LakeError, nearest
from stedi_common.lake import Lake

REST, GLUE = "rest", "glue"


@dataclass(frozen=True)
class NamedCatalog:
    """What the configuration says about a catalog.

    Attributes:
        name: its name there.
        kind: REST or GLUE.
        properties: all its properties, as PyIceberg calls them.
    """

    name: str
    kind: str
    properties: dict[str, str]


def named_catalog(lake: Lake) -> NamedCatalog:
    """The catalog that the lake names. From then on the lake's objects are read with the credentials that it gives.

    Raises:
        LakeError: there is no such catalog, or its type is another one.
    """
    properties = _properties(lake.catalog)
    kind = properties.get("type") or (REST if properties.get("uri", "").startswith("http") else "none")
    if kind.lower() not in {REST, GLUE}:
        raise LakeError(
            f"catalog {lake.catalog}: expected the type rest or glue in PyIceberg's configuration, got {kind}",
            hint="a catalog of another type cannot be used for a lake in S3",
        )
    for zone in ZONES:
        s3.set_access(lake.above(zone), properties)
    return NamedCatalog(lake.catalog, kind.lower(), properties)


def _properties(name: str) -> dict[str, str]:
    configuration = Config()
    found = configuration.get_catalog_config(name)
    if found is None:
        raise LakeError(
            f"catalog {name}: expected a catalog of this name in PyIceberg's configuration, got none",
            hint=nearest(name, configuration.get_known_catalogs())
            or "define it in ~/.pyiceberg.yaml, or set PYICEBERG_CATALOG__…__URI in the environment",
        )
    return {key: str(value) for key, value in found.items()}
