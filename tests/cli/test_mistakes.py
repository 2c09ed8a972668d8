"""A user's mistake, and a disk that fails, are answered in one line and a hint, with no traceback."""

import errno
import os
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support.commands import finished
from support.commands import stedi as typed
from support.drops import at, customer, landing, reading, step
from support.lakes import without_properties, write
from support.processes import PATIENCE

from stedi_common.engines.embedded.writer import DataFileWriter
from stedi_common.engines.storage.block_reader import BlockReader
from stedi_common.errors import StorageError, as_stedi_error

DROPS = landing(
    [customer("ann@example.org", at("08:00"), at("08:00"), "sn-1")],
    [reading("ann@example.org", at("09:00")), reading("bob@example.org", at("09:00"))],
    [step("sn-1", at("09:00"))],
)
WRITE = (["land"], ["run"], ["maintain"])
READ = (["run", "--plan"], ["status"], ["query", "SELECT count(*) FROM landing.customer_landing"])
NOBODY = 65534


def error_of(said, code: int = 1) -> str:
    """The error of a command that said nothing else."""
    assert "Traceback" not in said.err
    assert (said.code, said.out) == (code, "")
    error, *hints = said.err.splitlines()
    assert error.startswith("error: ")
    assert not error.startswith("error: unexpected")
    assert [hint[:7] for hint in hints] in ([], ["hint:  "])
    return error


@pytest.fixture
def landed(stedi, tmp_path):
    """The command line, where drops have landed."""
    write(tmp_path / "drops", DROPS)
    assert stedi("land").code == 0
    return stedi


@pytest.mark.parametrize(("closed", "prints"), [("<&-", True), (">&-", False), ("2>&-", True), ("<&- >&- 2>&-", False)])
def test_what_the_caller_has_closed_is_no_file_of_the_lake(landed, closed, prints):
    """The next file that is opened would be standard output, and what is printed would be written into it."""
    said = finished("sh", "-c", f'"$0" -m stedi_common.cli run {closed}', sys.executable)
    assert (said.code, said.err) == (0, "")
    assert bool(said.out) == prints
    assert landed("check").code == 0


def test_a_link_to_itself_is_neither_a_lake_nor_drops(landed, tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    said = landed("land", "--landing", "loop")
    assert error_of(said) == "error: loop: expected a folder of drops, got Too many levels of symbolic links"
    said = landed("land", "--lake", "loop")
    assert error_of(said).endswith("loop: expected to read lake.json, got: Too many levels of symbolic links")
    assert "hint:  name another folder by --lake" in said.err


def without_reader(*words: str) -> tuple[int, str]:
    """Exit code and errors of a command whose output nobody reads any more, as of `| head -1`."""
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "stedi_common.cli", *words]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=PATIENCE, check=False)
    os.close(writing)
    return done.returncode, done.stderr


