"""Manifests as PyIceberg opens them through PyArrow: see `avro.validated`."""

from __future__ import annotations

from pyiceberg.io import InputStream
from pyiceberg.io.pyarrow import PyArrowFile

from stedi_common.engines.storage import avro


class ValidatedFile(PyArrowFile):
    """A file of a table. A manifest and a manifest list are validated when they are opened."""

    def open(self, seekable: bool = True) -> InputStream:
        """See `InputFile.open`. Raises DamagedAvroError for a damaged manifest or manifest list."""
        file = super().open(seekable)
        if not self.location.endswith(avro.SUFFIX):
            return file
        with file:
            return avro.validated(file.read())
