import json
import urllib.request

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError

from localstack_lakehouse.server import Server


def test_an_unsupported_operation_answers_501_with_its_name(glue: BaseClient) -> None:
    with pytest.raises(ClientError, match=r"glue\.ListBlueprints is not supported") as error:
        glue.list_blueprints()
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501


def test_health_lists_our_services_as_loaded(endpoint: str) -> None:
    with urllib.request.urlopen(f"{endpoint}/_localstack/health") as response:  # noqa: S310
        services = json.load(response)["services"]
    assert {services[name] for name in ("athena", "glue", "lakeformation")} == {"running"}


def test_the_state_folder_holds_what_localstack_writes_also_in_a_container(
    server: Server | None, cloudwatch: BaseClient
) -> None:
    if server is None:
        pytest.skip("the server is not ours")
    cloudwatch.put_metric_data(Namespace="Ours", MetricData=[{"MetricName": "ours", "Value": 1}])
    assert list(server.state.rglob("metrics.db"))
