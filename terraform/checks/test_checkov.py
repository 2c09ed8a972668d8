"""checkov finds nothing in what prod would be."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from plan import Prod

# Once for all, beside what the other worker does.
pytestmark = pytest.mark.xdist_group("checkov")

Found = dict[str, Any]


@pytest.fixture(scope="module")
def found(prod: Prod) -> Found:
    """What checkov tells about the plan of prod."""
    folder, configuration = prod.configuration.parent, prod.configuration
    (folder / "plan.json").write_text(prod.plan, encoding="utf-8")
    checkov = str(Path(sys.executable).with_name("checkov"))
    # Skips are comments in the configuration, beside what they are about.
    skips = f"--repo-root-for-plan-enrichment={configuration}"
    options = ["--framework=terraform_plan", skips, "--output=json", "--skip-download", "--soft-fail"]
    told = subprocess.run(
        [checkov, "--file=plan.json", *options], cwd=folder, capture_output=True, text=True, check=True
    )
    results: Found = json.loads(told.stdout)["results"]
    return results


def test_the_plan_is_read(found: Found) -> None:
    assert found["parsing_errors"] == []
    assert len({check["resource"] for check in found["passed_checks"]}) > 50


def test_nothing_fails(found: Found) -> None:
    failed = [f"{check['check_id']} {check['resource']}: {check['check_name']}" for check in found["failed_checks"]]
    assert not failed, "\n".join(failed)


def test_every_skip_has_its_reason(found: Found) -> None:
    skips = [(check["check_id"], check["check_result"]["suppress_comment"]) for check in found["skipped_checks"]]
    assert not [check for check, reason in skips if len(reason.split()) < 3]
