"""The jobs, one per trusted and curated table: a function is named after its table, its parameters after sources.

Functions are found by the contracts: in `rules.tables`, and in the `tables.py` of the user's own project.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from types import ModuleType
from typing import Any

from stedi_common import project
from stedi_common.contracts import PACKAGED, Contract, contract, names, without_project
from stedi_common.errors import ContractError, StediError, as_stedi_error, nearest
from stedi_common.rules import tables
from stedi_common.rules.frames import Classified
from stedi_common.rules.tables import Lookup

#: The parameters of a function that are no tables.
POLICY, PSEUDONYMS = "policy", "pseudonyms"


@dataclass(frozen=True)
class Parameters:
    """The parameters of a function.

    Attributes:
        tables: the names of the tables, in order.
        policy: whether it takes the policy.
        pseudonyms: whether it takes the pseudonyms.
    """

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
    """A job builds one table. It is known by the function of that table."""

    function: Callable[..., Classified]

    @property
    def name(self) -> str:
        """The name of the job: `madeBy` in the contract of its table."""
        return self.target.made_by

    @property
    def target(self) -> Contract:
        """The table that it builds."""
        return contract(self.function.__name__)

    @property
    def sources(self) -> tuple[Contract, ...]:
        """The tables that it reads. It classifies the rows of the first one as kept or dropped."""
        return tuple(map(contract, self.parameters.tables))

    @property
    def parameters(self) -> Parameters:
        """What its function takes."""
        return parameters(self.function)

    @property
    def people(self) -> str:
        """The source whose people have pseudonyms: the trusted or curated one of people, the last if there are several.

        Raises:
            ContractError: there is none.
        """
        people = [s.name for s in self.sources if s.zone != "landing" and s.partition is None and "email" in s.names]
        if not people:
            raise ContractError(
                f"{self.target.name}: expected a table of people among {', '.join(self.parameters.tables)}, "
                "because the function takes pseudonyms, got none",
                hint="name customer_trusted or customers_curated in madeFrom",
            )
        return people[-1]

    @property
    def lookups(self) -> tuple[Lookup, ...]:
        """The lookups of people and devices that its rows depend on: `LOOKUPS` of its module."""
        declared: Mapping[str, tuple[Lookup, ...]] = getattr(module_of(self), "LOOKUPS", {})
        return declared.get(self.target.name, ())

    @property
    def needs_reading(self) -> str | None:
        """The table in which a person needs a reading to be in this one: `NEEDS_READING` of its module; else None."""
        declared: Mapping[str, str] = getattr(module_of(self), "NEEDS_READING", {})
        return declared.get(self.target.name)


def jobs(names: Sequence[str]) -> list[Job]:
    """The jobs of these names, upstream first.

    If the project is set aside, all: its names are not known, and a run computes no table.

    Args:
        names: names of jobs; all jobs if there are none.

    Raises:
        StediError: a name is unknown. The hint has the nearest one.
    """
    if project.failure():
        return list(JOBS.values())
    for name in names:
        if name not in JOBS:
            raise StediError(f"run: expected jobs among {', '.join(JOBS)}, got {name}", nearest(name, JOBS))
    return [job for job in JOBS.values() if not names or job.name in names]


def module_of(job: Job) -> ModuleType:
    """The module that has the job's function."""
    if job.target.name in PACKAGED:
        return tables
    return project.tables() or tables


def _function(table: Contract) -> Callable[..., Classified]:
    # What a project calls as a function of the package is for its own use: the package's tables stay what they are.
    module = tables if table.name in PACKAGED else project.tables()
    function = getattr(module, table.name, None)
    if function is None:
        raise ContractError(
            f"{table.name}: expected a function of this name, got none", hint=f"write it in {project.TABLES_FILE}"
        )
    if not callable(function) or getattr(function, "__name__", None) != table.name:
        raise ContractError(
            f"{table.name}: expected a function of this name, got something else",
            hint="write it with def; functools.wraps keeps the name of a function that is decorated",
        )
    _expect_lineage(table, function)
    return function  # type: ignore[no-any-return]


def _expect_lineage(table: Contract, function: Callable[..., Any]) -> None:
    """Raise ContractError unless the function takes the tables that the contract names."""
    taken = parameters(function).tables
    if taken != table.made_from:
        raise ContractError(
            f"{table.name}: expected parameters as madeFrom in its contract, {', '.join(table.made_from)}, "
            f"got {', '.join(taken) or 'none'}"
        )


def _expect_lookups(job: Job) -> None:
    """Raise ContractError unless the job's lookups are of its sources: else they could find no withdrawal."""
    sources = {source.name: source for source in job.sources}
    for lookup in job.lookups:
        readings = sources.get(lookup.fact_table)
        if readings is None or readings.partition is None or lookup.on not in readings.names:
            raise ContractError(
                f"{job.target.name}: LOOKUPS: expected a table of readings among {', '.join(sources)} with the column "
                f"{lookup.on}, got {lookup.fact_table}"
            )
        others = [name for name in parameters(lookup.function).tables if name not in sources]
        if others:
            raise ContractError(
                f"{job.target.name}: LOOKUPS: expected tables among {', '.join(sources)} for "
                f"{lookup.function.__name__}, got {', '.join(others)}"
            )


def _by_name(jobs: Sequence[Job]) -> dict[str, Job]:
    """The jobs by name. Raises ContractError for a name that two contracts give."""
    named: dict[str, Job] = {}
    for job in jobs:
        if job.name in named:
            tables = f"{named[job.name].target.name} and {job.target.name}"
            raise ContractError(f"{tables}: expected a different madeBy for each, got {job.name} for both")
        named[job.name] = job
        _expect_lookups(job)
        if job.parameters.pseudonyms:
            _ = job.people
    return named


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


def _all_jobs() -> dict[str, Job]:
    """The jobs of all contracts; those of the package if the project is broken, which is then set aside."""
    try:
        return _by_name(_upstream_first())
    except Exception as error:
        if PACKAGED.issuperset(names()):
            raise
        project.set_aside(as_stedi_error(error))
        without_project()
    return _by_name(_upstream_first())


#: The jobs by name, upstream first.
JOBS = _all_jobs()

#: The jobs by the name of the table that they build, upstream first.
JOBS_BY_TABLE = {job.target.name: job for job in JOBS.values()}
