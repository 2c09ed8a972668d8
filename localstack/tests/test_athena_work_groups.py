"""Workgroups, named queries, data catalogs and tags."""

import uuid
from collections.abc import Iterator

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from querying import Querying


@pytest.fixture
def work_group(athena: BaseClient, name: str) -> Iterator[str]:
    athena.create_work_group(Name=name)
    yield name
    athena.delete_work_group(WorkGroup=name, RecursiveDeleteOption=True)


def test_a_workgroup_keeps_its_configuration(athena: BaseClient, bucket: str, name: str) -> None:
    configuration = {
        "ResultConfiguration": {
            "OutputLocation": f"s3://{bucket}/{name}/",
            "EncryptionConfiguration": {"EncryptionOption": "SSE_KMS", "KmsKey": "alias/aws/s3"},
            "ExpectedBucketOwner": "000000000000",
            "AclConfiguration": {"S3AclOption": "BUCKET_OWNER_FULL_CONTROL"},
        },
        "BytesScannedCutoffPerQuery": 10_000_000,
        "EnforceWorkGroupConfiguration": False,
        "PublishCloudWatchMetricsEnabled": True,
        "RequesterPaysEnabled": True,
        "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
        "ExecutionRole": "arn:aws:iam::000000000000:role/some-role",
    }
    athena.create_work_group(Name=name, Configuration=configuration, Description="of a test")
    try:
        work_group = athena.get_work_group(WorkGroup=name)["WorkGroup"]
        engine = work_group["Configuration"].pop("EngineVersion")
        assert engine == {
            "SelectedEngineVersion": "Athena engine version 3",
            "EffectiveEngineVersion": "Athena engine version 3",
        }
        del configuration["EngineVersion"]
        assert work_group["Configuration"] == configuration | {"EnableMinimumEncryptionConfiguration": False}
        assert (work_group["Name"], work_group["State"], work_group["Description"]) == (name, "ENABLED", "of a test")
    finally:
        athena.delete_work_group(WorkGroup=name)


def test_primary_is_there_and_stays(athena: BaseClient) -> None:
    work_group = athena.get_work_group(WorkGroup="primary")["WorkGroup"]
    assert work_group["Configuration"]["EnforceWorkGroupConfiguration"] is False
    assert "Description" not in work_group
    with pytest.raises(ClientError, match="primary workgroup cannot be deleted"):
        athena.delete_work_group(WorkGroup="primary")


