"""The request log tells which action each call needs, on which resources."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from conftest import random_name, refused
from querying import Querying

from localstack_lakehouse.server import Server

Entries = list[dict[str, Any]]
ACCOUNT, REGION = "000000000000", "us-east-1"


class Log:
    """What was logged of the test's own calls."""

    def __init__(self, file: Path) -> None:
        self._file = file

    @contextmanager
    def of(self) -> Iterator[Entries]:
        """Filled, at the end of the block, with what was called in it."""
        before, calls = len(self._lines()), []  # type: ignore[var-annotated]
        yield calls
        calls += [entry for entry in map(json.loads, self._lines()[before:]) if not entry["internal"]]

    def needed(self, call: Callable[[], object]) -> list[tuple[str, list[str] | None]]:
        """The actions and resources that a call needs."""
        with self.of() as entries, suppress(ClientError):
            call()
        return [(entry["action"], entry["resource"]) for entry in entries]

    def _lines(self) -> list[str]:
        return self._file.read_text().splitlines()


@pytest.fixture(scope="module")
def log(server: Server | None) -> Log:
    if not server:
        pytest.skip("another server's log is out of reach")
    return Log(server.state / "requests.jsonl")


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def in_catalog(*resources: str) -> list[str]:
    return [arn("glue", resource) for resource in ("catalog", *resources)]


# S3


def test_objects_are_asked_for_by_the_actions_that_guard_them(log: Log, s3: BaseClient, name: str) -> None:
    bucket, key = f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/a/b"
    here, there = {"Bucket": name}, {"Bucket": name, "Key": "a/b"}
    assert log.needed(lambda: s3.create_bucket(**here)) == [("s3:CreateBucket", [bucket])]
    assert log.needed(lambda: s3.head_bucket(**here)) == [("s3:ListBucket", [bucket])]
    assert log.needed(lambda: s3.list_objects_v2(**here)) == [("s3:ListBucket", [bucket])]
    assert log.needed(lambda: s3.list_object_versions(**here)) == [("s3:ListBucketVersions", [bucket])]
    assert log.needed(lambda: s3.get_bucket_encryption(**here)) == [("s3:GetEncryptionConfiguration", [bucket])]
    assert log.needed(lambda: s3.delete_public_access_block(**here)) == [("s3:PutBucketPublicAccessBlock", [bucket])]
    assert log.needed(lambda: s3.put_object(**there, Body=b"x")) == [("s3:PutObject", [key])]
    assert log.needed(lambda: s3.head_object(**there)) == [("s3:GetObject", [key])]
    assert log.needed(lambda: s3.get_object(**there)) == [("s3:GetObject", [key])]
    assert log.needed(lambda: s3.get_object(**there, VersionId="1")) == [("s3:GetObjectVersion", [key])]
    assert log.needed(lambda: s3.delete_object(**there)) == [("s3:DeleteObject", [key])]
    assert log.needed(s3.list_buckets) == [("s3:ListAllMyBuckets", ["*"])]


def test_an_upload_in_parts_is_one_put(log: Log, s3: BaseClient, bucket: str) -> None:
    there, key = {"Bucket": bucket, "Key": "parts"}, f"arn:aws:s3:::{bucket}/parts"

    def upload() -> None:
        upload_id = s3.create_multipart_upload(**there)["UploadId"]
        part = {"PartNumber": 1, "ETag": s3.upload_part(**there, UploadId=upload_id, PartNumber=1, Body=b"x")["ETag"]}
        s3.list_parts(**there, UploadId=upload_id)
        s3.complete_multipart_upload(**there, UploadId=upload_id, MultipartUpload={"Parts": [part]})

    put, listed = ("s3:PutObject", [key]), ("s3:ListMultipartUploadParts", [key])
    assert log.needed(upload) == [put, put, listed, put]
    abort = lambda: s3.abort_multipart_upload(**there, UploadId="none")  # noqa: E731
    assert log.needed(abort) == [("s3:AbortMultipartUpload", [key])]


