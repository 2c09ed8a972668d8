"""Every file below a landing folder on disk is read, or named with the reason (docs/records.md, "Files")."""

import errno
import os
import socket
import stat
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import sha256 as sha256_of
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stedi_common.contracts import SOURCES
from stedi_common.errors import LakeError
from stedi_common.records import folders
from stedi_common.records.names import NAME_NOT_UTF8
from stedi_common.records.storage import Found, Skipped, discover, sha256, shown, stored, why_unreadable

#: What an address is shown as.
ADDRESS = "\u2039address\u203a"

EXAMPLES = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def landing(tmp_path, monkeypatch):
    """A landing folder with the sources' folders, all empty."""
    for source in SOURCES:
        (tmp_path / "drops" / source).mkdir(parents=True)
    yield tmp_path / "drops"
    monkeypatch.undo()  # before pytest removes the folder


def put(landing: Path, *names: str | bytes) -> None:
    """Make files with these names; in each is its name."""
    for name in names:
        path = landing / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name))


def read(found: Found) -> list[str]:
    return [drop.name for drops in found.drops.values() for drop in drops]


def skipped(found: Found) -> dict[str, str]:
    return {file.name: file.reason for file in found.skipped}


def test_a_folder_has_one_location_whatever_path_leads_to_it(landing, monkeypatch):
    (landing.parent / "link").symlink_to(landing)
    monkeypatch.chdir(landing.parent)
    paths = [str(landing), "drops", "drops/", "./drops/../link", "link/"]
    assert {discover(path).location for path in paths} == {os.path.realpath(landing)}


def assert_only(landing: Path, name: str, reason: str | None) -> None:
    """The file is the only one there, and is skipped for the reason, or read."""
    found = discover(str(landing))
    assert (read(found), skipped(found)) == (([], {name: reason}) if reason else ([name], {}))


# Names


@pytest.mark.parametrize("ending", ["json", "jsonl", "ndjson", "txt", "JSON", "Json"])
@pytest.mark.parametrize("compression", ["", ".gz", ".gzip", ".zst", ".zstd", ".bz2", ".GZ"])
def test_known_endings_are_read(landing, ending, compression):
    put(landing, f"customer/c.{ending}{compression}")
    assert_only(landing, f"customer/c.{ending}{compression}", None)


@pytest.mark.parametrize("name", ["i", "g.gz", "i.", "a.b.json", "c.json/part-0.json", "year=2024/month=03/a.json"])
def test_files_with_unusual_names_are_read(landing, name):
    """Without an ending, as Firehose writes; several of them; in folders, as Spark and Hive write."""
    put(landing, f"customer/{name}")
    assert_only(landing, f"customer/{name}", None)


@pytest.mark.parametrize(
    "name", ["a.csv", "l.parquet", "a.json.1", "a.json.zip", "a.json.gz.gz", "c.json/a.csv", "a.05"]
)
def test_files_with_other_endings_are_skipped(landing, name):
    put(landing, f"customer/{name}")
    assert_only(landing, f"customer/{name}", "unknown_ending")


@pytest.mark.parametrize(
    "name",
    [
        ".a.json",
        "._a.json",
        "_SUCCESS",
        "_committed_1.json",
        ".a.json.x8Kd1",
        ".part-0.json.crc",
        "__MACOSX/a.json",
        "_temporary/0/task_1/part-00000.json",
        ".ipynb_checkpoints/a.json",
        "c.json/.a/b.json",
        "...json",
        ".\n",
    ],
)
def test_hidden_files_are_named(landing, name):
    put(landing, f"accelerometer/{name}")
    assert_only(landing, f"accelerometer/{name}", "hidden")


@pytest.mark.parametrize(
    "name",
    [
        *("~a.json", "a.json~", "A.TMP", "c~/x.json.part"),
        *(f"a.json.{ending}" for ending in ("tmp", "temp", "part", "partial", "crdownload", "swp", "crc", "filepart")),
    ],
)
def test_temporary_files_are_named(landing, name):
    put(landing, f"accelerometer/{name}")
    assert_only(landing, f"accelerometer/{name}", "temporary")


