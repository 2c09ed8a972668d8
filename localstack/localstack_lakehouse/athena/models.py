"""What an account has in a region."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Lock
from typing import Any
from uuid import uuid4

from localstack.aws.api import RequestContext

from .callers import Caller
from .engine import Engine
from .exceptions import QueryError
from .statements import Kind
from .types import Column

ENGINE_VERSION = "Athena engine version 3"
PRIMARY = "primary"
Structure = dict[str, Any]


def now() -> datetime:
    """The present."""
    return datetime.now(UTC)


@dataclass
class WorkGroup:
    """Settings that queries share."""

    name: str
    configuration: Structure
    description: str = ""
    state: str = "ENABLED"
    created: datetime = field(default_factory=now)

    @property
    def summary(self) -> Structure:
        """As a list of workgroups has it."""
        return {
            "Name": self.name,
            "State": self.state,
            "Description": self.description,
            "CreationTime": self.created,
            "EngineVersion": self.configuration["EngineVersion"],
        }

    @property
    def structure(self) -> Structure:
        """All of it."""
        description = {"Description": self.description} if self.description else {}
        own = {"Name": self.name, "State": self.state, "CreationTime": self.created}
        return own | description | {"Configuration": self.configuration}


@dataclass
class QueryExecution:
    """A query, from its submission on."""

    query: str
    kind: Kind
    caller: Caller
    work_group: str
    context: Structure
    result_configuration: Structure
    """With the place of this query's own result."""
    result_reuse: Structure
    parameters: list[str] | None = None
    limit: int | None = None
    id: str = field(default_factory=lambda: str(uuid4()))
    state: str = "QUEUED"
    reason: str | None = None
    error: QueryError | None = None
    submitted: datetime = field(default_factory=now)
    started: datetime | None = None
    completed: datetime | None = None
    scanned: int = 0
    columns: list[Column] = field(default_factory=list)
    update_count: int | None = None
    rows_out: int = 0
    bytes_out: int = 0
    engine: Engine | None = None
    lock: Lock = field(default_factory=Lock, repr=False)

    def start(self, engine: Engine) -> bool:
        """Begin to run, unless it has been stopped."""
        with self.lock:
            if self.state != "QUEUED":
                return False
            self.state, self.started, self.engine = "RUNNING", now(), engine
            return True

    def end(self, state: str, reason: str | None = None, error: QueryError | None = None) -> bool:
        """Reach a final state; there is only one."""
        with self.lock:
            if self.completed:
                return False
            self.state, self.reason, self.error, self.completed = state, reason, error, now()
            return True

    def stop(self) -> None:
        """Cancel, whatever it is doing; nothing, if it has ended."""
        if self.end("CANCELLED", "Query cancelled by user") and self.engine:
            self.engine.interrupt()

    @property
    def database(self) -> str:
        """Where names without a database are looked up."""
        return database_of(self.context)

    @property
    def location(self) -> str:
        """Where the result goes."""
        return str(self.result_configuration["OutputLocation"])

    @property
    def structure(self) -> Structure:
        """As GetQueryExecution describes it."""
        optional = {"SubstatementType": self.kind.subtype, "ExecutionParameters": self.parameters}
        return {
            "QueryExecutionId": self.id,
            "Query": self.query,
            "StatementType": self.kind.type,
            "ResultConfiguration": self.result_configuration,
            "ResultReuseConfiguration": self.result_reuse,
            "QueryExecutionContext": self.context,
            "Status": self._status,
            "Statistics": self._statistics | {"ResultReuseInformation": {"ReusedPreviousResult": False}},
            "WorkGroup": self.work_group,
            "EngineVersion": {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": ENGINE_VERSION},
        } | {key: value for key, value in optional.items() if value}

    @property
    def timeline(self) -> Structure:
        """How long it took."""
        end = self.completed or now()
        started = self.started or end
        return {
            "QueryQueueTimeInMillis": _milliseconds(self.submitted, started),
            "EngineExecutionTimeInMillis": _milliseconds(started, end),
            "TotalExecutionTimeInMillis": _milliseconds(self.submitted, end),
            "ServicePreProcessingTimeInMillis": 0,
            "ServiceProcessingTimeInMillis": 0,
        }

    @property
    def _statistics(self) -> Structure:
        return self.timeline | {"DataScannedInBytes": self.scanned}

    @property
    def _status(self) -> Structure:
        status: Structure = {"State": self.state, "SubmissionDateTime": self.submitted}
        if self.completed:
            status["CompletionDateTime"] = self.completed
        if self.reason:
            status["StateChangeReason"] = self.reason
        if self.error:
            status["AthenaError"] = {
                "ErrorCategory": self.error.category,
                "ErrorType": self.error.error_type,
                "Retryable": False,
                "ErrorMessage": self.reason,
            }
        return status


def database_of(context: Structure) -> str:
    """The database of a QueryExecutionContext; some clients quote it."""
    return str(context.get("Database", "default")).strip('`"').lower()


def _milliseconds(start: datetime, end: datetime) -> int:
    return int((end - start).total_seconds() * 1000)


@dataclass
class AthenaStore:
    """Everything of an account's in a region."""

    work_groups: dict[str, WorkGroup] = field(default_factory=dict)
    executions: dict[str, QueryExecution] = field(default_factory=dict)
    named_queries: dict[str, Structure] = field(default_factory=dict)
    data_catalogs: dict[str, Structure] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    """By ARN."""
    tokens: dict[str, tuple[Any, str]] = field(default_factory=dict)
    """What a client asked for with a token, and the id that it was given."""

    def __post_init__(self) -> None:
        configuration = {"EnforceWorkGroupConfiguration": False, "PublishCloudWatchMetricsEnabled": False}
        self.work_groups[PRIMARY] = WorkGroup(PRIMARY, DEFAULTS | configuration)


ENGINE = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": ENGINE_VERSION}
DEFAULTS: Structure = {
    "EnableMinimumEncryptionConfiguration": False,
    "EnforceWorkGroupConfiguration": True,
    "EngineVersion": ENGINE,
    "PublishCloudWatchMetricsEnabled": True,
    "RequesterPaysEnabled": False,
    "ResultConfiguration": {},
}
"""What a workgroup's configuration has, whether given or not."""

_stores: defaultdict[tuple[str, str], AthenaStore] = defaultdict(AthenaStore)


def store(context: RequestContext) -> AthenaStore:
    """The store of the caller's account in the caller's region."""
    return _stores[context.account_id, context.region]


def arn(context: RequestContext, kind: str, name: str) -> str:
    """The ARN of a workgroup or a data catalog."""
    return f"arn:{context.partition}:athena:{context.region}:{context.account_id}:{kind}/{name}"


def tag_map(tags: list[dict[str, str]] | None) -> dict[str, str]:
    """Tags by their keys."""
    return {tag["Key"]: tag["Value"] for tag in tags or []}
