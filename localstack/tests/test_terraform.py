"""Terraform creates, updates and destroys the lakehouse's resources, and never plans to change them again."""

from pathlib import Path

import pytest
from botocore.client import BaseClient
from conftest import refused
from terraforming import Run, initialized, succeeded, wanted

pytestmark = wanted


@pytest.fixture
def terraform(endpoint: str, bucket: str, name: str, tmp_path: Path) -> Run:
    configuration = Path(__file__).parent / "terraform"
    return initialized(configuration, tmp_path, endpoint, {"name": name, "bucket": bucket})


@pytest.mark.long  # the deployment's story does the same with the lakehouse
def test_apply_update_destroy(terraform: Run, glue: BaseClient, name: str) -> None:
    locations = []
    for revision in ("first", "second"):
        succeeded(terraform("apply", "-auto-approve", f"-var=revision={revision}"))
        succeeded(terraform("plan", "-detailed-exitcode", f"-var=revision={revision}"))
        readings = glue.get_table(DatabaseName=name, Name="readings")["Table"]
        assert readings["Description"] == f"An Iceberg table, {revision}."
        locations.append(readings["Parameters"]["metadata_location"])
    assert locations[0] == locations[1]

    succeeded(terraform("destroy", "-auto-approve"))
    with refused("EntityNotFoundException"):
        glue.get_database(Name=name)
