"""The files of metadata that PyIceberg writes, with their checksums beside them."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from pyiceberg.io import OutputStream
from pyiceberg.io.pyarrow import PyArrowFile, PyArrowFileIO

from stedi_common.engines.embedded.manifest_input import ValidatedFile
from stedi_common.engines.storage.checksums import write_sidecar
from stedi_common.engines.storage.metadata_files import SUFFIX
from stedi_common.files import sync_file_system
from stedi_common.lake import local_path


class ChecksummedFileIO(PyArrowFileIO):
    """PyIceberg's file system of a local lake. Metadata, manifest lists and manifests get a file of checksums."""

    def new_input(self, location: str) -> PyArrowFile:
        """See `FileIO.new_input`."""
        file = super().new_input(location)
        return ValidatedFile(location, file._path, file._filesystem, file._buffer_size)

    def new_output(self, location: str) -> PyArrowFile:
        """See `FileIO.new_output`."""
        file = super().new_output(location)
        return _ChecksummedFile(location, file._path, file._filesystem, file._buffer_size)


class _ChecksummedFile(ValidatedFile):
    def create(self, overwrite: bool = False) -> OutputStream:
        return _ChecksummedStream(super().create(overwrite), self.location)


class _ChecksummedStream:
    """Writes what it is given, and its checksums when it is closed. Metadata are small, so they are kept until then."""

    def __init__(self, stream: Any, location: str) -> None:
        self._stream, self._location = stream, location
        self._written = bytearray()
        self._is_closed = False

    def write(self, b: bytes) -> int:
        """Write the bytes."""
        self._written += b
        return int(self._stream.write(b))

    def tell(self) -> int:
        """How many bytes were written."""
        return int(self._stream.tell())

    def close(self) -> None:
        """Close the file, and write its checksums."""
        if not self._is_closed:
            self._is_closed = True
            self._stream.close()
            file = local_path(self._location)
            write_sidecar(file, bytes(self._written))
            if file.name.endswith(SUFFIX):  # the last file of a commit: the catalog names it next
                sync_file_system(file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
