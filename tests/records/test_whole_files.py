"""Files: their lines and ends, however they are packed, encoded, set and cut."""

import bz2
import hashlib
import os
import pickle

import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.whole_files import ARRIVED, KEY, SOURCES, pieces_of, reader, rows_of, together, whole, zipped

from stedi_common.errors import ContractError, EngineError
from stedi_common.records import Reader, discover
from stedi_common.records.blocks import Block
from stedi_common.settings import Limits

READING = b'{"user":"a@b.c","timestamp":1655564455341,"x":1.0,"y":0.0,"z":-1.0}'
MANY = b"".join(READING.replace(b"341", b"%03d" % n) + b"\n" for n in range(60))

pieces = st.sampled_from(
    [READING + b"\n", READING, b"\n", b"\r\n", b"\r", b" ", b"{", b"\xff", b"\xef\xbb\xbf", b"[]\n", b'"', b",", b"\0"]
)
contents = st.lists(pieces, max_size=12).map(b"".join)

PACKINGS = {"corrupt_gzip": zipped, "corrupt_zstd": zstandard.compress, "corrupt_bzip2": bz2.compress}
packings = pytest.mark.parametrize(("reason", "packed"), PACKINGS.items(), ids=PACKINGS)


def marks(said):
    """Number, mark and reason of each row, and how many lines there are."""
    return [*((row["source_line"], row["mark"], row["reason"]) for row in said.rows), said.tally.lines]


@settings(deadline=None)
@given(content=contents)
@example(b"")
@example(b"\xef\xbb\xbf")
@example(b"\n")
def test_every_line_has_one_fate_and_the_end_counts_them(content):
    rows, tally = whole(content)
    *ended, rest = content.split(b"\n")
    if tally.unit == "line":
        assert tally.lines == len(ended) + bool(rest)
    assert len(rows) + tally.blank == tally.lines
    assert len({row["source_line"] for row in rows}) == len(rows)
    assert tally.sha256 == hashlib.sha256(content).hexdigest()


@settings(deadline=None)
@given(content=contents, size=st.integers(1, 200))
def test_blocks_make_no_difference(content, size):
    with pieces_of(size):
        cut = whole(content)
    assert cut == whole(content)


@packings
@settings(deadline=None, max_examples=30)
@given(content=contents, cut=st.integers(0, 12), size=st.integers(1, 200))
def test_packing_makes_no_difference(reason, packed, content, cut, size):
    members = packed(content[:cut]) + packed(content[cut:]) + b"\0" * 5
    with pieces_of(size):
        said = whole(members, name="a.json.gz")
    assert without_file(said.rows) == without_file(rows_of(content))
    assert said.tally.sha256 == hashlib.sha256(members).hexdigest()


def without_file(rows):
    return [row | {"source_file": None} for row in rows]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-32-be"])
def test_a_mark_tells_the_encoding(encoding):
    content = "\ufeff" * encoding.endswith("be") + READING.decode() + "\r\n{\n"
    assert marks(whole(content.encode(encoding))) == [(1, None, None), (2, "rejected", "broken_json"), 2]


def test_what_is_not_well_formed_in_utf_16_is_a_replacement_character():
    content = READING.replace(b"a@b.c", b"a@\xc2\xa4.c").decode().encode("utf-16").replace(b"\xa4\0", b"\0\xd8")
    assert rows_of(content)[0]["user"] == "a@\ufffd.c"


def test_what_a_break_within_a_byte_had_given_is_kept():
    """One byte of a zip can give many, and break after some."""
    content = bytearray(zipped(MANY))
    content[81] ^= 2
    hashes = set()
    for size in (1, 5, 64, 400):
        with pieces_of(size):
            hashes.add(rows_of(bytes(content), name="a.json.gz")[-1]["content_hash"])
    assert len(hashes) == 1


