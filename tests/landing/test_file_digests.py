"""A file is known by a keyed digest: who reads the table of landed files cannot try what a file of one line says."""

import os
from collections import Counter
from hashlib import sha256
from pathlib import Path

import pytest
from support.drops import ARRIVED, at, customer, landing, reading
from support.lakes import SLOW_ON_SPARK, land, rows, write

from stedi_common.contracts import contract, names
from stedi_common.landing.landed_files import LANDED_FILES
from stedi_common.privacy.pseudonym import PseudonymKey

ANN = "ann@example.org"
#: A file of one line for each source that is there, and one that is skipped.
DROPS = landing([customer(ANN, at("08:00"), at("08:00"), "sn-1")], [reading(ANN, at("09:00"))]) | {"notes.pdf": b"ann"}


@pytest.fixture
def landed(engine, tmp_path, key):
    """A lake where the drops have landed."""
    write(tmp_path / "drops", DROPS)
    assert files_of(land(engine, tmp_path / "drops", key, ARRIVED)) == 2
    return engine


def files_of(landed) -> int:
    return sum(each.files for each in landed)


def delivered_again(folder: Path) -> None:
    """The same content at another time."""
    for path in folder.rglob("*.json"):
        os.utime(path, (1_700_000_000, 1_700_000_000))


def landed_files(engine) -> list[dict]:
    return engine.collect(engine.read(LANDED_FILES, engine.head(LANDED_FILES)))


def with_digests(engine, digest_of) -> None:
    """The table of landed files, with other digests."""
    changed = [row | {"sha256": digest_of(row)} for row in landed_files(engine)]
    engine.replace(LANDED_FILES, engine.frame(LANDED_FILES, changed), engine.head(LANDED_FILES), {})


def plain(row) -> str:
    """What a lake of an earlier version has."""
    return sha256(DROPS[row["source_file"]]).hexdigest() if not row["skipped"] else row["sha256"]


def guesses(folder: Path) -> set:
    """What somebody computes who guesses a file, or a line of it, or the landing folder."""
    files = [guess for content in DROPS.values() for guess in (content, content.rstrip())]
    digests = [sha256(guess) for guess in (*files, str(folder).encode())]
    return {form for digest in digests for form in (digest.digest(), digest.hexdigest(), digest.hexdigest().upper())}


def values(engine) -> Counter:
    """Every value of the landing tables."""
    tables = [table for table in map(contract, names()) if table.zone == "landing" and engine.exists(table)]
    found = [row for table in tables for row in engine.collect(engine.read(table, engine.head(table)))]
    return Counter(str(value) for row in found for value in row.values())


@SLOW_ON_SPARK
@pytest.mark.rule(10)
def test_no_column_is_equal_to_the_hash_of_a_file_or_of_its_folder(landed, tmp_path):
    found = values(landed)
    assert {ANN, "customer/1.json"} <= found.keys()
    assert not [value for value in found for guess in guesses(tmp_path / "drops") if str(guess) in value]


@SLOW_ON_SPARK
def test_the_same_content_under_another_time_is_not_read_again(landed, tmp_path, key):
    delivered_again(tmp_path / "drops")
    assert files_of(land(landed, tmp_path / "drops", key, ARRIVED)) == 0


def test_digests_of_an_earlier_version_are_keyed_and_their_files_do_not_land_again(landed, tmp_path, key):
    before = rows(landed, "landed_files")
    with_digests(landed, plain)
    assert str(sha256(DROPS["customer/1.json"]).hexdigest()) in values(landed)
    delivered_again(tmp_path / "drops")
    assert files_of(land(landed, tmp_path / "drops", key, ARRIVED)) == 0
    assert rows(landed, "landed_files") == before


@SLOW_ON_SPARK
def test_other_content_under_the_same_time_in_the_future_is_read(engine, tmp_path, key):
    """A program can set such a time, also of two files in two folders; the content of each must be looked at."""
    for folder, consent in (("one", at("08:00")), ("two", at("08:30")), ("two", at("08:30"))):
        write(tmp_path / folder, landing([customer(ANN, at("08:00"), consent)]))
        os.utime(tmp_path / folder / "customer" / "1.json", (3_786_912_000, 3_786_912_000))
    assert [files_of(land(engine, tmp_path / folder, key, ARRIVED)) for folder in ("one", "two", "two")] == [1, 1, 0]


@SLOW_ON_SPARK
def test_under_another_key_no_file_lands_twice(landed, tmp_path):
    other = PseudonymKey(bytes(range(1, 33)))
    before = [rows(landed, f"{source}_landing") for source in ("customer", "accelerometer")]
    assert files_of(land(landed, tmp_path / "drops", other, ARRIVED)) == 0  # size and time are known
    delivered_again(tmp_path / "drops")
    again = land(landed, tmp_path / "drops", other, ARRIVED)
    assert [(each.files, each.landed, each.duplicate) for each in again] == [(1, 0, 1), (1, 0, 1), (0, 0, 0)]
    assert [rows(landed, f"{source}_landing") for source in ("customer", "accelerometer")] == before
    delivered_again(tmp_path / "drops")
    assert files_of(land(landed, tmp_path / "drops", other, ARRIVED)) == 0
