"""A YAML document whose errors name file, line and field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import PurePath
from typing import Any, TypeVar

import yaml

from stedi_common.errors import ContractError

Value = TypeVar("Value", str, int, bool)

_KINDS = {str: "text", int: "a whole number", bool: "true or false"}

#: The parser in C. Not every build of PyYAML has it.
_FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_NAME = re.compile("[a-z][a-z0-9_]*")


class YamlField:
    """A field of a YAML document: its value or its fields, and its place."""

    def __init__(self, node: yaml.Node, file: PurePath, path: str = "") -> None:
        self._node, self._file, self._path = node, file, path

    @classmethod
    def parse(cls, content: bytes, file: PurePath, *, is_packaged: bool = False) -> YamlField:
        """Parse a document.

        Args:
            content: the document.
            file: the name of its file, for errors.
            is_packaged: whether it is one of the package, for the fast parser. That one ends the process if fields are
                nested too deeply, so the documents of others are not for it.

        Raises:
            ContractError: it is not YAML.
        """
        try:
            node = yaml.compose(content.decode(), _FAST_LOADER if is_packaged else yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            raise ContractError(f"{file}:{line}: expected YAML, got: {error.problem}") from None
        except (yaml.YAMLError, UnicodeDecodeError):
            raise ContractError(f"{file}: expected YAML in UTF-8, got characters that are not allowed") from None
        except RecursionError:
            raise ContractError(f"{file}: expected a contract, got fields within fields without end") from None
        if node is None:
            raise ContractError(f"{file}: expected a contract, got an empty file")
        return cls(node, file)

    def __getitem__(self, name: str) -> YamlField:
        """The field of this name. Raises ContractError if it is missing."""
        if (found := self.get(name)) is None:
            raise self.error(f"expected the field {name}, got none")
        return found

    def get(self, name: str) -> YamlField | None:
        """The field of this name; None if it is missing."""
        if not isinstance(self._node, yaml.MappingNode):
            raise self.error("expected fields, got something else")
        path = f"{self._path}.{name}" if self._path else name
        return next((YamlField(value, self._file, path) for key, value in self._node.value if key.value == name), None)

    def __iter__(self) -> Iterator[YamlField]:
        """The elements of a list."""
        if not isinstance(self._node, yaml.SequenceNode):
            raise self.error("expected a list, got something else")
        for number, element in enumerate(self._node.value):
            yield YamlField(element, self._file, f"{self._path}[{number}]")

    def value(self, kind: type[Value]) -> Value:
        """The value. Raises ContractError if it is of another kind."""
        found: Any = None
        if isinstance(self._node, yaml.ScalarNode):
            # A tag may not fit its value, or may not be one of YAML's own.
            with suppress(ValueError, yaml.YAMLError):
                found = yaml.SafeLoader("").construct_object(self._node)
        if type(found) is not kind:
            raise self.error(f"expected {_KINDS[kind]}, got {self._said}")
        return found

    def one_of(self, known: Sequence[str]) -> str:
        """The text. Raises ContractError if it is not one of the known ones."""
        found = self.value(str)
        if found not in known:
            raise self.error(f"expected one of {', '.join(known)}, got {found!r}")
        return found

    def name(self) -> str:
        """A name as tables and columns have it. Raises ContractError for another text: engines fold and quote names."""
        found = self.value(str)
        if not _NAME.fullmatch(found):
            raise self.error(f"expected a name of lowercase letters, digits and _, got {found!r}")
        return found

    def error(self, problem: str, hint: str | None = None) -> ContractError:
        """The error for this field."""
        where = f"{self._file}:{self._node.start_mark.line + 1}"
        return ContractError(f"{where}: {self._path}: {problem}" if self._path else f"{where}: {problem}", hint)

    @property
    def _said(self) -> str:
        return repr(self._node.value) if isinstance(self._node, yaml.ScalarNode) else "something else"
