"""The code fingerprint changes with the transformations, and with nothing else."""

import ast
import inspect

import pytest

from stedi_common.incremental.fingerprint import code_fingerprint, fingerprint
from stedi_common.rules import consent, frames, tables

MODULES = {module.__name__: inspect.getsource(module) for module in (tables, consent, frames)}


@pytest.mark.parametrize("source", MODULES.values(), ids=MODULES)
def test_it_does_not_change_with_comments_docstrings_or_layout(source):
    tree = ast.parse(source)
    spread = source.replace("(\n", "(  # a comment\n\n").replace("\n\n\n", "\n\n\n\n# another\n")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and (docstring := ast.get_docstring(node, clean=False)):
            spread = spread.replace(docstring, "Something else.", 1)
    assert spread != source
    assert fingerprint([spread]) == fingerprint([source])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("f(a, b)\n", "f(\n    a,\n    b\n)\n"),
        ("if x:\n    a()\n", "if  x :\n\n  a()  # why\n"),
        ("x = 1", "x=1\n"),
        ('def f():\n    """Why."""\n    a()\n', "def f():\n    a()\n"),
    ],
)
def test_it_does_not_change_with_white_space(one, other):
    assert fingerprint([one]) == fingerprint([other])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("if x:\n    a()\nb()\n", "if x:\n    a()\n    b()\n"),
        ("x = 'a b'\n", "x = 'ab'\n"),
        ("x = (1,)\n", "x = (1)\n"),
        ("x = f'{a} b'\n", "x = f'{a}b'\n"),
        ("x = f'{a:>{b}}' + c\n", "x = f'{a:>{b}}' - c\n"),
        ("x = not y\n", "x = noty\n"),
    ],
)
def test_it_changes_with_whatever_changes_the_meaning(one, other):
    assert fingerprint([one]) != fingerprint([other])


@pytest.mark.parametrize("source", MODULES.values(), ids=MODULES)
def test_it_changes_with_every_name_and_constant(source):
    """Every name and every constant is replaced once. Docstrings are no code."""
    lines, changed = source.splitlines(keepends=True), 0
    tree = ast.parse(source)
    docstrings = {id(node.body[0].value) for node in ast.walk(tree) if _has_docstring(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Constant) and id(node) not in docstrings and node.lineno == node.end_lineno:
            line = lines[node.lineno - 1].encode()
            other = [*lines]
            other[node.lineno - 1] = (line[: node.col_offset] + b"changed" + line[node.end_col_offset :]).decode()
            assert fingerprint(["".join(other)]) != fingerprint([source]), ast.dump(node)
            changed += 1
    assert changed > 10


def test_every_module_of_the_transformations_is_in_it(monkeypatch):
    seen = []
    monkeypatch.setattr("stedi_common.incremental.fingerprint.fingerprint", seen.extend)
    code_fingerprint.__wrapped__()
    assert set(MODULES.values()) < set(seen)
    assert any("def pseudonym" in source for source in seen)


def _has_docstring(node):
    return isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None
