"""Glue's table optimizers."""


class OptimizersProvider:
    """Glue's table optimizers."""

    delegated: frozenset[str] = frozenset()
