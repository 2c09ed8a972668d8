"""Glue's table optimizers."""

from typing import Any

import pytest
from botocore.client import BaseClient
from conftest import refused

CONFIGURATION = {"roleArn": "arn:aws:iam::000000000000:role/optimizer", "enabled": True}
RETENTION = CONFIGURATION | {
    "retentionConfiguration": {
        "icebergConfiguration": {
            "snapshotRetentionPeriodInDays": 7,
            "numberOfSnapshotsToRetain": 1,
            "cleanExpiredFiles": True,
        }
    }
}


@pytest.fixture
def where(glue: BaseClient, sts: BaseClient, bucket: str, database: str) -> dict[str, str]:
    """An Iceberg table."""
    glue.create_table(
        DatabaseName=database,
        TableInput={
            "Name": "t",
            "StorageDescriptor": {
                "Columns": [{"Name": "id", "Type": "int"}],
                "Location": f"s3://{bucket}/{database}/t",
            },
        },
        OpenTableFormatInput={"IcebergInput": {"MetadataOperation": "CREATE"}},
    )
    return {"CatalogId": sts.get_caller_identity()["Account"], "DatabaseName": database, "TableName": "t"}


def configuration_of(glue: BaseClient, where: dict[str, str], kind: str) -> dict[str, Any]:
    configuration: dict[str, Any] = glue.get_table_optimizer(**where, Type=kind)["TableOptimizer"]["configuration"]
    return configuration


def test_an_optimizer_is_created_read_updated_and_deleted(glue: BaseClient, where: dict[str, str]) -> None:
    retention = {**where, "Type": "retention"}
    glue.create_table_optimizer(**retention, TableOptimizerConfiguration=RETENTION)
    assert configuration_of(glue, where, "retention") == RETENTION
    with refused("AlreadyExistsException"):
        glue.create_table_optimizer(**retention, TableOptimizerConfiguration=RETENTION)
    glue.update_table_optimizer(**retention, TableOptimizerConfiguration=RETENTION | {"enabled": False})
    assert configuration_of(glue, where, "retention")["enabled"] is False
    assert glue.list_table_optimizer_runs(**retention)["TableOptimizerRuns"] == []
    glue.delete_table_optimizer(**retention)
    for operation in (glue.get_table_optimizer, glue.delete_table_optimizer, glue.list_table_optimizer_runs):
        with refused("EntityNotFoundException"):
            operation(**retention)
    with refused("EntityNotFoundException"):
        glue.update_table_optimizer(**retention, TableOptimizerConfiguration=RETENTION)


def test_a_table_has_an_optimizer_of_each_type(glue: BaseClient, where: dict[str, str]) -> None:
    kinds = ["compaction", "retention", "orphan_file_deletion"]
    for kind in kinds[:2]:
        glue.create_table_optimizer(**where, Type=kind, TableOptimizerConfiguration=CONFIGURATION)
    entries = [{key[0].lower() + key[1:]: value for key, value in where.items()} | {"type": kind} for kind in kinds]
    found = glue.batch_get_table_optimizer(Entries=entries)
    assert [each["tableOptimizer"]["type"] for each in found["TableOptimizers"]] == kinds[:2]
    assert [(each["type"], each["error"]["ErrorCode"]) for each in found["Failures"]] == [
        ("orphan_file_deletion", "EntityNotFoundException")
    ]


def test_optimizers_go_with_their_table(glue: BaseClient, where: dict[str, str]) -> None:
    glue.create_table_optimizer(**where, Type="compaction", TableOptimizerConfiguration=CONFIGURATION)
    glue.delete_table(DatabaseName=where["DatabaseName"], Name="t")
    with refused("EntityNotFoundException"):
        glue.get_table_optimizer(**where, Type="compaction")


def test_only_iceberg_tables_are_optimized(glue: BaseClient, where: dict[str, str]) -> None:
    glue.create_table(DatabaseName=where["DatabaseName"], TableInput={"Name": "hive"})
    with refused("InvalidInputException"):
        glue.create_table_optimizer(
            **where | {"TableName": "hive"}, Type="compaction", TableOptimizerConfiguration=CONFIGURATION
        )
