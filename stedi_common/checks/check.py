"""Whether a lake is whole: the files of all tables, and the rows of all files that have landed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum

from stedi_common.checks.reconcile import Difference, differences
from stedi_common.contracts import Contract, contract, names
from stedi_common.engines.embedded.engine import EmbeddedEngine
from stedi_common.engines.protocol import Damage, Verified
from stedi_common.errors import DamagedLakeError, LakeError, StediError
from stedi_common.lake import Lake
from stedi_common.landing import REJECTED
from stedi_common.landing.landed_files import LANDED_FILES
from stedi_common.records import shown


class Remedy(StrEnum):
    """What repairs a finding: a code, as the JSON of the commands has it."""

    REBUILD = "rebuild"
    EXPIRE_SNAPSHOTS = "expire_snapshots"
    LAND_AGAIN = "land_again"
    FINISH_LANDING = "finish_landing"
    RESTORE_FILE = "restore_file"
    RESTORE_LAKE = "restore_lake"

    @property
    def hint(self) -> str:
        """What to do, in words."""
        return _HINTS[self]


_HINTS = {
    Remedy.REBUILD: "stedi repair recomputes the table",
    Remedy.EXPIRE_SNAPSHOTS: "stedi repair expires the older snapshots that need the file",
    Remedy.LAND_AGAIN: "stedi repair --landing lands the file again if it is still there",
    Remedy.FINISH_LANDING: "run stedi land, unless a landing is running",
    Remedy.RESTORE_FILE: "restore the file from a backup, or land the drops into a new lake",
    Remedy.RESTORE_LAKE: "restore the lake from a backup, or land the drops into a new lake",
}


@dataclass(frozen=True)
class Finding:
    """Something that is wrong in a lake.

    Attributes:
        table: zone and name of the table.
        file: the file of the table that is damaged, or the landed file whose rows are not as many as have landed.
        problem: what was expected and what it is.
        remedy: what repairs it.
    """

    table: str
    file: str
    problem: str
    remedy: Remedy


@dataclass(frozen=True)
class TableCheck:
    """What was checked of a table: how many snapshots, data files, and bytes of these."""

    table: str
    snapshots: int
    files: int
    bytes: int


@dataclass(frozen=True)
class Checked:
    """What a check has found.

    Attributes:
        tables: what was checked, by table.
        findings: what is wrong; none if the lake is whole.
    """

    tables: Sequence[TableCheck]
    findings: Sequence[Finding]

    @property
    def errors(self) -> list[StediError]:
        """The error that says how many findings there are, if there are any."""
        return [DamagedLakeError(len(self.findings))] if self.findings else []


@dataclass(frozen=True)
class State:
    """What a check has found, as `repair` needs it.

    Attributes:
        verified: what was verified, by the contract of the table.
        differences: the files whose rows are not as many as have landed.
    """

    verified: dict[Contract, Verified]
    differences: list[Difference]

    @property
    def damaged(self) -> list[tuple[Contract, Verified, Damage]]:
        """Each damage, with its table."""
        return [(table, of, damage) for table, of in self.verified.items() for damage in of.damages]


@contextmanager
def opened(lake: Lake, *, writes: bool = False) -> Iterator[EmbeddedEngine]:
    """The lake for a check, or for a repair if it writes, until the block ends. Raises LakeError if it is in S3."""
    if not lake.is_local:
        raise LakeError(
            f"lake {lake.location}: expected a lake in a folder, got one in S3",
            hint="S3 itself verifies the checksums of its objects; a damaged table is an error when it is read",
        )
    engine = EmbeddedEngine(lake, writes=writes)
    try:
        yield engine
    finally:
        engine.close()


def check(
    engine: EmbeddedEngine,
    *,
    quick: bool = False,
    count_rows: bool | None = None,
    around: Callable[[str], AbstractContextManager[object]] = lambda _: nullcontext(),
) -> Checked:
    """Check the lake. Nothing is changed.

    Args:
        engine: an open lake in a folder, whichever engine has written it.
        quick: do not read the whole files, and count no rows: only sizes and metadata are verified.
        count_rows: whether rows are counted; by default only if `quick` is false.
        around: makes the context in which a table is checked, for progress.

    Returns:
        What was checked and found.

    Raises:
        LakeError: a table is at another place than the lake.
    """
    state = state_of(engine, quick=quick, count_rows=count_rows, around=around)
    tables = [TableCheck(each.table, each.snapshots, each.files, each.bytes) for each in state.verified.values()]
    return Checked(tables, list(_findings(state)))


def state_of(
    engine: EmbeddedEngine,
    *,
    quick: bool = False,
    count_rows: bool | None = None,
    around: Callable[[str], AbstractContextManager[object]] = lambda _: nullcontext(),
) -> State:
    """The state of the lake: see `check`."""
    verified: dict[Contract, Verified] = {}
    for table in map(contract, names()):
        with around(table.identifier):
            if found := engine.repairs.verify(table, quick=quick):
                verified[table] = found
    if not (count_rows if count_rows is not None else not quick):
        return State(verified, [])
    unreadable = [
        table.name
        for table, of in verified.items()
        if of.current is None or any(map(of.is_needed_now, of.damages))  # a first run was killed before its commit
    ]
    with around(LANDED_FILES.name):
        return State(verified, differences(engine, without=unreadable))


def _findings(state: State) -> Iterator[Finding]:
    for table, of, damage in state.damaged:
        problem = f"{damage.kind}: {damage.problem}"
        yield Finding(table.identifier, damage.file, problem, remedy_of(table, of, damage))
    for each in state.differences:
        yield Finding(each.table.identifier, shown(each.source_file), _in_words(each), _remedy(each))


def remedy_of(table: Contract, of: Verified, damage: Damage) -> Remedy:
    """What repairs a damaged file of the table."""
    if table.zone != "landing":
        return Remedy.REBUILD
    return Remedy.RESTORE_FILE if of.is_needed_now(damage) else Remedy.EXPIRE_SNAPSHOTS


def _remedy(each: Difference) -> Remedy:
    if each.sha256 is None:
        return Remedy.FINISH_LANDING
    return Remedy.LAND_AGAIN if each.is_missing else Remedy.RESTORE_LAKE


def _in_words(each: Difference) -> str:
    what = "rejected lines" if each.table == REJECTED else "lines"
    if each.sha256 is None:
        return f"expected an entry in {LANDED_FILES.identifier}, got none for {each.found:,} {what}"
    return f"expected {each.expected:,} {what}, got {each.found:,}"
