"""Glue's security configurations."""

from botocore.client import BaseClient
from conftest import random_name, refused

ENCRYPTION = {
    "S3Encryption": [{"S3EncryptionMode": "SSE-KMS", "KmsKeyArn": "arn:aws:kms:us-east-1:000000000000:key/k"}],
    "CloudWatchEncryption": {"CloudWatchEncryptionMode": "DISABLED"},
    "JobBookmarksEncryption": {"JobBookmarksEncryptionMode": "DISABLED"},
}


def test_a_security_configuration_is_created_read_and_deleted(glue: BaseClient, name: str) -> None:
    created = glue.create_security_configuration(Name=name, EncryptionConfiguration=ENCRYPTION)
    found = glue.get_security_configuration(Name=name)["SecurityConfiguration"]
    assert found == {
        "Name": name,
        "CreatedTimeStamp": created["CreatedTimestamp"],
        "EncryptionConfiguration": ENCRYPTION,
    }
    with refused("AlreadyExistsException"):
        glue.create_security_configuration(Name=name, EncryptionConfiguration=ENCRYPTION)
    glue.delete_security_configuration(Name=name)
    with refused("EntityNotFoundException"):
        glue.get_security_configuration(Name=name)
    with refused("EntityNotFoundException"):
        glue.delete_security_configuration(Name=name)


def test_security_configurations_come_in_pages(glue: BaseClient) -> None:
    names = {random_name() for _ in range(3)}
    for each in names:
        glue.create_security_configuration(Name=each, EncryptionConfiguration=ENCRYPTION)
    pages = glue.get_paginator("get_security_configurations").paginate(PaginationConfig={"PageSize": 2})
    found = [page["SecurityConfigurations"] for page in pages]
    assert all(len(page) <= 2 for page in found)
    assert names <= {each["Name"] for page in found for each in page}
