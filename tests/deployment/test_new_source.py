"""The tutorial for a new source on AWS: a deployed lakehouse gets the page's project by the page's commands.

The tests tell one story, in the order they stand in: each goes on where the one before has ended.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.code_of_jobs import built
from support.deployment import PATIENCE, Deployment, Terraform, credentials, localstack
from support.inventory import inventory
from support.paths import ROOT
from support.privileges import calls, grants, refused
from support.tutorial import assert_printed, aws_part, follow, local_part, settings

pytestmark = [
    # A second deployment takes many minutes: `make test-long` runs it.
    pytest.mark.long,
    pytest.mark.skipif(
        None in map(shutil.which, ("terraform", "aws")),
        reason="terraform or aws is not installed (see docs/deploy.md)",
    ),
]

LAYOUT = "job-per-table"
#: The jobs that the page runs.
JOBS = (
    "land_customer",
    "land_heart_rate",
    "customer_landing_to_trusted",
    "heart_rate_landing_to_trusted",
    "remove_withdrawn",
)
#: Where the page has the checkout and the project, and how the environment `local` is called on it.
CHECKOUT, PROJECT = "/home/me/stedi-lakehouse", "/home/me/health"
LOCAL_NAMES = {"environments/dev": "environments/local", "stedi-dev": "stedi-local", "stedi_dev": "stedi_local"}
#: Of the package's resources, the types that a further table changes, and the only one that it replaces.
CHANGED = {"aws_cloudwatch_dashboard", "aws_glue_job", "aws_iam_role_policy", "aws_sfn_state_machine"}
REPLACED = {"aws_athena_named_query"}


@dataclass(frozen=True)
class Followed:
    """A deployed lakehouse, and what the page's commands for AWS printed when they were run on it."""

    deployed: Deployment
    outputs: list[str]
    plan: str
    #: What the account held before anything was deployed.
    before: dict[str, set[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tutorial")


@pytest.fixture(scope="module")
def project(folder: Path) -> Path:
    """The project, as it is after the part of the page that needs no account."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    home = {"HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config"), "PATH": path}
    follow(local_part(), folder, os.environ | home, PATIENCE)
    return folder / "health"


@pytest.fixture(scope="module")
def followed(folder: Path, project: Path) -> Iterator[Followed]:
    """The page's commands, on a lakehouse that was deployed without the project."""
    with localstack(folder / "state") as endpoint:
        terraform = Terraform(folder, endpoint)
        deployed = Deployment(terraform, endpoint, folder / "state")
        before = inventory(deployed)
        terraform.init()
        deployed.apply(layout=LAYOUT, sources=built(folder / "built"))
        part = as_local(aws_part(), project)
        outputs = follow(part, folder, environment(terraform, part), 3 * PATIENCE)
        terraform.variables["sources"] = {"project": str(project)}
        deployed.outputs = terraform.outputs()
        yield Followed(deployed, outputs, str(project / "health.tfplan"), before)


def as_local(part: str, project: Path) -> str:
    """The part of the page, with this checkout, this project, and the environment `local` instead of `dev`."""
    for name, ours in {CHECKOUT: str(ROOT), PROJECT: str(project), **LOCAL_NAMES}.items():
        assert name in part
        part = part.replace(name, ours)
    return part


def environment(terraform: Terraform, part: str) -> dict[str, str]:
    """The environment of the commands: LocalStack instead of an account, and the page's settings as variables."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MAKE", "MFLAGS"))}
    ours |= credentials(terraform.endpoint)
    ours |= {f"AWS_{file}_FILE": os.devnull for file in ("CONFIG", "SHARED_CREDENTIALS")}
    ours |= {"TF_DATA_DIR": str(terraform.folder / "data"), "TF_INPUT": "0", "TF_CLI_ARGS": "-no-color"}
    ours |= {f"TF_VAR_{name}": value.strip('"') for name, value in settings(part).items()}
    return ours | {"PLATFORM": "local"}


def test_the_commands_of_the_page_print_what_it_says(followed):
    assert_printed(aws_part(), followed.outputs)


def test_the_plan_creates_what_is_the_projects_and_changes_no_other_table(followed):
    changes = followed.deployed.terraform.planned(followed.plan)
    created = {address for address, actions in changes.items() if actions == ["create"]}
    assert [address for address in created if "heart_rate" not in address] == [
        'module.lakehouse.module.artifacts.aws_s3_object.this["zip of the project"]'
    ]
    assert types_of(address for address, actions in changes.items() if actions == ["update"]) == CHANGED
    assert types_of(address for address, actions in changes.items() if "delete" in actions) == REPLACED


def types_of(addresses: Iterable[str]) -> set[str]:
    return {re.findall(r"\baws_\w+", address)[-1] for address in addresses}


def test_each_job_did_only_what_it_may(followed):
    iam, requests = followed.deployed.client("iam"), followed.deployed.requests()
    roles = {name: followed.deployed.outputs["jobs"][name]["role_arn"].rpartition("/")[2] for name in JOBS}
    did = {name: calls(requests, role) for name, role in roles.items()}
    assert all(did.values())
    assert {name: refused(grants(iam, role), did[name]) for name, role in roles.items()} == {n: set() for n in JOBS}


def test_destroy_leaves_nothing(followed):
    followed.deployed.terraform.destroy()
    assert inventory(followed.deployed) == followed.before
