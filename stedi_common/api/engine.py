"""Opens the engine of a run: the one that a setting names; with `auto` the one that suits what the run reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from typing import Any, TypeAlias, cast

from stedi_common import log
from stedi_common.engines import connect
from stedi_common.engines.choice import EMBEDDED, SPARK, Choice, Machine, choose
from stedi_common.engines.protocol import Engine
from stedi_common.errors import LakeError, MissingPackageError
from stedi_common.lake import Lake
from stedi_common.runs.input_size import InputSize, SizedEngine
from stedi_common.runs.run_all import Task
from stedi_common.runs.settings import RunSettings
from stedi_common.settings import AUTO, Settings

#: Opens the engine for tasks of one phase, with their settings.
EngineFor: TypeAlias = Callable[[Sequence[Task], Any], Engine]


class Engines:
    """The engines that are open on a lake. Each is opened when it is needed, and only once.

    Args:
        settings: name the engine, or how much the embedded one may read.
        lake: the lake.
        writes: see `engines.connect`.
        around: makes the context in which an engine of this name is opened, for progress.
    """

    def __init__(
        self,
        settings: Settings,
        lake: Lake,
        *,
        writes: bool = True,
        around: Callable[[str], AbstractContextManager[object]] = lambda _: nullcontext(),
    ) -> None:
        self._settings, self._lake, self._writes, self._around = settings, lake, writes, around
        self._open: dict[str, Engine] = {}
        self._closing = ExitStack()

    def for_reading(self) -> Engine:
        """The engine for queries and plans, which start no Spark that nobody named. Raises LakeError."""
        named = self._settings.engine
        return self._opened(EMBEDDED if named == AUTO else named)

    def for_tasks(self, tasks: Sequence[Task], settings: RunSettings | None) -> Engine:
        """The engine for these tasks, which are of one phase. Its `choice` says why.

        Args:
            tasks: the tasks.
            settings: the settings of the run; None for maintenance.

        Raises:
            LakeError: the engine cannot be opened.
        """
        choice = self.choice(tasks, settings)
        try:
            engine = self._opened(choice.engine)
        except LakeError:  # such as another version of Spark: --engine spark says which
            if EMBEDDED not in self._open or choice.engine == EMBEDDED:
                raise
            choice = Choice(EMBEDDED, f"{choice.reason}; Spark does not start")
            engine = self._open[EMBEDDED]
        engine.choice = choice
        log.engine(choice.engine, choice.reason)
        return engine

    def choice(self, tasks: Sequence[Task], settings: RunSettings | None) -> Choice:
        """The engine for these tasks, and why. It opens the embedded engine at most, unless Spark is all there is."""
        if self._settings.engine != AUTO:
            return Choice(self._settings.engine)
        try:
            engine = self._opened(EMBEDDED)
        except MissingPackageError as missing:
            if Machine.here().why_no_spark():
                raise
            return Choice(SPARK, str(missing).splitlines()[0])
        return self._by_bytes(engine, tasks, settings) if settings else Choice(EMBEDDED, "maintains tables")

    def _by_bytes(self, engine: Engine, tasks: Sequence[Task], settings: RunSettings) -> Choice:
        size = InputSize(cast("SizedEngine", engine), settings.policy, settings.key)
        try:
            with engine.cached_lookups():
                reads = sum(task.reads(size) for task in tasks)
        except Exception:  # the task that cannot read it either says why; withdrawn rows are deleted all the same
            return Choice(EMBEDDED, "what it reads is not known")
        return choose(reads, self._settings.embedded_bytes, Machine.here())

    def _opened(self, name: str) -> Engine:
        if name not in self._open:
            with self._around(name):
                self._open[name] = connect(name, self._lake, writes=self._writes)
            self._closing.callback(self._open[name].close)
        return self._open[name]

    def close(self) -> None:
        """Close the engines that are open."""
        self._open.clear()
        self._closing.close()
