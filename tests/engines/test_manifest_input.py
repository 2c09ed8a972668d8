"""A damaged manifest is refused before PyIceberg's decoder reads beyond its end, which can crash the process."""

from random import Random

import fastavro
import pytest
from pyiceberg.io.pyarrow import PyArrowFileIO
from support.damages import deleted, files_of, flipped, overwritten, truncated
from support.withdrawals import ANN_WITHDRAWS, CONSENTING, dropped

from stedi_common.contracts import contract
from stedi_common.engines.embedded.bucket_files import BucketFileIO
from stedi_common.engines.embedded.files import ChecksummedFileIO
from stedi_common.engines.embedded.manifest_input import ValidatedFile
from stedi_common.engines.embedded.read_only import ReadOnlyFiles

TRUSTED = contract("customer_trusted")


@pytest.fixture
def manifest(tmp_path, connect, engine_name, key):
    dropped(connect(tmp_path / "lake"), tmp_path, key, CONSENTING, ANN_WITHDRAWS)
    return files_of(tmp_path / "lake", TRUSTED)["manifest"][0]


@pytest.mark.parametrize("files", [ChecksummedFileIO, ReadOnlyFiles])
@pytest.mark.parametrize("engine_name", ["embedded"], indirect=True)
def test_a_manifest_that_is_opened_can_be_decoded(manifest, files):
    content, refused = manifest.read_bytes(), 0
    for seed in range(100):
        dice = Random(seed)
        dice.choice((truncated, overwritten, flipped))(manifest, dice)
        try:
            with files().new_input(str(manifest)).open() as opened:
                assert list(fastavro.reader(opened))
        except ValueError:
            refused += 1
        manifest.write_bytes(content)
    assert refused > 50
    deleted(manifest, Random(0))
    with pytest.raises(FileNotFoundError):
        files().new_input(str(manifest)).open()


def test_the_files_of_a_bucket_are_checked_too(monkeypatch):
    monkeypatch.setattr(
        "stedi_common.engines.storage.s3.filesystem", lambda path: (PyArrowFileIO().fs_by_scheme("file", None), path)
    )
    assert isinstance(BucketFileIO().new_input("s3://lake/m.avro"), ValidatedFile)
