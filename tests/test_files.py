"""Files that are written atomically."""

import os
import time

import pytest

from stedi_common.files import overwritten, write_new

DAY = 24 * 60 * 60


def overwrite(path):
    with overwritten(path) as draft:
        draft.write_text("new")


@pytest.mark.parametrize("written", [overwrite, lambda path: write_new(path, "new")], ids=["overwritten", "new"])
def test_the_next_writer_removes_the_drafts_of_killed_processes(tmp_path, written):
    """Of this path only, and not those that a process may still write to."""
    dead, alive, of_another, no_draft = (
        tmp_path / name for name in (".a[1]-" + "0f" * 8, ".a[1]-" + "1e" * 8, ".b-" + "0f" * 8, ".a[1]-notes-of-mine")
    )
    for file in (dead, alive, of_another, no_draft):
        file.touch()
    for file in (dead, of_another, no_draft):
        os.utime(file, (time.time() - 2 * DAY,) * 2)
    written(tmp_path / "a[1]")
    assert (tmp_path / "a[1]").read_text() == "new"
    assert [file.exists() for file in (dead, alive, of_another, no_draft)] == [False, True, True, True]
