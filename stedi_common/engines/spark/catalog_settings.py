"""Spark's settings of a lake's catalog: the SQLite file of a folder, the Glue Data Catalog, or a named catalog."""

from __future__ import annotations

import re
from pathlib import Path

from stedi_common.engines.storage import s3
from stedi_common.errors import LakeError
from stedi_common.files import current_umask
from stedi_common.lake import CATALOG, Lake

#: Properties of PyIceberg, and what Iceberg's Java calls them.
_JAVA_NAMES = {
    "s3.region": "client.region",
    "glue.region": "client.region",
    "client.access-key-id": "s3.access-key-id",
    "client.secret-access-key": "s3.secret-access-key",
    "client.session-token": "s3.session-token",
}
#: Properties that only PyIceberg has.
_ONLY_PYTHON = ("type", "py-io-impl", _VIRTUAL := "s3.force-virtual-addressing")
#: Java asks Glue only with the credentials of the environment.
_GLUE_CREDENTIALS = re.compile(r"(glue|client)\.(profile-name|access-key-id|secret-access-key|session-token)")


def catalog_settings(lake: Lake) -> dict[str, str]:
    """The settings of the lake's catalog, under the name that every query uses.

    Raises:
        LakeError: the lake names a catalog that is not known, or whose credentials Java cannot take.
    """
    catalog = f"spark.sql.catalog.{CATALOG}"
    properties = _folder(lake) if lake.is_local else _in_s3(lake)
    return {
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.cache-enabled": "false",
        **{f"{catalog}.{name}": value for name, value in properties.items()},
    }


def _folder(lake: Lake) -> dict[str, str]:
    return {
        "type": "jdbc",
        "uri": f"jdbc:sqlite:{lake.catalog_uri}",
        "jdbc.schema-version": "V1",
        # Looking for the catalog's tables, Iceberg leaves a cursor open, which locks the file for all others.
        "jdbc.init-catalog-tables": str(not Path(lake.catalog_uri).exists()).lower(),
        # More than one connection to a SQLite file from one process blocks itself.
        "clients": "1",
        "warehouse": f"file://{lake.location}",
        # Hadoop sets the mode of each file, by a mask of its own. A cached file system keeps the mask of its opening.
        "hadoop.fs.permissions.umask-mode": f"{current_umask():03o}",
        "hadoop.fs.file.impl.disable.cache": "true",
    }


def _in_s3(lake: Lake) -> dict[str, str]:
    # Below AWS's own endpoint the name of a bucket is the name of a host.
    defaults = {"client.region": s3.region(), "s3.path-style-access": None if s3.is_aws() else "true"}
    return {
        # Iceberg wants a warehouse; every table says its own location.
        "warehouse": lake.above("landing"),
        **{name: value for name, value in defaults.items() if value},
        **(_named(lake) if lake.catalog else {"type": "glue"}),
        "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
    }


def _named(lake: Lake) -> dict[str, str]:
    from stedi_common.engines.storage.named_catalogs import GLUE, named_catalog  # noqa: PLC0415 - Glue has no PyIceberg

    catalog = named_catalog(lake)
    if catalog.kind == GLUE and (unknown := [name for name in catalog.properties if _GLUE_CREDENTIALS.fullmatch(name)]):
        raise LakeError(
            f"engine spark: expected the credentials of Glue from the environment, got {unknown[0]} of {catalog.name}",
            hint="give them by --profile or AWS_PROFILE, or use --engine embedded",
        )
    given = {name: value for name, value in catalog.properties.items() if name not in _ONLY_PYTHON}
    translated = {java: given[name] for name, java in _JAVA_NAMES.items() if name in given and java not in given}
    is_virtual = catalog.properties.get(_VIRTUAL, "").lower() == "true"
    path_style = {"s3.path-style-access": str(not is_virtual).lower()} if "s3.endpoint" in given or is_virtual else {}
    return {**path_style, **given, **translated, "type": catalog.kind}