@pytest.mark.parametrize(
    "name",
    [
        *("a b.json", "a+b.json", "a%20b.json", "a#b?.json", "'q\"`.json", "😀.json", "l\nf.json", "\x1b[31m\x07.json"),
        *(
            "x" * 200 + ".json",
            "caf\u00e9.json",
            "cafe\u0301.json",
            "back\\slash.json",
            " .json",
            "-rf",
            "*",
            "a\u2028b",
        ),
    ],
)
def test_a_file_is_read_whatever_its_name_holds(landing, name):
    put(landing, f"customer/{name}")
    found = discover(str(landing))
    (drop,) = found.drops["customer"]
    assert (drop.name, drop.bytes) == (f"customer/{name}", len(f"customer/{name}".encode()))
    assert b"".join(stored(drop)) == f"customer/{name}".encode()


@pytest.mark.parametrize("name", [b"caf\xe9.json", b"caf\xe9/a.json", b"\xed\xa0\x80.json", b"\xff\xfe"])
def test_a_name_that_is_not_utf8_is_written_in_digits(landing, name):
    put(landing, b"customer/" + name)
    assert_only(landing, (b"customer/" + name).decode(errors="backslashreplace"), NAME_NOT_UTF8)


def test_the_landing_folder_may_have_any_name(tmp_path):
    landing = tmp_path / os.fsdecode(b"caf\xe9 %20#\n")
    put(landing, "customer/c.json")
    (drop,) = discover(str(landing)).drops["customer"]
    assert sha256(drop) == sha256_of(b"customer/c.json").hexdigest()


def test_the_first_reason_counts(landing):
    names = {
        ".a.tmp": "hidden",
        "a.tmp": "temporary",
        "a.json": "outside_sources",
        "a.csv": "outside_sources",
        "truth/people.json": "outside_sources",
        "customers/a.json": "outside_sources",
        "customer.json": "outside_sources",
        "_x/a.json": "hidden",
    }
    put(landing, *names, b"caf\xe9.csv")
    assert skipped(discover(str(landing))) == names | {"caf\\xe9.csv": "name_not_utf8"}


def test_a_skipped_file_is_of_the_source_whose_folder_it_is_in(landing):
    put(landing, "customer/a.csv", "a.csv", "customers/a.json", "step_trainer/_x/a.json", ".x/customer/a.json")
    assert discover(str(landing)).skipped == [
        Skipped(".x/customer/a.json", "hidden", ""),
        Skipped("a.csv", "outside_sources", ""),
        Skipped("customer/a.csv", "unknown_ending", "customer"),
        Skipped("customers/a.json", "outside_sources", ""),
        Skipped("step_trainer/_x/a.json", "hidden", "step_trainer"),
    ]


def test_drops_are_sorted_by_name(landing):
    put(landing, "customer/b.json", "customer/a/z.json", "customer/a.json", "customer/B.json")
    found = discover(str(landing))
    assert read(found) == ["customer/B.json", "customer/a.json", "customer/a/z.json", "customer/b.json"]
    assert found == discover(str(landing))
    assert list(found.drops) == list(SOURCES)


# What is no file


def test_links_inside_of_the_landing_folder_are_followed(landing):
    put(landing, "customer/2024/a.json", "store/b.json")
    (landing / "customer" / "today").symlink_to("2024")
    (landing / "customer" / "c.json").symlink_to("../store/b.json")
    (landing / "accelerometer" / "store").symlink_to(landing / "store")
    found = discover(str(landing))
    assert read(found) == [
        "customer/2024/a.json",
        "customer/c.json",
        "customer/today/a.json",
        "accelerometer/store/b.json",
    ]
    assert skipped(found) == {"store/b.json": "outside_sources"}
    assert [b"".join(stored(drop)) for drop in found.drops["accelerometer"]] == [b"store/b.json"]


def test_a_source_may_be_a_link_inside_and_the_landing_folder_any_link(tmp_path):
    put(tmp_path, "real/data/c.json")
    (tmp_path / "real" / "customer").symlink_to("data")
    (tmp_path / "drops").symlink_to("real")
    found = discover(str(tmp_path / "drops"))
    assert (read(found), skipped(found)) == (["customer/c.json"], {"data/c.json": "outside_sources"})
    assert found.missing == {"accelerometer": None, "step_trainer": None}


