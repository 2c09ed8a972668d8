"""What Lake Formation keeps."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from localstack.aws.api import RequestContext

Resource = dict[str, Any]
Principal = dict[str, str]
Key = tuple[str, str]


@dataclass
class Grant:
    """What a principal may do on a resource, and what of it pass on."""

    principal: Principal
    resource: Resource
    permissions: set[str] = field(default_factory=set)
    grantable: set[str] = field(default_factory=set)

    def as_dict(self) -> dict[str, Any]:
        """The grant as the API shows it."""
        return {
            "Principal": self.principal,
            "Resource": self.resource,
            "Permissions": sorted(self.permissions),
            "PermissionsWithGrantOption": sorted(self.grantable),
        }


@dataclass
class OptIn:
    """A principal whose access to a resource Lake Formation decides."""

    principal: Principal
    resource: Resource
    condition: dict[str, str] | None
    modified: datetime
    modified_by: str

    def as_dict(self) -> dict[str, Any]:
        """The opt-in as the API shows it."""
        return {
            "Principal": self.principal,
            "Resource": self.resource,
            "Condition": self.condition,
            "LastModified": self.modified,
            "LastUpdatedBy": self.modified_by,
        }


@dataclass
class LakeFormationStore:
    """Everything but settings, which moto keeps."""

    # By ARN.
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    # The values that a tag may have, by its key.
    tags: dict[str, list[str]] = field(default_factory=dict)
    # The tags that were given to (database,), (database, table) or (database, table, column).
    assigned: dict[tuple[str, ...], dict[str, str]] = field(default_factory=dict)
    grants: dict[Key, Grant] = field(default_factory=dict)
    opt_ins: dict[Key, OptIn] = field(default_factory=dict)
    # By (database, table, name).
    filters: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)


_stores: defaultdict[tuple[str, str], LakeFormationStore] = defaultdict(LakeFormationStore)


def store(context: RequestContext) -> LakeFormationStore:
    """The store of the caller's account in the caller's region."""
    return _stores[context.account_id, context.region]
