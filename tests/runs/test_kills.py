"""Runs that are killed by SIGKILL, on a lake in a folder: see `support/kills.py`."""

from itertools import product
from random import Random

import pytest
from support.crowds import crowd, in_pieces
from support.kills import Lakehouse, Moment, kill_at_any_instant, kill_at_commits, kill_at_each_commit_in_turn
from support.places import Folder

#: At these commits of a night; what a night has is asserted.
COMMITS = 13
AT_COMMITS = [
    pytest.param("embedded", [(4, True)], id="embedded-some"),
    pytest.param(
        "embedded", list(product(range(1, COMMITS + 1), (False, True))), id="embedded", marks=pytest.mark.long
    ),
    # Of each commit the branch, the rows, the fast-forward and the removal.
    pytest.param("spark", list(product((3, 24, 50), (False, True))), id="spark", marks=pytest.mark.long),
]
#: Kills at any instant of each night, by seed.
NIGHTS = 2
AT_ANY_INSTANT = [
    pytest.param("embedded", 0, 1, id="embedded-some"),
    *(pytest.param("embedded", seed, 3, id=f"embedded-{seed}", marks=pytest.mark.long) for seed in range(1, 23)),
    *(pytest.param("spark", seed, 2, id=f"spark-{seed}", marks=pytest.mark.long) for seed in range(1, 3)),
]


@pytest.fixture
def lakehouse(request, tmp_path, key) -> Lakehouse:
    return Lakehouse(request.param, Folder(tmp_path), tmp_path / "drops", key)


@pytest.mark.parametrize(("lakehouse", "dying"), AT_COMMITS, indirect=["lakehouse"])
def test_killed_at_a_commit(lakehouse, dying: list[Moment]):
    kill_at_commits(lakehouse, in_pieces(crowd(5), 2), dying)


@pytest.mark.long
@pytest.mark.parametrize("lakehouse", ["embedded"], indirect=True)
def test_killed_at_each_commit_in_turn(lakehouse):
    assert kill_at_each_commit_in_turn(lakehouse, in_pieces(crowd(6), 1)) >= 30


@pytest.mark.parametrize(("lakehouse", "seed", "times"), AT_ANY_INSTANT, indirect=["lakehouse"])
def test_killed_at_any_instant(lakehouse, seed, times):
    kill_at_any_instant(lakehouse, in_pieces(crowd(seed % 8), NIGHTS), Random(seed), times)
