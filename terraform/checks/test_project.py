"""A project's own source and table are in the plan as the package's are, and change nothing of the package's."""

import json
from typing import Any

import pytest

from plan import Prod

# Where the plan is made.
pytestmark = pytest.mark.xdist_group("checkov")

Changes = dict[str, dict[str, Any]]


def changes(plan: str) -> Changes:
    """What a plan changes, by address."""
    found = {change["address"]: change["change"] for change in json.loads(plan)["resource_changes"]}
    return {address: change for address, change in found.items() if change["actions"] not in (["no-op"], ["read"])}


@pytest.fixture(scope="module")
def added(prod: Prod) -> Changes:
    """What the project adds to the plan."""
    without = changes(prod.plan)
    return {address: change for address, change in changes(prod.plan_with_a_project).items() if address not in without}


def created(added: Changes) -> set[str]:
    return {
        address.removeprefix("module.lakehouse.")
        for address, change in added.items()
        if change["actions"] == ["create"]
    }


def test_what_is_created_is_the_projects(added: Changes) -> None:
    assert [address for address in created(added) if "heart_rate" not in address] == [
        'module.artifacts.aws_s3_object.this["zip of the project"]'
    ]


def test_only_queries_are_replaced(added: Changes) -> None:
    replaced = [address for address, change in added.items() if "delete" in change["actions"]]
    assert replaced
    assert not [address for address in replaced if ".aws_athena_named_query." not in address]


@pytest.mark.parametrize(
    "address",
    [
        'module.catalog.aws_glue_catalog_table.this["{table}"]',
        'module.catalog.aws_glue_catalog_table_optimizer.compaction["{table}"]',
        'module.access.aws_lakeformation_resource_lf_tags.table["{table}"]',
        'module.job["{job}"].aws_glue_job.this',
        'module.job["{job}"].aws_iam_role_policy.this',
        'module.access.aws_lakeformation_permissions.job_tables["{job}/{table}"]',
        'module.observability.aws_cloudwatch_metric_alarm.stale["{table}"]',
    ],
)
@pytest.mark.parametrize(
    ("table", "job"),
    [("heart_rate_landing", "land_heart_rate"), ("heart_rate_trusted", "heart_rate_landing_to_trusted")],
)
def test_each_table_has_all_that_tables_have(added: Changes, address: str, table: str, job: str) -> None:
    assert address.format(table=table, job=job) in created(added)


def test_a_job_may_read_what_its_table_is_made_from(added: Changes) -> None:
    grants = {address for address in created(added) if ".job_tables[" in address and "/" in address}
    of_job = {address.split('"')[1].split("/")[1] for address in grants if '"heart_rate_landing_to_trusted/' in address}
    assert of_job == {"heart_rate_landing", "customer_trusted", "heart_rate_trusted"}


def test_the_state_machine_makes_it_beside_what_needs_the_same(added: Changes) -> None:
    machine = added["module.lakehouse.module.orchestration.aws_sfn_state_machine.this"]
    states = json.loads(machine["after"]["definition"])["States"]
    stages = [[branch["StartAt"] for branch in state["Branches"]] for state in states.values() if "Branches" in state]
    assert ["Make accelerometer_trusted", "Make heart_rate_trusted"] in stages
    assert any("Make heart_rate_landing" in stage for stage in stages)


def test_queries_go_over_its_tables(added: Changes) -> None:
    changed = [change["after"] for address, change in added.items() if ".aws_athena_named_query." in address]
    of_all = {"counts_per_zone", "freshness", "person_gone"}
    of_readings = {"consent_of_person", "no_reading_before_consent"}
    assert {query["name"] for query in changed if "heart_rate_landing" in query["query"]} == of_all
    assert {query["name"] for query in changed if "heart_rate_trusted" in query["query"]} == of_all | of_readings
