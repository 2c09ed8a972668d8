"""What is in the repository: no link, which leads to another place on each machine."""

import subprocess

import pytest
from support.paths import ROOT
from support.processes import PATIENCE

#: The mode of a link in Git's index.
LINK = "120000"


def test_no_link_is_tracked():
    if not (ROOT / ".git").exists():
        pytest.skip("this is no clone")
    listed = subprocess.run(
        ["git", "ls-files", "--stage"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert not [line for line in listed.stdout.splitlines() if line.startswith(LINK)]
