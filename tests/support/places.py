"""Where the lake of a test is: a folder, or a bucket with Glue or a REST catalog. Each can be put back as it was."""

import os
import shutil
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import boto3
from pyiceberg.exceptions import NoSuchTableError

from stedi_common.contracts import contract, names
from stedi_common.engines.embedded.lake_catalog import open_catalog
from stedi_common.lake import Lake


class Place(Protocol):
    """The place of a lake.

    Attributes:
        lake: the lake.
        environment: what a process that opens it has in its environment.
    """

    lake: Lake
    environment: Mapping[str, str]

    def keep(self) -> None:
        """Keep the lake as it is now, if there is one."""

    def put_back(self) -> None:
        """What was kept, to the same place."""

    def staged(self) -> list[str]:
        """What is left of staged files."""


class Folder:
    """A lake in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._kept = folder / "lake", folder / "kept"
        self.lake, self.environment = Lake.at(str(self._folder)), dict[str, str]()

    def keep(self) -> None:
        shutil.rmtree(self._kept, ignore_errors=True)
        if self._folder.exists():
            shutil.copytree(self._folder, self._kept)

    def put_back(self) -> None:
        shutil.rmtree(self._folder)
        if self._kept.exists():
            shutil.copytree(self._kept, self._folder)

    def staged(self) -> list[str]:
        return list(map(str, self._folder.glob(".staging-*")))


@dataclass
class Bucket:
    """A lake in a bucket. No object is overwritten, so its objects and what its catalog names are the lake."""

    lake: Lake
    _objects: set[str] = field(default_factory=set)
    _metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        return {name: value for name, value in os.environ.items() if name.startswith(("AWS_", "PYICEBERG_"))}

    def keep(self) -> None:
        with closing(open_catalog(self.lake)) as catalog:
            found = {name: catalog.metadata_location(name) for name in self._tables()}
        self._objects = self._keys()
        self._metadata = {name: location for name, location in found.items() if location}

    def put_back(self) -> None:
        with closing(open_catalog(self.lake)) as catalog:
            for name in self._tables():
                self._reset(catalog, name)
        assert self._objects <= self._keys()
        for key in self._keys() - self._objects:
            self._bucket.Object(key).delete()

    def staged(self) -> list[str]:
        return [key for key in self._keys() if ".staging-" in key]

    @property
    def _bucket(self) -> Any:
        return boto3.resource("s3").Bucket(self.lake.location.removeprefix("s3://"))

    def _keys(self) -> set[str]:
        return {each.key for each in self._bucket.objects.all()}

    def _tables(self) -> list[str]:
        return [self.lake.identifier(contract(name)) for name in names()]

    def _reset(self, catalog: Any, name: str) -> None:
        location = self._metadata.get(name)
        if catalog.metadata_location(name) == location:
            return
        with suppress(NoSuchTableError):
            catalog.drop_table(name)
        if location:
            catalog.register_table(name, location)
