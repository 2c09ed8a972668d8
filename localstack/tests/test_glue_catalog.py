"""Glue's Data Catalog: databases, tables, versions, partitions, tags."""

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from conftest import random_name, refused
from pyiceberg.catalog import load_catalog
from pyiceberg.catalog.glue import GlueCatalog

COLUMNS = [{"Name": "id", "Type": "bigint", "Comment": "the key"}, {"Name": "name", "Type": "string"}]
DAYS = [{"Name": "year", "Type": "int"}, {"Name": "month", "Type": "string"}]


def table(name: str, location: str = "s3://somewhere/t", **others: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": {"Columns": COLUMNS, "Location": location},
        **others,
    }


@pytest.fixture
def plain(glue: BaseClient, database: str) -> str:
    """A table without partitions."""
    glue.create_table(DatabaseName=database, TableInput=table("plain", Description="first"))
    return "plain"


@pytest.fixture
def days(glue: BaseClient, database: str) -> str:
    """A table with partitions."""
    glue.create_table(DatabaseName=database, TableInput=table("days", PartitionKeys=DAYS))
    return "days"


# databases


def test_a_database_is_created_read_updated_and_deleted(glue: BaseClient, name: str) -> None:
    glue.create_database(DatabaseInput={"Name": name, "Description": "first", "Parameters": {"owner": "us"}})
    assert glue.get_database(Name=name)["Database"]["Parameters"] == {"owner": "us"}
    glue.update_database(Name=name, DatabaseInput={"Name": name, "Description": "second"})
    assert glue.get_database(Name=name)["Database"]["Description"] == "second"
    glue.delete_database(Name=name)
    with refused("EntityNotFoundException"):
        glue.get_database(Name=name)


def test_names_are_folded_to_lower_case(glue: BaseClient, name: str) -> None:
    glue.create_database(DatabaseInput={"Name": name.upper()})
    glue.create_table(DatabaseName=name, TableInput=table("Mixed"))
    assert glue.get_database(Name=name)["Database"]["Name"] == name
    assert glue.get_table(DatabaseName=name.upper(), Name="MIXED")["Table"]["Name"] == "mixed"


def test_a_database_exists_once(glue: BaseClient, database: str) -> None:
    with refused("AlreadyExistsException"):
        glue.create_database(DatabaseInput={"Name": database})


def test_a_database_goes_with_its_tables(glue: BaseClient, name: str) -> None:
    glue.create_database(DatabaseInput={"Name": name})
    glue.create_table(DatabaseName=name, TableInput=table("t"))
    glue.delete_database(Name=name)
    glue.create_database(DatabaseInput={"Name": name})
    assert glue.get_tables(DatabaseName=name)["TableList"] == []


@pytest.mark.parametrize("operation", ["get_database", "delete_database"])
def test_a_database_that_is_not_there(glue: BaseClient, name: str, operation: str) -> None:
    with refused("EntityNotFoundException"):
        getattr(glue, operation)(Name=name)


def test_a_database_that_is_not_there_cannot_be_updated(glue: BaseClient, name: str) -> None:
    with refused("EntityNotFoundException"):
        glue.update_database(Name=name, DatabaseInput={"Name": name})


def test_databases_come_in_pages(glue: BaseClient) -> None:
    names = {random_name() for _ in range(5)}
    for name in names:
        glue.create_database(DatabaseInput={"Name": name})
    pages = list(glue.get_paginator("get_databases").paginate(PaginationConfig={"PageSize": 2}))
    assert all(len(page["DatabaseList"]) <= 2 for page in pages)
    assert names <= {database["Name"] for page in pages for database in page["DatabaseList"]}


def test_a_token_that_nobody_gave_is_refused(glue: BaseClient) -> None:
    with refused("InvalidInputException"):
        glue.get_databases(NextToken="nonsense")


