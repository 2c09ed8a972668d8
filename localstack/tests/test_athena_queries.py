"""Queries from submission to results, in the words of Athena."""

import json
import os
import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from conftest import random_name
from querying import Querying, texts

# Nothing of it is read from anywhere, and it takes minutes.
ENDLESS = "SELECT sum(a * b) FROM UNNEST(sequence(1, 2000000)) AS x(a) CROSS JOIN UNNEST(sequence(1, 2000000)) AS y(b)"


@pytest.fixture
def querying(athena: BaseClient, bucket: str, database: str) -> Querying:
    return Querying(athena, database, f"s3://{bucket}/{database}/results/")


@pytest.fixture
def endless(querying: Querying) -> Iterator[str]:
    query_id = querying.start(ENDLESS)
    yield query_id
    querying.athena.stop_query_execution(QueryExecutionId=query_id)
    querying.left(query_id)


def refusal(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str, str]:
    response: dict[str, Any] = error.value.response
    return response["Error"]["Code"], response.get("AthenaErrorCode", ""), response["Error"]["Message"]


def test_a_query_succeeds_and_tells_all_about_itself(querying: Querying, bucket: str) -> None:
    execution = querying.run("-- a comment\nSELECT 1 AS One")
    query_id = execution["QueryExecutionId"]
    assert execution["Query"] == "-- a comment\nSELECT 1 AS One"
    assert (execution["StatementType"], execution["SubstatementType"]) == ("DML", "SELECT")
    assert execution["WorkGroup"] == "primary"
    assert execution["QueryExecutionContext"] == {"Database": querying.database}
    assert execution["ResultConfiguration"] == {"OutputLocation": f"{querying.output}{query_id}.csv"}
    assert execution["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    status, statistics = execution["Status"], execution["Statistics"]
    assert status["State"] == "SUCCEEDED"
    assert status["SubmissionDateTime"] <= status["CompletionDateTime"]
    assert "AthenaError" not in status
    assert statistics["TotalExecutionTimeInMillis"] >= statistics["EngineExecutionTimeInMillis"] >= 0
    assert statistics["DataScannedInBytes"] == 0
    assert statistics["ResultReuseInformation"] == {"ReusedPreviousResult": False}


def test_results_are_typed_and_begin_with_the_names_of_the_columns(querying: Querying) -> None:
    page = querying.results(
        "SELECT 'a' AS s, CAST('a' AS VARCHAR(5)) v, 1 i, 3000000000 b, 1.5 d, DECIMAL '1.25' m, true t, "
        "DATE '2020-01-01' AS Day, TIMESTAMP '2020-01-01 10:00:00.123' ts, ARRAY[1] a, X'01' x, count(*)"
    )
    columns = page["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert columns[0] == {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": "s",
        "Label": "s",
        "Type": "varchar",
        "Precision": 2147483647,
        "Scale": 0,
        "Nullable": "UNKNOWN",
        "CaseSensitive": True,
    }
    assert [(column["Name"], column["Type"], column["Precision"], column["Scale"]) for column in columns[1:]] == [
        ("v", "varchar", 5, 0),
        ("i", "integer", 10, 0),
        ("b", "bigint", 19, 0),
        ("d", "double", 17, 0),
        ("m", "decimal", 3, 2),
        ("t", "boolean", 0, 0),
        ("Day", "date", 0, 0),
        ("ts", "timestamp", 3, 0),
        ("a", "array", 0, 0),
        ("x", "varbinary", 1073741824, 0),
        ("_col11", "bigint", 19, 0),
    ]
    header, row = texts(page)
    assert header == [column["Name"] for column in columns]
    assert row[:4] == ["a", "a", "1", "3000000000"]
    assert page["UpdateCount"] == 0


def test_the_csv_quotes_everything_but_null(querying: Querying, s3: BaseClient) -> None:
    execution = querying.run("SELECT 1 AS i, 'a\"b' AS q, CAST(NULL AS VARCHAR) AS n, '' AS e, 'x\ny' AS l")
    bucket, key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").split("/", 1)
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    assert body == b'"i","q","n","e","l"\n"1","a""b",,"","x\ny"\n'
    assert texts(querying.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"]))[1] == [
        "1",
        'a"b',
        None,
        "",
        "x\ny",
    ]
    metadata = s3.get_object(Bucket=bucket, Key=f"{key}.metadata")["Body"].read()
    assert metadata.startswith(b"\x0a\x24" + execution["QueryExecutionId"].encode())
    assert b"\x0a\x04hive\x22\x01i\x2a\x01i\x32\x07integer\x38\x0a\x40\x00\x48\x03\x50\x00" in metadata


def test_results_come_in_pages(querying: Querying) -> None:
    execution = querying.run("SELECT n, 'a\nb' AS s FROM UNNEST(sequence(1, 2500)) AS t(n) ORDER BY n")
    query_id = execution["QueryExecutionId"]
    paginator = querying.athena.get_paginator("get_query_results")
    pages = [texts(page) for page in paginator.paginate(QueryExecutionId=query_id)]
    assert [len(page) for page in pages] == [1000, 1000, 501]
    assert [row for page in pages for row in page] == [["n", "s"], *([str(n), "a\nb"] for n in range(1, 2501))]
    first = querying.athena.get_query_results(QueryExecutionId=query_id, MaxResults=2)
    second = querying.athena.get_query_results(QueryExecutionId=query_id, MaxResults=2, NextToken=first["NextToken"])
    assert (texts(first)[1][0], texts(second)[0][0]) == ("1", "2")


def test_results_are_read_from_the_file(querying: Querying, s3: BaseClient) -> None:
    execution = querying.run("SELECT 1")
    bucket, key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").split("/", 1)
    s3.delete_object(Bucket=bucket, Key=key)
    with pytest.raises(ClientError) as error:
        querying.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    assert refusal(error)[1:] == ("RESULT_NOT_FOUND", "Could not find results")


def test_results_have_limits(querying: Querying) -> None:
    query_id = querying.run("SELECT 1")["QueryExecutionId"]
    with pytest.raises(ClientError) as error:
        querying.athena.get_query_results(QueryExecutionId=query_id, MaxResults=1001)
    assert refusal(error)[2] == "MaxResults is more than maximum allowed length 1000"
    with pytest.raises(ClientError) as error:
        querying.athena.get_query_results(QueryExecutionId=query_id, NextToken="nonsense")
    assert refusal(error)[2] == "Malformed nextPageToken nonsense"


def test_a_query_that_fails_says_why(querying: Querying) -> None:
    execution = querying.run("SELECT * FROM nowhere")
    status = execution["Status"]
    reason = f"TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.{querying.database}.nowhere' does not exist"
    assert (status["State"], status["StateChangeReason"]) == ("FAILED", reason)
    assert status["AthenaError"] == {
        "ErrorCategory": 2,
        "ErrorType": 1301,
        "Retryable": False,
        "ErrorMessage": reason,
    }
    with pytest.raises(ClientError) as error:
        querying.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    assert refusal(error) == (
        "InvalidRequestException",
        "INVALID_QUERY_EXECUTION_STATE",
        "Query did not finish successfully. Final query state: FAILED",
    )


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELEC 1", "line 1:1: mismatched input 'SELEC'"),
        ("SELECT 1 FROM", "line 1:14: mismatched input '<EOF>'"),
        ("SELECT a b c", "line 1:12: mismatched input 'c'"),
        ("SELECT 1; SELECT 2", "Only one sql statement is allowed."),
        ("SELECT x::int", "line 1:9: mismatched input ':'"),
        ("-- nothing", "line 1:1: mismatched input '<EOF>'"),
        ("CREATE TABLE t (id int)", "No location was specified for table. An S3 location must be specified"),
    ],
)
def test_what_is_no_statement_is_not_started(querying: Querying, sql: str, message: str) -> None:
    with pytest.raises(ClientError) as error:
        querying.start(sql)
    assert refusal(error) == ("InvalidRequestException", "MALFORMED_QUERY", message)


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("EXPLAIN SELECT 1", "EXPLAIN"),
        ("UPDATE t SET a = 1", "UPDATE"),
        ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", "MERGE"),
        ("VACUUM t", "VACUUM"),
        ("OPTIMIZE t REWRITE DATA USING BIN_PACK", "OPTIMIZE"),
        ("MSCK REPAIR TABLE t", "MSCK_REPAIR"),
        ("UNLOAD (SELECT 1) TO 's3://b/x' WITH (format = 'PARQUET')", "UNLOAD"),
        ("ALTER TABLE t ADD COLUMNS (c int)", "ALTER_TABLE"),
    ],
)
def test_a_statement_that_is_not_supported_says_so(querying: Querying, sql: str, name: str) -> None:
    assert querying.reason(sql) == f"NOT_SUPPORTED: {name} is not supported by localstack-lakehouse"


