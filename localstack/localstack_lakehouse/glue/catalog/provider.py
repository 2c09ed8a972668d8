"""Glue's Data Catalog."""

from ...atomic import atomic
from .databases import Databases
from .partitions import Partitions
from .tables import Tables


@atomic
class CatalogProvider(Databases, Tables, Partitions):
    """Glue's Data Catalog, one call at a time: a commit that checks a version holds until it has written."""

    delegated = frozenset(
        {
            "delete_resource_policy",
            "get_resource_policy",
            "put_resource_policy",
            "get_data_catalog_encryption_settings",
            "put_data_catalog_encryption_settings",
            "create_registry",
            "delete_registry",
            "get_registry",
            "list_registries",
            "create_schema",
            "delete_schema",
            "get_schema",
            "update_schema",
            "get_schema_by_definition",
            "get_schema_version",
            "put_schema_version_metadata",
            "register_schema_version",
            "get_tags",
            "tag_resource",
            "untag_resource",
        }
    )
