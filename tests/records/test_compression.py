"""Compressed and encoded files: what is before a break is kept, however the file was cut; bombs end early."""

import bz2
import codecs
import gzip
import hashlib
import os
import struct
from datetime import datetime

import pytest
import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stedi_common.records.blocks import blocks
from stedi_common.records.compression import ALWAYS_ALLOWED, BreakError, unpacked
from stedi_common.records.encoding import as_utf8
from stedi_common.records.storage import Drop
from stedi_common.settings import Limits

READING = b'{"user":"a@b.c","timestamp":1655564455341,"x":1.0,"y":0.0,"z":-1.0}'
MANY = b"".join(READING.replace(b"341", b"%03d" % n) + b"\n" for n in range(60))


def zstd(content, **options):
    return zstandard.ZstdCompressor(**options).compress(content)


def zstd_streamed(content):
    """In several blocks, and without the size of the content."""
    packer = zstandard.ZstdCompressor(write_checksum=True).compressobj()
    parts = []
    for at in range(0, len(content), 1000):
        parts += [packer.compress(content[at : at + 1000]), packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)]
    return b"".join(parts) + packer.flush()


PACKERS = {
    "gzip": lambda content: gzip.compress(content, mtime=0),
    "bzip2": lambda content: bz2.compress(content, 1),
    "zstd": lambda content: zstd(content, write_checksum=True),
    "zstd in blocks": zstd_streamed,
}
MAGIC = {"gzip": b"\x1f\x8b", "bzip2": b"BZh", "zstd": b"\x28\xb5\x2f\xfd"}
names = st.sampled_from([*PACKERS])


def pieces(content, size):
    return (content[at : at + size] for at in range(0, len(content), size))


def content_of(packed, size=2**16, ratio=200):
    """What it unpacks to, and the reason why it ends before its end."""
    parts = []
    try:
        parts.extend(unpacked(pieces(packed, size), ratio))
    except BreakError as error:
        return b"".join(parts), error.reason
    return b"".join(parts), None


@settings(deadline=None)
@given(
    name=names,
    content=st.binary(max_size=3000),
    cut=st.integers(0, 3000),
    zeros=st.integers(0, 9),
    size=st.integers(1, 200),
)
def test_members_and_zeros_are_one_content(name, content, cut, zeros, size):
    pack = PACKERS[name]
    padding = b"\0" * zeros
    packed = pack(content[:cut]) + padding + pack(content[cut:]) + padding
    assert content_of(packed, size) == (content, None)


@settings(deadline=None)
@given(content=st.binary(max_size=50), size=st.integers(1, 9))
@example(content=b"\x1f", size=1)
@example(content=b"BZ", size=1)
def test_anything_else_is_as_it_is(content, size):
    if not content.startswith(tuple(MAGIC.values())):
        assert content_of(content, size) == (content, None)


