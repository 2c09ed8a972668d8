"""Where table optimizers are kept."""

from typing import Any
from weakref import WeakKeyDictionary

from moto.glue.models import FakeTable

Optimizer = dict[str, Any]

# They live as long as their table.
_optimizers: WeakKeyDictionary[FakeTable, dict[str, Optimizer]] = WeakKeyDictionary()


def optimizers(table: FakeTable) -> dict[str, Optimizer]:
    """A table's optimizers by type."""
    return _optimizers.setdefault(table, {})
