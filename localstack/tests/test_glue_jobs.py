"""Glue's jobs and their runs."""

import io
import json
import re
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import psutil
import pytest
from botocore.client import BaseClient
from conftest import REGION, free_port, random_name, refused
from pyiceberg.catalog.glue import GlueCatalog
from running import Jobs, Run, chained, role

from localstack_lakehouse.server import Server

ECHO = """
import importlib.metadata, json, os, sys
import boto3, first, iniconfig, numpy, second, third, fourth
from pyarrow import fs

fs.FileSystem.from_uri(sys.argv[sys.argv.index("--TempDir") + 1])[0].get_file_info(fs.FileSelector("BUCKET"))
print(json.dumps({
    "arguments": sys.argv[1:],
    "environment": dict(os.environ),
    "files": sorted(os.listdir()),
    "caller": boto3.client("sts").get_caller_identity()["Arn"],
    "modules": [first.NAME, second.NAME, third.NAME, fourth.NAME],
    "numpy": [numpy.__version__, numpy.__file__],
    "iniconfig": importlib.metadata.version("iniconfig"),
}))
print("to the errors", file=sys.stderr)
"""

SLEEP = """
import subprocess, sys
print("asleep", flush=True)
subprocess.run(["sleep", sys.argv[sys.argv.index("--seconds") + 1]])
"""

TABLES = """
import sys
from awsglue.utils import getResolvedOptions
from pyspark.sql import SparkSession

database = getResolvedOptions(sys.argv, ["JOB_NAME", "database"])["database"]
spark = SparkSession.builder.getOrCreate()
spark.sql(f"CREATE TABLE glue.{database}.animals (name string, legs int) USING iceberg")
spark.sql(f"INSERT INTO glue.{database}.animals VALUES ('ant', 6), ('bee', 6), ('cat', 4)")
spark.createDataFrame([("dog", 4)], "name string, legs int").writeTo(f"glue.{database}.animals").append()
spark.sql(f"DELETE FROM glue.{database}.animals WHERE name = 'bee'")
spark.sql(f"ALTER TABLE glue.{database}.animals RENAME TO {database}.pets")
spark.sql(f"CREATE TABLE glue.{database}.gone USING iceberg AS SELECT 1 AS one")
spark.sql(f"DROP TABLE glue.{database}.gone")
print(spark.version, [row.name for row in spark.table(f"glue.{database}.pets").orderBy("name").collect()])
"""

GLUE = """
import sys
from awsglue.context import GlueContext
from awsglue.dynamicframe import DynamicFrame
from awsglue.job import Job
from awsglue.transforms import *
from awsglue.utils import GlueArgumentError, getResolvedOptions
from pyspark.context import SparkContext

args = getResolvedOptions(sys.argv, ["JOB_NAME", "lake"])
context = GlueContext(SparkContext.getOrCreate())
job = Job(context)
job.init(args["JOB_NAME"], args)
animals = context.spark_session.read.json(f"{args['lake']}/in/")
animals.where("legs > 4").write.parquet(f"{args['lake']}/out/")
print(context.read.parquet(f"{args['lake']}/out/").count(), context.spark_session.sparkContext.defaultParallelism)
context.get_logger().warn("from the logger")
for unsupported in (
    lambda: DynamicFrame.fromDF(animals, context, "animals"),
    lambda: context.create_dynamic_frame.from_catalog(database="zoo", table_name="animals"),
    lambda: ApplyMapping.apply(frame=animals, mappings=[]),
    lambda: Job(context).init("x", {"job_bookmark_option": "job-bookmark-enable"}),
):
    try:
        unsupported()
    except NotImplementedError as error:
        print(error)
try:
    getResolvedOptions(sys.argv, ["absent"])
except GlueArgumentError as error:
    print(error)
job.commit()
"""

ICEBERG = {
    "spark.sql.extensions": "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions",
    "spark.sql.catalog.glue": "org.apache.iceberg.spark.SparkCatalog",
    "spark.sql.catalog.glue.type": "glue",
    "spark.sql.catalog.glue.io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
}