def test_links_out_of_the_landing_folder_are_named(landing, tmp_path):
    put(tmp_path, "secret.json", "drops-2/a.json")
    for target in ("secret.json", "drops-2", "not/there", "."):
        (landing / "customer" / f"{target.replace('/', '-')}x").symlink_to(tmp_path / target)
    (landing / "etc").symlink_to("/etc")
    assert discover(str(landing)).skipped == [
        Skipped("customer/.x", "hidden", "customer"),
        Skipped("customer/drops-2x", "link_outside", "customer"),
        Skipped("customer/not-therex", "link_outside", "customer"),
        Skipped("customer/secret.jsonx", "link_outside", "customer"),
        Skipped("etc", "link_outside", ""),
    ]


def test_a_source_that_leads_out_is_missing_and_named(landing, tmp_path):
    (landing / "customer").rmdir()
    (landing / "customer").symlink_to(tmp_path)
    found = discover(str(landing))
    assert (list(found.missing), found.skipped) == (["customer"], [Skipped("customer", "link_outside", "customer")])


def test_links_in_a_loop_end(landing):
    put(landing, "customer/a/c.json", "customer/b/d.json")
    links = {"customer/up": "..", "customer/a/self": "self", "customer/nowhere.json": "missing", "customer/a/here": "."}
    links |= {"customer/a/x": "../b", "customer/b/y": "../a"}
    for name, target in links.items():
        (landing / name).symlink_to(target)
    found = discover(str(landing))
    assert read(found) == ["customer/a/c.json", "customer/a/x/d.json", "customer/b/d.json", "customer/b/y/c.json"]
    assert set(skipped(found).values()) == {"link_loop"}
    assert {"customer/up", "customer/a/self", "customer/nowhere.json", "customer/a/here"} < skipped(found).keys()


def test_links_to_links_do_not_multiply(landing):
    """Thirty levels of two links each are 2**30 ways."""
    put(landing, "customer/30/c.json")
    for level in range(30):
        (landing / "customer" / f"{level}").mkdir()
        for link in "ab":
            (landing / "customer" / f"{level}" / link).symlink_to(f"../{level + 1}")
    found = discover(str(landing))
    assert "customer/30/c.json" in read(found)
    assert len(read(found)) + len(found.skipped) < 200
    assert set(skipped(found).values()) == {"link_loop"}


def test_a_link_is_followed_once_for_each_source(landing):
    put(landing, "data/c.json", "store/d.json")
    (landing / "store" / "link").symlink_to("../data")
    for source in ("accelerometer", "customer"):
        (landing / source / "one").symlink_to("../store")
        (landing / source / "two").symlink_to("../store")
    found = discover(str(landing))
    for source in ("accelerometer", "customer"):
        names = [drop.name for drop in found.drops[source]]
        assert len([name for name in names if name.endswith("link/c.json")]) == 1
        assert [name for name in names if name.endswith("d.json")] == [f"{source}/one/d.json", f"{source}/two/d.json"]


def test_links_are_not_followed_where_nothing_is_read(landing):
    put(landing, "customer/a.json")
    (landing / "old").symlink_to("customer")
    (landing / "customer" / ".old").symlink_to("../accelerometer")
    (landing / "list.json").symlink_to("customer/a.json")
    assert skipped(discover(str(landing))) == {
        "old": "outside_sources",
        "customer/.old": "hidden",
        "list.json": "outside_sources",
    }


def test_what_is_no_file_is_never_opened(landing, monkeypatch):
    os.mkfifo(landing / "customer" / "fifo.json")
    (landing / "customer" / "link.json").symlink_to("fifo.json")
    bound = socket.socket(socket.AF_UNIX)
    monkeypatch.chdir(landing / "customer")  # a socket's path may not be long
    bound.bind("socket.json")
    opened = recorded(monkeypatch)
    found = discover(str(landing))
    bound.close()
    assert skipped(found) == {f"customer/{name}.json": "not_a_file" for name in ("fifo", "link", "socket")}
    assert opened == []


