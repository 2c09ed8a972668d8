"""Glue's Data Catalog."""


class CatalogProvider:
    """Glue's Data Catalog."""

    delegated: frozenset[str] = frozenset()