def test_a_database_has_tags(glue: BaseClient, sts: BaseClient, name: str) -> None:
    account = sts.get_caller_identity()["Account"]
    arn = f"arn:aws:glue:{glue.meta.region_name}:{account}:database/{name}"
    glue.create_database(DatabaseInput={"Name": name}, Tags={"team": "a"})
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"team": "a"}
    glue.tag_resource(ResourceArn=arn, TagsToAdd={"cost": "b"})
    glue.untag_resource(ResourceArn=arn, TagsToRemove=["team"])
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {"cost": "b"}
    glue.delete_database(Name=name)
    assert glue.get_tags(ResourceArn=arn)["Tags"] == {}


# tables


def test_a_table_is_created_read_and_deleted(glue: BaseClient, database: str, plain: str) -> None:
    found = glue.get_table(DatabaseName=database, Name=plain)["Table"]
    assert (found["DatabaseName"], found["Description"]) == (database, "first")
    assert found["StorageDescriptor"]["Columns"] == COLUMNS
    glue.delete_table(DatabaseName=database, Name=plain)
    with refused("EntityNotFoundException"):
        glue.get_table(DatabaseName=database, Name=plain)


def test_a_table_exists_once(glue: BaseClient, database: str, plain: str) -> None:
    with refused("AlreadyExistsException"):
        glue.create_table(DatabaseName=database, TableInput=table(plain))


@pytest.mark.parametrize("operation", ["get_table", "delete_table"])
def test_a_table_that_is_not_there(glue: BaseClient, database: str, operation: str) -> None:
    with refused("EntityNotFoundException"):
        getattr(glue, operation)(DatabaseName=database, Name="nowhere")


def test_a_table_needs_its_database(glue: BaseClient, name: str) -> None:
    with refused("EntityNotFoundException"):
        glue.create_table(DatabaseName=name, TableInput=table("t"))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (None, {"a_1", "a_2", "b"}),
        ("a_1", {"a_1"}),
        ("a*", {"a_1", "a_2"}),
        ("a.*", {"a_1", "a_2"}),
        ("*_2", {"a_2"}),
        ("[ab]", {"b"}),
        ("a_1|b", {"a_1", "b"}),
        ("a", set()),
    ],
)
def test_tables_are_selected_by_pattern(
    glue: BaseClient, database: str, expression: str | None, expected: set[str]
) -> None:
    for name in ("a_1", "a_2", "b"):
        glue.create_table(DatabaseName=database, TableInput=table(name))
    selection = {"Expression": expression} if expression else {}
    found = glue.get_tables(DatabaseName=database, **selection)["TableList"]
    assert {each["Name"] for each in found} == expected


def test_a_pattern_that_is_none_is_refused(glue: BaseClient, database: str) -> None:
    with refused("InvalidInputException"):
        glue.get_tables(DatabaseName=database, Expression="a(")


def test_tables_come_in_pages(glue: BaseClient, database: str) -> None:
    for number in range(5):
        glue.create_table(DatabaseName=database, TableInput=table(f"t{number}"))
    paginator = glue.get_paginator("get_tables")
    pages = list(paginator.paginate(DatabaseName=database, PaginationConfig={"PageSize": 2}))
    assert [len(page["TableList"]) for page in pages] == [2, 2, 1]
    assert {each["Name"] for page in pages for each in page["TableList"]} == {f"t{number}" for number in range(5)}


def test_several_tables_are_deleted_and_the_missing_one_is_named(glue: BaseClient, database: str, plain: str) -> None:
    errors = glue.batch_delete_table(DatabaseName=database, TablesToDelete=[plain, "nowhere"])["Errors"]
    assert [error["TableName"] for error in errors] == ["nowhere"]
    assert errors[0]["ErrorDetail"]["ErrorCode"] == "EntityNotFoundException"
    assert glue.get_tables(DatabaseName=database)["TableList"] == []


# versions


def version_of(glue: BaseClient, database: str, name: str) -> str:
    version: str = glue.get_table(DatabaseName=database, Name=name)["Table"]["VersionId"]
    return version


def versions_of(glue: BaseClient, database: str, name: str) -> list[str]:
    versions = glue.get_table_versions(DatabaseName=database, TableName=name)["TableVersions"]
    return [version["VersionId"] for version in versions]


