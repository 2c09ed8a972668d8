"""The command line: up, up again, down."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import psutil
import pytest
from conftest import REGION, free_port

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def lakehouse(tmp_path: Path) -> Iterator[Run]:
    """The command line of a server of its own."""
    settings = {"LAKEHOUSE_PORT": str(free_port()), "LAKEHOUSE_STATE": str(tmp_path / "state")}

    def run(*arguments: str, **others: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "localstack_lakehouse", *arguments]
        environment = os.environ | settings | others
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=150)

    yield run
    run("down")


def listening(state: Path) -> set[str]:
    """The addresses that the server listens on."""
    process = psutil.Process(int((state / "pid").read_text().split()[0]))
    connections = process.net_connections() + [c for child in process.children(True) for c in child.net_connections()]
    return {connection.laddr.ip for connection in connections if connection.status == psutil.CONN_LISTEN}


def test_up_again_and_down(lakehouse: Run, tmp_path: Path) -> None:
    first, second = lakehouse("up"), lakehouse("up")
    assert (first.returncode, first.stdout.partition(":")[0]) == (0, "up"), first.stderr
    assert (second.returncode, second.stdout.partition(":")[0]) == (0, "already up")
    assert "glue" in lakehouse("status").stdout
    assert "LocalStack version" in lakehouse("logs").stdout
    assert listening(tmp_path / "state") == {"127.0.0.1"}
    assert (tmp_path / "state").stat().st_mode & 0o077 == 0

    elsewhere = lakehouse("up", LAKEHOUSE_PORT=str(free_port()))
    assert elsewhere.returncode == 1
    assert "state folder of a server that is up" in elsewhere.stderr

    assert (lakehouse("down").stdout, lakehouse("down").stdout) == ("down\n", "already down\n")
    assert lakehouse("status").returncode == 1


def test_the_request_log_tells_who_called_what(lakehouse: Run, tmp_path: Path) -> None:
    assert lakehouse("up").returncode == 0
    root = boto3.Session("test", "test", region_name=REGION)
    port = lakehouse("status").stdout.partition(", ")[0].rpartition(":")[2]
    url = f"http://127.0.0.1:{port}"
    role = root.client("iam", endpoint_url=url).create_role(RoleName="reader", AssumeRolePolicyDocument="{}")["Role"]
    sts = root.client("sts", endpoint_url=url)
    given = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="session")["Credentials"]
    reader = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name=REGION)
    reader.client("glue", endpoint_url=url).get_databases()

    entries = [json.loads(line) for line in (tmp_path / "state" / "requests.jsonl").read_text().splitlines()]
    assert [(entry["service"], entry["operation"], entry["status"], entry["principal"]) for entry in entries] == [
        ("iam", "CreateRole", 200, "arn:aws:iam::000000000000:root"),
        ("sts", "AssumeRole", 200, "arn:aws:iam::000000000000:root"),
        ("glue", "GetDatabases", 200, "arn:aws:sts::000000000000:assumed-role/reader/session"),
    ]
    assert not any(entry["internal"] for entry in entries)


def test_a_port_that_is_taken(lakehouse: Run, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        result = lakehouse("up", LAKEHOUSE_PORT=str(port))
    assert (result.returncode, result.stderr) == (1, f"error: port {port} is taken by another program\n")
    assert not (tmp_path / "state").exists()


def test_logs_of_a_server_that_never_was(lakehouse: Run) -> None:
    assert lakehouse("logs").returncode == 1
