"""Options and arguments whose values are names: they are completed, and a wrong one is wrong usage (exit code 2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import typer

from stedi_common import project
from stedi_common.contracts import SOURCES

#: The formats of an answer.
FORMATS = ("table", "csv", "json", "ndjson", "parquet")

#: How similar two names must be, from 0 to 1, for one to be suggested for the other.
_ALIKE = 0.5


@dataclass(frozen=True)
class Names:
    """The names that an option or an argument accepts.

    Attributes:
        known: gives the names. It is called when they are needed, because some take long to import.
        normalize: how a name is normalised before it is compared.
    """

    known: Callable[[], Sequence[str]]
    normalize: Callable[[str], str] = str

    def check(self, given: Any) -> Any:
        """Return the name or the names. Raises BadParameter for an unknown one, with the nearest as suggestion."""
        known = () if given is None else self.known()  # it reads the contracts, and may set the project aside
        if project.failure():
            return given  # it may be a name of the project; the error of the project follows
        for name in given if isinstance(given, list) else [given]:
            if name is not None and self.normalize(name) not in known:
                near = get_close_matches(self.normalize(name).lower(), known, n=1, cutoff=_ALIKE)
                suggestion = f"; did you mean {near[0]}?" if near else ""
                raise typer.BadParameter(f"expected one of {', '.join(known)}, got {name!r}{suggestion}")
        return given

    def complete(self, incomplete: str) -> list[str]:
        """The names that begin with this text."""
        return [name for name in self.known() if name.startswith(incomplete)]


def _jobs() -> Sequence[str]:
    from stedi_common.rules.lineage import JOBS

    return list(JOBS)


source_names = Names(lambda: SOURCES)
job_names = Names(_jobs)
format_names = Names(lambda: FORMATS)
