"""The wheel that goes to Glue: all the code and nothing else, light, and it asks for next to nothing."""

import subprocess
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import pytest

from stedi_common.contracts import names

ROOT = Path(__file__).parents[1]
UV = ROOT / ".tools" / "bin" / "uv"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built as `make build` does."""
    if not UV.exists():
        pytest.skip("uv is not in .tools: make install-dev puts it there")
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([UV, "build", "--quiet", "--wheel", "--out-dir", out, ROOT], check=True)
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
    assert {*contracts, "stedi_common/engines/log4j2.properties"} <= files.keys()


def test_it_is_light(wheel):
    assert wheel.stat().st_size < 200_000


def test_without_extras_it_asks_for_few_packages(files):
    required = metadata(files).get_all("Requires-Dist")
    always = [requirement for requirement in required if "extra ==" not in requirement]
    assert [requirement.partition(">")[0] for requirement in always] == [
        *("filelock", "idna", "narwhals", "pyyaml", "tzdata", "zstandard")
    ]


def test_the_engines_are_extras(files):
    assert {"embedded", "cli", "spark", "spark4"} <= set(metadata(files).get_all("Provides-Extra"))


def test_it_brings_the_command(files):
    (entry_points,) = [content for name, content in files.items() if name.endswith("entry_points.txt")]
    assert b"stedi = stedi_common.cli:main" in entry_points


def metadata(files):
    (content,) = [content for name, content in files.items() if name.endswith(".dist-info/METADATA")]
    return message_from_bytes(content)