def test_an_update_makes_a_version_and_keeps_the_old_one(glue: BaseClient, database: str, plain: str) -> None:
    old = version_of(glue, database, plain)
    glue.update_table(DatabaseName=database, TableInput=table(plain, Description="second"))
    new = version_of(glue, database, plain)
    assert versions_of(glue, database, plain) == [new, old]
    archived = glue.get_table_version(DatabaseName=database, TableName=plain, VersionId=old)["TableVersion"]["Table"]
    current = glue.get_table_version(DatabaseName=database, TableName=plain)["TableVersion"]["Table"]
    assert (archived["Description"], current["Description"]) == ("first", "second")


def test_an_update_can_skip_the_archive(glue: BaseClient, database: str, plain: str) -> None:
    glue.update_table(DatabaseName=database, TableInput=table(plain), SkipArchive=True)
    assert versions_of(glue, database, plain) == [version_of(glue, database, plain)]


def test_an_update_of_a_version_that_is_not_current_is_refused(glue: BaseClient, database: str, plain: str) -> None:
    old = version_of(glue, database, plain)
    glue.update_table(DatabaseName=database, TableInput=table(plain, Description="theirs"), VersionId=old)
    with refused("ConcurrentModificationException"):
        glue.update_table(DatabaseName=database, TableInput=table(plain, Description="ours"), VersionId=old)
    assert glue.get_table(DatabaseName=database, Name=plain)["Table"]["Description"] == "theirs"


def test_a_table_that_is_not_there_cannot_be_updated(glue: BaseClient, database: str) -> None:
    with refused("EntityNotFoundException"):
        glue.update_table(DatabaseName=database, TableInput=table("nowhere"))


def test_versions_come_in_pages(glue: BaseClient, database: str, plain: str) -> None:
    for _ in range(4):
        glue.update_table(DatabaseName=database, TableInput=table(plain))
    paginator = glue.get_paginator("get_table_versions")
    pages = list(paginator.paginate(DatabaseName=database, TableName=plain, PaginationConfig={"PageSize": 2}))
    assert [len(page["TableVersions"]) for page in pages] == [2, 2, 1]


def test_archived_versions_are_deleted_and_the_current_one_never(glue: BaseClient, database: str, plain: str) -> None:
    for _ in range(3):
        glue.update_table(DatabaseName=database, TableInput=table(plain))
    current, *archived = versions_of(glue, database, plain)
    glue.delete_table_version(DatabaseName=database, TableName=plain, VersionId=archived.pop())
    where = {"DatabaseName": database, "TableName": plain}
    errors = glue.batch_delete_table_version(**where, VersionIds=[*archived, current, "999"])["Errors"]
    assert {error["VersionId"]: error["ErrorDetail"]["ErrorCode"] for error in errors} == {
        current: "InvalidInputException",
        "999": "EntityNotFoundException",
    }
    assert versions_of(glue, database, plain) == [current]
    with refused("EntityNotFoundException"):
        glue.get_table_version(**where, VersionId="999")


def test_two_clients_racing_one_table_lose_no_commit_in_100_rounds(glue: BaseClient, database: str, plain: str) -> None:
    def commit(writer: str) -> bool:
        version = version_of(glue, database, plain)
        together.wait()
        try:
            update = table(plain, Description=writer)
            glue.update_table(DatabaseName=database, TableInput=update, VersionId=version, SkipArchive=True)
        except glue.exceptions.ConcurrentModificationException:
            return False
        return True

    together = Barrier(2)
    with ThreadPoolExecutor(2) as clients:
        for _ in range(100):
            won = dict(zip("ab", clients.map(commit, "ab"), strict=True))
            assert sorted(won.values()) == [False, True]
            (winner,) = (writer for writer, result in won.items() if result)
            assert glue.get_table(DatabaseName=database, Name=plain)["Table"]["Description"] == winner


# partitions


def partition(*values: str) -> dict[str, Any]:
    return {"Values": list(values), "StorageDescriptor": {"Location": f"s3://somewhere/days/{'/'.join(values)}"}}


