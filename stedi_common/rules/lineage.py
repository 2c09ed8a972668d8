"""The jobs, one per trusted and curated table: a function is named after its table, its parameters after sources.

Functions are found by the contracts: in `rules.tables`, and in the `tables.py` of the user's own project.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from types import ModuleType
from typing import Any

from stedi_common import project
from stedi_common.contracts import Contract, contract, names
from stedi_common.errors import ContractError, StediError
from stedi_common.rules import tables
from stedi_common.rules.frames import Classified
from stedi_common.rules.tables import Lookup

#: Parameters that are no tables.
POLICY, PSEUDONYMS = "policy", "pseudonyms"


@dataclass(frozen=True)
class Parameters:
    """What a function takes: the names of tables, in order, and perhaps the policy and pseudonyms."""

    tables: tuple[str, ...]
    policy: bool
    pseudonyms: bool


@cache
def parameters(function: Callable[..., Any]) -> Parameters:
    """The parameters of a transformation or a lookup."""
    names = tuple(inspect.signature(function).parameters)
    return Parameters(
        tuple(name for name in names if name not in {POLICY, PSEUDONYMS}), POLICY in names, PSEUDONYMS in names
    )


@dataclass(frozen=True)
class Job:
    """A job: the function of the table that it makes."""

    function: Callable[..., Classified]

    @property
    def name(self) -> str:
        """The job's name for users; the contract of its table says it."""
        return self.target.made_by

    @property
    def target(self) -> Contract:
        """The table that it makes."""
        return contract(self.function.__name__)

    @property
    def sources(self) -> tuple[Contract, ...]:
        """The tables that it reads. Its rows are those of the first, each kept or dropped."""
        return tuple(map(contract, self.parameters.tables))

    @property
    def parameters(self) -> Parameters:
        """What its function takes."""
        return parameters(self.function)

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """The lookups of people and devices that its rows depend on, as far as its module declares them."""
        declared: Mapping[str, tuple[Lookup, ...]] = getattr(module_of(self), "LOOKUPS", {})
        return declared.get(self.target.name, ())

    @property
    def needs_reading(self) -> str | None:
        """The table of readings of which a person needs one to be in this table."""
        declared: Mapping[str, str] = getattr(module_of(self), "NEEDS_READING", {})
        return declared.get(self.target.name)


def jobs(names: Sequence[str]) -> list[Job]:
    """The jobs of these names, upstream first; all for none. Raises StediError for an unknown name."""
    for name in names:
        if name not in JOBS:
            nearest = difflib.get_close_matches(name, JOBS, 1)
            hint = f"did you mean {nearest[0]}?" if nearest else None
            raise StediError(f"run: expected jobs among {', '.join(JOBS)}, got {name}", hint)
    return [job for job in JOBS.values() if not names or job.name in names]


def module_of(job: Job) -> ModuleType:
    """The module that has the job's function."""
    own = project.tables()
    return own if own is not None and hasattr(own, job.function.__name__) else tables


def _function(table: Contract) -> Callable[..., Classified]:
    for module in (project.tables(), tables):
        if function := getattr(module, table.name, None):
            _expect_lineage(table, function)
            return function  # type: ignore[no-any-return]
    raise ContractError(
        f"{table.name}: expected a function of this name, got none", hint=f"write it in {project.TABLES_FILE}"
    )


def _expect_lineage(table: Contract, function: Callable[..., Any]) -> None:
    """Raise ContractError unless the function takes the tables that the contract names."""
    taken = parameters(function).tables
    if taken != table.made_from:
        raise ContractError(
            f"{table.name}: expected parameters as madeFrom in its contract, {', '.join(table.made_from)}, "
            f"got {', '.join(taken) or 'none'}"
        )


def _upstream_first() -> list[Job]:
    """The jobs of all contracts, each after those whose tables it reads."""
    made = {name: contract(name) for name in names() if contract(name).zone != "landing"}
    graph = TopologicalSorter({name: [s for s in table.made_from if s in made] for name, table in made.items()})
    try:
        graph.prepare()
    except CycleError as error:
        raise ContractError(f"contracts: expected no cycle of madeFrom, got {' <- '.join(error.args[1])}") from None
    ordered: list[Job] = []
    while ready := sorted(graph.get_ready()):
        ordered += [Job(_function(made[name])) for name in ready]
        graph.done(*ready)
    return ordered


#: By name, upstream first.
JOBS = {job.name: job for job in _upstream_first()}

#: By the name of the table that they make, upstream first.
JOBS_BY_TABLE = {job.target.name: job for job in JOBS.values()}
