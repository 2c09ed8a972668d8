"""The wheel: all the code and nothing else, complete by pip, and light in Glue."""

import re
import subprocess
import tomllib
from email import message_from_bytes
from importlib.metadata import requires
from importlib.util import module_from_spec, spec_from_file_location
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from support.commands import finished, python
from support.drops import at, customer, landing
from support.lakes import write
from support.paths import ROOT
from support.processes import PATIENCE

from stedi_common.contracts import names

UV = ROOT / ".tools" / "bin" / "uv"

#: Imports what a Glue job imports, where only a laptop's packages are not to be had.
IN_GLUE = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"click", "duckdb", "pyiceberg", "rich", "sqlalchemy", "typer"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
import stedi_common.engines.spark.engine, stedi_common.jobs
"""

#: The same of a job that may use the embedded engine, on a lake in Glue's catalog.
IN_GLUE_EMBEDDED = IN_GLUE.replace(', "duckdb", "pyiceberg", "rich", "sqlalchemy"', "").replace(
    "import stedi_common.engines.spark.engine,", "import stedi_common.engines.embedded.glue_catalog,"
)

BUILD = ROOT / "terraform" / "modules" / "artifacts" / "build.py"
#: What each version of Glue brings.
RUNTIMES = ROOT / "localstack" / "localstack_lakehouse" / "glue" / "jobs" / "runtimes"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built as `make build` does."""
    if not UV.exists():
        pytest.skip("uv is not in .tools: make install-dev puts it there")
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([UV, "build", "--quiet", "--wheel", "--out-dir", out, ROOT], check=True, timeout=PATIENCE)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def files(wheel):
    with ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_every_python_has_it(wheel):
    assert wheel.name.endswith("-py3-none-any.whl")


def test_it_holds_the_package_as_it_is(files):
    package = [
        path for path in (ROOT / "stedi_common").rglob("*") if path.is_file() and "__pycache__" not in path.parts
    ]
    assert {name for name in files if ".dist-info/" not in name} == {p.relative_to(ROOT).as_posix() for p in package}


def test_it_holds_what_is_not_code(files):
    contracts = {f"stedi_common/contracts/{name}.yaml" for name in names()}
    assert {*contracts, "stedi_common/py.typed", "stedi_common/engines/spark/log4j2.properties"} <= files.keys()


def test_it_is_light(files):
    """Code and contracts, and no file that code would not be: data and binaries are of extras."""
    kinds = {".py", ".yaml", ".json", ".properties", ".typed"}
    package = {name: content for name, content in files.items() if ".dist-info/" not in name}
    assert {name for name in package if not name.endswith(tuple(kinds))} == set()
    assert {name: len(content) for name, content in package.items() if len(content) > 32_000} == {}


def test_without_extras_it_has_the_embedded_engine_and_the_command_line(files):
    assert without_extras(files) == {
        *("duckdb", "fastavro", "numpy", "platformdirs", "pyarrow", "pyiceberg", "rich", "typer"),
        *("filelock", "idna", "narwhals", "pyyaml", "tenacity", "tzdata", "zstandard"),
    }


def test_what_glue_installs_is_a_part_of_that():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(project["dependency-groups"]["glue"]) < set(project["project"]["dependencies"])
    of_glue, *embedded = project["dependency-groups"]["glue-embedded"]
    assert of_glue == {"include-group": "glue"}
    # PyArrow is Glue's own.
    required = {requirement.replace("[pyarrow,", "[") for requirement in project["project"]["dependencies"]}
    assert {"duckdb>=2,<3"} < set(embedded) < required


@pytest.mark.parametrize("job", [IN_GLUE, IN_GLUE_EMBEDDED], ids=["spark", "embedded"])
def test_what_glue_installs_and_brings_is_all_that_the_jobs_need(job):
    assert python("-c", job) == (0, "", "")


def test_a_job_on_the_embedded_engine_imports_nothing_else_while_it_runs(tmp_path):
    """PyIceberg imports some packages only when it needs them."""
    write(tmp_path / "drops", landing([customer("ann@example.org", at("08:00"), at("08:00"), "sn-1")]))
    words = ("--landing", tmp_path / "drops", "--lake", tmp_path / "lake", "--engine", "embedded", "--maintain", "true")
    done = python("-c", f"{IN_GLUE_EMBEDDED}\nsys.exit(stedi_common.jobs.lakehouse(sys.argv[1:]))", *words)
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize("runtime", sorted(RUNTIMES.glob("*.txt")), ids=lambda file: file.stem)
def test_glue_has_what_is_not_in_the_zip_in_a_version_that_is_new_enough(files, runtime):
    brought = dict(re.findall(r"^([\w-]+)==([\w.]+)", runtime.read_text(), re.MULTILINE))
    not_in_the_zip = set(left_out()) - {"click"} | {"pyarrow", "numpy"}
    wanted = [*metadata(files).get_all("Requires-Dist"), *requires("pyiceberg"), *requires("strictyaml")]
    needed = [each for each in map(Requirement, wanted) if each.name in not_in_the_zip]
    assert {each.name for each in needed} == not_in_the_zip
    assert [str(each) for each in needed if not each.specifier.contains(brought[each.name])] == []


def left_out():
    spec = spec_from_file_location("build", BUILD)
    build = module_from_spec(spec)
    spec.loader.exec_module(build)
    return build.LEFT_OUT


def test_spark_and_s3_are_extras(files):
    assert set(metadata(files).get_all("Provides-Extra")) == {"s3", "spark", "spark4"}


def test_it_says_what_it_is(files):
    said = metadata(files)
    assert (said["License-Expression"], said["Requires-Python"]) == ("Apache-2.0", ">=3.11")
    assert said["Description-Content-Type"] == "text/markdown"
    assert said.get_all("Classifier")


@pytest.mark.long
def test_pip_installs_a_command_that_starts(wheel, tmp_path):
    """In an environment of its own, from the index."""
    assert finished(UV, "venv", "--quiet", tmp_path / "venv").code == 0
    assert finished(UV, "pip", "install", "--quiet", "--python", tmp_path / "venv" / "bin" / "python", wheel).code == 0
    stedi = tmp_path / "venv" / "bin" / "stedi"
    assert finished(stedi, "--version").code == 0
    assert finished(stedi, "generate", tmp_path / "drops", "--readings", "2000", "--dirt", "0").code == 0
    done = finished(stedi, "demo", "--landing", tmp_path / "drops", "--lake", tmp_path / "lake")
    assert (done.code, "every count equals the truth" in done.out) == (0, True)


def test_it_brings_the_command(files):
    (entry_points,) = [content for name, content in files.items() if name.endswith("entry_points.txt")]
    assert b"stedi = stedi_common.cli:main" in entry_points


def metadata(files):
    (content,) = [content for name, content in files.items() if name.endswith(".dist-info/METADATA")]
    return message_from_bytes(content)


def without_extras(files):
    required = metadata(files).get_all("Requires-Dist")
    always = [requirement for requirement in required if "extra ==" not in requirement]
    return {re.split(r"[^\w-]", requirement)[0] for requirement in always}
