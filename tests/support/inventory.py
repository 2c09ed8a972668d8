"""Everything that an account holds, of the services that the lakehouse uses."""

from __future__ import annotations

from typing import Any

from support.deployment import Deployment

#: By service: the operation that lists its resources, the list in the answer, and what names a resource.
LISTS = (
    ("athena", "list_work_groups", "WorkGroups", "Name"),
    ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    ("cloudwatch", "describe_alarms", "CompositeAlarms", "AlarmName"),
    ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    ("glue", "get_databases", "DatabaseList", "Name"),
    ("glue", "get_jobs", "Jobs", "Name"),
    ("glue", "get_security_configurations", "SecurityConfigurations", "Name"),
    ("iam", "list_policies", "Policies", "Arn"),
    ("iam", "list_roles", "Roles", "Arn"),
    ("kms", "list_aliases", "Aliases", "AliasName"),
    ("lakeformation", "list_lf_tags", "LFTags", "TagKey"),
    ("lakeformation", "list_permissions", "PrincipalResourcePermissions", "Principal"),
    ("lakeformation", "list_resources", "ResourceInfoList", "ResourceArn"),
    ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    ("logs", "describe_metric_filters", "metricFilters", "filterName"),
    ("s3", "list_buckets", "Buckets", "Name"),
    ("scheduler", "list_schedules", "Schedules", "Name"),
    ("secretsmanager", "list_secrets", "SecretList", "Name"),
    ("sns", "list_topics", "Topics", "TopicArn"),
    ("stepfunctions", "list_state_machines", "stateMachines", "name"),
)
#: These take arguments that say: only what customers have made.
ARGUMENTS: dict[str, dict[str, Any]] = {"list_policies": {"Scope": "Local"}}


def inventory(deployed: Deployment) -> dict[str, set[str]]:
    """Names of all resources, by service and kind. Keys that wait for their deletion do not count."""
    found = {
        f"{service} {kind}": names(deployed, service, operation, kind, name) for service, operation, kind, name in LISTS
    }
    return {**found, "kms Keys": enabled_keys(deployed)}


def names(deployed: Deployment, service: str, operation: str, kind: str, name: str) -> set[str]:
    client = deployed.client(service)
    arguments = ARGUMENTS.get(operation, {})
    pages = (
        client.get_paginator(operation).paginate(**arguments)
        if client.can_paginate(operation)
        else [getattr(client, operation)(**arguments)]
    )
    return {str(resource[name]) for page in pages for resource in page.get(kind, ())}


def enabled_keys(deployed: Deployment) -> set[str]:
    kms = deployed.client("kms")
    keys = (
        kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
        for page in kms.get_paginator("list_keys").paginate()
        for key in page["Keys"]
    )
    return {key["KeyId"] for key in keys if key["KeyState"] != "PendingDeletion"}
