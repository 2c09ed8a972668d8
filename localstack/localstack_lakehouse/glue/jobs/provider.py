"""Glue's jobs and their runs."""


class JobsProvider:
    """Glue's jobs and their runs."""

    delegated: frozenset[str] = frozenset()