def test_a_running_query_can_be_stopped(querying: Querying, endless: str) -> None:
    assert querying.left(endless, {"QUEUED"})["Status"]["State"] == "RUNNING"
    with pytest.raises(ClientError) as error:
        querying.athena.get_query_results(QueryExecutionId=endless)
    assert refusal(error)[1:] == (
        "INVALID_QUERY_EXECUTION_STATE",
        "Query has not yet finished. Current state: RUNNING",
    )
    querying.athena.stop_query_execution(QueryExecutionId=endless)
    status = querying.execution(endless)["Status"]
    assert (status["State"], status["StateChangeReason"]) == ("CANCELLED", "Query cancelled by user")
    assert "AthenaError" not in status
    with pytest.raises(ClientError) as error:
        querying.athena.get_query_results(QueryExecutionId=endless)
    assert refusal(error)[1] == "RESULT_NOT_FOUND"


def test_queries_wait_for_a_worker_and_can_be_stopped_before_they_run(querying: Querying) -> None:
    queries = [querying.start(ENDLESS) for _ in range(6)]
    try:
        assert "QUEUED" in {querying.state(query_id) for query_id in queries}
    finally:
        for query_id in reversed(queries):
            querying.athena.stop_query_execution(QueryExecutionId=query_id)
    assert {querying.state(query_id) for query_id in queries} == {"CANCELLED"}
    assert querying.rows("SELECT 1") == [["1"]]