def wheel(name: str, *requirements: str) -> bytes:
    """A wheel of one module."""
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n" + "".join(
        f"Requires-Dist: {requirement}\n" for requirement in requirements
    )
    contents = {
        f"{name}.py": f"NAME = {name!r}\n",
        f"{name}-1.0.dist-info/METADATA": metadata,
        f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{name}-1.0.dist-info/RECORD"
    return zipped(contents | {record: "".join(f"{path},,\n" for path in [*contents, record])})


def zipped(contents: dict[str, str | bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for path, content in contents.items():
            archive.writestr(path, content)
    return file.getvalue()


def zip_of_wheels(*names: str, requirements: str = "") -> bytes:
    """As AWS says to make one: https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-libraries.html"""
    wheels: dict[str, str | bytes] = {f"wheels/{name}-1.0-py3-none-any.whl": wheel(name) for name in names}
    return zipped(wheels | {"wheels/requirements.txt": requirements or "\n".join(names)})


# Definitions


def test_a_job_is_created_read_updated_and_deleted(glue: BaseClient, jobs: Jobs, name: str) -> None:
    definition: dict[str, Any] = {
        "JobMode": "SCRIPT",
        "JobRunQueuingEnabled": False,
        "Description": "d",
        "LogUri": "s3://logs",
        "Role": jobs.role,
        "ExecutionProperty": {"MaxConcurrentRuns": 3},
        "Command": {"Name": "glueetl", "ScriptLocation": "s3://b/s.py", "PythonVersion": "3"},
        "DefaultArguments": {"--a": "1"},
        "NonOverridableArguments": {"--b": "2"},
        "Connections": {"Connections": ["c"]},
        "MaxRetries": 2,
        "Timeout": 30,
        "SecurityConfiguration": "s",
        "NotificationProperty": {"NotifyDelayAfter": 5},
        "GlueVersion": "6.0",
        "NumberOfWorkers": 4,
        "WorkerType": "G.2X",
        "ExecutionClass": "FLEX",
        "SourceControlDetails": {"Provider": "GITHUB", "Repository": "r"},
        "MaintenanceWindow": "Sun:1",
    }
    assert glue.create_job(Name=name, **definition)["Name"] == name
    job = glue.get_job(JobName=name)["Job"]
    times = {"CreatedOn": job["CreatedOn"], "LastModifiedOn": job["LastModifiedOn"]}
    assert job == definition | times | {"Name": name, "MaxCapacity": 8.0, "AllocatedCapacity": 8}
    assert glue.batch_get_jobs(JobNames=[name, "no such job"]) | {"ResponseMetadata": None} == {
        "Jobs": [job],
        "JobsNotFound": ["no such job"],
        "ResponseMetadata": None,
    }

    command = {"Name": "pythonshell", "ScriptLocation": "s3://b/t.py", "PythonVersion": "3.9"}
    glue.update_job(JobName=name, JobUpdate={"Role": "other", "Command": command})
    updated = glue.get_job(JobName=name)["Job"]
    assert updated["LastModifiedOn"] > job["LastModifiedOn"]
    del updated["LastModifiedOn"]
    assert updated == {
        "Name": name,
        "Role": "other",
        "Command": command,
        "JobMode": "SCRIPT",
        "ExecutionProperty": {"MaxConcurrentRuns": 1},
        "MaxRetries": 0,
        "Timeout": 480,
        "GlueVersion": "5.1",
        "MaxCapacity": 0.0625,
        "AllocatedCapacity": 0,
        "CreatedOn": job["CreatedOn"],
    }

    assert glue.delete_job(JobName=name)["JobName"] == name
    assert glue.delete_job(JobName=name)["JobName"] == name
    with refused("EntityNotFoundException"):
        glue.get_job(JobName=name)
    with refused("EntityNotFoundException"):
        glue.update_job(JobName=name, JobUpdate={"Role": "other", "Command": command})


def test_a_job_is_created_again_only_as_it_is(glue: BaseClient, name: str) -> None:
    definition = {"Name": name, "Role": "r", "Command": {"Name": "glueetl", "ScriptLocation": "s3://b/s.py"}}
    glue.create_job(**definition)
    assert glue.create_job(**definition)["Name"] == name
    with refused("IdempotentParameterMismatchException"):
        glue.create_job(**definition, Timeout=5)


def test_jobs_are_listed_in_pages_and_by_tags(glue: BaseClient, sts: BaseClient, name: str) -> None:
    command = {"Name": "glueetl", "ScriptLocation": "s3://b/s.py"}
    names = [f"{name}-{number}" for number in range(3)]
    for each in names:
        glue.create_job(Name=each, Role="r", Command=command, Tags={"team": name, "number": each[-1]})
    pages = glue.get_paginator("get_jobs").paginate(PaginationConfig={"PageSize": 2})
    found = [job["Name"] for page in pages for job in page["Jobs"]]
    assert [each for each in found if each in names] == names
    assert glue.list_jobs(Tags={"team": name})["JobNames"] == names
    assert glue.list_jobs(Tags={"team": name, "number": "1"})["JobNames"] == [names[1]]

    account = sts.get_caller_identity()["Account"]
    arn = f"arn:aws:glue:{glue.meta.region_name}:{account}:job/{names[0]}"
    glue.tag_resource(ResourceArn=arn, TagsToAdd={"more": "m"})
    glue.untag_resource(ResourceArn=arn, TagsToRemove=["number"])
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"team": name, "more": "m"}
    glue.delete_job(JobName=names[0])
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {}


# What does not run


@pytest.fixture(scope="module", autouse=True)
def running_out(jobs: Jobs) -> tuple[str, str]:
    """A run that has a minute, which goes by while other tests run."""
    name = jobs.define(SLEEP, "pythonshell", Timeout=1, DefaultArguments={"--seconds": "3601"})
    return name, jobs.glue.start_job_run(JobName=name)["JobRunId"]


@pytest.mark.parametrize(
    ("definition", "request_", "reason"),
    [
        ({"GlueVersion": "4.0"}, {}, "GlueVersion: expected 5.0, 5.1, 6.0, got 4.0"),
        ({"kind": "gluestreaming"}, {}, "Command gluestreaming"),
        ({"DefaultArguments": {"--datalake-formats": "hudi,iceberg"}}, {}, "--datalake-formats: only iceberg"),
        ({"DefaultArguments": {"--job-language": "scala"}}, {}, "--job-language: only python"),
        ({}, {"Arguments": {"--conf": "spark.nonsense"}}, "--conf: expected name=value"),
        ({}, {"MaxCapacity": 2.0, "WorkerType": "G.1X"}, "Please do not set Max Capacity if using Worker Type"),
        ({"NonOverridableArguments": {"--a": "1"}}, {"Arguments": {"--a": "2"}}, "cannot be overridden: --a"),
    ],
)
def test_what_could_not_run_as_defined_is_refused(
    glue: BaseClient, jobs: Jobs, definition: dict[str, Any], request_: dict[str, Any], reason: str
) -> None:
    with pytest.raises(glue.exceptions.InvalidInputException, match=re.escape(reason)):
        glue.start_job_run(JobName=jobs.define(**definition), **request_)


def test_what_is_not_there_is_not_found(glue: BaseClient, jobs: Jobs) -> None:
    name = jobs.define()
    with refused("EntityNotFoundException"):
        glue.start_job_run(JobName="no such job")
    with refused("EntityNotFoundException"):
        glue.start_job_run(JobName=name, JobRunId="jr_0")
    with refused("EntityNotFoundException"):
        glue.get_job_run(JobName=name, RunId="jr_0")
    with refused("EntityNotFoundException"):
        glue.get_job_runs(JobName="no such job")
    (error,) = glue.batch_stop_job_run(JobName=name, JobRunIds=["jr_0"])["Errors"]
    assert (error["JobRunId"], error["ErrorDetail"]["ErrorCode"]) == ("jr_0", "EntityNotFoundException")


def test_bookmarks_are_not_supported(glue: BaseClient) -> None:
    with refused("InternalFailure"):
        glue.reset_job_bookmark(JobName="any")


def test_a_role_that_glue_may_not_assume_fails_the_run(jobs: Jobs, iam: BaseClient) -> None:
    for each in (role(iam, "lambda.amazonaws.com"), "no-such-role"):
        run = jobs.run(jobs.define(Role=each))
        assert run["JobRunState"] == "FAILED"
        assert run["ErrorMessage"] == f"Role {each} should be given assume role permissions for Glue Service."


def test_a_script_that_is_not_there_fails_the_run(jobs: Jobs) -> None:
    command = {"Name": "pythonshell", "ScriptLocation": f"s3://{jobs.bucket}/no/script.py"}
    run = jobs.run(jobs.define(Command=command))
    assert run["JobRunState"] == "FAILED"
    assert run["ErrorMessage"].startswith(
        f"LAUNCH ERROR | Error downloading from S3 for bucket: {jobs.bucket}, key: no/script.py."
    )


# What runs


@pytest.fixture(scope="module")
def echo(jobs: Jobs) -> Run:
    modules = [
        jobs.put("first-1.0-py3-none-any.whl", wheel("first", "numpy", "iniconfig")),
        jobs.put("second.gluewheels.zip", zip_of_wheels("second")),
        "iniconfig==2.0.0",
    ]
    files = [jobs.put("third.py", "NAME = 'third'"), jobs.put("fourth.zip", zipped({"fourth.py": "NAME = 'fourth'"}))]
    defaults = {
        "--additional-python-modules": ",".join(modules),
        "--extra-py-files": ",".join(files),
        "--extra-files": jobs.put("settings.json", "{}"),
        "--enable-metrics": "true",
        "--TempDir": f"s3://{jobs.bucket}",
        "--own": "from the job",
        "--other": "from the job",
    }
    script = ECHO.replace("BUCKET", jobs.bucket)
    name = jobs.define(script, DefaultArguments=defaults, NonOverridableArguments={"--fixed": "f"}, GlueVersion="5.0")
    return jobs.run(name, Arguments={"--own": "from the run"})


@pytest.fixture(scope="module")
def echoed(jobs: Jobs, echo: Run) -> dict[str, Any]:
    assert echo["JobRunState"] == "SUCCEEDED", (echo.get("ErrorMessage"), jobs.log(echo, "error"))
    told: dict[str, Any] = json.loads(jobs.log(echo)[-1])
    return told


def test_a_run_tells_how_it_went(jobs: Jobs, echo: Run, echoed: dict[str, Any]) -> None:
    assert isinstance(echo["StartedOn"], datetime)
    assert echo["StartedOn"] <= echo["CompletedOn"] == echo["LastModifiedOn"]
    assert (echo["Attempt"], echo["Arguments"]) == (0, {"--own": "from the run"})
    assert (echo["WorkerType"], echo["NumberOfWorkers"], echo["MaxCapacity"]) == ("G.1X", 2, 2.0)
    assert echo["ExecutionTime"] > 0
    assert echo["DPUSeconds"] == pytest.approx(2 * echo["ExecutionTime"], abs=2)
    assert "ErrorMessage" not in echo
    assert jobs.log(echo, "error") == [
        "localstack-lakehouse: GlueVersion 5.0 runs on Spark 3.5.6, Iceberg 1.10.0.",
        "to the errors",
    ]


def test_a_script_gets_its_arguments_and_not_glues(jobs: Jobs, echo: Run, echoed: dict[str, Any]) -> None:
    words = iter(echoed["arguments"])
    arguments = dict(zip(words, words, strict=True))
    assert arguments.pop("--JOB_ID").startswith("j_")
    assert arguments == {
        "--own": "from the run",
        "--other": "from the job",
        "--fixed": "f",
        "--TempDir": f"s3://{jobs.bucket}",
        "--JOB_NAME": echo["JobName"],
        "--JOB_RUN_ID": echo["Id"],
    }


def test_a_script_finds_its_modules_and_files(echoed: dict[str, Any]) -> None:
    assert echoed["modules"] == ["first", "second", "third", "fourth"]
    assert echoed["iniconfig"] == "2.0.0"
    assert echoed["files"] == ["settings.json"]


def test_what_glue_brings_is_not_installed_again(echoed: dict[str, Any]) -> None:
    version, place = echoed["numpy"]
    assert version == "2.3.4"
    assert "localstack-lakehouse/glue-5.1" in place


def test_a_zip_of_wheels_needs_no_index(jobs: Jobs) -> None:
    modules = jobs.put("fifth.gluewheels.zip", zip_of_wheels("fifth", "sixth", requirements="fifth==1.0\nnumpy"))
    closed = {"--additional-python-modules": modules, "--python-modules-installer-option": "--no-index"}
    run = jobs.run(jobs.define("import fifth; print(fifth.NAME); import sixth", DefaultArguments=closed))
    assert run["ErrorMessage"] == "ModuleNotFoundError: No module named 'sixth'"
    assert jobs.log(run) == ["fifth"]


@pytest.mark.parametrize(
    ("archive", "message"),
    [
        (zip_of_wheels("seventh", requirements="iniconfig"), "iniconfig"),
        (zipped({"seventh-1.0-py3-none-any.whl": wheel("seventh")}), "expected wheels/requirements.txt"),
        (b"no zip", "not a zip"),
    ],
)
def test_a_zip_of_wheels_that_lacks_something_fails_the_run(jobs: Jobs, archive: bytes, message: str) -> None:
    closed = {"--python-modules-installer-option": "--no-index"}
    modules = {"--additional-python-modules": jobs.put(f"{random_name()}.gluewheels.zip", archive)}
    run = jobs.run(jobs.define(DefaultArguments=closed | modules))
    assert run["ErrorMessage"].startswith("LAUNCH ERROR | ")
    assert message in run["ErrorMessage"]


@pytest.mark.parametrize("mode", ["SSE-KMS", "DISABLED"])
@pytest.mark.parametrize("prefix", ["", "/own/prefix"])
def test_logs_are_where_glue_puts_them(aws: boto3.Session, jobs: Jobs, name: str, mode: str, prefix: str) -> None:
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    encryption = {"CloudWatchEncryptionMode": mode} | ({"KmsKeyArn": key} if mode == "SSE-KMS" else {})
    jobs.glue.create_security_configuration(Name=name, EncryptionConfiguration={"CloudWatchEncryption": encryption})
    arguments = {"--custom-logGroup-prefix": f"{prefix}/{name}"} if prefix else {}
    job = jobs.define("print('said')", "pythonshell", SecurityConfiguration=name, DefaultArguments=arguments)
    run = jobs.run(job)
    folder = f"{prefix}/{name}" if prefix else "/aws-glue/python-jobs"
    encrypted = f"/{name}-role/{jobs.role.rpartition('/')[2]}" if mode == "SSE-KMS" else ""
    assert run["LogGroupName"] == f"{folder}{encrypted}"
    assert jobs.log(run) == ["said"]
    group = jobs.logs.describe_log_groups(logGroupNamePrefix=f"{folder}{encrypted}/output")["logGroups"][0]
    assert group.get("kmsKeyId") == (key if mode == "SSE-KMS" else None)


def test_a_run_wants_its_security_configuration(glue: BaseClient, jobs: Jobs) -> None:
    name = jobs.define("print('said')", "pythonshell", SecurityConfiguration="no such")
    with refused("EntityNotFoundException"):
        glue.start_job_run(JobName=name)


def test_a_script_runs_as_its_role(jobs: Jobs, echoed: dict[str, Any]) -> None:
    assert echoed["caller"].endswith(f":assumed-role/{jobs.role.rpartition('/')[2]}/GlueJobRunnerSession")


@pytest.mark.usefixtures("echo")
def test_the_request_log_tells_a_jobs_calls(jobs: Jobs, server: Server | None) -> None:
    if not server:
        pytest.skip("another server's log is out of reach")
    calls = map(json.loads, (server.state / "requests.jsonl").read_text().splitlines())
    role_name = jobs.role.rpartition("/")[2]
    called = {call["operation"] for call in calls if f"assumed-role/{role_name}/" in call["principal"]}
    assert {"GetObject", "ListObjectsV2", "PutLogEvents", "GetCallerIdentity"} <= called


def test_nothing_of_the_hosts_environment_reaches_a_script(echoed: dict[str, Any]) -> None:
    assert echoed["environment"].keys() <= {
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"),
        *("AWS_ENDPOINT_URL", "AWS_EC2_METADATA_DISABLED"),
        *("HOME", "LANG", "LC_CTYPE", "OLDPWD", "PATH", "PWD", "SHLVL", "TMPDIR", "TZ", "_", "JAVA_HOME"),
        *("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET", "PYSPARK_PYTHON", "PYTHONHASHSEED", "PYTHONPATH"),
        *("PYTHONUNBUFFERED", "SPARK_CONF_DIR", "SPARK_DIST_CLASSPATH", "SPARK_ENV_LOADED", "SPARK_HOME"),
        *("SPARK_LOCAL_DIRS", "SPARK_LOCAL_IP", "SPARK_SCALA_VERSION", "OMP_NUM_THREADS"),
    }
    assert "PYSPARK_GATEWAY_PORT" in echoed["environment"]
    assert echoed["environment"]["AWS_ACCESS_KEY_ID"] != "test"


def test_a_failed_script_says_what_it_failed_with(jobs: Jobs) -> None:
    run = jobs.run(jobs.define("def f():\n    raise ValueError('boom')\n\nf()\n"))
    assert (run["JobRunState"], run["ErrorMessage"]) == ("FAILED", "ValueError: boom")
    traceback = jobs.log(run, "error")
    assert (traceback[0], traceback[-1]) == ("Traceback (most recent call last):", "ValueError: boom")
    assert not [line for line in traceback if "runpy" in line or "driver.py" in line]


def test_a_failed_run_is_tried_again(glue: BaseClient, jobs: Jobs) -> None:
    name = jobs.define("import sys; sys.exit(3)", "pythonshell", MaxRetries=2)
    first = jobs.run(name)
    second = jobs.wait_for(name, f"{first['Id']}_attempt_1")
    third = jobs.wait_for(name, f"{first['Id']}_attempt_2")
    assert [(run["Attempt"], run.get("PreviousRunId")) for run in (first, second, third)] == [
        (0, None),
        (1, first["Id"]),
        (2, second["Id"]),
    ]
    runs = glue.get_job_runs(JobName=name)["JobRuns"]
    assert [run["Id"] for run in runs] == [third["Id"], second["Id"], first["Id"]]
    assert {(run["JobRunState"], run["ErrorMessage"]) for run in runs} == {("FAILED", "SystemExit: 3")}
    assert first["LogGroupName"] == "/aws-glue/python-jobs"
    again = jobs.run(name, JobRunId=first["Id"])
    assert again["PreviousRunId"] == first["Id"]


def test_a_run_is_stopped_with_all_that_it_started(glue: BaseClient, jobs: Jobs) -> None:
    seconds = odd_seconds()
    name = jobs.define(SLEEP, DefaultArguments={"--seconds": seconds})
    run_id = glue.start_job_run(JobName=name)["JobRunId"]
    assert jobs.get(name, run_id)["JobRunState"] in {"STARTING", "RUNNING"}
    with refused("ConcurrentRunsExceededException"):
        glue.start_job_run(JobName=name)
    run = jobs.wait(name, run_id, {"STARTING"})
    assert (run["JobRunState"], "CompletedOn" in run) == ("RUNNING", False)
    assert run["LogGroupName"] == "/aws-glue/jobs"
    jobs.until(lambda: "asleep" in jobs.log(run))
    assert sleeping(seconds)

    stopped = glue.batch_stop_job_run(JobName=name, JobRunIds=[run_id])
    assert stopped["SuccessfulSubmissions"] == [{"JobName": name, "JobRunId": run_id}]
    assert jobs.wait(name, run_id)["JobRunState"] == "STOPPED"
    assert not sleeping(seconds)
    (error,) = glue.batch_stop_job_run(JobName=name, JobRunIds=[run_id])["Errors"]
    assert error["ErrorDetail"]["ErrorCode"] == "InvalidInputException"


def test_a_job_does_not_outlive_its_server(tmp_path: Path) -> None:
    seconds = odd_seconds()
    own = Server(free_port(), tmp_path)
    own.start()
    try:
        session = boto3.Session("test", "test", region_name=REGION)
        clients = {name: session.client(name, endpoint_url=own.url) for name in ("glue", "s3", "logs", "iam")}
        clients["s3"].create_bucket(Bucket="scripts")
        jobs = Jobs(clients["glue"], clients["s3"], clients["logs"], "scripts", role(clients["iam"]))
        name = jobs.define(SLEEP, "pythonshell", DefaultArguments={"--seconds": seconds})
        clients["glue"].start_job_run(JobName=name)
        jobs.until(lambda: sleeping(seconds))
        process = own.process()
        assert process
        process.kill()
        jobs.until(lambda: not sleeping(seconds))
    finally:
        own.stop()


def odd_seconds() -> str:
    """An hour as no other test has it."""
    return f"{3600 + int(random_name()[1:5], 16) / 100000}"


def sleeping(seconds: str) -> bool:
    """Whether the script's own child lives."""
    return any(process.info["cmdline"] == ["sleep", seconds] for process in psutil.process_iter(["cmdline"]))


# Spark


def tables(jobs: Jobs, database: str, **definition: Any) -> Run:
    warehouse = {"spark.sql.catalog.glue.warehouse": f"s3://{jobs.bucket}/warehouse"}
    arguments = {"--datalake-formats": "iceberg", "--conf": chained(ICEBERG | warehouse), "--database": database}
    return jobs.run(jobs.define(TABLES, DefaultArguments=arguments, **definition))


def test_spark_creates_appends_deletes_renames_and_drops(
    glue: BaseClient, jobs: Jobs, database: str, catalog: GlueCatalog
) -> None:
    run = tables(jobs, database)
    assert run["JobRunState"] == "SUCCEEDED", (run["ErrorMessage"], jobs.log(run, "error"))
    assert jobs.log(run) == ["3.5.6 ['ant', 'cat', 'dog']"]
    assert [table["Name"] for table in glue.get_tables(DatabaseName=database)["TableList"]] == ["pets"]
    pets = catalog.load_table((database, "pets")).scan().to_arrow().sort_by("name").to_pylist()
    assert pets == [{"name": "ant", "legs": 6}, {"name": "cat", "legs": 4}, {"name": "dog", "legs": 4}]


@pytest.mark.long
def test_glue_6_runs_spark_4(jobs: Jobs, database: str) -> None:
    run = tables(jobs, database, GlueVersion="6.0")
    assert run["JobRunState"] == "SUCCEEDED", (run["ErrorMessage"], jobs.log(run, "error"))
    assert jobs.log(run) == ["4.1.1 ['ant', 'cat', 'dog']"]


def test_glues_library_and_files_in_s3(jobs: Jobs, name: str) -> None:
    jobs.put(f"{name}/in/a.json", '{"name": "ant", "legs": 6}\n{"name": "cat", "legs": 4}\n')
    lake = {"--lake": f"s3://{jobs.bucket}/{name}", "--enable-glue-datacatalog": "true"}
    run = jobs.run(jobs.define(GLUE, DefaultArguments=lake, NumberOfWorkers=1))
    errors = jobs.log(run, "error")
    assert run["JobRunState"] == "SUCCEEDED", (run["ErrorMessage"], errors)
    assert jobs.log(run) == [
        "1 1",
        "awsglue: DynamicFrame is not supported here; Spark's DataFrames are",
        "awsglue: GlueContext.create_dynamic_frame is not supported here; Spark's DataFrames are",
        "awsglue: ApplyMapping is not supported here; Spark's DataFrames are",
        "awsglue: --job-bookmark-option job-bookmark-enable is not supported here; Spark's DataFrames are",
        "the following arguments are required: --absent",
    ]
    assert errors[0] == "localstack-lakehouse: --enable-glue-datacatalog has no effect here."
    assert any(line.endswith("from the logger") for line in errors)


# Last, as its minute has gone by meanwhile.


def test_a_run_that_takes_too_long_times_out(jobs: Jobs, running_out: tuple[str, str]) -> None:
    run = jobs.wait(*running_out)
    assert run["JobRunState"] == "TIMEOUT"
    assert run["ExecutionTime"] >= 60