@pytest.mark.parametrize("json", [(), ("--json",)])
def test_errors_are_printed_if_nobody_reads_the_output(landed, tmp_path, json):
    (tmp_path / "drops/customer/elsewhere.json").symlink_to("/etc/hostname")
    assert landed("land").code == 1
    code, error = without_reader("run", *json)
    assert code == 6
    assert error.startswith("error: run: expected every file to have landed, got 1 unread file")
    assert without_reader("policy", "show", *json) == (0, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is full")
@pytest.mark.parametrize(("command", "code"), [("run", 0), ("status", 0), ("run --lake none", 1), ("run --none", 2)])
def test_standard_error_on_a_full_disk_stops_no_command(landed, command, code):
    """As that of a nightly run: it would delete no withdrawn rows."""
    said = finished("sh", "-c", f'"$0" -m stedi_common.cli {command} 2>/dev/full', sys.executable)
    assert (said.code, bool(said.out)) == (code, not code)
    assert landed("check").code == 0


def test_a_log_on_a_full_disk_is_a_warning(landed):
    said = landed("--log-file", "/dev/full", "run")
    assert (said.code, said.err) == (
        0,
        "warning: --log-file: expected to write to /dev/full, got No space left on device; nothing more is logged\n",
    )


def test_a_working_folder_that_was_removed(stedi, tmp_path, monkeypatch):
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert error_of(stedi("status")) == "error: working folder: expected a folder, got one that was removed"
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def unprivileged(monkeypatch):
    """A folder of a user whom modes bind, as which the test goes on: they do not bind root."""
    folder = Path(tempfile.mkdtemp(prefix="stedi-"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    if os.geteuid():
        yield folder
    else:
        os.chown(folder, NOBODY, NOBODY)
        os.seteuid(NOBODY)
        yield folder
        os.seteuid(0)
    for path in (folder, *folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder)


# A file where a folder should be, and the reverse


@pytest.mark.parametrize("words", [["generate", "afile"], ["init", "afile"], ["generate", "afile/drops"]])
def test_a_file_is_no_folder_to_write_to(stedi, tmp_path, words):
    (tmp_path / "afile").write_text("mine", encoding="utf-8")
    assert "afile" in error_of(stedi(*words))
    assert (tmp_path / "afile").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("command", [*WRITE, *READ])
def test_a_file_is_no_lake(stedi, tmp_path, command):
    write(tmp_path / "drops", DROPS)
    (tmp_path / "afile").write_text("mine", encoding="utf-8")
    assert "afile" in error_of(stedi(*command, "--lake", "afile"))
    assert "afile" in error_of(stedi(*command, "--lake", "afile/lake"))


@pytest.mark.parametrize("command", ["land", "demo"])
def test_a_file_is_no_landing_folder(stedi, tmp_path, command):
    (tmp_path / "afile").write_text("mine", encoding="utf-8")
    said = stedi(command, "--landing", "afile")
    assert said.err.startswith("error: afile: expected a folder of drops, got a file\n")
    assert (said.code, "Traceback" in said.err, "unexpected" in said.err) == (1, False, False)


@pytest.mark.parametrize("command", [["land"], ["run"], ["maintain"], *READ])
@pytest.mark.parametrize("kind", ["folder", "broken", "latin"])
def test_settings_that_cannot_be_read(stedi, tmp_path, command, kind):
    file = tmp_path / "stedi.toml"
    if kind == "folder":
        file.mkdir()
    else:
        file.write_bytes(b"lake = [" if kind == "broken" else b"lake = '\xe9'")
    assert error_of(stedi(*command)).startswith("error: stedi.toml: expected ")


@pytest.mark.parametrize("kind", ["folder", "empty", "short", "long", "binary", "words"])
def test_a_key_file_that_has_no_key(landed, tmp_path, kind):
    file = tmp_path / "key"
    if kind == "folder":
        file.mkdir()
    else:
        contents = {"empty": b"", "short": b"00" * 31, "long": b"00" * 33, "binary": b"\xff" * 64, "words": b"hello"}
        file.write_bytes(contents[kind])
    file.chmod(0o600)
    for command in (["land"], ["run"], ["run", "--plan"], ["demo"]):
        assert error_of(landed(*command, "--key-file", file)).startswith("error: pseudonym key: expected ")


def test_a_contract_that_is_no_yaml_names_the_line(stedi, tmp_path, monkeypatch):
    monkeypatch.setenv("STEDI_PROJECT", str(tmp_path))
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "heart_rate_landing.yaml").write_text("name: [\nfields: :", encoding="utf-8")
    from support.commands import stedi as in_a_process  # noqa: PLC0415

    said = in_a_process("status")
    assert "heart_rate_landing.yaml:2: expected YAML" in error_of(said)


# The catalog


@pytest.mark.parametrize("command", [*WRITE, *READ])
@pytest.mark.parametrize("kind", ["random", "text", "folder", "cut"])
def test_a_catalog_that_is_no_database(landed, tmp_path, command, kind):
    catalog = tmp_path / "lake" / "catalog.db"
    content = catalog.read_bytes()
    catalog.unlink()
    if kind == "folder":
        catalog.mkdir()
    else:
        junk = {"random": bytes(range(7, 256)) * 40, "text": b"hello\n" * 500, "cut": content[: len(content) // 2]}
        catalog.write_bytes(junk[kind])
    error = error_of(landed(*command))
    assert "catalog" in error
    assert not list((tmp_path / "lake").glob(".staging-*"))


def test_an_empty_catalog_beside_tables_is_refused(landed, tmp_path):
    (tmp_path / "lake" / "catalog.db").write_bytes(b"")
    for command in (*WRITE, *READ):
        assert error_of(landed(*command)).endswith(", got no such table; the same holds for 4 more")


@pytest.mark.parametrize("command", [*WRITE, *READ])
def test_a_lake_that_was_moved(landed, tmp_path, command):
    (tmp_path / "lake").rename(tmp_path / "moved")
    said = landed(*command, "--lake", "moved")
    assert "got a copy or a lake that was moved" in error_of(said)
    assert not (tmp_path / "lake").exists()


def test_a_copy_of_a_lake_is_not_taken_for_the_lake(landed, tmp_path):
    """Its catalog names the files of the first, to which a run would add. Older lakes have no `lake.json`."""
    without_properties(tmp_path / "lake")
    shutil.copytree(tmp_path / "lake", tmp_path / "copy")
    before = sorted((tmp_path / "lake").rglob("*"))
    for command in (*WRITE, *READ):
        said = landed(*command, "--lake", "copy")
        assert f"expected the table at file://{tmp_path}/copy/landing/" in said.err
        assert said.code == 1
    assert sorted((tmp_path / "lake").rglob("*")) == before


@pytest.mark.parametrize("command", [*WRITE, *READ])
def test_a_table_whose_files_are_gone(landed, tmp_path, command):
    shutil.rmtree(tmp_path / "lake" / "landing" / "customer_landing")
    said = landed(*command)
    assert "landing.customer_landing: expected the table's file " in said.err
    assert (said.code, "Traceback" in said.err, "unexpected" in said.err) == (1, False, False)


# Rights


@pytest.mark.parametrize("command", [["land"], ["generate", "closed"], ["init", "closed/p"], ["demo"]])
def test_a_folder_that_cannot_be_written_to(stedi, unprivileged, monkeypatch, command):
    monkeypatch.chdir(unprivileged)
    write(unprivileged / "drops", DROPS)
    (unprivileged / "closed").mkdir(mode=0o500)
    lake = ["--lake", "closed/lake"] if command[0] in {"land", "demo"} else []
    assert "Permission denied" in error_of(stedi(*command, *lake))
    assert not list((unprivileged / "closed").iterdir())


def read_only(stedi, folder: Path) -> None:
    """Make a lake, and take the right to write away."""
    write(folder / "drops", DROPS)
    assert stedi("land").code == 0
    for path in (folder / "lake", *(folder / "lake").rglob("*")):
        path.chmod(0o500 if path.is_dir() else 0o400)


@pytest.mark.parametrize("command", WRITE)
def test_a_lake_that_cannot_be_written_to(stedi, unprivileged, monkeypatch, command):
    monkeypatch.chdir(unprivileged)
    read_only(stedi, unprivileged)
    error = error_of(stedi(*command))
    assert "Permission denied" in error or "readonly database" in error


@pytest.mark.parametrize("command", READ)
def test_a_lake_that_cannot_be_written_to_is_read(stedi, unprivileged, monkeypatch, command):
    monkeypatch.chdir(unprivileged)
    read_only(stedi, unprivileged)
    said = stedi(*command)
    assert "Traceback" not in said.err
    assert (said.code, said.err) == (0, "")


def test_a_drop_that_cannot_be_read(stedi, unprivileged, monkeypatch):
    monkeypatch.chdir(unprivileged)
    write(unprivileged / "drops", DROPS | {"customer/2.json": b"{}"})
    (unprivileged / "drops" / "customer" / "2.json").chmod(0)
    said = stedi("land", "--json")
    assert (said.code, "Traceback" in said.err) == (1, False)
    assert said.err.splitlines()[0] == "error: customer: expected to land every file, got 1 file that cannot be read"


def test_a_key_file_or_settings_that_cannot_be_read(stedi, unprivileged, monkeypatch):
    monkeypatch.chdir(unprivileged)
    write(unprivileged / "drops", DROPS)
    (unprivileged / "key").write_text("00" * 32, encoding="utf-8")
    (unprivileged / "key").chmod(0)
    assert "Permission denied" in error_of(stedi("land", "--key-file", "key"))
    (unprivileged / "stedi.toml").touch(mode=0)
    assert "Permission denied" in error_of(stedi("status"))


# A full disk


@pytest.fixture
def full(monkeypatch):
    """Lets no file be larger than so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("size", [0, 500, 3_000, 10_000, 30_000])
@pytest.mark.parametrize("command", [["generate", "new"], ["init", "new"], ["land"], ["run"], ["maintain"]])
def test_a_full_disk(stedi, tmp_path, full, command, size):
    write(tmp_path / "drops", DROPS)
    if command[0] in {"run", "maintain"}:
        assert stedi("land").code == 0
    full(size)
    said = stedi(*command)
    full(resource.RLIM_INFINITY)
    assert "Traceback" not in said.err
    assert "unexpected" not in said.err
    assert said.code in (0, 1)
    assert not list((tmp_path / "lake").glob(".staging-*"))
    if said.code == 0:
        shutil.rmtree(tmp_path / "new", ignore_errors=True)
    assert stedi(*command).code == 0


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE, errno.EACCES])
def test_an_error_of_the_system_says_what_where_and_what_to_do(number):
    error = as_stedi_error(OSError(number, os.strerror(number), "/lake/x\x1b"))
    assert isinstance(error, StorageError)
    assert str(error).startswith(
        f"/lake/x\\x1b: expected a file or folder that can be used, got: {os.strerror(number)}\nhint: "
    )


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (RuntimeError("can't start new thread"), "can't start new thread"),
        (MemoryError("ann"), "out of memory"),
        (OSError(errno.ENOMEM, "ann"), "out of memory"),
    ],
)
def test_a_machine_without_threads_or_memory_is_no_defect(error, problem):
    known = as_stedi_error(error)
    assert known.is_out_of_resources  # so no table is emptied
    assert str(known).startswith(f"machine: expected memory and threads for the command, got: {problem}\nhint: ")


@pytest.mark.parametrize("command", ["land", "status"])
def test_too_little_address_space_is_said_before_a_library_ends_the_process(landed, command):
    """DuckDB ends it by SIGSEGV if a thread gets no stack."""
    words = shlex.join([sys.executable, "-m", "stedi_common.cli", command])
    said = finished("sh", "-c", f"ulimit -v 2500000; exec {words}")
    assert error_of(said) == (
        "error: machine: expected memory and threads for the command, got: 2.6 GB of address space of 4.3 GB"
    )
    assert "ulimit -v 4194304" in said.err


def test_an_encoding_without_bars_and_accents_fails_nothing(landed):
    """The tables of `run` were committed, and its bars could not be printed."""
    said = typed("run", PYTHONIOENCODING="ascii")
    assert (said.code, said.err) == (0, "")
    assert "\\u2588" in said.out


@pytest.mark.parametrize(("where", "what"), [(BlockReader, "stage"), (DataFileWriter, "_write")])
def test_debug_shows_what_has_led_to_an_error_of_the_system(landed, tmp_path, monkeypatch, where, what):
    value = "ann@example.org"

    def fails(*_, **__):
        raise OSError(errno.ENOSPC, value)

    monkeypatch.setattr(where, what, fails)
    write(tmp_path / "drops", landing([customer("eve@example.org", at("08:00"), at("08:00"), "sn-2")], name="3"))
    command = "land" if where is BlockReader else "run"
    said = landed(command)
    assert (said.code, said.err.splitlines()[0][-28:]) == (1, "got: No space left on device")
    said = landed("--debug", command)
    assert "in fails" in said.err
    assert "example.org" not in said.err
