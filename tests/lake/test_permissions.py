"""A lake is its owner's alone, unless a setting lets the group read. Who only reads writes nothing into it."""

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr, suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from support.drops import at, customer, landing, reading, step
from support.lakes import land, modes, write
from support.processes import FORKED, PATIENCE, wait_for

import stedi_common as stedi
from stedi_common.cli import main
from stedi_common.files import umask
from stedi_common.jobs import lakehouse

ANN = "ann@example.org"
DROPS = landing(
    [customer(ANN, at("08:00"), at("08:00"), "sn-1")], [reading(ANN, at("09:00"))], [step("sn-1", at("09:00"))]
)
READING = (("status",), ("query", "SELECT count(*) FROM curated.machine_learning_curated"), ("run", "--plan"))
#: A user who owns nothing.
NOBODY = 65534


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "drops", DROPS)
    return tmp_path


def stedi_(folder, *words, **environment):
    """The command line in a process of its own, with a mask that hides nothing."""
    command = ["/bin/sh", "-c", 'umask 000; exec "$@"', "sh", sys.executable, "-m", "stedi_common.cli", *words]
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.mark.parametrize(
    ("options", "variables", "expected"),
    [
        ((), {}, {("folder", 0o700), ("file", 0o600)}),
        (("--umask", "027"), {}, {("folder", 0o750), ("file", 0o640)}),
        ((), {"STEDI_UMASK": "022"}, {("folder", 0o755), ("file", 0o644)}),
    ],
    ids=["nobody else", "the group", "all"],
)
@pytest.mark.parametrize("engine", ["embedded", pytest.param("spark", marks=pytest.mark.long)])
def test_files_are_for_whom_the_mask_says(folder, engine, options, variables, expected):
    for command in ("land", "run", "maintain"):
        said = stedi_(folder, command, "--engine", engine, *options, **variables)
        assert said.returncode == 0, said.stderr
    assert modes(folder / "lake") == expected


@pytest.mark.parametrize("mask", [0o077, 0o027])
def test_an_engine_obeys_the_mask_of_its_process(connect, tmp_path, key, mask):
    with umask(mask):
        engine = connect(tmp_path / "lake")
        write(tmp_path / "drops", DROPS)
        land(engine, tmp_path / "drops", key, datetime(2024, 4, 1))
    assert modes(tmp_path / "lake" / "landing") == {("folder", 0o777 & ~mask), ("file", 0o666 & ~mask)}


def test_the_library_makes_a_folder_of_its_own_user(folder):
    with stedi.open(folder / "lake") as lake:
        lake.land(folder / "drops")
    assert stat.S_IMODE((folder / "lake").stat().st_mode) == 0o700


def test_the_umask_of_the_process_is_restored(folder, monkeypatch):
    monkeypatch.chdir(folder)
    before = os.umask(0o022)
    try:
        monkeypatch.setattr("sys.argv", ["stedi", "land"])
        with pytest.raises(SystemExit):
            main()
        assert lakehouse(["--lake", "lake", "--landing", "drops", "--engine", "embedded"]) is None
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)


def test_who_reads_writes_nothing(folder):
    assert [stedi_(folder, command).returncode for command in ("land", "run")] == [0, 0]
    before = {path: path.lstat().st_mtime_ns for path in (folder / "lake").rglob("*")}
    for command in READING:
        assert stedi_(folder, *command).returncode == 0
    assert {path: path.lstat().st_mtime_ns for path in (folder / "lake").rglob("*")} == before


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(("umask", "code"), [("027", 0), ("077", 1)])
def test_another_user_of_the_group_may_read_if_the_mask_says_so(open_folder, umask, code):
    write(open_folder / "drops", DROPS)
    for command in ("land", "run"):
        assert stedi_(open_folder, command, "--umask", umask).returncode == 0
    for path in (open_folder / "lake", *(open_folder / "lake").rglob("*")):
        os.chown(path, 0, NOBODY)
    for words in READING[:2]:
        process = FORKED.Process(target=read_as_nobody, args=(open_folder, words))
        process.start()
        assert wait_for(process) == code, words


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("what", ["*.metadata.json", "metadata"])
def test_a_file_that_this_user_may_not_read_is_not_called_damaged(open_folder, what):
    write(open_folder / "drops", DROPS)
    for command in ("land", "run"):
        assert stedi_(open_folder, command, "--umask", "022").returncode == 0
    for path in (open_folder / "lake" / "trusted" / "customer_trusted").rglob(what):
        path.chmod(0o700 if path.is_dir() else 0o600)
    process = FORKED.Process(target=said_to_nobody, args=(open_folder, ("status",), open_folder / "said"))
    process.start()
    assert wait_for(process) == 0
    error = (open_folder / "said").read_text()
    assert "trusted.customer_trusted: expected the table's file " in error
    assert ", got one that this user may not read\nhint:  let this user read it" in error


def said_to_nobody(folder, words, file):
    """Write into the file what the command says to another user."""
    with file.open("w") as said, redirect_stderr(said), suppress(SystemExit):
        read_as_nobody(folder, words)


def read_as_nobody(folder, words):
    """Run a command, and once more as another user, who perhaps cannot read this Python: by then it is imported."""
    os.chdir(folder)
    sys.argv = ["stedi", *words]
    with suppress(SystemExit):
        main()
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    main()