@packings
@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_a_torn_or_damaged_file_keeps_the_lines_before_the_break(reason, packed, data):
    content = bytearray(packed(MANY))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(5, len(content) - 1)) :]
    else:
        content[data.draw(st.integers(4, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    sizes = data.draw(st.lists(st.integers(1, 400), min_size=2, max_size=2))
    results = []
    for size in sizes:
        with pieces_of(size):
            results.append(whole(bytes(content)))
    assert results[0] == results[1]
    rows, tally = results[0]
    assert [row["source_line"] for row in rows] == list(range(1, tally.lines + 1))
    assert tally.sha256 == hashlib.sha256(content).hexdigest()


@packings
def test_a_file_that_breaks_off_ends_with_one_corrupt_line(reason, packed):
    said = whole(packed(READING + b"\n" + os.urandom(500).replace(b"\n", b""))[:-40])
    assert marks(said)[-2:] == [(said.tally.lines, "rejected", reason), said.tally.lines]


def test_a_break_between_two_lines_is_a_corrupt_line_too():
    assert marks(whole(zipped(READING + b"\n")[:-8])) == [(1, None, None), (2, "rejected", "corrupt_gzip"), 2]


def test_a_wrong_checksum_is_a_break():
    said = whole(zipped(READING + b"\n")[:-8] + b"\0" * 8)
    assert marks(said) == [(1, None, None), (2, "rejected", "corrupt_gzip"), 2]


@pytest.mark.parametrize("name", ["a.json.gz", "a.json.zst", "a.json.bz2"])
def test_the_content_tells_the_compression_and_not_the_name(name):
    assert marks(whole(READING + b"\n", name=name)) == [(1, None, None), 1]
    assert marks(whole(zipped(READING + b"\n"), name=name)) == [(1, None, None), 1]


def test_a_file_that_only_begins_like_gzip_is_one_corrupt_line():
    assert marks(whole(b"\x1f\x8b", name="a.json")) == [(1, "rejected", "corrupt_gzip"), 1]


def test_garbage_behind_a_member_is_a_corrupt_line():
    assert marks(whole(zipped(READING) + b"garbage")) == [(1, "rejected", "corrupt_gzip"), 1]


@pytest.mark.parametrize("content", [b"", zipped(b"")])
def test_an_empty_file_has_only_an_end(content):
    assert marks(whole(content)) == [0]


def test_a_rest_that_unpacks_to_too_much_is_one_line():
    content = (READING + b"\n") + b" " * 40_000_000
    said = whole(zipped(content), "customer")
    assert marks(said)[-2] == (2, "rejected", "too_compressed")
    assert said.tally.without_address >= 1


def test_a_line_beyond_the_limit_is_one_rejected_object():
    content = READING + b"\n" + READING[:-1] + b',"q":"' + b"0" * 2000 + b'"}\n' + READING + b"\n"
    said = whole(content, limits=Limits(line_bytes=1024))
    assert marks(said) == [(1, None, None), (2, "rejected", "too_long"), (3, None, None), 3]
    assert said.tally.unit == "object"


FRAMINGS = {
    "in sequence": b"".join,
    "in an array": lambda objects: b"[" + b", ".join(objects) + b"]",
    "one a line in an array": lambda objects: b"[\n" + b",\n".join(objects) + b"\n]\n",
    "a comma after each": lambda objects: b"".join(each + b",\n" for each in objects),
    "pretty": lambda objects: b"\n".join(each.replace(b",", b",\n  ") for each in objects),
    "with carriage returns": lambda objects: b"".join(each + b"\r" for each in objects),
    "RFC 7464": lambda objects: b"".join(b"\x1e" + each + b"\n" for each in objects),
    "with marks": lambda objects: b"".join(b"\xef\xbb\xbf" + each + b"\r\n" for each in objects),
    "with zeros behind": lambda objects: b"\n".join(objects) + b"\n" + b"\0" * 1000,
}


@pytest.mark.parametrize("framing", FRAMINGS)
def test_objects_are_the_same_however_they_are_set(framing):
    objects = MANY.splitlines()
    rows = rows_of(FRAMINGS[framing](objects))
    columns = ("user", "timestamp", "x", "y", "z", "reason")
    assert [[row[c] for c in columns] for row in rows] == [[row[c] for c in columns] for row in rows_of(MANY)]


def test_a_stretch_that_is_no_object_is_one_unit():
    content = READING + READING + b'{"user": ' + b"\n" + READING + b"\n"
    assert marks(whole(content)) == [
        (1, None, None),
        (2, None, None),
        (3, "rejected", "broken_json"),
        (4, None, None),
        4,
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
    (drop,) = discover(str(tmp_path), [source]).drops[source]
    assert {parsed.lines.schema for parsed in reader(source).read(drop)} == {reader(source).schema}


def test_only_a_customer_has_a_hash():
    assert [source for source in SOURCES if "record_hash" in reader(source).schema.names] == ["customer"]


def test_the_key_is_not_printed():
    assert KEY.decode() not in repr(reader())


def test_an_unknown_source_is_a_clear_error():
    with pytest.raises(ContractError, match="'heart_rate_landing'"):
        Reader("heart_rate", ARRIVED, KEY).schema  # noqa: B018


def test_an_engine_error_says_where_but_never_quotes(monkeypatch):
    def fails(*_, **__):
        raise ValueError("canary")

    monkeypatch.setattr("stedi_common.records.reader.record", fails)
    with pytest.raises(EngineError, match=r"a\.json: expected to read the lines from 7 on, got ValueError") as caught:
        together(reader().parse(Block("a.json", 7, b'{"user":"canary"}\n')))
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None
