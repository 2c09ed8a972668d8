"""The suites of killed runs, concurrent runs and of the model, on lakes in S3 with Glue and with a REST catalog."""

from itertools import product
from random import Random

import pytest
from support.crowds import crowd, in_pieces
from support.kills import Lakehouse, kill_at_any_instant, kill_at_commits, kill_at_each_commit_in_turn
from support.model import MaintainedLakehouse, run_lakes
from support.places import Bucket
from support.races import race_at_any_moment, race_in_two_processes


def few(number: int, pieces: int):
    """One history: on LocalStack each file takes longer than its rows."""
    return in_pieces(crowd(number, 1), pieces)


@pytest.fixture(params=["glue", "rest"])
def kind(request) -> str:
    return request.param


@pytest.fixture
def place(lake) -> Bucket:
    return Bucket(lake)


@pytest.fixture
def lakehouse(place, tmp_path, key) -> Lakehouse:
    return Lakehouse("embedded", place, tmp_path / "drops", key, seconds=8)


#: At these commits of a night.
ALL = list(product(range(1, 14), (False, True)))


@pytest.mark.parametrize(
    ("kind", "dying"),
    [
        pytest.param("glue", [(5, True)], id="glue-some"),
        *(pytest.param(kind, ALL, id=kind, marks=pytest.mark.long) for kind in ("glue", "rest")),
    ],
    indirect=["kind"],
)
def test_killed_at_a_commit(lakehouse, dying):
    kill_at_commits(lakehouse, few(5, 2), dying)


@pytest.mark.long
def test_killed_at_each_commit_in_turn(lakehouse):
    assert kill_at_each_commit_in_turn(lakehouse, few(6, 1)) >= 30


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_instant(lakehouse, seed):
    kill_at_any_instant(lakehouse, few(seed, 2), Random(seed), 3)


@pytest.mark.parametrize(
    ("kind", "seed", "number"),
    [
        ("rest", 0, 1),
        *(pytest.param(*each, 10, marks=pytest.mark.long) for each in product(("glue", "rest"), range(1, 4))),
    ],
    indirect=["kind"],
)
def test_another_run_at_any_moment_of_a_run(lake, tmp_path, key, seed, number):
    assert race_at_any_moment(lake, tmp_path / "drops", key, Random(seed), number) > number * 0.5


@pytest.mark.long
@pytest.mark.parametrize(("seed", "number"), [(seed, 5) for seed in range(3)])
def test_concurrent_runs_in_two_processes(place, tmp_path, key, seed, number):
    race_in_two_processes(place, tmp_path / "drops", key, Random(seed), number)


@pytest.mark.parametrize(
    "lakes", [(4, 3, 10), *(pytest.param((n, 6, 30), marks=pytest.mark.long, id=f"{n}") for n in range(1, 5))]
)
def test_whatever_happens_the_tables_are_the_oracles(new_lake, kind, tmp_path, key, lakes):
    run_lakes(*lakes, "embedded", key, tmp_path, lambda _: new_lake(kind), kind=MaintainedLakehouse)
