"""Examples of a strategy as a list, for tests that share them."""

from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.strategies import SearchStrategy

Example = TypeVar("Example")


def generating(size: int, **others: Any) -> settings:
    """The settings by which Hypothesis draws so many examples, keeps none and makes none smaller."""
    return settings(
        max_examples=size,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        **others,
    )


def sample(strategy: SearchStrategy[Example], size: int) -> list[Example]:
    """Examples as Hypothesis draws them, the same every time."""
    found: list[Example] = []

    @given(strategy)
    @generating(size, derandomize=True)
    def collect(example):
        found.append(example)

    collect()
    return found
