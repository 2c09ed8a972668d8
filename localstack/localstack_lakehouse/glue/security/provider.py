"""Glue's security configurations."""


class SecurityProvider:
    """Glue's security configurations."""

    delegated: frozenset[str] = frozenset()
