"""The code fingerprint: it changes when a transformation does, and not with a release of the package."""

from __future__ import annotations

import ast
import hashlib
import inspect
import io
import textwrap
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from tokenize import TokenInfo
from types import ModuleType

from stedi_common.privacy import pseudonym
from stedi_common.rules import consent, frames, tables

#: Whatever decides which rows a trusted or curated table has, and what is in them.
_MODULES = (tables, consent, frames)
_FUNCTIONS = (pseudonym.PseudonymKey.pseudonym,)

_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}
#: Where a line or a block ends: of these only the kind counts, not the white space.
_BLOCKS = {tokenize.NEWLINE: "\n", tokenize.INDENT: "\t", tokenize.DEDENT: "\b"}


@cache
def code_fingerprint(module: ModuleType = tables) -> str:
    """The fingerprint of the transformations that are installed.

    Args:
        module: the module that has the table's function: `rules.tables`, or the `tables.py` of a user's project. What
            a user writes there changes the fingerprint of their own tables only.

    Returns:
        16 hex digits.
    """
    own = () if module is tables else (module,)
    return fingerprint(inspect.getsource(each) for each in (*_MODULES, *_FUNCTIONS, *own))


def fingerprint(sources: Iterable[str]) -> str:
    """The fingerprint of Python code, 16 hex digits.

    Comments, docstrings, blank lines, and line breaks inside brackets do not count. It is of tokens, not of a syntax
    tree, so that every version of Python finds the same.
    """
    digest = hashlib.sha256()
    for source in map(textwrap.dedent, sources):
        for token in _tokens(source):
            digest.update(token.encode() + b"\0")
    return digest.hexdigest()[:16]


def _tokens(source: str) -> Iterator[str]:
    docstrings = set(_docstrings(source))
    lines = source.splitlines(keepends=True)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    for token in tokens:
        if token.start in docstrings:
            next(tokens)  # the end of its line
            continue
        if token.type in _LAYOUT:
            continue
        if tokenize.tok_name[token.type] == "FSTRING_START":  # one token before Python 3.12
            yield _between(lines, token.start, _end_of_string(tokens))
        else:
            yield _BLOCKS.get(token.type, token.string)


def _end_of_string(tokens: Iterator[TokenInfo]) -> tuple[int, int]:
    """Where the f-string ends whose beginning has been taken; others may be inside it."""
    depth = 1
    for token in tokens:
        name = tokenize.tok_name[token.type]
        depth += (name == "FSTRING_START") - (name == "FSTRING_END")
        if not depth:
            return token.end
    raise SyntaxError


def _between(lines: list[str], start: tuple[int, int], end: tuple[int, int]) -> str:
    (first, begin), (last, stop) = start, end
    if first == last:
        return lines[first - 1][begin:stop]
    return "".join([lines[first - 1][begin:], *lines[first : last - 1], lines[last - 1][:stop]])


def _docstrings(source: str) -> Iterator[tuple[int, int]]:
    """Where docstrings begin: line and column, in characters."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            place = node.body[0]
            yield place.lineno, len(lines[place.lineno - 1].encode()[: place.col_offset].decode())