def test_a_copy_reads_one_object_and_writes_another(log: Log, s3: BaseClient, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="from here", Body=b"x")
    needed = log.needed(lambda: s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{bucket}/from here"))
    assert needed == [
        ("s3:GetObject", [f"arn:aws:s3:::{bucket}/from here"]),
        ("s3:PutObject", [f"arn:aws:s3:::{bucket}/to"]),
    ]


def test_each_object_of_a_deletion_is_named(log: Log, s3: BaseClient, bucket: str) -> None:
    objects = [{"Key": "a"}, {"Key": "b"}, {"Key": "c", "VersionId": "1"}]
    assert log.needed(lambda: s3.delete_objects(Bucket=bucket, Delete={"Objects": objects})) == [
        ("s3:DeleteObject", [f"arn:aws:s3:::{bucket}/a", f"arn:aws:s3:::{bucket}/b"]),
        ("s3:DeleteObjectVersion", [f"arn:aws:s3:::{bucket}/c"]),
    ]


def test_a_listing_tells_its_prefix(log: Log, s3: BaseClient, bucket: str) -> None:
    with log.of() as entries:
        s3.list_objects_v2(Bucket=bucket, Prefix="a/")
        s3.list_objects_v2(Bucket=bucket)
    assert [entry["context"] for entry in entries] == [{"s3:prefix": "a/"}, {}]


def test_a_bucket_in_the_host_is_the_same_bucket(log: Log, aws: boto3.Session, bucket: str, endpoint: str) -> None:
    by_host = aws.client(
        "s3",
        endpoint_url=endpoint.replace("127.0.0.1", "s3.localhost.localstack.cloud"),
        config=boto3.session.Config(s3={"addressing_style": "virtual"}),
    )
    host = f"{bucket}.s3.localhost.localstack.cloud"
    # The name stands for loopback, which a closed network does not know: ask loopback with the name as the host.
    by_host.meta.events.register("before-send.s3", lambda request, **_: _to_loopback(request, host))
    assert log.needed(lambda: by_host.head_object(Bucket=bucket, Key="k")) == [
        ("s3:GetObject", [f"arn:aws:s3:::{bucket}/k"])
    ]


def _to_loopback(request: Any, host: str) -> None:
    assert host in request.url
    request.headers["Host"] = host + request.url.partition(host)[2].partition("/")[0]
    request.url = request.url.replace(host, "127.0.0.1")


# The Data Catalog asks for the catalog, the database and the table.


def test_tables_are_asked_for_with_all_above_them(log: Log, glue: BaseClient, database: str) -> None:
    of_table = in_catalog(f"database/{database}", f"table/{database}/t")
    by_name = {"DatabaseName": database, "Name": "t"}
    by_table_name = {"DatabaseName": database, "TableName": "t"}
    by_input = {"DatabaseName": database, "TableInput": {"Name": "t"}}
    assert log.needed(lambda: glue.create_table(**by_input)) == [("glue:CreateTable", of_table)]
    assert log.needed(lambda: glue.update_table(**by_input)) == [("glue:UpdateTable", of_table)]
    assert log.needed(lambda: glue.get_table(**by_name)) == [("glue:GetTable", of_table)]
    assert log.needed(lambda: glue.get_table_versions(**by_table_name)) == [("glue:GetTableVersions", of_table)]
    assert log.needed(lambda: glue.get_partitions(**by_table_name)) == [("glue:GetPartitions", of_table)]
    assert log.needed(lambda: glue.get_tables(DatabaseName=database)) == [
        ("glue:GetTables", in_catalog(f"database/{database}", f"table/{database}/*"))
    ]
    assert log.needed(lambda: glue.batch_delete_table(DatabaseName=database, TablesToDelete=["t", "u"])) == [
        ("glue:BatchDeleteTable", [*of_table, arn("glue", f"table/{database}/u")])
    ]


def test_databases_are_asked_for_with_the_catalog(log: Log, glue: BaseClient, name: str) -> None:
    of_database = in_catalog(f"database/{name}")
    create = lambda: glue.create_database(DatabaseInput={"Name": name})  # noqa: E731
    assert log.needed(create) == [("glue:CreateDatabase", of_database)]
    assert log.needed(lambda: glue.get_database(Name=name)) == [("glue:GetDatabase", of_database)]
    assert log.needed(glue.get_databases) == [("glue:GetDatabases", in_catalog("database/*"))]
    assert log.needed(lambda: glue.delete_database(Name=name)) == [
        (
            "glue:DeleteDatabase",
            [*of_database, *(arn("glue", f"{k}/{name}/*") for k in ("table", "userDefinedFunction"))],
        )
    ]


def test_jobs_are_asked_for_by_name(log: Log, glue: BaseClient) -> None:
    job = [arn("glue", "job/j")]
    assert log.needed(lambda: glue.get_job(JobName="j")) == [("glue:GetJob", job)]
    assert log.needed(lambda: glue.start_job_run(JobName="j")) == [("glue:StartJobRun", job)]
    assert log.needed(lambda: glue.batch_stop_job_run(JobName="j", JobRunIds=["r"])) == [("glue:BatchStopJobRun", job)]


# The others


def test_a_secret_has_the_whole_of_its_arn(log: Log, aws: boto3.Session, name: str) -> None:
    secrets = aws.client("secretsmanager")
    created = secrets.create_secret(Name=name, SecretString="s")["ARN"]
    assert log.needed(lambda: secrets.get_secret_value(SecretId=name)) == [("secretsmanager:GetSecretValue", [created])]
    assert created.startswith(arn("secretsmanager", f"secret:{name}-"))


def test_a_key_is_named_by_its_arn_however_it_was_called(log: Log, aws: boto3.Session, name: str) -> None:
    kms = aws.client("kms")
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=key["KeyId"])
    blob = kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    assert log.needed(lambda: kms.decrypt(CiphertextBlob=blob)) == [("kms:Decrypt", [key["Arn"]])]
    by_alias = lambda: kms.generate_data_key(KeyId=f"alias/{name}", KeySpec="AES_256")  # noqa: E731
    assert log.needed(by_alias) == [("kms:GenerateDataKey", [key["Arn"]])]
    assert log.needed(lambda: kms.encrypt(KeyId="alias/none", Plaintext=b"x")) == [("kms:Encrypt", None)]


