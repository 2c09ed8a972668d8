"""What roles may do, by their policies, and what they did, by the server's log of requests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any


@dataclass(frozen=True)
class Call:
    """An action of AWS on a resource."""

    action: str
    resource: str

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


@dataclass(frozen=True)
class Grant:
    """One allowed action, and the resources it is allowed on."""

    action: str
    resources: tuple[str, ...]

    def covers(self, call: Call) -> bool:
        """Whether it allows the call, as IAM matches: actions in any case, resources by * and ?."""
        return self.action.lower() == call.action.lower() and any(
            fnmatchcase(call.resource, pattern.replace("[", "[[]")) for pattern in self.resources
        )


def grants(iam: Any, role: str) -> list[Grant]:
    """What the role's policies allow. All are in the role: none is attached."""
    assert iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"] == []
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    documents = (iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names)
    return [
        Grant(action, tuple(_list(statement["Resource"])))
        for document in documents
        for statement in document["Statement"]
        if statement["Effect"] == "Allow"
        for action in _list(statement["Action"])
    ]


def calls(requests: Iterable[Mapping[str, Any]], role: str) -> set[Call]:
    """What the role did: calls that the emulator's services make among themselves are not its own."""
    return {
        Call(action, resource)
        for request in requests
        if f":assumed-role/{role}/" in request["principal"] and not request["internal"]
        for action, resource in _told(request)
    }


def _told(request: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    raise NotImplementedError


def _list(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
