"""Concurrent runs on a lake in a folder: see `support/races.py`."""

from random import Random

import pytest
from support.places import Folder
from support.races import race_at_any_moment, race_in_two_processes


@pytest.mark.parametrize(
    ("seed", "number"), [(0, 2), *(pytest.param(seed, 30, marks=pytest.mark.long) for seed in range(1, 4))]
)
def test_another_run_at_any_moment_of_a_run(tmp_path, key, seed, number):
    raced = race_at_any_moment(Folder(tmp_path).lake, tmp_path / "drops", key, Random(seed), number)
    assert raced > number * 0.5


@pytest.mark.parametrize(
    ("seed", "number"), [(0, 1), *(pytest.param(seed, 10, marks=pytest.mark.long) for seed in range(1, 4))]
)
def test_concurrent_runs_in_two_processes(tmp_path, key, seed, number):
    race_in_two_processes(Folder(tmp_path), tmp_path / "drops", key, Random(seed), number)