@settings(deadline=None)
@given(data=st.data(), name=names)
def test_what_is_before_a_break_is_kept_however_the_file_is_cut(data, name):
    packed = bytearray(PACKERS[name](MANY))
    magic = MAGIC[name.split()[0]]
    if data.draw(st.booleans()):
        del packed[data.draw(st.integers(len(magic), len(packed) - 1)) :]
    else:
        packed[data.draw(st.integers(len(magic), len(packed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    first, second = (content_of(bytes(packed), data.draw(st.integers(1, 400))) for _ in range(2))
    assert first == second
    assert first[1] == f"corrupt_{name.split()[0]}" or first == (MANY, None)  # some bits mean nothing


@settings(deadline=None, max_examples=30)
@given(
    name=names,
    size=st.integers(1, 2000),
    broken=st.sampled_from([b"x", b"\x1f\x8b", b"\0x", b"BZh9", b"\x28\xb5\x2f\xfd"]),
)
def test_garbage_behind_a_member_is_a_break(name, size, broken):
    assert content_of(PACKERS[name](MANY) + broken, size) == (MANY, f"corrupt_{name.split()[0]}")


@pytest.mark.parametrize("name", ["bzip2", "zstd in blocks"])
@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_all_whole_blocks_before_a_break_are_kept(name, size):
    """Noise, which does not compress: half of what is packed is about half of the content."""
    noise = os.urandom(500_000)
    packed = PACKERS[name](noise)
    content, _ = content_of(packed[: len(packed) // 2], size)
    assert noise.startswith(content)
    assert len(content) > 100_000


@pytest.mark.parametrize("size", [1, 5, 64, 400])
def test_what_was_unpacked_before_a_break_within_a_byte_is_kept(size):
    """One byte of gzip can give many, and break after some."""
    packed = bytearray(gzip.compress(MANY, mtime=0))
    packed[81] ^= 2
    assert content_of(bytes(packed), size) == content_of(bytes(packed), 10**6)


@pytest.mark.parametrize("name", PACKERS)
def test_a_wrong_checksum_is_a_break(name):
    packed = bytearray(PACKERS[name](MANY))
    packed[-5 if name == "gzip" else -2] ^= 0xFF
    assert content_of(bytes(packed))[1] == f"corrupt_{name.split()[0]}"


@pytest.mark.parametrize("magic", MAGIC.items())
def test_the_first_bytes_alone_are_a_break(magic):
    assert content_of(magic[1]) == (b"", f"corrupt_{magic[0]}")


@pytest.mark.parametrize("options", [{"write_content_size": False}, {"level": 19}, {"threads": 2, "level": 1}])
def test_zstd_as_others_write_it(options):
    content = os.urandom(300_000) + b"\0" * 10**6 + MANY
    skipped = b"\x5e\x2a\x4d\x18" + struct.pack("<I", 5) + b"12345"
    assert content_of(skipped + zstd(content, **options) + skipped, 1000) == (content, None)


# Bombs


@pytest.mark.parametrize("name", ["gzip", "zstd", "bzip2"])
@pytest.mark.parametrize("size", [100, 10**6])
def test_unpacking_stops_at_the_ratio(name, size):
    content, reason = content_of(PACKERS[name](b"\0" * (2 * ALWAYS_ALLOWED)), size)
    assert (len(content), reason) == (ALWAYS_ALLOWED, "too_compressed")


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_what_is_within_the_ratio_is_read(name):
    packed = PACKERS[name](b"\0" * (2 * ALWAYS_ALLOWED))
    assert content_of(packed, ratio=40_000)[1] is None


@settings(deadline=None, max_examples=5)
@given(name=st.sampled_from(["gzip", "zstd"]), sizes=st.tuples(st.integers(100, 10**6), st.integers(100, 10**6)))
def test_the_ratio_holds_however_the_file_is_cut(name, sizes):
    packed = PACKERS[name](os.urandom(150_000) + b"\0" * (3 * ALWAYS_ALLOWED))
    first, second = (content_of(packed, size) for size in sizes)
    assert first == second
    assert first[1] == "too_compressed"


# Encodings


@settings(deadline=None)
@given(
    text=st.text(), size=st.integers(1, 9), name=st.sampled_from(["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
)
def test_utf_16_and_32_become_utf_8(text, size, name):
    content = ("\ufeff" + text).encode(name, "surrogatepass")
    expected = text.encode("utf-8", "replace") if not any("\ud800" <= c <= "\udfff" for c in text) else None
    found = b"".join(as_utf8(pieces(content, size)))
    found.decode()
    if expected is not None and not (name == "utf-16-le" and text.startswith("\0")):  # then it is UTF-32
        assert found == expected


@settings(deadline=None)
@given(
    content=st.lists(st.sampled_from([b"\0", b"a", b"\xd8", b"\xdc", b"\xff\xfe", b"\xfe\xff"])).map(b"".join),
    mark=st.sampled_from([codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE]),
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 9)),
)
def test_what_is_not_well_formed_is_replaced_however_the_file_is_cut(content, mark, sizes):
    first, second = (b"".join(as_utf8(pieces(mark + content, size))) for size in sizes)
    assert first == second
    first.decode()


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE])
def test_part_of_a_character_before_a_break_is_kept_as_at_the_end(mark):
    def broken():
        yield from pieces(mark + b"\0a\0", 2)
        raise BreakError("corrupt_gzip")

    found = []
    with pytest.raises(BreakError, match="corrupt_gzip"):
        found.extend(as_utf8(broken()))  # keeps what came before the error
    assert b"".join(found) == b"".join(as_utf8([mark + b"\0a\0"]))
    assert b"".join(found).endswith("\ufffd".encode())


@settings(deadline=None)
@given(content=st.binary(max_size=20), size=st.integers(1, 9))
def test_without_such_a_mark_bytes_stay_as_they_are(content, size):
    if not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)):
        assert b"".join(as_utf8(pieces(content, size))) == content


# Files


def blocks_of(folder, content, **limits):
    path = folder / "a.json"
    path.write_bytes(content)
    *parts, end = blocks(Drop("customer/a.json", str(path), len(content), datetime(2024, 6, 1)), Limits(**limits))
    assert end.sha256 == hashlib.sha256(content).hexdigest()
    return [(part.line, part.data, part.flaw) for part in parts], (end.line, end.unit)


@pytest.mark.parametrize("name", PACKERS)
def test_a_break_is_one_line_behind_the_whole_ones(tmp_path, name):
    noise = os.urandom(300_000).replace(b"\n", b"")
    parts, end = blocks_of(tmp_path, PACKERS[name](MANY * 10 + noise)[:-1000])
    assert b"".join(data for _, data, flaw in parts if not flaw) == MANY * 10
    assert (parts[-1][0], parts[-1][2], end) == (601, f"corrupt_{name.split()[0]}", (601, "line"))
    assert noise.startswith(parts[-1][1])


def test_a_break_between_two_lines_is_a_line_too(tmp_path):
    packed = gzip.compress(READING + b"\n")[:-8]
    assert blocks_of(tmp_path, packed) == ([(1, READING + b"\n", None), (2, b"", "corrupt_gzip")], (2, "line"))


@pytest.mark.parametrize("last", [b"", b'{"a":', b'x\n{"a":[\n{"b":1},', b'{"a":0x1F'])
@pytest.mark.parametrize("between", [b"", b"\n", b", "])
def test_whole_objects_before_a_break_are_read(tmp_path, last, between):
    first = READING + between + READING.replace(b",", b",\n") + between
    packed = gzip.compress(first + last, mtime=0)[:-8]
    parts, end = blocks_of(tmp_path, packed)
    lines = READING + b"\n" + READING.replace(b",", b", ") + b"\n"
    assert parts == [(1, lines, None), (3, last.replace(b"\n", b" ").rstrip(b","), "corrupt_gzip")]
    assert end == (3, "object")


def test_a_whole_object_with_an_odd_word_right_before_a_break_is_read(tmp_path):
    parts, _ = blocks_of(tmp_path, gzip.compress(b'{"a":1}{"b":0x1F}', mtime=0)[:-8])
    assert parts == [(1, b'{"a":1}\n{"b":0x1F}\n', None), (3, b"", "corrupt_gzip")]


def test_the_rest_of_a_too_compressed_file_is_one_line(tmp_path):
    parts, (count, unit) = blocks_of(tmp_path, gzip.compress(b"\n" * (2 * ALWAYS_ALLOWED)))
    assert parts[-1] == (ALWAYS_ALLOWED + 1, b"", "too_compressed")
    assert (count, unit) == (ALWAYS_ALLOWED + 1, "line")


def test_a_too_compressed_file_without_lines_is_one_line(tmp_path):
    parts, end = blocks_of(tmp_path, gzip.compress(b"x" * (2 * ALWAYS_ALLOWED)), line_bytes=1000)
    assert parts == [(1, b"x" * 1000, "too_compressed")]
    assert end == (1, "object")


def test_an_empty_file_has_only_an_end(tmp_path):
    assert blocks_of(tmp_path, b"") == ([], (0, "line"))
    assert blocks_of(tmp_path, bz2.compress(b"")) == ([], (0, "line"))
