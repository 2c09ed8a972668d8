"""Which profile and endpoint of AWS this process uses: those that the settings name, else those of the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

#: Where AWS's libraries for Python, Java and C++ look.
PROFILE, ENDPOINT = "AWS_PROFILE", "AWS_ENDPOINT_URL"
#: Keys in the environment would be used instead of a profile that is named.
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
#: What libraries are made for: they are made again if one of these changes.
_OF_CLIENTS = (PROFILE, ENDPOINT, *_KEYS, "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")


@contextmanager
def environment(profile: str | None, endpoint_url: str | None) -> Iterator[None]:
    """The variables of AWS's libraries, in this process and those that it starts, until the block ends.

    Args:
        profile: the name of a profile, as of `aws --profile`; None for what the environment says.
        endpoint_url: the endpoint of all services, as of `aws --endpoint-url`; None for what the environment says.
    """
    changed: dict[str, str | None] = dict.fromkeys(_KEYS) | {PROFILE: profile} if profile else {}
    changed |= {ENDPOINT: endpoint_url} if endpoint_url else {}
    before = {name: os.environ.get(name) for name in changed}
    _set(changed)
    try:
        yield
    finally:
        _set(before)


def state() -> tuple[str | None, ...]:
    """What clients are made for. Whoever keeps clients keeps one for each state."""
    return tuple(os.environ.get(name) for name in _OF_CLIENTS)


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
