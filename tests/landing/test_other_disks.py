"""A table may have its folder on another disk than the lake: the folder is a link."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.lakes import land, rows, table_of, write
from support.withdrawals import ANN_WITHDRAWS, ARRIVAL, CONSENTING

from stedi_common.checks import check, opened
from stedi_common.contracts import contract
from stedi_common.lake import Lake

CUSTOMERS = contract("customer_landing")


@pytest.fixture
def other_disk(tmp_path) -> Iterator[Path]:
    """A folder on another disk than the tests' own."""
    with suppress(OSError):
        folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
        try:
            if os.stat(folder).st_dev != os.stat(tmp_path).st_dev:  # noqa: PTH116
                yield folder
                return
        finally:
            shutil.rmtree(folder)
    pytest.skip("there is no other disk")


def test_drops_land_on_another_disk(connect, tmp_path, key, other_disk):
    write(tmp_path / "drops", CONSENTING)
    land(connect(tmp_path / "lake"), tmp_path / "drops", key, ARRIVAL)
    table = tmp_path / "lake" / CUSTOMERS.zone / CUSTOMERS.name
    shutil.copytree(table, other_disk, dirs_exist_ok=True)
    shutil.rmtree(table)
    table.symlink_to(other_disk)
    write(tmp_path / "drops", ANN_WITHDRAWS)
    engine = connect(tmp_path / "lake")
    land(engine, tmp_path / "drops", key, ARRIVAL)
    assert rows(engine, CUSTOMERS.name).total() == 3
    assert table_of(tmp_path / "lake", CUSTOMERS).current_snapshot()
    with opened(Lake.at(str(tmp_path / "lake"))) as lake:
        assert not check(lake).findings
