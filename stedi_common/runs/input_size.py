"""How many bytes the tasks of a run read, by listings and snapshots before the run. No table of people is read.

Files are counted as they are stored, but compressed drops times `COMPRESSION_RATIO`. A byte of JSON and one of Parquet
take about the same time: Parquet has fewer bytes, and each is read by several jobs. What is only an estimate:

- A file of drops that is new by its size or time counts, though its content may have landed.
- A change of the customer records counts as a change of all days of all tables.
- A table that the same run changes before it is read counts as the first source of its job.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from stedi_common.contracts import Contract
from stedi_common.engines.protocol import Engine, Head
from stedi_common.incremental.diff import CUSTOMER_LANDING
from stedi_common.incremental.upper_bound import Days, days_at_most, head_of
from stedi_common.landing.landed_files import LANDED_FILES, LandedFiles, folder_digest
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.records import Drop, Found
from stedi_common.records.names import COMPRESSED
from stedi_common.rules.lineage import JOBS, JOBS_BY_TABLE, Job
from stedi_common.rules.policy import Policy

#: How many times its stored size a compressed file of drops unpacks to, about.
COMPRESSION_RATIO = 10


class SizedEngine(Engine, Protocol):
    """An engine that knows the sizes of data files without opening them."""

    def data_bytes(self, contract: Contract, head: Head, days: Days = None) -> int:
        """The bytes of the data files of a snapshot, of these days or all."""


class InputSize:
    """The bytes that tasks read, one task after the other.

    Args:
        engine: an open lake.
        policy: the policy of the run.
        key: the pseudonym key of the run.
    """

    def __init__(self, engine: SizedEngine, policy: Policy, key: PseudonymKey) -> None:
        self._engine, self._policy, self._key = engine, policy, key
        self._changing: dict[str, Days] = {}
        self._landed: dict[str, LandedFiles | None] = {}

    def of_landing(self, source: str, found: Found) -> int:
        """The bytes of the drops that are new, of a source."""
        drops, landed_files = found.drops[source], self._landed_files(found.location)
        return sum(map(_uncompressed, landed_files.unknown(drops) if landed_files else drops))

    def of_deletion(self) -> int:
        """The bytes of all computed tables if the customer records have changed, since anybody may have withdrawn."""
        of_people = [job for job in JOBS.values() if CUSTOMER_LANDING in job.sources and not job.target.partition]
        if all(self._days(job) == set() for job in of_people):
            return 0
        return self._bytes_of((job.target for job in JOBS.values()), None)

    def of_job(self, job: Job) -> int:
        """The bytes of what the job reads of its sources."""
        days = self._days(job)
        if days == set():
            return 0
        size = self._bytes_of(job.sources, days)
        self._changing[job.target.name] = days if job.target.partition else None
        return size

    def _landed_files(self, folder: str) -> LandedFiles | None:
        """The rows of `landed_files`, read once for all sources; None if nothing has landed."""
        if folder not in self._landed:
            head, digest = head_of(self._engine, LANDED_FILES), folder_digest(folder, self._key)
            self._landed[folder] = LandedFiles.read(self._engine, head, self._key, digest) if head else None
        return self._landed[folder]

    def _days(self, job: Job) -> Days:
        return days_at_most(self._engine, job, self._policy, self._key, self._changing)

    def _bytes_of(self, tables: Iterable[Contract], days: Days) -> int:
        return sum(self._stored(table, days) for table in tables)

    def _stored(self, table: Contract, days: Days) -> int:
        if table.name in self._changing:
            return self._stored(JOBS_BY_TABLE[table.name].sources[0], days)
        head = head_of(self._engine, table)
        return self._engine.data_bytes(table, head, days if table.partition else None) if head else 0


def _uncompressed(drop: Drop) -> int:
    return drop.bytes * (COMPRESSION_RATIO if drop.name.lower().rpartition(".")[2] in COMPRESSED else 1)
