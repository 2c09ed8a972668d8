"""The tutorial for a new source, followed as it stands: its files are written and its commands are run."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from subprocess import PIPE, Popen, TimeoutExpired

from support.paths import ROOT
from support.processes import kill

_PAGE = ROOT / "docs" / "tutorials" / "new-source.md"
#: Where the part about AWS begins. What is before it needs no account.
_ON_AWS = "\n## 7. On AWS\n"
_BLOCK = re.compile(r'^```(?P<language>\w+)(?: title="(?P<file>[^"]+)")?\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)
#: Stands between the output of two blocks of commands.
_NEXT = "--- the next block ---"


def local_part() -> str:
    """The page without the part about AWS."""
    return _parts()[0]


def aws_part() -> str:
    """The part of the page about AWS."""
    return _parts()[1]


def settings(part: str) -> dict[str, str]:
    """The values that the part says to write into an environment of Terraform, as expressions by name."""
    texts = [block["text"] for block in _BLOCK.finditer(part) if block["language"] == "hcl"]
    return dict(re.findall(r"^\s*(\w+)\s*=\s*(.+)$", "".join(texts), re.MULTILINE))


def follow(part: str, folder: Path, environment: Mapping[str, str], seconds: float) -> list[str]:
    """Write the part's files and run its commands, in one shell.

    Args:
        part: the text of the page.
        folder: the working folder.
        environment: the environment of the shell.
        seconds: how long all commands may take together.

    Returns:
        What each block of commands prints.

    Raises:
        AssertionError: a command fails.
        TimeoutExpired: the commands take longer. All that they have started is killed.
    """
    command = ["bash", "-c", _script(part)]
    with Popen(
        command, cwd=folder, env=environment, stdout=PIPE, stderr=PIPE, text=True, start_new_session=True
    ) as shell:
        try:
            printed, errors = shell.communicate(timeout=seconds)
        except TimeoutExpired:
            kill(shell)
            raise
    assert shell.returncode == 0, f"{printed[-6000:]}{errors[-6000:]}"
    return printed.split(f"{_NEXT}\n")[1:]


def assert_printed(part: str, outputs: list[str]) -> None:
    """The output of each block of commands ends with what the page shows after the block."""
    shown = _shown(part)
    assert any(shown)
    for output, end in zip(outputs, shown, strict=True):
        lines, wanted = _lines_of(output), _lines_of(end)
        assert lines[len(lines) - len(wanted) :] == wanted


def _parts() -> tuple[str, str]:
    before, heading, after = _PAGE.read_text(encoding="utf-8").partition(_ON_AWS)
    assert heading
    return before, after


def _script(part: str) -> str:
    return "\n".join(["set -e", *_commands(part)])


def _commands(part: str) -> Iterator[str]:
    for block in _BLOCK.finditer(part):
        if block["file"]:
            yield f"cat > {block['file']} <<'END OF FILE'\n{block['text']}END OF FILE"
        elif block["language"] == "sh":
            yield f"echo '{_NEXT}'\n{block['text']}"


def _shown(part: str) -> list[str]:
    """What the page shows after each block of commands; empty where it shows nothing."""
    shown: list[str] = []
    for block in _BLOCK.finditer(part):
        if block["language"] == "sh":
            shown.append("")
        elif block["language"] == "text":
            shown[-1] = block["text"]
    return shown


def _lines_of(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]
