"""Repair of a lake: what can be recomputed, or can land again, is repaired; all else stays as it is.

Trusted and curated tables are computed from the landing tables. So a damaged one is dropped and recomputed, as long as
no landing table is damaged. Nothing of a landing table is deleted: a customer line that is lost may be a withdrawal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from stedi_common.checks.check import Checked, Remedy, State, check, state_of
from stedi_common.checks.reconcile import Difference
from stedi_common.contracts import SOURCES
from stedi_common.engines.embedded.engine import EmbeddedEngine
from stedi_common.incremental.diff import CUSTOMER_LANDING
from stedi_common.landing import discover_sources
from stedi_common.landing.landed_files import LANDED_FILES, read_digests
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.records import shown
from stedi_common.rules.lineage import JOBS
from stedi_common.runs.run_all import CompletedTask, Task, tasks
from stedi_common.runs.settings import RunSettings

#: Runs tasks in order.
RunTasks = Callable[[Sequence[Task]], Sequence[CompletedTask]]


@dataclass(frozen=True)
class Step:
    """Something that a repair has done before its tasks.

    Attributes:
        table: zone and name of the table.
        remedy: `rebuild`: the table was dropped, so that it is recomputed; `expire_snapshots`: older snapshots have
            expired; `land_again`: rows of a file are missing, so it lands again.
        file: the file that lands again, as it may be shown.
        snapshots: how many snapshots have expired.
    """

    table: str
    remedy: Remedy
    file: str | None = None
    snapshots: int = 0


@dataclass(frozen=True)
class Repaired:
    """What a repair did.

    Attributes:
        steps: what was done before the tasks.
        completed: the tasks that have run: landing, deletion of withdrawn rows, jobs.
        checked: what a check has found afterwards.
    """

    steps: Sequence[Step]
    completed: Sequence[CompletedTask]
    checked: Checked


def repair(engine: EmbeddedEngine, settings: RunSettings, run: RunTasks, landing: str | None = None) -> Repaired:
    """Check the lake, and repair what can be repaired.

    Args:
        engine: an open lake in a folder.
        settings: the settings of the run that recomputes tables. Withdrawn rows are deleted before that.
        run: runs tasks in order.
        landing: the landing folder, whose files land again if their rows are missing; None to land nothing.

    Returns:
        What was done, and what a check has found afterwards.

    Raises:
        StediError: the settings are not the lake's, or a run is writing to it; nothing was done. Or a branch or tag
            keeps a snapshot that would expire.
    """
    settings.expect_jobs_allowed()
    settings.expect_landing_allowed()
    engine.repairs.expect_no_run()
    state = state_of(engine)
    steps = list(_expire(engine, state))
    if _is_landing_damaged(state):  # what is computed from it would lack rows, perhaps withdrawals
        return Repaired(steps, (), check(engine))
    to_land_again = [] if landing is None else _files_to_land_again(state.differences, landing, settings.key)
    steps += [Step(LANDED_FILES.identifier, Remedy.LAND_AGAIN, file=shown(each.source_file)) for each in to_land_again]
    dropped = [] if _lacks_withdrawals(state, to_land_again) else list(_drop(engine, state))
    needs_run = bool(to_land_again or dropped) or _lacks_tables(engine)
    versions = {(each.source_file, each.sha256 or "") for each in to_land_again}
    completed = run(tasks(landing if to_land_again else None, to_land_again=versions)) if needs_run else ()
    return Repaired([*steps, *dropped], completed, check(engine))


def _is_landing_damaged(state: State) -> bool:
    """Whether the current rows of a landing table need a file that is damaged."""
    return any(of.is_needed_now(damage) for table, of, damage in state.damaged if table.zone == "landing")


def _lacks_withdrawals(state: State, to_land_again: Sequence[Difference]) -> bool:
    """Whether customer lines are missing that do not land again: each may be a withdrawal."""
    missing = (each for each in state.differences if each.is_missing and each.table == CUSTOMER_LANDING)
    return any(each not in to_land_again for each in missing)


def _expire(engine: EmbeddedEngine, state: State) -> Iterator[Step]:
    """Expire older snapshots of landing tables that need a damaged file."""
    for table, of in state.verified.items():
        if table.zone == "landing" and of.damages and not any(map(of.is_needed_now, of.damages)):
            snapshots = frozenset[int]().union(*(damage.snapshots for damage in of.damages))
            engine.repairs.expire(table, snapshots)
            yield Step(table.identifier, Remedy.EXPIRE_SNAPSHOTS, snapshots=len(snapshots))


def _drop(engine: EmbeddedEngine, state: State) -> Iterator[Step]:
    """Drop the damaged tables that can be recomputed, downstream first."""
    damaged = {table.name for table, _, _ in state.damaged}
    for job in reversed(JOBS.values()):
        if job.target.name in damaged:
            engine.repairs.drop(job.target)
            yield Step(job.target.identifier, Remedy.REBUILD)


def _lacks_tables(engine: EmbeddedEngine) -> bool:
    """Whether a repair that was killed has dropped a table. If there is none at all, the next run computes them."""
    there = [engine.exists(job.target) for job in JOBS.values()]
    return any(there) and not all(there)


def _files_to_land_again(differences: Sequence[Difference], landing: str, key: PseudonymKey) -> list[Difference]:
    """The files whose rows are missing and that the landing folder still has, with the same content."""
    missing = {(each.source_file, each.sha256): each for each in differences if each.sha256 and each.is_missing}
    if not missing:
        return []
    sources = [source for source in SOURCES if any(each.source == source for each in missing.values())]
    drops = discover_sources(landing, sources).drops
    names = {name for name, _ in missing}
    digests, _ = read_digests([drop for source in sources for drop in drops[source] if drop.name in names], key)
    there = {(drop.name, digest) for drop, digest in digests.items()}
    return [each for name, each in missing.items() if name in there]
