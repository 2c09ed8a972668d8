"""Where the tables are: a folder with an SQLite catalog, or databases of the Glue Data Catalog."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from stedi_common.contracts import ZONES, Contract
from stedi_common.errors import LakeError

#: The catalog's name, in SQL and in PyIceberg.
CATALOG = "stedi"


@dataclass(frozen=True)
class Lake:
    """A lake. `location` is a folder, or an S3 URI below which the zones lie; `prefix` starts Glue's database names.

    In an S3 URI `{zone}` stands for the zone's name: so each zone has a bucket of its own.
    """

    location: str
    prefix: str = ""

    @classmethod
    def at(cls, location: str, prefix: str = "") -> Lake:
        """The lake at this folder or S3 URI."""
        if location.startswith("s3://"):
            return cls(location.rstrip("/"), prefix)
        return cls(str(Path(location).expanduser().absolute()), prefix)

    def expect(self) -> Lake:
        """This lake, which is there. Raises LakeError for a folder without a catalog."""
        if not self.exists:
            raise LakeError(
                f"lake {self.location}: expected a folder with catalog.db, got none",
                hint="land drops first: stedi land",
            )
        return self

    @property
    def exists(self) -> bool:
        """Whether a lake is there: a folder with a catalog. In S3 it is not looked for; somebody has deployed it."""
        return not self.is_local or Path(self.catalog_uri).exists()

    @property
    def has_tables(self) -> bool:
        """Whether tables are there: a folder of a zone. In S3 they are not looked for; somebody has deployed it."""
        return not self.is_local or any((self.folder / zone).is_dir() for zone in ZONES)

    @property
    def is_local(self) -> bool:
        """Whether the lake is a folder."""
        return not self.location.startswith("s3://")

    @property
    def folder(self) -> Path:
        """The folder of a local lake."""
        return Path(self.location)

    @property
    def catalog_uri(self) -> str:
        """The SQLite file of a local lake."""
        return f"{self.location}/catalog.db"

    @property
    def namespaces(self) -> tuple[str, ...]:
        """The names of the zones' namespaces."""
        return tuple(self._namespace(zone) for zone in ZONES)

    def identifier(self, contract: Contract) -> str:
        """Namespace and name of a table."""
        return f"{self._namespace(contract.zone)}.{contract.name}"

    def table_location(self, contract: Contract) -> str:
        """The folder or S3 URI of a table."""
        scheme = "file://" if self.is_local else ""
        return f"{scheme}{self.above(contract.zone)}/{contract.zone}/{contract.name}"

    def expect_table(self, contract: Contract, location: str) -> None:
        """Raise LakeError if the table lies elsewhere: its rows would go to one place and be looked for in another."""
        expected = self.table_location(contract)
        if local_path(location) != local_path(expected) if self.is_local else location != expected:
            raise LakeError(
                f"{contract.name}: expected the table at {expected}, got {location}",
                hint="--lake and the catalog disagree about where the lake is",
            )

    def above(self, zone: str) -> str:
        """The folder or S3 URI below which the zone lies."""
        return self.location if self.is_local else self.location.replace("{zone}", zone)

    def _namespace(self, zone: str) -> str:
        return f"{self.prefix}_{zone}" if self.prefix else zone


def local_path(location: str) -> Path:
    """The file or folder of a path or URI, by the one name it has. Spark writes `file:/`, PyIceberg `file:///`."""
    return Path(os.path.realpath(f"/{location.removeprefix('file:').lstrip('/')}"))