def values_of(partitions: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    return {tuple(each["Values"]) for each in partitions}


@pytest.fixture
def three(glue: BaseClient, database: str, days: str) -> dict[str, str]:
    """Where three partitions are."""
    where = {"DatabaseName": database, "TableName": days}
    months = [partition("2023", "dec"), partition("2024", "jan"), partition("2024", "feb")]
    assert glue.batch_create_partition(**where, PartitionInputList=months)["Errors"] == []
    return where


def test_a_partition_is_created_read_updated_and_deleted(glue: BaseClient, database: str, days: str) -> None:
    where = {"DatabaseName": database, "TableName": days}
    glue.create_partition(**where, PartitionInput=partition("2024", "jan"))
    found = glue.get_partition(**where, PartitionValues=["2024", "jan"])["Partition"]
    assert found["StorageDescriptor"]["Location"] == "s3://somewhere/days/2024/jan"
    glue.update_partition(**where, PartitionValueList=["2024", "jan"], PartitionInput=partition("2025", "may"))
    glue.delete_partition(**where, PartitionValues=["2025", "may"])
    assert glue.get_partitions(**where)["Partitions"] == []


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("year > 2023", {("2024", "jan"), ("2024", "feb")}),
        ("year = 2024 AND month = 'jan'", {("2024", "jan")}),
        ("month IN ('dec', 'feb')", {("2023", "dec"), ("2024", "feb")}),
        ("month LIKE '%e%'", {("2023", "dec"), ("2024", "feb")}),
    ],
)
def test_partitions_are_selected_by_expression(
    glue: BaseClient, three: dict[str, str], expression: str, expected: set[tuple[str, ...]]
) -> None:
    assert values_of(glue.get_partitions(**three, Expression=expression)["Partitions"]) == expected


def test_an_expression_that_is_none_is_refused(glue: BaseClient, three: dict[str, str]) -> None:
    with refused("InvalidInputException"):
        glue.get_partitions(**three, Expression="year >")


def test_partitions_come_in_pages(glue: BaseClient, three: dict[str, str]) -> None:
    pages = list(glue.get_paginator("get_partitions").paginate(**three, PaginationConfig={"PageSize": 2}))
    assert [len(page["Partitions"]) for page in pages] == [2, 1]


def test_a_partition_exists_once_and_fits_its_keys(glue: BaseClient, three: dict[str, str]) -> None:
    with refused("AlreadyExistsException"):
        glue.create_partition(**three, PartitionInput=partition("2024", "jan"))
    with refused("InvalidInputException"):
        glue.create_partition(**three, PartitionInput=partition("2024"))


def test_a_partition_never_takes_anothers_place(glue: BaseClient, three: dict[str, str]) -> None:
    with refused("AlreadyExistsException"):
        glue.update_partition(**three, PartitionValueList=["2023", "dec"], PartitionInput=partition("2024", "jan"))
    assert len(glue.get_partitions(**three)["Partitions"]) == 3


@pytest.mark.parametrize("operation", ["get_partition", "delete_partition"])
def test_a_partition_that_is_not_there(glue: BaseClient, three: dict[str, str], operation: str) -> None:
    with refused("EntityNotFoundException"):
        getattr(glue, operation)(**three, PartitionValues=["1999", "jan"])


def test_batches_do_what_they_can_and_tell_the_rest(glue: BaseClient, three: dict[str, str]) -> None:
    created = glue.batch_create_partition(
        **three, PartitionInputList=[partition("2024", "jan"), partition("2025", "mar")]
    )
    updated = glue.batch_update_partition(
        **three,
        Entries=[
            {"PartitionValueList": ["2023", "dec"], "PartitionInput": partition("2023", "nov")},
            {"PartitionValueList": ["1999", "jan"], "PartitionInput": partition("1999", "feb")},
        ],
    )
    deleted = glue.batch_delete_partition(
        **three, PartitionsToDelete=[{"Values": ["2024", "feb"]}, {"Values": ["1999", "jan"]}]
    )
    assert [error["PartitionValues"] for error in created["Errors"]] == [["2024", "jan"]]
    assert [error["PartitionValueList"] for error in updated["Errors"]] == [["1999", "jan"]]
    assert [error["PartitionValues"] for error in deleted["Errors"]] == [["1999", "jan"]]
    wanted = [{"Values": [year, month]} for year, month in [("2023", "nov"), ("2024", "jan"), ("2024", "feb")]]
    found = glue.batch_get_partition(**three, PartitionsToGet=wanted)["Partitions"]
    assert values_of(found) == {("2023", "nov"), ("2024", "jan")}