def test_stopping_a_query_that_has_ended_changes_nothing(querying: Querying) -> None:
    query_id = querying.run("SELECT 1")["QueryExecutionId"]
    querying.athena.stop_query_execution(QueryExecutionId=query_id)
    assert querying.state(query_id) == "SUCCEEDED"


def test_a_token_starts_one_query(querying: Querying) -> None:
    token = uuid.uuid4().hex
    first = querying.start("SELECT 1", ClientRequestToken=token)
    assert querying.start("SELECT 1", ClientRequestToken=token) == first
    with pytest.raises(ClientError) as error:
        querying.start("SELECT 2", ClientRequestToken=token)
    assert refusal(error)[1:] == ("IDEMPOTENT_PARAMETER_MISMATCH", "Idempotent parameters do not match")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("'abc'", "abc"),
        ("1 + 1", "2"),
        ("abc def", "abc def"),
        ("it's", "it's"),
        ("x", "x"),
        ("1) FROM t --", "1) FROM t --"),
    ],
)
def test_a_parameter_is_an_expression_or_else_a_string(querying: Querying, parameter: str, value: str) -> None:
    execution = querying.run("SELECT ? AS v, '?' AS q -- ?", ExecutionParameters=[parameter])
    assert execution["ExecutionParameters"] == [parameter]
    page = querying.athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    assert texts(page)[1] == [value, "?"]


def test_parameters_are_counted(querying: Querying) -> None:
    reason = querying.reason("SELECT ?, ?", ExecutionParameters=["1"])
    assert reason == "INVALID_PARAMETER_USAGE: line 1:8: Incorrect number of parameters: expected 2 but found 1"


def test_many_queries_are_described_at_once(querying: Querying) -> None:
    query_id = querying.run("SELECT 1")["QueryExecutionId"]
    answer = querying.athena.batch_get_query_execution(QueryExecutionIds=[query_id, "nowhere"])
    assert [execution["QueryExecutionId"] for execution in answer["QueryExecutions"]] == [query_id]
    assert answer["UnprocessedQueryExecutionIds"] == [
        {
            "QueryExecutionId": "nowhere",
            "ErrorCode": "QUERY_EXECUTION_NOT_FOUND",
            "ErrorMessage": "QueryExecution nowhere was not found",
        }
    ]