def test_a_device_is_never_opened(landing, monkeypatch):
    try:
        os.mknod(landing / "customer" / "null.json", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("only root makes devices")
    opened = recorded(monkeypatch)
    assert_only(landing, "customer/null.json", "not_a_file")
    assert opened == []


def test_a_fifo_in_the_place_of_a_file_is_not_waited_for(landing):
    put(landing, "customer/c.json")
    (drop,) = discover(str(landing)).drops["customer"]
    Path(drop.path).unlink()
    os.mkfifo(drop.path)
    assert why_unreadable(drop) == "unreadable"
    with pytest.raises(LakeError, match=r"customer/c\.json: expected to read the file, got OSError"):
        sha256(drop)


@pytest.mark.parametrize("through", ["customer/c.json", "customer/link.json"])
def test_a_link_in_the_place_of_a_listed_file_is_not_followed(landing, tmp_path, through):
    """Neither where the file is listed itself, nor where a link has led to it."""
    put(tmp_path, "secret.json")
    put(landing, "customer/c.json")
    (landing / "customer" / "link.json").symlink_to("c.json")
    drops = {drop.name: drop for drop in discover(str(landing)).drops["customer"]}
    assert sorted(drops) == ["customer/c.json", "customer/link.json"]
    (landing / "customer" / "c.json").unlink()
    (landing / through).unlink(missing_ok=True)
    (landing / through).symlink_to(tmp_path / "secret.json")
    for drop in drops.values():
        assert why_unreadable(drop) == "unreadable"
        with pytest.raises(LakeError, match="expected to read the file"):
            b"".join(stored(drop))


def recorded(monkeypatch) -> list:
    opened, real = [], os.open

    def recording(path, *rest):
        opened.append(path)
        return real(path, *rest)

    monkeypatch.setattr(os, "open", recording)
    return opened


# What storage refuses


def refusing(monkeypatch, function: str, ending: bytes, error: OSError) -> None:
    """As if the function failed on such a path. Root cannot be refused anything."""
    real = getattr(os, function)

    def refuse(path, *rest):
        if os.fsencode(path).endswith(ending):
            raise error
        return real(path, *rest)

    monkeypatch.setattr(os, function, refuse)


@pytest.mark.parametrize("error", [PermissionError(errno.EACCES, "no"), OSError(errno.EIO, "broken")], ids=str)
def test_an_unreadable_file_is_named_and_stops_nothing(landing, monkeypatch, error):
    put(landing, "customer/a.json", "customer/b.json")
    refusing(monkeypatch, "open", b"a.json", error)
    found = discover(str(landing))
    assert (read(found), skipped(found)) == (["customer/b.json"], {"customer/a.json": "unreadable"})


def test_an_unreadable_folder_is_named_and_stops_nothing(landing, monkeypatch):
    put(landing, "customer/locked/a.json", "customer/b.json", "other/locked/a.json", "customer/.locked/a.json")
    put(landing, b"customer/caf\xe9locked/a.json")
    refusing(monkeypatch, "scandir", b"locked", PermissionError(errno.EACCES, "no"))
    found = discover(str(landing))
    assert read(found) == ["customer/b.json"]
    assert found.skipped == [
        Skipped("customer/.locked/", "hidden", "customer"),
        Skipped("customer/caf\\xe9locked/", "name_not_utf8", "customer"),
        Skipped("customer/locked/", "unreadable", "customer"),
        Skipped("other/locked/", "outside_sources", ""),
    ]


def test_a_source_whose_folder_is_unreadable_is_not_missing(landing, monkeypatch):
    refusing(monkeypatch, "scandir", b"customer", PermissionError(errno.EACCES, "no"))
    found = discover(str(landing))
    assert (found.missing, found.skipped) == ({}, [Skipped("customer/", "unreadable", "customer")])


def test_rights_are_needed():
    with tempfile.TemporaryDirectory() as folder:
        put(Path(folder), "customer/a.json", "customer/b.json", "customer/locked/c.json", "customer/listed/d.json")
        modes = {".": 0o755, "customer/a.json": 0, "customer/locked": 0, "customer/listed": 0o744}
        for name, mode in modes.items():
            Path(folder, name).chmod(mode)
        with somebody():
            found = discover(folder)
        Path(folder, "customer/locked").chmod(0o700)
    unreadable = ("customer/a.json", "customer/listed/d.json", "customer/locked/")
    assert read(found) == ["customer/b.json"]
    assert skipped(found) == dict.fromkeys(unreadable, "unreadable")


@contextmanager
def somebody() -> Iterator[None]:
    """Root is refused nothing, so root becomes nobody."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def test_a_process_without_file_descriptors_does_not_blame_the_files(landing, monkeypatch):
    put(landing, "customer/a.json")
    refusing(monkeypatch, "open", b"a.json", OSError(errno.EMFILE, "too many"))
    with pytest.raises(OSError, match="too many"):
        discover(str(landing))


class Listing(list):
    """What os.scandir gives, but changed."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


@pytest.mark.parametrize("order", [list, reversed], ids=["listed", "reversed"])
def test_the_order_of_a_listing_does_not_matter(landing, monkeypatch, order):
    put(landing, "data/c.json")
    (landing / "store").mkdir()
    (landing / "store" / "link").symlink_to("../data")
    for name in "abcdef":
        (landing / "customer" / name).symlink_to("../store")
    real = os.scandir
    expected = discover(str(landing))
    monkeypatch.setattr(os, "scandir", lambda path: Listing(order(sorted(real(path), key=lambda entry: entry.name))))
    assert discover(str(landing)) == expected


def test_a_folder_that_does_not_tell_what_is_in_it(landing, monkeypatch):
    """Some file systems do not say whether an entry is a folder, and to ask takes rights."""
    put(landing, "customer/a.json", "customer/untold/b.json")
    real = os.scandir

    class Untold:
        def __init__(self, entry):
            self.name, self.path = entry.name, entry.path

        def is_dir(self, **_):
            raise PermissionError(errno.EACCES, "no")

    def scandir(path):
        return Listing(map(Untold, real(path))) if path.endswith(b"untold") else real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    found = discover(str(landing))
    assert (read(found), skipped(found)) == (["customer/a.json"], {"customer/untold/b.json": "unreadable"})


@pytest.mark.parametrize(("function", "path"), [("open", b"a.json"), ("scandir", b"gone")])
def test_what_vanishes_while_it_is_listed_is_left_out(landing, monkeypatch, function, path):
    put(landing, "customer/a.json", "customer/gone/a.json", "customer/b.txt")
    refusing(monkeypatch, function, path, FileNotFoundError(errno.ENOENT, "gone"))
    found = discover(str(landing))
    assert "customer/b.txt" in read(found)
    assert "customer/gone/a.json" not in read(found)
    assert found.skipped == []


def test_a_link_that_vanishes_is_left_out(landing, monkeypatch):
    (landing / "customer" / "a.json").symlink_to("nowhere")
    refusing(monkeypatch, "lstat", b"a.json", FileNotFoundError(errno.ENOENT, "gone"))
    assert discover(str(landing)).skipped == []


def test_folders_as_deep_as_a_path_may_be_long(landing, monkeypatch):
    monkeypatch.chdir(landing / "customer")
    for _ in range(1100):  # more than Python calls itself, and a longer path than Linux takes
        Path(DEEP).mkdir()
        os.chdir(DEEP)
    Path("a.json").touch()
    (file,) = discover(str(landing)).skipped
    assert file.name.endswith(f"/{DEEP}/")
    assert file.reason == "unreadable"
    monkeypatch.undo()
    dismantle(landing / "customer")


DEEP = "ddd"


def dismantle(folder: Path) -> None:
    """pytest does not remove such a tree."""
    depth, at = 0, os.open(folder, os.O_RDONLY)
    while DEEP in os.listdir(at):  # noqa: PTH208 - a descriptor
        below = os.open(DEEP, os.O_RDONLY, dir_fd=at)
        os.close(at)
        at, depth = below, depth + 1
    os.unlink("a.json", dir_fd=at)
    for _ in range(depth):
        above = os.open("..", os.O_RDONLY, dir_fd=at)
        os.close(at)
        os.rmdir(DEEP, dir_fd=above)
        at = above
    os.close(at)


def test_a_file_that_is_gone_or_refused_later_is_an_error_without_its_path(landing):
    put(landing, "customer/ada@example.com.json")
    (drop,) = discover(str(landing)).drops["customer"]
    assert why_unreadable(drop) is None
    Path(drop.path).unlink()
    assert why_unreadable(drop) == "unreadable"
    with pytest.raises(LakeError) as error:
        list(stored(drop))
    assert str(error.value) == f"customer/{ADDRESS}.json: expected to read the file, got FileNotFoundError"


def test_a_file_has_its_time_of_change_in_utc(landing):
    put(landing, "customer/a.json")
    os.utime(landing / "customer" / "a.json", ns=(0, 3786912000123456789))
    (drop,) = discover(str(landing)).drops["customer"]
    assert drop.modified_at == datetime(2090, 1, 1, 0, 0, 0, 123456)


@pytest.mark.parametrize(("nanoseconds", "expected"), [(2**80, datetime.max), (-(2**80), datetime.min)])
def test_no_time_of_change_is_too_far_away(nanoseconds, expected):
    """Not every file system keeps such a time."""
    assert folders._instant(nanoseconds) == expected


# Which folders are there


def test_one_source_alone_is_listed_alone(landing):
    put(landing, "customer/a.json", "accelerometer/b.json", "accelerometer/b.csv", "truth/x.csv")
    found = discover(str(landing), ["accelerometer"])
    assert list(found.drops) == ["accelerometer"]
    assert read(found) == ["accelerometer/b.json"]
    assert skipped(found) == {"accelerometer/b.csv": "unknown_ending"}


@pytest.mark.parametrize(
    ("folder", "source"),
    [
        ("customers", "customer"),
        ("Customer", "customer"),
        ("customer-landing", "customer"),
        ("_customer", "customer"),
        ("accelerometers", "accelerometer"),
        ("ACCELEROMETER", "accelerometer"),
        ("step-trainer", "step_trainer"),
        ("StepTrainer", "step_trainer"),
        ("step trainer", "step_trainer"),
    ],
)
def test_a_missing_source_is_told_with_the_nearest_folder(landing, folder, source):
    (landing / source).rename(landing / folder)
    assert discover(str(landing)).missing == {source: f"{folder}/"}
    assert discover(str(landing), [source]).missing == {source: f"{folder}/"}
    assert discover(str(landing), [other for other in SOURCES if other != source]).missing == {}


def test_a_missing_source_may_have_no_folder_near_it(landing):
    (landing / "customer").rmdir()
    (landing / "truth").mkdir()
    (landing / "customers").touch()  # a file
    assert discover(str(landing)).missing == {"customer": None}


def test_a_landing_folder_without_any_source_is_an_error(tmp_path):
    put(tmp_path, "customers/c.json", "step-trainer/s.json", "c.json")
    with pytest.raises(LakeError) as error:
        discover(str(tmp_path), ["customer"])
    assert str(error.value) == (
        f"{tmp_path}: expected the folders customer/, accelerometer/ and step_trainer/, got customers/, step-trainer/\n"
        "hint: customers/: did you mean customer/?, step-trainer/: did you mean step_trainer/?"
    )


@pytest.mark.parametrize("make", [lambda path: None, Path.touch, Path.mkdir], ids=["none", "file", "empty"])
def test_no_landing_folder_is_an_error(tmp_path, make):
    make(tmp_path / "drops")
    with pytest.raises(LakeError, match=r"expected .*, got (none|a file|no folder)\nhint: name the folder that holds"):
        discover(str(tmp_path / "drops"))


def test_the_folder_of_a_source_is_no_landing_folder(landing):
    with pytest.raises(LakeError, match=r"got no folder\nhint: name the folder above customer/"):
        discover(str(landing / "customer"))


# How a name is shown


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("customer/a b+%20#'\"😀.json", "customer/a b+%20#'\"😀.json"),
        ("a\nb\r\x00\x7f\x85", "a\\x0ab\\x0d\\x00\\x7f\\x85"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202egpj.json", "a\\u202egpj.json"),
        ("a\U000e0041", "a\\U000e0041"),
        ("\udce9", "\\udce9"),
        ("caf\\xe9.json", "caf\\xe9.json"),
        ("customer/ada@example.com.json.gz", f"customer/{ADDRESS}.json.gz"),
        ("user=ada%40example.com/a.json", f"{ADDRESS}/a.json"),
        ("ada\uff20example.com bob@example.com", f"{ADDRESS} {ADDRESS}"),
        ("2024@1.txt.bz2", f"{ADDRESS}.txt.bz2"),
        ("@.json", "@.json"),
    ],
)
def test_a_name_on_a_screen(name, expected):
    assert shown(name) == expected


