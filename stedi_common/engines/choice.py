"""The engine that `auto` chooses: the embedded engine, unless a run reads more bytes than the limit.

The choice depends on one number, the bytes that a run reads. docs/decisions/engine-choice.md has the measurement.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from stedi_common.errors import LakeError, ResourcesError

EMBEDDED, SPARK = "embedded", "spark"

#: The memory of a run of the embedded engine: at least, for each byte that it reads, and at most. It spills the rest.
MIN_MEMORY, MEMORY_PER_BYTE, MAX_MEMORY = 400_000_000, 3, 2_000_000_000

#: Addresses are not memory: a process of 250 MB reserves 2.7 GB of them, and DuckDB may take 1.2 GB more.
MIN_ADDRESS_SPACE = 2**32

#: Files with the memory limit of a container, for the two versions of Linux's control groups.
_CONTAINER_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True)
class Choice:
    """An engine, and why it was chosen.

    Attributes:
        engine: one of `ENGINES`.
        reason: in words, without personal data; empty if a setting names the engine.
    """

    engine: str
    reason: str = ""

    def __str__(self) -> str:
        """As in `embedded (reads up to 12 MB, limit 1 GB)`."""
        return f"{self.engine} ({self.reason})" if self.reason else self.engine


@dataclass(frozen=True)
class Machine:
    """What an engine finds on this machine.

    Attributes:
        memory: the memory that a process may use, in bytes; None if that is not known.
        why_no_spark: says why Spark cannot start; nothing if it can. It is asked only if Spark is wanted.
    """

    memory: int | None
    why_no_spark: Callable[[], str]

    @classmethod
    def here(cls) -> Machine:
        """The machine of this process."""
        return cls(_memory(), _why_no_spark)


def choose(reads: int, limit: int, machine: Machine) -> Choice:
    """Choose the engine of a run.

    More bytes never lead from Spark to the embedded engine.

    Args:
        reads: how many bytes the run reads.
        limit: up to so many the embedded engine reads.
        machine: what there is to run on.
    """
    said = f"reads up to {_in_units(reads)}, limit {_in_units(limit)}"
    needed = min(MAX_MEMORY, MIN_MEMORY + MEMORY_PER_BYTE * reads)
    if machine.memory is not None and machine.memory < needed:
        said += f"; it needs {_in_units(needed)} of memory, there are {_in_units(machine.memory)}"
    elif reads <= limit:
        return Choice(EMBEDDED, said)
    if why := machine.why_no_spark():
        return Choice(EMBEDDED, f"{said}; {why}")
    return Choice(SPARK, said)


def expect_address_space() -> None:
    """Raise ResourcesError if a limit leaves an engine too little address space.

    DuckDB and Arrow end the process by SIGSEGV if a thread gets no stack: no error could be caught then.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and limit < MIN_ADDRESS_SPACE:
        raise ResourcesError(
            f"{_in_units(limit)} of address space of {_in_units(MIN_ADDRESS_SPACE)}",
            hint=f"ulimit -v {MIN_ADDRESS_SPACE // 1024}, or more; to limit memory, use a container and STEDI_MEMORY",
        )


def _in_units(size: int) -> str:
    """Bytes as in `12 MB`; to one digit behind the point below ten."""
    number, unit = float(size), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if number < 999.5:  # what is rounded to a thousand is one of the next unit
            break
        number, unit = number / 1000, larger
    return f"{number:.1f}".removesuffix(".0") + f" {unit}" if number < 9.95 else f"{number:,.0f} {unit}"


def _memory() -> int | None:
    """The memory of the machine, or of the container if that has less."""
    limits = [limit for file in _CONTAINER_LIMITS if (limit := _limit_in(Path(file)))]
    with suppress(OSError, ValueError):  # another system
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    return min(limits, default=None)


def _limit_in(file: Path) -> int | None:
    """The limit that the file says; None without the file or without a limit."""
    try:
        return int(file.read_text())
    except (OSError, ValueError):  # not there, or `max`
        return None


def _why_no_spark() -> str:
    """Why Spark cannot start here; nothing if it can."""
    if find_spec("pyspark") is None:
        return "PySpark is not installed"
    if "PYSPARK_GATEWAY_PORT" in os.environ:  # Glue and spark-submit: a driver runs already
        return ""
    from stedi_common.engines.spark.java import java_home  # noqa: PLC0415 - it may start Java

    try:
        java_home()
    except LakeError:
        return "there is no Java 17"
    return ""
