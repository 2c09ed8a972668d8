"""Folders of Terraform, read by checkov's own parser: what it cannot read is found here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import hcl2

TERRAFORM = Path(__file__).parents[1]
#: Blocks that have a name, and whether a type comes before it.
NAMED = {
    "variable": False,
    "output": False,
    "module": False,
    "check": False,
    "resource": True,
    "data": True,
    "ephemeral": True,
}


@dataclass(frozen=True)
class Block:
    """A block with a name; its address is how expressions refer to it."""

    file: Path
    address: str
    body: dict[str, Any]

    @property
    def name(self) -> str:
        """The last of its labels."""
        return self.address.rpartition(".")[2]

    def get(self, attribute: str, default: Any = None) -> Any:
        """The attribute's value. An expression is text in ${}."""
        return self.body[attribute][0] if attribute in self.body else default

    def has(self, *attributes: str) -> bool:
        """Whether these attributes are written, be they null."""
        return all(attribute in self.body for attribute in attributes)


@dataclass(frozen=True)
class Module:
    """A folder of Terraform's files."""

    folder: Path

    @property
    def name(self) -> str:
        """The folder, below terraform/."""
        return self.folder.relative_to(TERRAFORM).as_posix()

    @property
    def is_root(self) -> bool:
        """Whether it is applied, and no other's module."""
        return self.name == "account" or self.name.startswith("environments/")

    @cached_property
    def files(self) -> dict[Path, dict[str, Any]]:
        """Its files, parsed."""
        return {file: hcl2.loads(file.read_text(encoding="utf-8")) for file in sorted(self.folder.glob("*.tf"))}

    def unnamed(self, kind: str) -> list[dict[str, Any]]:
        """Its blocks of a kind that has no name."""
        return [block for parsed in self.files.values() for block in parsed.get(kind, [])]

    def named(self, kind: str) -> Iterator[Block]:
        """Its blocks of a kind that has a name."""
        start = {"variable": "var.", "resource": ""}.get(kind, f"{kind}.")
        for file, parsed in self.files.items():
            for block in parsed.get(kind, []):
                ((label, body),) = block.items()
                if NAMED[kind]:
                    ((name, body),) = body.items()
                    label = f"{label}.{name}"
                yield Block(file, start + label, body)

    @property
    def locals(self) -> list[str]:
        """Names of its locals."""
        return [name for block in self.unnamed("locals") for name in block if not name.startswith("__")]

    @property
    def expected_failures(self) -> list[str]:
        """What its tests expect to be refused: var.name, as often as they do."""
        tests = [hcl2.loads(file.read_text(encoding="utf-8")) for file in self.folder.glob("tests/*.tftest.hcl")]
        runs = [run for test in tests for block in test.get("run", []) for run in block.values()]
        return re.findall(r"var\.\w+", str([run.get("expect_failures") for run in runs]))

    @property
    def example(self) -> set[str]:
        """What the call of it in its README gives."""
        readme = (self.folder / "README.md").read_text(encoding="utf-8")
        blocks = [hcl2.loads(block) for block in re.findall(r"```hcl\n(.*?)```", readme, re.DOTALL)]
        calls = [call for block in blocks for named in block.get("module", []) for call in named.values()]
        (ours,) = [call for call in calls if call["source"] == [f"../{self.name}"]]
        return {name for name in ours if not name.startswith("__")} - {"source", "for_each", "count", "depends_on"}

    def code(self, but: Block | None = None) -> str:
        """All its lines that are no comments, and not of that block."""
        return "\n".join(
            "" if line.lstrip().startswith("#") else line
            for file in self.files
            for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
            if not (but and but.file == file and but.body["__start_line__"] <= number <= but.body["__end_line__"])
        )


def modules() -> list[Module]:
    """Every folder with Terraform in it, but for what Terraform downloaded and what only a test calls."""
    folders = {file.parent for file in TERRAFORM.rglob("*.tf") if not {".terraform", "tests"} & set(file.parts)}
    return [Module(folder) for folder in sorted(folders)]