def test_partition_indexes(glue: BaseClient, database: str, days: str) -> None:
    where = {"DatabaseName": database, "TableName": days}
    index = {"IndexName": "by_year", "Keys": ["year"]}
    glue.create_partition_index(**where, PartitionIndex=index)
    with refused("AlreadyExistsException"):
        glue.create_partition_index(**where, PartitionIndex=index)
    with refused("InvalidInputException"):
        glue.create_partition_index(**where, PartitionIndex={"IndexName": "other", "Keys": ["nothing"]})
    assert glue.get_partition_indexes(**where)["PartitionIndexDescriptorList"] == [
        {"IndexName": "by_year", "Keys": [{"Name": "year", "Type": "int"}], "IndexStatus": "ACTIVE"}
    ]
    glue.delete_partition_index(**where, IndexName="by_year")
    with refused("EntityNotFoundException"):
        glue.delete_partition_index(**where, IndexName="by_year")


def test_a_table_is_created_with_its_partition_indexes(glue: BaseClient, database: str) -> None:
    glue.create_table(
        DatabaseName=database,
        TableInput=table("t", PartitionKeys=DAYS),
        PartitionIndexes=[{"IndexName": "by_month", "Keys": ["month"]}],
    )
    indexes = glue.get_partition_indexes(DatabaseName=database, TableName="t")["PartitionIndexDescriptorList"]
    assert [index["IndexName"] for index in indexes] == ["by_month"]


# Iceberg

ICEBERG = {"IcebergInput": {"MetadataOperation": "CREATE", "Version": "2"}}


@pytest.fixture(scope="session")
def pyiceberg(endpoint: str, aws: boto3.Session) -> GlueCatalog:
    endpoints = {"glue.endpoint": endpoint, "s3.endpoint": endpoint, "s3.region": aws.region_name}
    catalog = load_catalog("glue", type="glue", **endpoints)
    assert isinstance(catalog, GlueCatalog)
    return catalog


def test_a_table_created_as_iceberg_is_loadable_at_once(
    glue: BaseClient, pyiceberg: GlueCatalog, bucket: str, database: str
) -> None:
    location = f"s3://{bucket}/{database}/events"
    columns = [
        {"Name": "id", "Type": "bigint", "Comment": "the key"},
        {"Name": "at", "Type": "timestamp"},
        {"Name": "price", "Type": "decimal(10,2)"},
        {"Name": "tags", "Type": "map<string,array<string>>"},
        {"Name": "place", "Type": "struct<lat:double,lon:double,day:date>"},
    ]
    definition = table("events", location, Parameters={"team": "a"})
    definition["StorageDescriptor"]["Columns"] = columns
    glue.create_table(DatabaseName=database, TableInput=definition, OpenTableFormatInput=ICEBERG)

    found = glue.get_table(DatabaseName=database, Name="events")["Table"]
    assert (found["Parameters"]["table_type"], found["Parameters"]["team"]) == ("ICEBERG", "a")
    assert found["Parameters"]["metadata_location"].startswith(f"{location}/metadata/00000-")
    assert found["StorageDescriptor"]["Columns"] == columns

    events = pyiceberg.load_table(f"{database}.events")
    assert (events.location(), events.format_version, events.current_snapshot()) == (location, 2, None)
    assert events.schema().find_field("id").doc == "the key"
    assert [str(field.field_type) for field in events.schema().fields] == [
        "long",
        "timestamp",
        "decimal(10, 2)",
        "map<string, list<string>>",
        "struct<9: lat: optional double, 10: lon: optional double, 11: day: optional date>",
    ]


