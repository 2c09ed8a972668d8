"""Files: their lines and ends, however they are zipped and cut; and where the drops are."""

import gzip
import hashlib
import os
import pickle
from datetime import datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from whole_files import ARRIVED, KEY, SOURCES, in_order, pieces_of, reader, rows_of, zipped

from stedi_common.errors import ContractError, EngineError, LakeError
from stedi_common.records import Reader, drops, sha256
from stedi_common.records.blocks import Block

READING = b'{"user":"a@b.c","timestamp":1655564455341,"x":1.0,"y":0.0,"z":-1.0}'
MANY = b"".join(READING.replace(b"341", b"%03d" % n) + b"\n" for n in range(60))

pieces = st.sampled_from(
    [READING, READING + b"\n", b"\n", b"\r\n", b"\r", b" ", b"{", b"\xff", b"\xef\xbb\xbf", b"[]\n", b'"']
)
contents = st.lists(pieces, max_size=12).map(b"".join)


def marks(rows):
    return [(row["source_line"], row["mark"], row["reason"]) for row in rows]


@settings(deadline=None)
@given(content=contents)
@example(b"")
@example(b"\xef\xbb\xbf")
@example(b"\n")
def test_every_line_has_one_row_and_the_end_counts_them(content):
    *rows, end = rows_of(content)
    *whole, rest = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    count = len(whole) + bool(rest)
    assert [row["source_line"] for row in rows] == list(range(1, count + 1))
    assert (end["mark"], end["source_line"]) == ("end_of_file", count)
    assert end["content_hash"] == hashlib.sha256(content).hexdigest()


@settings(deadline=None)
@given(content=contents, size=st.integers(1, 200))
def test_blocks_make_no_difference(content, size):
    with pieces_of(size):
        cut = rows_of(content)
    assert cut == rows_of(content)


@settings(deadline=None)
@given(content=contents, cut=st.integers(0, 12), size=st.integers(1, 200))
def test_zipping_makes_no_difference(content, cut, size):
    members = zipped(content[:cut]) + zipped(content[cut:]) + b"\0" * 5
    with pieces_of(size):
        rows = rows_of(members, name="a.json.gz")
    assert without_file(rows[:-1]) == without_file(rows_of(content)[:-1])
    assert rows[-1]["content_hash"] == hashlib.sha256(members).hexdigest()


def without_file(rows):
    return [row | {"source_file": None} for row in rows]


def test_what_a_break_within_a_byte_had_given_is_kept():
    """One byte of a zip can give many, and break after some."""
    content = bytearray(zipped(MANY))
    content[81] ^= 2
    hashes = set()
    for size in (1, 5, 64, 400):
        with pieces_of(size):
            hashes.add(rows_of(bytes(content), name="a.json.gz")[-2]["content_hash"])
    assert len(hashes) == 1


@settings(deadline=None)
@given(data=st.data())
def test_a_torn_or_damaged_zip_keeps_the_lines_before_the_break(data):
    content = bytearray(zipped(MANY))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(1, len(content) - 1)) :]
    else:
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    sizes = data.draw(st.lists(st.integers(1, 400), min_size=2, max_size=2))
    results = []
    for size in sizes:
        with pieces_of(size):
            results.append(rows_of(bytes(content), name="a.json.gz"))
    assert results[0] == results[1]
    *rows, end = results[0]
    assert [row["source_line"] for row in rows] == list(range(1, end["source_line"] + 1))
    assert end["content_hash"] == hashlib.sha256(content).hexdigest()


def test_a_zip_that_breaks_off_ends_with_one_corrupt_line():
    *rows, end = rows_of(zipped(READING + b"\n" + os.urandom(500).replace(b"\n", b""))[:-40], name="a.json.gz")
    assert marks(rows) == [(1, None, None), (2, "rejected", "corrupt_gzip")]
    assert end["source_line"] == 2


def test_a_break_between_two_lines_is_a_corrupt_line_too():
    rows = rows_of(zipped(READING + b"\n")[:-8], name="a.json.gz")
    assert marks(rows) == [(1, None, None), (2, "rejected", "corrupt_gzip"), (2, "end_of_file", None)]


def test_a_wrong_checksum_is_a_break():
    rows = rows_of(zipped(READING + b"\n")[:-8] + b"\0" * 8, name="a.json.gz")
    assert marks(rows) == [(1, None, None), (2, "rejected", "corrupt_gzip"), (2, "end_of_file", None)]


@pytest.mark.parametrize("content", [READING + b"\n", b"\0", b"\x1f", b"\x1f\x8b"])
def test_what_is_not_gzip_is_one_corrupt_line(content):
    assert marks(rows_of(content, name="a.json.gz")) == [(1, "rejected", "corrupt_gzip"), (1, "end_of_file", None)]


