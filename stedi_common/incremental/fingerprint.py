"""The fingerprint of the transformations: it changes when one of them does, and not with a release of the package."""

from __future__ import annotations

import ast
import hashlib
import inspect
import io
import re
import textwrap
import tokenize
from collections.abc import Iterable
from functools import cache

from stedi_common import consent, frames, pseudonym, tables

#: Whatever decides which rows a trusted or curated table has, and what is in them.
_MODULES = (tables, consent, frames)
_FUNCTIONS = (pseudonym.PseudonymKey.pseudonym,)


@cache
def code_fingerprint() -> str:
    """The fingerprint of the transformations that are installed, 16 hex digits."""
    return fingerprint(inspect.getsource(each) for each in (*_MODULES, *_FUNCTIONS))


def fingerprint(sources: Iterable[str]) -> str:
    """The fingerprint of Python code. Comments, docstrings and layout do not count.

    It is of the text, not of a syntax tree, so that every version of Python finds the same.
    """
    return hashlib.sha256("\n".join(map(_essence, sources)).encode()).hexdigest()[:16]


def _essence(source: str) -> str:
    source = textwrap.dedent(source)
    lines = source.splitlines(keepends=True)
    for (start, start_column), (end, end_column) in sorted(_left_out(source), reverse=True):
        kept = lines[start - 1][:start_column] + lines[end - 1][end_column:]
        lines[start - 1 : end] = [kept]
    # A comma before a closing bracket comes and goes with the line breaks.
    return re.sub(r",(?=[)\]}])", "", re.sub(r"\s+", "", "".join(lines)))


def _left_out(source: str) -> Iterable[tuple[tuple[int, int], tuple[int, int]]]:
    """Where comments and docstrings begin and end: line and column."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start, token.end
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            end = docstring.end_lineno or docstring.lineno, docstring.end_col_offset or docstring.col_offset
            yield (docstring.lineno, docstring.col_offset), end
