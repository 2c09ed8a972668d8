"""Runs tasks and logs what each did to its table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from stedi_common import log, maintenance
from stedi_common.contracts import contract, names
from stedi_common.engines.protocol import Engine
from stedi_common.errors import CommitConflictError, StediError, UnknownRefusalError
from stedi_common.landing import Landed
from stedi_common.runs.run_all import Done, Task, run_all


def execute(
    engine: Engine,
    given: Any,
    tasks: Iterable[Task],
    around: Callable[[Task], AbstractContextManager[object]] = lambda _: nullcontext(),
) -> Iterator[Done]:
    """What `runs.run_all` does, with a record of the log for each table."""
    began = time.monotonic()
    for done in run_all(engine, given, tasks, around):
        if done.result:
            log.table(done.task.table, done.result, time.monotonic() - began)
        yield done
        began = time.monotonic()


def maintenance_tasks() -> list[Task]:
    """A task for each table that maintains it, if it is there. One that fails ends the run."""

    def task(table: str) -> Task:
        return Task("maintain_tables", table, lambda engine, _: maintenance.maintain(engine, contract(table)))

    return list(map(task, names()))


def errors_of(done: Iterable[Done]) -> list[StediError]:
    """The errors of tasks, and what somebody must look after of the drops that landed. Each sentence once."""
    errors: list[StediError] = []
    for each in done:
        errors += [each.error] if each.error else each.result.errors if isinstance(each.result, Landed) else []
    return list({str(error): error for error in errors}.values())  # one may be of all sources


def most_serious(errors: Sequence[StediError]) -> StediError:
    """The error that decides how a run ends: a defect before an unknown refusal before a conflict."""
    return max(errors, key=_seriousness)


def _seriousness(error: StediError) -> int:
    if isinstance(error, CommitConflictError):
        return 0
    return 1 if isinstance(error, UnknownRefusalError) else 2
