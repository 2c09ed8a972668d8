"""The jobs, one per trusted and curated table: a function is named after its table, its parameters after sources."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from stedi_common.contracts import Contract, contract
from stedi_common.errors import StediError
from stedi_common.rules import tables
from stedi_common.rules.frames import Classified

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


_FUNCTIONS: tuple[Callable[..., Classified], ...] = (
    tables.customer_trusted,
    tables.accelerometer_trusted,
    tables.customers_curated,
    tables.step_trainer_trusted,
    tables.machine_learning_curated,
)

#: By name, upstream first.
JOBS = {job.name: job for job in map(Job, _FUNCTIONS)}

#: By the name of the table that they make, upstream first.
MAKERS = {job.target.name: job for job in JOBS.values()}


def jobs(names: Sequence[str]) -> list[Job]:
    """The jobs of these names, upstream first; all for none. Raises StediError for an unknown name."""
    for name in names:
        if name not in JOBS:
            nearest = difflib.get_close_matches(name, JOBS, 1)
            hint = f"did you mean {nearest[0]}?" if nearest else None
            raise StediError(f"run: expected jobs among {', '.join(JOBS)}, got {name}", hint)
    return [job for job in JOBS.values() if not names or job.name in names]
