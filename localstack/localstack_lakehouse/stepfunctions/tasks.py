"""The tasks whose `.sync` starts something and waits for its end.

LocalStack 4.9 has one for Glue, which breaks, and none for Athena.
"""

import time
from abc import abstractmethod
from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from localstack.aws.api.stepfunctions import HistoryEventType, TaskFailedEventDetails
from localstack.services.stepfunctions.asl.component.common.error_name.custom_error_name import CustomErrorName
from localstack.services.stepfunctions.asl.component.common.error_name.error_name import ErrorName
from localstack.services.stepfunctions.asl.component.common.error_name.failure_event import (
    FailureEvent,
    FailureEventException,
)
from localstack.services.stepfunctions.asl.component.common.error_name.states_error_name import StatesErrorName
from localstack.services.stepfunctions.asl.component.common.error_name.states_error_name_type import StatesErrorNameType
from localstack.services.stepfunctions.asl.component.state.state_execution.state_task.credentials import (
    StateCredentials,
)
from localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service import (
    state_task_service_callback,
    state_task_service_glue,
)
from localstack.services.stepfunctions.asl.component.state.state_execution.state_task.service.resource import (
    ResourceCondition,
    ResourceRuntimePart,
)
from localstack.services.stepfunctions.asl.eval.environment import Environment
from localstack.services.stepfunctions.asl.eval.event.event_detail import EventDetails
from localstack.services.stepfunctions.asl.utils.boto_client import boto_client_for
from localstack.services.stepfunctions.asl.utils.encoding import to_json_str

Data = dict[str, Any]

TICK = 0.5


class SyncTask(state_task_service_callback.StateTaskServiceCallback):
    """Waits for what it has started, fails when that fails, and stops it when the execution ends first."""

    going: frozenset[str]
    failed: frozenset[str]

    def __init__(self) -> None:
        # By name: LocalStack's task for Glue comes before it, and takes no patterns.
        patterns = {ResourceCondition.Sync}
        state_task_service_callback.StateTaskServiceCallback.__init__(self, patterns)  # type: ignore[arg-type]

    @abstractmethod
    def look(self, client: Any, started: Data) -> tuple[str, Data]:
        """The state of what was started, and all of it."""

    @abstractmethod
    def stop(self, client: Any, started: Data) -> None:
        """Stop what was started."""

    def _eval_integration_pattern(
        self,
        env: Environment,
        resource_runtime_part: ResourceRuntimePart,
        normalised_parameters: Data,
        state_credentials: StateCredentials,
    ) -> None:
        # LocalStack's own ends every wait by interrupting the one for a token, which these tasks do not have.
        self._assert_integration_pattern_is_supported()  # type: ignore[no-untyped-call]
        client = self._client(resource_runtime_part, state_credentials)
        env.stack.append(self._end(env, client, env.stack.pop()))

    def _end(self, env: Environment, client: Any, started: Data) -> Data | None:
        """What was started, ended; None if the execution, or the state's time, has ended before."""
        while env.is_running():
            state, output = self.look(client, started)
            if state not in self.going:
                return self._judged(env, state, _in_milliseconds(output))
            time.sleep(TICK)
        self.stop(client, started)
        return None

    def _judged(self, env: Environment, state: str, output: Data) -> Data:
        if state in self.failed:
            name = StatesErrorName(typ=StatesErrorNameType.StatesTaskFailed)
            raise FailureEventException(self._failure(env, name, to_json_str(output, separators=(",", ":"))))
        return output

    def _client(self, part: ResourceRuntimePart, credentials: StateCredentials) -> Any:
        return boto_client_for(self._get_boto_service_name(), part.region, credentials)

    def _failure(self, env: Environment, name: ErrorName, cause: str) -> FailureEvent:
        details = TaskFailedEventDetails(
            error=name.error_name,
            cause=cause,
            resource=self._get_sfn_resource(),
            resourceType=self._get_sfn_resource_type(),
        )
        return FailureEvent(env, name, HistoryEventType.TaskFailed, EventDetails(taskFailedEventDetails=details))


class GlueTask(SyncTask, state_task_service_glue.StateTaskServiceGlue):
    """`glue:startJobRun`, waiting or not."""

    going = frozenset({"WAITING", "STARTING", "RUNNING", "STOPPING"})
    failed = frozenset({"FAILED", "TIMEOUT", "ERROR", "EXPIRED"})

    def look(self, client: Any, started: Data) -> tuple[str, Data]:
        """The job's run."""
        run: Data = client.get_job_run(JobName=started["JobName"], RunId=started["JobRunId"])["JobRun"]
        return run["JobRunState"], run

    def stop(self, client: Any, started: Data) -> None:
        """Stop the job's run."""
        client.batch_stop_job_run(JobName=started["JobName"], JobRunIds=[started["JobRunId"]])


class AthenaTask(SyncTask):
    """`athena:startQueryExecution`, waiting or not, and the other three that AWS has."""

    going = frozenset({"QUEUED", "RUNNING"})
    failed = frozenset({"FAILED", "CANCELLED"})
    actions = frozenset({"startqueryexecution", "stopqueryexecution", "getqueryexecution", "getqueryresults"})

    def look(self, client: Any, started: Data) -> tuple[str, Data]:
        """The query's execution."""
        answer = client.get_query_execution(QueryExecutionId=started["QueryExecutionId"])
        execution = answer["QueryExecution"]
        return execution["Status"]["State"], {"QueryExecution": execution}

    def stop(self, client: Any, started: Data) -> None:
        """Cancel the query."""
        client.stop_query_execution(QueryExecutionId=started["QueryExecutionId"])

    def _get_supported_parameters(self) -> set[str] | None:
        if self.resource.api_action.lower() not in self.actions:
            return None
        model = self._get_boto_operation_model("athena", self._get_boto_service_action())
        return set(model.input_shape.members)

    def _eval_service_task(
        self,
        env: Environment,
        resource_runtime_part: ResourceRuntimePart,
        normalised_parameters: Data,
        state_credentials: StateCredentials,
    ) -> None:
        call: Callable[..., Data] = getattr(
            self._client(resource_runtime_part, state_credentials), self._get_boto_service_action()
        )
        answer = call(**normalised_parameters)
        answer.pop("ResponseMetadata", None)
        env.stack.append(answer)

    def _from_error(self, env: Environment, ex: Exception) -> FailureEvent:
        if isinstance(ex, ClientError):
            error = ex.response["Error"]
            return self._failure(env, CustomErrorName(f"Athena.{error['Code']}"), error["Message"])
        return super()._from_error(env=env, ex=ex)


def _in_milliseconds(value: Any) -> Any:
    """Instants as these tasks' outputs have them."""
    match value:
        case datetime():
            return int(value.timestamp() * 1000)
        case dict():
            return {key: _in_milliseconds(each) for key, each in value.items()}
        case list():
            return [_in_milliseconds(each) for each in value]
    return value
