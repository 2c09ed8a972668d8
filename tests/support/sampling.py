"""Examples of a strategy as a list, for tests that share them."""

from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.strategies import SearchStrategy, integers

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
    """Examples that are independent of each other, the same every time."""
    return [example(strategy, number) for number in range(size)]


def example(strategy: SearchStrategy[Example], number: int) -> Example:
    """The example of that number.

    It has a run of Hypothesis to itself: within a run many examples are variants of earlier ones. The first example of
    a run is the simplest there is. The second one must differ from it, which the number in front does. It is not used.
    """
    found: list[Example] = []

    @seed(number)
    @generating(2)
    @given(integers(0, 2**64), strategy)
    def collect(_, drawn):
        found.append(drawn)

    collect()
    return found[-1]
