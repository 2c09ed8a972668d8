"""What is in the repository: no link, which leads to another place on each machine."""

import shutil

import pytest
from support.commands import finished
from support.paths import ROOT

#: The mode of a link in Git's index.
LINK = "120000"


def test_no_link_is_tracked():
    if not (git := shutil.which("git")):
        pytest.skip("needs git")
    listed = finished(git, "-C", ROOT, "-c", f"safe.directory={ROOT}", "ls-files", "--stage")
    if listed.code:
        pytest.skip("this is no clone")
    assert not [line for line in listed.out.splitlines() if line.startswith(LINK)]
