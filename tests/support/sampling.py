"""Examples of a strategy as a list, for tests that share them."""

from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

Example = TypeVar("Example")


def sample(strategy: SearchStrategy[Example], size: int) -> list[Example]:
    """Examples as Hypothesis draws them, the same every time."""
    found: list[Example] = []

    @given(strategy)
    @settings(
        max_examples=size,
        database=None,
        derandomize=True,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def collect(example):
        found.append(example)

    collect()
    return found
