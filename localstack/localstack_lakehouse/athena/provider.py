"""Athena."""


class AthenaProvider:
    """Athena."""

    delegated: frozenset[str] = frozenset()