@EXAMPLES
@given(st.text())
def test_no_name_moves_the_cursor(name):
    assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in shown(name))
    assert shown(shown(name)) == shown(name)


# The law

KNOWN = [*SOURCES, ".x", "_x", "..data", "a.json", "B.JSON.GZ", "c", "d.csv", "~e", "f.tmp", "caf\\xe9.json"]
STRANGE = [b"caf\xe9.json", b"l\nf.json", "😀.json".encode(), b"x" * 200, b"a%20b+ #.json"]
BYTES = st.binary(min_size=1, max_size=8).map(lambda name: name.translate(bytes.maketrans(b"/\0", b"-0")))
PARTS = st.one_of(st.sampled_from(KNOWN), st.one_of(st.sampled_from(STRANGE), BYTES).map(os.fsdecode))
PATHS = st.lists(PARTS.filter(lambda part: part not in (".", "..")), min_size=1, max_size=4).map("/".join)
#: By name: a file, a FIFO, or where a link leads to.
TREES = st.dictionaries(PATHS, st.one_of(st.sampled_from(["file", "fifo", "link .."]), PATHS.map("link {}".format)))


def grown(landing: Path, tree: dict[str, str]) -> tuple[Counter[str], set[str]]:
    """Make what can be made of the tree: names of the files, and of the links. Nothing is made through a link."""
    files: Counter[str] = Counter()
    links = set()
    for name, kind in tree.items():
        path = landing / name
        with suppress(OSError):  # there is something else
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.parent.resolve() != path.parent:
                continue
            if kind == "fifo":
                os.mkfifo(path)
            elif kind == "file":
                with path.open("xb") as file:
                    file.write(os.fsencode(name))
            else:
                path.symlink_to(landing / kind.removeprefix("link "))
                links.add(written(name))
                continue
            files[written(name)] += 1
    return files, links


