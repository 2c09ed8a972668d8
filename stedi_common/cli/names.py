"""Options and arguments whose values are names: they are completed, and a wrong one is wrong usage (exit code 2)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import typer

from stedi_common.contracts import SOURCES

#: How alike two names must be, of 0 to 1, for the one to be suggested for the other.
_ALIKE = 0.5


@dataclass(frozen=True)
class Names:
    """The names that may be given. They are looked up when they are needed: some take long to import.

    Attributes:
        normalize: what whoever takes the name does to it first.
    """

    known: Callable[[], Sequence[str]]
    normalize: Callable[[str], str] = str

    def check(self, given: Any) -> Any:
        """What was given, one name or several. Raises BadParameter for an unknown one, and names the nearest."""
        for name in given if isinstance(given, list) else [given]:
            if name is not None and self.normalize(name) not in (known := self.known()):
                near = get_close_matches(self.normalize(name).lower(), known, n=1, cutoff=_ALIKE)
                suggestion = f"; did you mean {near[0]}?" if near else ""
                raise typer.BadParameter(f"expected one of {', '.join(known)}, got {name!r}{suggestion}")
        return given

    def complete(self, incomplete: str) -> list[str]:
        """The names that begin so."""
        return [name for name in self.known() if name.startswith(incomplete)]


def _jobs() -> Sequence[str]:
    from stedi_common.rules.lineage import JOBS

    return list(JOBS)


source_names = Names(lambda: SOURCES)
job_names = Names(_jobs)