def test_a_table_is_created_from_a_description_of_iceberg(
    glue: BaseClient, pyiceberg: GlueCatalog, bucket: str, database: str
) -> None:
    description = {
        "Location": f"s3://{bucket}/{database}/described",
        "Schema": {
            "Fields": [
                {"Id": 1, "Name": "id", "Type": "long", "Required": True, "Doc": "the key"},
                {"Id": 2, "Name": "at", "Type": "timestamptz", "Required": False},
                {
                    "Id": 3,
                    "Name": "tags",
                    "Type": {"type": "list", "element-id": 4, "element": "string", "element-required": False},
                    "Required": False,
                },
            ]
        },
        "PartitionSpec": {"Fields": [{"SourceId": 2, "Transform": "day", "Name": "day"}]},
        "WriteOrder": {
            "OrderId": 1,
            "Fields": [{"SourceId": 1, "Transform": "identity", "Direction": "asc", "NullOrder": "nulls-first"}],
        },
        "Properties": {"write.format.default": "parquet"},
    }
    iceberg = {"IcebergInput": {"MetadataOperation": "CREATE", "CreateIcebergTableInput": description}}
    glue.create_table(DatabaseName=database, Name="described", OpenTableFormatInput=iceberg)

    described = pyiceberg.load_table(f"{database}.described")
    assert [field.name for field in described.schema().fields] == ["id", "at", "tags"]
    assert [str(field.transform) for field in described.spec().fields] == ["day"]
    assert [field.source_id for field in described.sort_order().fields] == [1]
    assert described.properties["write.format.default"] == "parquet"
    columns = glue.get_table(DatabaseName=database, Name="described")["Table"]["StorageDescriptor"]["Columns"]
    assert [column["Type"] for column in columns] == ["bigint", "timestamp", "array<string>"]


@pytest.mark.parametrize(
    "storage",
    [
        {"Columns": COLUMNS},
        {"Columns": [{"Name": "odd", "Type": "uniontype<int,string>"}], "Location": "s3://somewhere/t"},
        {"Columns": COLUMNS, "Location": "s3://no-such-bucket-anywhere/t"},
        {"Columns": COLUMNS, "Location": "nowhere"},
    ],
    ids=["no location", "no such type", "no such bucket", "not in s3"],
)
def test_a_table_that_cannot_be_iceberg_is_not_created(
    glue: BaseClient, database: str, storage: dict[str, Any]
) -> None:
    definition = table("odd") | {"StorageDescriptor": storage}
    with refused("InvalidInputException"):
        glue.create_table(DatabaseName=database, TableInput=definition, OpenTableFormatInput=ICEBERG)
    assert glue.get_tables(DatabaseName=database)["TableList"] == []


def test_a_refused_table_writes_no_metadata(glue: BaseClient, s3: BaseClient, bucket: str, database: str) -> None:
    definition = table("t", f"s3://{bucket}/{database}/t")
    glue.create_table(DatabaseName=database, TableInput=definition, OpenTableFormatInput=ICEBERG)
    with refused("AlreadyExistsException"):
        glue.create_table(DatabaseName=database, TableInput=definition, OpenTableFormatInput=ICEBERG)
    (written,) = s3.list_objects_v2(Bucket=bucket, Prefix=f"{database}/t/")["Contents"]
    assert json.load(s3.get_object(Bucket=bucket, Key=written["Key"])["Body"])["format-version"] == 2


# what moto keeps


def test_registries_and_schemas(glue: BaseClient, name: str) -> None:
    glue.create_registry(RegistryName=name)
    definition = '{"type": "record", "name": "r", "fields": [{"name": "f", "type": "string"}]}'
    schema = {"RegistryName": name, "SchemaName": "s"}
    glue.create_schema(
        RegistryId={"RegistryName": name},
        SchemaName="s",
        DataFormat="AVRO",
        Compatibility="NONE",
        SchemaDefinition=definition,
    )
    version = glue.get_schema_version(SchemaId=schema, SchemaVersionNumber={"LatestVersion": True})
    assert version["SchemaDefinition"] == definition
    glue.delete_registry(RegistryId={"RegistryName": name})


def test_a_resource_policy(glue: BaseClient) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    glue.put_resource_policy(PolicyInJson=policy)
    assert glue.get_resource_policy()["PolicyInJson"] == policy
    glue.delete_resource_policy()


def test_crawlers_answer_501(glue: BaseClient) -> None:
    with pytest.raises(ClientError, match=r"glue\.StartCrawler") as error:
        glue.start_crawler(Name="c")
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
