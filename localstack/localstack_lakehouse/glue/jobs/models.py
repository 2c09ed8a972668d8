"""Jobs and their runs, and where they are kept."""

import re
import uuid
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Lock
from typing import Any

from localstack.services.stores import AccountRegionBundle, BaseStore, LocalAttribute

from .arguments import Arguments
from .exceptions import InvalidInputException
from .logs import LogGroups

Definition = dict[str, Any]

GOING = frozenset({"STARTING", "RUNNING", "STOPPING"})

_DPUS = {
    "G.025X": 0.25,
    **dict.fromkeys(("Standard", "G.1X", "R.1X"), 1.0),
    **dict.fromkeys(("G.2X", "R.2X", "Z.2X"), 2.0),
    **dict.fromkeys(("G.4X", "R.4X"), 4.0),
    **dict.fromkeys(("G.8X", "R.8X"), 8.0),
    "G.12X": 12.0,
    "G.16X": 16.0,
}
_OF_RUN = (
    *("AllocatedCapacity", "ExecutionClass", "GlueVersion", "JobMode", "JobRunQueuingEnabled", "MaintenanceWindow"),
    *("MaxCapacity", "NotificationProperty", "NumberOfWorkers", "SecurityConfiguration", "Timeout", "WorkerType"),
)


class JobRun:
    """A run of a job, as it was defined when the run started."""

    def __init__(self, definition: Definition, arguments: Arguments, logs: LogGroups, shape: dict[str, Any]) -> None:
        self.definition = definition
        self.arguments = arguments
        self.logs = logs
        self.stopping = Event()
        self._shape = shape
        self._lock = Lock()

    @classmethod
    def of(cls, definition: Definition, request: Mapping[str, Any], arguments: Arguments, logs: LogGroups) -> "JobRun":
        """A new run; what the request does not say is as the job has it."""
        settings = {key: definition[key] for key in _OF_RUN if key in definition}
        check_capacity(request)
        settings |= {key: request[key] for key in _OF_RUN if request.get(key) is not None}
        settings |= capacity(settings)
        previous = {"PreviousRunId": request["JobRunId"]} if request.get("JobRunId") else {}
        shape = settings | previous | {"JobName": definition["Name"], "Attempt": 0, "PredecessorRuns": []}
        shape |= {"Id": f"jr_{uuid.uuid4().hex}{uuid.uuid4().hex}", "Arguments": request.get("Arguments") or {}}
        shape |= {"LogGroupName": logs.folder}
        return cls(definition, arguments, logs, shape | _starting())

    def again(self) -> "JobRun":
        """The next attempt at it."""
        attempt = self.shape["Attempt"] + 1
        gone = {key: value for key, value in self.shape.items() if key not in {"CompletedOn", "ErrorMessage"}}
        shape = gone | {"Attempt": attempt, "PreviousRunId": self.id, "Id": f"{_first(self.id)}_attempt_{attempt}"}
        return JobRun(self.definition, self.arguments, self.logs, shape | _starting())

    @property
    def shape(self) -> dict[str, Any]:
        """The run as GetJobRun answers."""
        return dict(self._shape)

    @property
    def id(self) -> str:
        """Its id."""
        return str(self._shape["Id"])

    @property
    def state(self) -> str:
        """STARTING, RUNNING, STOPPING, or one of those it ends in."""
        return str(self._shape["JobRunState"])

    def run(self) -> None:
        """It is running now, unless it is to stop."""
        self._become("RUNNING", {"STARTING"})

    def stop(self) -> bool:
        """Ask it to stop; False when it has ended."""
        stopping = self._become("STOPPING", GOING)
        self.stopping.set()
        return stopping

    def end(self, state: str, seconds: float = 0, error: str | None = None) -> None:
        """It has ended."""
        used = {"ExecutionTime": round(seconds), "DPUSeconds": round(seconds * self.shape["MaxCapacity"], 2)}
        told = {"ErrorMessage": error} if error else {}
        self._become(state, GOING, dict.fromkeys(("CompletedOn", "LastModifiedOn"), _now()) | used | told)

    def _become(self, state: str, after: Set[str], more: Mapping[str, Any] | None = None) -> bool:
        with self._lock:
            if self.state not in after:
                return False
            self._shape = {**self._shape, "JobRunState": state, "LastModifiedOn": _now(), **(more or {})}
            return True


@dataclass
class Job:
    """A job and its runs, the latest last."""

    definition: Definition
    runs: list[JobRun] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.definition["Name"])

    @property
    def is_full(self) -> bool:
        """Whether it runs as often at once as it may."""
        running = [run for run in self.runs if run.state in GOING]
        return len(running) >= int(self.definition["ExecutionProperty"]["MaxConcurrentRuns"])


class JobStore(BaseStore):
    """The jobs of an account in a region."""

    jobs: dict[str, Job] = LocalAttribute(default=dict)  # type: ignore[assignment]


job_stores = AccountRegionBundle("glue", JobStore)


def defined(name: str, request: Mapping[str, Any], created: datetime | None = None) -> Definition:
    """A job as GetJob answers: what the request says, and what Glue says where it does not."""
    check_capacity(request)
    given = {key: value for key, value in request.items() if value is not None and key != "Tags"}
    now = _now()
    return {
        "JobMode": "SCRIPT",
        "ExecutionProperty": {"MaxConcurrentRuns": 1},
        "MaxRetries": 0,
        "Timeout": 480,
        "GlueVersion": "5.1",
        **given,
        **capacity(given),
        "Name": name,
        "CreatedOn": created or now,
        "LastModifiedOn": now,
    }


def check_capacity(request: Mapping[str, Any]) -> None:
    """Refuse a request that says it twice."""
    for single in ("MaxCapacity", "AllocatedCapacity"):
        if request.get(single) and request.get("WorkerType"):
            name = re.sub("(?=C)", " ", single)
            raise InvalidInputException(f"Please do not set {name} if using Worker Type and Number of Workers.")


def capacity(given: Mapping[str, Any]) -> dict[str, Any]:
    """How many DPUs the workers are, or the job is given."""
    dpus = given.get("MaxCapacity") or given.get("AllocatedCapacity") or 10.0
    if "WorkerType" in given:
        dpus = _DPUS.get(given["WorkerType"], 1.0) * given.get("NumberOfWorkers", 0)
    elif given.get("Command", {}).get("Name") == "pythonshell":
        dpus = given.get("MaxCapacity", 0.0625)
    return {"MaxCapacity": float(dpus), "AllocatedCapacity": int(dpus)}


def _starting() -> dict[str, Any]:
    now = _now()
    return {"JobRunState": "STARTING", "StartedOn": now, "LastModifiedOn": now, "ExecutionTime": 0}


def _first(run_id: str) -> str:
    return run_id.partition("_attempt_")[0]


def _now() -> datetime:
    return datetime.now(UTC)
