"""Jobs that tests run."""

import json
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.client import BaseClient

#: The first run on a machine makes what jobs run in.
PATIENCE = 1200
GOING = frozenset({"STARTING", "RUNNING", "STOPPING"})

Run = dict[str, Any]


@dataclass(frozen=True)
class Jobs:
    """Defines jobs, starts them and waits for them."""

    glue: BaseClient
    s3: BaseClient
    logs: BaseClient
    bucket: str
    role: str

    def define(self, script: str = "", kind: str = "glueetl", **definition: Any) -> str:
        """A job of that script; its name."""
        name = f"job-{uuid.uuid4().hex[:12]}"
        command = {"Name": kind, "ScriptLocation": self.put(f"{name}/script.py", script)}
        capacity = {"WorkerType": "G.1X", "NumberOfWorkers": 2} if kind == "glueetl" else {"MaxCapacity": 0.0625}
        defaults = {"Role": self.role, "Command": command, "GlueVersion": "5.1", **capacity}
        self.glue.create_job(Name=name, **(defaults | definition))
        return name

    def put(self, key: str, content: str | bytes) -> str:
        """An object; its URI."""
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=content)
        return f"s3://{self.bucket}/{key}"

    def run(self, name: str, **request: Any) -> Run:
        """A run of the job, ended."""
        return self.wait(name, self.glue.start_job_run(JobName=name, **request)["JobRunId"])

    def wait(self, name: str, run_id: str, leave: Collection[str] = GOING) -> Run:
        """The run, once it has left these states."""
        self.until(lambda: self.get(name, run_id)["JobRunState"] not in leave)
        return self.get(name, run_id)

    def wait_for(self, name: str, run_id: str) -> Run:
        """The run, ended, though it may not have begun yet."""
        self.until(lambda: run_id in {run["Id"] for run in self.glue.get_job_runs(JobName=name)["JobRuns"]})
        return self.wait(name, run_id)

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline
            time.sleep(0.1)

    def get(self, name: str, run_id: str) -> Run:
        """The run as it is now."""
        run: Run = self.glue.get_job_run(JobName=name, RunId=run_id)["JobRun"]
        return run

    def log(self, run: Run, kind: str = "output") -> list[str]:
        """What the run has printed so far."""
        events = self.logs.get_log_events(logGroupName=f"{run['LogGroupName']}/{kind}", logStreamName=run["Id"])
        return [event["message"] for event in events["events"]]


def role(iam: BaseClient, service: str = "glue.amazonaws.com") -> str:
    """The ARN of a new role that the service may assume."""
    allow = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    arn: str = iam.create_role(RoleName=f"role-{uuid.uuid4().hex[:12]}", AssumeRolePolicyDocument=policy)["Role"]["Arn"]
    return arn


def chained(settings: Mapping[str, str]) -> str:
    """Settings of Spark as one value of `--conf`."""
    return " --conf ".join(f"{name}={value}" for name, value in settings.items())
