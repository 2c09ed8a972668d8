"""The local environment, applied to a LocalStack: drop files, run the state machine, read the tables."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pyarrow.compute as pc
from pyiceberg.catalog import load_catalog
from pyiceberg.table import Table
from support.athena import ask
from support.paths import ROOT

from stedi_common.contracts import contract

LOCAL = ROOT / "terraform" / "environments" / "local"
REGION = "us-east-1"
#: Seconds that a run, or a command on the whole deployment, may take.
PATIENCE = 600
#: What Glue returns about a job and does not accept.
_READ_ONLY = {"Name", "CreatedOn", "LastModifiedOn", "MaxCapacity", "AllocatedCapacity"}


@contextmanager
def localstack(folder: Path) -> Iterator[str]:
    """A LocalStack of our own; its endpoint."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environment = os.environ | {"LAKEHOUSE_PORT": port, "LAKEHOUSE_STATE": str(folder)}
    command = str(ROOT / "localstack" / ".venv" / "bin" / "localstack-lakehouse")
    subprocess.run([command, "up"], env=environment, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        subprocess.run([command, "down"], env=environment, check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)


def credentials(endpoint: str) -> dict[str, str]:
    """What Terraform and AWS's SDKs find in the environment."""
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    return {"AWS_ENDPOINT_URL": endpoint, "AWS_DEFAULT_REGION": REGION, **keys}


@dataclass(frozen=True)
class Terraform:
    """Terraform on the local environment, with its state and its data in a folder of ours."""

    folder: Path
    endpoint: str
    variables: dict[str, Any] = field(default_factory=dict)

    def __call__(self, command: str, *options: str) -> str:
        """What a command prints. Fails with what it printed."""
        result = subprocess.run(
            [ROOT / "terraform" / "tf", f"-chdir={LOCAL}", command, "-no-color", *options],
            env=os.environ | credentials(self.endpoint) | {"TF_DATA_DIR": str(self.folder / "data"), "TF_INPUT": "0"},
            capture_output=True,
            text=True,
            check=False,
            timeout=3 * PATIENCE,
        )
        assert result.returncode == 0, f"terraform {command}: {result.stdout[-6000:]}{result.stderr[-6000:]}"
        return result.stdout

    def init(self) -> None:
        """Get the provider, just the one that is locked."""
        self("init", "-lockfile=readonly", f"-backend-config=path={self.folder / 'terraform.tfstate'}")

    def apply(self, **variables: Any) -> None:
        """Apply with these variables, from now on."""
        self.variables.update(variables)
        self("apply", "-auto-approve", *self._given())

    def changes(self, **variables: Any) -> dict[str, list[str]]:
        """What a plan with these variables would change: actions by address."""
        plan = str(self.folder / "plan")
        self("plan", f"-out={plan}", *self._given(**variables))
        return self.planned(plan)

    def planned(self, plan: str) -> dict[str, list[str]]:
        """What a saved plan changes: actions by address."""
        shown = json.loads(self("show", "-json", plan))
        changes = {change["address"]: change["change"]["actions"] for change in shown["resource_changes"]}
        return {address: actions for address, actions in changes.items() if actions not in (["no-op"], ["read"])}

    def destroy(self) -> None:
        """Destroy everything."""
        self("destroy", "-auto-approve", *self._given())

    def outputs(self) -> dict[str, Any]:
        """The outputs of the lakehouse."""
        outputs: dict[str, Any] = json.loads(self("output", "-json", "lakehouse"))
        return outputs

    def _given(self, **variables: Any) -> list[str]:
        given = {**self.variables, **variables}
        return [
            f"-var={name}={value if isinstance(value, str) else json.dumps(value)}" for name, value in given.items()
        ]


@dataclass
class Deployment:
    """The applied lakehouse."""

    terraform: Terraform
    endpoint: str
    state: Path

    outputs: dict[str, Any] = field(default_factory=dict)
    #: How many AWS calls there were when it was last applied.
    applied: int = 0
    _clients: dict[str, Any] = field(default_factory=dict)

    def apply(self, **variables: Any) -> None:
        """Apply with these variables from now on."""
        self.terraform.apply(**variables)
        self.outputs = self.terraform.outputs()
        self.applied = len(self.requests())

    def client(self, service: str) -> Any:
        """A client of the account's root, which takes longer to make than to use."""
        if service not in self._clients:
            session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)  # noqa: S106
            self._clients[service] = session.client(service, endpoint_url=self.endpoint)
        return self._clients[service]

    def drop(self, drops: Mapping[str, bytes]) -> None:
        """Put the files where their sources put them."""
        bucket = self.outputs["drops"]["customer"].split("/")[2]
        for name, content in drops.items():
            self.client("s3").put_object(Bucket=bucket, Key=name, Body=content)

    def drop_unreadable(self, name: str) -> None:
        """Put a file there that is listed and that nobody can open: S3 does not keep the key that encrypts it."""
        bucket = self.outputs["drops"]["customer"].split("/")[2]
        encrypted = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": os.urandom(32)}
        self.client("s3").put_object(Bucket=bucket, Key=name, Body=b"{}\n", **encrypted)

    def start(self) -> str:
        """Start a run; its ARN."""
        arn: str = self.client("stepfunctions").start_execution(stateMachineArn=self.outputs["state_machine_arn"])[
            "executionArn"
        ]
        return arn

    def ended(self, execution: str) -> dict[str, Any]:
        """The run, when it has ended."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found: dict[str, Any] = self.client("stepfunctions").describe_execution(executionArn=execution)
            if found["status"] != "RUNNING":
                return found
            time.sleep(0.5)
        raise TimeoutError(execution)

    @contextmanager
    def allowing(self, job: str, runs: int) -> Iterator[None]:
        """So many runs of the job at once, which Terraform does not allow."""
        glue, name = self.client("glue"), self.outputs["jobs"][job]["name"]
        found = glue.get_job(JobName=name)["Job"]
        defined = {key: value for key, value in found.items() if key not in _READ_ONLY}
        glue.update_job(JobName=name, JobUpdate=defined | {"ExecutionProperty": {"MaxConcurrentRuns": runs}})
        try:
            yield
        finally:
            glue.update_job(JobName=name, JobUpdate=defined)

    def start_job(self, job: str, **arguments: str) -> str:
        """Start a run of the job alone, with these arguments in the place of its own; its id."""
        name = self.outputs["jobs"][job]["name"]
        run: str = self.client("glue").start_job_run(JobName=name, Arguments=arguments)["JobRunId"]
        return run

    def metric(self, name: str, table: str) -> tuple[int, int]:
        """How often the jobs have printed a number for the table today, and its sum, as CloudWatch counts it."""
        now = datetime.now(UTC)
        points = self.client("cloudwatch").get_metric_statistics(
            Namespace=self.terraform.variables["prefix"],
            MetricName=name,
            Dimensions=[{"Name": "Table", "Value": table}],
            StartTime=now - timedelta(days=1),
            EndTime=now + timedelta(hours=1),
            Period=3600,
            Statistics=["SampleCount", "Sum"],
        )["Datapoints"]
        return round(sum(point["SampleCount"] for point in points)), round(sum(point["Sum"] for point in points))

    def job_ended(self, job: str, run: str) -> str:
        """How the job's run ended, when it has."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            found = self.client("glue").get_job_run(JobName=self.outputs["jobs"][job]["name"], RunId=run)["JobRun"]
            if found["JobRunState"] not in ("STARTING", "RUNNING", "WAITING"):
                return str(found["JobRunState"])
            time.sleep(0.5)
        raise TimeoutError(run)

    def job_errors(self) -> list[str]:
        """What the Glue jobs' last runs say went wrong."""
        runs = (
            self.client("glue").get_job_runs(JobName=job["name"])["JobRuns"] for job in self.outputs["jobs"].values()
        )
        return [run.get("ErrorMessage", "") for found in runs for run in found[:1]]

    def job_states(self, job: str) -> list[str]:
        """How the job's runs ended, the last one first."""
        runs = self.client("glue").get_job_runs(JobName=self.outputs["jobs"][job]["name"])["JobRuns"]
        return [run["JobRunState"] for run in runs]

    def subscribe(self, topic: str) -> Callable[[], list[str]]:
        """The messages of the topic from now on."""
        sqs = self.client("sqs")
        queue = sqs.create_queue(QueueName="messages")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        sqs.purge_queue(QueueUrl=queue)  # it may have been subscribed before

        def messages() -> list[str]:
            received = []
            while found := sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5).get("Messages"):
                for message in found:
                    received.append(json.loads(message["Body"])["Message"])
                    sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            return received

        return messages

    def ask(self, sql: str, role: str = "privacy_officer") -> list[tuple[str | None, ...]]:
        """The answer of Athena, as the role's workgroup gives it."""
        return ask(self.client("athena"), sql, WorkGroup=self.outputs["workgroups"][role])

    def count(self, table: str) -> int:
        """Rows of a table, by Athena."""
        ((count,),) = self.ask(f'SELECT count(*) FROM "{self._database(table)}"."{table}"')  # noqa: S608
        return int(count or 0)

    def table(self, name: str) -> Table:
        """A table, as PyIceberg finds it in Glue."""
        properties = {
            **{f"{of}.access-key-id": "test" for of in ("s3", "client")},
            **{f"{of}.secret-access-key": "test" for of in ("s3", "client")},
            **{f"{of}.region": REGION for of in ("s3", "client")},
            **{f"{of}.endpoint": self.endpoint for of in ("s3", "glue")},
        }
        return load_catalog("glue", type="glue", **properties).load_table((self._database(name), name))

    def rows(self, table: str, columns: tuple[str, ...] = ()) -> Counter[tuple[Any, ...]]:
        """A table's rows as a bag of tuples, by PyIceberg."""
        names = columns or contract(table).names
        of_doubt = ("doubt",) if "record_hash" in names else ()
        fields = tuple(dict.fromkeys((*names, *of_doubt)))
        found = self.table(table).scan(selected_fields=fields).to_arrow()
        if of_doubt:  # a doubtful line's hash is unlike any other, so the oracle says None
            hashes = pc.if_else(pc.is_null(found["doubt"]), found["record_hash"], None)
            found = found.set_column(found.schema.get_field_index("record_hash"), "record_hash", hashes)
        return Counter(zip(*(column.to_pylist() for column in found.select(names).columns), strict=True))

    def requests(self) -> list[dict[str, Any]]:
        """Every AWS call so far: who, what, on what."""
        (log,) = self.state.rglob("requests.jsonl")
        return [json.loads(line) for line in log.read_text().splitlines()]

    def _database(self, table: str) -> str:
        database: str = self.outputs["databases"][contract(table).zone]
        return database