def written(name: str) -> str:
    return os.fsencode(name).decode(errors="backslashreplace")


@EXAMPLES
@given(TREES)
def test_every_file_is_read_or_skipped_and_none_twice(tree):
    with tempfile.TemporaryDirectory() as folder:
        landing = Path(folder).resolve() / "drops"
        (landing / "customer").mkdir(parents=True)
        files, links = grown(landing, tree)
        found = discover(str(landing))
        listed = Counter([*read(found), *(file.name for file in found.skipped)])
        assert files <= listed
        # Whatever else is listed is a link, or was reached by one.
        assert all(links.intersection(ways(name)) for name in listed - files)
        for drop in (drop for drops in found.drops.values() for drop in drops):
            assert b"".join(stored(drop)) == os.fsencode(Path(drop.path).resolve().relative_to(landing))
        assert found == discover(str(landing))


def ways(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts) + 1)]


def test_a_time_of_writing_that_was_set_back_hides_no_change(tmp_path):
    """`cp -p`, `rsync -t` and `touch -d` set it; the file is then looked at again."""
    path = tmp_path / "customer" / "a.json"
    path.parent.mkdir()
    path.write_bytes(b"1")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    (before,) = discover(str(tmp_path)).drops["customer"]
    path.write_bytes(b"2")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    (after,) = discover(str(tmp_path)).drops["customer"]
    assert (before.bytes, after.bytes) == (1, 1)
    assert before.modified_at < after.modified_at