def test_a_new_workgroup_enforces_its_configuration(athena: BaseClient, work_group: str) -> None:
    configuration = athena.get_work_group(WorkGroup=work_group)["WorkGroup"]["Configuration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["ResultConfiguration"] == {}
    assert configuration["EngineVersion"] == {
        "SelectedEngineVersion": "AUTO",
        "EffectiveEngineVersion": "Athena engine version 3",
    }


def test_a_workgroup_is_changed_part_by_part(athena: BaseClient, bucket: str, work_group: str) -> None:
    athena.update_work_group(
        WorkGroup=work_group,
        Description="new",
        ConfigurationUpdates={
            "BytesScannedCutoffPerQuery": 20_000_000,
            "ResultConfigurationUpdates": {
                "OutputLocation": f"s3://{bucket}/",
                "EncryptionConfiguration": {"EncryptionOption": "SSE_S3"},
            },
        },
    )
    athena.update_work_group(
        WorkGroup=work_group,
        ConfigurationUpdates={
            "RemoveBytesScannedCutoffPerQuery": True,
            "ResultConfigurationUpdates": {"RemoveEncryptionConfiguration": True},
        },
    )
    changed = athena.get_work_group(WorkGroup=work_group)["WorkGroup"]
    assert changed["Description"] == "new"
    assert changed["Configuration"]["ResultConfiguration"] == {"OutputLocation": f"s3://{bucket}/"}
    assert "BytesScannedCutoffPerQuery" not in changed["Configuration"]


def test_workgroups_are_listed_by_name(athena: BaseClient, work_group: str) -> None:
    page = athena.list_work_groups(MaxResults=1)
    summaries = page["WorkGroups"]
    while token := page.get("NextToken"):
        page = athena.list_work_groups(MaxResults=1, NextToken=token)
        summaries += page["WorkGroups"]
    names = [summary["Name"] for summary in summaries]
    assert {"primary", work_group} <= set(names)
    assert names == sorted(names)
    assert summaries[0]["EngineVersion"]["EffectiveEngineVersion"] == "Athena engine version 3"
    with pytest.raises(ClientError, match="The nextPageToken is malformed: nonsense"):
        athena.list_work_groups(NextToken="nonsense")


def test_a_workgroup_that_insists_decides_where_results_go(
    athena: BaseClient, bucket: str, database: str, work_group: str
) -> None:
    own = f"s3://{bucket}/{work_group}/"
    querying = Querying(athena, database, f"s3://{bucket}/elsewhere/")
    athena.update_work_group(
        WorkGroup=work_group, ConfigurationUpdates={"ResultConfigurationUpdates": {"OutputLocation": own}}
    )
    insisted = querying.run("SELECT 1", WorkGroup=work_group)
    assert insisted["ResultConfiguration"]["OutputLocation"].startswith(own)
    athena.update_work_group(WorkGroup=work_group, ConfigurationUpdates={"EnforceWorkGroupConfiguration": False})
    asked = querying.run("SELECT 1", WorkGroup=work_group)
    assert asked["ResultConfiguration"]["OutputLocation"].startswith(querying.output)
    fallen_back = querying.run("SELECT 1", WorkGroup=work_group, ResultConfiguration={})
    assert fallen_back["ResultConfiguration"]["OutputLocation"].startswith(own)


def test_a_disabled_workgroup_starts_nothing(athena: BaseClient, bucket: str, work_group: str) -> None:
    athena.update_work_group(WorkGroup=work_group, State="DISABLED")
    with pytest.raises(ClientError, match="is disabled"):
        athena.start_query_execution(QueryString="SELECT 1", WorkGroup=work_group)
    assert athena.get_work_group(WorkGroup=work_group)["WorkGroup"]["State"] == "DISABLED"


def test_a_workgroup_that_has_been_used_is_deleted_with_all_that_is_its(athena: BaseClient, name: str) -> None:
    athena.create_work_group(Name=name)
    query = athena.create_named_query(Name=name, Database="d", QueryString="SELECT 1", WorkGroup=name)
    with pytest.raises(ClientError, match="is not empty"):
        athena.delete_work_group(WorkGroup=name)
    athena.delete_work_group(WorkGroup=name, RecursiveDeleteOption=True)
    with pytest.raises(ClientError, match=r"WorkGroup is not found\."):
        athena.get_work_group(WorkGroup=name)
    with pytest.raises(ClientError, match="does not exist"):
        athena.get_named_query(NamedQueryId=query["NamedQueryId"])


def test_workgroups_are_refused_for_what_they_are_not(athena: BaseClient, work_group: str, name: str) -> None:
    with pytest.raises(ClientError, match="WorkGroup is already created"):
        athena.create_work_group(Name=work_group)
    for configuration, message in (
        ({"EngineVersion": {"SelectedEngineVersion": "PySpark engine version 3"}}, "not supported"),
        ({"ManagedQueryResultsConfiguration": {"Enabled": True}}, "not supported"),
    ):
        with pytest.raises(ClientError, match=message):
            athena.create_work_group(Name=f"{name}-other", Configuration=configuration)
    for operation in (athena.get_work_group, athena.delete_work_group, athena.update_work_group):
        with pytest.raises(ClientError, match=r"WorkGroup is not found\."):
            operation(WorkGroup="nowhere")


def test_engine_versions_are_listed(athena: BaseClient) -> None:
    versions = athena.list_engine_versions()["EngineVersions"]
    assert {version["SelectedEngineVersion"] for version in versions} == {"AUTO", "Athena engine version 3"}


def test_tags_are_kept_of_workgroups_and_data_catalogs(athena: BaseClient, sts: BaseClient, name: str) -> None:
    account = sts.get_caller_identity()["Account"]
    athena.create_work_group(Name=name, Tags=[{"Key": "a", "Value": "1"}])
    athena.create_data_catalog(Name=name, Type="HIVE", Parameters={"metadata-function": "f"})
    try:
        for kind, tags in (("workgroup", {"a": "1"}), ("datacatalog", {})):
            arn = f"arn:aws:athena:{athena.meta.region_name}:{account}:{kind}/{name}"
            athena.tag_resource(ResourceARN=arn, Tags=[{"Key": "b", "Value": "2"}, {"Key": "c", "Value": "3"}])
            athena.untag_resource(ResourceARN=arn, TagKeys=["c"])
            found = athena.list_tags_for_resource(ResourceARN=arn)["Tags"]
            assert {tag["Key"]: tag["Value"] for tag in found} == tags | {"b": "2"}
    finally:
        athena.delete_work_group(WorkGroup=name)
        athena.delete_data_catalog(Name=name)
    with pytest.raises(ClientError) as error:
        athena.list_tags_for_resource(ResourceARN=arn)
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_named_query_is_created_read_changed_and_deleted(athena: BaseClient, work_group: str) -> None:
    query = {"Name": "n", "Description": "d", "Database": "db", "QueryString": "SELECT 1", "WorkGroup": work_group}
    query_id = athena.create_named_query(**query)["NamedQueryId"]
    assert athena.get_named_query(NamedQueryId=query_id)["NamedQuery"] == query | {"NamedQueryId": query_id}
    athena.update_named_query(NamedQueryId=query_id, Name="m", QueryString="SELECT 2")
    changed = athena.get_named_query(NamedQueryId=query_id)["NamedQuery"]
    assert (changed["Name"], changed["QueryString"], changed["Description"]) == ("m", "SELECT 2", "d")
    batch = athena.batch_get_named_query(NamedQueryIds=[query_id, "nowhere"])
    assert [each["Name"] for each in batch["NamedQueries"]] == ["m"]
    assert [each["NamedQueryId"] for each in batch["UnprocessedNamedQueryIds"]] == ["nowhere"]
    athena.delete_named_query(NamedQueryId=query_id)
    with pytest.raises(ClientError, match=f"NamedQuery {query_id} does not exist"):
        athena.get_named_query(NamedQueryId=query_id)


def test_a_token_makes_one_named_query(athena: BaseClient, work_group: str) -> None:
    query = {"Name": "n", "Database": "db", "QueryString": "SELECT 1", "WorkGroup": work_group}
    token = uuid.uuid4().hex
    first = athena.create_named_query(**query, ClientRequestToken=token)["NamedQueryId"]
    assert athena.create_named_query(**query, ClientRequestToken=token)["NamedQueryId"] == first
    with pytest.raises(ClientError, match="Idempotent parameters do not match"):
        athena.create_named_query(**query | {"Name": "m"}, ClientRequestToken=token)


def test_named_queries_are_listed_for_their_workgroup(athena: BaseClient, work_group: str) -> None:
    query = {"Database": "db", "QueryString": "SELECT 1", "WorkGroup": work_group}
    ids = [athena.create_named_query(Name=str(n), **query)["NamedQueryId"] for n in range(3)]
    pages = athena.get_paginator("list_named_queries").paginate(WorkGroup=work_group, PaginationConfig={"PageSize": 2})
    assert [query_id for page in pages for query_id in page["NamedQueryIds"]] == ids[::-1]


def test_a_data_catalog_is_created_read_changed_and_deleted(athena: BaseClient, name: str) -> None:
    athena.create_data_catalog(Name=name, Type="LAMBDA", Description="d", Parameters={"function": "f"})
    catalog = athena.get_data_catalog(Name=name)["DataCatalog"]
    assert catalog == {"Name": name, "Type": "LAMBDA", "Description": "d", "Parameters": {"function": "f"}}
    athena.update_data_catalog(Name=name, Type="LAMBDA", Parameters={"function": "g"})
    assert athena.get_data_catalog(Name=name)["DataCatalog"]["Parameters"] == {"function": "g"}
    summaries = athena.list_data_catalogs()["DataCatalogsSummary"]
    assert {"CatalogName": "AwsDataCatalog", "Type": "GLUE"} in summaries
    assert {"CatalogName": name, "Type": "LAMBDA"} in summaries
    athena.delete_data_catalog(Name=name)
    with pytest.raises(ClientError, match="was not found"):
        athena.get_data_catalog(Name=name)


def test_glue_s_catalog_is_there_with_its_databases_and_tables(
    athena: BaseClient, glue: BaseClient, database: str
) -> None:
    columns = [{"Name": "id", "Type": "bigint", "Comment": "c"}]
    glue.create_table(
        DatabaseName=database,
        TableInput={
            "Name": "t",
            "TableType": "EXTERNAL_TABLE",
            "StorageDescriptor": {"Columns": columns, "Location": "s3://b/t"},
            "PartitionKeys": [{"Name": "day", "Type": "date"}],
            "Parameters": {"a": "b"},
        },
    )
    try:
        assert athena.get_data_catalog(Name="AwsDataCatalog")["DataCatalog"]["Type"] == "GLUE"
        catalog = {"CatalogName": "AwsDataCatalog"}
        assert athena.get_database(**catalog, DatabaseName=database)["Database"]["Name"] == database
        databases = athena.get_paginator("list_databases").paginate(**catalog)
        assert database in {each["Name"] for page in databases for each in page["DatabaseList"]}
        table = athena.get_table_metadata(**catalog, DatabaseName=database, TableName="t")["TableMetadata"]
        assert (table["TableType"], table["Columns"]) == ("EXTERNAL_TABLE", columns)
        assert table["PartitionKeys"] == [{"Name": "day", "Type": "date"}]
        assert table["Parameters"] == {"a": "b", "location": "s3://b/t"}
        for expression, names in (("t", ["t"]), ("nothing", [])):
            found = athena.list_table_metadata(**catalog, DatabaseName=database, Expression=expression)
            assert [each["Name"] for each in found["TableMetadataList"]] == names
        for missing in (
            lambda: athena.get_database(**catalog, DatabaseName="nowhere"),
            lambda: athena.get_table_metadata(**catalog, DatabaseName=database, TableName="nowhere"),
            lambda: athena.list_table_metadata(**catalog, DatabaseName="nowhere"),
        ):
            with pytest.raises(ClientError, match="not found") as error:
                missing()
            assert error.value.response["Error"]["Code"] == "MetadataException"
    finally:
        glue.delete_table(DatabaseName=database, Name="t")


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("create_prepared_statement", {"StatementName": "s", "WorkGroup": "primary", "QueryStatement": "SELECT 1"}),
        ("create_capacity_reservation", {"Name": "c", "TargetDpus": 24}),
        ("list_notebook_metadata", {"WorkGroup": "primary"}),
    ],
)
def test_what_is_not_supported_answers_501(athena: BaseClient, operation: str, arguments: dict[str, object]) -> None:
    with pytest.raises(ClientError, match="is not supported") as error:
        getattr(athena, operation)(**arguments)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