def test_logs_are_groups_and_streams(log: Log, logs: BaseClient, name: str) -> None:
    group, stream = arn("logs", f"log-group:/t/{name}"), {"logGroupName": f"/t/{name}", "logStreamName": "s"}
    assert log.needed(lambda: logs.create_log_group(logGroupName=f"/t/{name}")) == [("logs:CreateLogGroup", [group])]
    assert log.needed(lambda: logs.create_log_stream(**stream)) == [("logs:CreateLogStream", [group])]
    put = lambda: logs.put_log_events(**stream, logEvents=[{"timestamp": 1, "message": "m"}])  # noqa: E731
    assert log.needed(put) == [("logs:PutLogEvents", [f"{group}:log-stream:s"])]


def test_a_query_is_its_workgroups(log: Log, athena: BaseClient, bucket: str) -> None:
    own = [arn("athena", "workgroup/primary")]
    with log.of() as entries:
        Querying(athena, "default", f"s3://{bucket}/athena/").run("SELECT 1")
    called = {entry["action"]: entry["resource"] for entry in entries if entry["service"] == "athena"}
    assert called == {"athena:StartQueryExecution": own, "athena:GetQueryExecution": own}
    assert log.needed(lambda: athena.get_work_group(WorkGroup="w")) == [
        ("athena:GetWorkGroup", [arn("athena", "workgroup/w")])
    ]
    assert log.needed(lambda: athena.get_data_catalog(Name="c")) == [
        ("athena:GetDataCatalog", [arn("athena", "datacatalog/c")])
    ]


def test_state_machines_topics_roles_and_metrics(log: Log, aws: boto3.Session, stepfunctions: BaseClient) -> None:
    machine, topic = arn("states", "stateMachine:m"), arn("sns", "t")
    start = lambda: stepfunctions.start_execution(stateMachineArn=machine)  # noqa: E731
    assert log.needed(start) == [("states:StartExecution", [machine])]
    assert log.needed(lambda: aws.client("sns").publish(TopicArn=topic, Message="m")) == [("sns:Publish", [topic])]
    role = f"arn:aws:iam::{ACCOUNT}:role/{random_name()}"
    assume = lambda: aws.client("sts").assume_role(RoleArn=role, RoleSessionName="session")  # noqa: E731
    assert log.needed(assume) == [("sts:AssumeRole", [role])]
    assert log.needed(aws.client("sts").get_caller_identity) == [("sts:GetCallerIdentity", ["*"])]
    get = lambda: aws.client("iam").get_role(RoleName="r")  # noqa: E731
    assert log.needed(get) == [("iam:GetRole", [f"arn:aws:iam::{ACCOUNT}:role/r"])]
    put = lambda: aws.client("cloudwatch").put_metric_data(Namespace="n", MetricData=[{"MetricName": "m"}])  # noqa: E731
    assert log.needed(put) == [("cloudwatch:PutMetricData", ["*"])]


def test_a_call_whose_resource_is_not_known_says_so(log: Log, aws: boto3.Session, s3: BaseClient) -> None:
    assert log.needed(aws.client("ssm").describe_parameters) == [("ssm:DescribeParameters", None)]
    with refused("NoSuchBucket"):
        s3.list_objects_v2(Bucket=random_name())
