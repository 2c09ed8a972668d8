"""What IAM asks before a call: its actions, and the resources of each, as the Service Authorization Reference has them.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple
from urllib.parse import unquote

import jmespath
from localstack.aws.api import RequestContext

Fields = Mapping[str, Any]


class Permission(NamedTuple):
    """An action, and the ARNs it is asked for: `*` where AWS has no narrower one, none where they are not known."""

    action: str
    resources: list[str]


OBJECT, BUCKET = "{Bucket}/{Key}", "{Bucket}"
TABLE = ("catalog", "database/{DatabaseName}")
EVERYTHING = "*"

#: S3's operations whose action has another name, or that ask for more than one. What is in braces are expressions of
#: JMESPath on the request.
S3: Mapping[str, tuple[tuple[str, str], ...]] = {
    **dict.fromkeys(("CompleteMultipartUpload", "CreateMultipartUpload", "UploadPart"), (("PutObject", OBJECT),)),
    **dict.fromkeys(("CopyObject", "UploadPartCopy"), (("GetObject", "{CopySource}"), ("PutObject", OBJECT))),
    **dict.fromkeys(("HeadBucket", "ListObjects", "ListObjectsV2"), (("ListBucket", BUCKET),)),
    "DeleteObjects": (
        ("DeleteObject", "{Bucket}/{Delete.Objects[?!VersionId].Key}"),
        ("DeleteObjectVersion", "{Bucket}/{Delete.Objects[?VersionId].Key}"),
    ),
    "GetObjectAttributes": (("GetObject", OBJECT), ("GetObjectAttributes", OBJECT)),
    "HeadObject": (("GetObject", OBJECT),),
    "ListBuckets": (("ListAllMyBuckets", EVERYTHING),),
    "ListMultipartUploads": (("ListBucketMultipartUploads", BUCKET),),
    "ListObjectVersions": (("ListBucketVersions", BUCKET),),
    "ListParts": (("ListMultipartUploadParts", OBJECT),),
    **{
        f"{verb}{setting}": ((f"{'Get' if verb == 'Get' else 'Put'}{action}", BUCKET),)
        for setting, action in (
            ("BucketAccelerateConfiguration", "AccelerateConfiguration"),
            ("BucketCors", "BucketCORS"),
            ("BucketEncryption", "EncryptionConfiguration"),
            ("BucketLifecycle", "LifecycleConfiguration"),
            ("BucketLifecycleConfiguration", "LifecycleConfiguration"),
            ("BucketNotificationConfiguration", "BucketNotification"),
            ("BucketOwnershipControls", "BucketOwnershipControls"),
            ("BucketReplication", "ReplicationConfiguration"),
            ("BucketTagging", "BucketTagging"),
            ("ObjectLockConfiguration", "BucketObjectLockConfiguration"),
            ("PublicAccessBlock", "BucketPublicAccessBlock"),
        )
        for verb in ("Get", "Put", "Delete")
    },
}

#: Of these S3 asks for another action when they name a version.
VERSIONED = ("GetObject", "DeleteObject", "GetObjectTagging", "PutObjectTagging", "DeleteObjectTagging")

#: The other services': the first line whose pattern fits the operation and whose fields the call has. A field that
#: holds an ARN is the resource.
RESOURCES: Mapping[str, tuple[tuple[str, tuple[str, ...]], ...]] = {
    "athena": (
        ("*", ("{ResourceARN}",)),
        ("*", ("datacatalog/{CatalogName}",)),
        ("*DataCatalog", ("datacatalog/{Name}",)),
        ("*WorkGroup", ("workgroup/{Name}",)),
        ("*", ("workgroup/{WorkGroup}",)),
        ("StartQueryExecution", ("workgroup/primary",)),
        ("List*s", (EVERYTHING,)),
    ),
    "cloudwatch": (
        ("*", ("{ResourceARN}",)),
        ("*", ("alarm:{AlarmName}",)),
        ("*", ("alarm:{AlarmNames}",)),
        ("*Metric*", (EVERYTHING,)),
    ),
    "glue": (
        ("*", ("{ResourceArn}",)),
        ("*", (*TABLE, "table/{DatabaseName}/{TableName}")),
        ("*Table", (*TABLE, "table/{DatabaseName}/{TableInput.Name}")),
        ("*Table", (*TABLE, "table/{DatabaseName}/{Name}")),
        ("BatchDeleteTable", (*TABLE, "table/{DatabaseName}/{TablesToDelete}")),
        ("GetTables", (*TABLE, "table/{DatabaseName}/*")),
        ("CreateDatabase", ("catalog", "database/{DatabaseInput.Name}")),
        ("DeleteDatabase", ("catalog", "database/{Name}", "table/{Name}/*", "userDefinedFunction/{Name}/*")),
        ("*Database", ("catalog", "database/{Name}")),
        ("GetDatabases", ("catalog", "database/*")),
        ("*", ("job/{JobName}",)),
        ("*Job", ("job/{Name}",)),
        ("BatchGetJobs", ("job/{JobNames}",)),
        ("GetJobs", ("job/*",)),
        ("ListJobs", (EVERYTHING,)),
        ("*SecurityConfiguration*", (EVERYTHING,)),
    ),
    "iam": (("*", ("role/{RoleName}",)), ("*", ("policy/{PolicyArn}",)), ("*", ("user/{UserName}",))),
    "kms": (
        ("*Alias", ("{AliasName}", "key/{TargetKeyId}")),
        ("*", ("key/{KeyId}",)),
        ("CreateKey", (EVERYTHING,)),
        ("ListKeys", (EVERYTHING,)),
        ("ListAliases", (EVERYTHING,)),
    ),
    # It grants by its own permissions, and has no resources for IAM's.
    "lakeformation": (("*", (EVERYTHING,)),),
    "logs": (
        ("*LogEvents", ("log-group:{logGroupName}:log-stream:{logStreamName}",)),
        ("DeleteLogStream", ("log-group:{logGroupName}:log-stream:{logStreamName}",)),
        ("*", ("log-group:{logGroupName}",)),
        ("*", ("{resourceArn}",)),
        ("DescribeLogGroups", ("log-group:*",)),
    ),
    "scheduler": (
        ("*", ("{ResourceArn}",)),
        ("*Schedule", ("schedule/{GroupName}/{Name}",)),
        ("*Schedule", ("schedule/default/{Name}",)),
        ("*ScheduleGroup", ("schedule-group/{Name}",)),
    ),
    # The answer has the whole ARN, with the six characters at its end.
    "secretsmanager": (("*", ("{ARN}",)), ("*", ("secret:{SecretId}",)), ("*Secret*", (EVERYTHING,))),
    "sns": (
        ("*", ("{ResourceArn}",)),
        ("*", ("{TopicArn}",)),
        ("*", ("{TargetArn}",)),
        ("*Topic", ("{Name}",)),
        ("*Subscription*", ("{SubscriptionArn}",)),
    ),
    "states": (
        ("*", ("{resourceArn}",)),
        ("*", ("{executionArn}",)),
        ("*", ("{stateMachineArn}",)),
        ("CreateStateMachine", ("stateMachine:{name}",)),
        ("*", (EVERYTHING,)),
    ),
    "sts": (("*", ("{RoleArn}",)), ("*", (EVERYTHING,))),
}

_PREFIXES = {"stepfunctions": "states"}


def permissions(context: RequestContext) -> list[Permission]:
    """What the call needs: at least one action."""
    service, operation = context.service.service_name, context.operation.name  # type: ignore[union-attr]
    service = _PREFIXES.get(service, service)
    rules = _rules(service, operation, context.service_request or {})
    fields, base = _fields(context, service), _base(context, service)
    found = [Permission(f"{service}:{action}", _arns(templates, fields, base)) for action, templates in rules]
    known = [permission for permission in found if permission.resources]
    # All of S3's, the first of the others'.
    return known[: None if service == "s3" else 1] or [Permission(f"{service}:{operation}", [])]


def conditions(context: RequestContext) -> dict[str, str]:
    """What the call says for the condition keys of its action, of which policies here use one."""
    request: Fields = context.service_request or {}
    listing = context.operation.name.startswith("ListObject")  # type: ignore[union-attr]
    return {"s3:prefix": request["Prefix"]} if listing and request.get("Prefix") is not None else {}


def _rules(service: str, operation: str, request: Fields) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Actions and templates that may be the call's."""
    if service != "s3":
        for pattern, templates in RESOURCES.get(service, ()):
            if fnmatchcase(operation, pattern):
                yield operation, templates
        return
    for action, template in S3.get(operation, ((operation, OBJECT if "Key" in request else BUCKET),)):
        version = "Version" if action in VERSIONED and request.get("VersionId") else ""
        yield f"{action}{version}", (template,)


