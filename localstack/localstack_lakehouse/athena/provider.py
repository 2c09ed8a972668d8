"""Athena."""

from .data_catalogs import DataCatalogs
from .named_queries import NamedQueries
from .queries import Queries
from .tags import Tags
from .work_groups import WorkGroups


class AthenaProvider(Queries, WorkGroups, NamedQueries, DataCatalogs, Tags):
    """Athena, but for prepared statements, capacity reservations and notebooks."""

    delegated: frozenset[str] = frozenset()
