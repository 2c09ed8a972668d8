"""Run tasks, log what each did to its table, and find the error that decides how the run ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import groupby
from typing import Any

from stedi_common import log, maintenance
from stedi_common.api.engine import EngineFor, Engines
from stedi_common.contracts import contract, names
from stedi_common.errors import CommitConflictError, StediError, UnknownRefusalError, UnreadFilesRemainError
from stedi_common.landing import Landed
from stedi_common.landing.unread import UnreadFiles
from stedi_common.rules.lineage import Job
from stedi_common.runs.preview import Preview, preview
from stedi_common.runs.run_all import CompletedTask, Task, run_all
from stedi_common.runs.run_all import tasks as tasks_of
from stedi_common.runs.settings import RunSettings
from stedi_common.runs.withdrawals import Deleted

_WITH_ERRORS = Landed | UnreadFiles | Deleted | maintenance.Maintained


def run_logged(
    engine_for: EngineFor,
    settings: Any,
    tasks: Iterable[Task],
    around: Callable[[Task], AbstractContextManager[object]] = lambda _: nullcontext(),
) -> Iterator[CompletedTask]:
    """Run the tasks as `runs.run_all` does, each phase by its engine, and log a record for each table."""
    for _, phase in groupby(tasks, key=lambda task: task.phase):
        of_phase = list(phase)
        engine, began = engine_for(of_phase, settings), time.monotonic()
        for completed in run_all(engine, settings, of_phase, around):
            if completed.result:
                log.table(completed.task.table, completed.result, time.monotonic() - began)
            yield completed
            if completed.error and completed.task.is_required:
                return
            began = time.monotonic()


def plan_run(engines: Engines, jobs: Sequence[Job], settings: RunSettings) -> list[Preview]:
    """What a run of these jobs is going to do with each table, and which engine it chooses. Commits nothing.

    Args:
        engines: the engines of the lake.
        jobs: the jobs, upstream first.
        settings: the settings of the run.

    Raises:
        StediError: see `runs.preview`; or no job may run.
    """
    settings.expect_jobs_allowed()
    engine = engines.for_reading()
    with engine.cached_lookups():
        choice = str(engines.choice(tasks_of(jobs=jobs), settings))
        previews = preview(engine, jobs, settings.policy, settings.key, rebuild=settings.rebuild)
    return [replace(each, engine=choice) for each in previews]


def maintenance_tasks(*, remove_unknown: bool = False) -> list[Task]:
    """A maintenance task for each table. It does nothing if the table does not exist. Its failure does not end the run.

    Args:
        remove_unknown: see `maintenance.maintain`.
    """

    def task(table: str) -> Task:
        return Task(
            "maintain_tables",
            table,
            lambda engine, _: maintenance.maintain(engine, contract(table), remove_unknown=remove_unknown),
            is_required=False,
            phase="maintain",
        )

    return list(map(task, names()))


def errors_of(done: Iterable[CompletedTask]) -> list[StediError]:
    """The errors of the tasks, and what somebody must look at though the task is done. Each message once."""
    errors: list[StediError] = []
    for each in done:
        of = each.result.errors if isinstance(each.result, _WITH_ERRORS) else []
        errors += [each.error] if each.error else of
    return list({str(error): error for error in errors}.values())  # all sources may have the same error


def most_serious(errors: Sequence[StediError]) -> StediError:
    """The error that decides the exit code: others first, then what somebody must look at, then a conflict."""
    return max(errors, key=_seriousness)


def _seriousness(error: StediError) -> int:
    if isinstance(error, CommitConflictError):
        return 0
    return 1 if isinstance(error, UnknownRefusalError | UnreadFilesRemainError) else 2
