"""A call whose answer was lost is answered again, and not carried out twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.client import BaseClient
from conftest import random_name, refused


@contextmanager
def tries_of_one_call(client: BaseClient) -> Iterator[None]:
    """All calls in the block are tries of one: an SDK gives them one id."""
    one = str(uuid4())

    def name(request: Any, **_: Any) -> None:
        del request.headers["amz-sdk-invocation-id"]
        request.headers["amz-sdk-invocation-id"] = one

    client.meta.events.register("before-send", name)
    try:
        yield
    finally:
        client.meta.events.unregister("before-send", name)


@pytest.fixture
def glue(aws: boto3.Session) -> BaseClient:
    return aws.client("glue")


def test_who_tries_again_has_created_it_once(glue: BaseClient) -> None:
    database = {"DatabaseInput": {"Name": random_name()}}
    with tries_of_one_call(glue):
        first, second = (glue.create_database(**database)["ResponseMetadata"] for _ in range(2))
    assert first["RequestId"] == second["RequestId"]
    with refused("AlreadyExistsException"):
        glue.create_database(**database)


def test_what_was_refused_is_tried_again(glue: BaseClient) -> None:
    name = random_name()
    with tries_of_one_call(glue):
        with refused("EntityNotFoundException"):
            glue.delete_database(Name=name)
        other = boto3.Session().client("glue")
        other.create_database(DatabaseInput={"Name": name})
        glue.delete_database(Name=name)
    with refused("EntityNotFoundException"):
        glue.get_database(Name=name)


def test_what_localstack_answers_itself_is_not_done_twice_either(aws: boto3.Session) -> None:
    iam, name = aws.client("iam"), random_name()
    with tries_of_one_call(iam):
        for _ in range(2):
            iam.create_group(GroupName=name)
    with refused("EntityAlreadyExists"):
        iam.create_group(GroupName=name)