def _fields(context: RequestContext, service: str) -> Fields:
    """What is asked for, and what else is known of it."""
    request: dict[str, Any] = dict(context.service_request or {})
    response: Fields = context.service_response or {}
    if source := request.get("CopySource"):
        return request | {"CopySource": unquote(source).removeprefix("/").partition("?versionId=")[0]}
    if query := request.get("QueryExecutionId"):
        from .athena.models import store  # noqa: PLC0415 - it is heavy, and loaded by now

        execution = store(context).executions.get(query)
        return request | ({"WorkGroup": execution.work_group} if execution else {})
    if service == "kms" and request.get("KeyId", "").startswith("alias/"):
        del request["KeyId"]
    if service in {"kms", "secretsmanager"}:
        return request | {name: response[name] for name in ("ARN", "KeyId") if response.get(name)}
    return request


def _base(context: RequestContext, service: str) -> str:
    """What the service's ARNs start with."""
    region = "" if service in {"iam", "s3"} else context.region
    account = "" if service == "s3" else context.account_id
    return f"arn:{context.partition}:{service}:{region}:{account}:"


def _arns(templates: Iterable[str], fields: Fields, base: str) -> list[str]:
    """The ARNs that the templates stand for; none where a field is missing."""
    found = [list(_filled(template, fields)) for template in templates]
    if not all(found):
        return []
    whole = ("arn:", EVERYTHING)
    return [each if each.startswith(whole) else f"{base}{each}" for some in found for each in some]


def _filled(template: str, fields: Fields) -> Iterator[str]:
    """The template with every value of its first field, and so on."""
    hole = re.search(r"\{(.+?)\}", template)
    if not hole:
        yield template
        return
    value = jmespath.search(hole[1], fields)
    for each in value if isinstance(value, list) else [value]:
        if each and each.startswith("arn:"):
            yield each
        elif each:
            yield from _filled(template.replace(hole[0], each, 1), fields)
