"""The state machine that this plugin is made for, as its Terraform module makes it."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from conftest import random_name
from running import Jobs
from terraforming import initialized, succeeded, wanted

MODULE = Path(__file__).parents[2] / "terraform/modules/orchestration"

pytestmark = [wanted, pytest.mark.skipif(not MODULE.exists(), reason="the project is not here")]


class Machine:
    """A state machine, and what it tells."""

    def __init__(self, aws: boto3.Session, jobs: Jobs, arn: str, topic: str) -> None:
        self._states = aws.client("stepfunctions")
        self._sqs = aws.client("sqs")
        self._jobs = jobs
        self._arn = arn
        self._queue = self._sqs.create_queue(QueueName=topic.rpartition(":")[2])["QueueUrl"]
        (queue,) = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])[
            "Attributes"
        ].values()
        aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)

    def start(self) -> str:
        """Start an execution; its ARN."""
        started = self._states.start_execution(stateMachineArn=self._arn, input='["whatever somebody gives it"]')
        return str(started["executionArn"])

    def ended(self, execution: str) -> dict[str, Any]:
        """The execution, ended."""
        self._jobs.until(lambda: self._states.describe_execution(executionArn=execution)["status"] != "RUNNING")
        found: dict[str, Any] = self._states.describe_execution(executionArn=execution)
        return found

    def errors(self, execution: str) -> set[str]:
        """The errors that its tasks met."""
        history = self._states.get_paginator("get_execution_history").paginate(executionArn=execution)
        failures = history.search("events[].taskFailedEventDetails.error")
        return set(failures)

    def told(self) -> list[str]:
        """What the topic was told."""
        messages = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"])["Message"] for message in messages]


#: The jobs of each stage; a stage that goes on ends with "…".
STAGES = {
    "stale": [["bad", "good", "none"], ["after"]],
    "going": [["source", "other", "…"], ["removal", "…"], ["made"], ["broken"], ["unmade"]],
    "warning": [["warned", "…"], ["well"]],
    "busy": [["first"], ["second"]],
    "stopped": [["slow"], ["last"]],
    "several": [["all"]],
    "unnamed": [["mute"]],
}
#: Jobs that make several tables.
TABLES = {"all": ["one", "two", "three"], "mute": ["four", "five"]}


@pytest.fixture(scope="module")
def job(jobs: Jobs) -> dict[str, str]:
    """The names of the jobs."""
    failing = {
        **dict.fromkeys(("bad", "source", "removal", "broken", "mute"), "raise ValueError('ann@example.org')"),
        "all": "exit('two is stale: ann@example.org; three is stale: two is')",
        "warned": "exit('table_warned is stale: 1 line without_address')",
    }
    scripts = failing | {"slow": sleep(600), "first": sleep(4), "second": sleep(4)}
    good = ("good", "after", "last", "other", "made", "unmade", "well")
    return {name: jobs.define(script, "pythonshell") for name, script in (scripts | dict.fromkeys(good, "")).items()}


@pytest.fixture(scope="module")
def machines(
    aws: boto3.Session, endpoint: str, jobs: Jobs, job: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Machine]:
    def step(name: str) -> dict[str, Any]:
        return {"job": job.get(name, name), "table": f"table_{name}", "tables": TABLES.get(name, [])}

    def stage(names: list[str]) -> dict[str, Any]:
        return {"goes_on": names[-1] == "…", "jobs": [step(name) for name in names if name != "…"]}

    folder = tmp_path_factory.mktemp("orchestration")
    shutil.copytree(MODULE, folder / "module", ignore=shutil.ignore_patterns(".*", "tests"))
    named = {name: [stage(names) for names in stages] for name, stages in STAGES.items()}
    variables = {"name": random_name(), "machines": json.dumps(named)}
    terraform = initialized(Path(__file__).parent / "orchestration", folder, endpoint, variables)
    succeeded(terraform("apply", "-auto-approve"))
    made = json.loads(succeeded(terraform("output", "-json", "machines")))
    return {name: Machine(aws, jobs, machine["arn"], machine["topic"]) for name, machine in made.items()}


def test_a_table_that_cannot_be_made_is_told_and_stops_what_comes_after(
    machines: dict[str, Machine], jobs: Jobs, job: dict[str, str]
) -> None:
    machine, bad = machines["stale"], job["bad"]
    execution = machine.ended(machine.start())
    assert (execution["status"], execution["error"]) == ("FAILED", "StaleTable")
    assert stale(execution["cause"]) == ["table_bad", "table_none", "table_after"]
    assert [len(runs(jobs, job[name])) for name in ("bad", "good", "after")] == [2, 1, 0]

    of_bad, of_none = sorted(machine.told())
    assert of_bad.startswith(f"table_bad is stale. Job {bad} did not succeed (run: {runs(jobs, bad)[0]['Id']}).")
    assert of_none.startswith("table_none is stale. Job none did not succeed (run: none could start).")
    assert all("So is what is made after it: table_after." in message for message in (of_bad, of_none))
    assert "ann" not in f"{of_bad}{of_none}{execution['cause']}"


def test_after_a_stage_that_goes_on_the_next_one_runs_and_the_execution_fails_at_its_end(
    machines: dict[str, Machine], jobs: Jobs, job: dict[str, str]
) -> None:
    machine = machines["going"]
    execution = machine.ended(machine.start())
    assert (execution["status"], execution["error"]) == ("FAILED", "StaleTable")
    assert stale(execution["cause"]) == ["table_source", "table_removal", "table_broken", "table_unmade"]
    ran = ("source", "other", "removal", "made", "broken", "unmade")
    assert [len(runs(jobs, job[name])) for name in ran] == [2, 1, 2, 1, 2, 0]
    told = {stale(message)[0]: message for message in machine.told()}
    assert told.keys() == {"table_source", "table_removal", "table_broken"}
    assert (
        "Made all the same, of what is there: table_removal, table_made, table_broken, table_unmade."
        in told["table_source"]
    )
    assert "So is what is made after it: table_unmade." in told["table_broken"]


def test_a_run_that_says_what_another_would_not_is_not_run_again(
    machines: dict[str, Machine], jobs: Jobs, job: dict[str, str]
) -> None:
    machine = machines["warning"]
    assert stale(machine.ended(machine.start())["cause"]) == ["table_warned"]
    assert [len(runs(jobs, job[name])) for name in ("warned", "well")] == [1, 1]


def test_a_job_that_makes_several_tables_says_which_are_stale(machines: dict[str, Machine]) -> None:
    machine = machines["several"]
    assert stale(machine.ended(machine.start())["cause"]) == ["two", "three"]
    (told,) = machine.told()
    assert stale(told) == ["two", "three"]
    assert "ann" not in told


def test_where_a_job_names_no_table_all_of_its_tables_are_stale(machines: dict[str, Machine]) -> None:
    machine = machines["unnamed"]
    assert stale(machine.ended(machine.start())["cause"]) == ["four", "five"]


def test_of_two_executions_at_once_each_waits_for_the_others_jobs(
    machines: dict[str, Machine], jobs: Jobs, job: dict[str, str]
) -> None:
    machine = machines["busy"]
    executions = [machine.start(), machine.start()]
    assert [machine.ended(execution)["status"] for execution in executions] == ["SUCCEEDED", "SUCCEEDED"]
    assert machine.told() == []
    assert [len(runs(jobs, job[name])) for name in ("first", "second")] == [2, 2]
    errors = machine.errors(executions[0]) | machine.errors(executions[1])
    assert errors == {"Glue.ConcurrentRunsExceededException"}


def test_a_table_whose_job_was_stopped_is_stale(
    machines: dict[str, Machine], jobs: Jobs, job: dict[str, str], glue: BaseClient
) -> None:
    execution = machines["stopped"].start()
    jobs.until(lambda: [run["JobRunState"] for run in runs(jobs, job["slow"])] == ["RUNNING"])
    glue.batch_stop_job_run(JobName=job["slow"], JobRunIds=[runs(jobs, job["slow"])[0]["Id"]])
    assert machines["stopped"].ended(execution)["error"] == "StaleTable"
    assert runs(jobs, job["last"]) == []


def sleep(seconds: int) -> str:
    """A script."""
    return f"import time; time.sleep({seconds})"


def stale(text: str) -> list[str]:
    """The tables that a text says are stale, in its order."""
    return re.findall(r"(\w+) is stale\.", text)


def runs(jobs: Jobs, name: str) -> list[dict[str, Any]]:
    return list(jobs.glue.get_job_runs(JobName=name)["JobRuns"])