def test_a_query_that_is_not_there_is_not_found(querying: Querying) -> None:
    for operation in ("get_query_execution", "get_query_results", "stop_query_execution"):
        with pytest.raises(ClientError) as error:
            getattr(querying.athena, operation)(QueryExecutionId="nowhere")
        assert refusal(error)[1:] == ("QUERY_EXECUTION_NOT_FOUND", "QueryExecution nowhere was not found")


def test_a_workgroup_s_queries_are_listed_the_latest_first(querying: Querying, name: str) -> None:
    querying.athena.create_work_group(Name=name)
    try:
        configuration = {"WorkGroup": name}
        querying.athena.update_work_group(
            WorkGroup=name,
            ConfigurationUpdates={"ResultConfigurationUpdates": {"OutputLocation": querying.output}},
        )
        queries = [querying.run("SELECT 1", **configuration)["QueryExecutionId"] for _ in range(3)]
        paginator = querying.athena.get_paginator("list_query_executions")
        pages = paginator.paginate(WorkGroup=name, PaginationConfig={"PageSize": 2})
        assert [query_id for page in pages for query_id in page["QueryExecutionIds"]] == queries[::-1]
    finally:
        querying.athena.delete_work_group(WorkGroup=name, RecursiveDeleteOption=True)


def test_runtime_statistics_have_a_timeline(querying: Querying) -> None:
    query_id = querying.run("SELECT 1")["QueryExecutionId"]
    statistics = querying.athena.get_query_runtime_statistics(QueryExecutionId=query_id)["QueryRuntimeStatistics"]
    assert statistics["Timeline"]["TotalExecutionTimeInMillis"] >= 0
    assert statistics["Rows"] == {"InputBytes": 0, "OutputRows": 1, "OutputBytes": 12}


def test_the_place_of_the_results_is_checked(querying: Querying) -> None:
    for configuration, message in (
        ({}, "No output location provided."),
        ({"OutputLocation": "/tmp"}, "outputLocation is not a valid S3 path."),  # noqa: S108
        ({"OutputLocation": f"s3://{random_name()}/"}, "Unable to verify/create output bucket"),
    ):
        with pytest.raises(ClientError, match=message):
            querying.start("SELECT 1", ResultConfiguration=configuration)


def test_results_are_encrypted_as_asked(querying: Querying, s3: BaseClient) -> None:
    configuration = {
        "OutputLocation": querying.output,
        "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
        "AclConfiguration": {"S3AclOption": "BUCKET_OWNER_FULL_CONTROL"},
    }
    execution = querying.run("SELECT 1", ResultConfiguration=configuration)
    bucket, key = execution["ResultConfiguration"]["OutputLocation"].removeprefix("s3://").split("/", 1)
    assert s3.head_object(Bucket=bucket, Key=key)["ServerSideEncryption"] == "AES256"
    configuration["EncryptionConfiguration"] = {"EncryptionOption": "CSE_KMS", "KmsKey": "k"}
    with pytest.raises(ClientError, match="CSE_KMS is not supported"):
        querying.start("SELECT 1", ResultConfiguration=configuration)


def test_result_reuse_is_recorded_and_never_pretended(querying: Querying) -> None:
    reuse = {"ResultReuseByAgeConfiguration": {"Enabled": True, "MaxAgeInMinutes": 60}}
    for _ in range(2):
        execution = querying.run("SELECT 1", ResultReuseConfiguration=reuse)
        assert execution["ResultReuseConfiguration"] == reuse
        assert execution["Statistics"]["ResultReuseInformation"] == {"ReusedPreviousResult": False}


def test_a_query_reads_and_writes_as_its_caller(querying: Querying, iam: BaseClient, sts: BaseClient) -> None:
    role = random_name()
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    arn = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    credentials = sts.assume_role(RoleArn=arn, RoleSessionName="asker")["Credentials"]
    session = boto3.Session(
        credentials["AccessKeyId"], credentials["SecretAccessKey"], credentials["SessionToken"], "us-east-1"
    )
    athena = session.client("athena", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    asker = Querying(athena, querying.database, querying.output)
    assert asker.rows("SHOW TABLES") == []
    assert asker.rows("SELECT 1") == [["1"]]
