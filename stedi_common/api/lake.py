"""`open`: a lake, and what can be done with it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from stedi_common import aws, log, maintenance, status
from stedi_common.api.engine import EngineFor, Engines
from stedi_common.api.rows import Rows, columns_of, expect_condition, names_of, table_of
from stedi_common.api.setup import lake_of, load_settings, run_settings_of
from stedi_common.api.tasks import errors_of, maintenance_tasks, most_serious, plan_run, run_logged
from stedi_common.contracts import SOURCES
from stedi_common.engines.protocol import Engine
from stedi_common.errors import LakeError
from stedi_common.landing import Landed
from stedi_common.maintenance import Maintained
from stedi_common.rules.lineage import jobs as jobs_of
from stedi_common.runs.executor import Outcome
from stedi_common.runs.preview import Preview
from stedi_common.runs.run_all import CompletedTask, Task, landing_tasks, tasks
from stedi_common.runs.withdrawals import Deleted
from stedi_common.settings import OPTIONS, Settings, with_options
from stedi_common.settings.toml import expect_known
from stedi_common.status import TableStatus

if TYPE_CHECKING:
    import narwhals as nw


@dataclass(frozen=True)
class Snapshot:
    """A state of a table that is kept: its id, when it was committed (UTC, without zone), and its rows."""

    id: int
    committed_at: datetime
    rows: int


class OpenLake:
    """A lake that is open. Use it in a `with` block, or call `close`.

    The engine starts with the first call that needs it.
    """

    def __init__(self, settings: Settings, *, read_only: bool = False) -> None:
        self.settings = settings
        self._lake = lake_of(settings)
        self._aws = ExitStack()
        self._aws.enter_context(aws.profile_and_endpoint(settings.profile, settings.endpoint_url))
        self._read_only = read_only
        self._engines = Engines(settings, self._lake, writes=not read_only)
        self._is_closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<OpenLake {self._lake.location} by the engine {self.settings.engine}>"

    def close(self) -> None:
        """Close the lake. Rows that have not been read can no longer be."""
        self._is_closed = True
        self._engines.close()
        self._aws.close()

    def land(self, folder: str | Path | None = None, sources: Iterable[str] | None = None) -> list[Landed]:
        """Land the files that are new or have changed.

        Args:
            folder: the folder or S3 URI with a folder for each source; by default that of the settings.
            sources: the names of the sources, such as `customer`; by default all.

        Returns:
            For each source, how many lines have landed, were rejected, or are duplicates.

        Raises:
            SettingsError: a source is not known.
            LakeError: there is no such folder, or one of it and the lake is in the other.
            UnknownRefusalError: a customer line may be the refusal of an unknown person. All else has landed.
            IncompleteLandingError: a file could not be read. All others have landed.

        Examples:
            >>> [landed.landed for landed in lake.land("drops")]
            [1, 1, 1]
        """
        wanted = SOURCES if sources is None else names_of("land", sources)
        expect_known("land", wanted, SOURCES)
        settings = replace(self.settings, landing=str(folder or self.settings.landing))
        return self._run("land", landing_tasks(settings.landing, wanted), Landed, settings)

    def plan(self, jobs: Sequence[str] | None = None, *, rebuild: bool | None = None) -> list[Preview]:
        """What a run is going to do with each table, and why. Nothing is committed.

        Args:
            jobs: names of jobs; by default all.
            rebuild: whether tables of another build may be rebuilt in full; by default as the settings say.

        Returns:
            First the deletion of withdrawn rows, as the table `withdrawals`, if there are any; then each table,
            upstream first.

        Raises:
            LakeError: a landing table does not exist.
            MissingLinesError: customer lines that have landed are missing, so a run would compute no table.
            RebuildRequiredError: a table was built with another policy, key, columns or code, and `rebuild` is false.

        Examples:
            >>> [(each.table, str(each.action)) for each in lake.plan(["customer_landing_to_trusted"])]
            [('customer_trusted', 'nothing')]
        """
        chosen = jobs_of(names_of("run", jobs or ()))
        self._expect_open()
        run_settings = run_settings_of(self.settings, self._lake, must_exist=True)
        if rebuild is not None:
            run_settings = replace(run_settings, rebuild=rebuild)
        return plan_run(self._engines, chosen, run_settings)

    def run(
        self, jobs: Sequence[str] | None = None, *, rebuild: bool | None = None, dismiss_unread: bool = False
    ) -> list[Deleted | Outcome]:
        """Delete withdrawn rows, then compute the tables of these jobs from the landing tables.

        Args:
            jobs: names of jobs; by default all.
            rebuild: whether tables of another build may be rebuilt in full; by default as the settings say.
            dismiss_unread: whether all unread files are dismissed. You take responsibility that nobody withdraws
                consent in them.

        Returns:
            The deletion, if rows were deleted, then for each table how many rows were kept, and dropped by reason.

        Raises:
            RebuildRequiredError: a table was built with another policy, key, columns or code, and `rebuild` is false.
            MissingLinesError: customer lines that have landed are missing. Withdrawn rows are deleted, and no table is
                computed.
            CommitConflictError: another run committed in between. Run again.
            UnreadFilesRemainError: a file that could not be read has not landed since. All tables are computed.
            LakeError: a table that a job reads is not there.

        Examples:
            >>> [(outcome.table, outcome.rows) for outcome in lake.run(["customer_landing_to_trusted"])]
            [('customer_trusted', 1)]
        """
        settings = self.settings if rebuild is None else replace(self.settings, rebuild=rebuild)
        to_do = tasks(jobs=jobs_of(names_of("run", jobs or ())), dismiss_unread=dismiss_unread)
        return self._run("run", to_do, Deleted | Outcome, settings, must_exist=True)

    def read(
        self,
        table: str,
        columns: Sequence[str] | None = None,
        where: nw.Expr | None = None,
        snapshot: int | None = None,
    ) -> Rows:
        """The rows of a table, as Arrow, pandas, Polars or record batches.

        Args:
            table: a table's name, with or without its zone.
            columns: names of columns; by default all.
            where: a condition that rows must meet, as a Narwhals expression over the table's columns.
            snapshot: the id of a snapshot that is kept (`snapshots`); by default the table as it is now.

        Raises:
            QueryError: a table or column is not known, or `where` is no condition.
            LakeError: the table or the snapshot is not there.

        Examples:
            >>> import stedi_common as stedi
            >>> rows = lake.read("accelerometer_trusted", ["x", "y"], where=stedi.col("user") == "ann@example.org")
            >>> rows.arrow().num_rows
            1
        """
        target = table_of(table)
        chosen = columns_of(target, columns)
        if where is not None:
            expect_condition(target, where)
        self._lake.expect_exists()
        engine = self._opened()
        head = engine.head(target)
        if snapshot is not None:
            found = engine.snapshot(target, snapshot)
            if found is None:
                raise LakeError(
                    f"{target.name}: expected a snapshot that is kept, got {snapshot}", "snapshots() lists those"
                )
            head = found
        return Rows(self._opened, target, head, chosen, where)

    def snapshots(self, table: str) -> list[Snapshot]:
        """The snapshots of a table that are kept, newest first.

        Args:
            table: a table's name, with or without its zone.

        Raises:
            QueryError: the table is not known.
            LakeError: the table is not there.

        Examples:
            >>> [snapshot.rows for snapshot in lake.snapshots("customer_landing")]
            [1, 0]
        """
        target = table_of(table)
        self._lake.expect_exists()
        engine = self._opened()
        history = engine.history(target, engine.head(target))
        return [Snapshot(head.snapshot_id, head.committed_at, head.rows) for head in history]

    def status(self) -> list[TableStatus]:
        """Each table that is there: rows, last commit, policy, and how many commits it is behind its sources.

        Raises:
            LakeError: there is no lake.

        Examples:
            >>> {each.table: each.rows for each in lake.status()}["trusted.customer_trusted"]
            1
        """
        self._lake.expect_exists()
        return status.tables(self._opened())

    def maintain(self, *, remove_unknown: bool = False) -> list[Maintained]:
        """Compact the data files of all tables, expire their snapshots, and remove orphan and staged files.

        Args:
            remove_unknown: whether orphan files that no snapshot ever named are also removed if they are newer than
                the last commit of their table, or most of its bytes.

        Returns:
            What was done to each table.

        Raises:
            LakeError: there is no lake, or the orphan files of a table were left because they are most of it.

        Examples:
            >>> {each.table: each.removed for each in lake.maintain()}["customer_trusted"]
            0
        """
        self._lake.expect_exists()
        with log.run("maintain"):
            self._expect_writable()
            to_do = maintenance_tasks(remove_unknown=remove_unknown)
            engine = self._engines.for_tasks(to_do, None)
            maintenance.remove_staged(engine)
            done = self._completed(None, to_do, lambda *_: engine)
        return [each.result for each in done if isinstance(each.result, Maintained)]

    def _run(
        self,
        command: str,
        to_do: Sequence[Task],
        of: Any,
        settings: Settings | None = None,
        *,
        must_exist: bool = False,
    ) -> list[Any]:
        """The results of the tasks. Raises the most serious error after all tasks have run."""
        self._expect_writable()  # before a key is made
        with log.run(command):
            run_settings = run_settings_of(
                settings or self.settings, self._lake, must_exist=must_exist, creates=not must_exist
            )
            return [each.result for each in self._completed(run_settings, to_do) if isinstance(each.result, of)]

    def _completed(
        self, settings: Any, to_do: Sequence[Task], engine_for: EngineFor | None = None
    ) -> list[CompletedTask]:
        self._expect_writable()
        done = list(run_logged(engine_for or self._engines.for_tasks, settings, to_do))
        errors = errors_of(done)
        for error in errors:
            log.error(error)
        if errors:
            worst = most_serious(errors)
            for other in errors:
                if other is not worst:
                    worst.add_note(f"and: {other}")
            raise worst
        return done

    def _expect_writable(self) -> None:
        self._expect_open()
        if self._read_only:
            raise LakeError("lake: expected a lake that is open for writing, got one that is read only")

    def _expect_open(self) -> None:
        if self._is_closed:
            raise LakeError("lake: expected an open lake, got a closed one")

    def _opened(self) -> Engine:
        self._expect_open()
        return self._engines.for_reading()


def open(  # noqa: A001 - `stedi_common.open`, as `tarfile.open`
    location: str | Path | None = None,
    *,
    prefix: str | None = None,
    engine: str | None = None,
    settings: Settings | None = None,
    read_only: bool = False,
    **others: Any,
) -> OpenLake:
    """Open a lake.

    Args:
        location: a folder, or the S3 URI above the zones; by default that of the settings.
        prefix: what the names of the catalog's databases start with.
        engine: `embedded`, `spark`, or `auto`: by how many bytes a run reads.
        settings: all settings; by default those of the environment and of `stedi.toml` in the working folder.
        read_only: whether nothing may be landed, run or maintained.
        others: further settings by name, such as `consent`, `landing` or `pseudonym_key_file`.

    Returns:
        The lake, for a `with` block. It need not be there yet: landing makes it.

    Raises:
        SettingsError: a setting is not known or not understood.

    Examples:
        >>> import stedi_common as stedi
        >>> with stedi.open("lake") as lake:
        ...     frame = lake.read("machine_learning_curated").pandas()
        >>> len(frame)
        1
    """
    given = {"lake": location, "database_prefix": prefix, "engine": engine, **others}
    expect_known("open", others, (*OPTIONS, "config") if settings is None else OPTIONS)
    if settings is None:
        return OpenLake(load_settings(given), read_only=read_only)
    return OpenLake(with_options(settings, given), read_only=read_only)
