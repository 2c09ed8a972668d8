"""The catalog and the files of a lake in a folder, for commands that only read.

They are quick to start: PyIceberg's SQLite catalog imports SQLAlchemy, and its file systems import PyArrow's data sets.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from pyiceberg.catalog.noop import NoopCatalog
from pyiceberg.exceptions import NoSuchTableError
from pyiceberg.io import FileIO, InputFile, InputStream, OutputFile
from pyiceberg.serializers import FromInputFile
from pyiceberg.table import Table
from pyiceberg.typedef import Identifier

from stedi_common.engines.storage import avro
from stedi_common.lake import CATALOG, Lake, local_path
from stedi_common.lake.catalog_file import has_table, opened_catalog


class ReadOnlyCatalog(NoopCatalog):
    """A `LakeCatalog` that only looks tables up: what changes a table raises NotImplementedError."""

    unknown_state: tuple[type[Exception], ...] = ()
    may_commit_late = False
    checks_here = True

    def __init__(self, lake: Lake) -> None:
        super().__init__(CATALOG)
        self._lake, self._files = lake, ReadOnlyFiles()

    def metadata_location(self, identifier: str) -> str | None:
        """See `LakeCatalog.metadata_location`. It costs one query. Raises LakeError if the catalog is unreadable."""
        if not self._lake.exists:
            return None
        with opened_catalog(self._lake) as catalog:
            if not has_table(catalog, "iceberg_tables"):
                return None
            found = catalog.execute(
                "SELECT metadata_location FROM iceberg_tables"
                " WHERE catalog_name = ? AND table_namespace = ? AND table_name = ?",
                (CATALOG, *identifier.split(".")),
            ).fetchone()
        return found[0] if found else None

    def find_table(self, identifier: str, known: Table | None) -> Table | None:
        """See `LakeCatalog.find_table`."""
        location = self.metadata_location(identifier)
        if location is None:
            return None
        if known and known.metadata_location == location:
            return known
        metadata = FromInputFile.table_metadata(self._files.new_input(location))
        return Table(tuple(identifier.split(".")), metadata, location, self._files, self)

    def load_table(self, identifier: str | Identifier) -> Table:
        """Load a table. Raises NoSuchTableError."""
        name = identifier if isinstance(identifier, str) else ".".join(identifier)
        found = self.find_table(name, None)
        if found is None:
            raise NoSuchTableError(f"Table does not exist: {name}")
        return found

    def cached_lookups(self) -> AbstractContextManager[None]:
        """See `LakeCatalog.cached_lookups`. A query of a local file is quick, so nothing is kept."""
        return nullcontext()

    def invalidate(self, identifier: str) -> None:
        """See `LakeCatalog.invalidate`."""


class ReadOnlyFiles(FileIO):
    """The files of a lake in a folder. A manifest and a manifest list are validated when they are opened."""

    def new_input(self, location: str) -> InputFile:
        """See `FileIO.new_input`."""
        return _File(location)

    def new_output(self, location: str) -> OutputFile:
        """See `FileIO.new_output`. Nothing is written."""
        raise NotImplementedError

    def delete(self, location: str | InputFile | OutputFile) -> None:
        """See `FileIO.delete`. Nothing is deleted."""
        raise NotImplementedError


class _File(InputFile):
    @property
    def _path(self) -> Path:
        return local_path(self.location)

    def __len__(self) -> int:
        return self._path.stat().st_size

    def exists(self) -> bool:
        return self._path.exists()

    def open(self, seekable: bool = True) -> InputStream:
        if self.location.endswith(avro.SUFFIX):
            return avro.validated(self._path.read_bytes())
        return self._path.open("rb")
