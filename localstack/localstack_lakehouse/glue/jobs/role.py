"""A job's own role, and what it may do with it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

from botocore.exceptions import ClientError
from localstack.aws.connect import ServiceLevelClientFactory, connect_externally_to, connect_to

from .exceptions import LaunchError

GLUE = "glue.amazonaws.com"
SESSION = "GlueJobRunnerSession"
HOURS = 12

Credentials = Mapping[str, str]


def assume(role: str, account: str, region: str) -> Credentials:
    """Credentials of the role, a name or an ARN, as Glue gets them."""
    aws = connect_to(aws_access_key_id=account, region_name=region)
    try:
        found = aws.iam.get_role(RoleName=role.rpartition("/")[2])["Role"]
    except ClientError:
        raise _refused(role) from None
    if not any(map(_trusts_glue, _statements(found["AssumeRolePolicyDocument"]))):
        raise _refused(role)
    session: Credentials = aws.sts.assume_role(
        RoleArn=found["Arn"], RoleSessionName=SESSION, DurationSeconds=HOURS * 3600
    )["Credentials"]
    return session


def clients(credentials: Credentials, region: str, endpoint: str) -> ServiceLevelClientFactory:
    """Clients that call as the role."""
    return connect_externally_to(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name=region,
        endpoint_url=endpoint,
    )


def environment(credentials: Credentials, region: str, endpoint: str) -> dict[str, str]:
    """What AWS's SDKs find in a job's environment: the role and the emulator, and nothing of the host's."""
    return {
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _refused(role: str) -> LaunchError:
    return LaunchError(f"Role {role} should be given assume role permissions for Glue Service.")


def _statements(policy: str | Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    document = json.loads(unquote(policy)) if isinstance(policy, str) else policy
    yield from _listed(document["Statement"])


def _trusts_glue(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal", {})
    services = ["*"] if principal == "*" else _listed(principal.get("Service", []))
    return (
        statement["Effect"] == "Allow"
        and not {GLUE, "*"}.isdisjoint(services)
        and not {"sts:AssumeRole", "sts:*", "*"}.isdisjoint(_listed(statement["Action"]))
    )


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
