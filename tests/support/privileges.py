"""What a role may do, by its policies, and what it did, by the server's log of requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

#: What the jobs' roles may do though no emulator shows them do it, and who does it on AWS.
UNSEEN = {
    # S3 and Secrets Manager call KMS in the name of who calls them.
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
    # https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
    "kms:Decrypt",
    "kms:GenerateDataKey",
    # Glue writes a job's logs and metrics in the name of the job.
    # https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
    # https://docs.aws.amazon.com/glue/latest/dg/monitoring-awsglue-with-cloudwatch-metrics.html
    "logs:AssociateKmsKey",
    "logs:CreateLogGroup",
    "cloudwatch:PutMetricData",
    # Large files are uploaded in parts, and aborted when that fails.
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
    "s3:AbortMultipartUpload",
}
#: Actions for which AWS has no resources.
# https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
WITHOUT_RESOURCES = {"cloudwatch:PutMetricData"}


@dataclass(frozen=True)
class Call:
    """An action of AWS on a resource; of a list of objects, the prefix that it asks for."""

    action: str
    resource: str
    prefix: str | None = None


@dataclass(frozen=True)
class Grant:
    """An action, the resources that it is allowed on, and the prefixes of lists, if not all."""

    action: str
    resources: frozenset[str]
    prefixes: frozenset[str] = frozenset("*")

    def allows(self, call: Call) -> bool:
        """Whether it allows the call, as IAM matches: actions in any case, resources by * and ?."""
        return (
            self.action.lower() == call.action.lower()
            and any(fnmatchcase(call.resource, pattern.replace("[", "[[]")) for pattern in self.resources)
            and any(
                # A condition on a key that the request does not have is not met.
                pattern == "*" or (call.prefix is not None and fnmatchcase(call.prefix, pattern.replace("[", "[[]")))
                for pattern in self.prefixes
            )
        )


def grants(iam: Any, role: str) -> list[Grant]:
    """What the role's own policies allow; it has no others."""
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = (iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names)
    return [
        Grant(action, frozenset(listed(statement["Resource"])), _prefixes(statement))
        for document in documents
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
    ]


def calls(requests: Iterable[Mapping[str, Any]], role: str) -> set[Call]:
    """What the role did."""
    own = [request for request in requests if f":assumed-role/{role}/" in request["principal"]]
    did = {
        Call(request["action"], resource, request["context"].get("s3:prefix"))
        for request in own
        for resource in request["resource"] or ["unknown"]
    }
    # That an object is not there S3 tells only to who may list the bucket, and there is no prefix in the request.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
    missing = [request for request in own if request["status"] == 404 and request["action"] == "s3:GetObject"]
    return did | {
        Call("s3:ListBucket", resource.partition("/")[0]) for each in missing for resource in each["resource"]
    }


def _prefixes(statement: Mapping[str, Any]) -> frozenset[str]:
    likes = statement.get("Condition", {}).get("StringLike", {})
    return frozenset(listed(likes.get("s3:prefix", "*")))


def refused(grants: Iterable[Grant], calls: Iterable[Call]) -> set[Call]:
    """The calls that no policy allows."""
    allowed = list(grants)
    return {call for call in calls if not any(grant.allows(call) for grant in allowed)}


def unused(grants: Iterable[Grant], calls: Iterable[Call]) -> set[str]:
    """The actions that are allowed and in none of the calls, nor such as no emulator shows."""
    return {grant.action for grant in grants} - {call.action for call in calls} - UNSEEN


def too_wide(grants: Iterable[Grant]) -> set[Grant]:
    """Any action or any resource, where AWS has narrower ones."""
    return {g for g in grants if "*" in g.action or ("*" in g.resources and g.action not in WITHOUT_RESOURCES)}


def listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