def test_garbage_behind_a_member_is_a_corrupt_line():
    rows = rows_of(zipped(READING) + b"garbage", name="a.json.gz")
    assert marks(rows) == [(1, "rejected", "corrupt_gzip"), (1, "end_of_file", None)]


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_an_empty_file_has_only_an_end(name):
    assert marks(rows_of(b"", name=name)) == [(0, "end_of_file", None)]


def test_a_small_zip_of_a_great_line_is_read_in_pieces():
    content = READING[:-1] + b' ,"unknown":"' + b"0" * 20_000_000 + b'"}\n' + READING
    assert marks(rows_of(zipped(content), name="a.json.gz")) == [
        (1, None, None),
        (2, None, None),
        (2, "end_of_file", None),
    ]


def test_a_line_may_be_longer_than_a_block():
    content = READING.replace(b"a@b.c", b"a" * 500) + b"\n" + MANY
    with pieces_of(64):
        rows = rows_of(content)
    assert rows[0]["user"] == "a" * 500
    assert rows == rows_of(content)


def test_the_reader_survives_the_way_to_an_executor():
    again = pickle.loads(pickle.dumps(reader()))  # noqa: S301
    assert again == reader()
    assert again.schema == reader().schema


@pytest.mark.parametrize("source", SOURCES)
def test_every_batch_has_the_schema(source, tmp_path):
    path = tmp_path / source / "a.json"
    path.parent.mkdir()
    path.write_bytes(MANY + b"\n{}\n[]")
    (drop,) = drops(str(tmp_path), source)
    assert {batch.schema for batch in reader(source).read(drop)} == {reader(source).schema}


def test_only_a_customer_has_a_hash():
    assert [source for source in SOURCES if "record_hash" in reader(source).schema.names] == ["customer"]


def test_the_key_is_not_printed():
    assert KEY.decode() not in repr(reader())


def test_an_unknown_source_is_a_clear_error():
    with pytest.raises(ContractError, match="'heart_rate_landing'"):
        Reader("heart_rate", ARRIVED, KEY).schema  # noqa: B018


# Where the drops are


@pytest.fixture
def landing(tmp_path):
    for name in (
        "customer/b.json",
        "customer/2024/05/a b%20#?é.json.gz",
        "customer/a.json",
        "customer/c.csv",
        "x/y.json",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(zipped(b"") if name.endswith("gz") else name.encode())
    (tmp_path / "customer" / "folder.json").mkdir()
    return tmp_path


def test_drops_are_the_json_files_at_any_depth_sorted_by_name(landing):
    names = ["customer/2024/05/a b%20#?é.json.gz", "customer/a.json", "customer/b.json"]
    assert [drop.name for drop in drops(str(landing), "customer")] == names
    assert [drop.name for drop in drops(f"{landing}/", "customer")] == names


def test_a_drop_knows_its_size_and_when_it_was_written(landing):
    os.utime(landing / "customer" / "a.json", ns=(0, 1_700_000_000_123_456_789))
    drop = drops(str(landing), "customer")[1]
    assert (drop.bytes, drop.modified_at) == (15, datetime(2023, 11, 14, 22, 13, 20, 123456))
    assert sha256(drop) == hashlib.sha256(b"customer/a.json").hexdigest()


def test_a_zipped_drop_has_the_hash_of_the_zip(landing):
    drop = drops(str(landing), "customer")[0]
    (end,) = in_order(reader("customer").read(drop))
    assert sha256(drop) == end["content_hash"] == hashlib.sha256(gzip.compress(b"", mtime=0)).hexdigest()


def test_a_landing_folder_may_be_relative(landing, monkeypatch):
    monkeypatch.chdir(landing.parent)
    (drop,) = drops(landing.name, "x")
    monkeypatch.chdir("/")
    assert sha256(drop) == hashlib.sha256(b"x/y.json").hexdigest()


def test_a_source_without_a_folder_has_no_drops(landing):
    assert drops(str(landing), "step_trainer") == []


def test_no_landing_folder_at_all_is_a_clear_error(tmp_path):
    with pytest.raises(LakeError, match=r"expected a folder of drops, found none\nhint: name the folder"):
        drops(str(tmp_path / "elsewhere"), "customer")


def test_an_engine_error_says_where_but_never_quotes(monkeypatch):
    def fails(*_):
        raise ValueError("canary")

    monkeypatch.setattr("stedi_common.records.reader.record", fails)
    with pytest.raises(EngineError, match=r"a\.json: expected to read the lines from 7 on, got ValueError") as caught:
        reader().parse(Block("a.json", 7, b'{"user":"canary"}\n'))
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
