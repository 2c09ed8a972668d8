"""The tutorial for a new source, followed as it stands: its files are written and its commands are run."""

import os
import re
import subprocess
import sys
from pathlib import Path

from support.paths import ROOT

PAGE = ROOT / "docs" / "tutorials" / "new-source.md"
BLOCK = re.compile(r'^```(?P<language>\w+)(?: title="(?P<file>[^"]+)")?\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)
#: Stands between the output of two blocks of commands.
NEXT = "--- the next block ---"


def script() -> str:
    """The page as a script of bash: files are written, commands are run."""
    lines = ["set -e"]
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if block["file"]:
            lines.append(f"cat > {block['file']} <<'END OF FILE'\n{block['text']}END OF FILE")
        elif block["language"] == "sh":
            lines.append(f"echo '{NEXT}'\n{block['text']}")
    return "\n".join(lines)


def expected() -> list[str]:
    """What the page says that the last command of a block prints, by block of commands; empty where it says nothing."""
    said: list[str] = []
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        if block["language"] == "sh":
            said.append("")
        elif block["language"] == "text":
            said[-1] = block["text"]
    return said


def lines_of(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def test_the_commands_of_the_page_print_what_it_says(tmp_path):
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | {"HOME": str(tmp_path), "PATH": path, "COLUMNS": "120"}
    done = subprocess.run(
        ["bash", "-c", script()],  # noqa: S607 - the bash of whoever reads the page
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = done.stdout.split(NEXT)[1:]
    assert any(expected())
    for output, end in zip(printed, expected(), strict=True):
        wanted = lines_of(end)
        assert lines_of(output)[len(lines_of(output)) - len(wanted) :] == wanted
    assert "heart_rate_trusted: 2 rows to delete on 2 days" in done.stdout
