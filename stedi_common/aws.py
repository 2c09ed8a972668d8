"""Which AWS profile and endpoint this process uses: those of the settings, else those of the environment variables."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

#: The environment variables that AWS's libraries for Python, Java and C++ read.
PROFILE, ENDPOINT = "AWS_PROFILE", "AWS_ENDPOINT_URL"
#: With access keys in the environment, the libraries would ignore the profile.
_KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
#: A client depends on these variables: if one changes, a new client is needed.
_CLIENT_VARIABLES = (PROFILE, ENDPOINT, *_KEYS, "AWS_DEFAULT_REGION", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE")


@contextmanager
def profile_and_endpoint(profile: str | None, endpoint_url: str | None) -> Iterator[None]:
    """Set the environment variables of AWS's libraries until the block ends, for this process and those that it starts.

    Args:
        profile: the name of a profile, as of `aws --profile`; None to leave the environment as it is.
        endpoint_url: the endpoint of all services, as of `aws --endpoint-url`; None to leave the environment as it is.
    """
    changed: dict[str, str | None] = dict.fromkeys(_KEYS) | {PROFILE: profile} if profile else {}
    changed |= {ENDPOINT: endpoint_url} if endpoint_url else {}
    before = {name: os.environ.get(name) for name in changed}
    _set(changed)
    try:
        yield
    finally:
        _set(before)


def client_cache_key() -> tuple[str | None, ...]:
    """The values of the variables that a client depends on. A cache of clients has one client for each."""
    return tuple(os.environ.get(name) for name in _CLIENT_VARIABLES)


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
