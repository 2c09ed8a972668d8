"""State machines that drive Glue's jobs and Athena's queries."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.client import BaseClient
from conftest import random_name
from running import Jobs, role

START_JOB = "arn:aws:states:::glue:startJobRun"
START_QUERY = "arn:aws:states:::athena:startQueryExecution"

State = dict[str, Any]


@dataclass(frozen=True)
class Machines:
    """Makes state machines and runs them."""

    client: BaseClient
    jobs: Jobs
    role: str

    def start(self, *states: State, input_: Any = None) -> str:
        """Start a machine of these states, one after the other; the execution's ARN."""
        names = [f"State{number}" for number in range(len(states))]
        follow = [*({"Next": name} for name in names[1:]), {"End": True}]
        linked = [
            state if state["Type"] == "Choice" else next_ | state for state, next_ in zip(states, follow, strict=True)
        ]
        definition = {"StartAt": names[0], "States": dict(zip(names, linked, strict=True))}
        machine = self.client.create_state_machine(
            name=random_name(), definition=json.dumps(definition), roleArn=self.role
        )["stateMachineArn"]
        started = self.client.start_execution(stateMachineArn=machine, input=json.dumps(input_ or {}))
        return str(started["executionArn"])

    def ended(self, arn: str) -> dict[str, Any]:
        """The execution, ended."""
        self.jobs.until(lambda: self.client.describe_execution(executionArn=arn)["status"] != "RUNNING")
        execution: dict[str, Any] = self.client.describe_execution(executionArn=arn)
        return execution

    def run(self, *states: State, input_: Any = None) -> dict[str, Any]:
        """An execution of a machine of these states, ended."""
        return self.ended(self.start(*states, input_=input_))

    def output(self, *states: State, input_: Any = None) -> Any:
        """The output of an execution that succeeds."""
        execution = self.run(*states, input_=input_)
        assert execution["status"] == "SUCCEEDED", execution
        return json.loads(execution["output"])


def task(resource: str, parameters: dict[str, Any], **more: Any) -> State:
    return {"Type": "Task", "Resource": resource, "Parameters": parameters, **more}


@pytest.fixture(scope="module")
def machines(stepfunctions: BaseClient, iam: BaseClient, jobs: Jobs) -> Machines:
    return Machines(stepfunctions, jobs, role(iam, "states.amazonaws.com"))


# A Python shell starts at once. Everything else about its runs is as about those of Spark.


@pytest.fixture(scope="module")
def good(jobs: Jobs) -> str:
    """A job that succeeds."""
    return jobs.define("import sys; print(sys.argv)", "pythonshell", ExecutionProperty={"MaxConcurrentRuns": 5})


@pytest.fixture(scope="module")
def bad(jobs: Jobs) -> str:
    """A job that fails."""
    return jobs.define("raise ValueError('boom')", "pythonshell", ExecutionProperty={"MaxConcurrentRuns": 5})


def runs(jobs: Jobs, name: str) -> list[dict[str, Any]]:
    return list(jobs.glue.get_job_runs(JobName=name)["JobRuns"])


# Glue


def test_a_task_waits_for_its_job(machines: Machines, jobs: Jobs, good: str) -> None:
    start = task(f"{START_JOB}.sync", {"JobName": good, "Arguments": {"--day.$": "$.day"}})
    run = machines.output(start, input_={"day": "2026-01-01"})
    assert (run["JobName"], run["JobRunState"], run["Arguments"]) == (good, "SUCCEEDED", {"--day": "2026-01-01"})
    assert isinstance(run["CompletedOn"], int)
    assert "'--day', '2026-01-01'" in jobs.log(run)[0]


def test_a_failed_job_fails_its_state_with_the_run_as_the_cause(machines: Machines, bad: str) -> None:
    execution = machines.run(task(f"{START_JOB}.sync", {"JobName": bad}))
    assert (execution["status"], execution["error"]) == ("FAILED", "States.TaskFailed")
    cause = json.loads(execution["cause"])
    assert (cause["JobName"], cause["JobRunState"], cause["ErrorMessage"]) == (bad, "FAILED", "ValueError: boom")


