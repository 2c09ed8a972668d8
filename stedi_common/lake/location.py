"""Where the tables are: a folder with an SQLite catalog, or S3 with the Glue Data Catalog or a named catalog."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from stedi_common.contracts import ZONES, Contract
from stedi_common.errors import LakeError, StediError, UnusablePathError, as_stedi_error
from stedi_common.text import escaped

#: The catalog's name, in SQL and in PyIceberg.
CATALOG = "stedi"

#: The way on if the tables are there and their catalog is not.
RECOVER = "if catalog.db was lost, replaced or restored: stedi recover rebuilds it from the metadata of the tables"

#: Libraries drop control characters from a URI, and end its path at `?` and `#`. DuckDB takes a backslash for a slash.
#: Bytes that are not UTF-8 are lone surrogates.
_UNUSABLE = re.compile(r"[\x00-\x1f\x7f-\x9f?#\\\ud800-\udfff]")
#: PyArrow decodes `%` in an S3 URI.
_UNUSABLE_IN_S3 = re.compile(rf"%|{_UNUSABLE.pattern}")
_S3_SCHEME = re.compile(r"s3[an]?://")


@dataclass(frozen=True)
class Lake:
    """The place of a lake.

    Attributes:
        location: a folder by its real path, or the S3 URI above the folders of the zones. `{zone}` in it stands for the
            zone's name, so that each zone can have a bucket of its own.
        prefix: what the names of the catalog's databases start with.
        catalog: of a lake in S3, the name of its catalog in PyIceberg's configuration; empty for the Glue Data Catalog.
    """

    location: str
    prefix: str = ""
    catalog: str = ""

    @classmethod
    def at(cls, location: str, prefix: str = "", catalog: str = "") -> Lake:
        """The lake at this folder or S3 URI.

        Raises:
            UnusablePathError: libraries would take it for another place.
            LakeError: a catalog is named for a lake in a folder.
        """
        location = str(location)  # settings that a program writes down may have a path
        if location.startswith("s3://"):
            return cls(_usable(location.rstrip("/"), _UNUSABLE_IN_S3), prefix, catalog)
        if catalog:
            raise LakeError(
                f"lake {escaped(location)}: expected an S3 URI with the catalog {escaped(catalog)}, got a folder",
                hint="a lake in a folder has its own catalog; --catalog is for a lake in S3: --lake s3://bucket",
            )
        folder = os.path.expanduser(location)  # noqa: PTH111 - pathlib's raises for an unknown user
        # The metadata have it, and must not depend on a link, or on the folder before a `..`.
        return cls(_usable(os.path.realpath(folder), _UNUSABLE), prefix)

    def expect_exists(self) -> Lake:
        """Return this lake. Raises LakeError if it is a folder without a catalog."""
        if not self.exists:
            raise LakeError(
                f"lake {self.location}: expected a folder with catalog.db, got none",
                hint=RECOVER if self.metadata_folders else "land drops first: stedi land",
            )
        return self

    @property
    def exists(self) -> bool:
        """Whether the folder has a catalog. True for a lake in S3, which is deployed and not looked for."""
        return not self.is_local or Path(self.catalog_uri).exists()

    @property
    def has_tables(self) -> bool:
        """Whether the folder has the folder of a zone. True for a lake in S3, which is deployed and not looked for."""
        return not self.is_local or any((self.folder / zone).is_dir() for zone in ZONES)

    @property
    def metadata_folders(self) -> list[Path]:
        """The folders of a local lake that have the metadata of a table: `<zone>/<table>/metadata`."""
        return [folder for zone in ZONES for folder in sorted((self.folder / zone).glob("*/metadata"))]

    @property
    def is_local(self) -> bool:
        """Whether the lake is a folder."""
        return not self.location.startswith("s3://")

    @property
    def folder(self) -> Path:
        """The folder of a local lake."""
        return Path(self.location)

    def expect_apart_from(self, landing: str) -> None:
        """Raise UnusablePathError if one of the lake and the landing folder is in the other.

        The files of the lake would be listed as drops, and change with each landing.
        """
        if not self.is_local or landing.startswith("s3://"):
            return
        # `Path.resolve` raises for a link to itself.
        lake, drops = (Path(os.path.realpath(folder)) for folder in (self.folder, landing))
        if lake.is_relative_to(drops) or drops.is_relative_to(lake):
            raise UnusablePathError(
                f"landing {escaped(landing)}: expected a folder apart from the lake {escaped(self.location)}, "
                "got one in the other",
                hint="put them side by side, such as drops/ and lake/",
            )

    def make_folder(self, umask: int = 0o077) -> None:
        """Make the folder of a local lake, if it is not there.

        Args:
            umask: the umask of the folder.

        Raises:
            LakeError: it cannot be made.
        """
        try:
            self.folder.mkdir(mode=0o777 & ~umask, parents=True, exist_ok=True)
        except OSError as error:
            raise self.unwritable(error) from None

    def unwritable(self, error: OSError) -> StediError:
        """The error of a lake that cannot be written to."""
        if (known := as_stedi_error(error)).is_out_of_resources:
            return known
        return LakeError(
            f"lake {self.location}: expected a folder that can be written to, got: {error.strerror}",
            hint="name another folder by --lake, or make it yours",
        )

    @property
    def catalog_uri(self) -> str:
        """The SQLite file of a local lake."""
        return f"{self.location}/catalog.db"

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The names of the zones' namespaces."""
        return tuple(self.namespace(zone) for zone in ZONES)

    def identifier(self, contract: Contract) -> str:
        """Namespace and name of a table."""
        return f"{self.namespace(contract.zone)}.{contract.name}"

    def table_location(self, contract: Contract) -> str:
        """The folder or S3 URI of a table."""
        scheme = "file://" if self.is_local else ""
        return f"{scheme}{self.above(contract.zone)}/{contract.zone}/{contract.name}"

    def expect_table(self, contract: Contract, location: str) -> None:
        """Raise LakeError if the catalog has the table at another location than this lake."""
        expected = self.table_location(contract)
        if local_path(location) != local_path(expected) if self.is_local else location != expected:
            raise LakeError(
                f"{contract.name}: expected the table at {expected}, got {location}",
                hint="after a lake was moved or copied, stedi relocate writes its folder into its files"
                if self.is_local
                else "check --lake and --database-prefix: the database belongs to a lake in another bucket or prefix",
            )

    def above(self, zone: str) -> str:
        """The folder or S3 URI below which the zone lies."""
        return self.location if self.is_local else self.location.replace("{zone}", zone)

    def namespace(self, zone: str) -> str:
        """The namespace of a zone in the catalog."""
        return f"{self.prefix}_{zone}" if self.prefix else zone


def _usable(location: str, unusable: re.Pattern[str]) -> str:
    if found := unusable.search(location):
        raise UnusablePathError(
            f"lake {escaped(location)}: expected a path without {found[0]!r}, which is not read as part of a name",
            hint="put the lake into a folder with another name",
        )
    return location


def local_path(location: str) -> Path:
    """The real path of a path or `file:` URI. Spark writes `file:/`, PyIceberg `file:///`."""
    return Path(os.path.realpath(f"/{location.removeprefix('file:').lstrip('/')}"))


def canonical(location: str) -> str:
    """The one spelling of the location of a file: its real path, or its S3 URI. Hadoop writes `s3a:` for `s3:`."""
    if found := _S3_SCHEME.match(location):
        return f"s3://{location[found.end() :]}"
    return str(local_path(location))
