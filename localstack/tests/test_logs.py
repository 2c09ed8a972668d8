"""Metric filters of CloudWatch Logs."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from conftest import random_name


@dataclass(frozen=True)
class Groups:
    """Log groups whose filters measure into a namespace of their own."""

    logs: BaseClient
    cloudwatch: BaseClient
    namespace: str

    def make(self) -> str:
        group = f"/{self.namespace}/{random_name()}"
        self.logs.create_log_group(logGroupName=group)
        self.logs.create_log_stream(logGroupName=group, logStreamName="stream")
        return group

    def measure(self, group: str, pattern: str = "", value: str = "1", **transformation: Any) -> str:
        """Put a filter; the name of its metric."""
        metric = random_name()
        transformation |= {"metricName": metric, "metricNamespace": self.namespace, "metricValue": value}
        self.logs.put_metric_filter(
            logGroupName=group, filterName="filter", filterPattern=pattern, metricTransformations=[transformation]
        )
        return metric

    def put(self, group: str, *events: dict[str, Any] | str) -> None:
        now = int(time.time() * 1000)
        messages = [event if isinstance(event, str) else json.dumps(event) for event in events]
        self.logs.put_log_events(
            logGroupName=group,
            logStreamName="stream",
            logEvents=[{"timestamp": now, "message": message} for message in messages],
        )

    def sum(self, metric: str, **dimensions: str) -> float:
        now = datetime.now(UTC)
        points = self.cloudwatch.get_metric_statistics(
            Namespace=self.namespace,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - timedelta(minutes=10),
            EndTime=now + timedelta(minutes=10),
            Period=60,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))


@pytest.fixture
def groups(logs: BaseClient, cloudwatch: BaseClient, name: str) -> Iterator[Groups]:
    yield Groups(logs, cloudwatch, name)
    for group in logs.describe_log_groups(logGroupNamePrefix=f"/{name}/")["logGroups"]:
        logs.delete_log_group(logGroupName=group["logGroupName"])


def test_a_filter_measures_its_own_group(groups: Groups) -> None:
    ours, other = groups.make(), groups.make()
    metric, others = groups.measure(ours), groups.measure(other)
    groups.put(ours, "text", {"rows": 1}, {"rows": 2})
    assert (groups.sum(metric), groups.sum(others)) == (3, 0)


def test_a_filter_measures_values_by_dimensions(groups: Groups) -> None:
    group = groups.make()
    metric = groups.measure(group, "{ $.rows >= 0 }", "$.rows", dimensions={"Table": "$.table"}, unit="Count")
    groups.put(
        group,
        {"table": "a", "rows": 3},
        {"table": "b", "rows": 5},
        {"table": "a", "rows": 4},
        {"table": "a", "rows": -1},
        {"table": "a", "rows": "9"},
        {"table": "a"},
        {"rows": 7},
        "rows",
    )
    assert (groups.sum(metric, Table="a"), groups.sum(metric, Table="b"), groups.sum(metric)) == (7, 5, 0)


@pytest.mark.parametrize(
    ("pattern", "matches"),
    [
        ('{ $.level = "ERROR" }', 1),
        ("{ $.level = ERROR }", 1),
        ('{ $.level = "E*" }', 1),
        ('{ $.level != "ERROR" }', 2),
        ('{ $.level = "a && b" }', 1),
        ('{ $.level = "INFO" && $.rows > 1.5 }', 1),
        ("{ $.rows < 3 }", 1),
    ],
)
def test_a_pattern_is_of_comparisons_that_all_hold(groups: Groups, pattern: str, matches: int) -> None:
    group = groups.make()
    metric = groups.measure(group, pattern)
    groups.put(group, {"level": "ERROR"}, {"level": "INFO", "rows": 2}, {"level": "a && b"}, {"rows": 3})
    assert groups.sum(metric) == matches


@pytest.mark.parametrize(
    "pattern", ["ERROR", "{ $.a.b = 1 }", "{ $.a = 1 || $.b = 1 }", '{ $.a < "b" }', "{ $.a = 1 && }"]
)
def test_a_pattern_that_is_not_understood_is_refused(groups: Groups, pattern: str) -> None:
    group = groups.make()
    with pytest.raises(ClientError) as error:
        groups.measure(group, pattern)
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert groups.logs.describe_metric_filters(logGroupName=group)["metricFilters"] == []


def test_a_filter_is_replaced_by_the_next_of_its_name(groups: Groups) -> None:
    group = groups.make()
    first, second = groups.measure(group), groups.measure(group)
    groups.put(group, "text")
    assert (groups.sum(first), groups.sum(second)) == (0, 1)
    assert len(groups.logs.describe_metric_filters(logGroupName=group)["metricFilters"]) == 1


def test_a_large_batch_is_measured_whole(groups: Groups) -> None:
    group = groups.make()
    metric = groups.measure(group, "{ $.rows >= 0 }", "$.rows")
    groups.put(group, *({"rows": 2} for _ in range(500)))
    assert groups.sum(metric) == 1000


def test_events_are_still_found_by_a_pattern(groups: Groups) -> None:
    group = groups.make()
    groups.put(group, "text")
    found = groups.logs.filter_log_events(logGroupName=group, filterPattern="text")["events"]
    assert [event["message"] for event in found] == ["text"]