def test_a_failed_job_is_tried_again_and_caught(machines: Machines, jobs: Jobs) -> None:
    name = jobs.define("raise ValueError('boom')", "pythonshell")
    retry = {"ErrorEquals": ["States.TaskFailed"], "IntervalSeconds": 1, "MaxAttempts": 2, "BackoffRate": 1.0}
    catch = {"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "State1"}
    start = task(f"{START_JOB}.sync", {"JobName": name}, Retry=[retry], Catch=[catch])
    output = machines.output(start, {"Type": "Pass"}, input_={"day": "2026-01-01"})
    assert output["day"] == "2026-01-01"
    assert output["error"]["Error"] == "States.TaskFailed"
    assert json.loads(output["error"]["Cause"])["ErrorMessage"] == "ValueError: boom"
    assert [run["JobRunState"] for run in runs(jobs, name)] == ["FAILED"] * 3


def test_two_jobs_run_side_by_side(machines: Machines, jobs: Jobs, good: str) -> None:
    other = jobs.define("print('other')", "pythonshell")
    branches = [
        {"StartAt": name, "States": {name: task(f"{START_JOB}.sync", {"JobName": name}, End=True)}}
        for name in (good, other)
    ]
    first, second = machines.output({"Type": "Parallel", "Branches": branches})
    assert [(run["JobName"], run["JobRunState"]) for run in (first, second)] == [
        (good, "SUCCEEDED"),
        (other, "SUCCEEDED"),
    ]


def test_a_task_may_go_on_without_its_job(machines: Machines, jobs: Jobs, good: str) -> None:
    started = machines.output(task(START_JOB, {"JobName": good}))
    assert jobs.wait(good, started["JobRunId"])["JobRunState"] == "SUCCEEDED"


@pytest.mark.parametrize("resource", [START_JOB, f"{START_JOB}.sync"])
def test_a_job_that_cannot_start_fails_its_state(machines: Machines, resource: str) -> None:
    execution = machines.run(task(resource, {"JobName": "no such job"}))
    assert (execution["status"], execution["error"]) == ("FAILED", "Glue.EntityNotFoundException")


@pytest.fixture
def endless(jobs: Jobs) -> str:
    return jobs.define("import time; time.sleep(3600)", "pythonshell")


def test_an_execution_that_is_stopped_stops_its_job(machines: Machines, jobs: Jobs, endless: str) -> None:
    arn = machines.start(task(f"{START_JOB}.sync", {"JobName": endless}))
    jobs.until(lambda: [run["JobRunState"] for run in runs(jobs, endless)] == ["RUNNING"])
    machines.client.stop_execution(executionArn=arn)
    assert machines.ended(arn)["status"] == "ABORTED"
    assert jobs.wait(endless, runs(jobs, endless)[0]["Id"])["JobRunState"] == "STOPPED"


def test_a_task_that_takes_too_long_stops_its_job(machines: Machines, jobs: Jobs, endless: str) -> None:
    execution = machines.run(task(f"{START_JOB}.sync", {"JobName": endless}, TimeoutSeconds=2))
    assert (execution["status"], execution["error"]) == ("FAILED", "States.Timeout")
    assert jobs.wait(endless, runs(jobs, endless)[0]["Id"])["JobRunState"] == "STOPPED"


# Athena


@pytest.fixture(scope="module")
def query(bucket: str) -> Callable[[str], dict[str, Any]]:
    """What starts a query."""
    output = {"OutputLocation": f"s3://{bucket}/athena/"}
    return lambda sql: {"QueryString": sql, "WorkGroup": "primary", "ResultConfiguration": output}


Query = Callable[[str], dict[str, Any]]


def test_a_query_is_started_awaited_and_read_by_the_sdks_calls(machines: Machines, query: Query) -> None:
    by_id = {"QueryExecutionId.$": "$.QueryExecutionId"}
    sdk = "arn:aws:states:::aws-sdk:athena"
    look = task(f"{sdk}:getQueryExecution", by_id, ResultPath="$.now", Next="State2")
    going = {"Variable": "$.now.QueryExecution.Status.State", "StringMatches": "SUCCEEDED", "Next": "State4"}
    output = machines.output(
        task(f"{sdk}:startQueryExecution", query("SELECT 1 AS one")),
        look,
        {"Type": "Choice", "Choices": [going], "Default": "State3"},
        {"Type": "Wait", "Seconds": 1, "Next": "State1"},
        task(f"{sdk}:getQueryResults", by_id),
    )
    header, row = output["ResultSet"]["Rows"]
    assert (header["Data"][0]["VarCharValue"], row["Data"][0]["VarCharValue"]) == ("one", "1")


def test_a_task_waits_for_its_query(machines: Machines, query: Query) -> None:
    by_id = {"QueryExecutionId.$": "$.QueryExecution.QueryExecutionId"}
    execution, results = machines.output(
        task(f"{START_QUERY}.sync", query("SELECT 2 AS two")),
        {
            "Type": "Parallel",
            "Branches": [
                {"StartAt": "Execution", "States": {"Execution": {"Type": "Pass", "End": True}}},
                {
                    "StartAt": "Results",
                    "States": {"Results": task("arn:aws:states:::athena:getQueryResults", by_id, End=True)},
                },
            ],
        },
    )
    assert execution["QueryExecution"]["Status"]["State"] == "SUCCEEDED"
    assert isinstance(execution["QueryExecution"]["Status"]["CompletionDateTime"], int)
    assert results["ResultSet"]["Rows"][1]["Data"] == [{"VarCharValue": "2"}]


def test_a_failed_query_fails_its_state_with_its_cause(machines: Machines, query: Query) -> None:
    execution = machines.run(task(f"{START_QUERY}.sync", query("SELECT nothing FROM nowhere.known")))
    assert (execution["status"], execution["error"]) == ("FAILED", "States.TaskFailed")
    status = json.loads(execution["cause"])["QueryExecution"]["Status"]
    assert status["State"] == "FAILED"
    assert "'nowhere' does not exist" in status["StateChangeReason"]


def test_a_query_that_cannot_start_fails_its_state(machines: Machines, query: Query) -> None:
    execution = machines.run(task(START_QUERY, query("SELECT 1") | {"WorkGroup": "no such"}))
    assert (execution["status"], execution["error"]) == ("FAILED", "Athena.InvalidRequestException")
